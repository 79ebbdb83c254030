// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package runstate

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/integrator"
	"github.com/integrator-operator/integrator-operator/internal/problem"
	"github.com/integrator-operator/integrator-operator/internal/records"
)

var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

// batchesOf are batches of so many records each, one after the other.
func batchesOf(sizes ...int) (batches []records.Batch) {
	at := 0
	for _, size := range sizes {
		batches = append(batches, records.Batch{From: at, To: at + size})
		at += size
	}
	return batches
}

// runAt is a run with a claim and with so many of four batches answered; -1 is no status.
func runAt(t *testing.T, c *Claim, done int, edits ...func(*v1alpha1.ImportRun)) *v1alpha1.ImportRun {
	t.Helper()
	run := &v1alpha1.ImportRun{}
	if c != nil {
		text, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		run.Annotations = map[string]string{v1alpha1.AnnotationClaim: string(text)}
		if done >= 0 && c.Batch == done {
			run.Status.Call = c.Token
		}
	}
	if done >= 0 {
		run.Status.Phase = v1alpha1.RunRunning
		run.Status.Batches = &v1alpha1.BatchCounts{Total: 4, Done: int32(done)}                                  //nolint:gosec // at most 4
		run.Status.Records = &v1alpha1.RecordCounts{Total: 8, Sent: int32(2 * done), Succeeded: int32(2 * done)} //nolint:gosec // at most 8
	}
	for _, edit := range edits {
		edit(run)
	}
	return run
}

