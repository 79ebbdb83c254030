// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package importruns

import (
	"context"
	"errors"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/integrator"
	"github.com/integrator-operator/integrator-operator/internal/places"
	"github.com/integrator-operator/integrator-operator/internal/problem"
	"github.com/integrator-operator/integrator-operator/internal/runstate"
)

// A run that may make a call has a place in this process, and the account's permit. It waits for both
// without a worker: an event has it reconciled when its turn is there. It has neither data nor a claim
// while it waits.

// permitTry is how long a worker waits for a permit itself: one that is free is there at once.
const permitTry = 20 * time.Millisecond

// permitPatience is how long a run keeps its place while it waits for the permit, and permitPause when
// it asks for a place again.
const permitPatience, permitPause = 10 * time.Second, 5 * time.Second

var (
	waitingForPlace   = problem.Waitingf(v1alpha1.ReasonProgressing, "waiting for the calls of other runs to end")
	waitingForAccount = problem.Waitingf(v1alpha1.ReasonProgressing, "waiting for other calls of the account to end")
)

// permitWait is a wait for the account's permit that goes on without a worker.
type permitWait struct {
	client *integrator.Client
	cancel context.CancelFunc
	// over is closed when there is a permit or an error.
	over   chan struct{}
	permit *integrator.Permit
	err    error
}

// beginPermitWait waits for a permit, and calls then when the wait is over.
func beginPermitWait(client *integrator.Client, then func()) *permitWait {
	ctx, cancel := context.WithTimeout(context.Background(), permitPatience)
	w := &permitWait{client: client, cancel: cancel, over: make(chan struct{})}
	go func() {
		defer cancel()
		w.permit, w.err = client.AcquireInvoke(ctx)
		close(w.over)
		then()
	}()
	return w
}

// isOver reports whether there is a permit or an error.
func (w *permitWait) isOver() bool {
	select {
	case <-w.over:
		return true
	default:
		return false
	}
}

// drop ends the wait, and returns the permit if there is one.
func (w *permitWait) drop() {
	w.cancel()
	go func() {
		<-w.over
		if w.permit != nil {
			w.permit.Release()
		}
	}()
}

// awaitPlace gets the run a place and the account's permit. Without them the error is a problem that the
// run waits for; pending says that it waits in this process.
func (w *work) awaitPlace(ctx context.Context, run *v1alpha1.ImportRun) error {
	calls, client := w.r.Calls, w.session.Client
	budget, most := client.Invocations()
	answer, others := calls.places.Ask(w.name, places.Group{Namespace: run.Namespace, Account: budget}, most)
	calls.notify(others...)
	switch answer {
	case places.Queued:
		w.pending = true
		return waitingForPlace
	case places.AccountBusy:
		w.pending = true
		return waitingForAccount
	case places.Granted:
	}
	permit, pending, err := calls.permitOf(ctx, w.name, client)
	w.permit, w.pending = permit, pending
	return err
}

// permitOf is the account's permit for a run. Without one it is waited for: pending says so.
func (c *Calls) permitOf(ctx context.Context, run types.NamespacedName, client *integrator.Client) (permit *integrator.Permit, pending bool, err error) {
	known := c.takePermitWait(run)
	switch {
	case known == nil:
	case known.client != client:
		known.drop()
	case !known.isOver():
		c.keepPermitWait(run, known)
		return nil, true, waitingForAccount
	case errors.Is(known.err, context.DeadlineExceeded):
		return nil, false, waitingForAccount.WithRetryAfter(permitPause)
	case known.err != nil:
		return nil, false, problem.Wrap(known.err, runstate.Invoking)
	default:
		return known.permit, false, nil
	}
	try, cancel := context.WithTimeout(ctx, permitTry)
	defer cancel()
	permit, err = client.AcquireInvoke(try)
	switch {
	case err == nil:
		return permit, false, nil
	case ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded):
		c.keepPermitWait(run, beginPermitWait(client, func() { c.notify(run) }))
		return nil, true, waitingForAccount
	default:
		return nil, false, problem.Wrap(err, runstate.Invoking)
	}
}

func (c *Calls) takePermitWait(run types.NamespacedName) *permitWait {
	c.mu.Lock()
	defer c.mu.Unlock()
	t, ok := c.entries[run]
	if !ok {
		return nil
	}
	known := t.permit
	t.permit = nil
	c.tidy(run)
	return known
}

func (c *Calls) keepPermitWait(run types.NamespacedName, wait *permitWait) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.of(run).permit = wait
}

// leave gives back the place of a run, or ends its wait for one, and whatever it has beside it.
func (c *Calls) leave(run types.NamespacedName) {
	if wait := c.takePermitWait(run); wait != nil {
		wait.drop()
	}
	if kept := c.takeKept(run); kept != nil {
		kept.releaseData()
	}
	c.notify(c.places.Leave(run)...)
}

// keepPlace reports whether a run keeps its place for its next call: nobody who waits is to have it
// first.
func (c *Calls) keepPlace(w *work) bool {
	_, most := w.session.Client.Invocations()
	kept, others := c.places.Renew(w.name, most)
	c.notify(others...)
	return kept
}

// takeKept is what the last call of a run has left to its next one, nil when there is nothing.
func (c *Calls) takeKept(run types.NamespacedName) *work {
	c.mu.Lock()
	defer c.mu.Unlock()
	t, ok := c.entries[run]
	if !ok {
		return nil
	}
	kept := t.kept
	t.kept = nil
	c.tidy(run)
	return kept
}
