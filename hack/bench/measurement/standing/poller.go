// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package standing

import (
	"context"
	"fmt"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/hack/bench/bench"
	"github.com/integrator-operator/integrator-operator/hack/bench/environment"
	"github.com/integrator-operator/integrator-operator/hack/bench/report"
)

// The defaults of providers: how often each object is looked at, and how many reconciles a second there are. A
// bucket holds ten times as many.
const (
	pollEvery = time.Minute
	pollRate  = 10
)

// measurePoller measures the poller with the documents that the operator is measured with.
func measurePoller(ctx context.Context, b *bench.Bench) error {
	for _, n := range b.Polled {
		if err := b.Without(ctx, func(e *environment.Environment) error {
			p := &poller{Environment: e, b: b, n: n}
			if err := p.InstallPoller(ctx); err != nil {
				return err
			}
			if err := p.AddRemote(ctx); err != nil {
				return err
			}
			if err := p.Latency(ctx, b.Latency); err != nil {
				return err
			}
			for _, part := range []func(context.Context) error{p.creations, p.rest, p.restart, p.drift} {
				if err := part(ctx); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			return err
		}
	}
	return nil
}

// poller are objects of the poller.
type poller struct {
	*environment.Environment

	b       *bench.Bench
	n       int
	objects []client.Object
}

func (p *poller) add(row, name, unit string, v report.Value) {
	v.Key = report.Key{Table: "poller", Row: fmt.Sprintf("%d objects, %s", p.n, row), System: "poller", Name: name, Objects: p.n, Unit: unit}
	p.b.Record.Add(v)
	p.b.Progress("%s: %s: %s %s", v.Row, name, report.Number(v.Value), unit)
}

// creations creates objects, and counts what one costs. Those of the last repetition stay.
func (p *poller) creations(ctx context.Context) (err error) {
	if err := p.StartPoller(); err != nil {
		return err
	}
	for repetition := range p.b.Repeat {
		if p.objects, err = environment.Polled(bench.Creations(fmt.Sprintf("polled-%d", repetition), p.n)); err != nil {
			return err
		}
		var took time.Duration
		r, err := during(ctx, p.Environment, func() (err error) {
			took, err = p.PollUntilReady(ctx, p.objects)
			return err
		})
		if err != nil {
			return err
		}
		least := max(float64(2*p.n-10*pollRate)/pollRate, 0)
		p.add("creations", "all Ready after", "s", report.Value{Value: took.Seconds(), Bound: least, BoundOf: "two reconciles each, at the rate of the poller"})
		p.add("creations", "writes to Kubernetes each", "requests", report.Value{Value: r.kubernetes.Polled.Writes / float64(p.n)})
		p.add("creations", "reads of Kubernetes each", "requests", report.Value{Value: r.kubernetes.Polled.Reads / float64(p.n)})
		p.add("creations", "requests to the API each", "requests", report.Value{Value: float64(len(r.entries)) / float64(p.n)})
		if repetition == p.b.Repeat-1 {
			return nil
		}
		// The next repetition begins with a poller that has nothing to do.
		p.KillManager()
		if err := p.DropPolled(ctx, p.objects); err != nil {
			return err
		}
		if err := p.StartPoller(); err != nil {
			return err
		}
	}
	return nil
}

// rest counts what is asked in a minute in which nothing happens.
func (p *poller) rest(ctx context.Context) error {
	if err := bench.Pause(ctx, 3*time.Second); err != nil {
		return err
	}
	return p.minute(ctx, "a minute at rest", func() error { return nil })
}

// restart kills the poller, and counts what the next one asks in its first minute. It has no lease to wait for.
func (p *poller) restart(ctx context.Context) error {
	return p.minute(ctx, "a minute from being killed and started again", func() error {
		p.KillManager()
		return p.StartPoller()
	})
}

func (p *poller) minute(ctx context.Context, row string, do func() error) error {
	r, err := during(ctx, p.Environment, func() error {
		if err := do(); err != nil {
			return err
		}
		return bench.Pause(ctx, minute)
	})
	if err != nil {
		return err
	}
	p.add(row, "requests to the API", "requests", report.Value{Value: float64(len(r.entries)), Bound: float64(p.n), BoundOf: "one for each object and poll"})
	p.add(row, "writes to Kubernetes", "requests", report.Value{Value: r.kubernetes.Polled.Writes})
	return nil
}

// drift edits imports, spread over one interval.
func (p *poller) drift(ctx context.Context) error {
	n := min(edits, p.n)
	ids, err := p.PolledIDs(ctx, p.objects[:n])
	if err != nil {
		return err
	}
	lasted, err := editAndAwait(ctx, p.Environment, ids, pollEvery/time.Duration(n))
	if err != nil {
		return err
	}
	row := fmt.Sprintf("%d edits", n)
	p.add(row, "p50 until put back", "s", report.Value{Value: report.Quantile(lasted, 0.5), Bound: pollEvery.Seconds() / 2, BoundOf: "half the interval"})
	p.add(row, "p99 until put back", "s", report.Value{Value: report.Quantile(lasted, 0.99), Bound: pollEvery.Seconds(), BoundOf: "the interval"})
	return nil
}
