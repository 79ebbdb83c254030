// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package measurement has what the benchmark measures. Each measurement is a file of its own, and an
// entry in All. None of them fails for a time: machines differ, and what else they do.
package measurement

import (
	"context"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/integrator-operator/integrator-operator/hack/bench/environment"
)

// Measurement is one of them.
type Measurement struct {
	Name, About string
	Run         func(context.Context, *Bench) error
}

// All are the measurements in their order.
var All = []Measurement{
	{"counts", "how many requests an object costs", measureCounts},
	{"adoption", "what it costs to create imports, and to adopt them", measureAdoption},
	{"neighbours", "how long a new import waits beside accounts that are slow, or do not answer", measureNeighbours},
	{"handover", "how long a new import waits while the manager is replaced", measureHandover},
	{"runs", "how long a run waits beside runs of another account whose calls take long", measureRuns},
	{"memory", "how much memory Imports take, by their number and size, also after a restart", measureMemory},
}

// Bench is what measurements run with.
type Bench struct {
	Environment environment.Options
	// Before is the program of an earlier manager, to measure beside the one of now. "" for none.
	Before string
	// Sizes are how many objects are measured, smallest first.
	Sizes []int
	// Amounts are the Imports that the memory is measured with.
	Amounts Amounts
	Out     io.Writer
	// Ended is called when a program ends that was not asked to.
	Ended func(error)
}

// in does something in an environment of its own, with a manager that has an account with imports.
func (b *Bench) in(ctx context.Context, do func(*environment.Environment) error) (err error) {
	e, err := environment.Start(ctx, b.Environment, b.Ended)
	if e != nil {
		defer func() {
			if err != nil {
				err = fmt.Errorf("%w\nThe end of the manager's log:\n%s", err, e.Log())
			}
			if failed := e.Stop(); err == nil {
				err = failed
			}
		}()
	}
	if err != nil {
		return err
	}
	if err := e.StartManager(ctx); err != nil {
		return err
	}
	return do(e)
}

// each measures the earlier manager, if there is one, and that of now, in the same run.
func (b *Bench) each(measure func(b *Bench, manager string) error) error {
	if b.Before != "" {
		before := *b
		before.Environment.Manager = b.Before
		if err := measure(&before, "before"); err != nil {
			return err
		}
	}
	return measure(b, "now")
}

// table prints rows below a head.
func (b *Bench) table(head string, rows []string) {
	table := tabwriter.NewWriter(b.Out, 0, 0, 2, ' ', tabwriter.AlignRight)
	for _, row := range append([]string{head}, rows...) {
		fmt.Fprintln(table, row)
	}
	_ = table.Flush() // nothing can be done if the output is closed
}
