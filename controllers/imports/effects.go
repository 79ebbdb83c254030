// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package imports

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/definition"
	"github.com/integrator-operator/integrator-operator/internal/drift"
	"github.com/integrator-operator/integrator-operator/internal/importstate"
	"github.com/integrator-operator/integrator-operator/internal/integrator"
	"github.com/integrator-operator/integrator-operator/internal/ownership"
	"github.com/integrator-operator/integrator-operator/internal/problem"
)

// effects are the effects of one reconcile's steps: see importstate.Effects.
//
// The create protocol: the API makes the id and names are not unique, so a lost response would
// leave an import that nobody knows.
//
//  1. WriteIntent: one metadata patch, refused if somebody else wrote the object meanwhile, writes
//     the finalizer and the intent (create-pending);
//  2. Create: the body carries the ownership marker k8s/<uid> as externalId, unless the definition
//     declares one;
//  3. PersistID: the id goes into the status, with the token of the intent, which stays. Where the marker
//     cannot find the import again, as with an externalId of the definition, the id goes into the
//     annotation in place of the intent: it survives a restore without status.
//
// A reconcile that finds an intent whose token the status does not have searches the account for the marker. It creates
// again only when the marker is nowhere and the first call can no longer be under way. What is
// written after the call is bound to its intent: a process that was suspended for long may find
// that of another.
type effects struct {
	r *Reconciler
	s *scope
}

var _ importstate.Effects = effects{}

// Reread replaces the object by the version that the API server has now.
func (e effects) Reread(ctx context.Context) (*v1alpha1.Import, time.Time, error) {
	live, err := e.r.objects().readUnchanged(ctx, e.s)
	if err != nil {
		return nil, time.Time{}, err
	}
	if ownership.RemoteID(live) == "" && !ownership.CreatePending(live) {
		// The intent is gone. Whether a scan says something of what it made is asked when a pass begins.
		return nil, time.Time{}, apierrors.NewConflict(v1alpha1.GroupVersion.WithResource("imports").GroupResource(), live.Name, errIntentGone)
	}
	e.s.object, e.s.before = live, live.DeepCopy()
	// What was written until now is not from the future.
	return live, e.r.Clock.Now(), nil
}

// errIntentGone: the create intent was taken away while the Import was reconciled.
var errIntentGone = errors.New("the create intent of the Import is gone")

// RestoreMetadata puts the finalizer and the id annotation back where they are missing, as after
// a restore that kept only the status, and removes a claim that an interrupted takeover left.
func (e effects) RestoreMetadata(ctx context.Context, id string) (*v1alpha1.Import, error) {
	object := e.s.object
	if ownership.Observes(object) || ownership.IsComplete(object, id) {
		return object, nil
	}
	return e.writeID(ctx, id)
}

// writeID writes the id into the annotation, in place of a claim or a confirmed intent.
func (e effects) writeID(ctx context.Context, id string) (*v1alpha1.Import, error) {
	annotations := map[string]any{v1alpha1.AnnotationID: id, v1alpha1.AnnotationAdoptPending: nil}
	if ownership.Confirmed(e.s.object) {
		annotations[v1alpha1.AnnotationCreatePending] = nil
	}
	return e.patch(ctx, metadataChange{locked: true, finalizer: true, label: ownership.RemoteLabel(id), annotations: annotations})
}

// keepID writes the id into the annotation once the marker does not find the import any more: somebody
// changed its externalId, or the definition declares one by now.
func (e effects) keepID(ctx context.Context) error {
	s := e.s
	if !ownership.Confirmed(s.object) || ownership.Observes(s.object) ||
		s.owner.Marks(s.object, s.remote.ExternalID) && s.owner.Marks(s.object, s.desired.ExternalID()) {
		return nil
	}
	_, err := e.writeID(ctx, s.remote.ID)
	return err
}

// RenewIntent writes the intent anew, with the present time.
func (e effects) RenewIntent(ctx context.Context) error {
	_, err := e.writeIntent(ctx, e.s.desired.Name(), "")
	return err
}

