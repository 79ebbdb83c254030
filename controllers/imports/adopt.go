// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package imports

import (
	"context"
	"strings"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/account"
	"github.com/integrator-operator/integrator-operator/internal/definition"
	"github.com/integrator-operator/integrator-operator/internal/drift"
	"github.com/integrator-operator/integrator-operator/internal/importstate"
	"github.com/integrator-operator/integrator-operator/internal/integrator"
	"github.com/integrator-operator/integrator-operator/internal/ownership"
	"github.com/integrator-operator/integrator-operator/internal/problem"
)

// Adoption takes over an import that exists in the account. Match takes over only one that agrees
// with the definition, and writes nothing; Override writes what is declared.

func (r *Reconciler) adopt(ctx context.Context, s *scope) (err error) {
	if err := s.session.RequireVerified(); err != nil {
		return err
	}
	observes := ownership.Observes(s.object)
	if !observes {
		s.object.Status.Drift = nil
	}
	id, err := importToAdopt(ctx, s)
	if err != nil {
		return err
	}
	if err := readToAdopt(ctx, s, id); err != nil {
		return err
	}
	c, err := s.compare(ctx, r.Registry)
	if err != nil {
		return err
	}
	// What was managed before it was observed is brought back to what is declared.
	matches := s.object.Spec.Adopt.Mode != v1alpha1.AdoptionModeOverride && !ownership.HasMetadata(s.object, id)
	switch {
	case observes:
	case c.Total > 0 && matches:
		return leaveAlone(ctx, r, s, c, notAdoptable(v1alpha1.ReasonAdoptionMismatch, "the import %s differs from the definition, nothing was written: %s; declare what it has, or delete this Import, which leaves the import alone, and create it again with mode Override",
			id, definition.Describe(c.Shown, c.Total)))
	case !matches && c.Refused(s.object) != nil:
		// Taken over, it would stay as it is, and be deleted together with the Import.
		return leaveAlone(ctx, r, s, c, c.Refused(s.object).WithRetryAfter(problem.BackoffMax))
	case s.dryRun():
		return r.planAdoption(ctx, s, c)
	}
	if err := r.takeOver(ctx, s); err != nil {
		endLook(s)
		return err
	}
	r.look(ctx, s)
	if matches && !observes {
		s.converged()
		return r.debug(ctx, s)
	}
	return r.correct(ctx, s)
}

// readToAdopt reads the import to adopt into the scope.
func readToAdopt(ctx context.Context, s *scope, id string) error {
	answer, err := s.session.Client.GetImport(ctx, id)
	// For the scanner an import that was observed before is read like any other.
	observedBefore := s.object.Status.ID == id
	if integrator.IsNotFound(err) && !integrator.Error(err).Unexplained() {
		if observedBefore {
			s.session.Observations.RecordRead(s.object, id, false)
		}
		return notAdoptable(v1alpha1.ReasonAdoptionNotFound, "the account has no import %s: delete this Import and create it again with another spec.adopt", id)
	}
	if err != nil {
		return s.failed(err, "read the import to adopt")
	}
	if s.remote = answer; observedBefore {
		s.recordRemote(answer)
	}
	return nil
}

// leaveAlone shows how an import differs that is not taken over because of a problem.
func leaveAlone(ctx context.Context, r *Reconciler, s *scope, c importstate.Comparison, why error) error {
	if err := r.objects().requireOwnership(ctx, s, ownership.UseAdopt); err != nil {
		return err
	}
	s.object.Status.Drift = c.Shown
	if r.looks.wanted(s) {
		r.look(ctx, s)
	}
	return why
}

// planAdoption shows what Override would write.
func (r *Reconciler) planAdoption(ctx context.Context, s *scope, c importstate.Comparison) error {
	if err := r.objects().requireOwnership(ctx, s, ownership.UseAdopt); err != nil {
		return err
	}
	if s.object.Spec.Adopt.Mode == v1alpha1.AdoptionModeOverride {
		s.calls = c.Calls
	}
	s.differences = c.Shown
	if r.looks.wanted(s) {
		r.look(ctx, s)
	}
	return s.planned()
}

