// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"cmp"
	"context"
	"net/http"
	"strings"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/drift"
	"github.com/integrator-operator/integrator-operator/internal/integrator"
)

// Adoption takes an import over that is already in the account. Match takes only one that
// agrees with the definition, and writes nothing; Override writes what is declared.

const (
	reasonAdoptionMismatch  = "AdoptionMismatch"
	reasonAdoptionNotFound  = "AdoptionNotFound"
	reasonAdoptionAmbiguous = "AdoptionAmbiguous"
)

func (r *ImportReconciler) adopt(ctx context.Context, s *importScope) (err error) {
	if err := s.doubt(); err != nil {
		return err
	}
	if !s.observes() {
		s.object.Status.Drift = nil
	}
	if s.id, err = r.adoptee(ctx, s); err != nil {
		return err
	}
	// What the scanner knows of by an id that was observed before need not be told again.
	known := s.object.Status.ID == s.id
	s.remote, err = s.session.client.GetImport(ctx, s.id)
	if known && err == nil {
		s.saw(s.remote)
	}
	if integrator.StatusCode(err) == http.StatusNotFound && !unexplained(apiError(err)) {
		if known {
			s.session.observed.look(s.object, s.id, false)
		}
		return notAdoptable(reasonAdoptionNotFound, "the account has no import %s: correct spec.adopt.id", s.id)
	}
	if err != nil {
		return s.failed(err, "read the import to adopt")
	}
	document, err := parseAnswer(s.remote)
	if err != nil {
		return err
	}
	s.settleMark()
	matches := s.object.Spec.Adopt.Mode != v1alpha1.AdoptionModeOverride
	if found := s.compare(document); len(found) > 0 && matches && !s.observes() {
		if err := r.checkFree(ctx, s); err != nil {
			return err
		}
		s.object.Status.Drift = asDifferences(found)
		return notAdoptable(reasonAdoptionMismatch, "the import %s differs from the definition, nothing was written: %s; declare what it has, or adopt it with mode Override",
			s.id, describe(s.object.Status.Drift, len(found)))
	}
	if s.dryRun() && !s.observes() {
		return r.planAdoption(ctx, s, s.compare(document))
	}
	if err := r.takeOver(ctx, s); err != nil {
		return err
	}
	r.refreshUsers(ctx, s)
	if matches && !s.observes() {
		s.converged(s.remote)
		return r.debug(ctx, s)
	}
	return r.correct(ctx, s)
}

// planAdoption shows what Override would write.
func (r *ImportReconciler) planAdoption(ctx context.Context, s *importScope, found []drift.Difference) error {
	if err := r.checkFree(ctx, s); err != nil {
		return err
	}
	s.calls = callsFor(found, nil, s.declaresWriteOnly() && s.object.Spec.Adopt.Mode == v1alpha1.AdoptionModeOverride)
	s.differences = asDifferences(found)
	return s.planned()
}

// names tells that spec.adopt names the import that was read.
func (s *importScope) names() bool {
	adopt := s.object.Spec.Adopt
	return adopt != nil && (strings.EqualFold(string(adopt.ID), s.id) || adopt.ExternalID != "" && adopt.ExternalID == s.remote.ExternalID)
}

// notAdoptable is a problem that a change on the platform can end, of which nothing tells.
func notAdoptable(reason, format string, args ...any) error {
	p := terminalf(reason, format, args...)
	p.after = backoffMax
	return p
}

