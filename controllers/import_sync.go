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
	reasonOwnershipConflict        = "OwnershipConflict"
	reasonOwnedByIntegrationApp = "OwnedByIntegrationApp"
	reasonNotAccepted           = "NotAccepted"
	reasonAccountChanged        = "AccountChanged"
)

// observe reads the remote import. gone tells that the API confirms by 404 that it does
// not exist.
func (r *ImportReconciler) observe(ctx context.Context, s *importScope) (gone bool, err error) {
	answer, err := s.session.client.GetImport(ctx, s.id)
	if integrator.StatusCode(err) == http.StatusNotFound {
		return r.missing(ctx, s)
	}
	if err != nil {
		return false, s.failed(err, "read the import")
	}
	s.saw(answer)
	return false, r.checkOwner(ctx, s)
}

// saw keeps what the API answered. Whatever comes of it, this version has been looked at: the
// scanner need not tell again.
func (s *importScope) saw(answer integrator.Import) {
	s.remote = answer
	s.session.observed.note(s.id, answer.LastModified)
	s.session.observed.noteMark(answer.ExternalID)
	s.session.observed.look(s.object, s.id, true)
	s.object.Status.LastModified = drift.Cut(answer.LastModified, 64)
}

// missing tells whether an import that the API does not have is gone, or another is to be looked
// at instead.
func (r *ImportReconciler) missing(ctx context.Context, s *importScope) (gone bool, err error) {
	if other := elsewhere(s.object, s.id); other != "" {
		s.id = other
		if err := r.remember(ctx, s); err != nil {
			return false, err
		}
		return r.observe(ctx, s)
	}
	s.session.observed.look(s.object, s.id, false)
	return true, s.doubt()
}

// checkOwner refuses an import that is not this Import's to manage.
func (r *ImportReconciler) checkOwner(ctx context.Context, s *importScope) error {
	if s.observes() {
		return nil
	}
	if s.remote.ConnectorID != "" {
		return terminalf(reasonOwnedByIntegrationApp, "the import %s belongs to an integration app, which updates it: it is not managed", s.id)
	}
	const wayOut = "to have one of its own made, delete this Import with deletionPolicy Orphan and create it again without the annotation " + v1alpha1.AnnotationID + ", or to take it over, set spec.adopt with mode Override"
	mark := s.remote.ExternalID
	if s.rawCopy() {
		return nil
	}
	if strings.HasPrefix(mark, v1alpha1.MarkerPrefix) && mark != marker(s.object) && s.takesOver() {
		return r.checkFree(ctx, s)
	}
	if strings.HasPrefix(mark, v1alpha1.MarkerPrefix) && mark != marker(s.object) {
		return terminalf(reasonOwnershipConflict, "the import %s carries the mark of another Import (externalId %s): %s", s.id, drift.Cut(mark, 64), wayOut)
	}
	changed := s.desired != nil && s.specChanged()
	if mark == marker(s.object) || s.object.Status.ID == s.id && !changed {
		return nil
	}
	// The id comes from the annotation alone, which anybody can copy.
	owner, err := r.ownerOf(ctx, s, s.id)
	switch {
	case err != nil:
		return err
	case owner != nil:
		return terminalf(reasonOwnershipConflict, "the import %s is managed by Import %s in namespace %s: %s", s.id, owner.Name, owner.Namespace, wayOut)
	case s.object.Status.ID == s.id || s.names():
		// It was ours before, or it is to be.
	case s.desired == nil || mark == "" || mark != s.desired.document["externalId"]:
		return terminalf(reasonOwnershipConflict, "the import %s was not made by this Import: %s", s.id, wayOut)
	}
	return nil
}

// doubt refuses to take a missing import for a deleted one, and to create, where the token
// may be of another account: there, all would be missing.
func (s *importScope) doubt() error {
	switch {
	case !s.session.doubted:
		return nil
	case !s.session.scanned:
		return waitingf(reasonAccountNotReady, "the Account has a new token: its first scan tells whether it is of the same account")
	default:
		return terminalf(reasonAccountChanged, "the Account has a new token, and none of the imports that it manages is to be found with it: put a token of the same account into the Secret, or delete this Import with deletionPolicy Orphan to let its import go")
	}
}

