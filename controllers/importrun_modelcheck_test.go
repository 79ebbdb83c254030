// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
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

	claims []string
	modelSearch[modelWorld]
}

// search visits every state that can be reached, and then makes sure that each can still
// reach an end.
func (m *modelCheck) search(start modelWorld) {
	m.claims = []string{""}
	m.next, m.inspect, m.stuck = m.step, m.promised, "a run can never end"
	m.rests = func(w modelWorld) bool { return w.object.finished() }
	m.pass = func(from, to modelWorld, violated func(string)) {
		if from.object.finished() && to.object.phase != from.object.phase && to.strangers == from.strangers {
			violated("a run that has ended changes its phase")
		}
	}
	m.modelSearch.search(start)
}

// promised holds one state against what is promised.
func (m *modelCheck) promised(w modelWorld, violated func(string)) {
	run := m.run(w.object)
	permitted := run.Spec.OnUnknownOutcome == v1alpha1.UnknownOutcomeRetry
	for b, applied := range w.applied {
		underWay := false
		for _, r := range w.requests {
			underWay = underWay || r.open && int(r.batch) == b
		}
		if applied > 1 && !permitted {
			violated("a batch is written twice")
		}
		switch w.object.phase {
		case v1alpha1.RunSucceeded:
			if applied == 0 {
				violated("a run has succeeded with a batch that was not written")
			}
		case v1alpha1.RunFailed, v1alpha1.RunCanceled:
			if b >= int(w.object.done) && (applied > 0 || underWay) {
				violated("a run says that nothing of a batch was written, and it was, or may yet be")
			}
			if b < int(w.object.done) && applied == 0 {
				violated("a run counts a batch that was not written")
			}
		}
	}
}

func TestModelOfARun(t *testing.T) {
	fail := func(run *v1alpha1.ImportRun) { run.Spec.RetryLimit = ptr.To[int32](1) }
	retry := func(run *v1alpha1.ImportRun) { run.Spec.OnUnknownOutcome = v1alpha1.UnknownOutcomeRetry }
	start := modelWorld{crashes: 1, strangers: 1, tokens: 3}
	good := func() *modelCheck { return &modelCheck{decide: decide, conclude: conclude, tellable: tellable} }

	for name, policy := range map[string]func(*v1alpha1.ImportRun){"Fail": fail, "Retry": retry} {
		t.Run(name, func(t *testing.T) {
			m, world := good(), start
			if m.policy = policy; name == "Retry" {
				// There is far more that can happen: two calls are enough.
				world.tokens = 2
			}
			m.search(world)
			m.sound(t)
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
			m := good()
			m.policy, m.stopAt = fail, seeded.finds
			seeded.spoil(m)
			m.search(start)
			m.finds(t, seeded.finds)
		})
	}
}
