// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"text/tabwriter"
	"time"
)

// report counts results and prints them.
type report struct {
	out   io.Writer
	seed  uint64
	began time.Time
	// verbose prints every result.
	verbose bool

	mu      sync.Mutex
	rows    []string
	columns []string
	cells   map[[2]string]*cell
	total   cell
	planned int
}

// cell counts the plans of one scenario and one fault.
type cell struct{ plans, reached, violations int }

func newReport(out io.Writer, seed uint64) *report {
	return &report{out: out, seed: seed, began: time.Now(), cells: map[[2]string]*cell{}}
}

func (r *report) add(result result) {
	r.mu.Lock()
	defer r.mu.Unlock()
	row, column := result.plan.scenario, result.plan.column()
	key := [2]string{row, column}
	if r.cells[key] == nil {
		r.cells[key] = &cell{}
		if !slices.Contains(r.rows, row) {
			r.rows = append(r.rows, row)
		}
		if !slices.Contains(r.columns, column) {
			r.columns = append(r.columns, column)
		}
	}
	for _, c := range []*cell{r.cells[key], &r.total} {
		c.plans++
		if result.reached {
			c.reached++
		}
		if len(result.violations) > 0 {
			c.violations++
		}
	}
	switch {
	case len(result.violations) > 0:
		fmt.Fprintf(r.out, "VIOLATED %s (%s)\n  %s\n  repeat: %s\n", result.plan, result.took.Round(time.Millisecond),
			strings.Join(result.violations, "\n  "), r.command(result.plan))
	case !result.reached:
		fmt.Fprintf(r.out, "NOT REACHED %s\n  repeat: %s\n", result.plan, r.command(result.plan))
	case r.verbose:
		fmt.Fprintf(r.out, "held %s (%s)\n", result.plan, result.took.Round(time.Millisecond))
	}
	if r.total.plans%50 == 0 {
		fmt.Fprintf(r.out, "%d of %d plans after %s, %d violated\n", r.total.plans, r.planned, time.Since(r.began).Round(time.Second), r.total.violations)
	}
}

func (r *report) expect(plans int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.planned += plans
}

// command repeats a plan.
func (r *report) command(p plan) string {
	if p.outage != nil {
		return fmt.Sprintf("make chaos CHAOS_FLAGS=\"--seed=%d --parts=outages\"", r.seed)
	}
	return fmt.Sprintf("make chaos CHAOS_FLAGS=\"--seed=%d --plan=%s\"", r.seed, p)
}

// show prints the table: plans, those reached, violations.
func (r *report) show() {
	r.mu.Lock()
	defer r.mu.Unlock()
	sortAs(r.columns, allColumns())
	sortAs(r.rows, allRows())
	table := tabwriter.NewWriter(r.out, 0, 0, 2, ' ', tabwriter.AlignRight)
	line := func(first string, of func(row string) string) {
		fmt.Fprint(table, first, "\t")
		for _, row := range r.rows {
			fmt.Fprint(table, of(row), "\t")
		}
		fmt.Fprintln(table)
	}
	line("", func(row string) string { return row })
	for _, column := range r.columns {
		line(column, func(row string) string { return r.cells[[2]string{row, column}].String() })
	}
	_ = table.Flush() // to a terminal or a file that is there or not
	fmt.Fprintf(r.out, "\nplans %d, reached %d, violated %d; seed %d; %s\n", r.total.plans, r.total.reached, r.total.violations, r.seed, time.Since(r.began).Round(time.Second))
	fmt.Fprintln(r.out, "A number is of plans, all of them reached and none violated; reached/plans where not all were, and !n for n violated.")
}

func (c *cell) String() string {
	switch {
	case c == nil:
		return "·"
	case c.violations > 0:
		return fmt.Sprintf("%d !%d", c.plans, c.violations)
	case c.reached < c.plans:
		return fmt.Sprintf("%d/%d", c.reached, c.plans)
	default:
		return itoa(c.plans)
	}
}

// sortAs sorts names as they are in an order.
func sortAs(names, order []string) {
	slices.SortFunc(names, func(a, b string) int { return slices.Index(order, a) - slices.Index(order, b) })
}

// allRows are the rows in their order.
func allRows() (all []string) {
	for i := range scenarios {
		all = append(all, scenarios[i].name)
	}
	return all
}

// allColumns are the columns in their order.
func allColumns() []string {
	all := []string{"reference"}
	for _, f := range faults {
		all = append(all, f.name)
	}
	for i := range weathers {
		all = append(all, weathers[i].name)
	}
	for _, a := range aftermaths {
		all = append(all, a.name)
	}
	for _, o := range outages {
		all = append(all, o.name)
	}
	return append(all, "pairs")
}

// held tells that every plan was reached, and none violated.
func (r *report) held() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.total.violations == 0 && r.total.reached == r.total.plans
}