// notAdoptable is a problem that a change on the platform can end, without an event.
func notAdoptable(reason, format string, args ...any) error {
	return problem.Terminalf(reason, format, args...).WithRetryAfter(problem.BackoffMax)
}

// importToAdopt is the id of the import that spec.adopt names.
func importToAdopt(ctx context.Context, s *scope) (string, error) {
	adopt := s.object.Spec.Adopt
	if adopt.ID != "" {
		return strings.ToLower(string(adopt.ID)), nil
	}
	var ids []string
	for document, err := range s.session.Client.ListImports(ctx, integrator.ListOptions{Include: []string{"externalId"}}) {
		if err != nil {
			return "", err
		}
		if document.ExternalID == adopt.ExternalID {
			ids = append(ids, document.ID)
		}
	}
	switch len(ids) {
	case 0:
		return "", notAdoptable(v1alpha1.ReasonAdoptionNotFound, "the account has no import with externalId %q: delete this Import and create it again with another spec.adopt", drift.Cut(adopt.ExternalID, 100))
	case 1:
		return ids[0], nil
	default:
		return "", notAdoptable(v1alpha1.ReasonAdoptionAmbiguous, "the account has %d imports with externalId %q: %s; delete this Import and create it again with one of them in spec.adopt.id",
			len(ids), drift.Cut(adopt.ExternalID, 100), drift.Cut(strings.Join(ids, ", "), 300))
	}
}

// observeAnother goes on with the import that has the externalId to observe by now. No event says
// that it was created again on the platform.
func (r *Reconciler) observeAnother(ctx context.Context, s *scope, pass importstate.Pass) error {
	s.object.Status.LastModified = ""
	missing := problem.Terminalf(v1alpha1.ReasonRemoteDeleted, "the import %s was deleted on the platform%s, and managementPolicy is Observe: it is not created again",
		pass.Deleted, lastChangedBy(ctx, s, pass.Deleted))
	if adopt := s.object.Spec.Adopt; adopt == nil || adopt.ID != "" || !ownership.OnlyObserved(s.object) {
		return missing
	}
	missing = missing.WithRetryAfter(problem.BackoffMax)
	id, err := importToAdopt(ctx, s)
	if problem.HasReason(err, v1alpha1.ReasonAdoptionNotFound) || id == pass.Deleted {
		return missing
	}
	if err != nil {
		return err
	}
	s.object.Status.ID = id
	found, err := effects{r, s}.Read(ctx, importstate.Pass{ID: id})
	if err != nil {
		return err
	}
	if !found {
		return importstate.Unconfirmed(problem.BackoffBase, nil)
	}
	return r.correct(ctx, s)
}

// takeOver makes the steps of the adoption protocol, unless the import is somebody else's.
func (r *Reconciler) takeOver(ctx context.Context, s *scope) error {
	if ownership.Observes(s.object) {
		s.object.Status.ID, s.object.Status.Management = s.remote.ID, v1alpha1.ManagementStateObserved
		s.session.Observations.Note(s.remote.ID, s.remote.LastModified)
		return nil
	}
	if s.session.Deleting {
		return account.BeingDeleted(s.object.Spec.AccountRef.Name)
	}
	if err := r.objects().requireOwnership(ctx, s, ownership.UseAdopt); err != nil {
		return err
	}
	machine := importstate.NewAdoption()
	adoption, err := machine.Start(importstate.Adoption{Contest: ownership.Contest{Object: s.object, Remote: s.remote, Now: r.Clock.Now()}}), error(nil)
	for err == nil && adoption.Step != importstate.AdoptionDone {
		adoption, err = machine.Advance(ctx, adoption, effects{r, s})
	}
	if wait := r.withdrawals.wait(s.object, r.Clock.Now()); wait > 0 && problem.As(err) != nil {
		// The rival may have let go before the cache saw it: no event says so.
		return problem.As(err).WithRetryAfter(wait)
	}
	return err
}