// correct compares, and writes when something differs and the write is wanted.
func (r *ImportReconciler) correct(ctx context.Context, s *importScope) error {
	remote, err := parseAnswer(s.remote)
	if err != nil {
		return err
	}
	s.settleMark()
	status := &s.object.Status
	found := s.compare(remote)
	released := drift.Released(status.OwnedFields, s.desired.document, remote, s.object.Spec.IgnoreDifferences)
	if s.desired.marked {
		// The mark was ours; what stands there now is not.
		released = slices.DeleteFunc(released, func(path string) bool { return path == "/externalId" })
	}
	declaredChanged := s.changed(found, released)
	calls := callsFor(found, released, s.rewrites())
	shown, digest := asDifferences(found), s.digestOf(found)

	switch {
	case s.observes():
		r.report(ctx, s, shown, digest, len(found))
		return nil
	case len(calls) == 0:
		s.converged(s.remote)
		return r.debug(ctx, s)
	case !declaredChanged && len(released) == 0 && len(status.NotAccepted) > 0 && status.DifferencesHash == digest:
		// The API did not take these before, and nothing changed since.
		s.converged(s.remote)
		return r.notTaken(ctx, s, shown, digest, len(found))
	case !declaredChanged && len(released) == 0 && s.object.Spec.DriftPolicy == v1alpha1.DriftPolicyReport:
		r.report(ctx, s, shown, digest, len(found))
		return r.debug(ctx, s)
	case !declaredChanged && status.DifferencesHash != digest:
		r.tellDrift(ctx, s, shown, len(found))
		// Told once, even if the write below has to be tried again.
		status.NotAccepted, status.DifferencesHash = nil, digest
	}
	if !s.permit(calls...) {
		s.differences = shown
		return s.planned()
	}
	if err := r.write(ctx, s, calls[0], remote, released); err != nil {
		return err
	}
	if !declaredChanged {
		s.tell(normal, "DriftCorrected", "put back what is declared: "+describe(shown, len(found)))
	} else {
		s.tell(normal, "Updated", "updated the import "+s.id)
	}
	return r.judge(ctx, s)
}

// report shows what differs and leaves it.
func (r *ImportReconciler) report(ctx context.Context, s *importScope, shown []v1alpha1.Difference, digest string, total int) {
	known, applied := s.object.Status.DifferencesHash, s.object.Status.OwnedFields
	s.converged(s.remote)
	if s.observes() {
		// Nothing was applied: nothing more is ours to take back later.
		s.object.Status.OwnedFields = applied
	}
	if total == 0 {
		return
	}
	if known != digest {
		r.tellDrift(ctx, s, shown, total)
	}
	s.object.Status.Drift, s.object.Status.DifferencesHash = shown, digest
}

// parseAnswer reads the document of an answer.
func parseAnswer(answer integrator.Import) (map[string]any, error) {
	document, err := drift.Parse(answer.Raw)
	if err != nil {
		return nil, &problem{class: transient, reason: reasonUnexpectedResponse, message: "the API's import document is " + err.Error()}
	}
	return document, nil
}

// compare lists what differs between the desired document and a remote one, with the values
// of spec.valuesFrom redacted: whatever is shown of a difference begins here.
func (s *importScope) compare(remote map[string]any) []drift.Difference {
	ignore := append(slices.Clone(writeOnly), s.ignored()...)
	found := drift.Compare(s.desired.document, remote, ignore)
	return drift.Redact(found, s.desired.document, s.desired.secrets)
}

// ignored are the fields that the user wants left alone.
func (s *importScope) ignored() []string {
	ignore := s.object.Spec.IgnoreDifferences
	if !s.rawCopy() {
		return ignore
	}
	// Its name is our making, and its mark the original's.
	return slices.DeleteFunc(slices.Clone(ignore), func(path string) bool { return path == "/name" || path == "/externalId" })
}

func (s *importScope) declaresWriteOnly() bool {
	for _, path := range writeOnly {
		if _, ok := s.desired.document[path[1:]]; ok {
			return true
		}
	}
	return false
}

// specChanged tells that what is declared is not what was compared last. After a restore
// without status nobody knows: then it is, unless drift is only to be reported. A copy that
// was just made, and an import that Override takes over, are always brought to it.
func (s *importScope) specChanged() bool {
	known := s.object.Status.DesiredHash
	if known == "" {
		adopt := s.object.Spec.Adopt
		return s.object.Spec.DriftPolicy != v1alpha1.DriftPolicyReport || s.rawCopy() ||
			adopt != nil && adopt.Mode == v1alpha1.AdoptionModeOverride
	}
	return known != s.desired.hash
}

// tellDrift records a drift that was not known yet, and who made it.
func (r *ImportReconciler) tellDrift(ctx context.Context, s *importScope, shown []v1alpha1.Difference, total int) {
	if len(shown) == 0 {
		return
	}
	driftFound.WithLabelValues(s.session.key.String()).Inc()
	s.tell(warning, "DriftDetected", "the remote import was changed"+r.culprit(ctx, s, s.id)+": "+describe(shown, total))
}

