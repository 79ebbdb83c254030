// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/drift"
	"github.com/integrator-operator/integrator-operator/internal/integrator"
)

// The decisions of a run, as pure functions of what is known.

const (
	reasonRecordsAccepted  = "RecordsAccepted"
	reasonRecordsFailed    = "RecordsFailed"
	reasonInvokeRejected   = "InvokeRejected"
	reasonOutcomeUnknown   = "OutcomeUnknown"
	reasonInvalidData      = "InvalidData"
	reasonDeadlineExceeded = "DeadlineExceeded"
	reasonDataNotFound     = "DataNotFound"
	reasonImportNotFound   = "ImportNotFound"
	reasonImportNotReady   = "ImportNotReady"
)

const (
	// maxPage is the API's limit of one page of data, in bytes as sent.
	maxPage = 5_000_000
	// maxFailures is how many failed records status lists.
	maxFailures = 20
	// claimGrace is added to a claim's deadline before another process judges it: its
	// holder may still be writing the result down, by a clock that is not ours.
	claimGrace = 30 * time.Second
)

// claim is the value of the claim annotation: the permission for one call. It is never
// given twice.
type claim struct {
	Token    string    `json:"token"`
	Holder   string    `json:"holder"`
	Time     time.Time `json:"time"`
	Deadline time.Time `json:"deadline"`
}

// finished tells that a run has ended: no call and no write happens for it any more.
func finished(run *v1alpha1.ImportRun) bool {
	switch run.Status.Phase {
	case v1alpha1.RunSucceeded, v1alpha1.RunFailed, v1alpha1.RunUnknown:
		return true
	default:
		return false
	}
}

// outcome is how a run ended.
type outcome struct {
	// importID and started tell of its call; zero when there was none. They go along
	// because showing the run as Running may have failed.
	importID string
	started  time.Time

	phase    v1alpha1.RunPhase
	reason   string
	message  string
	records  v1alpha1.RecordCounts
	failures []v1alpha1.RecordFailure
}

// judgeClaim decides about a claim that another process holds, or held: how long to wait
// for its result, or, past its deadline, that nobody knows whether the call was made.
func judgeClaim(text string, now time.Time) (wait time.Duration, ended *outcome) {
	var held claim
	if err := json.Unmarshal([]byte(text), &held); err == nil {
		if wait := held.Deadline.Add(claimGrace).Sub(now); wait > 0 {
			return wait, nil
		}
	}
	ended = lostClaim()
	ended.started = held.Time
	return 0, ended
}

// lostClaim is the end of a run whose call was permitted and left no outcome.
func lostClaim() *outcome {
	return &outcome{phase: v1alpha1.RunUnknown, reason: reasonOutcomeUnknown,
		message: "the operator stopped between the call and its answer: the records may or may not have been written; look into the destination before running again"}
}

// judgeAnswer decides how a run of total records ended, from the answer to its call or
// from the error. again is true when the call is known to have changed nothing and the
// API only asks to come later. secret keeps the destination's words out of status.
func judgeAnswer(answer integrator.InvokeResponse, err error, total int, secret bool) (ended outcome, again *problem) {
	//nolint:gosec // the 5 MB page holds far fewer than 2^31 records
	counts := v1alpha1.RecordCounts{Total: int32(total), Sent: int32(total)}
	if err == nil {
		return judgeRecords(answer.Records, counts, secret), nil
	}
	if secret {
		err = withoutWords(err, false)
	}
	p := classify(err, "invoke the import")
	if p == nil {
		p = terminalf(reasonInvokeRejected, "cannot invoke the import: %v", err)
	}
	if wholeRequestFailed(err) {
		counts.Failed = counts.Total
		return outcome{phase: v1alpha1.RunFailed, reason: reasonInvokeRejected, records: counts,
			message: "the API failed the whole request" + saying(apiError(err)) + "; correct what it names and create another ImportRun"}, nil
	}
	if !knownNotApplied(err) {
		return outcome{phase: v1alpha1.RunUnknown, reason: reasonOutcomeUnknown, records: counts,
			message: "the call was sent and its answer was lost (" + lostBecause(err) + "): the records may or may not have been written; look into the destination before running again"}, nil
	}
	counts.Sent = 0
	if p.class == throttled {
		return outcome{}, p
	}
	ended = outcome{phase: v1alpha1.RunFailed, reason: p.reason, message: p.message + "; nothing was written", records: counts}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		ended.reason = reasonDeadlineExceeded
		ended.message = "there was no connection to the API within activeDeadlineSeconds; nothing was written"
	case p.reason == reasonUnreachable:
		ended.message = "cannot invoke the import: " + networkCause(apiError(err).Err) + "; nothing was written; create another ImportRun once the API can be reached"
	}
	return ended, nil
}

