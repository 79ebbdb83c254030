// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package runstate

import (
	"context"
	"fmt"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/problem"
)

// The invoke protocol. An invocation writes into the destination, and the API cannot tell a second
// one from the first. For each batch:
//
//  1. claim: one annotation, refused if anybody else wrote the object meanwhile;
//  2. invoke: one call on a connection of its own, no redirect, no retry;
//  3. record: the outcome of the call goes into the run; that write is retried, the call never is.
//
// A claim without an outcome, past its deadline, is Unknown for good.
//
// The call may take minutes. So whoever takes the steps up to it does not take it: with Claimed, the
// pass goes to somebody who may wait, and who also records the outcome, whether or not the process still
// leads. A pass makes one call at most.

// Step is what a Pass does next.
type Step int

const (
	_ Step = iota
	// StepRecall: an earlier reconcile could not record the outcome of a call. The run is read, and
	// the outcome recorded if it still counts.
	StepRecall
	// StepDecide: the clock is read and Decide asked.
	StepDecide
	// StepStopClock: the claim is written with the time that a suspended run has used.
	StepStopClock
	// StepConsultLedger: the ledger of idempotency keys is asked before a run ends as Unknown.
	StepConsultLedger
	// StepPrepare: everything that the next call needs is got.
	StepPrepare
	// StepClaim: the permission for the call is taken.
	StepClaim
	// StepConfirmClaim: the run is read, because it is not known whether the claim stands.
	StepConfirmClaim
	// StepShowRunning: the run is shown as Running. Nothing is sent before: should somebody remove the
	// claim, the status still says that there was one.
	StepShowRunning
	// StepInvoke: the call is made.
	StepInvoke
	// StepSettleLedger: the outcome of a call goes into the ledger, before it goes into the run.
	StepSettleLedger
	// StepShowPause: the status shows that the call is over and nothing came of it. It is written
	// before the claim loses its token: a claim without a token permits another call only where the
	// status shows none in progress.
	StepShowPause
	// StepReturnClaim: the claim is written without its token, so that the batch is sent again later.
	StepReturnClaim
	// StepWriteOutcome: how far the run has come, or how it ended, goes into its status.
	StepWriteOutcome
	// StepRefresh: the run is read because it changed while an outcome was recorded.
	StepRefresh
	// StepTellLedger: an outcome without a call goes into the ledger after it went into the run: it
	// was decided from what was read, and counts once it is written.
	StepTellLedger
	// StepDone: the pass is over.
	StepDone
)

// Pass takes one run as far as it goes: until the outcome of its next call is recorded, or until it has
// ended, has to wait, or the operator is asked to stop. It is a value: Step returns the next one.
type Pass struct {
	// Run is the newest version of the run that was read or written.
	Run *v1alpha1.ImportRun
	// Process has the tokens of unused claims. They and Unrecorded are what the process has to
	// remember of a run when the pass is over.
	Process Process
	// Unrecorded is the outcome of a call that is not in the run yet: what is retried is the record,
	// never the call.
	Unrecorded *Outcome
	// Recorded is the last outcome that this pass has recorded, nil when there is none.
	Recorded *Outcome

	step Step
	// claim is the claim to take, or to write, or that was taken.
	claim    Claim
	prepared Prepared
	// wait is why the pass ends after StepStopClock.
	wait *problem.Problem
	// outcome is what is being recorded, until recordBy.
	outcome  Outcome
	recordBy time.Time
	// attempt counts the retries of a write, and pause is how long to wait before the step.
	attempt int
	pause   time.Duration
	// failure is why it is not known whether the claim stands.
	failure error
	rules   rules
}

// rules are the decisions of a pass. The model check replaces them with mutants.
type rules struct {
	decide    func(*v1alpha1.ImportRun, Process, time.Time) Decision
	conclude  func(*v1alpha1.ImportRun, Claim, Verdict, Payload, time.Time) Outcome
	canRecord func(*v1alpha1.ImportRun, Outcome) bool
}

