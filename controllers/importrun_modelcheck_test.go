// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"k8s.io/utils/ptr"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
)

// modelCheck is one search.
type modelCheck struct {
	// policy edits the run's spec.
	policy func(*v1alpha1.ImportRun)
	// The decisions, and whether the API server refuses a write to an old version.
	decide   func(*v1alpha1.ImportRun, process, time.Time) step
	conclude func(*v1alpha1.ImportRun, claim, verdict, *payload, time.Time) *outcome
	tellable func(*v1alpha1.ImportRun, *outcome) bool
	careless bool

	// stopAt ends the search when this is found.
	stopAt string

	claims []string
	known  map[modelWorld]int
	states []modelWorld
	// leads has the states that each state leads to, from the first that led to it.
	leads [][]int
	from  []int
	// violations is what is wrong and in how many states, first in which it is seen first.
	violations, first map[string]int
}

// search visits every state that can be reached, and then makes sure that each can still
// reach an end.
func (m *modelCheck) search(start modelWorld) {
	m.claims = []string{""}
	m.known, m.violations, m.first = map[modelWorld]int{}, map[string]int{}, map[string]int{}
	m.number(start, -1)
	for i := 0; i < len(m.states) && i < maxModelStates && (m.stopAt == "" || m.violations[m.stopAt] == 0); i++ {
		world := m.states[i]
		for _, next := range m.step(world) {
			m.leads[i] = append(m.leads[i], m.number(next, i))
			if world.object.finished() && next.object.phase != world.object.phase && next.strangers == world.strangers {
				m.violated(i, "a run that has ended changes its phase")
			}
		}
		m.inspect(i)
	}
	back := make([][]int, len(m.states))
	var ends []int
	for i, leads := range m.leads {
		for _, next := range leads {
			back[next] = append(back[next], i)
		}
		if m.states[i].object.finished() {
			ends = append(ends, i)
		}
	}
	reaches := make([]bool, len(m.states))
	for len(ends) > 0 {
		i := ends[len(ends)-1]
		ends = ends[:len(ends)-1]
		if !reaches[i] {
			reaches[i] = true
			ends = append(ends, back[i]...)
		}
	}
	for i, ok := range reaches {
		if !ok {
			m.violated(i, "a run can never end")
		}
	}
}

func (m *modelCheck) violated(state int, what string) {
	if m.violations[what]++; m.violations[what] == 1 {
		m.first[what] = state
	}
}

// trace is the shortest way to a state, one state a line.
func (m *modelCheck) trace(state int) string {
	var lines []string
	for ; state >= 0; state = m.from[state] {
		lines = append(lines, fmt.Sprintf("%+v", m.states[state]))
	}
	slices.Reverse(lines)
	return strings.Join(lines, "\n")
}

func (m *modelCheck) number(world modelWorld, from int) int {
	for i := range world.workers {
		if worker := &world.workers[i]; worker.at == workerRead && worker.stale && !m.careless {
			world.rest(i)
		}
	}
	if i, ok := m.known[world]; ok {
		return i
	}
	m.known[world] = len(m.states)
	m.states = append(m.states, world)
	m.leads = append(m.leads, nil)
	m.from = append(m.from, from)
	return len(m.states) - 1
}

// inspect holds one state against what is promised.
func (m *modelCheck) inspect(state int) {
	w := m.states[state]
	run := m.run(w.object)
	permitted := run.Spec.OnUnknownOutcome == v1alpha1.UnknownOutcomeRetry
	for b, applied := range w.applied {
		underWay := false
		for _, r := range w.requests {
			underWay = underWay || r.open && int(r.batch) == b
		}
		if applied > 1 && !permitted {
			m.violated(state, "a batch is written twice")
		}
		switch w.object.phase {
		case v1alpha1.RunSucceeded:
			if applied == 0 {
				m.violated(state, "a run has succeeded with a batch that was not written")
			}
		case v1alpha1.RunFailed, v1alpha1.RunCanceled:
			if b >= int(w.object.done) && (applied > 0 || underWay) {
				m.violated(state, "a run says that nothing of a batch was written, and it was, or may yet be")
			}
			if b < int(w.object.done) && applied == 0 {
				m.violated(state, "a run counts a batch that was not written")
			}
		}
	}
}

