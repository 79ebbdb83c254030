// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

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
)

// Outages hit a whole control plane. So all scenarios are played on one at the same time, each
// of them is somewhere else when it strikes.

// down is how long a part of the control plane is not there.
const down = 2 * time.Second

// outage is what happens to the control plane while every scenario is played.
type outage struct {
	name string
	// strike ends a part of it and starts it again on the same data.
	strike func(context.Context, *cluster) error
	// rollback tells that etcd gets an older copy of its data once all is over, and that the
	// managers are started again, as Kubernetes asks for when etcd is restored. The copy is made
	// when every scenario is about to make its write number copyAt, from 0.
	rollback bool
	copyAt   int
}

var outages = []outage{
	{name: "apiserver-restarted", strike: restartServer},
	{name: "etcd-restarted", strike: restartEtcd},
	{name: "apiserver-restarted", strike: restartServer},
	{name: "etcd-restarted", strike: restartEtcd},
	{name: "etcd-rolled-back", rollback: true, copyAt: 0},
	{name: "etcd-rolled-back", rollback: true, copyAt: 1},
	{name: "etcd-rolled-back", rollback: true, copyAt: 2},
}

func restartServer(ctx context.Context, c *cluster) error {
	c.plane.KillServer()
	time.Sleep(down)
	return c.plane.StartServer(ctx)
}

func restartEtcd(_ context.Context, c *cluster) error {
	c.plane.KillEtcd()
	time.Sleep(down)
	return c.plane.StartEtcd()
}

// replaceData ends the control plane, has its data changed, and starts it again.
func (c *cluster) replaceData(ctx context.Context, change func(data string) error) error {
	c.plane.KillServer()
	c.plane.KillEtcd()
	return errors.Join(change(c.plane.EtcdData()), c.plane.StartEtcd(), c.plane.StartServer(ctx))
}

// meeting is where the stages wait for each other; the last to come does something before all
// go on.
type meeting struct {
	mu      sync.Mutex
	missing int
	act     func()
	open    chan struct{}
}

func newMeeting(stages int, act func()) *meeting {
	return &meeting{missing: stages, act: act, open: make(chan struct{})}
}

// arrive waits for all others. It is called once for each stage.
func (m *meeting) arrive(ctx context.Context) {
	m.mu.Lock()
	m.missing--
	last := m.missing == 0
	m.mu.Unlock()
	if last {
		m.act()
		close(m.open)
	}
	select {
	case <-m.open:
	case <-ctx.Done():
	}
}

// applies tells that an outage means something to a scenario. A claim that etcd forgets was
// never made: a run that is taken back to before it is sent again, and nobody can know. And a
// Secret that is taken back is no good: its user has to give the token again.
func (o *outage) applies(c course) bool {
	if !o.rollback {
		return true
	}
	return c.scenario.name != "rotation" && c.scenario.name != "secret-gone" && o.copyAt > c.claim()
}

// outages plays every outage, one after the other, on a control plane of their own.
func (c *campaign) outages(ctx context.Context, o options, dir string, courses []course) {
	cluster, err := startCluster(ctx, "outages", dir, o.assets, o.manager, func(err error) { fmt.Fprintln(c.report.out, err) })
	if cluster != nil {
		defer cluster.processes.Stop(time.Second)
	}
	if err != nil {
		c.report.add(result{plan: plan{scenario: "outages"}, violations: []string{"the harness failed: " + err.Error()}})
		return
	}
	for i := range outages {
		if ctx.Err() == nil {
			c.outage(ctx, cluster, i, courses)
		}
	}
}

// outage plays all scenarios on one control plane under an outage.
func (c *campaign) outage(ctx context.Context, plane *cluster, number int, courses []course) {
	o := &outages[number]
	played := slices.DeleteFunc(slices.Clone(courses), func(c course) bool { return !o.applies(c) })
	rng := rand.New(rand.NewPCG(c.seed, uint64(number))) //nolint:gosec // repeatable, not secret
	var problem error
	var mu sync.Mutex
	report := func(err error) {
		mu.Lock()
		defer mu.Unlock()
		problem = errors.Join(problem, err)
	}
	copied := filepath.Join(plane.dir, fmt.Sprintf("copy-%d", number))
	struck := make(chan struct{})
	begin := newMeeting(len(played), func() {
		if o.strike != nil {
			wait := time.Duration(rng.IntN(1000)) * time.Millisecond
			go func() {
				defer close(struck)
				time.Sleep(wait)
				report(o.strike(ctx, plane))
			}()
		}
	})
	held := newMeeting(len(played), func() {
		report(plane.replaceData(ctx, func(data string) error { return os.CopyFS(copied, os.DirFS(data)) }))
	})
	over := newMeeting(len(played), func() {
		report(plane.replaceData(ctx, func(data string) error {
			return errors.Join(os.RemoveAll(data), os.CopyFS(data, os.DirFS(copied)))
		}))
	})
	c.report.expect(len(played))
	var stages sync.WaitGroup
	for _, course := range played {
		stages.Go(func() {
			p := plan{scenario: course.scenario.name, outage: o}
			r := c.performOn(ctx, plane, p, course.ending, func(s *stage) {
				s.meet = once(begin.arrive)
				if o.strike != nil {
					// A scenario that is over before the control plane is back has to rest all the same.
					s.beforeRest = func() { <-struck }
				} else {
					s.heldAt, s.held = o.copyAt, once(held.arrive)
					s.lull = once(over.arrive)
				}
			})
			mu.Lock()
			if problem != nil {
				r.violations = append(r.violations, "the harness failed: "+problem.Error())
			}
			mu.Unlock()
			c.report.add(r)
		})
	}
	stages.Wait()
}

// once is a function that does something the first time only.
func once(do func(context.Context)) func(context.Context) {
	var first sync.Once
	return func(ctx context.Context) { first.Do(func() { do(ctx) }) }
}

// rolledBack goes on after the control plane lost what was last written to it: everything has
// to come to the same end again.
func (s *stage) rolledBack(ctx context.Context) error {
	s.history.clear()
	s.lull(ctx)
	s.kill(0)
	last := s.scenario.steps[len(s.scenario.steps)-1]
	if err := s.play(ctx, []step{{until: last.until}}); err != nil {
		return fmt.Errorf("I8: after a rollback: %w", err)
	}
	return s.rest(ctx, restScans)
}
