// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/util/retry"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/drift"
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
// more.

const (
	reasonCreateUnconfirmed = "CreateUnconfirmed"
	reasonAmbiguousCreate   = "AmbiguousCreate"
)

// intent is the value of the create-pending annotation: what the import that is being
// created can be found by, should the answer be lost.
type intent struct {
	ExternalID string    `json:"externalId"`
	Name       string    `json:"name"`
	Time       time.Time `json:"time"`
}

// clockSkew is how far the API's clock may be off ours where a creation time is compared.
const clockSkew = 10 * time.Minute

// locate finds the id of the remote import: remembered, or of a create whose answer was
// lost. found is false when there is none and one may be created.
func (r *ImportReconciler) locate(ctx context.Context, s *importScope) (found bool, err error) {
	if s.id = remoteID(s.object); s.id != "" {
		if !s.observes() && onlyObserved(s.object) {
			return false, nil
		}
		return true, r.remember(ctx, s)
	}
	if s.object.Annotations[v1alpha1.AnnotationCreatePending] == "" {
		return false, nil
	}
	if err := r.reread(ctx, s); err != nil {
		return false, err
	}
	if s.id = remoteID(s.object); s.id != "" {
		return true, nil
	}
	if s.object.Annotations[v1alpha1.AnnotationCreatePending] == "" {
		return false, nil
	}
	return r.recover(ctx, s)
}

// remember puts a finalizer and the id annotation back where they are missing, as after a
// restore that kept only the status.
func (r *ImportReconciler) remember(ctx context.Context, s *importScope) error {
	if s.observes() || s.object.Annotations[v1alpha1.AnnotationID] == s.id && hasFinalizer(s.object) {
		return nil
	}
	return r.patchMetadata(ctx, s, metadataChange{locked: true, finalizer: true, annotations: map[string]any{v1alpha1.AnnotationID: s.id}})
}

// recover looks for the import of a create whose answer was lost.
func (r *ImportReconciler) recover(ctx context.Context, s *importScope) (found bool, err error) {
	pending, readable := r.pendingIntent(s)
	if !readable {
		// Damaged: the grace begins anew.
		name, _ := s.desired.document["name"].(string)
		if err := r.intend(ctx, s, name, nil); err != nil {
			return false, err
		}
		return false, unconfirmed(r.CreateGrace, nil)
	}
	candidates, err := r.candidates(ctx, s, pending)
	if err != nil {
		return false, err
	}
	if rest := pending.Time.Add(r.CreateGrace).Sub(r.Clock.Now()); len(candidates) == 0 && rest > 0 {
		return false, unconfirmed(rest, nil)
	}
	if len(candidates) == 0 {
		// A list is read page by page, and what is deleted meanwhile can shift an import
		// past the reader: not found once is not enough.
		if candidates, err = r.candidates(ctx, s, pending); err != nil {
			return false, err
		}
	}
	return r.take(ctx, s, candidates)
}

// take goes on with what was found: nothing, the one import, or too many.
func (r *ImportReconciler) take(ctx context.Context, s *importScope, candidates []string) (found bool, err error) {
	switch len(candidates) {
	case 0:
		return false, nil
	case 1:
		s.id = candidates[0]
		s.tell(normal, "Recovered", "found the import "+s.id+" that was created for this Import before")
		return true, r.writeDown(ctx, s)
	default:
		p := terminalf(reasonAmbiguousCreate, "the account has %d imports that may be this one: %s; delete all but one of them",
			len(candidates), drift.Cut(strings.Join(candidates, ", "), 300))
		p.after = backoffMax
		return false, p
	}
}

// unconfirmed says that a creation may or may not have happened.
func unconfirmed(after time.Duration, cause error) *problem {
	p := waitingf(reasonCreateUnconfirmed, "the answer to the creation was lost; it is looked for in the account before another is made")
	p.after, p.cause = after, cause
	if status := integrator.StatusCode(cause); status != 0 {
		p.message = fmt.Sprintf("the API answered the creation with %d, which does not tell whether it was made; it is looked for in the account before another is made", status)
	}
	return p
}

