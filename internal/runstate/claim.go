// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package runstate

import (
	"encoding/json"
	"errors"
	"time"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
)

// claimGrace is added to a claim's deadline before another process judges it: the holder may still
// be writing the result, by a clock that is not ours.
const claimGrace = 30 * time.Second

// Claim is the value of the claim annotation: where the run stands, and, while it has a token, the
// permission for one call. A token is never given twice.
type Claim struct {
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
// Every claim names its batch, and counts nothing below zero.
func ParseClaim(text string) (Claim, error) {
	if text == "" {
		return Claim{}, nil
	}
	c := Claim{Batch: -1}
	if err := json.Unmarshal([]byte(text), &c); err != nil || c == (Claim{}) || c.Batch < 0 || c.Attempt < 0 || c.Spent < 0 {
		return Claim{}, errDamagedClaim
	}
	return c, nil
}

// ClaimOf is the run's claim. It is empty when the claim cannot be read: Decide ends such a run.
func ClaimOf(run *v1alpha1.ImportRun) Claim {
	c, _ := ParseClaim(run.Annotations[v1alpha1.AnnotationClaim])
	return c
}

// answered reports whether the outcome of the claim's call is in status.
func answered(run *v1alpha1.ImportRun, c Claim) bool {
	return run.Status.Batches != nil && int(run.Status.Batches.Done) > c.Batch
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
	c.Token, c.Holder, c.Time = token, holder, now
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
