// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package imports

import (
	"context"
	"errors"
	"slices"
	"strings"

	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/definition"
	"github.com/integrator-operator/integrator-operator/internal/drift"
	"github.com/integrator-operator/integrator-operator/internal/importstate"
	"github.com/integrator-operator/integrator-operator/internal/metrics"
	"github.com/integrator-operator/integrator-operator/internal/ownership"
	"github.com/integrator-operator/integrator-operator/internal/problem"
	"github.com/integrator-operator/integrator-operator/internal/status"
)

// converged records the remote import that was read last as the one that was compared: what differs
// from it is set afterwards.
func (s *scope) converged() {
	state, remote := &s.object.Status, s.remote
	state.ID = remote.ID
	if !ownership.Observes(s.object) {
		state.Management = ""
	}
	state.AdaptorType = drift.Cut(remote.AdaptorType, 64)
	state.APIIdentifier = drift.Cut(remote.APIIdentifier, 64)
	state.ConnectionID = drift.Cut(remote.ConnectionID, 64)
	state.CreatedAt = drift.Cut(remote.CreatedAt, 64)
	state.LastModified = drift.Cut(remote.LastModified, 64)
	state.ComparedLastModified = state.LastModified
	state.DesiredHash, state.InputsHash = s.desired.Hash, inputsOf(s)
	definition.SetOwned(state, drift.Track(s.desired.Fields, s.object.Spec.IgnoreDifferences))
	state.Drift = nil
	state.NotAccepted = nil
	state.DifferencesHash = ""
}

// forgetRemote removes everything that status has of a remote import that was deleted.
func (s *scope) forgetRemote() {
	s.object.Status = v1alpha1.ImportStatus{
		Audit:                  s.object.Status.Audit,
		Copies:                 s.object.Status.Copies,
		IgnoredFields:          s.object.Status.IgnoredFields,
		Warnings:               s.object.Status.Warnings,
		ObservedGeneration:     s.object.Status.ObservedGeneration,
		LastHandledReconcileAt: s.object.Status.LastHandledReconcileAt,
		Conditions:             s.object.Status.Conditions,
	}
}

// showCopies shows the imports that carry the Import's ownership marker without being its own. They
// are left alone, and said once.
func (s *scope) showCopies() {
	fresh := replace(&s.object.Status.Copies, s.session.Observations.Copies(s.object))
	if len(fresh) > 0 {
		s.event(warning, v1alpha1.ReasonCopyFound, "the account has other imports with this Import's ownership marker: "+drift.Cut(strings.Join(fresh, ", "), 300)+
			". They are left alone: somebody cloned the import, or restored an earlier one. To manage one, adopt it with another Import and mode Override, or delete it on the platform")
	}
}

// replace puts a list into the status, and returns what was not in the one before: that is said once.
func replace(shown *[]string, now []string) (fresh []string) {
	known := *shown
	*shown = now
	return slices.DeleteFunc(slices.Clone(now), func(text string) bool { return slices.Contains(known, text) })
}

// showDefinition shows what of the definition is left out, and what is probably a mistake in it. A
// mistake is said once.
func (s *scope) showDefinition() {
	state, known := &s.object.Status, s.object.Status.Warnings
	state.IgnoredFields = cutAll(s.desired.LeftOut, 64)
	state.Warnings = cutAll(s.desired.Mistakes, 16)
	if len(state.Warnings) > 0 && !slices.Equal(known, state.Warnings) {
		s.event(warning, v1alpha1.ReasonDefinitionWarning, "spec.definition"+drift.Cut(strings.Join(state.Warnings, "; spec.definition"), 900))
	}
}

// cutAll returns the first texts, each as long as a path may be in status.
func cutAll(texts []string, most int) []string {
	var shown []string
	for _, text := range texts[:min(len(texts), most)] {
		shown = append(shown, drift.Cut(text, drift.MaxPath))
	}
	return shown
}

// compared reports whether the last reconcile compared the remote import that status has, whatever
// it found.
func (s *scope) compared() bool {
	state := &s.object.Status
	return state.LastModified != "" && state.ComparedLastModified == state.LastModified
}

// lastResult is what the last comparison came to, where nothing has changed since.
func (s *scope) lastResult() error {
	state := &s.object.Status
	switch {
	case state.Plan != nil && len(state.Plan.Calls) > 0:
		s.calls, s.differences = state.Plan.Calls, state.Plan.Differences
		return s.planned()
	case len(state.NotAccepted) > 0:
		return notAcceptedProblem(s.desired, state.NotAccepted)
	default:
		return nil
	}
}

// debugLater is added to the message of an import whose debugUntil waits.
const debugLater = "; spec.debugUntil is more than an hour ahead, and will be set once it is not"

