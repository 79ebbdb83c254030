// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package latency measures how long something waits because of something else.
package latency

import (
	"context"
	"fmt"
	"time"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/hack/bench/bench"
	"github.com/integrator-operator/integrator-operator/hack/bench/environment"
	"github.com/integrator-operator/integrator-operator/hack/bench/report"
)

// All are the measurements of this package.
var All = []bench.Measurement{
	{Name: "neighbours", About: "how long a new import waits beside accounts that are slow, or do not answer", Run: measureNeighbours},
	{Name: "handover", About: "how long a new import waits while the manager is replaced", Run: measureHandover},
	{Name: "runs", About: "how long a run waits beside runs of another account whose calls take long", Run: measureRuns},
}

const (
	// neighbourBound is how long a new Import may take beside any neighbour. A slow machine takes longer:
	// the ratio says whether it is because of the neighbour.
	neighbourBound = time.Second
	// newImports are measured one after the other; the slowest counts.
	newImports = 5
	farTooLong = 10 * neighbourBound
)

// neighbour is an account beside the one that is measured.
type neighbour struct {
	name, about string
	imports     int
	// spoil makes the account what it is, once its Imports are Ready.
	spoil func(*environment.Environment, context.Context, string) error
}

var neighbours = []neighbour{
	{"slow", "one request a second", 40, (*environment.Environment).Slow},
	{"silent", "requests are never answered", 100, (*environment.Environment).Silence},
}

// measureNeighbours has new Imports become Ready alone, and while all Imports of a neighbour are asked to
// be looked at.
func measureNeighbours(ctx context.Context, b *bench.Bench) error {
	var rows []string
	err := b.Each(func(b *bench.Bench, manager string) error {
		// A silent server would hold up the manager of another measurement, so each has one of its own.
		var alone time.Duration
		for i, n := range neighbours {
			if err := b.In(ctx, func(e *environment.Environment) (err error) {
				if err := e.AddAccount(ctx, nil); err != nil {
					return err
				}
				if i == 0 {
					if alone, err = slowest(ctx, e, "alone"); err != nil {
						return err
					}
					rows = append(rows, neighbourRow(b, manager, "a new Import, alone", alone, alone))
				}
				took, err := beside(ctx, e, n)
				if err == nil {
					rows = append(rows, neighbourRow(b, manager, fmt.Sprintf("a new Import, beside %d Imports, %s", n.imports, n.about), took, alone))
				}
				return err
			}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	b.Table("manager\ta new Import\tReady after\tto alone\tbound\t", rows)
	return nil
}

// beside is how long new Imports take beside a neighbour whose Imports are asked to be looked at.
func beside(ctx context.Context, e *environment.Environment, n neighbour) (time.Duration, error) {
	if err := e.AddNeighbour(ctx, n.name); err != nil {
		return 0, err
	}
	var imports []*v1alpha1.Import
	for i := range n.imports {
		imports = append(imports, bench.ImportOf(n.name, fmt.Sprintf("%s-%d", n.name, i)))
	}
	if _, err := e.ApplyUntilReady(ctx, imports); err != nil {
		return 0, err
	}
	if err := n.spoil(e, ctx, n.name); err != nil {
		return 0, err
	}
	if err := e.Ask(ctx, imports); err != nil {
		return 0, err
	}
	return slowest(ctx, e, "beside-"+n.name)
}

// slowest is how long the slowest of some new Imports takes, one after the other. None is begun after one
// that took far too long: it says enough.
func slowest(ctx context.Context, e *environment.Environment, name string) (time.Duration, error) {
	var worst time.Duration
	for i := 0; i < newImports && worst < farTooLong; i++ {
		took, err := e.ApplyUntilReady(ctx, []*v1alpha1.Import{bench.ImportOf("default", fmt.Sprintf("%s-%d", name, i))})
		if err != nil {
			return 0, err
		}
		worst = max(worst, took)
	}
	return worst, nil
}

// neighbourRow is a row of the table, and adds the figure.
func neighbourRow(b *bench.Bench, manager, name string, took, alone time.Duration) string {
	b.Record.Add(report.Value{
		Key:   report.Key{Table: "neighbours", Row: name, System: systemOf(manager), Name: "done after", Objects: 1, Unit: "ms"},
		Value: float64(took.Milliseconds()), Target: report.AtMost(float64(neighbourBound.Milliseconds())),
	})
	return fmt.Sprintf("%s\t%s\t%d ms\t%.1f\t%d ms\t", manager, name, took.Milliseconds(), float64(took)/float64(alone), neighbourBound.Milliseconds())
}

// systemOf is whose figures those of a manager are.
func systemOf(manager string) string {
	if manager == "now" {
		return "operator"
	}
	return "operator, " + manager
}