// Begin is the pass of a run that has not ended, with what the process remembers of it.
func Begin(run *v1alpha1.ImportRun, self Process, unrecorded *Outcome) Pass {
	p := Pass{Run: run, Process: self, Unrecorded: unrecorded, step: StepDecide, rules: rules{Decide, Conclude, CanRecord}}
	if unrecorded != nil {
		p.step = StepRecall
	}
	return p
}

// Ended reports whether the pass is over.
func (p Pass) Ended() bool { return p.step == StepDone }

// Claimed reports whether the call is next: the claim stands and is shown.
func (p Pass) Claimed() bool { return p.step == StepInvoke }

// Continues reports whether the run goes on after a pass that has recorded the outcome of a call.
func (p Pass) Continues() bool {
	return p.Ended() && p.Recorded != nil && p.Recorded.OfCall() && !Finished(p.Run)
}

// claimTimeout bounds the steps from the claim to the call. They are not given up when the operator is
// asked to stop: a claim under which nothing was sent could not be told from one whose answer is lost.
const claimTimeout = 20 * time.Second

// claiming reports whether the step is one of those.
func (p Pass) claiming() bool {
	return p.step == StepClaim || p.step == StepConfirmClaim || p.step == StepShowRunning
}

// Step carries out one effect and decides what comes next. With an error the pass is over, and the
// error is why: a problem that the run waits for, or a failure of Kubernetes.
func (p Pass) Step(ctx context.Context, e Effects) (Pass, error) {
	switch {
	case p.step == StepClaim && ctx.Err() != nil:
		// Nothing is begun by a process that is asked to stop.
		return p.then(StepDone), nil
	case p.claiming():
		limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), claimTimeout)
		defer cancel()
		ctx = limited
	case p.recording():
		// The outcome of a call is known nowhere else: it is recorded also when the operator is asked
		// to stop. A server that is silent is asked again.
		limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), min(p.recordBy.Sub(e.Now()), attemptTimeout))
		defer cancel()
		ctx = limited
	}
	if p.pause > 0 {
		e.Pause(ctx, p.pause)
		p.pause = 0
	}
	return p.carryOut(ctx, e)
}

// carryOut is Step for each of the steps.
func (p Pass) carryOut(ctx context.Context, e Effects) (Pass, error) {
	switch p.step {
	case StepRecall:
		return p.recall(ctx, e)
	case StepDecide:
		return p.decide(ctx, e)
	case StepStopClock:
		return p.stopClock(ctx, e)
	case StepConsultLedger:
		return p.consultLedger(ctx, e)
	case StepPrepare:
		return p.prepare(ctx, e)
	case StepClaim:
		return p.takeClaim(ctx, e)
	case StepConfirmClaim:
		return p.confirmClaim(ctx, e)
	case StepShowRunning:
		return p.showRunning(ctx, e)
	case StepInvoke:
		return p.invoke(ctx, e), nil
	case StepSettleLedger:
		return p.settleLedger(ctx, e)
	case StepShowPause:
		return p.showPause(ctx, e)
	case StepReturnClaim:
		return p.returnClaim(ctx, e)
	case StepWriteOutcome:
		return p.writeOutcome(ctx, e)
	case StepRefresh:
		return p.refresh(ctx, e)
	case StepTellLedger:
		return p.tellLedger(ctx, e), nil
	case StepDone:
		return p, nil
	default:
		return p.fail(fmt.Errorf("unknown step %d of a run", p.step))
	}
}

// then is the pass with another step.
func (p Pass) then(next Step) Pass {
	p.step = next
	return p
}

// fail ends the pass.
func (p Pass) fail(err error) (Pass, error) { return p.then(StepDone), err }

func (p Pass) decide(ctx context.Context, e Effects) (Pass, error) {
	if ctx.Err() != nil || !p.Run.DeletionTimestamp.IsZero() || Finished(p.Run) {
		return p.then(StepDone), nil
	}
	next := p.rules.decide(p.Run, p.Process, e.Now())
	p.claim = next.Claim
	switch next.Action {
	case ActionSend:
		return p.then(StepPrepare), nil
	case ActionWait:
		return p.fail(next.Wait)
	case ActionStopClock:
		p.wait = next.Wait
		return p.then(StepStopClock), nil
	case ActionEnd:
		if next.Outcome.Reason == v1alpha1.ReasonOutcomeUnknown && p.Run.Spec.IdempotencyKey != "" {
			p.outcome = next.Outcome
			return p.then(StepConsultLedger), nil
		}
		return p.record(next.Outcome, e), nil
	default:
		return p.fail(fmt.Errorf("unknown action %d of a run", next.Action))
	}
}

