// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package latency

import (
	"context"
	"fmt"
	"time"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/hack/bench/bench"
	"github.com/integrator-operator/integrator-operator/hack/bench/environment"
)

const (
	// busyRuns are the runs of the busy account: each makes one call, which takes busyCall.
	busyRuns = 16
	busyCall = 60 * time.Second
)

// measureRuns has a run end alone, and beside runs of another account whose calls take long.
func measureRuns(ctx context.Context, b *bench.Bench) error {
	var rows []string
	err := b.Each(func(b *bench.Bench, manager string) error {
		return b.In(ctx, func(e *environment.Environment) error {
			alone, busy, err := runBesideRuns(ctx, e)
			if err != nil {
				return err
			}
			rows = append(rows, neighbourRow(b, manager, "a run, alone", alone, alone),
				neighbourRow(b, manager, fmt.Sprintf("a run, beside %d runs whose calls take %s", busyRuns, busyCall), busy, alone))
			return nil
		})
	})
	if err != nil {
		return err
	}
	b.Table("manager\ta run\tSucceeded after\tto alone\tbound\t", rows)
	return nil
}

func runBesideRuns(ctx context.Context, e *environment.Environment) (alone, busy time.Duration, err error) {
	const neighbour = "busy"
	if err := e.AddAccount(ctx, nil); err != nil {
		return 0, 0, err
	}
	if err := e.AddNeighbour(ctx, neighbour); err != nil {
		return 0, 0, err
	}
	imports := []*v1alpha1.Import{bench.ImportOf("default", "orders"), bench.ImportOf(neighbour, neighbour)}
	if _, err := e.ApplyUntilReady(ctx, imports); err != nil {
		return 0, 0, err
	}
	if alone, err = e.RunUntilEnded(ctx, "orders", "alone"); err != nil {
		return 0, 0, err
	}
	if err := e.Delay(ctx, neighbour, busyCall); err != nil {
		return 0, 0, err
	}
	for i := range busyRuns {
		if err := e.Run(ctx, fmt.Sprintf("busy-%d", i), neighbour); err != nil {
			return 0, 0, err
		}
	}
	// How many of them may have a call open at a time is the manager's own affair.
	if err := e.AwaitCalls(ctx, neighbour, 1); err != nil {
		return 0, 0, err
	}
	busy, err = e.RunUntilEnded(ctx, "orders", "beside")
	return alone, busy, err
}
