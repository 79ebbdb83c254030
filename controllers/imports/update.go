// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package imports

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/definition"
	"github.com/integrator-operator/integrator-operator/internal/drift"
	"github.com/integrator-operator/integrator-operator/internal/integrator"
	"github.com/integrator-operator/integrator-operator/internal/metrics"
	"github.com/integrator-operator/integrator-operator/internal/ownership"
	"github.com/integrator-operator/integrator-operator/internal/problem"
)

// comparison is what a comparison of the desired document with the remote import found.
type comparison struct {
	// remote is the remote document.
	remote map[string]any
	// shown are the differences as status shows them, hash is of all, total their number.
	shown []v1alpha1.Difference
	hash  string
	total int
	// released are the fields that are no longer declared, and are removed from the remote import.
	released []string
	// calls end the differences; none when there are none.
	calls []string
	// declaredChanged: what is declared changed since the last comparison.
	declaredChanged bool
	// lazyMarker: the marker is not compared, but goes along with a write.
	lazyMarker bool
}

// correct compares, and writes when something differs and the write is wanted.
func (r *Reconciler) correct(ctx context.Context, s *scope) error {
	c, err := s.compareRemote()
	if err != nil {
		return err
	}
	state := &s.object.Status
	switch {
	case ownership.Observes(s.object):
		report(ctx, s, c)
		return nil
	case len(c.calls) == 0:
		s.converged()
		return r.debug(ctx, s)
	case !c.declaredChanged && len(c.released) == 0 && len(state.NotAccepted) > 0 && state.DifferencesHash == c.hash:
		// The API did not accept these before, and nothing changed since.
		s.converged()
		return r.notAccepted(ctx, s, c.shown, c.hash)
	case !c.declaredChanged && len(c.released) == 0 && s.object.Spec.DriftPolicy == v1alpha1.DriftPolicyReport:
		report(ctx, s, c)
		return r.debug(ctx, s)
	case !c.declaredChanged && state.DifferencesHash != c.hash:
		driftDetected(ctx, s, c)
		// Reported once, even if the write below has to be retried.
		state.NotAccepted, state.DifferencesHash = nil, c.hash
	}
	if !s.mayCall(c.calls...) {
		s.differences = c.shown
		state.ComparedLastModified = state.LastModified
		return s.planned()
	}
	patched, err := write(ctx, s, c)
	if err != nil {
		return err
	}
	if c.declaredChanged {
		s.event(normal, v1alpha1.ReasonUpdated, "updated the import "+s.remote.ID)
	} else {
		s.event(normal, v1alpha1.ReasonDriftCorrected, "restored what is declared: "+definition.Describe(c.shown, c.total))
	}
	return r.judge(ctx, s, patched)
}

// compareRemote compares the desired document with the remote import that was read.
func (s *scope) compareRemote() (comparison, error) {
	remote, err := parseResponse(s.remote)
	if err != nil {
		return comparison{}, err
	}
	c := comparison{remote: remote, lazyMarker: s.settleMarker()}
	found := s.compare(remote)
	c.released = drift.Released(s.object.Status.OwnedFields, s.desired.Document, remote, s.object.Spec.IgnoreDifferences)
	if s.desired.Marked {
		// The marker was ours; what stands there now is not.
		c.released = slices.DeleteFunc(c.released, func(path string) bool { return path == "/externalId" })
	}
	c.declaredChanged = s.declaredChanged(found, c.released)
	c.calls = callsFor(found, c.released, s.needsRewrite())
	c.shown, c.hash, c.total = definition.ShownDifferences(found), s.differencesHash(found), len(found)
	return c, nil
}

// parseResponse reads the document of a response.
func parseResponse(answer integrator.Import) (map[string]any, error) {
	document, err := drift.Parse(answer.Raw)
	if err != nil {
		return nil, problem.Transientf(v1alpha1.ReasonUnexpectedResponse, "the API's import document is %v", err)
	}
	return document, nil
}

// report shows what differs and leaves it.
func report(ctx context.Context, s *scope, c comparison) {
	known, applied := s.object.Status.DifferencesHash, s.object.Status.OwnedFields
	s.converged()
	if ownership.Observes(s.object) {
		// Nothing was applied, so nothing more can be released later.
		s.object.Status.OwnedFields = applied
	}
	if c.total == 0 {
		return
	}
	if known != c.hash {
		driftDetected(ctx, s, c)
	}
	s.object.Status.Drift, s.object.Status.DifferencesHash = c.shown, c.hash
}

