// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package imports

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/definition"
	"github.com/integrator-operator/integrator-operator/internal/drift"
	"github.com/integrator-operator/integrator-operator/internal/importstate"
	"github.com/integrator-operator/integrator-operator/internal/integrator"
	"github.com/integrator-operator/integrator-operator/internal/metrics"
	"github.com/integrator-operator/integrator-operator/internal/ownership"
	"github.com/integrator-operator/integrator-operator/internal/problem"
)

// correct compares, and writes when something differs and the write is wanted.
func (r *Reconciler) correct(ctx context.Context, s *scope) error {
	c, err := s.compare(ctx, r.Registry)
	if err != nil {
		return err
	}
	state := &s.object.Status
	switch {
	case ownership.Observes(s.object):
		report(ctx, s, c)
		return nil
	case len(c.Calls) == 0:
		s.converged()
		return r.debug(ctx, s)
	case !c.DeclaredChanged && len(c.Released) == 0 && len(state.NotAccepted) > 0 && state.DifferencesHash == c.Hash:
		// The API did not accept these before, and nothing changed since.
		s.converged()
		return r.notAccepted(ctx, s, c.Shown, c.Hash)
	case c.OnlyReported(s.object):
		report(ctx, s, c)
		return r.debug(ctx, s)
	case !c.DeclaredChanged && state.DifferencesHash != c.Hash:
		driftDetected(ctx, s, c)
		// Reported once, even if the write below has to be retried.
		state.NotAccepted, state.DifferencesHash = nil, c.Hash
	}
	if refused := c.Refused(s.object); refused != nil {
		state.Drift = c.Shown
		return debugBeside(ctx, r, s, refused)
	}
	if !c.DeclaredChanged && len(c.Released) == 0 && !s.dryRun() && !r.corrections.Permit(s.object.UID, c.Drift, r.Clock.Now()) {
		state.Drift = c.Shown
		return problem.Terminalf(v1alpha1.ReasonOwnershipConflict, "the same drift was corrected %d times within %s, and undone each time: %s. Another operator with the same owner id, or another program, writes to the import; stop it there, or set spec.driftPolicy to Report",
			importstate.MaxCorrections, importstate.CorrectionsWindow, definition.Describe(c.Shown, c.Total)).WithRetryAfter(problem.BackoffMax)
	}
	if !s.callOrPlan(c.Calls...) {
		s.differences = plannedChanges(c)
		state.ComparedLastModified = state.LastModified
		return s.planned()
	}
	patched, err := write(ctx, s, c)
	if err != nil {
		return err
	}
	if !c.DeclaredChanged {
		r.corrections.Note(s.object.UID, c.Drift, r.Clock.Now())
	}
	return r.judge(ctx, s, patched, func(after importstate.Comparison) { changed(s, c, after) })
}

// maxPlanned is how many differences a plan has room for.
const maxPlanned = 16

// plannedChanges are what differs, and the fields that would be removed. Of these only the path is
// shown: it is no longer known whether a Secret's value is there.
func plannedChanges(c importstate.Comparison) []v1alpha1.Difference {
	changes := slices.Clone(c.Shown)
	for _, path := range c.Released {
		if len(changes) < maxPlanned && !slices.ContainsFunc(changes, func(d v1alpha1.Difference) bool { return d.Path == path }) {
			changes = append(changes, v1alpha1.Difference{Path: drift.Cut(path, drift.MaxPath)})
		}
	}
	return changes
}

// changed names in an event what a write changed. What the API did not accept is in status.notAccepted.
func changed(s *scope, before, after importstate.Comparison) {
	written := before.Written(after)
	switch {
	case written.None():
	case before.DeclaredChanged:
		s.event(normal, v1alpha1.ReasonUpdated, "updated the import "+s.remote.ID+": "+written.Paths())
	default:
		metrics.DriftCorrected(s.session.Key)
		s.event(normal, v1alpha1.ReasonDriftCorrected, "restored what is declared: "+written.Values())
	}
}

// report shows what differs and leaves it.
func report(ctx context.Context, s *scope, c importstate.Comparison) {
	known, applied := s.object.Status.DifferencesHash, definition.Owned(&s.object.Status)
	s.converged()
	if ownership.Observes(s.object) {
		// Nothing was applied, so nothing more can be released later.
		definition.SetOwned(&s.object.Status, applied)
	}
	if c.Total == 0 {
		return
	}
	if known != c.Hash {
		driftDetected(ctx, s, c)
		metrics.DriftReported(s.session.Key)
	}
	s.object.Status.Drift, s.object.Status.DifferencesHash = c.Shown, c.Hash
}

// driftDetected records a drift that was not known yet, and who made it.
func driftDetected(ctx context.Context, s *scope, c importstate.Comparison) {
	if len(c.Shown) == 0 {
		return
	}
	metrics.DriftDetected(s.session.Key)
	s.event(warning, v1alpha1.ReasonDriftDetected, "the remote import was changed"+lastChangedBy(ctx, s, s.remote.ID)+": "+definition.Describe(c.Shown, c.Total))
}

