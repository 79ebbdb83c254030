// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package runstate

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/drift"
	"github.com/integrator-operator/integrator-operator/internal/integrator"
	"github.com/integrator-operator/integrator-operator/internal/problem"
	"github.com/integrator-operator/integrator-operator/internal/records"
)

// Verdict is what one call did to the records that it sent.
type Verdict struct {
	// Outcome is OutcomeApplied when every record has its result.
	Outcome  integrator.Outcome
	Records  v1alpha1.RecordCounts
	Failures []v1alpha1.RecordFailure
	// Failed are the records of the call that are known to have failed.
	Failed records.Indexes
	// Reason and Message say why the records have no results, Problem is the same as an error. They
	// are empty with OutcomeApplied.
	Reason, Message string
	Problem         *problem.Problem
	// Retriable: a call that was not applied may be accepted later.
	Retriable bool
}

// Invoking is what the call of a run tries, in messages.
const Invoking = "invoke the import"

// Judge decides what a call of total records did, from the response or from the error. secret
// keeps the destination's words out of status.
func Judge(response integrator.InvokeResponse, err error, total int, secret bool) Verdict {
	//nolint:gosec // the 5 MB page has far fewer than 2^31 records
	counts := v1alpha1.RecordCounts{Total: int32(total), Sent: int32(total)}
	if err == nil {
		return judgeRecords(response.Records, counts, secret)
	}
	if secret {
		err = problem.Redact(err, false)
	}
	p := problem.FromAPI(err, Invoking)
	if p == nil {
		p = problem.Terminalf(v1alpha1.ReasonInvokeRejected, "cannot invoke the import: %v", err)
	}
	switch integrator.OutcomeOf(err) {
	case integrator.OutcomeFailed:
		counts.Failed = counts.Total
		all := records.Indexes{{First: 0, Last: total - 1}}
		return Verdict{Outcome: integrator.OutcomeFailed, Records: counts, Failed: all, Reason: v1alpha1.ReasonInvokeRejected, Problem: p,
			Message: "the API failed the whole request" + problem.Details(integrator.Error(err)) + "; correct what it names and create another ImportRun"}
	case integrator.OutcomeNotApplied:
		counts.Sent = 0
		return judgeNotApplied(err, p, counts)
	case integrator.OutcomeApplied, integrator.OutcomeUnknown:
		// OutcomeApplied has no error.
	}
	return Verdict{Outcome: integrator.OutcomeUnknown, Records: counts, Reason: v1alpha1.ReasonOutcomeUnknown, Problem: p,
		Message: "the call was sent and its answer was lost (" + lostBecause(integrator.Error(err)) + ")"}
}

// judgeNotApplied is the verdict on a call that changed nothing.
func judgeNotApplied(err error, p *problem.Problem, counts v1alpha1.RecordCounts) Verdict {
	api := integrator.Error(err)
	v := Verdict{Outcome: integrator.OutcomeNotApplied, Records: counts, Reason: p.Reason(), Message: p.Message(), Problem: p, Retriable: api.Retriable()}
	switch {
	case p.Class() == problem.RateLimited:
		// Shown only if there is no time left to send the batch again.
		v.Reason = v1alpha1.ReasonDeadlineExceeded
		v.Message = "the API asked to come back later, and there was no time for that within activeDeadlineSeconds"
	case errors.Is(err, context.DeadlineExceeded):
		v.Reason = v1alpha1.ReasonDeadlineExceeded
		v.Message = "there was no connection to the API within activeDeadlineSeconds"
	case p.Reason() == v1alpha1.ReasonUnexpectedResponse:
		v.Message = fmt.Sprintf("cannot invoke the import: the response (%d) gives no reason, so it may come from a gateway in between; create another ImportRun once the API can be reached", api.StatusCode)
	case p.Reason() == v1alpha1.ReasonRejected:
		v.Message = strings.TrimSuffix(p.Message(), problem.CorrectSpec) + "correct what it names and create another ImportRun"
	case p.Reason() == v1alpha1.ReasonUnreachable:
		v.Message = "cannot invoke the import: " + problem.NetworkCause(api.Err) + "; create another ImportRun once the API can be reached"
	}
	return v
}

func lostBecause(api *integrator.APIError) string {
	switch {
	case api.StatusCode == 0:
		return problem.NetworkCause(api.Err)
	case api.StatusCode >= 300:
		return fmt.Sprintf("the API answered %d", api.StatusCode)
	default:
		return "the answer is not what the API documents" + problem.TooLong(api.Err)
	}
}

// judgeRecords counts the results of the records. If the answer does not have one result for each
// record, the outcome is unknown.
func judgeRecords(results []integrator.RecordResult, counts v1alpha1.RecordCounts, secret bool) Verdict {
	var failures []v1alpha1.RecordFailure
	var failed records.Indexes
	for i, result := range results {
		switch {
		case result.Ignored:
			counts.Ignored++
		case result.StatusCode >= 200 && result.StatusCode < 300 && len(result.Errors) == 0:
			counts.Succeeded++
		default:
			counts.Failed++
			failed = failed.Add(i)
			if len(failures) < maxFailures {
				failures = append(failures, failureOf(i, result, secret))
			}
		}
	}
	if len(results) != int(counts.Total) {
		message := fmt.Sprintf("the answer has results of %d records and %d were sent", len(results), counts.Total)
		return Verdict{Outcome: integrator.OutcomeUnknown, Records: counts, Failures: failures, Reason: v1alpha1.ReasonOutcomeUnknown, Message: message,
			Problem: problem.New(problem.Transient, v1alpha1.ReasonOutcomeUnknown, message)}
	}
	return Verdict{Outcome: integrator.OutcomeApplied, Records: counts, Failures: failures, Failed: failed}
}

func failureOf(index int, result integrator.RecordResult, secret bool) v1alpha1.RecordFailure {
	//nolint:gosec // an index of a 5 MB page, and an HTTP status
	failure := v1alpha1.RecordFailure{Index: int32(index), StatusCode: int32(result.StatusCode)}
	if len(result.Errors) == 0 {
		return failure
	}
	failure.Code = drift.Cut(result.Errors[0].Code, 128)
	failure.Message = drift.Cut(result.Errors[0].Message, 512)
	if secret {
		failure.Message = problem.NotShown
		if !problem.PlainCode(failure.Code) {
			failure.Code = ""
		}
	}
	return failure
}
