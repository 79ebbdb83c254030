// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package soak lets users and other people do things at random for a while, with a fault now and
// then. At its end everything has to be as it is declared, and the process as it was.
package soak

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/integrator-operator/integrator-operator/hack/chaos/cluster"
	"github.com/integrator-operator/integrator-operator/hack/chaos/fault"
	"github.com/integrator-operator/integrator-operator/hack/chaos/sandbox"
	"github.com/integrator-operator/integrator-operator/hack/chaos/scenario"
	"github.com/integrator-operator/integrator-operator/hack/internal/local"
)

const (
	// imports is how many Imports there are at most, runs how many ImportRuns.
	imports = 30
	runs    = 20
	// faults is the share of writes, on either side, at which a fault is injected.
	faults = 0.02
	// pause is the mean time between two actions.
	pause = 300 * time.Millisecond
	// sampling is how often the process is measured.
	sampling = 10 * time.Second
	// createUnconfirmedTimeout is how long the manager waits for an unanswered creation.
	createUnconfirmedTimeout = 4 * time.Second
)

// Options say how to soak.
type Options struct {
	Cluster  *cluster.Cluster
	Duration time.Duration
	Seed     uint64
	Out      io.Writer
}

// soak is a soak that is running.
type soak struct {
	*scenario.Execution
	Options

	rng     *rand.Rand
	metrics string
	// runs is how many ImportRuns were created, done how often each action was carried out.
	runs    int
	done    map[string]int
	samples []sample
}

// Run soaks, and returns what is violated.
func Run(ctx context.Context, o Options) error {
	noise := fault.NewNoise(fault.NoiseConfig{Faults: faults}, o.Seed)
	metrics, err := local.FreeAddress(ctx)
	if err != nil {
		return err
	}
	x, err := scenario.New(ctx, o.Cluster, &scenario.Scenario{Name: "soak"}, nil, sandbox.Options{
		Injector: fault.NewInjector(nil, noise), Noise: noise, MetricsAddress: metrics, CreateUnconfirmedTimeout: createUnconfirmedTimeout,
	})
	if err != nil {
		return err
	}
	defer x.Close()
	s := &soak{Execution: x, Options: o, metrics: metrics, done: map[string]int{},
		rng: rand.New(rand.NewPCG(o.Seed, 1))} //nolint:gosec // repeatable, not secret
	if err := s.Prepare(ctx); err != nil {
		return err
	}
	if err := s.Play(ctx, []scenario.Step{scenario.CreateAccount}); err != nil {
		return err
	}
	fmt.Fprintf(o.Out, "soak for %s, seed %d\n", o.Duration, o.Seed)
	s.Injector.Arm()
	if err := s.act(ctx); err != nil {
		return err
	}
	s.Injector.Disarm()
	return s.finish(ctx)
}

// act carries out actions until the time is over.
func (s *soak) act(ctx context.Context) error {
	end := time.Now().Add(s.Duration)
	nextSample := time.Now()
	for time.Now().Before(end) && ctx.Err() == nil {
		if time.Now().After(nextSample) {
			if err := s.measure(ctx); err != nil {
				return err
			}
			nextSample = nextSample.Add(sampling)
		}
		a := actions[s.rng.IntN(len(actions))]
		if err := a.do(ctx, s, fmt.Sprintf("import-%d", s.rng.IntN(imports))); err != nil {
			return fmt.Errorf("%s: %w", a.name, err)
		}
		s.done[a.name]++
		sandbox.Pause(ctx, time.Duration(s.rng.Int64N(2*int64(pause))))
	}
	return context.Cause(ctx)
}

// finish waits until everything has converged, and prints what was violated.
func (s *soak) finish(ctx context.Context) error {
	var violations []string
	if err := s.Play(ctx, []scenario.Step{{Until: func(ctx context.Context, _ *scenario.Execution) error { return s.converged(ctx) }}}); err != nil {
		violations = append(violations, "I8: "+err.Error())
	}
	if err := s.AwaitQuiet(ctx, sandbox.QuietScans); err != nil {
		violations = append(violations, err.Error())
	}
	violations = append(violations, s.check(ctx)...)
	violations = append(violations, s.growth()...)
	writes, scans := s.Recorder().Counts()
	fmt.Fprintf(s.Out, "done: %v\nwrites %d, faults %d, scans %d, process starts %d\n", s.done, writes, s.Noise.Hits(), scans, 1+s.Restarts())
	quarters := s.quarters()
	fmt.Fprintf(s.Out, "least heap by quarter: %s; most goroutines: %s\n",
		join(quarters, func(q sample) string { return fmt.Sprintf("%.1f MiB", q.heap/(1<<20)) }),
		join(quarters, func(q sample) string { return fmt.Sprintf("%.0f", q.goroutines) }))
	if len(violations) > 0 {
		return fmt.Errorf("violated:\n  %s", strings.Join(violations, "\n  "))
	}
	fmt.Fprintln(s.Out, "everything converged, and nothing was written after that")
	return nil
}

func join(quarters []sample, show func(sample) string) string {
	var parts []string
	for _, q := range quarters {
		parts = append(parts, show(q))
	}
	return strings.Join(parts, ", ")
}