func (p Pass) stopClock(ctx context.Context, e Effects) (Pass, error) {
	run, err := e.WriteClaim(ctx, p.Run, p.claim)
	if err != nil {
		return p.fail(err)
	}
	p.Run = run
	return p.fail(p.wait)
}

func (p Pass) consultLedger(ctx context.Context, e Effects) (Pass, error) {
	entry, ok, err := e.ReadLedger(ctx, p.Run)
	if err != nil {
		return p.fail(err)
	}
	if ok {
		if o, settled := Settled(p.Run, ClaimOf(p.Run), entry); settled {
			return p.record(o, e), nil
		}
	}
	return p.record(p.outcome, e), nil
}

func (p Pass) prepare(ctx context.Context, e Effects) (Pass, error) {
	prepared, end, err := e.Prepare(ctx, p.Run, p.claim)
	switch {
	case err != nil:
		return p.fail(err)
	case end != nil:
		return p.record(*end, e), nil
	default:
		p.prepared = prepared
		return p.then(StepClaim), nil
	}
}

func (p Pass) takeClaim(ctx context.Context, e Effects) (Pass, error) {
	p.claim = p.claim.granted(p.Run, e.NewToken(), p.Process.Holder, p.prepared.Payload, e.Now().UTC())
	run, err := e.WriteClaim(ctx, p.Run, p.claim)
	switch {
	case err == nil:
		p.Run, p.attempt = run, 0
		return p.then(StepShowRunning), nil
	case apierrors.IsConflict(err):
		return p.fail(err)
	default:
		p.failure = err
		return p.then(StepConfirmClaim), nil
	}
}

// confirmClaim finds out whether the claim stands. When it does not, or that is not known, it may
// still come to stand: the token is remembered as unused.
func (p Pass) confirmClaim(ctx context.Context, e Effects) (Pass, error) {
	live, err := e.ReadRun(ctx, p.Run)
	switch {
	case err == nil && live.UID == p.Run.UID && ClaimOf(live).Token == p.claim.Token && !Finished(live):
		p.Run, p.failure = live, nil
		return p.then(StepShowRunning), nil
	case err != nil && apierrors.IsConflict(p.failure):
		return p.abandon(err)
	default:
		return p.abandon(p.failure)
	}
}

// abandon ends the pass with a claim under which nothing is sent.
func (p Pass) abandon(err error) (Pass, error) {
	// A copy: another pass may have the same list.
	p.Process.Unused = append(slices.Clone(p.Process.Unused), p.claim.Token)
	return p.fail(err)
}

func (p Pass) showRunning(ctx context.Context, e Effects) (Pass, error) {
	run, err := e.ShowRunning(ctx, p.Run, p.claim, p.prepared)
	pause, retry := shortPause(p.attempt)
	switch {
	case err == nil:
		p.Run, p.Process.Unused = run, nil
		return p.then(StepInvoke), nil
	case apierrors.IsConflict(err) && retry:
		p.failure, p.pause = err, pause
		p.attempt++
		return p.then(StepConfirmClaim), nil
	default:
		return p.abandon(err)
	}
}

func (p Pass) invoke(ctx context.Context, e Effects) Pass {
	payload := p.prepared.Payload
	response, err := e.Invoke(ctx, p.Run, p.claim, p.prepared)
	call := Judge(response, err, len(payload.Part(p.claim.Batch)), payload.Secret)
	outcome := p.rules.conclude(p.Run, p.claim, call, payload, e.Now())
	outcome.ImportID = p.prepared.ImportID
	p = p.record(outcome, e)
	// As long as nobody else judges the claim, nobody else can know it either.
	if until := p.claim.Deadline.Add(claimGrace); until.After(p.recordBy) {
		p.recordBy = until
	}
	return p
}