func TestDecide(t *testing.T) {
	self := Process{Holder: "me", Unused: []string{"unused"}}
	started := noon.Add(-time.Minute)
	claimed := func(batch int, edits ...func(*Claim)) *Claim {
		c := &Claim{Batch: batch, Token: "t", Holder: "other", Time: started, Started: started, Deadline: started.Add(600 * time.Second)}
		for _, edit := range edits {
			edit(c)
		}
		return c
	}
	free := func(batch int, edits ...func(*Claim)) *Claim {
		return claimed(batch, append(edits, func(c *Claim) { c.Token, c.Holder, c.Time, c.Deadline = "", "", time.Time{}, time.Time{} })...)
	}
	retry := func(run *v1alpha1.ImportRun) { run.Spec.OnUnknownOutcome = v1alpha1.UnknownOutcomeRetry }
	cancel := func(run *v1alpha1.ImportRun) { run.Spec.Cancel = true }
	calling := func(run *v1alpha1.ImportRun) { run.Status.Call = "t2" }
	suspend := func(run *v1alpha1.ImportRun) { run.Spec.Suspend = true }
	past := func(c *Claim) { c.Started, c.Deadline = noon.Add(-time.Hour), noon.Add(-time.Hour+600*time.Second) }

	type want struct {
		Phase          v1alpha1.RunPhase
		Reason         string
		Wait           time.Duration
		Batch, Attempt int
		Uncertain      bool
		Records        int32
	}
	cases := map[string]struct {
		reason string
		run    *v1alpha1.ImportRun
		want   want
	}{
		"New":               {"a run without a claim begins", runAt(t, nil, -1), want{}},
		"NewCanceled":       {"nothing was sent", runAt(t, nil, -1, cancel), want{Phase: v1alpha1.RunCanceled, Reason: v1alpha1.ReasonCanceled}},
		"NewSuspended":      {"it waits", runAt(t, nil, -1, suspend), want{Reason: v1alpha1.ReasonSuspended}},
		"CancelOverSuspend": {"who cancels wants an end", runAt(t, nil, -1, suspend, cancel), want{Phase: v1alpha1.RunCanceled, Reason: v1alpha1.ReasonCanceled}},
		"Damaged":           {"a claim that cannot be read was made all the same", runAt(t, nil, 1, func(run *v1alpha1.ImportRun) { run.Annotations = map[string]string{v1alpha1.AnnotationClaim: "{"} }), want{Phase: v1alpha1.RunUnknown, Reason: v1alpha1.ReasonOutcomeUnknown, Records: 2}},
		"ClaimRemoved":      {"a Running run without a claim has lost it", runAt(t, nil, 1), want{Phase: v1alpha1.RunUnknown, Reason: v1alpha1.ReasonOutcomeUnknown, Records: 2}},
		"UnderWay":          {"the holder may still answer", runAt(t, claimed(1), 1), want{Reason: v1alpha1.ReasonProgressing, Wait: 9*time.Minute + claimGrace}},
		"UnderWayCancel":    {"what is under way is awaited first", runAt(t, claimed(1), 1, cancel), want{Reason: v1alpha1.ReasonProgressing, Wait: 9*time.Minute + claimGrace}},
		"InGrace":           {"the holder may be writing the result", runAt(t, claimed(1, func(c *Claim) { c.Deadline = noon.Add(-time.Second) }), 1), want{Reason: v1alpha1.ReasonProgressing, Wait: claimGrace - time.Second}},
		"PastGrace":         {"nobody will answer any longer", runAt(t, claimed(1, past), 1), want{Phase: v1alpha1.RunUnknown, Reason: v1alpha1.ReasonOutcomeUnknown, Records: 2}},
		"NoDeadline":        {"a claim without a deadline was made all the same", runAt(t, &Claim{Token: "t"}, -1), want{Phase: v1alpha1.RunUnknown, Reason: v1alpha1.ReasonOutcomeUnknown}},
		"Restored":          {"without status nobody knows whether the batch was answered", runAt(t, claimed(2, past, func(c *Claim) { c.Records = &v1alpha1.RecordCounts{Total: 8, Sent: 4, Succeeded: 4} }), -1), want{Phase: v1alpha1.RunUnknown, Reason: v1alpha1.ReasonOutcomeUnknown}},
		"Answered":          {"the next batch follows", runAt(t, claimed(1), 2), want{Batch: 2}},
		"AnsweredCancel":    {"between two batches it ends", runAt(t, claimed(1), 2, cancel), want{Phase: v1alpha1.RunCanceled, Reason: v1alpha1.ReasonCanceled, Records: 4}},
		"AnsweredSuspend":   {"between two batches it waits", runAt(t, claimed(1), 2, suspend), want{Reason: v1alpha1.ReasonSuspended}},
		"AnsweredLate":      {"the time is over", runAt(t, claimed(1, past), 2), want{Phase: v1alpha1.RunFailed, Reason: v1alpha1.ReasonDeadlineExceeded, Records: 4}},
		"SuspendOverLate":   {"the time stands still while it is suspended", runAt(t, claimed(1, past), 2, suspend), want{Reason: v1alpha1.ReasonSuspended}},
		"Unused":            {"a claim that was never used is taken anew", runAt(t, claimed(1, func(c *Claim) { c.Token = "unused" }), 1), want{Batch: 1}},
		"Free":              {"what was not sent is sent", runAt(t, free(1, func(c *Claim) { c.Attempt = 2 }), 1), want{Batch: 1, Attempt: 2}},
		"FreeRestored":      {"a claim alone does not tell where the run stands", runAt(t, free(3), -1), want{Phase: v1alpha1.RunUnknown, Reason: v1alpha1.ReasonOutcomeUnknown}},
		"Foreign":           {"the claim of another object permits nothing", runAt(t, free(1, func(c *Claim) { c.Run = "other" }), 1), want{Phase: v1alpha1.RunUnknown, Reason: v1alpha1.ReasonOutcomeUnknown, Records: 2}},
		"Ahead":             {"nor one that counts more batches than the status", runAt(t, free(2), 1), want{Phase: v1alpha1.RunUnknown, Reason: v1alpha1.ReasonOutcomeUnknown, Records: 2}},
		"Behind":            {"one that counts fewer does no harm", runAt(t, free(0), 2), want{Batch: 2}},
		"Freed by hand":     {"a call in progress is not forgotten", runAt(t, free(1), 1, calling), want{Phase: v1alpha1.RunUnknown, Reason: v1alpha1.ReasonOutcomeUnknown, Records: 2}},
		"Exchanged":         {"nor taken for another", runAt(t, claimed(1), 1, calling), want{Phase: v1alpha1.RunUnknown, Reason: v1alpha1.ReasonOutcomeUnknown, Records: 2}},
		"Freed, Retry":      {"it may be sent again, and may have been written", runAt(t, free(1), 1, calling, retry), want{Batch: 1, Attempt: 1, Uncertain: true}},
		"Freed, canceled":   {"which is then not known", runAt(t, free(1), 1, calling, retry, cancel), want{Phase: v1alpha1.RunUnknown, Reason: v1alpha1.ReasonOutcomeUnknown, Records: 2}},
		"Retaken":           {"a call that was never made is none", runAt(t, claimed(1), 1, func(run *v1alpha1.ImportRun) { run.Status.Call = "unused" }), want{Reason: v1alpha1.ReasonProgressing, Wait: 9*time.Minute + claimGrace}},
		"Pause for ever":    {"nobody has a run wait longer than the API may ask for", runAt(t, free(1, func(c *Claim) { c.NotBefore = noon.Add(2 * time.Hour) }), 1), want{Phase: v1alpha1.RunUnknown, Reason: v1alpha1.ReasonOutcomeUnknown, Records: 2}},
		"Call for ever":     {"nor longer than a call takes", runAt(t, claimed(1, func(c *Claim) { c.Deadline = noon.Add(time.Hour) }), 1), want{Phase: v1alpha1.RunUnknown, Reason: v1alpha1.ReasonOutcomeUnknown, Records: 2}},
		"Begins later":      {"nor for a beginning to come", runAt(t, claimed(1, func(c *Claim) { c.Started = noon.Add(time.Hour) }), 1), want{Phase: v1alpha1.RunUnknown, Reason: v1alpha1.ReasonOutcomeUnknown, Records: 2}},
		"Clock ahead": {"another clock may be somewhat ahead", runAt(t, claimed(1, func(c *Claim) {
			c.Time, c.Started = noon.Add(time.Minute), noon.Add(time.Minute)
			c.Deadline = noon.Add(11 * time.Minute)
		}), 1), want{Reason: v1alpha1.ReasonProgressing, Wait: 11*time.Minute + claimGrace}},
		"Not to be shown": {"a reason that no condition can have is no reason", runAt(t, free(1, func(c *Claim) { c.Reason = "no reason" }), 1), want{Phase: v1alpha1.RunUnknown, Reason: v1alpha1.ReasonOutcomeUnknown, Records: 2}},
		"Too large":       {"nor a number that no run can come to", runAt(t, free(1, func(c *Claim) { c.Batches = 1 << 40 }), 1), want{Phase: v1alpha1.RunUnknown, Reason: v1alpha1.ReasonOutcomeUnknown, Records: 2}},
		"Pause":           {"a pause is kept, whatever wakes the run", runAt(t, free(1, func(c *Claim) { c.NotBefore = noon.Add(time.Minute) }), 1), want{Reason: v1alpha1.ReasonProgressing, Wait: time.Minute}},
		"PauseOver":       {"and ends", runAt(t, free(1, func(c *Claim) { c.NotBefore = noon }), 1), want{Batch: 1}},
		"UncertainCancel": {"an attempt that was lost stays unknown", runAt(t, free(1, func(c *Claim) { c.Uncertain = true }), 1, cancel), want{Phase: v1alpha1.RunUnknown, Reason: v1alpha1.ReasonOutcomeUnknown, Records: 2}},
		"RetryOther":      {"its holder may be alive for a moment", runAt(t, claimed(1, func(c *Claim) { c.Time = noon }), 1, retry), want{Reason: v1alpha1.ReasonProgressing, Wait: claimGrace}},
		"RetryAbandoned":  {"then the batch is sent again", runAt(t, claimed(1), 1, retry), want{Batch: 1, Attempt: 1, Uncertain: true}},
		"RetryCancel":     {"who cancels wants no more attempts, and the outcome of the last is unknown", runAt(t, claimed(1), 1, retry, cancel), want{Phase: v1alpha1.RunUnknown, Reason: v1alpha1.ReasonOutcomeUnknown, Records: 2}},
		"RetrySuspend":    {"who suspends wants none yet", runAt(t, claimed(1), 1, retry, suspend), want{Reason: v1alpha1.ReasonSuspended}},
		"Emptied":         {"a claim of nothing is damaged", runAt(t, nil, 1, func(run *v1alpha1.ImportRun) { run.Annotations = map[string]string{v1alpha1.AnnotationClaim: "{}"} }), want{Phase: v1alpha1.RunUnknown, Reason: v1alpha1.ReasonOutcomeUnknown, Records: 2}},
		"ClaimRemovedWaiting": {"a run that has begun has a claim", runAt(t, nil, 1, func(run *v1alpha1.ImportRun) {
			run.Status.Phase, run.Status.StartTime = v1alpha1.RunWaiting, ptr.To(metav1.NewTime(noon))
		}), want{Phase: v1alpha1.RunUnknown, Reason: v1alpha1.ReasonOutcomeUnknown, Records: 2}},
		"RetryLate": {"but not after the deadline", runAt(t, claimed(1, past), 1, retry), want{Phase: v1alpha1.RunUnknown, Reason: v1alpha1.ReasonOutcomeUnknown, Records: 2}},
		"RetryOurs": {"a call of this process is not sent beside itself", runAt(t, claimed(1, func(c *Claim) { c.Holder = "me" }), 1, retry), want{Reason: v1alpha1.ReasonProgressing, Wait: 9*time.Minute + claimGrace}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			next := Decide(tc.run, self, noon)
			var got want
			switch next.Action {
			case ActionEnd:
				got = want{Phase: next.Outcome.Phase, Reason: next.Outcome.Reason, Records: next.Outcome.Records.Succeeded}
			case ActionWait, ActionStopClock:
				got = want{Reason: next.Wait.Reason(), Wait: next.Wait.RetryAfter()}
			case ActionSend:
				got = want{Batch: next.Claim.Batch, Attempt: next.Claim.Attempt, Uncertain: next.Claim.Uncertain}
			}
			if next.Claim.Token != "" {
				t.Errorf("%s: a token is never carried over", tc.reason)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestConclude(t *testing.T) {
	four := Payload{Records: make([]json.RawMessage, 8), Batches: batchesOf(2, 2, 2, 2)}
	ok := integrator.RecordResult{StatusCode: 200}
	bad := integrator.RecordResult{StatusCode: 422}
	all := Judge(integrator.InvokeResponse{Records: []integrator.RecordResult{ok, ok}}, nil, 2, false)
	some := Judge(integrator.InvokeResponse{Records: []integrator.RecordResult{ok, bad}}, nil, 2, false)
	failing := func(err integrator.APIError) Verdict { return Judge(integrator.InvokeResponse{}, &err, 2, false) }
	refused := failing(integrator.APIError{Sent: true, StatusCode: 403, Errors: []integrator.ErrorDetail{{Message: "no"}}})
	gateway := failing(integrator.APIError{Sent: true, StatusCode: 404})
	rejected := failing(integrator.APIError{Sent: true, StatusCode: 422})
	unsent := failing(integrator.APIError{})
	lost := failing(integrator.APIError{Sent: true, StatusCode: 503})
	throttle := failing(integrator.APIError{Sent: true, StatusCode: 429, RetryAfter: 5 * time.Second})
	limit := func(n int32) func(*v1alpha1.ImportRun) {
		return func(run *v1alpha1.ImportRun) { run.Spec.RetryLimit = ptr.To(n) }
	}
	retry := func(run *v1alpha1.ImportRun) { run.Spec.OnUnknownOutcome = v1alpha1.UnknownOutcomeRetry }
	careful := func(run *v1alpha1.ImportRun) { run.Spec.StopOnFailure = true }

	type want struct {
		Phase        v1alpha1.RunPhase
		Reason       string
		Done         int
		Sent, Failed int32
		First        int32 // index of the first failure, -1 without one
		Pause        time.Duration
		Attempt      int
		Uncertain    bool
	}
	none := func(w want) want { w.First = -1; return w }
	cases := map[string]struct {
		reason string
		at     Claim
		call   Verdict
		edit   []func(*v1alpha1.ImportRun)
		want   want
	}{
		"Goes on":           {"a batch more is done", Claim{Batch: 1}, all, nil, none(want{Done: 2, Sent: 4})},
		"Last":              {"the last one ends it", Claim{Batch: 3}, all, nil, none(want{Phase: v1alpha1.RunSucceeded, Reason: v1alpha1.ReasonRecordsAccepted, Done: 4, Sent: 8})},
		"Failure goes on":   {"a record that failed is counted", Claim{Batch: 1}, some, nil, want{Done: 2, Sent: 4, Failed: 1, First: 3}},
		"Failure stops":     {"when told so", Claim{Batch: 1}, some, []func(*v1alpha1.ImportRun){careful}, want{Phase: v1alpha1.RunFailed, Reason: v1alpha1.ReasonRecordsFailed, Done: 2, Sent: 4, Failed: 1, First: 3}},
		"Last failure":      {"the run has failed", Claim{Batch: 3}, some, nil, want{Phase: v1alpha1.RunFailed, Reason: v1alpha1.ReasonRecordsFailed, Done: 4, Sent: 8, Failed: 1, First: 7}},
		"Refused":           {"without a limit it ends", Claim{Batch: 1}, refused, nil, none(want{Phase: v1alpha1.RunFailed, Reason: v1alpha1.ReasonForbidden, Done: 1, Sent: 2})},
		"Refused, retried":  {"within the limit it is sent again", Claim{Batch: 1, Attempt: 1}, refused, []func(*v1alpha1.ImportRun){limit(2)}, none(want{Done: 1, Sent: 2, Pause: 2 * time.Second, Attempt: 2})},
		"Refused, too much": {"beyond it, it ends", Claim{Batch: 1, Attempt: 2}, refused, []func(*v1alpha1.ImportRun){limit(2)}, none(want{Phase: v1alpha1.RunFailed, Reason: v1alpha1.ReasonForbidden, Done: 1, Sent: 2})},
		"Gateway":           {"a 404 without a reason has changed nothing either", Claim{Batch: 1}, gateway, nil, none(want{Phase: v1alpha1.RunFailed, Reason: v1alpha1.ReasonUnexpectedResponse, Done: 1, Sent: 2})},
		"Gateway, retried":  {"and is sent again within the limit", Claim{Batch: 1}, gateway, []func(*v1alpha1.ImportRun){limit(1)}, none(want{Done: 1, Sent: 2, Pause: time.Second, Attempt: 1})},
		"Unsent, retried":   {"no connection is known to have changed nothing", Claim{Batch: 1}, unsent, []func(*v1alpha1.ImportRun){limit(1)}, none(want{Done: 1, Sent: 2, Pause: time.Second, Attempt: 1})},
		"Rejected":          {"the records stay as they are", Claim{Batch: 1}, rejected, []func(*v1alpha1.ImportRun){limit(9)}, none(want{Phase: v1alpha1.RunFailed, Reason: v1alpha1.ReasonRejected, Done: 1, Sent: 2})},
		"RateLimited":       {"the API says when, and it counts no attempt", Claim{Batch: 1}, throttle, nil, none(want{Done: 1, Sent: 2, Pause: 5 * time.Second})},
		"RateLimited, late": {"there is no time for that", Claim{Batch: 1, Deadline: noon.Add(time.Second)}, throttle, nil, none(want{Phase: v1alpha1.RunFailed, Reason: v1alpha1.ReasonDeadlineExceeded, Done: 1, Sent: 2})},
		"Lost":              {"the outcome is unknown", Claim{Batch: 1}, lost, []func(*v1alpha1.ImportRun){limit(9)}, none(want{Phase: v1alpha1.RunUnknown, Reason: v1alpha1.ReasonOutcomeUnknown, Done: 1, Sent: 4})},
		"Lost, retried":     {"and it is sent again when told so", Claim{Batch: 1}, lost, []func(*v1alpha1.ImportRun){retry}, none(want{Done: 1, Sent: 2, Pause: time.Second, Attempt: 1, Uncertain: true})},
		"Lost before":       {"a refusal does not make a lost answer known", Claim{Batch: 1, Uncertain: true}, rejected, []func(*v1alpha1.ImportRun){retry}, none(want{Phase: v1alpha1.RunUnknown, Reason: v1alpha1.ReasonOutcomeUnknown, Done: 1, Sent: 2})},
		"Lost, answered":    {"the answer to the last attempt counts", Claim{Batch: 1, Uncertain: true}, all, []func(*v1alpha1.ImportRun){retry}, none(want{Done: 2, Sent: 4})},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if tc.at.Deadline.IsZero() {
				tc.at.Deadline = noon.Add(time.Minute)
			}
			tc.at.Token = "t"
			came := Conclude(runAt(t, &tc.at, tc.at.Batch, tc.edit...), tc.at, tc.call, four, noon)
			got := want{Phase: came.Phase, Reason: came.Reason, Done: came.Done, Sent: came.Records.Sent, Failed: came.Records.Failed, First: -1}
			if len(came.Failures) > 0 {
				got.First = came.Failures[0].Index
			}
			if came.Again != nil {
				got.Pause, got.Attempt, got.Uncertain = came.Again.RetryAfter(), came.Next.Attempt, came.Next.Uncertain
				if came.Next.Token != "" || !came.Next.NotBefore.Equal(noon.Add(got.Pause)) {
					t.Errorf("%s: the claim is given back until the pause is over, it is %+v", tc.reason, came.Next)
				}
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s: -want, +got:\n%s\n%s", tc.reason, diff, came.Message)
			}
			if came.Records.Total != 8 || came.Token != "t" {
				t.Errorf("%s: the outcome is %+v", tc.reason, came)
			}
		})
	}
}

// The condition of a run that waits to send a batch again is written once, whatever made it wait.
func TestPausesWithOneMessage(t *testing.T) {
	retries := func(run *v1alpha1.ImportRun) { run.Spec.RetryLimit = ptr.To[int32](1) }
	retriesUnknown := func(run *v1alpha1.ImportRun) { run.Spec.OnUnknownOutcome = v1alpha1.UnknownOutcomeRetry }
	cases := map[string]struct {
		reason string
		policy func(*v1alpha1.ImportRun)
		answer *integrator.APIError
	}{
		"RateLimited": {"the API asks for a pause", func(*v1alpha1.ImportRun) {}, &integrator.APIError{Sent: true, StatusCode: 429, RetryAfter: time.Minute}},
		"Refused":     {"the call changed nothing", retries, &integrator.APIError{Sent: true, StatusCode: 403}},
		"Lost":        {"the outcome is unknown, and the user accepts that", retriesUnknown, &integrator.APIError{Sent: true, StatusCode: 503}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			at := Claim{Token: "t", Holder: "me", Time: noon, Started: noon, Deadline: noon.Add(10 * time.Minute)}
			run := runAt(t, &at, 0, tc.policy)
			payload := Payload{Records: make([]json.RawMessage, 4), Batches: batchesOf(1, 1, 1, 1)}
			outcome := Conclude(run, at, Judge(integrator.InvokeResponse{}, tc.answer, 1, false), payload, noon)
			if outcome.Again == nil {
				t.Fatalf("%s: the batch is not sent again: %s", tc.reason, outcome.Message)
			}
			next := Decide(runAt(t, &outcome.Next, 0, tc.policy), Process{Holder: "me"}, noon.Add(time.Millisecond))
			if next.Action != ActionWait {
				t.Fatalf("%s: the action is %d", tc.reason, next.Action)
			}
			shown := func(p *problem.Problem) string { return p.Reason() + ": " + p.Message() }
			if diff := cmp.Diff(shown(outcome.Again), shown(next.Wait)); diff != "" {
				t.Errorf("%s: -when it begins, +during the pause:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestJudgeKey(t *testing.T) {
	retry := func(run *v1alpha1.ImportRun) { run.Spec.OnUnknownOutcome = v1alpha1.UnknownOutcomeRetry }
	in := func(phase v1alpha1.RunPhase) *v1alpha1.ImportRun {
		return &v1alpha1.ImportRun{Status: v1alpha1.ImportRunStatus{Phase: phase}}
	}
	batch := func(done int32) func(*v1alpha1.ImportRun) {
		return func(run *v1alpha1.ImportRun) { run.Status.Batches = &v1alpha1.BatchCounts{Total: 4, Done: done} }
	}
	cases := map[string]struct {
		reason string
		entry  KeyEntry
		holder *v1alpha1.ImportRun
		edit   []func(*v1alpha1.ImportRun)
		want   string
	}{
		"Ours":              {"the run goes on with its key", KeyEntry{RunUID: "me", Phase: v1alpha1.RunRunning}, in(v1alpha1.RunRunning), nil, "take"},
		"Ours, given back":  {"it has to say again that it may be sending", KeyEntry{RunUID: "me", Phase: v1alpha1.RunWaiting}, in(v1alpha1.RunWaiting), nil, "take"},
		"Ours, succeeded":   {"the operator was killed before the status knew", KeyEntry{RunUID: "me", Phase: v1alpha1.RunSucceeded}, in(v1alpha1.RunRunning), nil, v1alpha1.ReasonRecordsAccepted},
		"Ours, next batch":  {"it has the key for every batch", KeyEntry{RunUID: "me", Phase: v1alpha1.RunRunning}, in(v1alpha1.RunRunning), []func(*v1alpha1.ImportRun){batch(1)}, "take"},
		"Ours, restored":    {"a batch was sent that its status does not know", KeyEntry{RunUID: "me", Phase: v1alpha1.RunRunning, Batch: 2}, in(v1alpha1.RunRunning), []func(*v1alpha1.ImportRun){batch(1)}, v1alpha1.ReasonOutcomeUnknown},
		"Ours, over":        {"it has ended before it was restored", KeyEntry{RunUID: "me", Phase: v1alpha1.RunFailed, Batch: 1}, in(v1alpha1.RunRunning), []func(*v1alpha1.ImportRun){batch(1)}, v1alpha1.ReasonOutcomeUnknown},
		"Ours, over, Retry": {"who retries the unknown may go on", KeyEntry{RunUID: "me", Phase: v1alpha1.RunUnknown, Batch: 1}, in(v1alpha1.RunRunning), []func(*v1alpha1.ImportRun){batch(1), retry}, "take"},
		"Never ours":        {"a run that goes on has the key", KeyEntry{Phase: v1alpha1.RunFailed}, in(v1alpha1.RunFailed), []func(*v1alpha1.ImportRun){batch(1)}, v1alpha1.ReasonIdempotencyKeyUnknown},
		"Not over yet":      {"an end that is not in its status may be taken back", KeyEntry{Phase: v1alpha1.RunCanceled}, in(v1alpha1.RunRunning), nil, v1alpha1.ReasonIdempotencyKeyInUse},
		"Restored ledger":   {"the run knows better than an old entry", KeyEntry{Phase: v1alpha1.RunWaiting}, in(v1alpha1.RunSucceeded), nil, v1alpha1.ReasonAlreadySucceeded},
		"Succeeded":         {"once is enough", KeyEntry{Phase: v1alpha1.RunSucceeded}, nil, nil, v1alpha1.ReasonAlreadySucceeded},
		"Succeeded, Retry":  {"whatever the policy", KeyEntry{Phase: v1alpha1.RunSucceeded}, nil, []func(*v1alpha1.ImportRun){retry}, v1alpha1.ReasonAlreadySucceeded},
		"Failed":            {"one that failed does not count", KeyEntry{Phase: v1alpha1.RunFailed}, in(v1alpha1.RunFailed), nil, "take"},
		"Canceled":          {"nor one that was canceled", KeyEntry{Phase: v1alpha1.RunCanceled}, nil, nil, "take"},
		"Under way":         {"it is waited for", KeyEntry{Phase: v1alpha1.RunRunning}, in(v1alpha1.RunRunning), nil, v1alpha1.ReasonIdempotencyKeyInUse},
		"RateLimited":       {"it has the key while it waits", KeyEntry{Phase: v1alpha1.RunWaiting}, in(v1alpha1.RunWaiting), nil, v1alpha1.ReasonIdempotencyKeyInUse},
		"Deleted, waiting":  {"it had sent nothing", KeyEntry{Phase: v1alpha1.RunWaiting}, nil, nil, "take"},
		"Deleted, running":  {"it may have sent", KeyEntry{Phase: v1alpha1.RunRunning}, nil, nil, v1alpha1.ReasonIdempotencyKeyUnknown},
		"Deleted, Retry":    {"who retries the unknown may go on", KeyEntry{Phase: v1alpha1.RunRunning}, nil, []func(*v1alpha1.ImportRun){retry}, "take"},
		"Unknown":           {"nobody has checked yet", KeyEntry{Phase: v1alpha1.RunUnknown}, in(v1alpha1.RunUnknown), nil, v1alpha1.ReasonIdempotencyKeyUnknown},
		"Not settled":       {"the run itself says how it ended, where that is not in the ledger", KeyEntry{Phase: v1alpha1.RunRunning}, in(v1alpha1.RunSucceeded), nil, v1alpha1.ReasonAlreadySucceeded},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			run := &v1alpha1.ImportRun{}
			run.UID = "me"
			for _, edit := range tc.edit {
				edit(run)
			}
			step := JudgeKey(run, Claim{Batch: batchesDone(run)}, tc.entry, tc.holder, "ledger")
			got := ""
			switch step.Action {
			case KeyEnd:
				got = step.Outcome.Reason
			case KeyWait:
				got = step.Wait.Reason()
			case KeyTake:
				got = "take"
			}
			if got != tc.want {
				t.Errorf("%s: %s, want %s", tc.reason, got, tc.want)
			}
		})
	}
}

func TestWhatWasWrittenWithAKey(t *testing.T) {
	counts := func(succeeded int32) *v1alpha1.RecordCounts {
		return &v1alpha1.RecordCounts{Total: 2, Succeeded: succeeded}
	}
	a, b := DataID{Hash: "a", KeyID: "k"}, DataID{Hash: "b", KeyID: "k"}
	ended := func(phase v1alpha1.RunPhase, records *v1alpha1.RecordCounts) *v1alpha1.ImportRun {
		return &v1alpha1.ImportRun{Status: v1alpha1.ImportRunStatus{Phase: phase, Records: records}}
	}
	before := KeyWritten{Run: "before", Data: b, Records: counts(1)}
	entry := func(phase v1alpha1.RunPhase, records *v1alpha1.RecordCounts) KeyEntry {
		return KeyEntry{Run: "last", Phase: phase, Records: records, Data: a, Written: []KeyWritten{before}}
	}
	retry := func(run *v1alpha1.ImportRun) { run.Spec.OnUnknownOutcome = v1alpha1.UnknownOutcomeRetry }
	for name, tc := range map[string]struct {
		reason string
		entry  KeyEntry
		holder *v1alpha1.ImportRun
		want   []KeyWritten
	}{
		"Part":               {"it wrote one of two", entry(v1alpha1.RunFailed, counts(1)), nil, []KeyWritten{before, {Run: "last", Data: a, Records: counts(1)}}},
		"Nothing":            {"refused records were not written", entry(v1alpha1.RunFailed, counts(0)), nil, []KeyWritten{before}},
		"Canceled half-way":  {"what is written stays", entry(v1alpha1.RunCanceled, counts(1)), nil, []KeyWritten{before, {Run: "last", Data: a, Records: counts(1)}}},
		"Older version":      {"it may have written anything", entry(v1alpha1.RunFailed, nil), nil, []KeyWritten{before, {Run: "last", Data: a}}},
		"Older, and there":   {"the run itself says what it wrote", entry(v1alpha1.RunFailed, nil), ended(v1alpha1.RunFailed, counts(0)), []KeyWritten{before}},
		"The run knows more": {"the ledger could not be written", entry(v1alpha1.RunRunning, nil), ended(v1alpha1.RunFailed, counts(2)), []KeyWritten{before, {Run: "last", Data: a, Records: counts(2)}}},
		"Waiting, deleted":   {"nothing was sent", entry(v1alpha1.RunWaiting, nil), nil, []KeyWritten{before}},
		"Unknown":            {"who retries the unknown does not make it known", entry(v1alpha1.RunUnknown, counts(0)), nil, []KeyWritten{before, {Run: "last", Data: a, Records: counts(0), Unknown: true}}},
		"The same again":     {"each data is kept once", KeyEntry{Run: "last", Phase: v1alpha1.RunFailed, Records: counts(2), Data: b, Written: []KeyWritten{before}}, nil, []KeyWritten{{Run: "last", Data: b, Records: counts(2)}}},
	} {
		t.Run(name, func(t *testing.T) {
			run := &v1alpha1.ImportRun{}
			run.UID = "me"
			retry(run)
			if diff := cmp.Diff(tc.want, JudgeKey(run, Claim{}, tc.entry, tc.holder, "ledger").Written); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestJudgeData(t *testing.T) {
	part := &v1alpha1.RecordCounts{Total: 50, Succeeded: 20}
	id := func(hash string) DataID { return DataID{Hash: hash, KeyID: "k"} }
	wrote := func(hash string) KeyWritten { return KeyWritten{Run: "first", Data: id(hash), Records: part} }
	again := func(run *v1alpha1.ImportRun) { run.Spec.AfterPartialFailure = v1alpha1.PartialFailureSendAgain }
	retry := func(run *v1alpha1.ImportRun) { run.Spec.OnUnknownOutcome = v1alpha1.UnknownOutcomeRetry }
	many := make([]KeyWritten, maxWritten)
	for i := range many {
		many[i] = wrote(string(rune('A' + i)))
	}
	unknown := wrote("b")
	unknown.Unknown = true
	for name, tc := range map[string]struct {
		reason  string
		at      Claim
		written []KeyWritten
		edit    func(*v1alpha1.ImportRun)
		want    string
	}{
		"First":             {reason: "nobody wrote anything"},
		"Same":              {reason: "a part is written", written: []KeyWritten{wrote("a")}, want: `AlreadyFailed: ImportRun "first" wrote 20 of 50 records with the same idempotencyKey and the same data: nothing was sent; create another ImportRun with corrected data, or with another idempotencyKey`},
		"Same as an older":  {reason: "none is forgotten", written: []KeyWritten{wrote("a"), wrote("b")}, want: "AlreadyFailed: "},
		"Corrected":         {reason: "other data is sent", written: []KeyWritten{wrote("b")}},
		"Permitted":         {reason: "the user accepts it", written: []KeyWritten{wrote("a")}, edit: again},
		"Another token":     {reason: "what cannot be compared may be the same", written: []KeyWritten{{Run: "first", Data: DataID{Hash: "b", KeyID: "old"}, Records: part}}, want: "AlreadyFailed: "},
		"Older version":     {reason: "it does not say what it sent", written: []KeyWritten{{Run: "first", Records: part}}, want: "AlreadyFailed: "},
		"Older, permitted":  {reason: "the user accepts it", written: []KeyWritten{{Run: "first"}}, edit: again},
		"Unknown":           {reason: "also where another run came between", written: []KeyWritten{unknown, wrote("c")}, want: "IdempotencyKeyUnknown: "},
		"Unknown, Retry":    {reason: "the user accepts it", written: []KeyWritten{unknown}, edit: retry},
		"Unknown, permits":  {reason: "what is unknown is another matter", written: []KeyWritten{unknown}, edit: again, want: "IdempotencyKeyUnknown: "},
		"Too many":          {reason: "none may be forgotten", written: many, want: "AlreadyFailed: 20 ImportRuns with the same idempotencyKey failed and wrote some of their records: nothing was sent; create another ImportRun with another key"},
		"Goes on":           {reason: "a run that has begun was judged before", at: Claim{Batch: 1}, written: []KeyWritten{wrote("a")}},
		"Goes on uncertain": {reason: "it may have written itself", at: Claim{Uncertain: true}, written: []KeyWritten{wrote("a")}},
	} {
		t.Run(name, func(t *testing.T) {
			run := &v1alpha1.ImportRun{}
			if tc.edit != nil {
				tc.edit(run)
			}
			got := ""
			if o, refused := JudgeData(run, tc.at, id("a"), tc.written, "ledger"); refused {
				got = o.Reason + ": " + o.Message
			}
			if (got == "") != (tc.want == "") || !strings.HasPrefix(got, tc.want) {
				t.Errorf("%s: %q, want %q", tc.reason, got, tc.want)
			}
		})
	}
}

// The ledger says what a run wrote also where its phase was there before: of an attempt that was not the
// last.
func TestSettle(t *testing.T) {
	run := &v1alpha1.ImportRun{}
	run.UID = "me"
	part, all := v1alpha1.RecordCounts{Total: 2, Succeeded: 1}, v1alpha1.RecordCounts{Total: 2, Succeeded: 2}
	for name, tc := range map[string]struct {
		reason  string
		entry   KeyEntry
		outcome Outcome
		want    *KeyEntry
	}{
		"Failed":        {"a part is written", KeyEntry{RunUID: "me", Phase: v1alpha1.RunRunning}, Outcome{Phase: v1alpha1.RunFailed, Records: part}, &KeyEntry{RunUID: "me", Phase: v1alpha1.RunFailed, Records: &part}},
		"Failed before": {"more is written", KeyEntry{RunUID: "me", Phase: v1alpha1.RunFailed, Records: &part}, Outcome{Phase: v1alpha1.RunFailed, Records: all}, &KeyEntry{RunUID: "me", Phase: v1alpha1.RunFailed, Records: &all}},
		"As it is":      {"nothing is new", KeyEntry{RunUID: "me", Phase: v1alpha1.RunFailed, Records: &part}, Outcome{Phase: v1alpha1.RunFailed, Records: part}, nil},
		"Succeeded":     {"a success stays", KeyEntry{RunUID: "me", Phase: v1alpha1.RunSucceeded, Records: &all}, Outcome{Phase: v1alpha1.RunFailed, Records: part}, nil},
		"Another's":     {"it never had the key", KeyEntry{RunUID: "other", Phase: v1alpha1.RunRunning}, Outcome{Phase: v1alpha1.RunFailed, Records: part}, nil},
		"Waits":         {"nothing was sent", KeyEntry{RunUID: "me", Phase: v1alpha1.RunRunning}, Outcome{Again: problem.Waitingf("x", "x")}, &KeyEntry{RunUID: "me", Phase: v1alpha1.RunWaiting}},
		"Goes on":       {"it is still running", KeyEntry{RunUID: "me", Phase: v1alpha1.RunRunning}, Outcome{Records: part}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			got, changed := Settle(run, tc.entry, tc.outcome, noon)
			want := tc.entry
			if tc.want != nil {
				want = *tc.want
				want.Time = noon
			}
			if diff := cmp.Diff(want, got); diff != "" || changed != (tc.want != nil) {
				t.Errorf("%s: changed: %t; -want, +got:\n%s", tc.reason, changed, diff)
			}
		})
	}
}

func TestFailedRecords(t *testing.T) {
	ok, bad := integrator.RecordResult{StatusCode: 200}, integrator.RecordResult{StatusCode: 422, Errors: []integrator.ErrorDetail{{Code: "invalid_sku", Message: "no such sku"}}}
	results := func(text string) integrator.InvokeResponse {
		var response integrator.InvokeResponse
		for _, c := range text {
			response.Records = append(response.Records, map[rune]integrator.RecordResult{'x': bad, '.': ok}[c])
		}
		return response
	}
	long := strings.Repeat("x.", 4000)
	for name, tc := range map[string]struct {
		reason        string
		known         v1alpha1.ImportRunStatus
		call          Verdict
		batch         int
		positions     []int32
		want, message string
		truncated     bool
	}{
		"None":      {reason: "all were accepted", call: Judge(results("..."), nil, 3, false), batch: 1, message: "3 records were accepted, 0 ignored"},
		"Some":      {reason: "the positions are those in the data", call: Judge(results("x.x"), nil, 3, false), batch: 1, want: "3,5", message: "2 of 6 records failed; first: record 3: 422 invalid_sku: no such sku; see status.failedRecords, and send just these again with retryOf, or corrected in another ImportRun"},
		"More":      {reason: "those of earlier batches stay", known: v1alpha1.ImportRunStatus{FailedRecords: "0,2"}, call: Judge(results("xx."), nil, 3, false), batch: 1, want: "0,2-4", message: "2 of 6 records failed; first: record 3: 422"},
		"Whole":     {reason: "the whole request failed", call: Judge(integrator.InvokeResponse{}, &integrator.APIError{Sent: true, StatusCode: 200, Errors: []integrator.ErrorDetail{{Message: "offline"}}}, 3, false), batch: 1, want: "3-5", message: "batch 2 of 2: the API failed the whole request"},
		"Lost":      {reason: "nothing is known of them", known: v1alpha1.ImportRunStatus{FailedRecords: "0"}, call: Judge(integrator.InvokeResponse{}, &integrator.APIError{Sent: true, StatusCode: 503}, 3, false), batch: 1, want: "0", message: "batch 2 of 2: the call was sent and its answer was lost"},
		"Too few":   {reason: "nothing is certain of any", call: Judge(results("x."), nil, 3, false), batch: 1, message: "batch 2 of 2: the answer has results of 2 records and 3 were sent"},
		"Retried":   {reason: "the positions are those in the data of the other run", call: Judge(results(".xx"), nil, 3, false), batch: 1, positions: []int32{1, 2, 5, 7, 40, 41}, want: "40-41", message: "2 of 6 records failed; first: record 40: 422"},
		"Secret":    {reason: "the destination's words may repeat a record", call: Judge(results("x.."), nil, 3, true), batch: 1, want: "3", message: "1 of 6 records failed; first: record 3: 422 invalid_sku: (not shown"},
		"Very many": {reason: "the list has its bounds, and says so", call: Judge(results(long), nil, len(long), false), truncated: true, message: "4000 of 8000 records failed; first: record 0: 422 invalid_sku: no such sku; status.failedRecords has no room for all of them, but the responses have"},
		"Full":      {reason: "once something is missing nothing is added", known: v1alpha1.ImportRunStatus{FailedRecords: "0", FailedRecordsTruncated: true}, call: Judge(results("xxx"), nil, 3, false), batch: 1, want: "0", truncated: true, message: "3 of 6 records failed"},
	} {
		t.Run(name, func(t *testing.T) {
			sent := Payload{Records: make([]json.RawMessage, 6), Batches: batchesOf(3, 3), Positions: tc.positions}
			if tc.batch == 0 {
				sent = Payload{Records: make([]json.RawMessage, len(long)), Batches: batchesOf(len(long))}
			}
			run := &v1alpha1.ImportRun{Status: tc.known}
			o := Conclude(run, Claim{Batch: tc.batch, Token: "t"}, tc.call, sent, noon)
			if !strings.HasPrefix(o.Message, tc.message) {
				t.Errorf("%s: the message is %q, want %q", tc.reason, o.Message, tc.message)
			}
			if o.FailedRecordsTruncated != tc.truncated || len(o.FailedRecords) > maxFailedRecords {
				t.Errorf("%s: truncated: %t, %d bytes", tc.reason, o.FailedRecordsTruncated, len(o.FailedRecords))
			}
			if tc.batch == 0 {
				if !strings.HasPrefix(o.FailedRecords, "0,2,4,6,") || len(o.FailedRecords) < maxFailedRecords-5 {
					t.Errorf("%s: the list has %d bytes: %.50s", tc.reason, len(o.FailedRecords), o.FailedRecords)
				}
				return
			}
			if diff := cmp.Diff(tc.want, o.FailedRecords); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestRetried(t *testing.T) {
	ended := func(phase v1alpha1.RunPhase, failed string, counts v1alpha1.RecordCounts, edits ...func(*v1alpha1.ImportRun)) *v1alpha1.ImportRun {
		of := &v1alpha1.ImportRun{Status: v1alpha1.ImportRunStatus{Phase: phase, FailedRecords: failed, Records: &counts}}
		of.Name, of.UID, of.Spec.ImportRef = "first", "first", &v1alpha1.LocalReference{Name: "orders"}
		for _, edit := range edits {
			edit(of)
		}
		return of
	}
	byID := func(account string) func(*v1alpha1.ImportRun) {
		return func(run *v1alpha1.ImportRun) {
			run.Spec.ImportRef, run.Spec.ImportID, run.Spec.AccountRef = nil, "5f2b7c1d9e8a4b3c2d1e0f9a", &v1alpha1.LocalReference{Name: account}
		}
	}
	truncated := func(of *v1alpha1.ImportRun) { of.Status.FailedRecordsTruncated = true }
	counts := func(total, sent, succeeded, failed int32) v1alpha1.RecordCounts {
		return v1alpha1.RecordCounts{Total: total, Sent: sent, Succeeded: succeeded, Failed: failed}
	}
	for name, tc := range map[string]struct {
		reason string
		of     *v1alpha1.ImportRun
		edit   func(*v1alpha1.ImportRun)
		want   string
	}{
		"Some failed":   {"they are sent again", ended(v1alpha1.RunFailed, "1,3-4", counts(5, 5, 2, 3)), nil, "sends 1,3-4"},
		"Unknown, some": {"those that are known to have failed are sent", ended(v1alpha1.RunUnknown, "1", counts(5, 4, 1, 1)), nil, "sends 1"},
		"By id":         {"the same import of the same account", ended(v1alpha1.RunFailed, "1", counts(2, 2, 1, 1), byID("a")), byID("a"), "sends 1"},
		"Other account": {"the same id elsewhere is another import", ended(v1alpha1.RunFailed, "1", counts(2, 2, 1, 1), byID("a")), byID("b"), "is of another import"},
		"Gone":          {"nobody knows which failed", nil, nil, "is not in the namespace"},
		"Going on":      {"it is waited for", ended(v1alpha1.RunRunning, "1", counts(5, 2, 1, 1)), nil, "waits"},
		"Succeeded":     {"there is nothing to do", ended(v1alpha1.RunSucceeded, "", counts(5, 5, 5, 0)), nil, "there is nothing to send again"},
		"Unknown":       {"a person has to look", ended(v1alpha1.RunUnknown, "", counts(5, 5, 2, 0)), nil, "and 3 have no result: look into the destination"},
		"Sent nothing":  {"as one that was refused as AlreadyFailed", ended(v1alpha1.RunFailed, "", counts(0, 0, 0, 0)), nil, "sent nothing"},
		"Half-way":      {"the rest was never sent", ended(v1alpha1.RunCanceled, "", counts(5, 2, 2, 0)), nil, "it did not send them all"},
		"Older version": {"it kept no list", ended(v1alpha1.RunFailed, "", counts(5, 5, 2, 3)), nil, "does not list which records failed"},
		"Too many":      {"the list is not complete", ended(v1alpha1.RunFailed, "1", counts(5, 5, 2, 3), truncated), nil, "has no room for all of them"},
		"Damaged":       {"nothing is guessed", ended(v1alpha1.RunFailed, "x", counts(5, 5, 2, 3)), nil, "is not ranges of positions"},
	} {
		t.Run(name, func(t *testing.T) {
			run := &v1alpha1.ImportRun{}
			run.Spec.RetryOf, run.Spec.ImportRef = &v1alpha1.LocalReference{Name: "first"}, &v1alpha1.LocalReference{Name: "orders"}
			if tc.edit != nil {
				tc.edit(run)
			}
			failed, wait, refused := Retried(run, tc.of)
			got := refused
			switch {
			case wait != nil:
				got = "waits"
			case refused == "":
				got = "sends " + failed.String()
			}
			if !strings.Contains(got, tc.want) {
				t.Errorf("%s: %q, want %q", tc.reason, got, tc.want)
			}
		})
	}
}

// What is in the message of a run is one line, and bounded.
func TestFirstFailureIsBounded(t *testing.T) {
	o := Outcome{Records: v1alpha1.RecordCounts{Failed: 1, Total: 1}, Failures: []v1alpha1.RecordFailure{{Code: strings.Repeat("c", 128), Message: strings.Repeat("ä", 256)}}}
	if text := o.firstFailure(); len(text) > maxFirstFailure+64 || !utf8.ValidString(text) {
		t.Errorf("%d bytes: %s", len(text), text)
	}
}

func TestStrip(t *testing.T) {
	text := func(bytes int) v1alpha1.JSON {
		return v1alpha1.JSON{Raw: []byte(`"` + strings.Repeat("x", bytes-2) + `"`)}
	}
	for reason, c := range map[string]struct {
		records  []v1alpha1.JSON
		settings *v1alpha1.JSON
		phase    v1alpha1.RunPhase
		kept     bool
	}{
		"a small run is sent without another read":               {records: []v1alpha1.JSON{text(100), text(100)}, settings: ptr.To(text(100)), kept: true},
		"also when it waits":                                     {records: []v1alpha1.JSON{text(100)}, phase: v1alpha1.RunWaiting, kept: true},
		"also with settings alone":                               {settings: ptr.To(text(keptData)), kept: true},
		"also with a list of no records":                         {records: []v1alpha1.JSON{}, kept: true},
		"just small enough":                                      {records: []v1alpha1.JSON{text(keptData - keptRecord)}, kept: true},
		"a large one is left where it is":                        {records: []v1alpha1.JSON{text(keptData - keptRecord + 1)}},
		"with large settings, its small records, too":            {records: []v1alpha1.JSON{text(10)}, settings: ptr.To(text(keptData))},
		"many small records take room beside their text":         {records: slices.Repeat([]v1alpha1.JSON{{Raw: []byte("1")}}, 20)},
		"what has ended sends nothing":                           {records: []v1alpha1.JSON{text(10)}, settings: ptr.To(text(10)), phase: v1alpha1.RunSucceeded},
		"of what has nothing of its own, it is not known either": {},
	} {
		t.Run(reason, func(t *testing.T) {
			run := &v1alpha1.ImportRun{}
			run.Labels, run.Annotations = map[string]string{"a": "b"}, map[string]string{"a": "b", v1alpha1.AnnotationClaim: "{}"}
			run.Spec.Data, run.Spec.Settings, run.Status.Phase = c.records, c.settings, c.phase
			want := run.DeepCopy()
			want.Labels, want.Annotations = nil, map[string]string{v1alpha1.AnnotationClaim: "{}"}
			if !c.kept {
				want.Spec.Data, want.Spec.Settings = nil, nil
			}
			Strip(run)
			if diff := cmp.Diff(want, run); diff != "" {
				t.Errorf("run (-want +got):\n%s", diff)
			}
			if HasData(run) != c.kept {
				t.Errorf("HasData is %v", HasData(run))
			}
		})
	}
}

func TestTimeToLive(t *testing.T) {
	for name, tc := range map[string]struct {
		ttl     *int32
		phase   v1alpha1.RunPhase
		left    time.Duration
		limited bool
	}{
		"kept":     {nil, v1alpha1.RunFailed, 0, false},
		"going on": {ptr.To[int32](0), v1alpha1.RunRunning, 0, false},
		"living":   {ptr.To[int32](90), v1alpha1.RunCanceled, 30 * time.Second, true},
		"over":     {ptr.To[int32](0), v1alpha1.RunSucceeded, -time.Minute, true},
	} {
		run := runAt(t, nil, -1)
		run.Spec.TTLSecondsAfterFinished, run.Status.Phase = tc.ttl, tc.phase
		run.Status.CompletionTime = ptr.To(metav1.NewTime(noon.Add(-time.Minute)))
		if left, limited := TimeToLive(run, noon); left != tc.left || limited != tc.limited {
			t.Errorf("%s: %s %t", name, left, limited)
		}
	}
}