// adoptee is the id of the import that spec.adopt names.
func (r *ImportReconciler) adoptee(ctx context.Context, s *importScope) (string, error) {
	adopt := s.object.Spec.Adopt
	if adopt.ID != "" {
		return strings.ToLower(string(adopt.ID)), nil
	}
	var ids []string
	for document, err := range s.session.client.ListImports(ctx, integrator.ListOptions{Include: []string{"externalId"}}) {
		if err != nil {
			return "", err
		}
		if document.ExternalID == adopt.ExternalID {
			ids = append(ids, document.ID)
		}
	}
	switch len(ids) {
	case 0:
		return "", notAdoptable(reasonAdoptionNotFound, "the account has no import with externalId %q: correct spec.adopt.externalId", drift.Cut(adopt.ExternalID, 100))
	case 1:
		return ids[0], nil
	default:
		return "", notAdoptable(reasonAdoptionAmbiguous, "the account has %d imports with externalId %q: %s; name one by spec.adopt.id",
			len(ids), drift.Cut(adopt.ExternalID, 100), drift.Cut(strings.Join(ids, ", "), 300))
	}
}

// takeOver writes the id down, unless the import is somebody else's.
func (r *ImportReconciler) takeOver(ctx context.Context, s *importScope) error {
	if s.observes() {
		s.object.Status.ID = s.id
		s.session.observed.note(s.id, s.remote.LastModified)
		return nil
	}
	if s.session.leaving {
		return leavingAccount(s)
	}
	if err := r.checkFree(ctx, s); err != nil {
		return err
	}
	if err := r.claim(ctx, s); err != nil {
		return err
	}
	change := metadataChange{locked: true, finalizer: true, annotations: map[string]any{
		v1alpha1.AnnotationID: s.id, v1alpha1.AnnotationAdoptPending: nil,
	}}
	if err := r.patchMetadata(ctx, s, change); err != nil {
		return err
	}
	if err := r.accountStays(ctx, s); err != nil {
		// The Account may be gone before it has seen the finalizer: see hold.
		undo := metadataChange{locked: true, dropFinalizer: true, annotations: map[string]any{v1alpha1.AnnotationID: nil}}
		return cmp.Or(r.patchMetadata(ctx, s, undo), err)
	}
	s.object.Status.ID = s.id
	s.session.observed.note(s.id, s.remote.LastModified)
	s.tell(normal, "Adopted", "took over the import "+s.id)
	return nil
}

// checkFree refuses an import that is another's: of an integration app, of another cluster,
// or of another Import here, be it that its annotation only names it.
func (r *ImportReconciler) checkFree(ctx context.Context, s *importScope) error {
	mark := s.remote.ExternalID
	switch {
	case s.remote.ConnectorID != "":
		return terminalf(reasonOwnedByIntegrationApp, "the import %s belongs to an integration app, which updates it: it is not managed", s.id)
	case strings.HasPrefix(mark, v1alpha1.MarkerPrefix) && mark != marker(s.object) && !s.takesOver():
		return notAdoptable(reasonOwnershipConflict, "the import %s carries the mark of another Import (externalId %s): let it go there, or adopt it with mode Override", s.id, drift.Cut(mark, 64))
	}
	others, err := r.importsWith(ctx, s, s.id)
	if err != nil {
		return err
	}
	for i := range others {
		if manages(&others[i], s.id) {
			return s.contested(&others[i])
		}
	}
	return nil
}

// takesOver tells that the import may carry another's mark: Override was declared for it, and
// nothing has been applied to it yet. A deletion never takes over.
func (s *importScope) takesOver() bool {
	adopt := s.object.Spec.Adopt
	return adopt != nil && adopt.Mode == v1alpha1.AdoptionModeOverride && s.names() &&
		s.object.DeletionTimestamp.IsZero() && s.desired != nil && s.specChanged() && len(s.object.Status.OwnedFields) == 0
}

// settleMark decides whether an adopted import has to carry our mark. An externalId of its
// own stays; where it has none, Match does not ask for a write because of the mark alone.
func (s *importScope) settleMark() {
	adopt, mark := s.object.Spec.Adopt, s.remote.ExternalID
	if adopt == nil || !s.desired.marked || mark == marker(s.object) {
		return
	}
	marked := strings.HasPrefix(mark, v1alpha1.MarkerPrefix)
	if mark != "" && !marked || s.observes() || mark == "" && adopt.Mode != v1alpha1.AdoptionModeOverride {
		s.lazyMark = mark == ""
		s.desired.unmark()
	}
}
