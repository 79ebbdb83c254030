// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/integrator"
)

const reasonDeletionBlocked = "DeletionBlocked"

// DefaultBlockedPause is how long a deletion waits before it asks again whether the import
// is still in use. Nothing on the platform tells when a flow lets go.
const DefaultBlockedPause = 30 * time.Second

// delete lets the Import go: at once when the remote import stays (Orphan) or never came
// to be, otherwise when the API has deleted it.
func (r *ImportReconciler) delete(ctx context.Context, s *importScope) error {
	switch r.known(s).letGo() {
	case doNothing:
		return nil
	case doRelease:
		return r.release(ctx, s)
	case doHold:
		return waitingf(reasonSuspended, "spec.suspend is true: the import is not deleted; set it to false, or deletionPolicy to Orphan")
	}
	err := r.resolve(ctx, s)
	if s.session == nil {
		var lost bool
		if lost, err = r.withoutAccount(ctx, s, err); lost {
			return r.abandon(ctx, s)
		}
	}
	next, err := r.locateForDeletion(ctx, s, err)
	if err != nil {
		return err
	}
	if next == doLook {
		err = r.deleteRemote(ctx, s)
	} else {
		err = s.doubt()
	}
	if err != nil {
		return err
	}
	return r.release(ctx, s)
}

// locateForDeletion finds the remote import as locate does. A definition that cannot be
// resolved any more (unresolved) does not stand in the way when the id is known, or when it
// is known what to look for.
func (r *ImportReconciler) locateForDeletion(ctx context.Context, s *importScope, unresolved error) (importStep, error) {
	if s.session == nil {
		return doNothing, unresolved
	}
	if _, readable := intentOf(s.object, r.Clock.Now()); unresolved != nil && remoteID(s.object) == "" && !readable {
		return doNothing, unresolved
	}
	return r.locate(ctx, s)
}

// withoutAccount looks for a way to delete when the Account cannot be used, because of cause.
// With the Secret gone, the token that worked until then may end what is ending anyway: an
// Account or a namespace that is being deleted. Otherwise the user may be revoking it. lost
// tells that there never will be a way: nothing can be made in a namespace that ends.
func (r *ImportReconciler) withoutAccount(ctx context.Context, s *importScope, cause error) (lost bool, err error) {
	waits := s.deletionWaits(cause)
	p := classify(cause, "delete the import")
	noAccount := p != nil && p.reason == reasonAccountNotFound
	if !noAccount && !errors.Is(cause, errSecretGone) && !errors.Is(cause, errTokenRevoked) {
		return false, waits
	}
	ends, err := r.namespaceEnds(ctx, s.object.Namespace)
	if err != nil {
		return false, err
	}
	last, leaving := r.Accounts.lastSession(s.accountKey())
	switch {
	case last != nil && last.doubted && ends:
		return r.withDoubted(ctx, s, last)
	case last != nil && !last.doubted && (ends || leaving):
		s.session = last
		return false, r.resolve(ctx, s)
	case ends:
		return true, nil
	default:
		// That the namespace begins to end is told by its Account, unless that was leaving
		// already, or is not there.
		p := classify(waits, "")
		p.after = backoffMax
		return false, p
	}
}

// withDoubted goes on with a last session whose token may be of another account than the one
// before, and that no scan can prove any more. An import there with the id that is remembered
// and with the externalId that is declared, or our mark, is the very one that was managed.
// Whatever else the API has to say proves nothing.
func (r *ImportReconciler) withDoubted(ctx context.Context, s *importScope, last *session) (lost bool, err error) {
	id := remoteID(s.object)
	if id == "" {
		return true, nil
	}
	remote, err := last.client.GetImport(ctx, id)
	switch p := classify(err, "read the import"); {
	case p != nil && p.class == terminal:
		return true, nil
	case err != nil:
		return false, asError(p, err)
	}
	s.session = last
	unresolved := r.resolve(ctx, s)
	if remote.ExternalID != marker(s.object) && (unresolved != nil || remote.ExternalID != s.desired.document["externalId"]) {
		s.session = nil
		return true, nil
	}
	last.doubted = false
	return false, unresolved
}

func (s *importScope) accountKey() types.NamespacedName {
	return types.NamespacedName{Namespace: s.object.Namespace, Name: s.object.Spec.AccountRef.Name}
}

// +kubebuilder:rbac:groups="",resources=namespaces,verbs=get

// namespaceEnds tells that the namespace is being deleted.
func (r *ImportReconciler) namespaceEnds(ctx context.Context, name string) (bool, error) {
	var namespace corev1.Namespace
	if err := r.Live.Get(ctx, types.NamespacedName{Name: name}, &namespace); err != nil {
		return client.IgnoreNotFound(err) == nil, client.IgnoreNotFound(err)
	}
	return !namespace.DeletionTimestamp.IsZero(), nil
}

