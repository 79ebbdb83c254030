// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/drift"
	"github.com/integrator-operator/integrator-operator/internal/integrator"
)

// What the answer to one call means, as pure functions.

// fate is what one call did, as far as is known.
type fate int

const (
	// fateAnswered: every record has its result.
	fateAnswered fate = iota
	// fateRefused: the call is known to have changed nothing.
	fateRefused
	// fateFailed: the API failed the whole request, in its own words.
	fateFailed
	// fateUnknown: the records may or may not have been written.
	fateUnknown
)

// verdict is what one call did, to the records that it sent.
type verdict struct {
	fate     fate
	records  v1alpha1.RecordCounts
	failures []v1alpha1.RecordFailure
	// reason and message say why the records have no results, problem what that is as an error.
	reason, message string
	problem         *problem
	// retriable tells that a refused call may go through later.
	retriable bool
}

// judgeAnswer decides what a call of total records did, from the answer or from the error.
// secret keeps the destination's words out of status.
func judgeAnswer(answer integrator.InvokeResponse, err error, total int, secret bool) verdict {
	//nolint:gosec // the 5 MB page holds far fewer than 2^31 records
	counts := v1alpha1.RecordCounts{Total: int32(total), Sent: int32(total)}
	if err == nil {
		return judgeRecords(answer.Records, counts, secret)
	}
	if secret {
		err = withoutWords(err, false)
	}
	p := classify(err, "invoke the import")
	if p == nil {
		p = terminalf(reasonInvokeRejected, "cannot invoke the import: %v", err)
	}
	switch {
	case wholeRequestFailed(err):
		counts.Failed = counts.Total
		return verdict{fate: fateFailed, records: counts, reason: reasonInvokeRejected, problem: p,
			message: "the API failed the whole request" + saying(apiError(err)) + "; correct what it names and create another ImportRun"}
	case !knownNotApplied(err):
		return verdict{fate: fateUnknown, records: counts, reason: reasonOutcomeUnknown, problem: p,
			message: "the call was sent and its answer was lost (" + lostBecause(err) + ")"}
	}
	counts.Sent = 0
	v := verdict{fate: fateRefused, records: counts, reason: p.reason, message: p.message, problem: p, retriable: retriable(apiError(err))}
	switch {
	case p.class == throttled:
		v.reason = reasonDeadlineExceeded
		v.message = "the API asked to come back later, and there was no time for that within activeDeadlineSeconds"
	case errors.Is(err, context.DeadlineExceeded):
		v.reason = reasonDeadlineExceeded
		v.message = "there was no connection to the API within activeDeadlineSeconds"
	case p.reason == reasonUnexpectedResponse:
		v.message = fmt.Sprintf("cannot invoke the import: the answer (%d) gives no reason, as one of a gateway in between; create another ImportRun once the API can be reached", apiError(err).StatusCode)
	case p.reason == reasonUnreachable:
		v.message = "cannot invoke the import: " + networkCause(apiError(err).Err) + "; create another ImportRun once the API can be reached"
	}
	return v
}

// retriable tells that a call that changed nothing may go through later, as it is: what the
// API refuses because of the records, it refuses again.
func retriable(api *integrator.APIError) bool {
	switch api.StatusCode {
	case 0:
		return !errors.Is(api.Err, integrator.ErrInvalidArgument)
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusMethodNotAllowed:
		return true
	default:
		return false
	}
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
func judgeRecords(results []integrator.RecordResult, counts v1alpha1.RecordCounts, secret bool) verdict {
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
	if len(results) != int(counts.Total) {
		message := fmt.Sprintf("the answer speaks of %d records and %d were sent", len(results), counts.Total)
		return verdict{fate: fateUnknown, records: counts, failures: failures, reason: reasonOutcomeUnknown, message: message,
			problem: &problem{class: transient, reason: reasonOutcomeUnknown, message: message}}
	}
	return verdict{fate: fateAnswered, records: counts, failures: failures}
}

func failureOf(index int, result integrator.RecordResult, secret bool) v1alpha1.RecordFailure {
	//nolint:gosec // an index of a 5 MB page, and an HTTP status
	failure := v1alpha1.RecordFailure{Index: int32(index), StatusCode: int32(result.StatusCode)}
	if len(result.Errors) > 0 {
		failure.Code = drift.Cut(result.Errors[0].Code, 128)
		failure.Message = drift.Cut(result.Errors[0].Message, 512)
		if secret {
			failure.Message = notShown
			if !plainCode.MatchString(failure.Code) {
				failure.Code = ""
			}
		}
	}
	return failure
}
