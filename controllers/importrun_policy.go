// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	apimeta "k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/utils/ptr"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
)

// The decisions of a run, as pure functions of what is known: decide says what comes next,
// conclude what a call came to. What the answer to one call means is in importrun_judge.go.

const (
	reasonRecordsAccepted  = "RecordsAccepted"
	reasonRecordsFailed    = "RecordsFailed"
	reasonInvokeRejected   = "InvokeRejected"
	reasonOutcomeUnknown   = "OutcomeUnknown"
	reasonInvalidData      = "InvalidData"
	reasonDataChanged      = "DataChanged"
	reasonDeadlineExceeded = "DeadlineExceeded"
	reasonCanceled         = "Canceled"
	reasonDataNotFound     = "DataNotFound"
	reasonImportNotFound   = "ImportNotFound"
	reasonImportNotReady   = "ImportNotReady"
)

const (
	// maxFailures is how many failed records status lists.
	maxFailures = 20
	// claimGrace is added to a claim's deadline before another process judges it: its
	// holder may still be writing the result down, by a clock that is not ours.
	claimGrace = 30 * time.Second
)

// claim is the value of the claim annotation: where the run stands, and, while it has a
// token, the permission for one call. A token is never given twice.
type claim struct {
	// Batch is the number of the batch that the call is for, from 0. Those before it were
	// answered.
	Batch int `json:"batch"`
	// Attempt is how often this batch was sent, or tried to be, before.
	Attempt int `json:"attempt,omitempty"`
	// Uncertain tells that nobody knows whether one of these attempts was applied.
	Uncertain bool `json:"uncertain,omitempty"`
	// Token, Holder and Time are of the call. Without a token none is under way.
	Token  string    `json:"token,omitempty"`
	Holder string    `json:"holder,omitempty"`
	Time   time.Time `json:"time,omitzero"`
	// NotBefore is when the batch may be tried again, Reason why not at once.
	NotBefore time.Time `json:"notBefore,omitzero"`
	Reason    string    `json:"reason,omitempty"`
	// Started is when the first call was permitted, Deadline when the run's time is over. While
	// the run is suspended there is no Started, and Spent is the time that it has used.
	Started  time.Time     `json:"started,omitzero"`
	Deadline time.Time     `json:"deadline,omitzero"`
	Spent    time.Duration `json:"spent,omitempty"`
	// Digest stands for all that the run sends, Batches is how many batches that is.
	Digest  string `json:"digest,omitempty"`
	Batches int    `json:"batches,omitempty"`
	// Records counts the batches before this one.
	Records *v1alpha1.RecordCounts `json:"records,omitempty"`
}

var errDamagedClaim = errors.New("the claim cannot be read")

// parseClaim reads the annotation. A run without one stands at its beginning. Each claim names
// its batch, and counts nothing below zero.
func parseClaim(text string) (claim, error) {
	if text == "" {
		return claim{}, nil
	}
	c := claim{Batch: -1}
	if err := json.Unmarshal([]byte(text), &c); err != nil || c == (claim{}) || c.Batch < 0 || c.Attempt < 0 || c.Spent < 0 {
		return claim{}, errDamagedClaim
	}
	return c, nil
}

// claimOf is the run's claim, of which decide has seen that it can be read.
func claimOf(run *v1alpha1.ImportRun) claim {
	c, _ := parseClaim(run.Annotations[v1alpha1.AnnotationClaim])
	return c
}

// finished tells that a run has ended: no call and no write happens for it any more, but
// that it is deleted when its time to live is over.
func finished(run *v1alpha1.ImportRun) bool {
	switch run.Status.Phase {
	case v1alpha1.RunSucceeded, v1alpha1.RunFailed, v1alpha1.RunUnknown, v1alpha1.RunCanceled:
		return true
	default:
		return false
	}
}

// outcome is what became of a run: how it ended, or, without a phase, where it stands.
type outcome struct {
	// token and at are those of the call, and its batch, which it is about; "" when there was none.
	token string
	at    int
	// importID and started tell of the calls; zero when there was none. They go along
	// because showing the run as Running may have failed.
	importID string
	started  time.Time

	records  v1alpha1.RecordCounts
	failures []v1alpha1.RecordFailure
	// done is how many batches were answered, of total.
	done, total int

	// again is why the batch is tried again later, next the claim that stands until then.
	again *problem
	next  claim

	phase   v1alpha1.RunPhase
	reason  string
	message string
}

