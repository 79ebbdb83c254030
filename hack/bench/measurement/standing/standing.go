// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package standing measures what the manager does about many objects that stand as they are: at rest, when it is
// started again, and when somebody changes some of them. The poller is measured with the same.
package standing

import (
	"context"
	"fmt"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/hack/bench/bench"
	"github.com/integrator-operator/integrator-operator/hack/bench/environment"
	"github.com/integrator-operator/integrator-operator/hack/bench/report"
)

// All are the measurements of this package.
var All = []bench.Measurement{
	{Name: "standing", About: "what many Imports cost at rest, after a restart, and how long drift lasts", Run: measureStanding},
	{Name: "poller", About: "the same of a poller on the reconciler of crossplane-runtime", Run: measurePoller},
}

// measureStanding measures all of it with the smallest number of Imports, and what grows with their number with the
// others.
func measureStanding(ctx context.Context, b *bench.Bench) error {
	for i, n := range b.Standing {
		imports := bench.Creations("import", n)
		if err := b.In(ctx, func(e *environment.Environment) error {
			if err := e.AddAccount(ctx, nil); err != nil {
				return err
			}
			if _, err := e.ApplyUntilReady(ctx, imports); err != nil {
				return err
			}
			if err := e.Latency(ctx, b.Latency); err != nil {
				return err
			}
			b.Progress("%d Imports are Ready", n)
			s := &standing{Environment: e, b: b, imports: imports}
			parts := []func(context.Context) error{s.restart, s.failover, s.rest, s.drift, s.onDemand}
			if i > 0 {
				parts = []func(context.Context) error{s.failover, s.rest}
			}
			for _, part := range parts {
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

// standing are Imports that are Ready.
type standing struct {
	*environment.Environment

	b       *bench.Bench
	imports []*v1alpha1.Import
}

// add adds a value of the operator.
func (s *standing) add(row, name, unit string, v report.Value) {
	v.Key = report.Key{Table: "standing", Row: fmt.Sprintf("%d Imports, %s", len(s.imports), row), System: "operator", Name: name, Objects: len(s.imports), Unit: unit}
	s.b.Record.Add(v)
	s.b.Progress("%s: %s: %s %s", v.Row, name, report.Number(v.Value), unit)
}
