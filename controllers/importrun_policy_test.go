// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

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

func TestJudgeClaim(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	held := func(deadline time.Time) string {
		text, err := json.Marshal(claim{Token: "t", Holder: "h", Time: now.Add(-time.Minute), Deadline: deadline})
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	cases := map[string]struct {
		reason, text string
		wait         time.Duration
		ends         bool
	}{
		"Young":      {"the holder may still answer", held(now.Add(time.Minute)), time.Minute + claimGrace, false},
		"InGrace":    {"the holder may be writing the result down", held(now.Add(-time.Second)), claimGrace - time.Second, false},
		"PastGrace":  {"nobody will answer any more", held(now.Add(-claimGrace)), 0, true},
		"Damaged":    {"a claim that cannot be read was made all the same", "{", 0, true},
		"NoDeadline": {"a claim without a deadline was made all the same", "{}", 0, true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			wait, ended := judgeClaim(tc.text, now)
			if wait != tc.wait || (ended != nil) != tc.ends {
				t.Errorf("%s: wait %s, ended %v", tc.reason, wait, ended)
			}
			if name == "PastGrace" && !ended.started.Equal(now.Add(-time.Minute)) {
				t.Errorf("%s: started at %s", tc.reason, ended.started)
			}
			if ended != nil && ended.phase != v1alpha1.RunUnknown {
				t.Errorf("%s: phase %s", tc.reason, ended.phase)
			}
		})
	}
}

