// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package status

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/event"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/definition"
	"github.com/integrator-operator/integrator-operator/internal/problem"
)

func TestConditions(t *testing.T) {
	set := func(p *problem.Problem) func(*[]metav1.Condition) {
		return func(conditions *[]metav1.Condition) { SetProblem(conditions, 1, p) }
	}
	ready := func(conditions *[]metav1.Condition) { SetReady(conditions, 1, v1alpha1.ReasonSynced, "") }
	suspended := problem.Waitingf(v1alpha1.ReasonSuspended, "")
	cases := map[string]struct {
		reason string
		steps  []func(*[]metav1.Condition)
		want   string
	}{
		"Terminal":     {"a person has to act", []func(*[]metav1.Condition){set(problem.Terminalf(v1alpha1.ReasonRejected, ""))}, "Ready=False/Rejected Stalled=True/Rejected"},
		"Transient":    {"it continues without help", []func(*[]metav1.Condition){set(problem.Transientf(v1alpha1.ReasonConflict, ""))}, "Ready=False/Conflict Reconciling=True/Conflict"},
		"Ready":        {"nothing contradicts Ready", []func(*[]metav1.Condition){set(suspended), ready}, "Ready=True/Synced"},
		"Suspended":    {"the status of Ready stays as it was known last, and its reason says why nothing is done", []func(*[]metav1.Condition){ready, set(suspended)}, "Ready=True/Suspended Suspended=True/Suspended"},
		"NeverReady":   {"or is unknown", []func(*[]metav1.Condition){set(suspended)}, "Ready=Unknown/Suspended Suspended=True/Suspended"},
		"SetNotReady":  {"a kind that is never suspended is waiting", []func(*[]metav1.Condition){func(c *[]metav1.Condition) { SetNotReady(c, 1, suspended) }}, "Ready=False/Suspended Reconciling=True/Suspended"},
		"StalledFirst": {"only one abnormal condition is left", []func(*[]metav1.Condition){set(problem.Terminalf(v1alpha1.ReasonRejected, "")), set(suspended)}, "Ready=False/Suspended Suspended=True/Suspended"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var conditions []metav1.Condition
			for _, step := range tc.steps {
				step(&conditions)
			}
			var got []string
			for _, condition := range conditions {
				got = append(got, condition.Type+"="+string(condition.Status)+"/"+condition.Reason)
			}
			if diff := cmp.Diff(tc.want, strings.Join(got, " ")); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestMessagesAreOneBoundedLine(t *testing.T) {
	var conditions []metav1.Condition
	SetReady(&conditions, 1, v1alpha1.ReasonSynced, "a\n\x1b[2J"+strings.Repeat("ż", 5000))
	if message := conditions[0].Message; len(message) > MaxMessage || strings.ContainsAny(message, "\n\x1b") {
		t.Errorf("%d bytes: %q", len(message), message)
	}
}

func TestResult(t *testing.T) {
	failed := errors.New("failed")
	cases := map[string]struct {
		reason  string
		p       *problem.Problem
		after   time.Duration
		retried bool
	}{
		"None":        {reason: "nothing is to be done"},
		"Transient":   {reason: "the work queue retries an error", p: problem.Transientf("R", ""), retried: true},
		"Terminal":    {reason: "nothing is retried, and nothing of the operator failed", p: problem.Terminalf("R", "")},
		"Waiting":     {reason: "an event continues the work", p: problem.Waitingf("R", "")},
		"RateLimited": {reason: "the account says when", p: problem.New(problem.RateLimited, "R", "").WithRetryAfter(time.Minute), after: time.Minute},
		"Later":       {reason: "a time counts whatever the class", p: problem.Terminalf("R", "").WithRetryAfter(time.Hour), after: time.Hour},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := Result(t.Context(), tc.p, failed)
			if got.RequeueAfter < tc.after || got.RequeueAfter > tc.after+tc.after/10 {
				t.Errorf("%s: after %s, want %s", tc.reason, got.RequeueAfter, tc.after)
			}
			if (err != nil) != tc.retried {
				t.Errorf("%s: %v", tc.reason, err)
			}
		})
	}
}

func TestLastStatus(t *testing.T) {
	object := func(id string) *v1alpha1.Import {
		made := &v1alpha1.Import{}
		made.Namespace, made.Name, made.Status.ID = "n", "a", id
		return made
	}
	var last LastStatus
	wakes := last.Contradicted()
	update := func(before, after string) bool {
		return wakes.Update(event.UpdateEvent{ObjectOld: object(before), ObjectNew: object(after)})
	}
	if update("1", "2") {
		t.Error("an object that this process has not reconciled wakes it")
	}
	last.Note(object("2"))
	if update("1", "2") {
		t.Error("the write of this process wakes it")
	}
	if !update("2", "1") {
		t.Error("another status does not wake it")
	}
	if update("1", "1") {
		t.Error("an event that is about something else wakes it")
	}
	if wakes.Create(event.CreateEvent{Object: object("1")}) {
		t.Error("a creation wakes it")
	}
	last.Forget(types.NamespacedName{Namespace: "n", Name: "a"})
	if update("2", "1") {
		t.Error("a deleted object is remembered")
	}
}

func TestLastStatusOfStripped(t *testing.T) {
	object := &v1alpha1.Import{}
	object.Name = "orders"
	for i := range 500 {
		object.Status.OwnedFields = append(object.Status.OwnedFields, "/settings/field"+strings.Repeat("x", i%7))
	}
	var last LastStatus
	last.Note(object)
	none, cached := &v1alpha1.Import{}, object.DeepCopy()
	none.Name = "orders"
	definition.Strip(cached, nil)
	if last.contradictedBy(event.UpdateEvent{ObjectOld: none, ObjectNew: cached}) {
		t.Error("the cache brings the status that was written, without the fields that were applied")
	}
	other := object.DeepCopy()
	other.Status.OwnedFields[0] = "/another"
	definition.Strip(other, nil)
	if !last.contradictedBy(event.UpdateEvent{ObjectOld: none, ObjectNew: other}) {
		t.Error("other fields were applied than this process wrote")
	}
}