// write makes the call that brings the remote import to what is declared.
func (r *ImportReconciler) write(ctx context.Context, s *importScope, call string, remote map[string]any, released []string) error {
	switch call {
	case callReplaceConnection:
		replaced, err := r.replaceConnection(ctx, s)
		if replaced || err != nil {
			return err
		}
	case callPatch:
		return r.patchAssistant(ctx, s, remote)
	}
	return r.put(ctx, s, remote, released)
}

// replaceConnection moves the import to the declared connection. replaced is false when the
// API refuses the call or does not follow it: a PUT can say the same.
func (r *ImportReconciler) replaceConnection(ctx context.Context, s *importScope) (replaced bool, err error) {
	connection, _ := s.desired.document["_connectionId"].(string)
	err = s.session.client.ReplaceConnection(ctx, s.id, connection)
	switch status := integrator.StatusCode(err); status {
	case http.StatusBadRequest, http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusConflict, http.StatusUnprocessableEntity:
		return false, nil
	}
	if err != nil {
		return false, s.failed(err, "replace the import's connection")
	}
	if err := r.lookAgain(ctx, s); err != nil {
		return false, err
	}
	return s.remote.ConnectionID == connection, nil
}

// lookAgain reads the import after a write whose answer does not show it.
func (r *ImportReconciler) lookAgain(ctx context.Context, s *importScope) error {
	answer, err := s.session.client.GetImport(ctx, s.id)
	if err != nil {
		return s.failed(err, "read the import")
	}
	s.saw(answer)
	return nil
}

// put writes the remote document with the declared values laid over it, so that fields
// which nobody declared survive the API's full replacement.
func (r *ImportReconciler) put(ctx context.Context, s *importScope, remote map[string]any, released []string) error {
	merged := drift.Merge(released, s.desired.document, remote, s.ignored())
	if s.lazyMark {
		merged["externalId"] = marker(s.object)
	}
	drift.DropEchoes(merged, s.desired.document, remote, released)
	for _, field := range serverOwned {
		delete(merged, field)
	}
	body, err := json.Marshal(merged)
	if err != nil {
		return fmt.Errorf("encode the import: %w", err)
	}
	owned := s.own(remote)
	answer, err := s.session.client.PutImport(ctx, s.id, body)
	if knownNotApplied(err) {
		s.object.Status.OwnedFields = owned
	}
	if err != nil {
		return s.failed(err, "update the import")
	}
	s.saw(answer)
	return nil
}

// own takes the fields that a call is about to write for ours, but for those that are in the
// remote import already: if its answer is lost, and they are declared no more by then, they are
// taken back. The status that says so is written at the end of the pass. It returns what was
// ours before.
func (s *importScope) own(remote map[string]any) (before []string) {
	before = s.object.Status.OwnedFields
	if s.takesOver() {
		return before // which needs to know that nothing has been applied yet
	}
	fresh := slices.DeleteFunc(slices.Clone(s.desired.fields), func(path string) bool { return drift.Has(remote, path) })
	all := slices.Concat(before, fresh)
	slices.Sort(all)
	all = slices.Compact(all)
	s.object.Status.OwnedFields = all[:min(len(all), maxOwnedFields)]
	return before
}

// judge compares what is declared with the API's own answer to a write. assistantMetadata
// that did not come along goes by PATCH, once. What the API dropped or changed otherwise it would
// drop or change again: a person has to look, and the same write is not repeated.
func (r *ImportReconciler) judge(ctx context.Context, s *importScope) error {
	document, err := parseAnswer(s.remote)
	if err != nil {
		return err
	}
	s.settleMark()
	found := s.compare(document)
	if !s.patched && slices.ContainsFunc(found, isAssistant) {
		if err := r.patchAssistant(ctx, s, document); err != nil {
			return err
		}
		if document, err = parseAnswer(s.remote); err != nil {
			return err
		}
		found = s.compare(document)
	}
	s.converged(s.remote)
	if len(found) == 0 {
		return r.debug(ctx, s)
	}
	return r.notTaken(ctx, s, asDifferences(found), s.digestOf(found), len(found))
}

// notTaken shows what the API did not take. That is no reason not to debug it.
func (r *ImportReconciler) notTaken(ctx context.Context, s *importScope, shown []v1alpha1.Difference, digest string, total int) error {
	s.object.Status.NotAccepted, s.object.Status.DifferencesHash = shown, digest
	if err := r.debug(ctx, s); err != nil {
		return err
	}
	return terminalf(reasonNotAccepted, "the API did not take what is declared: %s; declare what it answers, or list the path in spec.ignoreDifferences", describe(shown, total))
}
