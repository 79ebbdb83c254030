// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/integrator"
)

// The create protocol. The API makes the id and names are not unique, so a lost answer
// would leave an import that nobody knows:
//
//  1. intend: one metadata patch, refused if anybody else wrote the object meanwhile,
//     puts down the finalizer and the intent (create-pending);
//  2. post: the body carries the mark k8s/<uid> as externalId, unless the user declares one;
//  3. writeDown: the id goes into the annotation, which survives a restore without status.
//
// A pass that finds an intent without an id lists the account and looks for the mark. It
// creates again only when the mark is nowhere and the first call cannot be under way any
// more (import_recover.go). What is written after the call is bound to its intent: a process
// that stood still for long may find another's there.

// create makes the remote import.
func (r *ImportReconciler) create(ctx context.Context, s *importScope) error {
	if err := s.doubt(); err != nil {
		return err
	}
	if !s.session.scanned && s.object.CreationTimestamp.Time.Before(s.session.since) {
		// An earlier process may have made it, and what tells of that be lost.
		s.session.observed.awaitScan(client.ObjectKeyFromObject(s.object))
		p := waitingf(reasonProgressing, "the account is read once before an import is created: an Import of before the operator's start may have one there")
		// The scan may have ended just before this waited for it.
		p.after = scanPause
		return p
	}
	return r.make(ctx, s)
}

// scanPause is how often an Import looks whether the account was read.
const scanPause = 15 * time.Second

// making is a way to make the remote import: the name that it is made by, and the call.
type making struct {
	name  string
	calls []string
	post  func(context.Context, *importScope) error
}

// way is how the remote import is made: from the definition, or as a copy.
func (r *ImportReconciler) way(ctx context.Context, s *importScope) (making, error) {
	if s.object.Spec.CloneFrom != nil {
		return r.copying(ctx, s)
	}
	name, _ := s.desired.document["name"].(string)
	return making{name: name, calls: []string{callCreate}, post: r.postDocument}, nil
}

// make writes the intent down, and makes the remote import.
func (r *ImportReconciler) make(ctx context.Context, s *importScope) error {
	if s.session.leaving {
		return leavingAccount(s)
	}
	way, err := r.way(ctx, s)
	if err != nil {
		return err
	}
	if !s.permit(way.calls...) {
		return s.planned()
	}
	by := ""
	if s.gone != "" {
		by = r.culprit(ctx, s, s.gone)
	}
	// The time of the call runs from here.
	if err := r.intend(ctx, s, way.name, s.gone); err != nil {
		return err
	}
	if s.gone != "" {
		s.tell(warning, "RemoteDeleted", "the import "+s.gone+" was deleted on the platform"+by+"; it is created again")
		s.forgetRemote()
	}
	return r.post(ctx, s, way.post)
}

// postDocument creates the import from the desired document.
func (r *ImportReconciler) postDocument(ctx context.Context, s *importScope) error {
	body, err := json.Marshal(s.desired.document)
	if err != nil {
		return err
	}
	owned := s.own(nil)
	created, err := s.session.client.CreateImport(ctx, body)
	if knownNotApplied(err) {
		s.object.Status.OwnedFields = owned
	}
	s.id, s.remote = created.ID, created
	return err
}

// intend writes down that a create, by this name, follows, in the place of the import that is
// gone, if there is one. It fails with a conflict when this pass was based on an old version of
// the object.
func (r *ImportReconciler) intend(ctx context.Context, s *importScope, name, gone string) error {
	externalID, _ := s.desired.document["externalId"].(string)
	before, _ := intentOf(s.object, r.Clock.Now())
	value, err := json.Marshal(intent{ExternalID: externalID, Name: name, Time: r.Clock.Now().UTC(), Replaces: cmp.Or(gone, before.Replaces)})
	if err != nil {
		return err
	}
	return r.patchMetadata(ctx, s, metadataChange{locked: true, finalizer: true, annotations: map[string]any{
		v1alpha1.AnnotationCreatePending: string(value), v1alpha1.AnnotationID: nil,
	}})
}

