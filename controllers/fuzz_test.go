// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

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
)

// The switches of a run in FuzzClaim.
const (
	fuzzCancel = 1 << iota
	fuzzSuspend
	fuzzRetry
	fuzzBegun
	fuzzUnused
)

// fuzzRun is a run of four batches with any annotation.
func fuzzRun(text string, done, switches uint8) *v1alpha1.ImportRun {
	run := &v1alpha1.ImportRun{}
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
	}
	return run
}

// FuzzClaim: whatever stands in the annotation, a call is made only for a text that is a
// claim, never beside one that may be under way, never for a batch that was answered, and
// what comes of it can be written down and read again.
func FuzzClaim(f *testing.F) {
	f.Fuzz(func(t *testing.T, text string, done, switches uint8) {
		current, err := parseClaim(text)
		if err == nil && text != "" && !looksLikeClaim(text) {
			t.Fatalf("%q is taken for the claim %+v", text, current)
		}
		if err != nil && current != (claim{}) {
			t.Errorf("%+v beside the error %v", current, err)
		}
		run := fuzzRun(text, done, switches)
		before := run.DeepCopy()
		self := process{holder: "me"}
		if switches&fuzzUnused != 0 && current.Token != "" {
			self.unused = []string{current.Token}
		}
		at := decide(run, self, noon)
		if diff := cmp.Diff(before, run); diff != "" {
			t.Errorf("the run was changed: -before, +after:\n%s", diff)
		}
		if at.ended != nil {
			if at.wait != nil || at.next != (claim{}) || !finished(&v1alpha1.ImportRun{Status: v1alpha1.ImportRunStatus{Phase: at.ended.phase}}) {
				t.Errorf("it ended, and more is to come: %+v", at)
			}
			return
		}
		begun := run.Status.StartTime != nil
		if err != nil || text == "" && begun {
			t.Fatalf("goes on without a claim that can be read: %+v", at)
		}
		if at.wait != nil {
			if at.next == (claim{}) && at.wait.after <= 0 && !run.Spec.Suspend {
				t.Errorf("waits for ever: %+v", at.wait)
			}
			return
		}
		mayCall(t, run, self, current, at.next)
		for _, call := range everyVerdict() {
			concluded(t, run, at.next, call)
		}
	})
}

// looksLikeClaim tells that a text is a JSON object with the field that each claim has.
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

// mayCall holds the next call to what is known of those before.
func mayCall(t *testing.T, run *v1alpha1.ImportRun, self process, current, next claim) {
	t.Helper()
	if next.Token != "" || next.Holder != "" || next.Batch < 0 || next.Attempt < 0 || next.Spent < 0 {
		t.Errorf("the next claim is %+v", next)
	}
	if run.Spec.Cancel || run.Spec.Suspend {
		t.Error("goes on although it is canceled or suspended")
	}
	if next.Batch < current.Batch || run.Status.Batches != nil && next.Batch < int(run.Status.Batches.Done) {
		t.Errorf("goes back to batch %d", next.Batch)
	}
	underWay := current.Token != "" && !slices.Contains(self.unused, current.Token) && next.Batch == current.Batch
	if underWay && (run.Spec.OnUnknownOutcome != v1alpha1.UnknownOutcomeRetry || current.Holder == self.holder || !next.Uncertain) {
		t.Errorf("sends batch %d beside its claim %+v", next.Batch, current)
	}
}

func everyVerdict() []verdict {
	counts := v1alpha1.RecordCounts{Total: 2, Sent: 2, Succeeded: 1, Failed: 1}
	failed := &problem{class: transient, reason: reasonServerError, message: "it failed"}
	asked := &problem{class: throttled, reason: reasonRateLimited, message: "later", after: time.Second}
	return []verdict{
		{fate: fateAnswered, records: counts, failures: []v1alpha1.RecordFailure{{Index: 1}}},
		{fate: fateRefused, reason: failed.reason, message: failed.message, problem: failed, retriable: true},
		{fate: fateRefused, reason: asked.reason, message: asked.message, problem: asked},
		{fate: fateFailed, records: counts, reason: failed.reason, message: failed.message, problem: failed},
		{fate: fateUnknown, records: counts, reason: reasonOutcomeUnknown, message: failed.message, problem: failed},
	}
}

// concluded lets the call of a claim come to something.
func concluded(t *testing.T, run *v1alpha1.ImportRun, next claim, call verdict) {
	t.Helper()
	sent := &payload{records: make([]json.RawMessage, 8), batches: batchesOf(2, 2, 2, 2), digest: "d"}
	s := &runScope{object: run, payload: sent}
	if s.fits(next) != nil {
		return
	}
	next.Token, next.Holder, next.Time = "t", "me", noon
	if next.Started.IsZero() {
		next.Started = noon.Add(-next.Spent)
	}
	next.Deadline = next.Started.Add(timeLimit(run))
	came := conclude(run, next, call, sent, noon)
	switch {
	case came.again == nil && came.phase == "" && came.done != next.Batch+1:
		t.Errorf("%d batches are answered after batch %d", came.done, next.Batch)
	case came.again != nil:
		again := came.next
		if again.Token != "" || again.Batch != next.Batch || !again.NotBefore.After(noon) || next.Uncertain && !again.Uncertain {
			t.Errorf("%+v is sent again as %+v", next, again)
		}
		text, err := json.Marshal(again)
		if err != nil {
			t.Fatal(err)
		}
		if read, err := parseClaim(string(text)); next.Attempt < math.MaxInt && (err != nil || !cmp.Equal(again, read)) {
			t.Errorf("%s is read as %+v, %v", text, read, err)
		}
	case call.fate == fateUnknown && came.phase != v1alpha1.RunUnknown, next.Uncertain && call.fate != fateAnswered && came.phase != v1alpha1.RunUnknown:
		t.Errorf("nobody knows what became of batch %d, and the run is called %s", next.Batch, came.phase)
	case came.phase == v1alpha1.RunSucceeded && call.fate != fateAnswered:
		t.Errorf("a call that was not answered makes the run succeed: %s", fmt.Sprint(came.message))
	}
}
