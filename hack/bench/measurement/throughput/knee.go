// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package throughput

import (
	"context"
	"fmt"

	"github.com/integrator-operator/integrator-operator/hack/bench/bench"
	"github.com/integrator-operator/integrator-operator/hack/bench/environment"
	"github.com/integrator-operator/integrator-operator/hack/bench/report"
)

const (
	// kneeFrom is the number of creations that the search begins with.
	kneeFrom = 200
	// kneeTries is how often a number is measured that misses the target at first: the median counts.
	kneeTries = 3
)

// measureKnee doubles the number of creations until they take longer than they may, or until the largest number
// that is asked for. A number that misses the target before any has reached it does not end the search: the time
// of few objects varies most.
func measureKnee(ctx context.Context, b *bench.Bench) error {
	return prepared(ctx, b, func(e *environment.Environment) error {
		reached := 0
		for n := kneeFrom; n <= b.KneeUntil; n *= 2 {
			within, err := kneeReaches(ctx, b, e, n)
			if err != nil {
				return err
			}
			if within {
				reached = n
			} else if reached > 0 {
				break
			}
		}
		b.Record.Add(report.Value{
			Key:   report.Key{Table: "knee", Row: fmt.Sprintf("creations within %g times their bound", target), System: "operator", Name: fmt.Sprintf("the largest number, up to %d", b.KneeUntil), Unit: "Imports"},
			Value: float64(reached),
		})
		return nil
	})
}

// kneeReaches measures so many creations, and reports whether they take no longer than they may.
func kneeReaches(ctx context.Context, b *bench.Bench, e *environment.Environment, n int) (bool, error) {
	var ratios []float64
	for try := range kneeTries {
		o := &operations{Environment: e, b: b, n: n, repetition: try}
		value, err := o.creations(ctx)
		if err != nil {
			return false, err
		}
		b.Record.Add(value)
		if ratios = append(ratios, value.Value/value.Bound); ratios[0] <= target {
			return true, nil
		}
	}
	return report.Quantile(ratios, 0.5) <= target, nil
}

// creations measures creations alone, and leaves nothing.
func (o *operations) creations(ctx context.Context) (value report.Value, err error) {
	imports := bench.Creations(fmt.Sprintf("knee-%d-%d", o.n, o.repetition), o.n)
	if err := o.create(ctx, imports); err != nil {
		return value, err
	}
	value = o.values[0]
	value.Table = "knee"
	_, err = o.UntilDeleted(ctx, imports, func() error { return o.Delete(ctx, imports) })
	return value, err
}
