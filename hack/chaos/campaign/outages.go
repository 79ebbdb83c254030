// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package campaign

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/integrator-operator/integrator-operator/hack/chaos/cluster"
)

// An outage hits a whole control plane. So all scenarios are played on one at the same time: each
// of them is at another write when it happens.

// outageHooks are where an execution waits for all others during an outage.
type outageHooks struct {
	// begin is called once the prelude is over.
	begin func(context.Context)
	// beforeQuiet, if any, waits until the control plane is back.
	beforeQuiet func()
	// pause, if any, is where a write waits while etcd is copied; rollback, where the execution
	// waits until etcd has the copy.
	pause, rollback func(context.Context)
}

// release arrives wherever the others may wait.
func (h *outageHooks) release(ctx context.Context) {
	for _, arrive := range []func(context.Context){h.begin, h.pause, h.rollback} {
		if arrive != nil {
			arrive(ctx)
		}
	}
}

// barrier is where executions wait for each other; the last one to arrive acts before all go on.
type barrier struct {
	mu      sync.Mutex
	missing int
	act     func()
	open    chan struct{}
}

func newBarrier(parties int, act func()) *barrier {
	return &barrier{missing: parties, act: act, open: make(chan struct{})}
}

// arrival returns a function that waits for all others. Only its first call does.
func (b *barrier) arrival() func(context.Context) {
	var first sync.Once
	return func(ctx context.Context) { first.Do(func() { b.arrive(ctx) }) }
}

func (b *barrier) arrive(ctx context.Context) {
	b.mu.Lock()
	b.missing--
	last := b.missing == 0
	b.mu.Unlock()
	if last {
		b.act()
		close(b.open)
	}
	select {
	case <-b.open:
	case <-ctx.Done():
	}
}

// withstands reports whether a scenario can be played through an outage. A claim that etcd forgets
// was never made: a run that is rolled back to before its claim is sent again, and nobody can
// know. And what users wrote meanwhile, they would have to write again: a Secret that is rolled back
// has a revoked token.
func (b Baseline) withstands(o *cluster.Outage) bool {
	if !o.Rollback {
		// Where two managers elect a leader, an outage ends both. Where they share the objects, it would have
		// to come between two steps.
		return !b.scenario.Replicas && !b.scenario.Shards
	}
	return !b.scenario.Unrepeated && o.CopyAt > b.claim()
}

// playOutages plays every outage, one after the other, on a control plane of their own.
func (c *Campaign) playOutages(ctx context.Context, clusters cluster.Options, baselines []Baseline) {
	clusters.Ended = func(err error) { fmt.Fprintln(c.Report.Out, err) }
	plane, err := cluster.Start(ctx, "outages", clusters)
	if plane != nil {
		defer plane.Processes.Stop(time.Second)
	}
	if err != nil {
		c.Report.add(Result{Plan: Plan{Scenario: "outages"}, Violations: []string{"the harness failed: " + err.Error()}})
		return
	}
	for i := range cluster.Outages {
		if ctx.Err() == nil {
			o := &outageRun{campaign: c, plane: plane, outage: &cluster.Outages[i], number: i, over: make(chan struct{})}
			o.play(ctx, baselines)
		}
	}
}

// outageRun is one outage that is played.
type outageRun struct {
	campaign *Campaign
	plane    *cluster.Cluster
	outage   *cluster.Outage
	number   int
	// over is closed when the control plane is back.
	over chan struct{}

	mu      sync.Mutex
	failure error
}

func (o *outageRun) fail(err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.failure = errors.Join(o.failure, err)
}

// play plays all scenarios on one control plane under the outage.
func (o *outageRun) play(ctx context.Context, baselines []Baseline) {
	played := slices.DeleteFunc(slices.Clone(baselines), func(b Baseline) bool { return !b.withstands(o.outage) })
	copied := filepath.Join(o.plane.Dir, fmt.Sprintf("copy-%d", o.number))
	begin := newBarrier(len(played), func() { o.inject(ctx) })
	pause := newBarrier(len(played), func() {
		o.fail(o.plane.ReplaceData(ctx, func(data string) error { return os.CopyFS(copied, os.DirFS(data)) }))
	})
	rollback := newBarrier(len(played), func() {
		o.fail(o.plane.ReplaceData(ctx, func(data string) error {
			return errors.Join(os.RemoveAll(data), os.CopyFS(data, os.DirFS(copied)))
		}))
	})
	o.campaign.Report.expect(len(played))
	var executions sync.WaitGroup
	for _, b := range played {
		executions.Go(func() {
			hooks := &outageHooks{begin: begin.arrival()}
			if o.outage.Rollback {
				hooks.pause, hooks.rollback = pause.arrival(), rollback.arrival()
			} else {
				// A scenario may be over before the control plane is back: it cannot be quiet before.
				hooks.beforeQuiet = func() { <-o.over }
			}
			o.execute(ctx, b, hooks)
		})
	}
	executions.Wait()
}

// inject has the outage happen a moment later.
func (o *outageRun) inject(ctx context.Context) {
	if o.outage.Inject == nil {
		return
	}
	rng := rand.New(rand.NewPCG(o.campaign.Seed, uint64(o.number))) //nolint:gosec // repeatable, not secret
	wait := time.Duration(rng.IntN(1000)) * time.Millisecond
	go func() {
		defer close(o.over)
		time.Sleep(wait)
		o.fail(o.outage.Inject(ctx, o.plane))
	}()
}

func (o *outageRun) execute(ctx context.Context, b Baseline, hooks *outageHooks) {
	r := o.campaign.Execute(ctx, Plan{Scenario: b.scenario.Name, outage: o.outage}, Setup{Reference: b.end, Cluster: o.plane, outage: hooks})
	o.mu.Lock()
	if o.failure != nil {
		r.Violations = append(r.Violations, "the harness failed: "+o.failure.Error())
	}
	o.mu.Unlock()
	o.campaign.Report.add(r)
}