// Search reads the account's list for what was created for this Import. Imports that another
// Import manages are left out.
func (e effects) Search(ctx context.Context, p importstate.Pass) (importstate.SearchResult, error) {
	result := importstate.SearchResult{Began: e.r.Clock.Now()}
	wanted := e.searched(p)
	options := integrator.ListOptions{Include: []string{"externalId", "createdAt", "_sourceId"}}
	for remote, err := range e.s.session.Client.ListImports(ctx, options) {
		if err != nil {
			return result, err
		}
		if remote.ID == p.Deleted {
			// The 404 is from a gateway, the token does not see the import, or the read lags behind.
			return result, problem.Transientf(v1alpha1.ReasonUnexpectedResponse,
				"the API answers 404 for the import %s, but its list has it: the import is not taken for deleted; it will be retried", p.Deleted)
		}
		if !e.s.owner.IsCandidate(e.s.object, wanted, remote) || slices.Contains(result.IDs, remote.ID) {
			continue
		}
		others, err := e.r.objects().importsWith(ctx, e.s, remote.ID)
		if err != nil {
			return result, err
		}
		if ownership.OwnerAmong(others, remote.ID) == nil {
			result.IDs = append(result.IDs, remote.ID)
			result.Unmarked = result.Unmarked || !e.s.owner.IsMarked(e.s.object, remote)
		}
	}
	return result, nil
}

// searched is what an import can be found by that was created for this Import: the standing
// intent, or, after the remote import was deleted, the marker. If the deleted one was created
// here, a declared externalId and the name count too: another may have been created before etcd was
// restored to an older state.
func (e effects) searched(p importstate.Pass) ownership.Intent {
	if p.Deleted == "" {
		intent, _ := ownership.ParseIntent(e.s.object, p.Now)
		return intent
	}
	wanted := ownership.Intent{ExternalID: e.s.owner.Marker(e.s.object)}
	lived, err := time.Parse(time.RFC3339, e.s.before.Status.LastModified)
	if p.Deleting || e.s.object.Spec.Adopt != nil || err != nil {
		return wanted
	}
	wanted.Name = e.s.desired.Name()
	wanted.ExternalID = e.s.desired.ExternalID()
	// Both times are of the API's clock, so no skew is allowed for: see ownership.IsCandidate.
	wanted.Time = lived.Add(ownership.ClockSkew)
	return wanted
}

// Read reads the remote import, and makes sure that this Import may use it, and finds it again.
func (e effects) Read(ctx context.Context, p importstate.Pass) (found bool, err error) {
	answer, err := e.s.session.Client.GetImport(ctx, p.ID)
	if integrator.IsNotFound(err) {
		return false, nil
	}
	if err != nil {
		return false, e.s.failed(err, "read the import")
	}
	e.s.recordRemote(answer)
	use := ownership.UseManage
	if p.Deleting {
		use = ownership.UseDelete
	} else if err := e.keepID(ctx); err != nil {
		return true, err
	}
	return true, e.r.objects().requireOwnership(ctx, e.s, use)
}

// ConfirmMissing records that the API does not have the import.
func (e effects) ConfirmMissing(_ context.Context, p importstate.Pass) error {
	e.s.session.Observations.RecordRead(e.s.object, p.ID, false)
	return e.s.session.RequireVerified()
}

