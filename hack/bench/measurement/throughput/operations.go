// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package throughput

import (
	"context"
	"fmt"
	"time"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/hack/bench/bench"
	"github.com/integrator-operator/integrator-operator/hack/bench/environment"
	"github.com/integrator-operator/integrator-operator/hack/bench/meter"
	"github.com/integrator-operator/integrator-operator/hack/bench/report"
)

// measureOperations has the manager do each operation with many objects at once. What users do for it is done
// while the Account is suspended, so that it is not measured: the time begins when the Account permits calls.
func measureOperations(ctx context.Context, b *bench.Bench) error {
	for _, n := range b.Sizes {
		if err := prepared(ctx, b, func(e *environment.Environment) error {
			for repetition := range b.Repeat {
				o := &operations{Environment: e, n: n, repetition: repetition}
				if err := o.measure(ctx); err != nil {
					return err
				}
				b.Record.Add(o.values...)
				b.Progress("operations with %d objects, repetition %d: %s", n, repetition+1, o.text)
			}
			return nil
		}); err != nil {
			return err
		}
	}
	return nil
}

// prepared does something where an Account is Ready, and the API takes its time.
func prepared(ctx context.Context, b *bench.Bench, do func(*environment.Environment) error) error {
	return b.In(ctx, func(e *environment.Environment) error {
		if err := e.AddAccount(ctx, nil); err != nil {
			return err
		}
		if err := e.AddPlain(ctx, plainAccount); err != nil {
			return err
		}
		if err := e.Latency(ctx, b.Latency); err != nil {
			return err
		}
		return do(e)
	})
}

// operations are those of one repetition.
type operations struct {
	*environment.Environment

	n, repetition int
	least         bounds
	values        []report.Value
	text          string
}

func (o *operations) measure(ctx context.Context) (err error) {
	// The bounds belong to this repetition: what else the machine does changes.
	o.StopManager()
	if o.least, err = measureBounds(ctx, o.Environment, o.n); err != nil {
		return err
	}
	if err := o.StartManager(ctx); err != nil {
		return err
	}
	imports := bench.Creations(fmt.Sprintf("import-%d", o.repetition), o.n)
	for _, step := range []func(context.Context, []*v1alpha1.Import) error{o.create, o.update, o.remove, o.adopt, o.run} {
		if err := step(ctx, imports); err != nil {
			return err
		}
	}
	return nil
}

// suspended has users do something while no calls are made.
func (o *operations) suspended(ctx context.Context, do func() error) error {
	if err := o.SuspendUntilSeen(ctx); err != nil {
		return err
	}
	return do()
}

// measured has the operator do what waits for it, and adds how long that takes and what one object costs.
func (o *operations) measured(ctx context.Context, op operation, done func(permit func() error) (time.Duration, error)) error {
	server := o.Plane.Clients.Discovery().RESTClient()
	before, err := meter.ReadKubernetes(ctx, server)
	if err != nil {
		return err
	}
	took, err := done(func() error { return o.Suspend(ctx, false) })
	if err != nil {
		return err
	}
	after, err := meter.ReadKubernetes(ctx, server)
	if err != nil {
		return err
	}
	asked := after.Minus(before)
	value := op.value(o.n, took, o.least)
	requests := value.Key
	requests.Name, requests.Unit = "requests to Kubernetes each", "requests"
	each := (asked.Imports.All() + asked.Runs.All() + asked.Accounts.Reads + asked.Secrets.All() + asked.Events) / float64(o.n)
	o.values = append(o.values, value, report.Value{Key: requests, Value: each, Bound: op.writes, BoundOf: "the writes that are needed"})
	o.text += fmt.Sprintf("%s %s s (bound %s s, %s requests to Kubernetes each), ", op.name, report.Number(value.Value), report.Number(value.Bound), report.Number(each))
	return nil
}

func (o *operations) create(ctx context.Context, imports []*v1alpha1.Import) error {
	if err := o.suspended(ctx, func() error { return o.Apply(ctx, imports) }); err != nil {
		return err
	}
	return o.measured(ctx, creation, func(permit func() error) (time.Duration, error) { return o.UntilReady(ctx, imports, permit) })
}

func (o *operations) update(ctx context.Context, imports []*v1alpha1.Import) error {
	if err := o.suspended(ctx, func() error { return o.Rename(ctx, imports, " renamed") }); err != nil {
		return err
	}
	return o.measured(ctx, update, func(permit func() error) (time.Duration, error) { return o.UntilReady(ctx, imports, permit) })
}

func (o *operations) remove(ctx context.Context, _ []*v1alpha1.Import) error {
	if err := o.suspended(ctx, func() error { return o.DeleteImports(ctx) }); err != nil {
		return err
	}
	return o.measured(ctx, deletion, func(permit func() error) (time.Duration, error) { return o.UntilGone(ctx, environment.Imports, permit) })
}

func (o *operations) adopt(ctx context.Context, _ []*v1alpha1.Import) error {
	existing, imports := bench.Adoptions(fmt.Sprintf("adopted-%d", o.repetition), o.n)
	if err := o.suspended(ctx, func() error {
		if err := o.Seed(ctx, existing); err != nil {
			return err
		}
		return o.Apply(ctx, imports)
	}); err != nil {
		return err
	}
	if err := o.measured(ctx, adoption, func(permit func() error) (time.Duration, error) { return o.UntilReady(ctx, imports, permit) }); err != nil {
		return err
	}
	// The next repetition begins with an empty account.
	_, err := o.UntilGone(ctx, environment.Imports, func() error { return o.DeleteImports(ctx) })
	return err
}

func (o *operations) run(ctx context.Context, _ []*v1alpha1.Import) error {
	imports := bench.Creations(fmt.Sprintf("orders-%d", o.repetition), 1)
	if _, err := o.ApplyUntilReady(ctx, imports); err != nil {
		return err
	}
	var names []string
	for i := range o.n {
		names = append(names, fmt.Sprintf("run-%d-%d", o.repetition, i))
	}
	if err := o.suspended(ctx, func() error { return o.ApplyRuns(ctx, imports[0].Name, names) }); err != nil {
		return err
	}
	if err := o.measured(ctx, run, func(permit func() error) (time.Duration, error) { return o.UntilEnded(ctx, names, permit) }); err != nil {
		return err
	}
	if _, err := o.UntilGone(ctx, environment.ImportRuns, func() error { return o.DeleteRuns(ctx) }); err != nil {
		return err
	}
	_, err := o.UntilGone(ctx, environment.Imports, func() error { return o.DeleteImports(ctx) })
	return err
}
