// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package runstate

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/integrator"
	"github.com/integrator-operator/integrator-operator/internal/problem"
)

// The switches of a run in FuzzClaim.
const (
	fuzzCancel = 1 << iota
	fuzzSuspend
	fuzzRetry
	fuzzBegun
	fuzzUnused
	fuzzCalling
)

// fuzzRun is a run of four batches with any annotation.
func fuzzRun(text string, done, switches uint8) *v1alpha1.ImportRun {
	run := &v1alpha1.ImportRun{}
	run.UID = "u"
	run.Annotations = map[string]string{v1alpha1.AnnotationClaim: text}
	run.Spec.Cancel, run.Spec.Suspend = switches&fuzzCancel != 0, switches&fuzzSuspend != 0
	run.Spec.RetryLimit = ptr.To[int32](3)
	if switches&fuzzRetry != 0 {
		run.Spec.OnUnknownOutcome = v1alpha1.UnknownOutcomeRetry
	}
	if switches&fuzzBegun != 0 {
		done := int32(done % 4)
		run.Status.Phase, run.Status.StartTime = v1alpha1.RunRunning, ptr.To(metav1.NewTime(noon))
		run.Status.Batches = &v1alpha1.BatchCounts{Total: 4, Done: done}
		run.Status.Records = &v1alpha1.RecordCounts{Total: 8, Sent: 2 * done, Succeeded: 2 * done}
		if switches&fuzzCalling != 0 {
			run.Status.Call = "t"
		}
	}
	return run
}

// FuzzClaim: whatever stands in the annotation, a call is made only for a text that is a claim of
// this run and that its status confirms, never beside one that may be under way, never for a batch
// that was answered. Nothing is waited for that does not come, what is shown fits into a status, and
// what comes of it can be written and read again.
func FuzzClaim(f *testing.F) {
	f.Fuzz(func(t *testing.T, text string, done, switches uint8) {
		current, err := ParseClaim(text)
		if err == nil && text != "" && !looksLikeClaim(text) {
			t.Fatalf("%q is taken for the claim %+v", text, current)
		}
		if err != nil && current != (Claim{}) {
			t.Errorf("%+v beside the error %v", current, err)
		}
		run := fuzzRun(text, done, switches)
		before := run.DeepCopy()
		self := Process{Holder: "me"}
		if switches&fuzzUnused != 0 && current.Token != "" {
			self.Unused = []string{current.Token}
		}
		at := Decide(run, self, noon)
		if diff := cmp.Diff(before, run); diff != "" {
			t.Errorf("the run was changed: -before, +after:\n%s", diff)
		}
		if at.Action == ActionEnd {
			if at.Wait != nil || at.Claim != (Claim{}) || !Finished(&v1alpha1.ImportRun{Status: v1alpha1.ImportRunStatus{Phase: at.Outcome.Phase}}) {
				t.Errorf("it ended, and more is to come: %+v", at)
			}
			shown(t, at.Outcome)
			return
		}
		begun := run.Status.StartTime != nil
		if err != nil || text == "" && begun {
			t.Fatalf("goes on without a claim that can be read: %+v", at)
		}
		if at.Action != ActionSend {
			if at.Wait == nil || at.Wait.RetryAfter() <= 0 && !run.Spec.Suspend {
				t.Errorf("waits for ever: %+v", at.Wait)
			}
			if most := TimeLimit(run) + maxPause + 2*maxClockSkew; at.Wait.RetryAfter() > most {
				t.Errorf("waits for %s: %+v", at.Wait.RetryAfter(), current)
			}
			if len(at.Wait.Reason()) > 1024 || len(at.Wait.Message()) > 32768 || strings.ContainsAny(at.Wait.Reason(), " \n\"") {
				t.Errorf("no condition can say %q, %q", at.Wait.Reason(), at.Wait.Message())
			}
			return
		}
		mayCall(t, run, self, current, at.Claim)
		for _, call := range everyVerdict() {
			concluded(t, run, at.Claim, call)
		}
	})
}

// shown makes sure that a status can show an outcome.
func shown(t *testing.T, o Outcome) {
	t.Helper()
	if o.Done < 0 || o.Done > maxClaimCount || o.Total < 0 || o.Total > maxClaimCount || len(o.Message) > 32768 {
		t.Errorf("no status can show %+v", o)
	}
}

// looksLikeClaim reports whether a text is a JSON object with the field that each claim has.
func looksLikeClaim(text string) bool {
	var object map[string]json.RawMessage
	if json.Unmarshal([]byte(text), &object) != nil {
		return false
	}
	for name := range object {
		if strings.EqualFold(name, "batch") {
			return true
		}
	}
	return false
}