func TestModelOfARun(t *testing.T) {
	fail := func(run *v1alpha1.ImportRun) { run.Spec.RetryLimit = ptr.To[int32](1) }
	retry := func(run *v1alpha1.ImportRun) { run.Spec.OnUnknownOutcome = v1alpha1.UnknownOutcomeRetry }
	start := modelWorld{crashes: 1, strangers: 1, tokens: 3}
	sound := func() *modelCheck { return &modelCheck{decide: decide, conclude: conclude, tellable: tellable} }

	for name, policy := range map[string]func(*v1alpha1.ImportRun){"Fail": fail, "Retry": retry} {
		t.Run(name, func(t *testing.T) {
			m, world := sound(), start
			if m.policy = policy; name == "Retry" {
				// There is far more that can happen: two calls are enough.
				world.tokens = 2
			}
			m.search(world)
			for violation, count := range m.violations {
				t.Errorf("%s (in %d of %d states), first so:\n%s", violation, count, len(m.states), m.trace(m.first[violation]))
			}
			t.Logf("onUnknownOutcome %s: %d states", name, len(m.states))
		})
	}

	// The check is worth what it can find: each of these is a mistake that others have made.
	for name, seeded := range map[string]struct {
		spoil func(*modelCheck)
		finds string
	}{
		"a claim is not bound to a version": {func(m *modelCheck) { m.careless = true }, "a batch is written twice"},
		"a claim that was left is taken anew": {func(m *modelCheck) {
			m.decide = func(run *v1alpha1.ImportRun, self process, now time.Time) step {
				if next := decide(run, self, now); next.wait == nil || claimOf(run).Token == "" || claimOf(run).Holder == self.holder {
					return next
				}
				return step{next: follow(run, claimOf(run))}
			}
		}, "a batch is written twice"},
		"a lost answer is taken for a refusal": {func(m *modelCheck) {
			m.conclude = func(run *v1alpha1.ImportRun, at claim, call verdict, sent *payload, now time.Time) *outcome {
				if call.fate == fateUnknown {
					call.fate, call.retriable = fateRefused, true
				}
				return conclude(run, at, call, sent, now)
			}
		}, "a batch is written twice"},
		"a claim without an outcome has failed": {func(m *modelCheck) {
			m.decide = func(run *v1alpha1.ImportRun, self process, now time.Time) step {
				next := decide(run, self, now)
				if next.ended != nil && next.ended.phase == v1alpha1.RunUnknown {
					next.ended.phase = v1alpha1.RunFailed
				}
				return next
			}
		}, "a run says that nothing of a batch was written, and it was, or may yet be"},
		"Running without a claim begins anew": {func(m *modelCheck) {
			m.decide = func(run *v1alpha1.ImportRun, self process, now time.Time) step {
				if run.Annotations[v1alpha1.AnnotationClaim] == "" {
					run.Status.Phase, run.Status.StartTime = v1alpha1.RunWaiting, nil
				}
				return decide(run, self, now)
			}
		}, "a batch is written twice"},
		"a cancel does not wait for the call": {func(m *modelCheck) {
			m.decide = func(run *v1alpha1.ImportRun, self process, now time.Time) step {
				if run.Spec.Cancel {
					return step{ended: stop(run, follow(run, claimOf(run)), v1alpha1.RunCanceled, reasonCanceled, "")}
				}
				return decide(run, self, now)
			}
		}, "a run says that nothing of a batch was written, and it was, or may yet be"},
		"an outcome is told over another's end": {func(m *modelCheck) {
			m.tellable = func(*v1alpha1.ImportRun, *outcome) bool { return true }
		}, "a run that has ended changes its phase"},
		"a claim is awaited for ever": {func(m *modelCheck) {
			m.decide = func(run *v1alpha1.ImportRun, self process, now time.Time) step {
				if c := claimOf(run); c.Token != "" && !answered(run, c) {
					return step{wait: waitingf(reasonProgressing, "")}
				}
				return decide(run, self, now)
			}
		}, "a run can never end"},
	} {
		t.Run("finds that "+name, func(t *testing.T) {
			m := sound()
			m.policy, m.stopAt = fail, seeded.finds
			seeded.spoil(m)
			m.search(start)
			if m.violations[seeded.finds] == 0 {
				t.Errorf("%q is not found in %d states; found: %v", seeded.finds, len(m.states), m.violations)
			}
		})
	}
}
