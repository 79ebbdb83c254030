// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package runstate

import (
	"testing"
	"time"

	"k8s.io/utils/ptr"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/integrator"
	"github.com/integrator-operator/integrator-operator/internal/modelcheck"
	"github.com/integrator-operator/integrator-operator/internal/problem"
)

const (
	neverEnds     = "a run can never end"
	neverRecorded = "an answer that arrived is never recorded"
	writtenTwice  = "a batch is written twice"
	falselyFailed = "a run says that nothing of a batch was written, and it was, or may yet be"
)

// modelCheck is one search.
type modelCheck struct {
	// policy edits the run's spec.
	policy func(*v1alpha1.ImportRun)
	// rules are the decisions of the passes. careless is an API server that does not refuse a write
	// to an old version.
	rules    rules
	careless bool
	// calm is a world without faults of Kubernetes before a call, in which no run has to wait for the
	// clock: each comes to an end that is known, unless an answer did not arrive in time.
	calm bool
	// forgetful is a process that records nothing once it is stopped.
	forgetful bool

	// What states have numbers of.
	claims         []string
	claimNumbers   map[string]uint16
	outcomes       []*Outcome
	outcomeNumbers map[string]uint16
	// moves are those that were made before.
	moves map[modelMove]modelMoved
	modelcheck.Search[modelWorld]
}

// search visits every state that can be reached, and then makes sure that each can still reach an
// end.
func (m *modelCheck) search(start modelWorld) {
	m.claims, m.claimNumbers = []string{""}, map[string]uint16{"": 0}
	m.outcomes, m.outcomeNumbers = []*Outcome{nil}, map[string]uint16{"": 0}
	m.moves = map[modelMove]modelMoved{}
	m.Next, m.Inspect, m.Stuck = m.next, m.invariants, neverEnds
	m.Rests = func(w modelWorld) bool { return w.object.finished() }
	if m.calm {
		m.Stuck = neverRecorded
		m.Rests = func(w modelWorld) bool {
			return w.object.finished() && (modelPhases[w.object.phase] != v1alpha1.RunUnknown || w.lost || w.late)
		}
	}
	m.Transition = func(from, to modelWorld, violated func(string)) {
		if from.object.finished() && to.object.phase != from.object.phase && to.edits == from.edits {
			violated("a run that has ended changes its phase")
		}
	}
	m.Run(start)
}