func (o *outcome) end(phase v1alpha1.RunPhase, reason, format string, args ...any) *outcome {
	o.phase, o.reason, o.message = phase, reason, fmt.Sprintf(format, args...)
	return o
}

// step is what comes next for a run: it has ended, it waits, or the batch of next is claimed.
type step struct {
	ended *outcome
	wait  *problem
	next  claim
}

// process is what the deciding process knows of itself: its name as a holder, and the tokens
// of claims that it could not confirm, and so never used.
type process struct {
	holder string
	unused []string
}

// decide says what comes next for a run that has not ended, from its claim and its status.
// Neither the data nor anything else that may have to be waited for is looked at.
func decide(run *v1alpha1.ImportRun, self process, now time.Time) step {
	text := run.Annotations[v1alpha1.AnnotationClaim]
	current, err := parseClaim(text)
	switch {
	case err != nil, text == "" && (run.Status.Phase == v1alpha1.RunRunning || run.Status.StartTime != nil):
		// Damaged or taken away: its call may have been made.
		return step{ended: lost(run, current)}
	}
	next := follow(run, current)
	if current.Token != "" && !slices.Contains(self.unused, current.Token) && !answered(run, current) {
		rest, again := await(run, current, self, now)
		switch {
		case rest > 0:
			p := waitingf(reasonProgressing, "the call was claimed by a process that has not written its outcome down; it is awaited")
			p.after = max(rest, time.Second)
			return step{wait: p}
		case !again:
			return step{ended: lost(run, current)}
		}
		next.Attempt, next.Uncertain = current.Attempt+1, true
	}
	switch {
	case run.Spec.Cancel:
		return step{ended: stop(run, next, v1alpha1.RunCanceled, reasonCanceled, "spec.cancel is true")}
	case run.Spec.Suspend:
		return step{next: next, wait: waitingf(reasonSuspended, "spec.suspend is true: nothing is sent until it is false")}
	case !next.Started.IsZero() && !now.Before(next.Started.Add(timeLimit(run))):
		return step{ended: stop(run, next, v1alpha1.RunFailed, reasonDeadlineExceeded, "activeDeadlineSeconds is over")}
	case now.Before(next.NotBefore):
		return step{next: next, wait: pausing(run, next, now)}
	}
	return step{next: next}
}

// answered tells that the outcome of the claim's call is in status.
func answered(run *v1alpha1.ImportRun, c claim) bool {
	return run.Status.Batches != nil && int(run.Status.Batches.Done) > c.Batch
}

// follow is the claim to take after the current one, as yet without a token: for the next
// batch, or for the same if that was not sent, or is to be sent again.
func follow(run *v1alpha1.ImportRun, current claim) claim {
	next := current
	next.Token, next.Holder, next.Time, next.Deadline = "", "", time.Time{}, time.Time{}
	if answered(run, current) {
		next.Batch, next.Attempt, next.Uncertain = int(run.Status.Batches.Done), 0, false
		next.NotBefore, next.Reason = time.Time{}, ""
		next.Records = run.Status.Records.DeepCopy()
	}
	return next
}

// await looks at a claim that has no outcome: its holder may be at it until the deadline, and
// then nobody knows. With onUnknownOutcome Retry a batch whose holder is not this process may
// be sent again after a moment. rest is how long to wait still.
func await(run *v1alpha1.ImportRun, current claim, self process, now time.Time) (rest time.Duration, again bool) {
	if run.Spec.OnUnknownOutcome == v1alpha1.UnknownOutcomeRetry && current.Holder != self.holder && now.Before(current.Deadline) {
		return current.Time.Add(claimGrace).Sub(now), true
	}
	return current.Deadline.Add(claimGrace).Sub(now), false
}

// pausing is the wait for the next attempt, in the words that the run shows already.
func pausing(run *v1alpha1.ImportRun, next claim, now time.Time) *problem {
	p := &problem{class: transient, reason: cmp.Or(next.Reason, reasonProgressing), message: "the batch is sent again after a pause"}
	if ready := apimeta.FindStatusCondition(run.Status.Conditions, v1alpha1.ConditionReady); ready != nil && ready.Reason == p.reason {
		p.message = ready.Message
	}
	p.after = max(next.NotBefore.Sub(now), time.Millisecond)
	return p
}