// WriteIntent writes that a create follows, in the place of the import that was deleted on the
// platform, if there is one.
func (e effects) WriteIntent(ctx context.Context, p importstate.Pass) (*v1alpha1.Import, error) {
	if err := e.r.objects().mayCreate(ctx, e.s, p); err != nil {
		return nil, err
	}
	name := e.s.desired.Name()
	calls := []string{importstate.CallCreate}
	if e.s.object.Spec.CloneFrom != nil {
		// Without its source and its connections there is nothing to write an intent for.
		source, err := e.r.objects().findCloneSource(ctx, e.s)
		if err != nil {
			return nil, err
		}
		if err := requireNoMask(ctx, e.s, source.id); err != nil {
			return nil, err
		}
		e.s.cloneSource = source
		name, calls = e.s.owner.Marker(e.s.object), []string{importstate.CallClone, importstate.CallPut}
	}
	if !e.s.callOrPlan(calls...) {
		return nil, e.s.planned()
	}
	changedBy := ""
	if p.Deleted != "" {
		changedBy = lastChangedBy(ctx, e.s, p.Deleted)
	}
	// The time of the call runs from here.
	object, err := e.writeIntent(ctx, name, p.Deleted)
	if err != nil {
		return nil, err
	}
	if p.Deleted != "" {
		e.s.event(warning, v1alpha1.ReasonRemoteDeleted, "the import "+p.Deleted+" was deleted on the platform"+changedBy+"; it is created again")
		e.s.forgetRemote()
	}
	return object, nil
}

// writeIntent writes the intent of a create with this name. It fails with a conflict when this
// reconcile is based on an old version of the object.
func (e effects) writeIntent(ctx context.Context, name, replaces string) (*v1alpha1.Import, error) {
	if e.s.desired == nil {
		return nil, errors.New("the create intent cannot be read, and the definition cannot be resolved to write another")
	}
	now := e.r.Clock.Now()
	if before, _ := ownership.ParseIntent(e.s.object, now); replaces == "" {
		replaces = before.Replaces
	}
	value, err := json.Marshal(ownership.Intent{Token: rand.Text(), UID: e.s.object.UID, ExternalID: e.s.desired.ExternalID(), Name: name, Time: now.UTC(), Replaces: replaces})
	if err != nil {
		return nil, err
	}
	found := e.s.desired.ExternalID()
	if ownership.IsMarker(name) {
		found = name
	}
	return e.patch(ctx, metadataChange{locked: true, finalizer: true, label: ownership.IntentLabel(found), annotations: map[string]any{
		v1alpha1.AnnotationCreatePending: string(value), v1alpha1.AnnotationID: nil,
	}})
}

// Create sends the create. It goes on when the operator is asked to stop: an id that was written
// into the object needs no recovery. It is given up well within the intent's timeout, so that no
// call is still under way when another is made.
func (e effects) Create(ctx context.Context, p importstate.Pass) (importstate.CreateResult, error) {
	now := e.r.Clock.Now()
	intent, _ := ownership.ParseIntent(p.Object, now)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), intent.CallUntil(p.Timeout).Sub(now))
	defer cancel()
	if err := requireAccount(ctx, e.r, e.s); err != nil {
		return importstate.CreateResult{}, err
	}
	result, err := e.post(ctx)
	if integrator.OutcomeOf(err) != integrator.OutcomeNotApplied {
		// Should the intent be removed before the id is written, as by kubectl replace, this has the import
		// found, or the account searched for it.
		e.s.session.Observations.NoteMarker(e.s.owner.Marker(e.s.object), result.ID)
	}
	return result, err
}

// post makes the call: a create of the desired document, or a clone of another import.
func (e effects) post(ctx context.Context) (importstate.CreateResult, error) {
	s := e.s
	if source := s.cloneSource; source != nil {
		id, err := s.session.Client.CloneImport(ctx, source.id, integrator.CloneRequest{Name: s.owner.Marker(s.object), ConnectionMap: source.connections})
		if err != nil {
			return importstate.CreateResult{}, s.failed(err, "create the import")
		}
		return importstate.CreateResult{ID: id}, nil
	}
	body, err := drift.Encode(s.desired.Document)
	if err != nil {
		return importstate.CreateResult{}, err
	}
	owned := s.ownFields(nil)
	created, err := s.session.Client.CreateImport(ctx, body)
	if integrator.NotApplied(err) {
		definition.SetOwned(&s.object.Status, owned)
	}
	if err != nil {
		return importstate.CreateResult{}, s.failed(err, "create the import")
	}
	s.remote = created
	return importstate.CreateResult{ID: created.ID, Complete: true}, nil
}

