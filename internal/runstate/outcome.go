// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package runstate

import (
	"fmt"
	"time"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/problem"
)

// Outcome is what became of a run: how it ended, or, without a phase, how far it has come. It is a
// value: the functions of this package return another one.
type Outcome struct {
	// Token and Batch are those of the call that the outcome is of. Without a token there was no
	// call: the outcome was decided from what was read.
	Token string
	Batch int
	// ImportID and Started belong to the calls; they are zero when there was none. They are in the
	// outcome because showing the run as Running may have failed.
	ImportID string
	Started  time.Time

	Records  v1alpha1.RecordCounts
	Failures []v1alpha1.RecordFailure
	// FailedRecords are the positions of all that failed; FailedRecordsTruncated: it has no room for
	// more, and more failed.
	FailedRecords          string
	FailedRecordsTruncated bool
	// Done is how many batches were answered, of Total.
	Done, Total int

	// Again says why the batch is sent again later. Next is the claim that stands until then.
	Again *problem.Problem
	Next  Claim

	// Phase is how the run ended, with Reason and Message for its conditions; "" when it goes on.
	Phase   v1alpha1.RunPhase
	Reason  string
	Message string
	// Note is the message of the event, "" when it is that of the conditions.
	Note string
}

// Call is what the status shows as the call in progress once the outcome is recorded, where it has
// shown shown: a call that may have been applied stays there until its batch is answered, so that
// nobody can have it forgotten by an edit of the claim.
func (o Outcome) Call(shown string) string {
	if o.Again != nil && o.Next.Uncertain {
		return shown
	}
	return ""
}

// OfCall reports whether the outcome is that of a call, so that nobody else knows it.
func (o Outcome) OfCall() bool { return o.Token != "" }

// end is the outcome with an end.
func (o Outcome) end(phase v1alpha1.RunPhase, reason, format string, args ...any) Outcome {
	o.Phase, o.Reason, o.Message = phase, reason, fmt.Sprintf(format, args...)
	return o
}

// Standing is how far a run has come before the claim's call, by its status, or, after a restore
// that dropped the status, by the claim.
func Standing(run *v1alpha1.ImportRun, at Claim) Outcome {
	status := &run.Status
	o := Outcome{Started: at.Started, Done: at.Batch, Total: at.Batches, Failures: status.Failures,
		FailedRecords: status.FailedRecords, FailedRecordsTruncated: status.FailedRecordsTruncated}
	if status.Batches != nil {
		o.Done, o.Total = max(o.Done, int(status.Batches.Done)), int(status.Batches.Total)
	}
	switch {
	case status.Records != nil:
		o.Records = *status.Records
	case at.Records != nil:
		o.Records = *at.Records
	}
	return o
}

// lost is the end of a run whose call was permitted and left no outcome.
func lost(run *v1alpha1.ImportRun, at Claim) Outcome {
	o := Standing(run, at)
	if o.Started.IsZero() {
		o.Started = at.Time
	}
	return o.end(v1alpha1.RunUnknown, v1alpha1.ReasonOutcomeUnknown,
		"%sa call was permitted and its outcome is unknown, because the operator stopped before the answer or the claim was changed: the records may or may not have been written; look into the destination before running again", o.batch())
}

// unproven is the end of a run whose claim is not borne out. Nothing that the claim says counts.
func unproven(run *v1alpha1.ImportRun, because string) Outcome {
	o := Standing(run, Claim{})
	return o.end(v1alpha1.RunUnknown, v1alpha1.ReasonOutcomeUnknown,
		"the annotation %s contradicts the run's status (%s), so the object was restored or the annotation was edited: nothing more is sent, and batches that the status does not count may have been written; look into the destination, then create another ImportRun without the annotation",
		v1alpha1.AnnotationClaim, because)
}

// Stop ends a run before its next batch, because of what the text says.
func Stop(run *v1alpha1.ImportRun, at Claim, phase v1alpha1.RunPhase, reason, because string) Outcome {
	o := Standing(run, at)
	switch {
	case at.Uncertain:
		return o.end(v1alpha1.RunUnknown, v1alpha1.ReasonOutcomeUnknown,
			"%s, and the answer to batch %d was lost before: its records may or may not have been written; look into the destination before running again", because, at.Batch+1)
	case at.Batch == 0:
		return o.end(phase, reason, "%s; nothing was written", because)
	default:
		return o.end(phase, reason, "%s; %d of %d batches were sent, the others will not be sent", because, o.Done, o.Total)
	}
}

// Invalid ends a run whose data cannot be sent, for a reason.
func Invalid(run *v1alpha1.ImportRun, at Claim, reason, because string) Outcome {
	if at.Batch == 0 && !at.Uncertain {
		return Standing(run, at).end(v1alpha1.RunFailed, reason, "%s; nothing was sent", because)
	}
	return Stop(run, at, v1alpha1.RunFailed, reason, because)
}

// batch names the batch after those that are done, in a run of several.
func (o Outcome) batch() string {
	if o.Total < 2 {
		return ""
	}
	return fmt.Sprintf("batch %d of %d: ", o.Done+1, o.Total)
}

// rest names the batches that are not sent because this one ended the run.
func (o Outcome) rest() string {
	if left := o.Total - o.Done - 1; left > 0 {
		return fmt.Sprintf("; the %d after it are not sent", left)
	}
	return ""
}