// standing is where a run stands before the claim's call, by its status, or, after a restore
// that dropped that, by the claim.
func standing(run *v1alpha1.ImportRun, at claim) *outcome {
	status := &run.Status
	o := &outcome{started: at.Started, done: at.Batch, total: at.Batches, failures: status.Failures}
	if status.Batches != nil {
		o.done, o.total = max(o.done, int(status.Batches.Done)), int(status.Batches.Total)
	}
	switch {
	case status.Records != nil:
		o.records = *status.Records
	case at.Records != nil:
		o.records = *at.Records
	}
	return o
}

// lost is the end of a run whose call was permitted and left no outcome.
func lost(run *v1alpha1.ImportRun, at claim) *outcome {
	o := standing(run, at)
	if o.started.IsZero() {
		o.started = at.Time
	}
	return o.end(v1alpha1.RunUnknown, reasonOutcomeUnknown,
		"%sa call was permitted and nobody knows what it came to, because the operator stopped before its answer or the claim was changed: the records may or may not have been written; look into the destination before running again", o.batch())
}

// stop ends a run before its next batch.
func stop(run *v1alpha1.ImportRun, at claim, phase v1alpha1.RunPhase, reason, because string) *outcome {
	o := standing(run, at)
	switch {
	case at.Uncertain:
		return o.end(v1alpha1.RunUnknown, reasonOutcomeUnknown,
			"%s, and the answer to batch %d was lost before: its records may or may not have been written; look into the destination before running again", because, at.Batch+1)
	case at.Batch == 0:
		return o.end(phase, reason, "%s; nothing was written", because)
	default:
		return o.end(phase, reason, "%s; %d of %d batches were sent, and no more is", because, o.done, o.total)
	}
}

// batch names the batch after those that are done, in a run of several.
func (o *outcome) batch() string {
	if o.total < 2 {
		return ""
	}
	return fmt.Sprintf("batch %d of %d: ", o.done+1, o.total)
}

// rest tells of the batches that are not sent because this one ended the run.
func (o *outcome) rest() string {
	if left := o.total - o.done - 1; left > 0 {
		return fmt.Sprintf("; the %d after it are not sent", left)
	}
	return ""
}

// conclude says what a call came to for its run: at is the claim of the call, run the object
// that had it, and sent what the run sends.
func conclude(run *v1alpha1.ImportRun, at claim, call verdict, sent *payload, now time.Time) *outcome {
	o := standing(run, at)
	o.token, o.at, o.total, o.records.Total = at.Token, at.Batch, len(sent.batches), sent.total()
	if o.tryAgain(run, at, call, now) {
		return o
	}
	o.records.Sent += call.records.Sent
	o.records.Succeeded += call.records.Succeeded
	o.records.Failed += call.records.Failed
	o.records.Ignored += call.records.Ignored
	o.failures = appendFailures(o.failures, call.failures, sent.batches[at.Batch].From)
	switch {
	case call.fate == fateAnswered:
		o.done++
		return o.goOn(run)
	case call.fate == fateUnknown, at.Uncertain:
		because := call.message
		if call.fate != fateUnknown {
			because = "the answer to an earlier attempt was lost, and the last one failed: " + call.message
		}
		return o.end(v1alpha1.RunUnknown, reasonOutcomeUnknown,
			"%s%s: the records may or may not have been written; look into the destination before running again%s", o.batch(), because, o.rest())
	case call.fate == fateRefused && o.total > 1:
		return o.end(v1alpha1.RunFailed, call.reason, "%s%s; nothing of this batch was written%s", o.batch(), call.message, o.rest())
	case call.fate == fateRefused:
		return o.end(v1alpha1.RunFailed, call.reason, "%s; nothing was written", call.message)
	default:
		return o.end(v1alpha1.RunFailed, call.reason, "%s%s%s", o.batch(), call.message, o.rest())
	}
}

