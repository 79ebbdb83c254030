// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/drift"
	"github.com/integrator-operator/integrator-operator/internal/integrator"
)

const (
	reasonOwnedElsewhere        = "OwnedElsewhere"
	reasonOwnedByIntegrationApp = "OwnedByIntegrationApp"
	reasonNotAccepted           = "NotAccepted"
	reasonAccountChanged        = "AccountChanged"
)

// observe reads the remote import. gone tells that the API confirms by 404 that it does
// not exist.
func (r *ImportReconciler) observe(ctx context.Context, s *importScope) (gone bool, err error) {
	s.remote, err = s.session.client.GetImport(ctx, s.id)
	if integrator.StatusCode(err) == http.StatusNotFound {
		return true, s.doubt()
	}
	if err != nil {
		return false, asError(classify(err, "read the import"), err)
	}
	s.session.observed.note(s.id, s.remote.LastModified)
	// Whatever comes of it, this version has been looked at: the scanner need not tell again.
	s.object.Status.LastModified = drift.Cut(s.remote.LastModified, 64)
	switch {
	case s.ownedElsewhere():
		return false, terminalf(reasonOwnedElsewhere, "the import %s carries the mark of an Import elsewhere (externalId %s): to have one of its own made, delete this Import with deletionPolicy Orphan and create it again without the annotation %s",
			s.id, drift.Cut(s.remote.ExternalID, 64), v1alpha1.AnnotationID)
	case s.remote.ConnectorID != "":
		return false, terminalf(reasonOwnedByIntegrationApp, "the import %s belongs to an integration app, which updates it: it is not managed", s.id)
	}
	return false, nil
}

// doubt refuses to take a missing import for a deleted one where the token may be of
// another account: there, all would be missing.
func (s *importScope) doubt() error {
	if !s.session.doubted {
		return nil
	}
	return terminalf(reasonAccountChanged, "the import %s is not found, and the token is of another user than before: put a token of the same account into the Secret, or, to let it go, delete this Import with deletionPolicy Orphan", s.id)
}

// correct compares, and writes when something differs and the write is wanted.
func (r *ImportReconciler) correct(ctx context.Context, s *importScope) error {
	remote, err := drift.Parse(s.remote.Raw)
	if err != nil {
		return &problem{class: transient, reason: reasonUnexpectedAnswer, message: "the API's import document is " + err.Error()}
	}
	status := &s.object.Status
	found := s.compare(remote)
	released := drift.Remaining(drift.Released(status.OwnedFields, s.desired.document), remote)
	specChanged := status.DesiredHash != s.desired.hash
	write := len(found) > 0 || len(released) > 0 || specChanged && s.declaresWriteOnly()
	shown := asDifferences(found)

	switch {
	case !write:
		s.converged(s.remote)
		return nil
	case !specChanged && refused(status, shown, len(released)):
		// The API did not take these before, and nothing changed since.
		s.converged(s.remote)
		return notAccepted(shown, len(found))
	case !specChanged:
		r.tellDrift(s, shown, len(found))
		if s.object.Spec.DriftPolicy == v1alpha1.DriftPolicyReport {
			s.converged(s.remote)
			status.Drift = shown
			return nil
		}
	}
	if err := r.put(ctx, s, remote); err != nil {
		return err
	}
	if !specChanged {
		s.tell(normal, "DriftCorrected", "put back what is declared: "+describe(shown, len(found)))
	} else {
		s.tell(normal, "Updated", "updated the import "+s.id)
	}
	return s.judge(s.remote)
}

// ownedElsewhere tells whether the remote import carries the mark of an Import that is not
// this one.
func (s *importScope) ownedElsewhere() bool {
	return strings.HasPrefix(s.remote.ExternalID, v1alpha1.MarkerPrefix) && s.remote.ExternalID != marker(s.object)
}

// compare lists what differs between the desired document and a remote one.
func (s *importScope) compare(remote map[string]any) []drift.Difference {
	ignore := append(slices.Clone(writeOnly), s.object.Spec.IgnoreDifferences...)
	return drift.Compare(s.desired.document, remote, ignore)
}

func (s *importScope) declaresWriteOnly() bool {
	for _, path := range writeOnly {
		if _, ok := s.desired.document[path[1:]]; ok {
			return true
		}
	}
	return false
}

// refused tells that exactly these differences were in the API's own answer to the last
// write.
func refused(status *v1alpha1.ImportStatus, found []v1alpha1.Difference, released int) bool {
	if released > 0 || len(found) == 0 || len(found) != len(status.NotAccepted) {
		return false
	}
	for i := range found {
		if found[i] != status.NotAccepted[i] {
			return false
		}
	}
	return true
}

// tellDrift records a drift once: not again while the same one is reported.
func (r *ImportReconciler) tellDrift(s *importScope, shown []v1alpha1.Difference, total int) {
	if len(shown) == 0 || refused(&v1alpha1.ImportStatus{NotAccepted: s.object.Status.Drift}, shown, 0) {
		return
	}
	driftFound.WithLabelValues(s.session.key.String()).Inc()
	s.tell(warning, "DriftDetected", "the remote import was changed: "+describe(shown, total))
}

// put writes the remote document with the declared values laid over it, so that fields
// which nobody declared survive the API's full replacement.
func (r *ImportReconciler) put(ctx context.Context, s *importScope, remote map[string]any) error {
	merged := drift.Merge(s.object.Status.OwnedFields, s.desired.document, remote, s.object.Spec.IgnoreDifferences)
	dropEchoes(merged, s.desired.document)
	for _, field := range serverOwned {
		delete(merged, field)
	}
	body, err := json.Marshal(merged)
	if err != nil {
		return fmt.Errorf("encode the import: %w", err)
	}
	answer, err := s.session.client.PutImport(ctx, s.id, body)
	if err != nil {
		return asError(classify(err, "update the import"), err)
	}
	s.remote = answer
	s.session.observed.note(s.id, answer.LastModified)
	return nil
}

// judge compares what is declared with the API's own answer to a write. What it dropped or
// changed there it would drop or change again: a person has to look, and the same write is
// not repeated.
func (s *importScope) judge(answer integrator.Import) error {
	document, err := drift.Parse(answer.Raw)
	if err != nil {
		return &problem{class: transient, reason: reasonUnexpectedAnswer, message: "the API's import document is " + err.Error()}
	}
	s.converged(answer)
	found := s.compare(document)
	if len(found) == 0 {
		return nil
	}
	shown := asDifferences(found)
	s.object.Status.NotAccepted = shown
	return notAccepted(shown, len(found))
}

func notAccepted(shown []v1alpha1.Difference, total int) error {
	return terminalf(reasonNotAccepted, "the API did not take what is declared: %s; declare what it answers, or list the path in spec.ignoreDifferences", describe(shown, total))
}
