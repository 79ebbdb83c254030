// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package account

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/types"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/problem"
)

func TestCheckPause(t *testing.T) {
	for _, tc := range []struct {
		interval time.Duration
		before   int
		want     time.Duration
	}{
		{time.Second, 0, time.Second},
		{time.Second, 1, 2 * time.Second},
		{time.Second, 11, 2048 * time.Second},
		{time.Second, 12, time.Hour},
		{time.Minute, 0, time.Minute},
		{24 * time.Hour, 0, 5 * time.Minute},
		{24 * time.Hour, 9999, time.Hour},
	} {
		if got := checkPause(tc.interval, tc.before); got != tc.want {
			t.Errorf("every %s, after %d rejections: %s, want %s", tc.interval, tc.before, got, tc.want)
		}
	}
}

// TestSlots takes slots at given times, and shows how long each has to wait.
func TestSlots(t *testing.T) {
	const many = checkBurst + 4
	for _, tc := range []struct {
		name string
		at   []time.Duration // since the first
		want []time.Duration // how long each waits
	}{
		{"as many as there may be at once", make([]time.Duration, checkBurst), make([]time.Duration, checkBurst)},
		{"the others one after the other", make([]time.Duration, many),
			append(make([]time.Duration, checkBurst), checkInterval, 2*checkInterval, 3*checkInterval, 4*checkInterval)},
		{"time gives slots back, one for each interval",
			append(make([]time.Duration, checkBurst), checkInterval, checkInterval, 2*checkInterval),
			append(make([]time.Duration, checkBurst), 0, checkInterval, checkInterval)},
		{"and never more than at the beginning", append([]time.Duration{0}, repeat(time.Hour, checkBurst+1)...),
			append(make([]time.Duration, checkBurst+1), checkInterval)},
	} {
		var left slots
		var got []time.Duration
		for _, at := range tc.at {
			var slot time.Time
			left, slot = left.take(now.Add(at))
			got = append(got, slot.Sub(now.Add(at)))
		}
		if diff := cmp.Diff(tc.want, got); diff != "" {
			t.Errorf("%s (-want +got)\n%s", tc.name, diff)
		}
	}
}

func repeat(d time.Duration, n int) (all []time.Duration) {
	for range n {
		all = append(all, d)
	}
	return all
}

func TestBeginCheck(t *testing.T) {
	r, clock := registryOf(t)
	keyOf := func(namespace string, n int) types.NamespacedName {
		return types.NamespacedName{Namespace: namespace, Name: fmt.Sprintf("account-%d", n)}
	}
	begin := func(key types.NamespacedName, generation int64) *problem.Problem {
		t.Helper()
		if _, err := r.Configure(key, spec(), "token", Trust{}); err != nil {
			t.Fatal(err)
		}
		return r.BeginCheck(key, Check{Version: "v1", Generation: generation})
	}
	for n := range checkBurst {
		if p := begin(keyOf("crowd", n), 1); p != nil {
			t.Fatalf("number %d waits: %v", n, p)
		}
	}
	late, later := keyOf("crowd", checkBurst), keyOf("crowd", checkBurst+1)
	if p := begin(late, 1); p == nil || p.Reason() != v1alpha1.ReasonProgressing || p.RetryAfter() != checkInterval {
		t.Errorf("one too many is not kept waiting for its slot: %v", p)
	}
	if p := begin(late, 2); p == nil || p.RetryAfter() != checkInterval {
		t.Errorf("asking again takes another slot: %v", p)
	}
	if p := begin(later, 1); p == nil || p.RetryAfter() != 2*checkInterval {
		t.Errorf("the next one's slot: %v", p)
	}
	r.Forget(later)
	if p := begin(later, 1); p == nil || p.RetryAfter() != 2*checkInterval {
		t.Errorf("a slot of an Account that was deleted is lost: %v", p)
	}
	if p := begin(keyOf("quiet", 0), 1); p != nil {
		t.Errorf("another namespace waits too: %v", p)
	}
	clock.Step(checkInterval)
	if p := begin(late, 2); p != nil {
		t.Errorf("it waits beyond its slot: %v", p)
	}

	// Rejected: it waits, unless the Secret or the spec is another.
	if pause := r.CheckRejected(late); pause != time.Minute {
		t.Errorf("the pause is %s", pause)
	}
	r.Block(late, revoked)
	clock.Step(30 * time.Second)
	if p := begin(late, 2); p == nil || p.Reason() != v1alpha1.ReasonTokenRejected || p.RetryAfter() != 30*time.Second {
		t.Errorf("it is checked during the pause: %v", p)
	}
	if p := begin(late, 3); p != nil {
		t.Errorf("another spec is not checked at once: %v", p)
	}
	if pause := r.CheckRejected(late); pause != 2*time.Minute {
		t.Errorf("the second pause is %s", pause)
	}
	r.Block(late, revoked)
	clock.Step(2 * time.Minute)
	if p := begin(late, 3); p != nil {
		t.Errorf("it is not checked after the pause: %v", p)
	}
	if len(r.slots) > 1 {
		t.Errorf("the slots of namespaces where nothing happens are kept: %v", r.slots)
	}
}

