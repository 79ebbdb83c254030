// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package runstate

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/integrator"
)

// The effects of a pass in the world of the model.

var errModelLost = errors.New("no answer from Kubernetes")

type modelFault uint8

const (
	faultNone modelFault = iota
	// faultNotDone: the effect fails.
	faultNotDone
	// faultAnswerLost: what it writes is written, and the answer says that it failed.
	faultAnswerLost
	// faultGivenUp: it fails, and the time for retries is over.
	faultGivenUp
)

type modelReply uint8

const (
	replyOK modelReply = iota
	replyRefused
	replyRateLimited
	replyLost
)

// modelEffects are the effects of one step of one worker.
type modelEffects struct {
	fault modelFault
	// reply is the answer to the worker's call.
	reply modelReply

	m     *modelCheck
	world *modelWorld
	i     int
	// fresh is the newest version of the run, when this step has read or written it.
	fresh *v1alpha1.ImportRun
	// wrote: the run was written.
	wrote bool
}

// modelMove is a step of one worker, and everything that it depends on: the same move has the same
// consequences in every world.
type modelMove struct {
	i      int
	worker modelWorker
	object modelObject
	late   bool
	tokens uint8
	fault  modelFault
	reply  modelReply
}

// modelMoved is what a move leads to.
type modelMoved struct {
	worker modelWorker
	object modelObject
	tokens uint8
	wrote  bool
}

// step has a worker take the next step of its pass, or, when it is idle, read the run and begin one.
func (m *modelCheck) step(w *modelWorld, i int, e modelEffects) {
	move := modelMove{i: i, worker: w.workers[i], object: w.object, late: w.late, tokens: w.tokens, fault: e.fault, reply: e.reply}
	moved, ok := m.moves[move]
	if !ok {
		world := *w
		wrote := m.takeStep(&world, i, e)
		moved = modelMoved{world.workers[i], world.object, world.tokens, wrote}
		m.moves[move] = moved
	}
	w.workers[i], w.object, w.tokens = moved.worker, moved.object, moved.tokens
	if moved.wrote {
		w.written(i)
	}
}

// takeStep is step, and reports whether the run was written.
func (m *modelCheck) takeStep(w *modelWorld, i int, e modelEffects) (wrote bool) {
	e.m, e.world, e.i = m, w, i
	var p Pass
	if worker := w.workers[i]; worker.idle() {
		p = Begin(m.run(w.object), m.process(w, i), m.outcomes[worker.unrecorded])
		p.rules, e.fresh = m.rules, p.Run
	} else {
		p = m.pass(w, i)
		if e.fault == faultGivenUp {
			p.recordBy = modelStart
		}
		// What the step ends with is no matter: a pass that is over begins again.
		p, _ = p.Step(context.Background(), &e)
	}
	// These steps are taken at once: they have no effects in this world, or nobody comes between.
	for p.step == StepRecall || p.step == StepDecide || p.step == StepPrepare {
		e.fault = faultNone
		p, _ = p.Step(context.Background(), &e)
	}
	m.keep(w, i, p, p.Run == e.fresh)
	return e.wrote
}

// Now: a claim begins when the run does, so that it is over once it is late.
func (e *modelEffects) Now() time.Time {
	if e.world.workers[e.i].step == StepClaim {
		return modelStart
	}
	return e.world.now()
}

func (e *modelEffects) NewToken() string { return fmt.Sprintf("t%d", e.world.tokens) }

func (e *modelEffects) Pause(context.Context, time.Duration) {}

func (e *modelEffects) Prepare(context.Context, *v1alpha1.ImportRun, Claim) (Prepared, *Outcome, error) {
	return Prepared{Payload: modelPayload}, nil, nil
}

// write makes an edit of the object, unless the worker has an old version of it.
func (e *modelEffects) write(edit func(*modelObject)) (*v1alpha1.ImportRun, error) {
	worker := &e.world.workers[e.i]
	switch {
	case worker.stale && !e.m.careless:
		return nil, apierrors.NewConflict(schema.GroupResource{}, "run", nil)
	case e.fault == faultNotDone, e.fault == faultGivenUp:
		return nil, errModelLost
	}
	edit(&e.world.object)
	e.wrote = true
	if e.fault == faultAnswerLost {
		worker.stale = true
		return nil, errModelLost
	}
	return e.newest(), nil
}

func (e *modelEffects) newest() *v1alpha1.ImportRun {
	e.fresh = e.m.run(e.world.object)
	return e.fresh
}

func (e *modelEffects) WriteClaim(_ context.Context, _ *v1alpha1.ImportRun, claim Claim) (*v1alpha1.ImportRun, error) {
	return e.write(func(o *modelObject) {
		if claim.Token != "" {
			e.world.tokens--
		}
		// Its pause may end at any time.
		claim.NotBefore = time.Time{}
		o.claim = e.m.claimAs(claim)
	})
}

func (e *modelEffects) ShowRunning(_ context.Context, run *v1alpha1.ImportRun, granted Claim, _ Prepared) (*v1alpha1.ImportRun, error) {
	return e.write(func(o *modelObject) {
		o.phase, o.done = phaseAs(v1alpha1.RunRunning), uint8(Standing(run, granted).Done) //nolint:gosec // at most 2
		o.call = callOf(granted.Token)
	})
}

func (e *modelEffects) WriteOutcome(_ context.Context, _ *v1alpha1.ImportRun, outcome Outcome) (*v1alpha1.ImportRun, error) {
	return e.write(func(o *modelObject) {
		o.phase, o.done = phaseAs(cmp.Or(outcome.Phase, v1alpha1.RunRunning)), uint8(outcome.Done) //nolint:gosec // at most 2
		o.call = 0
	})
}

func (e *modelEffects) ShowPause(_ context.Context, _ *v1alpha1.ImportRun, outcome Outcome) (*v1alpha1.ImportRun, error) {
	return e.write(func(o *modelObject) { o.call = callOf(outcome.Call(tokenOf(o.call))) })
}

func (e *modelEffects) ReadRun(context.Context, *v1alpha1.ImportRun) (*v1alpha1.ImportRun, error) {
	if e.fault == faultNotDone {
		return nil, errModelLost
	}
	return e.newest(), nil
}

func (e *modelEffects) Invoke(context.Context, *v1alpha1.ImportRun, Claim, Prepared) (integrator.InvokeResponse, error) {
	switch e.reply {
	case replyOK:
		return integrator.InvokeResponse{Records: []integrator.RecordResult{{StatusCode: 200}}}, nil
	case replyRefused:
		return integrator.InvokeResponse{}, &integrator.APIError{Sent: true, StatusCode: 403}
	case replyRateLimited:
		return integrator.InvokeResponse{}, &integrator.APIError{Sent: true, StatusCode: 429, RetryAfter: time.Second}
	default:
		return integrator.InvokeResponse{}, &integrator.APIError{Sent: true, StatusCode: 503}
	}
}

func (e *modelEffects) ReadLedger(context.Context, *v1alpha1.ImportRun) (KeyEntry, bool, error) {
	return KeyEntry{}, false, nil
}

func (e *modelEffects) SettleLedger(context.Context, *v1alpha1.ImportRun, Outcome) error { return nil }
