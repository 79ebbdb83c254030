// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package runstate

import (
	"encoding/json"
	"testing"
	"time"

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