// pendingIntent reads the intent. One that is damaged or from the future is not readable.
func (r *ImportReconciler) pendingIntent(s *importScope) (pending intent, readable bool) {
	err := json.Unmarshal([]byte(s.object.Annotations[v1alpha1.AnnotationCreatePending]), &pending)
	return pending, err == nil && pending.ExternalID != "" && !pending.Time.After(r.Clock.Now())
}

// candidates lists the ids of imports that carry our mark or, when the user had declared an
// externalId, that one, the name, and a creation time after the intent. Imports that another
// Import manages are left out.
func (r *ImportReconciler) candidates(ctx context.Context, s *importScope, pending intent) ([]string, error) {
	var ids []string
	for document, err := range s.session.client.ListImports(ctx, integrator.ListOptions{Include: []string{"externalId", "createdAt"}}) {
		if err != nil {
			return nil, err
		}
		if strings.HasPrefix(document.Name, v1alpha1.MarkerPrefix) && document.Name != marker(s.object) {
			// A copy that another Import is just making: its other fields are the original's.
			continue
		}
		ours := document.ExternalID == marker(s.object) || document.Name == marker(s.object) ||
			document.ExternalID == pending.ExternalID && strings.TrimSpace(document.Name) == strings.TrimSpace(pending.Name) && createdSince(document.CreatedAt, pending.Time.Add(-clockSkew))
		if !ours {
			continue
		}
		owner, err := r.ownerOf(ctx, s, document.ID)
		if err != nil {
			return nil, err
		}
		if owner == nil && !slices.Contains(ids, document.ID) {
			ids = append(ids, document.ID)
		}
	}
	return ids, nil
}

// createdSince compares the API's creation time. One that cannot be read counts as since:
// a false candidate stops the create, a missed one would double it.
func createdSince(createdAt string, since time.Time) bool {
	created, err := time.Parse(time.RFC3339, createdAt)
	return err != nil || created.After(since)
}

// ownerOf returns another Import, of any namespace, whose status says that it manages the
// import of this id, or nil. Annotations do not count: anybody may have written them.
func (r *ImportReconciler) ownerOf(ctx context.Context, s *importScope, id string) (*v1alpha1.Import, error) {
	others, err := r.importsWith(ctx, s, id)
	for i := range others {
		if others[i].Status.ID == id && manages(&others[i], id) {
			return &others[i], nil
		}
	}
	return nil, err
}

// importsWith lists the other Imports, of any namespace, that remember or claim this id.
func (r *ImportReconciler) importsWith(ctx context.Context, s *importScope, id string) ([]v1alpha1.Import, error) {
	var imports v1alpha1.ImportList
	if err := r.List(ctx, &imports, client.MatchingFields{indexImportID: id}); err != nil {
		return nil, err
	}
	return slices.DeleteFunc(imports.Items, func(item v1alpha1.Import) bool { return item.UID == s.object.UID }), nil
}

// create makes the remote import.
func (r *ImportReconciler) create(ctx context.Context, s *importScope) error {
	if err := s.doubt(); err != nil {
		return err
	}
	return r.make(ctx, s, nil)
}

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

