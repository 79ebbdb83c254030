// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package cost measures what the manager costs: requests, processors and memory.
package cost

import (
	"context"
	"time"

	"github.com/integrator-operator/integrator-operator/hack/bench/bench"
	"github.com/integrator-operator/integrator-operator/hack/bench/environment"
	"github.com/integrator-operator/integrator-operator/hack/bench/meter"
	"github.com/integrator-operator/integrator-operator/hack/internal/local"
)

// All are the measurements of this package.
var All = []bench.Measurement{
	{Name: "counts", About: "how many requests an object costs", Run: measureCounts},
	{Name: "adoption", About: "what it costs to create imports, and to adopt them", Run: measureAdoption},
	{Name: "memory", About: "how much memory Imports take, by their number and size, also after a restart", Run: measureMemory},
}

// cost is what something took of the manager.
type cost struct {
	objects int
	// took is how long it was until all objects were Ready.
	took time.Duration
	// cpu is of the manager, server of the API server, also for what the benchmark itself asks.
	cpu, server time.Duration
	kubernetes  meter.Kubernetes
	// single are requests to the API about one import, pages those of lists.
	single, pages int
}

func (c cost) per(n float64) float64 { return n / float64(c.objects) }

// millis is what one object has of a time, in milliseconds.
func (c cost) millis(d time.Duration) float64 { return c.per(float64(d) / float64(time.Millisecond)) }

// reading is what the manager has cost so far.
func reading(ctx context.Context, e *environment.Environment) (c cost, err error) {
	if c.cpu, err = meter.CPU(e.ManagerPID()); err != nil {
		return c, err
	}
	if c.server, err = meter.CPU(e.Plane.ServerPID()); err != nil {
		return c, err
	}
	if c.kubernetes, err = meter.ReadKubernetes(ctx, e.Plane.Clients.Discovery().RESTClient()); err != nil {
		return c, err
	}
	c.single, c.pages, err = e.Requests(ctx)
	return c, err
}

// costOf is what it costs to do something with a number of objects, and all that the manager does
// because of it.
func costOf(ctx context.Context, e *environment.Environment, objects int, do func() (time.Duration, error)) (c cost, err error) {
	before, err := settled(ctx, e)
	if err != nil {
		return c, err
	}
	took, err := do()
	if err != nil {
		return c, err
	}
	after, err := settled(ctx, e)
	return cost{
		objects: objects, took: took, cpu: after.cpu - before.cpu, server: after.server - before.server, kubernetes: after.kubernetes.Minus(before.kubernetes),
		single: after.single - before.single, pages: after.pages - before.pages,
	}, err
}

const (
	// still is for how long the manager asks Kubernetes nothing once it has done what there was to do.
	still = 3 * time.Second
	// settling is how long that may take.
	settling = 2 * time.Minute
)

// settled waits until the manager has done what there is to do, and reads what that has cost.
func settled(ctx context.Context, e *environment.Environment) (now cost, err error) {
	var since time.Time
	err = local.Await(ctx, settling, "the manager to have nothing to do", func(ctx context.Context) error {
		next, err := reading(ctx, e)
		if err != nil {
			return err
		}
		if next.kubernetes != now.kubernetes || since.IsZero() {
			since = time.Now()
		}
		if now = next; time.Since(since) < still {
			return errBusy
		}
		return nil
	})
	return now, err
}
