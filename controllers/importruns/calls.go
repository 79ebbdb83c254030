// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package importruns

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"

	"github.com/google/uuid"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/places"
	"github.com/integrator-operator/integrator-operator/internal/runstate"
)

// Calls are the calls of this process, and what it remembers of runs. A call takes minutes and belongs
// to no worker of a controller: from the claim on it goes its own way, and when its outcome is recorded
// an event has the run reconciled again. It also outlives the manager. A process that is asked to stop,
// or that leads no longer, stays until its calls have ended (Drain), and records their outcomes with a
// client of its own, while another process leads: the claims see to it that this is safe.
type Calls struct {
	// holder names this process in the claims that it takes; it differs at every start.
	holder string
	// budget bounds what the runs under way keep in memory together.
	budget dataBudget
	// unpacking serialises reading runs with their records, decompressing and parsing: what that
	// needs is not in the budget until it is done.
	unpacking sync.Mutex
	// places has who may make a call.
	places *places.Places[types.NamespacedName]
	// events has the runs that go on.
	events chan event.GenericEvent

	mu sync.Mutex
	// listening is closed when nobody takes events any longer.
	listening <-chan struct{}
	entries   map[types.NamespacedName]*entry
	// underWay counts the calls from their claims on, tracked the reconciles of Track. drained, if any, is
	// closed when there is none of either, which is when done is set.
	underWay, tracked int
	drained           chan struct{}
	done              bool
}

// entry is what the process has for one run, between two reconciles and during its call.
type entry struct {
	// underWay: a call is claimed, or made, or its outcome is recorded.
	underWay bool
	memory   memory
	// permit is the wait for the account's permit, nil when there is none.
	permit *permitWait
	// kept is what the last call of a run leaves to its next one.
	kept *work
}

// memory is what the process remembers of a run between two reconciles. It is lost with the
// process: then the run's claim without an outcome is Unknown.
type memory struct {
	// uid is that of the run: another one may have its name.
	uid types.UID
	// unrecorded is the outcome of a call that is not in the run yet.
	unrecorded *runstate.Outcome
	// unused are the tokens of claims that could not be confirmed: nothing was sent under them.
	unused []string
	// version is that of the run when the outcome of its call was recorded: a cache that is behind
	// still shows the call.
	version string
}

func (m memory) isEmpty() bool { return m.unrecorded == nil && len(m.unused) == 0 && m.version == "" }

// NewCalls makes room for so many calls at a time.
func NewCalls(atOnce int) *Calls {
	return &Calls{
		holder: uuid.NewString(), places: places.New[types.NamespacedName](atOnce),
		events: make(chan event.GenericEvent, 1024), entries: map[types.NamespacedName]*entry{},
	}
}

// UnderWay is how many calls are claimed, or made, or have an outcome that is not recorded.
func (c *Calls) UnderWay() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.underWay
}

// Drain has no further call begin, and waits until those under way have ended and their outcomes are
// recorded, or until the context ends.
func (c *Calls) Drain(ctx context.Context) error {
	c.mu.Lock()
	if c.drained == nil {
		c.drained = make(chan struct{})
	}
	c.closeDrained()
	c.mu.Unlock()
	select {
	case <-c.drained:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("%d calls of ImportRuns did not end in time, and their outcomes are unknown: %w", c.UnderWay(), context.Cause(ctx))
	}
}

// closeDrained ends Drain when nothing is under way. The caller holds the lock.
func (c *Calls) closeDrained() {
	if c.drained != nil && !c.done && c.underWay == 0 && c.tracked == 0 {
		c.done = true
		close(c.drained)
	}
}

// Track has Drain wait for the reconciles of another controller as well. One that is in the middle of a
// creation ends it when the manager has stopped.
func (c *Calls) Track(r reconcile.Reconciler) reconcile.Reconciler {
	count := func(n int) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.tracked += n
		c.closeDrained()
	}
	return reconcile.Func(func(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
		count(1)
		defer count(-1)
		return r.Reconcile(ctx, req)
	})
}

// of is the entry of a run. The caller holds the lock.
func (c *Calls) of(run types.NamespacedName) *entry {
	t, ok := c.entries[run]
	if !ok {
		t = &entry{}
		c.entries[run] = t
	}
	return t
}

