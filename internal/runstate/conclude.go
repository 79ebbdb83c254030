// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package runstate

import (
	"slices"
	"time"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/drift"
	"github.com/integrator-operator/integrator-operator/internal/integrator"
	"github.com/integrator-operator/integrator-operator/internal/problem"
)

const (
	// maxFailures is how many failed records status lists.
	maxFailures = 20
	// maxPauseMessage is how much of an error the claim keeps, in bytes.
	maxPauseMessage = 1024
)

// Conclude is the outcome of a call for its run: at is the claim of the call, run the object that
// had it, and sent what the run sends.
func Conclude(run *v1alpha1.ImportRun, at Claim, call Verdict, sent Payload, now time.Time) Outcome {
	o := Standing(run, at)
	o.Token, o.Batch, o.Total, o.Records.Total = at.Token, at.Batch, len(sent.Batches), sent.Total()
	if again, ok := sendAgain(o, run, at, call, now); ok {
		return again
	}
	o.Records.Sent += call.Records.Sent
	o.Records.Succeeded += call.Records.Succeeded
	o.Records.Failed += call.Records.Failed
	o.Records.Ignored += call.Records.Ignored
	o.Failures = appendFailures(o.Failures, call.Failures, sent.Batches[at.Batch].From)
	switch {
	case call.Outcome == integrator.OutcomeApplied:
		o.Done++
		return afterBatch(o, run)
	case call.Outcome == integrator.OutcomeUnknown, at.Uncertain:
		because := call.Message
		if call.Outcome != integrator.OutcomeUnknown {
			because = "the answer to an earlier attempt was lost, and the last one failed: " + call.Message
		}
		return o.end(v1alpha1.RunUnknown, v1alpha1.ReasonOutcomeUnknown,
			"%s%s: the records may or may not have been written; look into the destination before running again%s", o.batch(), because, o.rest())
	case call.Outcome == integrator.OutcomeNotApplied && o.Total > 1:
		return o.end(v1alpha1.RunFailed, call.Reason, "%s%s; nothing of this batch was written%s", o.batch(), call.Message, o.rest())
	case call.Outcome == integrator.OutcomeNotApplied:
		return o.end(v1alpha1.RunFailed, call.Reason, "%s; nothing was written", call.Message)
	default:
		return o.end(v1alpha1.RunFailed, call.Reason, "%s%s%s", o.batch(), call.Message, o.rest())
	}
}

// CanRecord reports whether the outcome of a call may still be written into the run as it is now:
// the call's claim stands, and its batch does not count as answered. Where somebody removed the
// claim, another one may have been taken since: then only an answered batch is certain, because
// nobody claims a batch that may have been written.
func CanRecord(live *v1alpha1.ImportRun, o Outcome) bool {
	text := live.Annotations[v1alpha1.AnnotationClaim]
	stands := text == "" && o.Done > o.Batch || text != "" && ClaimOf(live).Token == o.Token
	return o.OfCall() && stands && !Finished(live) && !answered(live, Claim{Batch: o.Batch})
}

// afterBatch ends a run that has no batch left, or that stops at its first failure.
func afterBatch(o Outcome, run *v1alpha1.ImportRun) Outcome {
	stops := run.Spec.StopOnFailure && o.Records.Failed > 0
	switch {
	case o.Done < o.Total && stops:
		return o.end(v1alpha1.RunFailed, v1alpha1.ReasonRecordsFailed,
			"%d of the %d records sent failed, see status.failures; stopOnFailure is true, and %d of %d batches are not sent", o.Records.Failed, o.Records.Sent, o.Total-o.Done, o.Total)
	case o.Done < o.Total:
		return o
	case o.Records.Failed > 0:
		return o.end(v1alpha1.RunFailed, v1alpha1.ReasonRecordsFailed,
			"%d of %d records failed; see status.failures, and create another ImportRun with just these once they are corrected", o.Records.Failed, o.Records.Total)
	default:
		return o.end(v1alpha1.RunSucceeded, v1alpha1.ReasonRecordsAccepted, "%d records were accepted, %d ignored", o.Records.Succeeded, o.Records.Ignored)
	}
}

// sendAgain decides whether the batch is sent again: after the pause that the API asks for, up to
// retryLimit times when the call is known to have changed nothing, and with onUnknownOutcome Retry
// also when its outcome is unknown. It never is when the run's time is over by then.
func sendAgain(o Outcome, run *v1alpha1.ImportRun, at Claim, call Verdict, now time.Time) (Outcome, bool) {
	next, pause := following(run, at), retryPause(at.Attempt)
	notApplied, unknown := call.Outcome == integrator.OutcomeNotApplied, call.Outcome == integrator.OutcomeUnknown
	switch {
	case notApplied && call.Problem.Class() == problem.RateLimited:
		pause = call.Problem.RetryAfter()
	case notApplied && call.Retriable && at.Attempt < RetryLimit(run):
		next.Attempt++
	case unknown && run.Spec.OnUnknownOutcome == v1alpha1.UnknownOutcomeRetry:
		next.Attempt++
		next.Uncertain = true
	default:
		return Outcome{}, false
	}
	if now.Add(pause).After(at.Deadline) {
		return Outcome{}, false
	}
	again := call.Problem.WithClass(problem.Transient).WithRetryAfter(pause)
	if unknown {
		again = again.WithReason(v1alpha1.ReasonOutcomeUnknown).
			WithMessage("%s: it will be sent again, because onUnknownOutcome is Retry", call.Message)
	}
	again = again.WithMessage("%s", drift.Cut(again.Message(), maxPauseMessage))
	next.NotBefore, next.Reason, next.Message = now.Add(pause), again.Reason(), again.Message()
	o.Again, o.Next = again, next
	return o, true
}

// retryPause grows from BackoffBase to BackoffMax.
func retryPause(attempt int) time.Duration {
	return min(problem.BackoffBase<<min(attempt, 10), problem.BackoffMax)
}

func appendFailures(known, more []v1alpha1.RecordFailure, first int) []v1alpha1.RecordFailure {
	known = slices.Clone(known)
	for _, failure := range more[:min(len(more), max(0, maxFailures-len(known)))] {
		failure.Index += int32(first) //nolint:gosec // far fewer records than 2^31 fit into a run
		known = append(known, failure)
	}
	return known
}
