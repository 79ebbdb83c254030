// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package imports

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/resourceversion"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/definition"
	"github.com/integrator-operator/integrator-operator/internal/importstate"
	"github.com/integrator-operator/integrator-operator/internal/ownership"
)

// The effects of an adoption's steps: see importstate.AdoptionEffects.

var _ importstate.AdoptionEffects = effects{}

// KnownRival looks for a rival in the cache, and for the one for which the claim was withdrawn last.
func (e effects) KnownRival(ctx context.Context, a importstate.Adoption) (*v1alpha1.Import, error) {
	rival, err := e.cachedRival(ctx, a)
	if err != nil || rival != nil {
		return rival, err
	}
	last := e.r.withdrawals.of(a.Object)
	if last == nil {
		return nil, nil
	}
	if other := e.newest(ctx, last); other != nil {
		rival = e.stronger(ctx, a.Contest, nil, other)
	}
	if rival == nil {
		e.r.withdrawals.forget(client.ObjectKeyFromObject(a.Object))
	}
	return rival, nil
}

// cachedRival looks for a rival in the cache.
func (e effects) cachedRival(ctx context.Context, a importstate.Adoption) (rival *v1alpha1.Import, err error) {
	known, err := e.r.objects().importsWith(ctx, e.s, a.Remote.ID)
	for i := range known {
		rival = e.stronger(ctx, a.Contest, rival, &known[i])
	}
	return rival, err
}

// ListRivals lists the Imports of all namespaces past the cache that have the label of the remote
// import, or of an intent that may have created it: few, however many Imports there are. Somebody may
// have removed the label of one; such Imports are in the cache.
func (e effects) ListRivals(ctx context.Context, a importstate.Adoption) (*v1alpha1.Import, error) {
	rival, err := e.cachedRival(ctx, a)
	if err != nil {
		return nil, err
	}
	labeled, err := e.r.labeled.List(ctx, e.r.Live,
		ownership.RemoteLabel(a.Remote.ID), ownership.IntentLabel(a.Remote.ExternalID), ownership.IntentLabel(strings.TrimSpace(a.Remote.Name)))
	if err != nil {
		return nil, fmt.Errorf("find out who may have the import %s: %w", a.Remote.ID, err)
	}
	for _, other := range labeled {
		if other.UID != a.Object.UID {
			rival = e.stronger(ctx, a.Contest, rival, other)
		}
	}
	return rival, nil
}

// stronger is ownership.Stronger without what only metadata of another namespace says, where the Import
// cannot go on: whoever has no usable Account keeps nobody from adopting. Should the Account be usable
// later, the Import finds that the other one has the remote import.
func (e effects) stronger(ctx context.Context, c ownership.Contest, rival, other *v1alpha1.Import) *v1alpha1.Import {
	if other.Namespace != c.Object.Namespace && !c.Holds(other) && !c.MayCreate(other) &&
		e.r.Registry.Unusable(ctx, types.NamespacedName{Namespace: other.Namespace, Name: other.Spec.AccountRef.Name}) {
		return rival
	}
	return ownership.Stronger(c, rival, other)
}

// WriteClaim writes the claim. Nobody is known who has the import, so the look at it begins.
func (e effects) WriteClaim(ctx context.Context, a importstate.Adoption) (*v1alpha1.Import, error) {
	e.s.answers = beginLook(ctx, e.s)
	return e.patch(ctx, metadataChange{
		locked: true, finalizer: true, label: ownership.RemoteLabel(a.Remote.ID),
		annotations: map[string]any{v1alpha1.AnnotationAdoptPending: a.Remote.ID},
	})
}

// WithdrawClaim removes the claim.
func (e effects) WithdrawClaim(ctx context.Context, a importstate.Adoption) (*v1alpha1.Import, error) {
	err := e.r.objects().withdrawClaim(ctx, e.s)
	if err == nil {
		e.r.withdrawals.note(a, e.r.Clock.Now())
	}
	return e.s.object, err
}

// withdrawnPause is how long an Import whose claim was withdrawn claims nothing for a rival that the cache does not show.
const withdrawnPause = 5 * time.Second

// withdrawals remember for whom claims were withdrawn. A withdrawal wakes its own Import, and the cache does not show the
// rival where it is behind, nor, by the id, where the rival is just creating the import: the Import would claim and
// withdraw without a pause. Its zero value is ready for use, and it may be used from several goroutines.
type withdrawals struct{ byKey sync.Map }

// withdrawal is for whom the claim of one Import was withdrawn, and until when that counts if the cache does not show it.
type withdrawal struct {
	uid   types.UID
	rival *v1alpha1.Import
	until time.Time
}

