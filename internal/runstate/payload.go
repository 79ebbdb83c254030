// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package runstate

import (
	"encoding/json"
	"fmt"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/problem"
	"github.com/integrator-operator/integrator-operator/internal/records"
)

// Payload is what a run sends.
type Payload struct {
	Records  []json.RawMessage
	Settings json.RawMessage
	// Batches are ranges of Records, in order.
	Batches []records.Batch
	// Positions are those of Records in the data that they were selected from, nil when they are all
	// of it.
	Positions []int32
	// Omitted says which records of the run that is retried were not selected, although it is not known
	// that they were written; "" when there are none.
	Omitted string
	// Secret: some of it, or of the import's definition, comes from a Secret.
	Secret bool
	// Digest stands for all of it: another digest means that it changed.
	Digest string
	// DataHash stands for what the run's own data and settings are, or those of the run that it
	// retries; SourcesHash for the content of dataFrom, "" without any.
	DataHash, SourcesHash string
}

// Total is the number of records.
//
//nolint:gosec // far fewer records than 2^31 fit into a run
func (p Payload) Total() int32 { return int32(len(p.Records)) }

// Part is what the batch with this index sends.
func (p Payload) Part(batch int) []json.RawMessage {
	part := p.Batches[batch]
	return p.Records[part.From:part.To]
}

// omits ends a message with what was not selected.
func (p Payload) omits() string {
	if p.Omitted == "" {
		return ""
	}
	return "; " + p.Omitted
}

// position is that of the record with this index in the data that Records were selected from.
func (p Payload) position(index int) int {
	if p.Positions == nil {
		return index
	}
	return int(p.Positions[index])
}

// Misfit ends a run whose data is not what it was when the run was first seen, or when batches of it
// were sent, and one whose claim is for a batch that does not exist. It is false for data that fits.
func Misfit(run *v1alpha1.ImportRun, next Claim, payload Payload) (Outcome, bool) {
	sent := next.Batch > 0 || next.Uncertain
	switch {
	case run.Status.DataHash != "" && run.Status.DataHash != payload.DataHash:
		return Stop(run, next, v1alpha1.RunFailed, v1alpha1.ReasonDataChanged, "data or settings have changed since the run was first seen: create another ImportRun with the new ones"), true
	case sent && next.Digest != "" && next.Digest != payload.Digest:
		return Stop(run, next, v1alpha1.RunFailed, v1alpha1.ReasonDataChanged, "data, dataFrom or settings have changed since the first batch was sent"), true
	case next.Batch >= len(payload.Batches):
		return lost(run, next), true
	default:
		return Outcome{}, false
	}
}

// Retried gives the records of another run that a run with retryOf sends again: those that are known to
// have failed. of is that run, nil when it does not exist. While it has not ended, wait says so; refused
// says why its records cannot be sent again, "" when they can.
func Retried(run, of *v1alpha1.ImportRun) (failed records.Indexes, wait *problem.Problem, refused string) {
	name := run.Spec.RetryOf.Name
	switch {
	case of == nil:
		return nil, nil, fmt.Sprintf("ImportRun %q, which retryOf names, is not in the namespace, and with it the list of the records that failed: create an ImportRun with these records", name)
	case of.UID == run.UID:
		return nil, nil, "retryOf names the ImportRun itself: create another ImportRun that names the one whose records failed"
	case !sameImport(run, of):
		return nil, nil, fmt.Sprintf("ImportRun %q, which retryOf names, is of another import: its records can be sent again to that one only", name)
	case !Finished(of):
		return nil, problem.Waitingf(v1alpha1.ReasonProgressing, "waiting for ImportRun %q, which retryOf names, to end", name).WithRetryAfter(keyPause), ""
	case of.Status.FailedRecordsTruncated:
		return nil, nil, fmt.Sprintf("so many records failed in ImportRun %q that its status.failedRecords has no room for all of them: create an ImportRun with the records that failed", name)
	case of.Status.FailedRecords == "":
		return nil, nil, noneFailed(of)
	}
	failed, err := records.ParseIndexes(of.Status.FailedRecords)
	if err != nil {
		return nil, nil, fmt.Sprintf("status.failedRecords of ImportRun %q is %v", name, err)
	}
	return failed, nil, ""
}

// sameImport reports whether two runs name the same import.
func sameImport(a, b *v1alpha1.ImportRun) bool {
	_, first := KeyObject(a)
	_, second := KeyObject(b)
	accountOf := func(run *v1alpha1.ImportRun) string {
		if run.Spec.AccountRef == nil {
			return ""
		}
		return run.Spec.AccountRef.Name
	}
	return first == second && accountOf(a) == accountOf(b)
}

// noneFailed says why there is nothing to send again of a run.
func noneFailed(of *v1alpha1.ImportRun) string {
	counts := of.Status.Records
	switch {
	case counts != nil && counts.Failed > 0:
		return fmt.Sprintf("ImportRun %q does not list which records failed, as under an older version of the operator: create an ImportRun with these records", of.Name)
	case of.Status.Phase == v1alpha1.RunUnknown:
		return fmt.Sprintf("no record of ImportRun %q is known to have failed, and %d have no result: look into the destination, then create an ImportRun with those that are missing", of.Name, open(of))
	case of.Status.Phase == v1alpha1.RunSucceeded:
		return fmt.Sprintf("no record of ImportRun %q failed: there is nothing to send again", of.Name)
	case counts == nil || counts.Sent == 0:
		return fmt.Sprintf("ImportRun %q sent nothing: create another ImportRun that names the one whose records failed", of.Name)
	default:
		return fmt.Sprintf("no record of ImportRun %q failed: it did not send them all, so create an ImportRun with those that it did not send", of.Name)
	}
}

// open is how many records of a run have no result.
func open(of *v1alpha1.ImportRun) int32 {
	if of.Status.Records == nil {
		return 0
	}
	c := of.Status.Records
	return max(0, c.Total-c.Succeeded-c.Failed-c.Ignored)
}

// Omitted says how many records of a run have no result, and are not sent again; "" when there are none.
func Omitted(of *v1alpha1.ImportRun) string {
	n := open(of)
	switch {
	case n == 0:
		return ""
	case of.Status.Phase == v1alpha1.RunUnknown:
		return fmt.Sprintf("%d records of ImportRun %q are not among them, because their outcome is unknown, or they were not sent", n, of.Name)
	default:
		return fmt.Sprintf("%d records of ImportRun %q are not among them, because they were not sent", n, of.Name)
	}
}
