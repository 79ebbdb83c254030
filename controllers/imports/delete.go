// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package imports

import (
	"context"
	"errors"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/account"
	"github.com/integrator-operator/integrator-operator/internal/importstate"
	"github.com/integrator-operator/integrator-operator/internal/integrator"
	"github.com/integrator-operator/integrator-operator/internal/metrics"
	"github.com/integrator-operator/integrator-operator/internal/ownership"
	"github.com/integrator-operator/integrator-operator/internal/problem"
	"github.com/integrator-operator/integrator-operator/internal/watch"
)

// delete lets the Import go: at once when the remote import stays (Orphan) or never existed,
// otherwise when the API has deleted it.
func (r *Reconciler) delete(ctx context.Context, s *scope) error {
	switch importstate.BeginDeletion(s.object) {
	case importstate.DeletionDone:
		return nil
	case importstate.DeletionRelease:
		return r.objects().release(ctx, s)
	case importstate.DeletionSuspended:
		return problem.Waitingf(v1alpha1.ReasonSuspended, "spec.suspend is true: the import is not deleted; set it to false, or deletionPolicy to Orphan")
	case importstate.DeletionLocate:
	}
	heir, err := r.objects().heir(ctx, s.object)
	if err != nil {
		return err
	}
	if heir != nil {
		s.event(normal, v1alpha1.ReasonHandedOver, "left the import "+ownership.RemoteID(s.object)+" to Import "+heir.Name+", which adopts it")
		return r.objects().release(ctx, s)
	}
	unresolved := r.resolve(ctx, s)
	if errors.Is(unresolved, errNotRead) {
		return unresolved
	}
	if s.session == nil {
		var orphaned bool
		if orphaned, unresolved = r.withoutAccount(ctx, s, unresolved); orphaned {
			return r.abandon(ctx, s)
		}
		if errors.Is(unresolved, errNotRead) {
			return unresolved
		}
	}
	// A definition that cannot be resolved any more does not stand in the way when the id is known,
	// or when it is known what to search for.
	_, searchable := ownership.ParseIntent(s.object, r.Clock.Now())
	if unresolved != nil && (s.session == nil || ownership.RemoteID(s.object) == "" && !searchable) {
		return unresolved
	}
	if ctx, err = s.takePermit(ctx, r, s.session.Client); err != nil {
		return err
	}
	_, err = r.locate(ctx, s)
	if p := problem.As(err); p != nil && p.RetryAfter() == 0 &&
		(p.Reason() == v1alpha1.ReasonDeletionBlocked || p.Reason() == v1alpha1.ReasonOwnershipConflict) {
		return p.WithRetryAfter(r.BlockedDeletionPause)
	}
	return err
}

// withoutAccount looks for a way to delete when the Account cannot be used, because of cause. With
// the Secret deleted, the last session's token may end what is ending anyway: an Account or a
// namespace that is being deleted. Otherwise the user may be revoking it. orphaned reports that
// there never will be a way: nothing can be created in a namespace that is being deleted.
func (r *Reconciler) withoutAccount(ctx context.Context, s *scope, cause error) (orphaned bool, err error) {
	waits := deletionWaits(cause)
	if !problem.HasReason(cause, v1alpha1.ReasonAccountNotFound) && !errors.Is(cause, account.ErrSecretDeleted) && !errors.Is(cause, account.ErrTokenRevoked) {
		return false, waits
	}
	namespaceDeleting, err := r.objects().namespaceDeleting(ctx, s.object.Namespace)
	if err != nil {
		return false, err
	}
	last, accountDeleting := r.Registry.LastSession(s.accountKey())
	switch {
	case last != nil && last.Unverified && namespaceDeleting:
		return r.withUnverified(ctx, s, last)
	case last != nil && !last.Unverified && (namespaceDeleting || accountDeleting):
		s.session = last
		return false, r.resolve(ctx, s)
	case namespaceDeleting:
		return true, nil
	}
	// The deletion of the namespace is reported by its Account, unless that was being deleted
	// already, or does not exist.
	if p := problem.As(waits); p != nil {
		return false, p.WithRetryAfter(problem.BackoffMax)
	}
	return false, waits
}

// withUnverified goes on with a last session whose token may be of another account than the one
// before, and that no scan can verify any more. An import there with the id that is remembered and
// with the externalId that is declared, or the marker, is the very one that was managed. Any other
// answer proves nothing.
func (r *Reconciler) withUnverified(ctx context.Context, s *scope, last *account.Session) (orphaned bool, err error) {
	id := ownership.RemoteID(s.object)
	if id == "" {
		return true, nil
	}
	if ctx, err = s.takePermit(ctx, r, last.Client); err != nil {
		return false, err
	}
	remote, err := last.Client.GetImport(ctx, id)
	if err != nil {
		p := problem.FromAPI(err, "read the import")
		if p != nil && p.Class() == problem.Terminal {
			return true, nil
		}
		return false, problem.Wrap(err, "read the import")
	}
	s.session = last
	unresolved := r.resolve(ctx, s)
	if errors.Is(unresolved, errNotRead) {
		return false, unresolved
	}
	if !s.owner.Marks(s.object, remote.ExternalID) && (unresolved != nil || remote.ExternalID == "" || remote.ExternalID != s.desired.ExternalID()) {
		s.session = nil
		return true, nil
	}
	last.Unverified = false
	return false, unresolved
}