// TestChecksUnderWay: the checks of many namespaces leave room for that of another, and repeated ones of
// tokens whose last check had no answer leave half.
func TestChecksUnderWay(t *testing.T) {
	cases := map[string]struct {
		reason string
		// of how many namespaces, and how many of each have a check under way in the end.
		namespaces, each int
		// unanswered: the last check of each had no answer.
		unanswered bool
		want       int
		// another is whether an Account of another namespace is checked at once.
		another bool
	}{
		"Few":      {reason: "some", namespaces: 3, each: checkBurst, want: 30, another: true},
		"Many":     {reason: "each of many namespaces gets less", namespaces: 40, each: checkBurst, want: 83, another: true},
		"Repeated": {reason: "what had no answer may have none again", namespaces: 80, each: 1, unanswered: true, want: MaxChecks / 2, another: true},
		"TooMany":  {reason: "there is an end to it", namespaces: 2 * MaxChecks, each: 1, want: MaxChecks},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			r, clock := registryOf(t)
			begin := func(namespace string, n int) *problem.Problem {
				key := types.NamespacedName{Namespace: namespace, Name: fmt.Sprint("account-", n)}
				if _, err := r.Configure(key, spec(), "token", Trust{}); err != nil {
					t.Fatal(err)
				}
				if tc.unanswered && namespace != "another" {
					_ = r.CheckUnanswered(key, unreachable)
					clock.Step(time.Second)
				}
				return r.BeginCheck(key, Check{Version: "v1"})
			}
			got := 0
			for n := range tc.each {
				for namespace := range tc.namespaces {
					p := begin(fmt.Sprint("crowd-", namespace), n)
					if p == nil {
						got++
					} else if p.Reason() != v1alpha1.ReasonProgressing || p.RetryAfter() != checkFallback {
						t.Errorf("%s: one too many: %v", tc.reason, p)
					}
				}
			}
			if got != tc.want {
				t.Errorf("%s: %d checks are under way, want %d", tc.reason, got, tc.want)
			}
			if p := begin("another", 0); (p == nil) != tc.another {
				t.Errorf("%s: another namespace: %v", tc.reason, p)
			}
			if tc.another {
				return
			}
			r.EndCheck(types.NamespacedName{Namespace: "crowd-0"})
			if want := tc.namespaces + 1 - MaxChecks - checksAsked; len(r.waitingChecks) != want {
				t.Errorf("%s: %d still wait to be asked again, want %d", tc.reason, len(r.waitingChecks), want)
			}
			if p := begin("another", 0); p != nil {
				t.Errorf("%s: after the end of a check: %v", tc.reason, p)
			}
		})
	}
}