// tellable tells that what a call came to may still be written into the run, as it is now: its
// claim stands, and its batch does not count as answered. Where somebody took the claim away,
// another may have been taken since: only what was answered is certain then, for nobody claims
// a batch that may have been written.
func tellable(live *v1alpha1.ImportRun, came *outcome) bool {
	text := live.Annotations[v1alpha1.AnnotationClaim]
	stands := text == "" && came.done > came.at || text != "" && claimOf(live).Token == came.token
	return came.token != "" && stands && !finished(live) && !answered(live, claim{Batch: came.at})
}

// goOn ends a run that has no batch left, or that stops at its first failure.
func (o *outcome) goOn(run *v1alpha1.ImportRun) *outcome {
	stops := run.Spec.StopOnFailure && o.records.Failed > 0
	switch {
	case o.done < o.total && stops:
		return o.end(v1alpha1.RunFailed, reasonRecordsFailed,
			"%d of the %d records sent failed, see status.failures; stopOnFailure is true, and %d of %d batches are not sent", o.records.Failed, o.records.Sent, o.total-o.done, o.total)
	case o.done < o.total:
		return o
	case o.records.Failed > 0:
		return o.end(v1alpha1.RunFailed, reasonRecordsFailed,
			"%d of %d records failed; see status.failures, and create another ImportRun with just these once they are corrected", o.records.Failed, o.records.Total)
	default:
		return o.end(v1alpha1.RunSucceeded, reasonRecordsAccepted, "%d records were accepted, %d ignored", o.records.Succeeded, o.records.Ignored)
	}
}

// tryAgain decides whether the batch is sent again: after the pause that the API asks for, up
// to retryLimit times when the call is known to have changed nothing, and with
// onUnknownOutcome Retry also when nobody knows. It never is when the time is over by then.
func (o *outcome) tryAgain(run *v1alpha1.ImportRun, at claim, call verdict, now time.Time) bool {
	next := follow(run, at)
	pause := retryPause(at.Attempt)
	switch {
	case call.fate == fateRefused && call.problem.class == throttled:
		pause = call.problem.after
	case call.fate == fateRefused && call.retriable && at.Attempt < retryLimit(run):
		next.Attempt++
	case call.fate == fateUnknown && run.Spec.OnUnknownOutcome == v1alpha1.UnknownOutcomeRetry:
		next.Attempt++
		next.Uncertain = true
	default:
		return false
	}
	if now.Add(pause).After(at.Deadline) {
		return false
	}
	next.NotBefore, next.Reason = now.Add(pause), call.problem.reason
	again := &problem{class: transient, reason: call.problem.reason, message: call.problem.message, after: pause, cause: call.problem.cause}
	if call.fate == fateUnknown {
		next.Reason, again.reason, again.message = reasonOutcomeUnknown, reasonOutcomeUnknown, call.message+": it is sent again, because onUnknownOutcome is Retry"
	}
	o.again, o.next = again, next
	return true
}

// retryPause grows from 1 s to 5 min.
func retryPause(attempt int) time.Duration {
	return min(backoffBase<<min(attempt, 10), backoffMax)
}

func appendFailures(known, more []v1alpha1.RecordFailure, first int) []v1alpha1.RecordFailure {
	known = slices.Clone(known)
	for _, failure := range more[:min(len(more), max(0, maxFailures-len(known)))] {
		failure.Index += int32(first) //nolint:gosec // far fewer records than 2^31 fit into a run
		known = append(known, failure)
	}
	return known
}

func retryLimit(run *v1alpha1.ImportRun) int { return int(ptr.Deref(run.Spec.RetryLimit, 0)) }

func timeLimit(run *v1alpha1.ImportRun) time.Duration {
	const fallback = 600
	return time.Duration(ptr.Deref(run.Spec.ActiveDeadlineSeconds, fallback)) * time.Second
}

// lifeLeft is how long a run that has ended is kept still; ok is false when it is kept for good.
func lifeLeft(run *v1alpha1.ImportRun, now time.Time) (left time.Duration, ok bool) {
	if run.Spec.TTLSecondsAfterFinished == nil || !finished(run) || run.Status.CompletionTime == nil {
		return 0, false
	}
	life := time.Duration(*run.Spec.TTLSecondsAfterFinished) * time.Second
	return run.Status.CompletionTime.Add(life).Sub(now), true
}