// heir finds the Import that adopts the remote import of one that is being deleted. The cache is
// enough: it shows an heir that was applied before the deletion no later than the deletion.
func (o objects) heir(ctx context.Context, object *v1alpha1.Import) (*v1alpha1.Import, error) {
	id := ownership.RemoteID(object)
	if id == "" {
		return nil, nil
	}
	var adopting v1alpha1.ImportList
	if err := o.List(ctx, &adopting, client.InNamespace(object.Namespace), client.MatchingFields{watch.IndexImportAdopts: id}); err != nil {
		return nil, err
	}
	return ownership.Heir(object, adopting.Items), nil
}

// namespaceDeleting reports whether the namespace is being deleted.
func (o objects) namespaceDeleting(ctx context.Context, name string) (bool, error) {
	var namespace corev1.Namespace
	if err := o.live.Get(ctx, types.NamespacedName{Name: name}, &namespace); err != nil {
		return client.IgnoreNotFound(err) == nil, client.IgnoreNotFound(err)
	}
	return !namespace.DeletionTimestamp.IsZero(), nil
}

// abandon lets the Import go although its remote import stays: otherwise its namespace would never
// end. No event can be recorded in such a namespace.
func (r *Reconciler) abandon(ctx context.Context, s *scope) error {
	if err := r.objects().release(ctx, s); err != nil {
		return err
	}
	metrics.ImportOrphaned(s.accountKey())
	log.FromContext(ctx).Error(nil, "the namespace is being deleted and the Account's token is gone: the import stays on the platform, delete it there",
		"id", ownership.RemoteID(s.object), "externalId", s.owner.Marker(s.object), "account", s.object.Spec.AccountRef.Name)
	return nil
}

// deletionWaits explains what a deletion needs when the account cannot be used.
func deletionWaits(err error) error {
	p := problem.FromAPI(err, "delete the import")
	if p == nil {
		return err
	}
	return p.WithMessage("%s; the remote import is deleted when the Account works again, or left alone if you set spec.deletionPolicy to Orphan", p.Message())
}

// deleteRemote deletes the remote import, unless something uses it.
func (r *Reconciler) deleteRemote(ctx context.Context, s *scope, id string) (integrator.Outcome, error) {
	found, err := s.session.Client.Dependencies(ctx, id)
	if integrator.IsNotFound(err) {
		// It was there a moment ago: the machine reads it once more.
		return integrator.OutcomeApplied, err
	}
	if err != nil {
		return integrator.OutcomeUnknown, s.failed(err, "read what uses the import")
	}
	used := users(found)
	showUsers(s, used, r.Clock.Now())
	if len(used) > 0 {
		return integrator.OutcomeNotApplied, blockedBy(used)
	}
	if !s.callOrPlan(importstate.CallDelete) {
		return integrator.OutcomeNotApplied, s.planned()
	}
	// It cannot be undone: not for a policy that became Orphan meanwhile, or that the cache has not
	// seen yet.
	if _, err := r.objects().readUnchanged(ctx, s); err != nil {
		return integrator.OutcomeNotApplied, err
	}
	err = s.session.Client.DeleteImport(ctx, id)
	outcome := integrator.DeletionOutcomeOf(err)
	if err == nil {
		s.event(normal, v1alpha1.ReasonDeleted, "deleted the import "+id)
	}
	return outcome, deletionFailed(s, outcome, err, r.BlockedDeletionPause)
}

// deletionFailed words why the import was not deleted, or is not known to be. pause is until the next try.
func deletionFailed(s *scope, outcome integrator.Outcome, err error, pause time.Duration) error {
	switch outcome {
	case integrator.OutcomeApplied:
		return err
	case integrator.OutcomeNotApplied:
		err = s.redact(err)
		return problem.Terminalf(v1alpha1.ReasonDeletionBlocked, "the API refuses to delete the import (%d%s): remove it from what uses it, check that the token may delete it, or set spec.deletionPolicy to Orphan",
			integrator.StatusCode(err), problem.Details(integrator.Error(err))).WithCause(err)
	case integrator.OutcomeFailed, integrator.OutcomeUnknown:
	}
	err = s.failed(err, "delete the import")
	if p := problem.As(err); p != nil && p.Class() == problem.Terminal && p.RetryAfter() == 0 {
		return p.WithRetryAfter(pause)
	}
	return err
}

// release removes the finalizer: the object goes.
func (o objects) release(ctx context.Context, s *scope) error {
	return o.patchMetadata(ctx, s, metadataChange{locked: true, dropFinalizer: true})
}
