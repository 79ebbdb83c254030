// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package throughput measures how fast the manager gets through many objects, beside what the API, Kubernetes and
// this machine permit.
package throughput

import (
	"context"
	"fmt"
	"time"

	"github.com/integrator-operator/integrator-operator/hack/bench/bench"
	"github.com/integrator-operator/integrator-operator/hack/bench/environment"
	"github.com/integrator-operator/integrator-operator/hack/bench/report"
)

// All are the measurements of this package.
var All = []bench.Measurement{
	{Name: "operations", About: "how long many creations, updates, deletions, adoptions and runs take, beside their bounds", Run: measureOperations},
	{Name: "knee", About: "up to how many objects creations keep to their bound", Run: measureKnee},
	{Name: "storm", About: "what the manager makes of the tenth of the bucket that others leave", Run: measureStorm},
}

// target is how much longer than the bound something may take.
const target = 1.3

// operation is something that is done with many objects.
type operation struct {
	name string
	// writes and calls are the least that one object needs: writes to Kubernetes, and requests to the API. The
	// bounds are made of them.
	writes, calls float64
}

// The least that each operation needs. A creation: finalizer and intent, then id and status. An update reads what
// it changes. A deletion asks who uses the import, and takes the finalizer off. An adoption writes its ownership
// marker. A run writes its claim and its result.
var (
	creation = operation{"creations", 2, 1}
	update   = operation{"updates", 1, 2}
	deletion = operation{"deletions", 1, 2}
	adoption = operation{"adoptions", 2, 2}
	run      = operation{"runs", 2, 1}
)

// workers is how many Imports the manager writes to at a time.
const workers = 96

// plainAccount is the account of the plain client, so that the operator never sees what that makes.
const plainAccount = "plain"

// bounds are what one write to Kubernetes, and one request to the API, takes at least if there are many.
type bounds struct{ write, call time.Duration }

// of is the bound of an operation, and which of the two it is.
func (b bounds) of(op operation, objects int) (time.Duration, string) {
	kubernetes := time.Duration(op.writes * float64(b.write) * float64(objects))
	api := time.Duration(op.calls * float64(b.call) * float64(objects))
	if api > kubernetes {
		return api, "API, " + many(op.calls, "request")
	}
	return kubernetes, "Kubernetes, " + many(op.writes, "write")
}

// many are so many of something for each object.
func many(n float64, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%g %s each", n, what)
}

// measureBounds makes the writes and the calls of n creations with clients that do nothing else. No manager may
// run. Nothing of it is left in Kubernetes.
func measureBounds(ctx context.Context, e *environment.Environment, n int) (found bounds, err error) {
	imports := bench.Creations("bound", n)
	if err := e.Apply(ctx, imports); err != nil {
		return found, err
	}
	took, err := e.WriteTwice(ctx, imports, workers)
	if err != nil {
		return found, err
	}
	found.write = took / time.Duration(2*n)
	if err := e.Release(ctx, imports); err != nil {
		return found, err
	}
	if _, err := e.UntilGone(ctx, environment.Imports, func() error { return e.DeleteImports(ctx) }); err != nil {
		return found, err
	}
	var bodies [][]byte
	for _, object := range imports {
		bodies = append(bodies, object.Spec.Definition.Raw)
	}
	if took, err = e.ClientOf(plainAccount).Post(ctx, bodies, environment.RequestsPerSecond, environment.Burst, environment.InFlight); err != nil {
		return found, err
	}
	found.call = took / time.Duration(n)
	return found, nil
}

// value is how long an operation took, beside its bound.
func (op operation) value(n int, took time.Duration, least bounds) report.Value {
	bound, of := least.of(op, n)
	return report.Value{
		Key:   report.Key{Table: "operations", Row: fmt.Sprintf("%d %s", n, op.name), System: "operator", Name: "all done after", Objects: n, Unit: "s"},
		Value: took.Seconds(), Bound: bound.Seconds(), BoundOf: of, Target: report.RatioAtMost(target),
	}
}