func (w *withdrawals) note(a importstate.Adoption, now time.Time) {
	rival := a.Rival.DeepCopy()
	definition.StripOther(rival, nil)
	w.byKey.Store(client.ObjectKeyFromObject(a.Object), &withdrawal{a.Object.UID, rival, now.Add(withdrawnPause)})
}

// of is the last withdrawal of an Import, nil without one.
func (w *withdrawals) of(object *v1alpha1.Import) *withdrawal {
	known, _ := w.byKey.Load(client.ObjectKeyFromObject(object))
	if last, ok := known.(*withdrawal); ok && last.uid == object.UID {
		return last
	}
	return nil
}

func (w *withdrawals) forget(key client.ObjectKey) { w.byKey.Delete(key) }

// wait is for how long the last withdrawal of an Import counts without the cache, 0 without one.
func (w *withdrawals) wait(object *v1alpha1.Import, now time.Time) time.Duration {
	if last := w.of(object); last != nil {
		return max(0, last.until.Sub(now))
	}
	return 0
}

// newest is the Import for which a claim was withdrawn: as the cache has it, or as it was then, as long as the cache may
// not show that yet. It is nil when it is gone.
func (e effects) newest(ctx context.Context, last *withdrawal) *v1alpha1.Import {
	cached := &v1alpha1.Import{}
	if err := e.r.Get(ctx, client.ObjectKeyFromObject(last.rival), cached, client.DisableReadYourWritesConsistency); err == nil {
		order, err := resourceversion.CompareResourceVersion(cached.ResourceVersion, last.rival.ResourceVersion)
		if err != nil || order >= 0 {
			return cached
		}
	}
	if e.r.Clock.Now().Before(last.until) {
		return last.rival
	}
	return nil
}

// TakeOver turns the claim into the id.
func (e effects) TakeOver(ctx context.Context, a importstate.Adoption) (*v1alpha1.Import, error) {
	id, before := a.Remote.ID, a.Object.Status
	if ownership.OnlyObserved(a.Object) {
		if err := e.recordTakeover(ctx, id); err != nil {
			return nil, err
		}
	}
	object, err := e.writeID(ctx, id)
	if err != nil {
		return nil, err
	}
	// The claim's finalizer keeps the Account since before the list of rivals. Nothing is created, so
	// the cache is enough for an Account that was deleted before.
	if err := requireAccount(ctx, e.r, e.s); err != nil {
		e.s.object.Status = before
		undo := metadataChange{locked: true, dropFinalizer: true, label: noLabel, annotations: map[string]any{v1alpha1.AnnotationID: nil}}
		return nil, cmp.Or(e.r.objects().patchMetadata(ctx, e.s, undo), err)
	}
	object.Status.ID, object.Status.CreateToken, object.Status.Management = id, "", ""
	e.r.withdrawals.forget(client.ObjectKeyFromObject(object))
	e.s.session.Observations.Note(id, e.s.remote.LastModified)
	e.s.event(normal, v1alpha1.ReasonAdopted, "took over the import "+id)
	return object, nil
}

// recordTakeover writes the id into a status that was recorded by observing, as that of an import of its own.
func (e effects) recordTakeover(ctx context.Context, id string) error {
	if err := requireAccount(ctx, e.r, e.s); err != nil {
		return err
	}
	if known := e.s.object.Annotations[v1alpha1.AnnotationID]; ownership.CreatePending(e.s.object) || known != "" && known != id {
		// What the metadata has of another import would count before the status.
		forget := metadataChange{locked: true, annotations: map[string]any{v1alpha1.AnnotationID: nil, v1alpha1.AnnotationCreatePending: nil}}
		if err := e.r.objects().patchMetadata(ctx, e.s, forget); err != nil {
			return err
		}
	}
	err := e.r.objects().patchStatusFields(ctx, e.s, map[string]any{"id": id, "createToken": nil, "management": nil, "comparedLastModified": nil})
	if err != nil {
		return err
	}
	for _, state := range []*v1alpha1.ImportStatus{&e.s.object.Status, &e.s.before.Status} {
		state.ID, state.CreateToken, state.Management, state.ComparedLastModified = id, "", "", ""
	}
	return nil
}

// withdrawClaim removes the claim, or what is left of one, and with it the finalizer and the label.
func (o objects) withdrawClaim(ctx context.Context, s *scope) error {
	if !ownership.HasClaim(s.object) {
		return nil
	}
	claimed := s.object.Annotations[v1alpha1.AnnotationAdoptPending] != ""
	change := metadataChange{locked: true, annotations: map[string]any{v1alpha1.AnnotationAdoptPending: nil}}
	if ownership.OwnsNothing(s.object) {
		change.dropFinalizer, change.label = true, noLabel
	}
	err := o.patchMetadata(ctx, s, change)
	// What is left does not say how far the adoption had come.
	s.withdrawn = s.withdrawn && claimed
	return err
}
