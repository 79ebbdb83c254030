// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package campaign

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/integrator-operator/integrator-operator/hack/chaos/cluster"
	"github.com/integrator-operator/integrator-operator/hack/chaos/fault"
	"github.com/integrator-operator/integrator-operator/hack/chaos/invariant"
	"github.com/integrator-operator/integrator-operator/hack/chaos/sandbox"
	"github.com/integrator-operator/integrator-operator/hack/chaos/scenario"
)

// linger is how long other people go on when a scenario is over: some scans.
const linger = 2500 * time.Millisecond

// Setup is what is special about one execution of a plan.
type Setup struct {
	// Reference, if any, is what the scenario has to end with.
	Reference *scenario.EndState
	// Cluster, if any, is used instead of that of the campaign; User is who the manager is to
	// Kubernetes, its ServiceAccount by default.
	Cluster *cluster.Cluster
	User    string
	// Started, if any, is called before anything runs in the sandbox.
	Started func(*scenario.Execution)

	outage *outageHooks
}

// Execute plays one plan from an empty namespace until it is quiet, and checks the invariants.
func (c *Campaign) Execute(ctx context.Context, p Plan, setup Setup) (r Result) {
	began := time.Now()
	r = Result{Plan: p}
	defer func() { r.took = time.Since(began) }()
	x, err := c.newExecution(ctx, p, setup)
	if err != nil {
		r.Violations = []string{"the sandbox could not be made: " + err.Error()}
		return r
	}
	defer x.Close()
	if setup.Started != nil {
		setup.Started(x)
	}
	if setup.outage != nil {
		// The others must not wait for an execution that fails.
		defer setup.outage.release(ctx)
		if setup.outage.pause != nil {
			x.Injector.PauseAt(p.outage.CopyAt, setup.outage.pause)
		}
	}
	prelude, err := playPlan(ctx, x, p, setup.outage)
	// Every execution waits for an outage: it is always reached.
	r.Reached = p.outage != nil || x.Injector.Done()
	r.writes = x.Recorder().Since(prelude)
	r.rest = x.Recorder().Since(max(prelude, x.Injector.First()))
	r.Violations = c.violations(ctx, x, &r, setup.Reference, err)
	if len(r.Violations) > 0 {
		r.log = x.Log()
	}
	return r
}

// newExecution makes the sandbox of a plan.
func (c *Campaign) newExecution(ctx context.Context, p Plan, setup Setup) (*scenario.Execution, error) {
	sc, err := scenario.Named(p.Scenario)
	if err != nil {
		return nil, err
	}
	noise := p.noise(c.Seed)
	return scenario.New(ctx, cmp.Or(setup.Cluster, c.Cluster), sc, p.conditions, sandbox.Options{
		Injector: fault.NewInjector(p.injections, noise), Noise: noise,
		Election: p.election() || sc.Replicas, Outage: p.outage != nil, CreateUnconfirmedTimeout: p.createUnconfirmedTimeout(), TwoNamespaces: sc.TwoNamespaces, Watches: sc.Watches, Shards: sc.Shards,
		User: setup.User, Program: c.Program,
	})
}

// violations checks the invariants, when the plan was played to its end; failed is why it was not.
func (c *Campaign) violations(ctx context.Context, x *scenario.Execution, r *Result, reference *scenario.EndState, failed error) (violations []string) {
	found, unread := x.EndState(ctx)
	r.end = found
	if err := x.Failure(); err != nil {
		violations = append(violations, "the harness failed: "+err.Error())
	}
	switch {
	case failed != nil:
		return append(violations, failed.Error())
	case unread != nil:
		return append(violations, "the end state cannot be read: "+unread.Error())
	}
	if r.Plan.followUp != nil {
		reference = nil // it is meant to change the objects
	}
	return append(violations, invariant.Check(ctx, invariant.Case{Execution: x, Found: found, Reference: reference,
		MustSucceed: r.Plan.mustSucceed, Kills: r.Plan.kills(),
		Restored: r.Plan.followUp != nil && r.Plan.followUp.Restores})...)
}

// playPlan plays the scenario of a plan, and returns how many writes its prelude took.
func playPlan(ctx context.Context, x *scenario.Execution, p Plan, outage *outageHooks) (prelude int, err error) {
	if err := x.Prepare(ctx); err != nil {
		return 0, err
	}
	if err := x.Play(ctx, x.Scenario.Prelude); err != nil {
		return 0, fmt.Errorf("I8: prelude: %w", err)
	}
	if err := x.AwaitQuiet(ctx, 2); err != nil {
		return 0, err
	}
	if outage != nil {
		outage.begin(ctx)
	}
	prelude, _ = x.Recorder().Counts()
	x.Injector.Arm()
	if err := playSteps(ctx, x); err != nil {
		return prelude, err
	}
	if outage != nil && outage.beforeQuiet != nil {
		outage.beforeQuiet()
	}
	if err := x.AwaitQuiet(ctx, sandbox.QuietScans); err != nil {
		return prelude, err
	}
	switch {
	case outage != nil && outage.rollback != nil:
		outage.pause(ctx)
		return prelude, playRollback(ctx, x, outage.rollback)
	case p.followUp != nil:
		return prelude, playFollowUp(ctx, x, p.followUp)
	default:
		return prelude, nil
	}
}

// playSteps plays the steps of a scenario, while other people do what they do. Afterwards the API hides no import: where
// one is read at each scan, its Import would go on to say so.
func playSteps(ctx context.Context, x *scenario.Execution) error {
	if x.Conditions.Others != nil {
		others, stop := context.WithCancel(ctx)
		defer stop()
		x.Background.Go(func() { x.Conditions.Others(others, x) })
	}
	if err := x.Play(ctx, x.Scenario.Steps); err != nil {
		return fmt.Errorf("I8: %w", err)
	}
	if x.Conditions.Others != nil {
		sandbox.Pause(ctx, linger)
	}
	x.Noise.ShowImports()
	return nil
}

// playFollowUp plays what happens once the scenario is over.
func playFollowUp(ctx context.Context, x *scenario.Execution, f *scenario.FollowUp) error {
	before, _ := x.Recorder().Counts()
	if err := f.Do(ctx, x); err != nil {
		return err
	}
	if err := x.Play(ctx, []scenario.Step{{Until: f.Until}}); err != nil {
		return fmt.Errorf("I8: after %s: %w", f.Name, err)
	}
	if err := x.AwaitQuiet(ctx, sandbox.QuietScans); err != nil {
		return err
	}
	for _, w := range x.Recorder().Since(before) {
		if w.Remote() && (!x.Scenario.Retakes || !f.Restores) {
			return fmt.Errorf("I8: %s after %s", w.ID(), f.Name)
		}
	}
	return nil
}

// playRollback goes on after the control plane lost what was last written to it: everything has to
// converge to the same end state again.
func playRollback(ctx context.Context, x *scenario.Execution, rollBack func(context.Context)) error {
	x.History.Clear()
	rollBack(ctx)
	for number := range x.Managers() {
		x.Kill(number)
	}
	last := x.Scenario.Steps[len(x.Scenario.Steps)-1]
	if err := x.Play(ctx, []scenario.Step{{Until: last.Until}}); err != nil {
		return fmt.Errorf("I8: after a rollback: %w", err)
	}
	return x.AwaitQuiet(ctx, sandbox.QuietScans)
}