// setStatus sets the conditions from the problem that the reconcile ended with, nil when there is
// none. debugWaits: debugUntil is too far ahead.
func (s *scope) setStatus(p *problem.Problem, debugWaits bool) {
	state, generation := &s.object.Status, s.object.Generation
	if p != nil && s.staysReady(p) {
		return
	}
	if p != nil && !completesComparison(p) {
		state.ComparedLastModified = ""
	}
	// Nothing was made with an Account that does not exist: while an Import needs it, it stays.
	nothing := s.appeared || p != nil && p.Reason() == v1alpha1.ReasonAccountNotFound
	state.Management = ownership.ManagementOf(s.object, ownership.NothingBefore(s.before, nothing, s.withdrawn, s.markerSeen()))
	p = s.correctable(p)
	state.ObservedGeneration = generation
	state.Plan = nil
	if s.dryRun() && (p == nil || p.Reason() == v1alpha1.ReasonDryRun) {
		state.Plan = &v1alpha1.ImportPlan{Calls: s.calls, Differences: s.differences}
	}
	if p == nil || p.Class() == problem.Terminal || p.Reason() == v1alpha1.ReasonDryRun {
		state.LastHandledReconcileAt = requestedAt(s.object)
	}
	note := map[bool]string{true: debugLater}[debugWaits] + s.session.Unwatched()
	switch {
	case p == nil && !s.object.DeletionTimestamp.IsZero():
		return
	case p == nil && len(state.Drift) > 0:
		message := "the remote import differs, and is left so because of " + s.leftBy() + ": " + definition.Describe(state.Drift, len(state.Drift))
		status.SetReady(&state.Conditions, generation, v1alpha1.ReasonSynced, "the remote import differs from what is declared, see status.drift"+note)
		status.SetCondition(&state.Conditions, generation, v1alpha1.ConditionDrifted, metav1.ConditionTrue, v1alpha1.ReasonDriftReported, message)
		return
	case p == nil:
		status.SetReady(&state.Conditions, generation, v1alpha1.ReasonSynced, "the remote import is as declared"+note)
	default:
		status.SetProblem(&state.Conditions, generation, p)
	}
	apimeta.RemoveStatusCondition(&state.Conditions, v1alpha1.ConditionDrifted)
}

// leftBy is the policy because of which a difference is left.
func (s *scope) leftBy() string {
	if s.object.Spec.ManagementPolicy == v1alpha1.ManagementPolicyObserve {
		return "managementPolicy Observe"
	}
	return "driftPolicy Report"
}

// markerSeen reports whether the account was seen to have the Import's ownership marker.
func (s *scope) markerSeen() bool {
	return s.session != nil && s.session.Observations.MarkerSeen(s.object)
}

// correctable adds the way out that admission permits only while nothing was made.
func (s *scope) correctable(p *problem.Problem) *problem.Problem {
	if p == nil || p.Reason() != v1alpha1.ReasonAccountNotFound || s.object.Status.Management != v1alpha1.ManagementStateNone {
		return p
	}
	return p.WithMessage("%s, or correct spec.accountRef", p.Message())
}

// completesComparison reports whether a reconcile that ends with this problem has compared, or
// leaves the last comparison valid.
func completesComparison(p *problem.Problem) bool {
	switch p.Reason() {
	case v1alpha1.ReasonNotAccepted, v1alpha1.ReasonDryRun, v1alpha1.ReasonSuspended:
		return true
	default:
		return false
	}
}

// staysReady reports whether a temporary problem of the Account changes nothing in the status of an
// import that was in sync: thousands of Imports need not be written for each outage.
func (s *scope) staysReady(p *problem.Problem) bool {
	state := &s.object.Status
	return p.Reason() == v1alpha1.ReasonAccountNotReady && p.Class() == problem.Waiting &&
		state.ObservedGeneration == s.object.Generation && s.object.DeletionTimestamp.IsZero() &&
		s.compared() && len(state.NotAccepted) == 0 && state.Plan == nil &&
		requestedAt(s.object) == state.LastHandledReconcileAt
}

// writeStatus writes the status. If the API server refuses it, it is written with less in it. One that is
// refused even so is remembered: the next reconcile continues from it.
func writeStatus(ctx context.Context, r *Reconciler, s *scope) error {
	whole := s.object.Status.DeepCopy()
	r.lastStatus.Note(s.object)
	changed, err := r.objects().patchStatus(ctx, s)
	refused := status.Refused(err)
	if err == nil && changed {
		r.refusals.Written(s.object, true)
	}
	if refused == nil {
		return err
	}
	for _, reduction := range importstate.Reductions {
		reduction.Reduce(&s.object.Status)
		r.lastStatus.Note(s.object)
		changed, err := r.objects().patchStatus(ctx, s)
		if status.Refused(err) != nil {
			continue
		}
		if err == nil {
			r.refusals.Written(s.object, false)
			if r.refusals.Report(s.object) && changed {
				s.event(warning, v1alpha1.ReasonStatusRefused, refused.Advice()+". It was written "+reduction.Note)
			}
		}
		return err
	}
	s.object.Status = *whole
	r.refusals.Keep(s.object, s.before.Status, *whole)
	return err
}

// reportOwner tells the administrator, in the log and the metrics, which Import has what this one is
// refused. The status says it only within the namespace.
func (s *scope) reportOwner(ctx context.Context, err error) {
	var held ownership.HeldBy
	if !errors.As(err, &held) {
		return
	}
	log.FromContext(ctx).Info("The remote import belongs to another Import", "id", s.remote.ID, "owner", held.Import)
	metrics.ImportConflict(s.accountKey(), held.Import.Namespace)
}