// mayCall checks the next call against what is known of those before.
func mayCall(t *testing.T, run *v1alpha1.ImportRun, self Process, current, next Claim) {
	t.Helper()
	if next.Token != "" || next.Holder != "" || next.Batch < 0 || next.Attempt < 0 || next.Spent < 0 {
		t.Errorf("the next claim is %+v", next)
	}
	retry := run.Spec.OnUnknownOutcome == v1alpha1.UnknownOutcomeRetry
	if current != (Claim{}) && current.Run != "u" {
		t.Errorf("goes on with the claim of run %q", current.Run)
	}
	if next.Batch != batchesDone(run) {
		t.Errorf("goes on with batch %d after %d", next.Batch, batchesDone(run))
	}
	if call := run.Status.Call; call != "" && call != current.Token && !slices.Contains(self.Unused, call) && (!retry || !next.Uncertain) {
		t.Errorf("forgets the call %q with the claim %+v", call, current)
	}
	if run.Spec.Cancel || run.Spec.Suspend {
		t.Error("goes on although it is canceled or suspended")
	}
	if next.Batch < current.Batch || run.Status.Batches != nil && next.Batch < int(run.Status.Batches.Done) {
		t.Errorf("goes back to batch %d", next.Batch)
	}
	underWay := current.Token != "" && !slices.Contains(self.Unused, current.Token) && next.Batch == current.Batch
	if underWay && (!retry || current.Holder == self.Holder || !next.Uncertain) {
		t.Errorf("sends batch %d beside its claim %+v", next.Batch, current)
	}
}

func everyVerdict() []Verdict {
	counts := v1alpha1.RecordCounts{Total: 2, Sent: 2, Succeeded: 1, Failed: 1}
	failed := problem.Transientf(v1alpha1.ReasonServerError, "it failed")
	asked := problem.New(problem.RateLimited, v1alpha1.ReasonRateLimited, "later").WithRetryAfter(time.Second)
	return []Verdict{
		{Outcome: integrator.OutcomeApplied, Records: counts, Failures: []v1alpha1.RecordFailure{{Index: 1}}},
		{Outcome: integrator.OutcomeNotApplied, Reason: failed.Reason(), Message: failed.Message(), Problem: failed, Retriable: true},
		{Outcome: integrator.OutcomeNotApplied, Reason: asked.Reason(), Message: asked.Message(), Problem: asked},
		{Outcome: integrator.OutcomeFailed, Records: counts, Reason: failed.Reason(), Message: failed.Message(), Problem: failed},
		{Outcome: integrator.OutcomeUnknown, Records: counts, Reason: v1alpha1.ReasonOutcomeUnknown, Message: failed.Message(), Problem: failed},
	}
}

// concluded checks the outcome of a claim's call.
func concluded(t *testing.T, run *v1alpha1.ImportRun, next Claim, call Verdict) {
	t.Helper()
	sent := Payload{Records: make([]json.RawMessage, 8), Batches: batchesOf(2, 2, 2, 2), Digest: "d"}
	if _, ends := Misfit(run, next, sent); ends {
		return
	}
	next.Token, next.Holder, next.Time = "t", "me", noon
	if next.Started.IsZero() {
		next.Started = noon.Add(-next.Spent)
	}
	next.Deadline = next.Started.Add(TimeLimit(run))
	came := Conclude(run, next, call, sent, noon)
	switch {
	case came.Again == nil && came.Phase == "" && came.Done != next.Batch+1:
		t.Errorf("%d batches are answered after batch %d", came.Done, next.Batch)
	case came.Again != nil:
		again := came.Next
		if again.Token != "" || again.Batch != next.Batch || !again.NotBefore.After(noon) || next.Uncertain && !again.Uncertain {
			t.Errorf("%+v is sent again as %+v", next, again)
		}
		text, err := json.Marshal(again)
		if err != nil {
			t.Fatal(err)
		}
		if read, err := ParseClaim(string(text)); next.Attempt < math.MaxInt && (err != nil || !cmp.Equal(again, read)) {
			t.Errorf("%s is read as %+v, %v", text, read, err)
		}
	case call.Outcome == integrator.OutcomeUnknown && came.Phase != v1alpha1.RunUnknown, next.Uncertain && call.Outcome != integrator.OutcomeApplied && came.Phase != v1alpha1.RunUnknown:
		t.Errorf("nobody knows what became of batch %d, and the run is called %s", next.Batch, came.Phase)
	case came.Phase == v1alpha1.RunSucceeded && call.Outcome != integrator.OutcomeApplied:
		t.Errorf("a call that was not answered makes the run succeed: %s", fmt.Sprint(came.Message))
	}
}