// abandon lets the Import go although its remote import stays: without that, its namespace
// would never end. There is no place for an event in such a namespace.
func (r *ImportReconciler) abandon(ctx context.Context, s *importScope) error {
	if err := r.release(ctx, s); err != nil {
		return err
	}
	importsOrphaned.WithLabelValues(s.accountKey().String()).Inc()
	log.FromContext(ctx).Error(nil, "the namespace is being deleted and the Account's token is gone: the import stays on the platform, delete it there",
		"id", remoteID(s.object), "externalId", marker(s.object), "account", s.object.Spec.AccountRef.Name)
	return nil
}

// deletionWaits explains what a deletion needs when the account cannot be used.
func (s *importScope) deletionWaits(err error) error {
	p := classify(err, "delete the import")
	if p == nil {
		return err
	}
	blocked := *p
	blocked.message = fmt.Sprintf("%s; the remote import is deleted when the Account works again, or left alone if you set spec.deletionPolicy to Orphan", p.message)
	return &blocked
}

// deleteRemote deletes the remote import, unless something uses it.
func (r *ImportReconciler) deleteRemote(ctx context.Context, s *importScope) error {
	gone, err := r.observe(ctx, s)
	if err != nil {
		return err
	}
	if gone {
		return r.vanished(ctx, s)
	}
	owner, err := r.sharer(ctx, s)
	if err != nil {
		return err
	}
	if owner != nil {
		return r.blocked(terminalf(reasonOwnershipConflict, "the import %s is managed by Import %s in namespace %s too: it is not deleted; set spec.deletionPolicy to Orphan in one of them",
			s.id, owner.Name, owner.Namespace))
	}
	found, err := s.session.client.Dependencies(ctx, s.id)
	if integrator.StatusCode(err) == http.StatusNotFound {
		return r.confirmGone(ctx, s)
	}
	if err != nil {
		return s.failed(err, "read what uses the import")
	}
	used := users(found)
	r.showUsers(s, used)
	if len(used) > 0 {
		return r.blocked(blockedBy(used))
	}
	if !s.permit(callDelete) {
		return s.planned()
	}
	// It cannot be taken back: not for a policy that became Orphan while this looked around, or
	// that the cache has not seen yet.
	if _, err := r.unchanged(ctx, s); err != nil {
		return err
	}
	err = s.session.client.DeleteImport(ctx, s.id)
	switch deleted(fateOfDeletion(err)) {
	case doHold:
		return r.blocked(refusedDeletion(s.discreet(err)))
	case doAwait:
		err = s.failed(err, "delete the import")
		if p := classify(err, ""); p != nil && p.class == terminal && p.after == 0 {
			return r.blocked(p)
		}
		return err
	}
	if err != nil {
		return r.confirmGone(ctx, s)
	}
	s.tell(normal, "Deleted", "deleted the import "+s.id)
	return nil
}

// confirmGone reads the import again after a 404 for what was there a moment ago: somebody has
// deleted it, or the 404 is a gateway's, or that of the one route.
func (r *ImportReconciler) confirmGone(ctx context.Context, s *importScope) error {
	gone, err := r.observe(ctx, s)
	if err != nil {
		return err
	}
	if gone {
		return r.vanished(ctx, s)
	}
	return r.blocked(terminalf(reasonDeletionBlocked, "the API answers 404 for the deletion of the import %s, or for what uses it, and has the import: it is tried again", s.id))
}

// vanished makes sure that the import is gone of which the API said so: the account's list has to
// have neither it nor another with our mark. With the object goes all that knows of them.
func (r *ImportReconciler) vanished(ctx context.Context, s *importScope) error {
	next, err := r.replace(ctx, s, intent{ExternalID: marker(s.object)})
	if err != nil || next != doTake {
		return err
	}
	return r.deleteRemote(ctx, s)
}

// sharer returns another Import that manages the import too, where nothing on the platform says
// that it is this one's alone.
func (r *ImportReconciler) sharer(ctx context.Context, s *importScope) (*v1alpha1.Import, error) {
	if s.remote.ExternalID == marker(s.object) {
		return nil, nil
	}
	return r.ownerOf(ctx, s, s.id)
}

// fateOfDeletion is what a deletion did: what is not there any more was deleted, by whomever.
func fateOfDeletion(err error) fate {
	if unexplained(apiError(err)) {
		return fateUnknown
	}
	switch integrator.StatusCode(err) {
	case http.StatusNotFound:
		return fateAnswered
	case http.StatusForbidden, http.StatusConflict, http.StatusUnprocessableEntity:
		return fateRefused
	}
	if err != nil {
		return fateUnknown
	}
	return fateAnswered
}

// refusedDeletion repeats why the API does not delete the import.
func refusedDeletion(err error) *problem {
	api, _ := errors.AsType[*integrator.APIError](err)
	p := terminalf(reasonDeletionBlocked, "the API refuses to delete the import (%d%s): take it out of what uses it, see that the token may delete it, or set spec.deletionPolicy to Orphan",
		api.StatusCode, saying(api))
	p.cause = err
	return p
}

// blocked has a deletion that stands still looked at again.
func (r *ImportReconciler) blocked(p *problem) error {
	p.after = r.BlockedPause
	return p
}

// release takes the finalizer off: the object goes.
func (r *ImportReconciler) release(ctx context.Context, s *importScope) error {
	return r.patchMetadata(ctx, s, metadataChange{locked: true, dropFinalizer: true})
}