// driftDetected records a drift that was not known yet, and who made it.
func driftDetected(ctx context.Context, s *scope, c comparison) {
	if len(c.shown) == 0 {
		return
	}
	metrics.DriftDetected(s.session.Key)
	s.event(warning, v1alpha1.ReasonDriftDetected, "the remote import was changed"+lastChangedBy(ctx, s, s.remote.ID)+": "+definition.Describe(c.shown, c.total))
}

// write makes the call that brings the remote import to what is declared. patched reports whether
// assistantMetadata was written by PATCH.
func write(ctx context.Context, s *scope, c comparison) (patched bool, err error) {
	switch c.calls[0] {
	case callReplaceConnection:
		if replaced, err := replaceConnection(ctx, s); replaced || err != nil {
			return false, err
		}
	case callPatch:
		return true, patchAssistant(ctx, s, c.remote)
	}
	return false, put(ctx, s, c)
}

// replaceConnection moves the import to the declared connection. replaced is false when the API
// refuses the call or does not follow it: a PUT can do the same.
func replaceConnection(ctx context.Context, s *scope) (replaced bool, err error) {
	connection, _ := s.desired.Document["_connectionId"].(string)
	err = s.session.Client.ReplaceConnection(ctx, s.remote.ID, connection)
	if integrator.RefusesReplaceConnection(err) {
		return false, nil
	}
	if err != nil {
		return false, s.failed(err, "replace the import's connection")
	}
	if err := readAgain(ctx, s); err != nil {
		return false, err
	}
	return s.remote.ConnectionID == connection, nil
}

// readAgain reads the import after a write whose response does not have it.
func readAgain(ctx context.Context, s *scope) error {
	answer, err := s.session.Client.GetImport(ctx, s.remote.ID)
	if err != nil {
		return s.failed(err, "read the import")
	}
	s.recordRemote(answer)
	return nil
}

// put writes the remote document with the declared values laid over it, so that fields which nobody
// declared survive the API's full replacement.
func put(ctx context.Context, s *scope, c comparison) error {
	merged := drift.Merge(c.released, s.desired.Document, c.remote, s.ignored())
	if c.lazyMarker {
		merged["externalId"] = ownership.Marker(s.object)
	}
	drift.DropEchoes(merged, s.desired.Document, c.remote, c.released)
	for _, field := range drift.ServerOwned {
		delete(merged, field)
	}
	body, err := json.Marshal(merged)
	if err != nil {
		return fmt.Errorf("encode the import: %w", err)
	}
	owned := s.ownFields(c.remote)
	answer, err := s.session.Client.PutImport(ctx, s.remote.ID, body)
	if integrator.NotApplied(err) {
		s.object.Status.OwnedFields = owned
	}
	if err != nil {
		return s.failed(err, "update the import")
	}
	s.recordRemote(answer)
	return nil
}

// ownFields records the fields that a call is about to write as applied by the operator, but for
// those that the remote import has already: if the response is lost, and they are no longer
// declared by then, they are released. The status that has them is written at the end of the
// reconcile. It returns what was recorded before.
func (s *scope) ownFields(remote map[string]any) (before []string) {
	before = s.object.Status.OwnedFields
	if s.evidence(nil).Overrides() {
		return before // an override needs to know that nothing has been applied yet
	}
	fresh := slices.DeleteFunc(slices.Clone(s.desired.Fields), func(path string) bool { return drift.Has(remote, path) })
	all := slices.Concat(before, fresh)
	slices.Sort(all)
	all = slices.Compact(all)
	s.object.Status.OwnedFields = all[:min(len(all), definition.MaxOwnedFields)]
	return before
}

// judge compares what is declared with the API's own response to a write. assistantMetadata that
// was not written along goes by PATCH, once, unless it was patched already. What the API dropped or
// changed otherwise it would drop or change again: a person has to act, and the write is not
// repeated.
func (r *Reconciler) judge(ctx context.Context, s *scope, patched bool) error {
	document, err := parseResponse(s.remote)
	if err != nil {
		return err
	}
	s.settleMarker()
	found := s.compare(document)
	if !patched && slices.ContainsFunc(found, isAssistant) {
		if err := patchAssistant(ctx, s, document); err != nil {
			return err
		}
		if document, err = parseResponse(s.remote); err != nil {
			return err
		}
		found = s.compare(document)
	}
	s.converged()
	if len(found) == 0 {
		return r.debug(ctx, s)
	}
	return r.notAccepted(ctx, s, definition.ShownDifferences(found), s.differencesHash(found))
}

