// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package runstate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
)

// The steps of a Pass that record an outcome.

const (
	// RecordTimeout is how long a pass tries to record an outcome at least. That of a call is tried until
	// its claim counts as abandoned, if that is later.
	RecordTimeout = time.Minute
	// recallTimeout is the same for an outcome that could not be recorded before: the next pass tries it
	// again.
	recallTimeout = 5 * time.Second
	// attemptTimeout bounds one attempt.
	attemptTimeout = 15 * time.Second
	// shortAttempts is how often the write of anything but the outcome of a call is retried.
	shortAttempts = 3
)

// ErrSuperseded means that the run went on without this process: it has ended, was deleted, or
// another process has claimed a call meanwhile.
var ErrSuperseded = errors.New("the run went on in another process")

// Superseded is ErrSuperseded as a conflict: the run is reconciled again.
func Superseded(run *v1alpha1.ImportRun) error {
	return apierrors.NewConflict(v1alpha1.GroupVersion.WithResource("importruns").GroupResource(), run.Name, ErrSuperseded)
}

// recordPause is the pause before another attempt to record the outcome of a call: 100 ms, then
// twice as long each time, up to 2 s.
func recordPause(attempt int) time.Duration {
	return min(100*time.Millisecond<<min(attempt, 10), 2*time.Second)
}

// shortPause is the pause before another attempt at a write that can also be decided anew.
func shortPause(attempt int) (pause time.Duration, retry bool) {
	pauses := [shortAttempts]time.Duration{10 * time.Millisecond, 50 * time.Millisecond, 250 * time.Millisecond}
	if attempt < 0 || attempt >= len(pauses) {
		return 0, false
	}
	return pauses[attempt], true
}

// recording reports whether the step is one that records an outcome.
func (p Pass) recording() bool {
	return slices.Contains([]Step{StepSettleLedger, StepShowPause, StepReturnClaim, StepWriteOutcome, StepRefresh, StepTellLedger}, p.step)
}

// record begins to record an outcome. That of a call is remembered until it is recorded, whatever
// fails.
func (p Pass) record(o Outcome, e Effects) Pass {
	p.outcome, p.attempt, p.recordBy = o, 0, e.Now().Add(RecordTimeout)
	if o.OfCall() {
		p.Unrecorded = &o
	}
	return p.then(p.firstWrite())
}

// firstWrite is the step that recording begins with.
func (p Pass) firstWrite() Step {
	if p.outcome.OfCall() && p.settles() {
		return StepSettleLedger
	}
	return p.runWrite()
}

// runWrite is the first step that writes the outcome into the run.
func (p Pass) runWrite() Step {
	if p.outcome.Again != nil {
		return StepShowPause
	}
	return StepWriteOutcome
}

// settles reports whether the outcome changes the ledger of idempotency keys.
func (p Pass) settles() bool {
	return p.Run.Spec.IdempotencyKey != "" && ledgerPhase(p.outcome) != ""
}

func (p Pass) settleLedger(ctx context.Context, e Effects) (Pass, error) {
	if err := e.SettleLedger(ctx, p.Run, p.outcome); err != nil {
		return p.retryRecord(err, e, p.step)
	}
	return p.then(p.runWrite()), nil
}

func (p Pass) showPause(ctx context.Context, e Effects) (Pass, error) {
	run, err := e.ShowPause(ctx, p.Run, p.outcome)
	if err != nil {
		return p.retryRecord(err, e, p.step)
	}
	p.Run = run
	return p.then(StepReturnClaim), nil
}

func (p Pass) returnClaim(ctx context.Context, e Effects) (Pass, error) {
	run, err := e.WriteClaim(ctx, p.Run, p.outcome.Next)
	return p.recorded(run, err, e)
}

func (p Pass) writeOutcome(ctx context.Context, e Effects) (Pass, error) {
	run, err := e.WriteOutcome(ctx, p.Run, p.outcome)
	return p.recorded(run, err, e)
}

// recorded goes on after the write of an outcome into the run.
func (p Pass) recorded(run *v1alpha1.ImportRun, err error, e Effects) (Pass, error) {
	if err != nil {
		return p.retryRecord(err, e, p.firstWrite())
	}
	o := p.outcome
	p.Run, p.Unrecorded, p.Recorded = run, nil, &o
	switch {
	case o.Again != nil:
		return p.fail(o.Again)
	case !o.OfCall() && p.settles():
		return p.then(StepTellLedger), nil
	default:
		return p.then(StepDone), nil
	}
}

func (p Pass) tellLedger(ctx context.Context, e Effects) Pass {
	// The run has its outcome, and the ledger asks the run itself as long as it exists.
	_ = e.SettleLedger(ctx, p.Run, p.outcome)
	return p.then(StepDone)
}

// retryRecord goes on after a failed attempt to record an outcome: from the step, or, when the run
// has changed, from a newer version of it.
func (p Pass) retryRecord(err error, e Effects, from Step) (Pass, error) {
	conflict := apierrors.IsConflict(err)
	if apierrors.IsNotFound(err) || conflict && !p.outcome.OfCall() {
		// What was decided without a call is decided anew.
		return p.superseded()
	}
	pause, retry := recordPause(p.attempt), true
	if !p.outcome.OfCall() {
		pause, retry = shortPause(p.attempt)
	}
	if !retry || !e.Now().Before(p.recordBy) {
		return p.fail(fmt.Errorf("record what became of the run: %w", err))
	}
	p.attempt++
	p.pause = pause
	if conflict {
		return p.then(StepRefresh), nil
	}
	return p.then(from), nil
}

// refresh goes on with the version of the run that the API server has now, if the outcome of the
// call still counts.
func (p Pass) refresh(ctx context.Context, e Effects) (Pass, error) {
	live, err := e.ReadRun(ctx, p.Run)
	switch {
	case err != nil:
		return p.retryRecord(err, e, p.step)
	case !p.counts(live, p.outcome):
		return p.superseded()
	default:
		p.Run = live
		return p.then(p.firstWrite()), nil
	}
}

// recall records what an earlier reconcile could not. The cache may be behind, and another process
// may have gone on: only the API server knows.
func (p Pass) recall(ctx context.Context, e Effects) (Pass, error) {
	live, err := e.ReadRun(ctx, p.Run)
	switch {
	case apierrors.IsNotFound(err), err == nil && !p.counts(live, *p.Unrecorded):
		p.Unrecorded = nil
		return p.then(StepDecide), nil
	case err != nil:
		return p.fail(err)
	default:
		p.Run = live
		p = p.record(*p.Unrecorded, e)
		p.recordBy = e.Now().Add(recallTimeout)
		return p, nil
	}
}

// counts reports whether an outcome still counts for the run as it is now.
func (p Pass) counts(live *v1alpha1.ImportRun, o Outcome) bool {
	return live.UID == p.Run.UID && p.rules.canRecord(live, o)
}

// superseded ends the pass of a run that another process goes on with.
func (p Pass) superseded() (Pass, error) {
	p.Unrecorded = nil
	return p.fail(Superseded(p.Run))
}