// post sends the create and takes over what it made. It goes on when the operator is asked
// to stop: an id that was written down needs no recovery. It is given up well within the
// intent's grace, so that no call is still under way when another is made.
func (r *ImportReconciler) post(ctx context.Context, s *importScope, call func(context.Context, *importScope) error) error {
	pending, _ := intentOf(s.object, r.Clock.Now())
	kept := context.WithoutCancel(ctx)
	limited, cancel := context.WithTimeout(kept, pending.callUntil(r.CreateUnconfirmedTimeout).Sub(r.Clock.Now()))
	defer cancel()
	err := r.accountStays(limited, s)
	if err == nil {
		err = call(limited, s)
	}
	// What came of it is written down even if the time of the call is over.
	kept, cancel = context.WithTimeout(kept, r.CreateUnconfirmedTimeout/2)
	defer cancel()
	if next := made(fateOf(err)); next != doWriteDown {
		return r.createFailed(kept, s, next, err)
	}
	if err := r.writeDown(kept, s); err != nil {
		return err
	}
	if s.remote.ID != s.id {
		s.tell(normal, "Cloned", "created the import "+s.id+" as a copy")
		return r.settleOn(ctx, s)
	}
	s.tell(normal, "Created", "created the import "+s.id)
	s.saw(s.remote)
	return r.judge(kept, s)
}

// createFailed takes the intent back when the create is known not to have been applied.
// Otherwise it stays, and the next pass looks for what the call may have made.
func (r *ImportReconciler) createFailed(ctx context.Context, s *importScope, next importStep, cause error) error {
	if next == doTakeBack {
		change := metadataChange{annotations: map[string]any{v1alpha1.AnnotationCreatePending: nil}}
		pending, _ := intentOf(s.object, r.Clock.Now())
		if id := takenBack(s.object, pending); id != "" {
			change.annotations[v1alpha1.AnnotationID] = id
		}
		if err := r.patchWhile(ctx, s, change, mayTakeBack); err != nil {
			return err
		}
		return s.failed(cause, "create the import")
	}
	// Should the intent be taken away meanwhile, as by kubectl replace, this has the account searched.
	s.session.observed.noteMark(marker(s.object))
	if classify(cause, "create the import") == nil {
		return cause
	}
	return unconfirmed(backoffBase, cause)
}

// fateOf is what a write to the account did, as far as its error tells.
func fateOf(err error) fate {
	switch {
	case err == nil:
		return fateAnswered
	case knownNotApplied(err):
		return fateRefused
	default:
		return fateUnknown
	}
}

// knownNotApplied tells that a call changed nothing: not a byte of it was written, or the
// API refused it.
func knownNotApplied(err error) bool {
	if err == nil {
		return false
	}
	api, ok := errors.AsType[*integrator.APIError](err)
	if !ok {
		// It never became a request.
		return true
	}
	if !api.Sent {
		return true
	}
	switch api.StatusCode {
	case http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound,
		http.StatusMethodNotAllowed, http.StatusRequestEntityTooLarge,
		http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity, http.StatusTooManyRequests:
		return true
	default:
		return false
	}
}

// writeDown keeps the id, unless another process went on meanwhile. It is retried here, because
// the id is known nowhere else; if it fails for good, the next pass finds the import by its mark.
func (r *ImportReconciler) writeDown(ctx context.Context, s *importScope) error {
	change := metadataChange{
		// It is there, unless all that told of the creation was lost.
		finalizer:   s.object.DeletionTimestamp.IsZero(),
		annotations: map[string]any{v1alpha1.AnnotationID: s.id, v1alpha1.AnnotationCreatePending: nil},
	}
	if err := r.patchWhile(ctx, s, change, mayWriteDown); err != nil {
		return fmt.Errorf("write down the id %s of the created import: %w", s.id, err)
	}
	s.object.Status.ID = s.id
	return nil
}