// PersistID writes the id into the object, unless another process went on meanwhile. Where the import has
// the Import's marker, the status that ends the reconcile has it, and that is enough. Elsewhere the write is
// retried here, because the id is known nowhere else; if it fails for good, the next reconcile searches the
// account for the import.
func (e effects) PersistID(ctx context.Context, p importstate.Pass) (*v1alpha1.Import, error) {
	intent, _ := ownership.ParseIntent(e.s.object, e.r.Clock.Now())
	if p.Step == importstate.StepPersistID && !p.Settling && intent.Token != "" && e.s.owner.Marks(e.s.object, e.s.remote.ExternalID) {
		state := &e.s.object.Status
		state.ID, state.CreateToken, state.Management = p.ID, intent.Token, ""
		e.s.event(normal, v1alpha1.ReasonCreated, "created the import "+p.ID)
		e.s.recordRemote(e.s.remote)
		return e.s.object, nil
	}
	ctx, cancel := e.afterCall(ctx)
	defer cancel()
	change := metadataChange{
		// The finalizer is there, unless everything that recorded the creation was lost.
		finalizer:   e.s.object.DeletionTimestamp.IsZero(),
		annotations: map[string]any{v1alpha1.AnnotationID: p.ID, v1alpha1.AnnotationCreatePending: nil},
		label:       ownership.RemoteLabel(p.ID),
	}
	if err := e.r.objects().patchWhile(ctx, e.s, change, importstate.CanPersistID); err != nil {
		return nil, fmt.Errorf("write the id %s of the created import into the Import: %w", p.ID, err)
	}
	e.s.object.Status.ID, e.s.object.Status.CreateToken, e.s.object.Status.Management = p.ID, "", ""
	switch {
	case p.Step == importstate.StepAcquire:
		e.s.event(normal, v1alpha1.ReasonRecovered, "found the import "+p.ID+", which was created for this Import before")
	case p.Settling:
		e.s.event(normal, v1alpha1.ReasonCloned, "created the import "+p.ID+" as a clone")
	default:
		e.s.event(normal, v1alpha1.ReasonCreated, "created the import "+p.ID)
		e.s.recordRemote(e.s.remote)
	}
	return e.s.object, nil
}

// RemoveIntent removes the intent of a create that is known not to have been applied.
func (e effects) RemoveIntent(ctx context.Context, _ importstate.Pass, restored string) error {
	ctx, cancel := e.afterCall(ctx)
	defer cancel()
	change := metadataChange{annotations: map[string]any{v1alpha1.AnnotationCreatePending: nil}, label: noLabel}
	if restored != "" {
		change.annotations[v1alpha1.AnnotationID], change.label = restored, ownership.RemoteLabel(restored)
	}
	return e.r.objects().patchWhile(ctx, e.s, change, importstate.CanRemoveIntent)
}

// afterCall bounds what is written after a call: also when the operator is asked to stop, and
// when the time of the call is over.
func (e effects) afterCall(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), e.r.CreateUnconfirmedTimeout/2)
}

// Delete deletes the remote import, unless something uses it.
func (e effects) Delete(ctx context.Context, p importstate.Pass) (integrator.Outcome, error) {
	return e.r.deleteRemote(ctx, e.s, p.ID)
}

// Release removes the finalizer: the object goes. Where no remote import was found, it must not be
// because the token is of another account.
func (e effects) Release(ctx context.Context, p importstate.Pass) error {
	releasePermit(e.s)
	if p.ID == "" {
		if err := e.s.session.RequireVerified(); err != nil {
			return err
		}
	}
	return e.r.objects().release(ctx, e.s)
}

func (e effects) patch(ctx context.Context, change metadataChange) (*v1alpha1.Import, error) {
	if err := e.r.objects().patchMetadata(ctx, e.s, change); err != nil {
		return nil, err
	}
	return e.s.object, nil
}