func apiError(err error) *integrator.APIError {
	if api, ok := errors.AsType[*integrator.APIError](err); ok {
		return api
	}
	return &integrator.APIError{}
}

// wholeRequestFailed tells that the API answered 200 with an error object instead of
// results.
func wholeRequestFailed(err error) bool {
	api := apiError(err)
	return api.StatusCode >= 200 && api.StatusCode < 300 && len(api.Errors) > 0 && !api.NotUnderstood()
}

func lostBecause(err error) string {
	api := apiError(err)
	switch {
	case api.StatusCode == 0:
		return networkCause(api.Err)
	case api.StatusCode >= 300:
		return fmt.Sprintf("the API answered %d", api.StatusCode)
	default:
		return "the answer is not what the API documents" + tooLong(api.Err)
	}
}

// judgeRecords counts the results of the records. An answer that does not speak of every
// record leaves the rest unknown.
func judgeRecords(results []integrator.RecordResult, counts v1alpha1.RecordCounts, secret bool) outcome {
	var failures []v1alpha1.RecordFailure
	for i, result := range results {
		switch {
		case result.Ignored:
			counts.Ignored++
		case result.StatusCode >= 200 && result.StatusCode < 300 && len(result.Errors) == 0:
			counts.Succeeded++
		default:
			counts.Failed++
			if len(failures) < maxFailures {
				failures = append(failures, failureOf(i, result, secret))
			}
		}
	}
	ended := outcome{records: counts, failures: failures}
	switch {
	case len(results) != int(counts.Total):
		ended.phase, ended.reason = v1alpha1.RunUnknown, reasonOutcomeUnknown
		ended.message = fmt.Sprintf("the answer speaks of %d records and %d were sent: look into the destination before running again", len(results), counts.Total)
	case counts.Failed > 0:
		ended.phase, ended.reason = v1alpha1.RunFailed, reasonRecordsFailed
		ended.message = fmt.Sprintf("%d of %d records failed; see status.failures, and create another ImportRun with just these once they are corrected", counts.Failed, counts.Total)
	default:
		ended.phase, ended.reason = v1alpha1.RunSucceeded, reasonRecordsAccepted
		ended.message = fmt.Sprintf("%d records were accepted, %d ignored", counts.Succeeded, counts.Ignored)
	}
	return ended
}

func failureOf(index int, result integrator.RecordResult, secret bool) v1alpha1.RecordFailure {
	//nolint:gosec // an index of a 5 MB page, and an HTTP status
	failure := v1alpha1.RecordFailure{Index: int32(index), StatusCode: int32(result.StatusCode)}
	if len(result.Errors) > 0 {
		failure.Code = drift.Cut(result.Errors[0].Code, 128)
		failure.Message = drift.Cut(result.Errors[0].Message, 512)
		if secret {
			failure.Message = notShown
		}
	}
	return failure
}

// parseRecords reads one source of records: a JSON array, or JSON Lines.
func parseRecords(source []byte) ([]json.RawMessage, error) {
	trimmed := bytes.TrimSpace(source)
	if len(trimmed) > 0 && trimmed[0] == '[' {
		var records []json.RawMessage
		if err := json.Unmarshal(trimmed, &records); err != nil {
			return nil, fmt.Errorf("not a JSON array: %s", positionOf(err))
		}
		return records, nil
	}
	var records []json.RawMessage
	decoder := json.NewDecoder(bytes.NewReader(trimmed))
	for {
		var record json.RawMessage
		err := decoder.Decode(&record)
		if errors.Is(err, io.EOF) {
			return records, nil
		}
		if err != nil {
			return nil, fmt.Errorf("not JSON Lines: record %d: %s", len(records), positionOf(err))
		}
		records = append(records, record)
	}
}

// positionOf tells where JSON is wrong without repeating any of it.
func positionOf(err error) string {
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		return fmt.Sprintf("syntax error near byte %d", syntax.Offset)
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return "it ends too early"
	}
	return "it cannot be read"
}
