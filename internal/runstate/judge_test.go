// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package runstate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/integrator"
)

func TestJudge(t *testing.T) {
	ok := integrator.RecordResult{StatusCode: 200}
	bad := integrator.RecordResult{StatusCode: 422, Errors: []integrator.ErrorDetail{{Code: "c", Message: "m"}}}
	many := make([]integrator.RecordResult, 30)
	cases := map[string]struct {
		reason  string
		results []integrator.RecordResult
		err     error
		total   int
		secret  bool
		phase   v1alpha1.RunPhase
		because string
		counts  v1alpha1.RecordCounts
		listed  int
		again   bool
	}{
		"All":     {reason: "every record was taken", results: []integrator.RecordResult{ok, ok}, total: 2, phase: v1alpha1.RunSucceeded, because: v1alpha1.ReasonRecordsAccepted, counts: v1alpha1.RecordCounts{Total: 2, Sent: 2, Succeeded: 2}},
		"Ignored": {reason: "ignored is no failure", results: []integrator.RecordResult{ok, {StatusCode: 0, Ignored: true}}, total: 2, phase: v1alpha1.RunSucceeded, because: v1alpha1.ReasonRecordsAccepted, counts: v1alpha1.RecordCounts{Total: 2, Sent: 2, Succeeded: 1, Ignored: 1}},
		"Some":    {reason: "one that failed fails the run", results: []integrator.RecordResult{ok, bad}, total: 2, phase: v1alpha1.RunFailed, because: v1alpha1.ReasonRecordsFailed, counts: v1alpha1.RecordCounts{Total: 2, Sent: 2, Succeeded: 1, Failed: 1}, listed: 1},
		"Errors with 200": {reason: "errors count whatever the status says", results: []integrator.RecordResult{{StatusCode: 200, Errors: []integrator.ErrorDetail{{Code: "x"}}}}, total: 1,
			phase: v1alpha1.RunFailed, because: v1alpha1.ReasonRecordsFailed, counts: v1alpha1.RecordCounts{Total: 1, Sent: 1, Failed: 1}, listed: 1},
		"Fewer":  {reason: "records that the answer leaves out are unknown", results: []integrator.RecordResult{ok}, total: 2, phase: v1alpha1.RunUnknown, because: v1alpha1.ReasonOutcomeUnknown, counts: v1alpha1.RecordCounts{Total: 2, Sent: 2, Succeeded: 1}},
		"More":   {reason: "an answer about other records is not understood", results: []integrator.RecordResult{ok, ok}, total: 1, phase: v1alpha1.RunUnknown, because: v1alpha1.ReasonOutcomeUnknown, counts: v1alpha1.RecordCounts{Total: 1, Sent: 1, Succeeded: 2}},
		"Many":   {reason: "failures are listed up to 20", results: many, total: 30, phase: v1alpha1.RunFailed, because: v1alpha1.ReasonRecordsFailed, counts: v1alpha1.RecordCounts{Total: 30, Sent: 30, Failed: 30}, listed: 20},
		"Lost":   {reason: "sent and not answered is unknown", err: &integrator.APIError{Sent: true}, total: 2, phase: v1alpha1.RunUnknown, because: v1alpha1.ReasonOutcomeUnknown, counts: v1alpha1.RecordCounts{Total: 2, Sent: 2}},
		"500":    {reason: "a failing server may have applied it", err: &integrator.APIError{Sent: true, StatusCode: 500}, total: 2, phase: v1alpha1.RunUnknown, because: v1alpha1.ReasonOutcomeUnknown, counts: v1alpha1.RecordCounts{Total: 2, Sent: 2}},
		"413":    {reason: "what is too large was not read", err: &integrator.APIError{Sent: true, StatusCode: 413}, total: 2, phase: v1alpha1.RunFailed, because: v1alpha1.ReasonTooLarge, counts: v1alpha1.RecordCounts{Total: 2}},
		"307":    {reason: "who redirects may have applied it", err: &integrator.APIError{Sent: true, StatusCode: 307}, total: 2, phase: v1alpha1.RunUnknown, because: v1alpha1.ReasonOutcomeUnknown, counts: v1alpha1.RecordCounts{Total: 2, Sent: 2}},
		"Late":   {reason: "no connection came about in time", err: &integrator.APIError{Err: context.DeadlineExceeded}, total: 2, phase: v1alpha1.RunFailed, because: v1alpha1.ReasonDeadlineExceeded, counts: v1alpha1.RecordCounts{Total: 2}},
		"Unsent": {reason: "not a byte was written", err: &integrator.APIError{}, total: 2, phase: v1alpha1.RunFailed, because: v1alpha1.ReasonUnreachable, counts: v1alpha1.RecordCounts{Total: 2}},
		"422":    {reason: "a refusal changed nothing", err: &integrator.APIError{Sent: true, StatusCode: 422}, total: 2, phase: v1alpha1.RunFailed, because: v1alpha1.ReasonRejected, counts: v1alpha1.RecordCounts{Total: 2}},
		"429":    {reason: "come back later", err: &integrator.APIError{Sent: true, StatusCode: 429, RetryAfter: time.Second}, total: 2, again: true},
		"200 with errors": {reason: "the whole request failed", err: &integrator.APIError{Sent: true, StatusCode: 200, Errors: []integrator.ErrorDetail{{Message: "offline"}}}, total: 2,
			phase: v1alpha1.RunFailed, because: v1alpha1.ReasonInvokeRejected, counts: v1alpha1.RecordCounts{Total: 2, Sent: 2, Failed: 2}},
		"200 not understood": {reason: "an answer that cannot be read is unknown", err: &integrator.APIError{Sent: true, StatusCode: 200, Err: errors.New("garbage")}, total: 2,
			phase: v1alpha1.RunUnknown, because: v1alpha1.ReasonOutcomeUnknown, counts: v1alpha1.RecordCounts{Total: 2, Sent: 2}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
			call := Judge(integrator.InvokeResponse{Records: tc.results}, tc.err, tc.total, tc.secret)
			ended := Conclude(&v1alpha1.ImportRun{}, Claim{Deadline: now.Add(time.Minute)}, call, oneBatch(tc.total), now)
			if (ended.Again != nil) != tc.again {
				t.Fatalf("%s: again = %v", tc.reason, ended.Again)
			}
			if ended.Again != nil {
				return
			}
			if ended.Phase != tc.phase || ended.Reason != tc.because || len(ended.Failures) != tc.listed {
				t.Errorf("%s: %s %s with %d failures listed, want %s %s with %d", tc.reason, ended.Phase, ended.Reason, len(ended.Failures), tc.phase, tc.because, tc.listed)
			}
			if diff := cmp.Diff(tc.counts, ended.Records); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func oneBatch(total int) Payload {
	return Payload{Records: make([]json.RawMessage, total), Batches: batchesOf(total)}
}

func TestSecretsStayOutOfOutcomes(t *testing.T) {
	details := []integrator.ErrorDetail{{Code: "c", Message: "canary", Field: "canary"}}
	for name, outcomeOf := range map[string]func() Verdict{
		"record": func() Verdict {
			return Judge(integrator.InvokeResponse{Records: []integrator.RecordResult{{StatusCode: 422, Errors: details}}}, nil, 1, true)
		},
		"whole request": func() Verdict {
			return Judge(integrator.InvokeResponse{}, &integrator.APIError{Sent: true, StatusCode: 200, Errors: details}, 1, true)
		},
		"422": func() Verdict {
			return Judge(integrator.InvokeResponse{}, &integrator.APIError{Sent: true, StatusCode: 422, Errors: details}, 1, true)
		},
		"403": func() Verdict {
			return Judge(integrator.InvokeResponse{}, &integrator.APIError{Sent: true, StatusCode: 403, Errors: details}, 1, true)
		},
		"404": func() Verdict {
			return Judge(integrator.InvokeResponse{}, &integrator.APIError{Sent: true, StatusCode: 404, Errors: details}, 1, true)
		},
	} {
		call := outcomeOf()
		if text := fmt.Sprintf("%+v, %v", call, call.Problem); strings.Contains(text, "canary") {
			t.Errorf("%s: the outcome repeats the destination's words: %s", name, text)
		}
	}
}