func TestJudgeAnswer(t *testing.T) {
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
		"All":     {reason: "every record was taken", results: []integrator.RecordResult{ok, ok}, total: 2, phase: v1alpha1.RunSucceeded, because: reasonRecordsAccepted, counts: v1alpha1.RecordCounts{Total: 2, Sent: 2, Succeeded: 2}},
		"Ignored": {reason: "ignored is no failure", results: []integrator.RecordResult{ok, {StatusCode: 0, Ignored: true}}, total: 2, phase: v1alpha1.RunSucceeded, because: reasonRecordsAccepted, counts: v1alpha1.RecordCounts{Total: 2, Sent: 2, Succeeded: 1, Ignored: 1}},
		"Some":    {reason: "one that failed fails the run", results: []integrator.RecordResult{ok, bad}, total: 2, phase: v1alpha1.RunFailed, because: reasonRecordsFailed, counts: v1alpha1.RecordCounts{Total: 2, Sent: 2, Succeeded: 1, Failed: 1}, listed: 1},
		"Errors with 200": {reason: "errors count whatever the status says", results: []integrator.RecordResult{{StatusCode: 200, Errors: []integrator.ErrorDetail{{Code: "x"}}}}, total: 1,
			phase: v1alpha1.RunFailed, because: reasonRecordsFailed, counts: v1alpha1.RecordCounts{Total: 1, Sent: 1, Failed: 1}, listed: 1},
		"Fewer":  {reason: "records that the answer leaves out are unknown", results: []integrator.RecordResult{ok}, total: 2, phase: v1alpha1.RunUnknown, because: reasonOutcomeUnknown, counts: v1alpha1.RecordCounts{Total: 2, Sent: 2, Succeeded: 1}},
		"More":   {reason: "an answer about other records is not understood", results: []integrator.RecordResult{ok, ok}, total: 1, phase: v1alpha1.RunUnknown, because: reasonOutcomeUnknown, counts: v1alpha1.RecordCounts{Total: 1, Sent: 1, Succeeded: 2}},
		"Many":   {reason: "failures are listed up to 20", results: many, total: 30, phase: v1alpha1.RunFailed, because: reasonRecordsFailed, counts: v1alpha1.RecordCounts{Total: 30, Sent: 30, Failed: 30}, listed: 20},
		"Lost":   {reason: "sent and not answered is unknown", err: &integrator.APIError{Sent: true}, total: 2, phase: v1alpha1.RunUnknown, because: reasonOutcomeUnknown, counts: v1alpha1.RecordCounts{Total: 2, Sent: 2}},
		"500":    {reason: "a failing server may have applied it", err: &integrator.APIError{Sent: true, StatusCode: 500}, total: 2, phase: v1alpha1.RunUnknown, because: reasonOutcomeUnknown, counts: v1alpha1.RecordCounts{Total: 2, Sent: 2}},
		"413":    {reason: "what is too large was not read", err: &integrator.APIError{Sent: true, StatusCode: 413}, total: 2, phase: v1alpha1.RunFailed, because: reasonTooLarge, counts: v1alpha1.RecordCounts{Total: 2}},
		"307":    {reason: "who redirects may have applied it", err: &integrator.APIError{Sent: true, StatusCode: 307}, total: 2, phase: v1alpha1.RunUnknown, because: reasonOutcomeUnknown, counts: v1alpha1.RecordCounts{Total: 2, Sent: 2}},
		"Late":   {reason: "no connection came about in time", err: &integrator.APIError{Err: context.DeadlineExceeded}, total: 2, phase: v1alpha1.RunFailed, because: reasonDeadlineExceeded, counts: v1alpha1.RecordCounts{Total: 2}},
		"Unsent": {reason: "not a byte was written", err: &integrator.APIError{}, total: 2, phase: v1alpha1.RunFailed, because: reasonUnreachable, counts: v1alpha1.RecordCounts{Total: 2}},
		"422":    {reason: "a refusal changed nothing", err: &integrator.APIError{Sent: true, StatusCode: 422}, total: 2, phase: v1alpha1.RunFailed, because: reasonRejected, counts: v1alpha1.RecordCounts{Total: 2}},
		"429":    {reason: "come back later", err: &integrator.APIError{Sent: true, StatusCode: 429, RetryAfter: time.Second}, total: 2, again: true},
		"200 with errors": {reason: "the whole request failed", err: &integrator.APIError{Sent: true, StatusCode: 200, Errors: []integrator.ErrorDetail{{Message: "offline"}}}, total: 2,
			phase: v1alpha1.RunFailed, because: reasonInvokeRejected, counts: v1alpha1.RecordCounts{Total: 2, Sent: 2, Failed: 2}},
		"200 not understood": {reason: "an answer that cannot be read is unknown", err: &integrator.APIError{Sent: true, StatusCode: 200, Err: errors.New("garbage")}, total: 2,
			phase: v1alpha1.RunUnknown, because: reasonOutcomeUnknown, counts: v1alpha1.RecordCounts{Total: 2, Sent: 2}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			ended, again := judgeAnswer(integrator.InvokeResponse{Records: tc.results}, tc.err, tc.total, tc.secret)
			if (again != nil) != tc.again {
				t.Fatalf("%s: again = %v", tc.reason, again)
			}
			if again != nil {
				return
			}
			if ended.phase != tc.phase || ended.reason != tc.because || len(ended.failures) != tc.listed {
				t.Errorf("%s: %s %s with %d failures listed, want %s %s with %d", tc.reason, ended.phase, ended.reason, len(ended.failures), tc.phase, tc.because, tc.listed)
			}
			if diff := cmp.Diff(tc.counts, ended.records); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestSecretsStayOutOfOutcomes(t *testing.T) {
	details := []integrator.ErrorDetail{{Code: "c", Message: "canary", Field: "canary"}}
	for name, outcomeOf := range map[string]func() (outcome, *problem){
		"record": func() (outcome, *problem) {
			return judgeAnswer(integrator.InvokeResponse{Records: []integrator.RecordResult{{StatusCode: 422, Errors: details}}}, nil, 1, true)
		},
		"whole request": func() (outcome, *problem) {
			return judgeAnswer(integrator.InvokeResponse{}, &integrator.APIError{Sent: true, StatusCode: 200, Errors: details}, 1, true)
		},
		"422": func() (outcome, *problem) {
			return judgeAnswer(integrator.InvokeResponse{}, &integrator.APIError{Sent: true, StatusCode: 422, Errors: details}, 1, true)
		},
		"403": func() (outcome, *problem) {
			return judgeAnswer(integrator.InvokeResponse{}, &integrator.APIError{Sent: true, StatusCode: 403, Errors: details}, 1, true)
		},
		"404": func() (outcome, *problem) {
			return judgeAnswer(integrator.InvokeResponse{}, &integrator.APIError{Sent: true, StatusCode: 404, Errors: details}, 1, true)
		},
	} {
		ended, _ := outcomeOf()
		if text := fmt.Sprintf("%+v", ended); strings.Contains(text, "canary") {
			t.Errorf("%s: the outcome repeats the destination's words: %s", name, text)
		}
	}
}

func TestParseRecords(t *testing.T) {
	cases := map[string]struct {
		source string
		want   []string
		fails  string
	}{
		"Array":         {source: ` [{"a": 1}, [2], "x"] `, want: []string{`{"a": 1}`, `[2]`, `"x"`}},
		"Lines":         {source: "{\"a\": 1}\n\n{\"a\": 2}\r\n", want: []string{`{"a": 1}`, `{"a": 2}`}},
		"NoLastNewline": {source: `{"a": 9007199254740993}`, want: []string{`{"a": 9007199254740993}`}},
		"Empty":         {source: " \n", want: nil},
		"EmptyArray":    {source: "[]", want: nil},
		"CutArray":      {source: `[{"secret": 1}`, fails: "not a JSON array: syntax error near byte 14"},
		"CutLine":       {source: "{}\n{\"secret\": ", fails: "not JSON Lines: record 1: it ends too early"},
		"BadLine":       {source: "{}\nsecret", fails: "not JSON Lines: record 1: syntax error near byte 4"},
		"AfterArray":    {source: "[1] secret", fails: "not a JSON array: syntax error near byte 5"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			records, err := parseRecords([]byte(tc.source))
			if tc.fails != "" {
				if err == nil || err.Error() != tc.fails {
					t.Fatalf("got %v, want %q", err, tc.fails)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, record := range records {
				got = append(got, string(record))
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("-want, +got:\n%s", diff)
			}
		})
	}
}
