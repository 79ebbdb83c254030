// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package bench is what measurements run with: the programs, how much is measured, and where the figures go.
package bench

import (
	"context"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/integrator-operator/integrator-operator/hack/bench/environment"
	"github.com/integrator-operator/integrator-operator/hack/bench/report"
)

// Measurement is one of them.
type Measurement struct {
	Name, About string
	Run         func(context.Context, *Bench) error
}

// Bench is what measurements run with.
type Bench struct {
	Environment environment.Options
	// Before is the program of an earlier manager, to measure beside the one of now. "" for none.
	Before string
	// Sizes are how many objects are measured, smallest first.
	Sizes []int
	// Repeat is how often each figure is measured.
	Repeat int
	// Latency is how long the API takes for each answer, where that plays a part.
	Latency time.Duration
	// KneeUntil is the largest number of objects that the knee is looked for with.
	KneeUntil int
	// Standing are how many Imports stand as they are, and Polled how many objects the poller has.
	Standing, Polled []int
	// Amounts are the Imports that the memory is measured with.
	Amounts Amounts
	Record  *report.Record
	Out     io.Writer
	// Ended is called when a program ends that was not asked to.
	Ended func(error)
}

// In does something in an environment of its own, with a manager.
func (b *Bench) In(ctx context.Context, do func(*environment.Environment) error) error {
	return b.Without(ctx, func(e *environment.Environment) error {
		if err := e.StartManager(ctx); err != nil {
			return err
		}
		return do(e)
	})
}

// Without does something in an environment of its own that has no manager yet.
func (b *Bench) Without(ctx context.Context, do func(*environment.Environment) error) (err error) {
	e, err := environment.Start(ctx, b.Environment, b.Ended)
	if e != nil {
		defer func() {
			if err != nil {
				err = fmt.Errorf("%w\nThe end of the log:\n%s", err, e.Log())
			}
			if failed := e.Stop(); err == nil {
				err = failed
			}
		}()
	}
	if err != nil {
		return err
	}
	return do(e)
}

// Each measures the earlier manager, if there is one, and that of now, in the same run.
func (b *Bench) Each(measure func(b *Bench, manager string) error) error {
	if b.Before != "" {
		before := *b
		before.Environment.Manager = b.Before
		if err := measure(&before, "before"); err != nil {
			return err
		}
	}
	return measure(b, "now")
}

// Table prints rows below a head.
func (b *Bench) Table(head string, rows []string) {
	table := tabwriter.NewWriter(b.Out, 0, 0, 2, ' ', tabwriter.AlignRight)
	for _, row := range append([]string{head}, rows...) {
		fmt.Fprintln(table, row)
	}
	_ = table.Flush() // nothing can be done if the output is closed
}

// Progress says what was measured, while the rest goes on.
func (b *Bench) Progress(format string, args ...any) {
	fmt.Fprintf(b.Out, "%s  %s\n", time.Now().Format(time.TimeOnly), fmt.Sprintf(format, args...))
}

// Pause waits, unless all of it ends.
func Pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(d):
		return nil
	}
}
