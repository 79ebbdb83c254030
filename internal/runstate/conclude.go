// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package runstate

import (
	"fmt"
	"slices"
	"time"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/drift"
	"github.com/integrator-operator/integrator-operator/internal/integrator"
	"github.com/integrator-operator/integrator-operator/internal/problem"
	"github.com/integrator-operator/integrator-operator/internal/records"
)

const (
	// maxFailures is how many failed records status lists.
	maxFailures = 20
	// maxPauseMessage is how much of an error the claim keeps, in bytes.
	maxPauseMessage = 1024
	// maxFailedRecords is how long the list of all records that failed may be, in bytes.
	maxFailedRecords = 16384
	// maxFirstFailure is how much of the first failure the message of the run repeats, in bytes.
	maxFirstFailure = 256
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
	position := func(index int) int { return sent.position(sent.Batches[at.Batch].From + index) }
	o.Failures = appendFailures(o.Failures, call.Failures, position)
	o.FailedRecords, o.FailedRecordsTruncated = appendFailed(o.FailedRecords, o.FailedRecordsTruncated, call.Failed, position)
	switch {
	case call.Outcome == integrator.OutcomeApplied:
		o.Done++
		return afterBatch(o, run, sent)
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
func afterBatch(o Outcome, run *v1alpha1.ImportRun, sent Payload) Outcome {
	stops := run.Spec.StopOnFailure && o.Records.Failed > 0
	switch {
	case o.Done < o.Total && stops:
		return o.endFailed(fmt.Sprintf("the %d records sent", o.Records.Sent),
			fmt.Sprintf("; stopOnFailure is true, and %d of %d batches are not sent", o.Total-o.Done, o.Total))
	case o.Done < o.Total:
		return o
	case o.Records.Failed > 0:
		return o.endFailed(fmt.Sprintf("%d records", o.Records.Total), "; "+o.sendFailed()+sent.omits())
	default:
		return o.end(v1alpha1.RunSucceeded, v1alpha1.ReasonRecordsAccepted, "%d records were accepted, %d ignored%s", o.Records.Succeeded, o.Records.Ignored, sent.omits())
	}
}

// sendAgain decides whether the batch is sent again: after the pause that the API asks for, up to
// retryLimit times when the call is known to have changed nothing, and with onUnknownOutcome Retry
// also when its outcome is unknown. It never is when the run's time is over by then.
func sendAgain(o Outcome, run *v1alpha1.ImportRun, at Claim, call Verdict, now time.Time) (Outcome, bool) {
	next, pause := following(run, at), problem.Backoff(at.Attempt)
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

// appendFailures adds the failures of a call; position is that of a record of the call in the data.
func appendFailures(known, more []v1alpha1.RecordFailure, position func(int) int) []v1alpha1.RecordFailure {
	known = slices.Clone(known)
	for _, failure := range more[:min(len(more), max(0, maxFailures-len(known)))] {
		failure.Index = int32(position(int(failure.Index))) //nolint:gosec // far fewer records than 2^31 fit into a run
		known = append(known, failure)
	}
	return known
}

// appendFailed adds the records of a call that failed to the list of all of them. Once one had no room,
// the list stays as it is: what it has are the first ones.
func appendFailed(known string, truncated bool, more records.Indexes, position func(int) int) (string, bool) {
	all, err := records.ParseIndexes(known)
	if truncated || len(more) == 0 || err != nil {
		return known, truncated || err != nil
	}
	for index := range more.All() {
		all = all.Add(position(index))
	}
	fitting, fits := all.Within(maxFailedRecords)
	return fitting.String(), !fits
}

// endFailed ends a run of which records failed, of so many. The condition says why the first did: tools
// show nothing else of a run. Events do not: others collect them, and the destination may have quoted
// the record.
func (o Outcome) endFailed(of, rest string) Outcome {
	text := fmt.Sprintf("%d of %s failed", o.Records.Failed, of)
	o = o.end(v1alpha1.RunFailed, v1alpha1.ReasonRecordsFailed, "%s%s%s", text, o.firstFailure(), rest)
	o.Note = text + rest
	return o
}

// firstFailure says why the first record failed.
func (o Outcome) firstFailure() string {
	if len(o.Failures) == 0 {
		return ""
	}
	first := o.Failures[0]
	shown := fmt.Sprintf("record %d:", first.Index)
	if first.StatusCode != 0 {
		shown += fmt.Sprintf(" %d", first.StatusCode)
	}
	switch {
	case first.Code != "" && first.Message != "":
		shown += " " + first.Code + ": " + first.Message
	case first.Code+first.Message != "":
		shown += " " + first.Code + first.Message
	}
	return "; first: " + drift.Cut(shown, maxFirstFailure)
}

// sendFailed says how to send the records that failed again.
func (o Outcome) sendFailed() string {
	if o.FailedRecordsTruncated {
		return "status.failedRecords has no room for all of them, but the responses have: create another ImportRun with just these"
	}
	return "see status.failedRecords, and send just these again with retryOf, or corrected in another ImportRun"
}