// invariants checks one state.
func (m *modelCheck) invariants(w modelWorld, violated func(string)) {
	run := m.run(w.object)
	permitted := run.Spec.OnUnknownOutcome == v1alpha1.UnknownOutcomeRetry
	for b, applied := range w.applied {
		underWay := false
		for _, r := range w.requests {
			underWay = underWay || r.open && int(r.batch) == b
		}
		if applied > 1 && !permitted {
			violated(writtenTwice)
		}
		switch modelPhases[w.object.phase] {
		case v1alpha1.RunSucceeded:
			if applied == 0 {
				violated("a run has succeeded with a batch that was not written")
			}
		case v1alpha1.RunFailed, v1alpha1.RunCanceled:
			if b >= int(w.object.done) && (applied > 0 || underWay) {
				violated(falselyFailed)
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
	start := modelWorld{crashes: 1, edits: 1, tokens: 3}
	good := func() *modelCheck { return &modelCheck{rules: rules{Decide, Conclude, CanRecord}} }

	for name, policy := range map[string]func(*v1alpha1.ImportRun){"Fail": fail, "Retry": retry} {
		t.Run(name, func(t *testing.T) {
			m, world := good(), start
			if m.policy = policy; name == "Retry" {
				// There is far more that can happen: two calls are enough.
				world.tokens = 2
			}
			m.search(world)
			m.Sound(t)
		})
	}

	// The operator is stopped, or loses its lease, at any moment: also during a call, and while it claims
	// one. Its successor works meanwhile, and judges what is not recorded once it is late.
	stopped := modelWorld{tokens: 3, stops: 1}
	t.Run("Stopped", func(t *testing.T) {
		m := good()
		m.policy, m.calm = fail, true
		m.search(stopped)
		m.Sound(t)
	})
	t.Run("finds that a process without the lease records nothing", func(t *testing.T) {
		m := good()
		m.policy, m.calm, m.forgetful = fail, true, true
		m.search(modelWorld{tokens: 1, stops: 1})
		m.Finds(t, neverRecorded)
	})
	t.Run("finds that another claim's answer is recorded", func(t *testing.T) {
		m := good()
		m.policy, m.StopAt = retry, falselyFailed
		m.rules.canRecord = func(live *v1alpha1.ImportRun, o Outcome) bool {
			return o.OfCall() && !Finished(live) && !answered(live, Claim{Batch: o.Batch})
		}
		m.search(modelWorld{tokens: 2, stops: 1})
		m.Finds(t, falselyFailed)
	})

	// The check is worth what it can find: each of these is a mistake that others have made.
	for name, mutant := range map[string]struct {
		mutate func(*modelCheck)
		finds  string
	}{
		"a claim is not bound to a version": {func(m *modelCheck) { m.careless = true }, writtenTwice},
		"an abandoned claim is taken again": {func(m *modelCheck) {
			m.rules.decide = func(run *v1alpha1.ImportRun, self Process, now time.Time) Decision {
				if next := Decide(run, self, now); next.Action != ActionWait || ClaimOf(run).Token == "" || ClaimOf(run).Holder == self.Holder {
					return next
				}
				return Decision{Action: ActionSend, Claim: following(run, ClaimOf(run))}
			}
		}, writtenTwice},
		"a lost answer is taken for a refusal": {func(m *modelCheck) {
			m.rules.conclude = func(run *v1alpha1.ImportRun, at Claim, call Verdict, sent Payload, now time.Time) Outcome {
				if call.Outcome == integrator.OutcomeUnknown {
					call.Outcome, call.Retriable = integrator.OutcomeNotApplied, true
				}
				return Conclude(run, at, call, sent, now)
			}
		}, writtenTwice},
		"a claim without an outcome has failed": {func(m *modelCheck) {
			m.rules.decide = func(run *v1alpha1.ImportRun, self Process, now time.Time) Decision {
				next := Decide(run, self, now)
				if next.Action == ActionEnd && next.Outcome.Phase == v1alpha1.RunUnknown {
					next.Outcome.Phase = v1alpha1.RunFailed
				}
				return next
			}
		}, falselyFailed},
		"Running without a claim begins anew": {func(m *modelCheck) {
			m.rules.decide = func(run *v1alpha1.ImportRun, self Process, now time.Time) Decision {
				if run.Annotations[v1alpha1.AnnotationClaim] == "" {
					run = run.DeepCopy()
					run.Status.Phase, run.Status.StartTime = v1alpha1.RunWaiting, nil
				}
				return Decide(run, self, now)
			}
		}, writtenTwice},
		"a claim needs no call in the status": {func(m *modelCheck) {
			m.rules.decide = func(run *v1alpha1.ImportRun, self Process, now time.Time) Decision {
				run = run.DeepCopy()
				run.Status.Call = ""
				return Decide(run, self, now)
			}
		}, writtenTwice},
		"a claim says how many batches were answered": {func(m *modelCheck) {
			m.rules.decide = func(run *v1alpha1.ImportRun, self Process, now time.Time) Decision {
				if c := ClaimOf(run); c.Token == "" && c.Batch > batchesDone(run) {
					run = run.DeepCopy()
					run.Status.Call, run.Status.Batches = "", &v1alpha1.BatchCounts{Total: modelBatches, Done: int32(c.Batch)} //nolint:gosec // at most 2
				}
				return Decide(run, self, now)
			}
		}, "a run has succeeded with a batch that was not written"},
		"a cancel does not wait for the call": {func(m *modelCheck) {
			m.rules.decide = func(run *v1alpha1.ImportRun, self Process, now time.Time) Decision {
				if run.Spec.Cancel {
					return ended(Stop(run, following(run, ClaimOf(run)), v1alpha1.RunCanceled, v1alpha1.ReasonCanceled, ""))
				}
				return Decide(run, self, now)
			}
		}, falselyFailed},
		"an outcome is recorded over another's end": {func(m *modelCheck) {
			m.rules.canRecord = func(*v1alpha1.ImportRun, Outcome) bool { return true }
		}, "a run that has ended changes its phase"},
		"a claim is awaited for ever": {func(m *modelCheck) {
			m.rules.decide = func(run *v1alpha1.ImportRun, self Process, now time.Time) Decision {
				if c := ClaimOf(run); c.Token != "" && !answered(run, c) {
					return waiting(problem.Waitingf(v1alpha1.ReasonProgressing, ""))
				}
				return Decide(run, self, now)
			}
		}, neverEnds},
	} {
		t.Run("finds that "+name, func(t *testing.T) {
			m := good()
			m.policy, m.StopAt = fail, mutant.finds
			mutant.mutate(m)
			world := start
			if m.StopAt == neverEnds {
				// The whole search is needed for this: one call is enough.
				world.tokens = 1
			}
			m.search(world)
			m.Finds(t, mutant.finds)
		})
	}
}