// notAccepted shows what the API did not accept. That does not keep the import from being debugged.
func (r *Reconciler) notAccepted(ctx context.Context, s *scope, shown []v1alpha1.Difference, hash string) error {
	s.object.Status.NotAccepted, s.object.Status.DifferencesHash = shown, hash
	if err := r.debug(ctx, s); err != nil {
		return err
	}
	return notAcceptedProblem(shown)
}

func notAcceptedProblem(shown []v1alpha1.Difference) *problem.Problem {
	return problem.Terminalf(v1alpha1.ReasonNotAccepted, "the API did not accept what is declared: %s; declare what it answers, or list the path in spec.ignoreDifferences", definition.Describe(shown, len(shown)))
}

// The calls that write, as status.plan shows them.
const (
	callCreate            = "POST /v1/imports"
	callClone             = "POST /v1/imports/{id}/clone"
	callPut               = "PUT /v1/imports/{id}"
	callReplaceConnection = "PUT /v1/imports/{id}/replaceConnection"
	callPatch             = "PATCH /v1/imports/{id}"
	callDelete            = "DELETE /v1/imports/{id}"
)

const (
	pathConnection = "/_connectionId"
	pathAssistant  = "/assistantMetadata"
)

// callsFor lists the calls that end the differences: the smallest call that can. rewrite asks for
// a PUT also when nothing is seen to differ.
func callsFor(found []drift.Difference, released []string, rewrite bool) []string {
	switch {
	case len(released) > 0 || rewrite:
		return []string{callPut}
	case len(found) == 0:
		return nil
	case len(found) == 1 && found[0].Path == pathConnection:
		return []string{callReplaceConnection}
	case !slices.ContainsFunc(found, func(d drift.Difference) bool { return !isAssistant(d) }):
		return []string{callPatch}
	default:
		return []string{callPut}
	}
}

// isAssistant reports whether a difference is in the field that PATCH writes.
func isAssistant(difference drift.Difference) bool {
	return difference.Path == pathAssistant || strings.HasPrefix(difference.Path, pathAssistant+"/")
}

// requireOwnership refuses an import that this Import may not use.
func (o objects) requireOwnership(ctx context.Context, s *scope, use ownership.Use) error {
	others, err := o.importsWith(ctx, s, s.remote.ID)
	if err != nil {
		return err
	}
	return s.refusal(use, ownership.Decide(use, s.evidence(others)))
}

// refusal words a verdict; nil when the use is permitted.
func (s *scope) refusal(use ownership.Use, decision ownership.Decision) error {
	const wayOut = "to have one of its own created, delete this Import with deletionPolicy Orphan and create it again without the annotation " + v1alpha1.AnnotationID + ", or to take it over, set spec.adopt with mode Override"
	id := s.remote.ID
	switch decision.Verdict {
	case ownership.Permitted:
		return nil
	case ownership.IntegrationApp:
		return problem.Terminalf(v1alpha1.ReasonOwnedByIntegrationApp, "the import %s belongs to an integration app, which updates it: it is not managed", id)
	case ownership.ForeignMarker:
		marker := drift.Cut(s.remote.ExternalID, 64)
		if use == ownership.UseAdopt {
			return notAdoptable(v1alpha1.ReasonOwnershipConflict, "the import %s has the ownership marker of another Import (externalId %s): delete that one with deletionPolicy Orphan, or adopt the import with mode Override", id, marker)
		}
		return problem.Terminalf(v1alpha1.ReasonOwnershipConflict, "the import %s has the ownership marker of another Import (externalId %s): %s", id, marker, wayOut)
	case ownership.OtherImport:
		switch {
		case use == ownership.UseAdopt || s.evidence(nil).Overrides():
			return s.contested(decision.By)
		case use == ownership.UseDelete:
			return problem.Terminalf(v1alpha1.ReasonOwnershipConflict, "the import %s is managed by Import %s in namespace %s too: it is not deleted; set spec.deletionPolicy to Orphan in one of them", id, decision.By.Name, decision.By.Namespace)
		default:
			return problem.Terminalf(v1alpha1.ReasonOwnershipConflict, "the import %s is managed by Import %s in namespace %s: %s", id, decision.By.Name, decision.By.Namespace, wayOut)
		}
	case ownership.NotCreatedHere:
		return problem.Terminalf(v1alpha1.ReasonOwnershipConflict, "the import %s was not created by this Import: %s", id, wayOut)
	default:
		return fmt.Errorf("imports: unknown verdict %d", decision.Verdict)
	}
}
