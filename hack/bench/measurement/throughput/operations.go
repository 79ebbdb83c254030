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

// measureOperations has the manager do each operation with many objects, while a user asks for them one after the
// other, some at a time, as kubectl and GitOps tools do. The time begins with the user's first request.
func measureOperations(ctx context.Context, b *bench.Bench) error {
	for _, n := range b.Sizes {
		if err := prepared(ctx, b, func(e *environment.Environment) error {
			for repetition := range b.Repeat {
				o := &operations{Environment: e, b: b, n: n, repetition: repetition}
				if err := o.measure(ctx); err != nil {
					return err
				}
				b.Record.Add(o.values...)
			}
			return nil
		}); err != nil {
			return err
		}
	}
	return nil
}

// warming is the number of creations that go before all that is measured.
const warming = 200

// prepared does something where an Account is Ready, and the API takes its time. No manager runs when it begins.
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
		// An API server that has just begun is slower, and makes its documentation of the new kinds meanwhile.
		e.StopManager()
		if _, err := measureBounds(ctx, e, creation, warming); err != nil {
			return err
		}
		return do(e)
	})
}

// operations are those of one repetition.
type operations struct {
	*environment.Environment

	b             *bench.Bench
	n, repetition int
	values        []report.Value
}

func (o *operations) measure(ctx context.Context) error {
	imports := bench.Creations(fmt.Sprintf("import-%d", o.repetition), o.n)
	for _, step := range []func(context.Context, []*v1alpha1.Import) error{o.create, o.update, o.remove, o.adopt, o.run} {
		if err := step(ctx, imports); err != nil {
			return err
		}
	}
	return nil
}

// spent is what programs and requests have cost so far.
type spent struct {
	processors map[string]time.Duration
	kubernetes meter.Kubernetes
	single     int
}

func (o *operations) spent(ctx context.Context) (s spent, err error) {
	s.processors = map[string]time.Duration{}
	for name, id := range o.Programs() {
		if s.processors[name], err = meter.CPU(id); err != nil {
			return s, err
		}
	}
	if s.kubernetes, err = meter.ReadKubernetes(ctx, o.Plane.Clients.Discovery().RESTClient()); err != nil {
		return s, err
	}
	s.single, _, err = o.Requests(ctx)
	return s, err
}

// measured measures the bounds of an operation, and then has the operator do it. The bounds are those of this
// moment: what else the machine does changes. done returns how long the operator took.
func (o *operations) measured(ctx context.Context, op operation, done func() (time.Duration, error)) error {
	o.StopManager()
	if err := o.Idle(ctx); err != nil {
		return err
	}
	least, err := measureBounds(ctx, o.Environment, op, o.n)
	if err != nil {
		return err
	}
	if err := o.startReady(ctx); err != nil {
		return err
	}
	before, err := o.spent(ctx)
	if err != nil {
		return err
	}
	took, err := done()
	if err != nil {
		return err
	}
	now, err := o.spent(ctx)
	if err != nil {
		return err
	}
	o.record(op, op.value(o.n, took, least), least, before, now)
	return nil
}

// startReady starts the manager, and waits until it has read all there is, and has created and deleted an import.
func (o *operations) startReady(ctx context.Context) error {
	if err := o.StartManager(ctx); err != nil {
		return err
	}
	first := bench.Creations("first", 1)
	if _, err := o.ApplyUntilReady(ctx, first); err != nil {
		return err
	}
	if _, err := o.UntilDeleted(ctx, first, func() error { return o.Delete(ctx, first) }); err != nil {
		return err
	}
	return o.Idle(ctx)
}

// millis is the time of processors that a program took for each object, in milliseconds.
func (o *operations) millis(before, after spent, program string) float64 {
	return float64(after.processors[program]-before.processors[program]) / float64(time.Millisecond) / float64(o.n)
}

// record adds how long an operation took, and what one object costs.
func (o *operations) record(op operation, value report.Value, least bounds, before, after spent) {
	asked, n := after.kubernetes.Minus(before.kubernetes), float64(o.n)
	requests, processors := value.Key, value.Key
	requests.Name, requests.Unit = "requests to Kubernetes each", "requests"
	processors.Name, processors.Unit = "time of the manager's processors each", "ms"
	writes := asked.Imports.Writes + asked.Runs.Writes - float64(op.users*o.n)
	reads := asked.Imports.Reads + asked.Runs.Reads + asked.Accounts.Reads + asked.Secrets.Reads
	manager := o.millis(before, after, environment.Manager)
	o.values = append(o.values, value,
		report.Value{Key: requests, Value: (writes + reads + asked.Events) / n, Bound: op.needs.all(), BoundOf: "those that are needed"},
		report.Value{Key: processors, Value: manager},
	)
	o.b.Progress("%d %s: %s s, bounds %s s (Kubernetes) and %s s (API), ratio %s; each: %s writes, %s reads, %s events, %s API requests; processors each: manager %.1f ms, API server %.1f ms, etcd %.1f ms, simulator %.1f ms",
		o.n, op.name, report.Number(value.Value), report.Number(least.kubernetes.Seconds()), report.Number(least.api.Seconds()), report.Number(value.Value/value.Bound),
		report.Number(writes/n), report.Number(reads/n), report.Number(asked.Events/n), report.Number(float64(after.single-before.single)/n),
		manager, o.millis(before, after, environment.Server), o.millis(before, after, environment.Etcd), o.millis(before, after, environment.Simulator))
}

func (o *operations) create(ctx context.Context, imports []*v1alpha1.Import) error {
	return o.measured(ctx, creation, func() (time.Duration, error) { return o.ApplyUntilReady(ctx, imports) })
}

func (o *operations) update(ctx context.Context, imports []*v1alpha1.Import) error {
	return o.measured(ctx, update, func() (time.Duration, error) {
		return o.UntilReadyAt(ctx, imports, 2, func() error { return o.Rename(ctx, imports) })
	})
}

func (o *operations) remove(ctx context.Context, imports []*v1alpha1.Import) error {
	return o.measured(ctx, deletion, func() (time.Duration, error) {
		return o.UntilDeleted(ctx, imports, func() error { return o.Delete(ctx, imports) })
	})
}

func (o *operations) adopt(ctx context.Context, _ []*v1alpha1.Import) error {
	others, imports := bench.Adoptions(fmt.Sprintf("adopted-%d", o.repetition), o.n)
	if err := o.Seed(ctx, others); err != nil {
		return err
	}
	if err := o.measured(ctx, adoption, func() (time.Duration, error) { return o.ApplyUntilReady(ctx, imports) }); err != nil {
		return err
	}
	// The next repetition begins with an empty account.
	_, err := o.UntilDeleted(ctx, imports, func() error { return o.Delete(ctx, imports) })
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
	if err := o.measured(ctx, run, func() (time.Duration, error) { return o.RunUntilEnded(ctx, imports[0].Name, names...) }); err != nil {
		return err
	}
	if _, err := o.UntilGone(ctx, environment.ImportRuns, func() error { return o.DeleteRuns(ctx) }); err != nil {
		return err
	}
	_, err := o.UntilDeleted(ctx, imports, func() error { return o.Delete(ctx, imports) })
	return err
}