// make writes the intent down, with other annotations, and makes the remote import.
func (r *ImportReconciler) make(ctx context.Context, s *importScope, annotations map[string]any) error {
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
	if err := r.intend(ctx, s, way.name, annotations); err != nil {
		return err
	}
	if s.gone != "" {
		s.tell(warning, "Vanished", "the import "+s.gone+" was deleted on the platform"+r.culprit(ctx, s, s.gone)+"; it is created again")
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
	created, err := s.session.client.CreateImport(ctx, body)
	s.id, s.remote = created.ID, created
	return err
}

// recreate makes the remote import again after somebody deleted it, unless one with our mark
// is still there under another id, as when the Secret led to another account for a while.
func (r *ImportReconciler) recreate(ctx context.Context, s *importScope) error {
	gone := s.id
	candidates, err := r.candidates(ctx, s, intent{ExternalID: marker(s.object)})
	if err != nil {
		return err
	}
	found, err := r.take(ctx, s, slices.DeleteFunc(candidates, func(id string) bool { return id == gone }))
	if err != nil {
		return err
	}
	if found {
		return r.settleOn(ctx, s)
	}
	if s.observes() {
		s.object.Status.LastModified = ""
		return terminalf(reasonRemoteMissing, "the import %s does not exist any more%s, and managementPolicy is Observe: it is not created again", gone, r.culprit(ctx, s, gone))
	}
	s.gone = gone
	return r.make(ctx, s, map[string]any{v1alpha1.AnnotationID: nil})
}

// settleOn compares with the import that was found in the place of the one that is gone.
func (r *ImportReconciler) settleOn(ctx context.Context, s *importScope) error {
	gone, err := r.observe(ctx, s)
	if err != nil {
		return err
	}
	if gone {
		return unconfirmed(backoffBase, nil)
	}
	return r.correct(ctx, s)
}

// intend writes down that a create, by this name, follows. It fails with a conflict when this pass was
// based on an old version of the object.
func (r *ImportReconciler) intend(ctx context.Context, s *importScope, name string, annotations map[string]any) error {
	externalID, _ := s.desired.document["externalId"].(string)
	value, err := json.Marshal(intent{ExternalID: externalID, Name: name, Time: r.Clock.Now().UTC()})
	if err != nil {
		return err
	}
	change := metadataChange{locked: true, finalizer: true, annotations: map[string]any{v1alpha1.AnnotationCreatePending: string(value)}}
	for name, value := range annotations {
		change.annotations[name] = value
	}
	return r.patchMetadata(ctx, s, change)
}

// post sends the create and takes over what it made. It goes on when the operator is asked
// to stop: an id that was written down needs no recovery. It is given up well within the
// grace, so that no call is still under way when another is made.
func (r *ImportReconciler) post(ctx context.Context, s *importScope, call func(context.Context, *importScope) error) error {
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.CreateGrace/2)
	defer cancel()
	if err := r.accountStays(limited, s); err != nil {
		return r.createFailed(limited, s, err)
	}
	if err := call(limited, s); err != nil {
		return r.createFailed(limited, s, err)
	}
	if err := r.writeDown(limited, s); err != nil {
		return err
	}
	if s.remote.ID != s.id {
		s.tell(normal, "Cloned", "created the import "+s.id+" as a copy")
		return r.settleOn(ctx, s)
	}
	s.tell(normal, "Created", "created the import "+s.id)
	s.saw(s.remote)
	return r.judge(limited, s)
}

// createFailed takes the intent back when the create is known not to have been applied.
// Otherwise it stays, and the next pass looks for what the call may have made.
func (r *ImportReconciler) createFailed(ctx context.Context, s *importScope, cause error) error {
	if knownNotApplied(cause) {
		change := metadataChange{annotations: map[string]any{v1alpha1.AnnotationCreatePending: nil}}
		if err := r.patchMetadata(ctx, s, change); err != nil {
			return err
		}
		return s.failed(cause, "create the import")
	}
	if classify(cause, "create the import") == nil {
		return cause
	}
	return unconfirmed(backoffBase, cause)
}

// knownNotApplied tells that a call changed nothing: not a byte of it was written, or the
// API refused it.
func knownNotApplied(err error) bool {
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

// writeDown keeps the id. It is retried here, because the id is known nowhere else; if
// it fails for good, the next pass finds the import by its mark.
func (r *ImportReconciler) writeDown(ctx context.Context, s *importScope) error {
	change := metadataChange{annotations: map[string]any{v1alpha1.AnnotationID: s.id, v1alpha1.AnnotationCreatePending: nil}}
	err := retry.OnError(retry.DefaultBackoff, func(err error) bool { return !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) },
		func() error { return r.patchMetadata(ctx, s, change) })
	if err != nil {
		return fmt.Errorf("write down the id %s of the created import: %w", s.id, err)
	}
	s.object.Status.ID = s.id
	return nil
}