// write makes the call that brings the remote import to what is declared. patched reports whether
// assistantMetadata was written by PATCH.
func write(ctx context.Context, s *scope, c importstate.Comparison) (patched bool, err error) {
	switch c.Calls[0] {
	case importstate.CallReplaceConnection:
		if replaced, err := replaceConnection(ctx, s); replaced || err != nil {
			return false, err
		}
	case importstate.CallPatch:
		return true, patchAssistant(ctx, s, c)
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
func put(ctx context.Context, s *scope, c importstate.Comparison) error {
	if refused := c.RefusedPut(s.object); refused != nil {
		return refused
	}
	body, err := drift.Encode(c.Merged(s.owner.Marker(s.object)))
	if err != nil {
		return fmt.Errorf("encode the import: %w", err)
	}
	owned := s.ownFields(c.Remote)
	answer, err := s.session.Client.PutImport(ctx, s.remote.ID, body)
	if integrator.NotApplied(err) {
		definition.SetOwned(&s.object.Status, owned)
	} else if len(c.Masked) > 0 {
		s.event(warning, v1alpha1.ReasonMaskedFieldSent, "the update of the import "+s.remote.ID+" contained the mask that the API shows in place of "+importstate.DescribeMasked(c.Masked)+
			", because spec.maskedFields is Send: if the API stored the mask, the value is lost")
	}
	if err != nil {
		return s.failed(err, "update the import")
	}
	s.recordRemote(answer)
	return nil
}

// ownFields records the fields that a call is about to add to the remote import as applied by the
// operator. If the response is lost and such a field is undeclared later, the operator can still
// remove it. Fields that the remote import has already are not recorded. The status is written at
// the end of the reconcile. It returns what was recorded before.
func (s *scope) ownFields(remote map[string]any) (before drift.Owned) {
	before = definition.Owned(&s.object.Status)
	if s.evidence(nil).Overrides() {
		return before // an override needs to know that nothing has been applied yet
	}
	fresh := slices.DeleteFunc(slices.Clone(s.desired.Fields), func(path string) bool { return drift.Has(remote, path) })
	definition.SetOwned(&s.object.Status, before.With(fresh, s.object.Spec.IgnoreDifferences))
	return before
}

// judge compares what is declared with the API's own response to a write. assistantMetadata that
// was not written along goes by PATCH, once, unless it was patched already. What the API dropped or
// changed otherwise it would drop or change again: a person has to act, and the write is not
// repeated. report gets the last comparison that was made.
func (r *Reconciler) judge(ctx context.Context, s *scope, patched bool, report func(importstate.Comparison)) error {
	c, err := s.compare(ctx, r.Registry)
	if err == nil && !patched && c.AssistantDiffers {
		c, err = judgeAssistant(ctx, r, s, c)
	}
	report(c)
	if err != nil {
		return err
	}
	s.converged()
	if c.Total == 0 {
		return r.debug(ctx, s)
	}
	return r.notAccepted(ctx, s, c.Shown, c.Hash)
}

// judgeAssistant writes assistantMetadata, and compares again.
func judgeAssistant(ctx context.Context, r *Reconciler, s *scope, c importstate.Comparison) (importstate.Comparison, error) {
	if err := patchAssistant(ctx, s, c); err != nil {
		return c, err
	}
	after, err := s.compare(ctx, r.Registry)
	if err != nil {
		return c, err
	}
	return after, nil
}

// notAccepted shows what the API did not accept. That does not keep the import from being debugged.
func (r *Reconciler) notAccepted(ctx context.Context, s *scope, shown []v1alpha1.Difference, hash string) error {
	s.object.Status.NotAccepted, s.object.Status.DifferencesHash = shown, hash
	if err := r.debug(ctx, s); err != nil {
		return err
	}
	return notAcceptedProblem(s.desired, shown)
}

func notAcceptedProblem(desired *definition.Desired, shown []v1alpha1.Difference) *problem.Problem {
	return problem.Terminalf(v1alpha1.ReasonNotAccepted, "%s", desired.NotAccepted(shown))
}

// PATCH takes two fields that PUT does not, or not always: assistantMetadata and debugUntil.

// patchAssistant writes assistantMetadata, with what others put into it.
func patchAssistant(ctx context.Context, s *scope, c importstate.Comparison) error {
	value, err := drift.Encode(c.MergedAssistant())
	if err != nil {
		return err
	}
	s.ownFields(c.Remote)
	return patch(ctx, s, "write assistantMetadata", integrator.PatchOperation{Op: "add", Path: "/" + importstate.AssistantField, Value: value})
}

func patch(ctx context.Context, s *scope, what string, operation integrator.PatchOperation) error {
	if err := s.session.Client.PatchImport(ctx, s.remote.ID, []integrator.PatchOperation{operation}); err != nil {
		return s.failed(err, what)
	}
	return readAgain(ctx, s)
}

// debugBeside brings debugUntil to what is declared although an update is refused: PATCH replaces
// nothing else. In a dry run, the refusal is all that is shown.
func debugBeside(ctx context.Context, r *Reconciler, s *scope, refused error) error {
	if s.dryRun() {
		return refused
	}
	return cmp.Or(r.debug(ctx, s), refused)
}

// debugPause is how long a debugUntil waits that the API finds too far ahead: its clock may be
// behind ours.
const debugPause = time.Minute

// debug brings debugUntil to what is declared. A time that has passed means nothing on either side,
// one that others set is theirs, and one too far ahead waits.
func (r *Reconciler) debug(ctx context.Context, s *scope) error {
	var remote struct {
		DebugUntil time.Time `json:"debugUntil"`
	}
	// What is not a time is not a debugging session.
	_ = json.Unmarshal(s.remote.Raw, &remote)
	operation, set := importstate.DebugChange(s.object.Spec.DebugUntil, s.object.Status.DebugUntil, remote.DebugUntil, r.Clock.Now())
	if operation == nil {
		s.object.Status.DebugUntil = set
		return nil
	}
	if !s.callOrPlan(importstate.CallPatch) {
		return s.planned()
	}
	if err := patch(ctx, s, "set debugUntil", *operation); err != nil {
		if p := problem.As(err); p != nil && p.Reason() == v1alpha1.ReasonRejected && set != nil && set.Sub(r.Clock.Now()) > importstate.DebugAhead-ownership.ClockSkew {
			return p.WithRetryAfter(debugPause)
		}
		return err
	}
	s.object.Status.DebugUntil = set
	return nil
}
