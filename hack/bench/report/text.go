// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package report

import (
	"fmt"
	"io"
	"text/tabwriter"
)

// Print prints the machine, the versions, and a table of all figures.
func (r *Record) Print(out io.Writer) {
	if len(r.Figures) == 0 {
		return
	}
	fmt.Fprintf(out, "\n# All figures\n\n%s\n%s\n%s\n\n", r.Date, r.Machine, r.Versions)
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "what\tof\tmeasured\tmedian\tfrom\tto\tof\tbound\tratio\ttarget\t")
	for _, f := range r.Figures {
		bound, ratio := "-", "-"
		if f.Summary.Bound != nil {
			bound, ratio = Number(*f.Summary.Bound)+" "+f.Unit, Number(*f.Summary.Ratio)
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s %s\t%s\t%s\t%d\t%s\t%s\t%s\t\n", f.Row, f.System, f.Name,
			Number(f.Summary.Median), f.Unit, Number(f.Summary.Min), Number(f.Summary.Max), len(f.Values), bound, ratio, f.Target.describe(f.Summary.Met))
	}
	_ = table.Flush() // nothing can be done if the output is closed
}

func (t *Target) describe(met *bool) string {
	if t == nil {
		return "-"
	}
	sign := "≤"
	if t.AtLeast {
		sign = "≥"
	}
	text := sign + " " + Number(t.Value)
	if t.Ratio {
		text = "ratio " + text
	}
	switch {
	case met == nil:
		return text
	case *met:
		return text + ": reached"
	}
	return text + ": missed"
}
