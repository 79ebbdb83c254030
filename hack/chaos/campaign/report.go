// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package campaign

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"
	"text/tabwriter"
	"time"

	"github.com/integrator-operator/integrator-operator/hack/chaos/cluster"
	"github.com/integrator-operator/integrator-operator/hack/chaos/fault"
	"github.com/integrator-operator/integrator-operator/hack/chaos/scenario"
)

// Report counts results and prints them.
type Report struct {
	Out io.Writer
	// Verbose prints every result.
	Verbose bool

	seed  uint64
	began time.Time

	mu      sync.Mutex
	rows    []string
	columns []string
	cells   map[[2]string]*cell
	total   cell
	planned int
}

// cell counts the plans of one scenario and one fault.
type cell struct{ plans, reached, violated int }

// NewReport returns an empty report.
func NewReport(out io.Writer, seed uint64) *Report {
	return &Report{Out: out, seed: seed, began: time.Now(), cells: map[[2]string]*cell{}}
}

func (r *Report) add(result Result) {
	r.mu.Lock()
	defer r.mu.Unlock()
	row, column := result.Plan.Scenario, result.Plan.column()
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
		if result.Reached {
			c.reached++
		}
		if len(result.Violations) > 0 {
			c.violated++
		}
	}
	r.printResult(result)
	if r.total.plans%50 == 0 {
		fmt.Fprintf(r.Out, "%d of %d plans after %s, %d violated\n", r.total.plans, r.planned, time.Since(r.began).Round(time.Second), r.total.violated)
	}
}

func (r *Report) printResult(result Result) {
	switch {
	case len(result.Violations) > 0:
		fmt.Fprintf(r.Out, "VIOLATED %s (%s)\n  %s\n  repeat: %s\n", result.Plan, result.took.Round(time.Millisecond),
			strings.Join(result.Violations, "\n  "), r.command(result.Plan))
	case !result.Reached:
		fmt.Fprintf(r.Out, "NOT REACHED %s\n  repeat: %s\n", result.Plan, r.command(result.Plan))
	case r.Verbose:
		fmt.Fprintf(r.Out, "passed %s (%s)\n", result.Plan, result.took.Round(time.Millisecond))
	}
}

func (r *Report) expect(plans int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.planned += plans
}

// command repeats a plan.
func (r *Report) command(p Plan) string {
	if p.outage != nil {
		return fmt.Sprintf("make chaos CHAOS_FLAGS=\"--seed=%d --parts=outages\"", r.seed)
	}
	return fmt.Sprintf("make chaos CHAOS_FLAGS=\"--seed=%d --plan=%s\"", r.seed, p)
}

// write prints the table: plans, those reached, violations.
func (r *Report) write() {
	r.mu.Lock()
	defer r.mu.Unlock()
	sortAs(r.columns, allColumns())
	sortAs(r.rows, allRows())
	table := tabwriter.NewWriter(r.Out, 0, 0, 2, ' ', tabwriter.AlignRight)
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
	_ = table.Flush() // nothing can be done if the output is closed
	fmt.Fprintf(r.Out, "\nplans %d, reached %d, violated %d; seed %d; %s\n", r.total.plans, r.total.reached, r.total.violated, r.seed, time.Since(r.began).Round(time.Second))
	fmt.Fprintln(r.Out, "A number counts plans, all of them reached and none violated; reached/plans where not all were, and !n for n violated.")
}

func (c *cell) String() string {
	switch {
	case c == nil:
		return "·"
	case c.violated > 0:
		return fmt.Sprintf("%d !%d", c.plans, c.violated)
	case c.reached < c.plans:
		return fmt.Sprintf("%d/%d", c.reached, c.plans)
	default:
		return strconv.Itoa(c.plans)
	}
}

// sortAs sorts names as they are in an order.
func sortAs(names, order []string) {
	slices.SortFunc(names, func(a, b string) int { return slices.Index(order, a) - slices.Index(order, b) })
}

// allRows are the rows in their order.
func allRows() (all []string) {
	for i := range scenario.All {
		all = append(all, scenario.All[i].Name)
	}
	return all
}

// allColumns are the columns in their order.
func allColumns() []string {
	all := []string{"reference"}
	for _, f := range fault.All {
		all = append(all, f.Name)
	}
	for i := range scenario.AllConditions {
		all = append(all, scenario.AllConditions[i].Name)
	}
	for _, f := range scenario.FollowUps {
		all = append(all, f.Name)
	}
	for _, o := range cluster.Outages {
		all = append(all, o.Name)
	}
	return append(all, "pairs")
}

// passed reports whether every plan was reached, and none violated.
func (r *Report) passed() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.total.violated == 0 && r.total.reached == r.total.plans
}