// tidy drops the entry of a run that has nothing. The caller holds the lock.
func (c *Calls) tidy(run types.NamespacedName) {
	if t, ok := c.entries[run]; ok && !t.underWay && t.memory.isEmpty() && t.permit == nil && t.kept == nil {
		delete(c.entries, run)
	}
}

// isUnderWay reports whether the run has a call under way in this process.
func (c *Calls) isUnderWay(run types.NamespacedName) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	t, ok := c.entries[run]
	return ok && t.underWay
}

// begin begins a call, unless the process is about to end.
func (c *Calls) begin(run types.NamespacedName) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := c.of(run)
	if c.drained != nil || t.underWay {
		return false
	}
	t.underWay = true
	c.underWay++
	return true
}

// end ends a call that was begun. The run may keep something for its next one.
func (c *Calls) end(run types.NamespacedName, kept *work) {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := c.of(run)
	t.underWay, t.kept = false, kept
	c.underWay--
	c.closeDrained()
	c.tidy(run)
}

// recall gives what is remembered of a run.
func (c *Calls) recall(run *v1alpha1.ImportRun) memory {
	c.mu.Lock()
	defer c.mu.Unlock()
	t, ok := c.entries[nameOf(run)]
	if !ok || t.memory.uid != run.UID {
		return memory{}
	}
	return t.memory
}

// remember keeps what the next reconcile of the run needs.
func (c *Calls) remember(run *v1alpha1.ImportRun, m memory) {
	c.mu.Lock()
	defer c.mu.Unlock()
	m.uid = run.UID
	c.of(nameOf(run)).memory = m
	c.tidy(nameOf(run))
}

// forget drops all that there is for a run that has ended or was deleted.
func (c *Calls) forget(run types.NamespacedName) {
	c.leave(run)
	c.mu.Lock()
	defer c.mu.Unlock()
	if t, ok := c.entries[run]; ok {
		t.memory = memory{}
		c.tidy(run)
	}
}

// listen has events go to a manager that takes them until the channel is closed. It begins with all
// runs: whatever those of an earlier one have waited for is dropped, and only the calls under way stay.
func (c *Calls) listen(until <-chan struct{}) {
	c.mu.Lock()
	c.listening = until
	var waiting []types.NamespacedName
	for run, known := range c.entries {
		if !known.underWay {
			waiting = append(waiting, run)
		}
	}
	c.mu.Unlock()
	c.places.Retain(c.isUnderWay)
	for _, run := range waiting {
		c.leave(run)
	}
}

// notify has runs reconciled. Where nobody takes events, the next manager begins with all runs.
func (c *Calls) notify(runs ...types.NamespacedName) {
	c.mu.Lock()
	until := c.listening
	c.mu.Unlock()
	for _, name := range runs {
		run := &v1alpha1.ImportRun{}
		run.Namespace, run.Name = name.Namespace, name.Name
		select {
		case c.events <- event.GenericEvent{Object: run}:
		case <-until:
		}
	}
}

// carryOn makes the call that the pass has claimed, and records its outcome. It works the same while the
// manager runs, when the lease is lost, and while the process is about to end.
func (r *Reconciler) carryOn(ctx context.Context, p runstate.Pass, w *work) {
	ctx = context.WithoutCancel(ctx)
	w.r = r.direct
	var err error
	defer func() {
		if cause := recover(); cause != nil {
			log.FromContext(ctx).Error(fmt.Errorf("panic: %v", cause), "the call of a run cannot be carried on", "stack", string(debug.Stack()))
			err = fmt.Errorf("panic: %v", cause)
		}
		r.finishCall(ctx, p, w, err)
	}()
	for err == nil && !p.Ended() {
		p, err = p.Step(ctx, w)
	}
}

// finishCall gives back what the call had, and has the run reconciled again.
func (r *Reconciler) finishCall(ctx context.Context, p runstate.Pass, w *work, err error) {
	remembered := memory{unrecorded: p.Unrecorded, unused: p.Process.Unused, version: p.Run.ResourceVersion}
	if p.Unrecorded != nil {
		log.FromContext(ctx).Error(err, "the outcome of a call cannot be recorded")
	}
	r.Calls.remember(p.Run, remembered)
	w.releasePermit()
	w.releaseCall()
	kept := w
	if err != nil || !p.Continues() || !r.Calls.keepPlace(w) {
		r.Calls.leave(w.name)
		w.releaseData()
		kept = nil
	}
	r.direct.announce(p)
	r.Calls.end(w.name, kept)
	r.Calls.notify(w.name)
}
