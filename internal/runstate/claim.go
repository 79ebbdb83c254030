// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package runstate

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
)

// claimGrace is added to a claim's deadline before another process judges it: the holder may still
// be writing the result, by a clock that is not ours.
const claimGrace = 30 * time.Second

const (
	// maxClockSkew is how far the clock of the process that wrote a claim may be ahead of ours.
	maxClockSkew = 10 * time.Minute
	// maxPause is the longest pause before a batch is sent again: what the API may ask for.
	maxPause = time.Hour
	// maxClaimCount bounds every number of a claim: more than any run has records or attempts.
	maxClaimCount = 1_000_000
	// maxClaimReason bounds a claim's reason, in bytes.
	maxClaimReason = 64
)

// Claim is the value of the claim annotation: where the run stands, and, while it has a token, the
// permission for one call. A token is never given twice.
type Claim struct {
	// Run is the uid of the run: the claim of another run, or of this one before it was restored as
	// a new object, permits nothing.
	Run string `json:"run,omitempty"`
	// Batch is the number of the batch that the call is for, from 0. Those before it were answered.
	Batch int `json:"batch"`
	// Attempt is how many attempts there were to send this batch before.
	Attempt int `json:"attempt,omitempty"`
	// Uncertain: one of these attempts may have been applied.
	Uncertain bool `json:"uncertain,omitempty"`
	// Token, Holder and Time belong to the call. Without a token no call is under way.
	Token  string    `json:"token,omitempty"`
	Holder string    `json:"holder,omitempty"`
	Time   time.Time `json:"time,omitzero"`
	// NotBefore is when the batch may be sent again. Reason and Message say why not at once: the
	// condition shows them during the whole pause.
	NotBefore time.Time `json:"notBefore,omitzero"`
	Reason    string    `json:"reason,omitempty"`
	Message   string    `json:"message,omitempty"`
	// Started is when the first call was permitted, Deadline when the run's time is over. While the
	// run is suspended there is no Started, and Spent is the time that it has used.
	Started  time.Time     `json:"started,omitzero"`
	Deadline time.Time     `json:"deadline,omitzero"`
	Spent    time.Duration `json:"spent,omitempty"`
	// Digest stands for everything that the run sends, Batches is how many batches that is.
	Digest  string `json:"digest,omitempty"`
	Batches int    `json:"batches,omitempty"`
	// Records counts the records of the batches before this one.
	Records *v1alpha1.RecordCounts `json:"records,omitempty"`
}

var errDamagedClaim = errors.New("the claim cannot be read")

// ParseClaim reads the annotation. A run without one is at its beginning: the claim is empty then.
// Every claim names its batch, and has nothing that a status could not show: anybody who may edit
// the run can write one.
func ParseClaim(text string) (Claim, error) {
	if text == "" {
		return Claim{}, nil
	}
	c := Claim{Batch: -1}
	if err := json.Unmarshal([]byte(text), &c); err != nil || c == (Claim{}) || !c.countsPlainly() || !c.canBeShown() {
		return Claim{}, errDamagedClaim
	}
	return c, nil
}

// countsPlainly reports whether each number of the claim is one that a run can come to.
func (c Claim) countsPlainly() bool {
	counts := []int{c.Batch, c.Attempt, c.Batches}
	if r := c.Records; r != nil {
		counts = append(counts, int(r.Total), int(r.Sent), int(r.Succeeded), int(r.Failed), int(r.Ignored))
	}
	return c.Spent >= 0 && !slices.ContainsFunc(counts, func(n int) bool { return n < 0 || n > maxClaimCount })
}

// canBeShown reports whether reason and message fit into a condition.
func (c Claim) canBeShown() bool {
	strange := func(r rune) bool { return (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') }
	return len(c.Reason) <= maxClaimReason && !strings.ContainsFunc(c.Reason, strange) && len(c.Message) <= 2*maxPauseMessage
}

// disproved says what the run's own status has against its claim, "" when it bears the claim out.
// Whoever may edit the run can write the annotation, and cannot write the status. While the status
// shows a call in progress, the claim has to be that of the call. With onUnknownOutcome Retry the
// batch of a call in progress may be sent again anyway.
func disproved(run *v1alpha1.ImportRun, c Claim, self Process, now time.Time) string {
	latest := now.Add(maxClockSkew)
	switch {
	case c.Run != string(run.UID):
		return "it is not a claim of this object"
	case c.Batch > batchesDone(run):
		return "it counts batches as answered that the status does not"
	case interrupted(run, c) && !slices.Contains(self.Unused, run.Status.Call) && run.Spec.OnUnknownOutcome != v1alpha1.UnknownOutcomeRetry:
		return "the status shows another call in progress"
	case c.Time.After(latest), c.Started.After(latest), c.Deadline.After(latest.Add(TimeLimit(run))), c.NotBefore.After(latest.Add(maxPause)):
		return "its times are too far in the future"
	default:
		return ""
	}
}

// interrupted reports whether the status shows a call in progress that is not the claim's.
func interrupted(run *v1alpha1.ImportRun, c Claim) bool {
	return run.Status.Call != "" && run.Status.Call != c.Token
}

// batchesDone is how many batches were answered, by the status.
func batchesDone(run *v1alpha1.ImportRun) int {
	if run.Status.Batches == nil {
		return 0
	}
	return int(run.Status.Batches.Done)
}

// ClaimOf is the run's claim. It is empty when the claim cannot be read: Decide ends such a run.
func ClaimOf(run *v1alpha1.ImportRun) Claim {
	c, _ := ParseClaim(run.Annotations[v1alpha1.AnnotationClaim])
	return c
}

// answered reports whether the outcome of the claim's call is in status.
func answered(run *v1alpha1.ImportRun, c Claim) bool {
	return batchesDone(run) > c.Batch
}

// following is the claim to take after the current one, still without a token: for the next batch,
// or for the same batch if that was not sent or is to be sent again.
func following(run *v1alpha1.ImportRun, current Claim) Claim {
	next := current
	next.Token, next.Holder, next.Time, next.Deadline = "", "", time.Time{}, time.Time{}
	if answered(run, current) {
		next.Batch, next.Attempt, next.Uncertain = int(run.Status.Batches.Done), 0, false
		next.NotBefore, next.Reason, next.Message = time.Time{}, "", ""
		next.Records = run.Status.Records.DeepCopy()
	}
	return next
}

// granted is the claim with the permission for one call.
func (c Claim) granted(run *v1alpha1.ImportRun, token, holder string, sent Payload, now time.Time) Claim {
	c.Run, c.Token, c.Holder, c.Time = string(run.UID), token, holder, now
	c.NotBefore, c.Reason, c.Message = time.Time{}, "", ""
	if c.Started.IsZero() {
		c.Started, c.Spent = now.Add(-c.Spent), 0
	}
	c.Deadline = c.Started.Add(TimeLimit(run))
	c.Digest, c.Batches = sent.Digest, len(sent.Batches)
	return c
}

// stopped is the claim of a run whose time does not run because it is suspended.
func (c Claim) stopped(now time.Time) Claim {
	c.Started, c.Spent = time.Time{}, now.Sub(c.Started)
	return c
}
