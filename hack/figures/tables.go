// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"regexp"
	"strings"
)

// block is what is made anew in a page.
var block = regexp.MustCompile(`(?s)(<!-- figures: ([a-z]+) -->\n).*?(<!-- /figures -->)`)

// tables are the names of all tables, and the measurement that each is of.
var tables = map[string]string{
	"counts": "counts", "operations": "operations", "knee": "knee", "storm": "storm", "standing": "standing", "poller": "poller", "comparison": "poller",
	"adoption": "adoption", "neighbours": "neighbours,runs", "handover": "handover", "memory": "memory",
}

// fill makes all tables of a page anew. One that was not measured says so.
func fill(page string, r *record) (string, error) {
	var failed error
	filled := block.ReplaceAllStringFunc(page, func(found string) string {
		parts := block.FindStringSubmatch(found)
		made, measurement := r.table(parts[2]), tables[parts[2]]
		switch {
		case made != "":
		case measurement != "":
			made = fmt.Sprintf("Not part of this record: `make bench BENCH_FLAGS=--only=%s` measures it.\n", measurement)
		case failed == nil:
			failed = fmt.Errorf("there is no table %q", parts[2])
		}
		return parts[1] + "\n" + made + "\n" + parts[3]
	})
	return filled, failed
}

func (r *record) table(name string) string {
	switch name {
	case "machine":
		return r.machine()
	case "counts":
		return r.counts()
	case "comparison":
		return r.comparison()
	case "missed":
		return r.missed()
	}
	var rows strings.Builder
	for _, f := range r.of(name) {
		fmt.Fprintf(&rows, "| %s | %s | %s | %s | %s | %s |\n", f.Row, f.Name, f.median(), f.bound(), f.ratio(), f.target())
	}
	if rows.Len() == 0 {
		return ""
	}
	return "| What | Measured | Median (spread) | Bound | Ratio | Target |\n|---|---|---|---|---|---|\n" + rows.String()
}

// machine has a line for each run.
func (r *record) machine() string {
	lines := r.String() + "\n"
	for _, later := range r.Later {
		lines += "\nRows of " + strings.Join(later.Tables, ", ") + " later: " + later.String() + "\n"
	}
	return lines
}

func (r header) String() string {
	m, v := r.Machine, r.Versions
	line := fmt.Sprintf("%s, %d cores of %s, %s GiB, %s, with a load of %s at the beginning; commit %s, %s, Kubernetes %s",
		r.Date, m.Cores, m.CPU, number(m.MemoryGiB), m.System, m.Load, v.Commit, v.Go, v.Kubernetes)
	if v.Poller != "" {
		line += ", crossplane-runtime " + v.Poller
	}
	return line + ". Flags: `" + strings.TrimPrefix(r.Command, "bench ") + "`."
}

// counts has one row for each kind of object, and a column for each kind of request.
func (r *record) counts() string {
	var rows, names []string
	values := map[string]map[string]string{}
	for _, f := range r.of("counts") {
		if values[f.Row] == nil {
			values[f.Row] = map[string]string{}
			rows = append(rows, f.Row)
		}
		if len(rows) == 1 {
			names = append(names, f.Name)
		}
		values[f.Row][f.Name] = number(f.Summary.Median)
	}
	if len(rows) == 0 {
		return ""
	}
	table := "| |" + strings.Join(names, " | ") + " |\n|---|" + strings.Repeat("---|", len(names)) + "\n"
	for _, row := range rows {
		table += "| " + row + " |"
		for _, name := range names {
			table += " " + values[row][name] + " |"
		}
		table += "\n"
	}
	return strings.Replace(table, "| |", "| | ", 1)
}

// pair is a figure of the poller, and that of the operator which is held against it: the beginning and the end of
// their rows, and their names.
type pair struct {
	what                 string
	poller, pollerName   string
	table, row, operator string
}

var pairs = []pair{
	{"creations, all Ready after", "creations", "all Ready after", "operations", "creations", "all done after"},
	{"writes to Kubernetes for a creation", "creations", "writes to Kubernetes each", "counts", "creation", "Kubernetes writes"},
	{"reads of Kubernetes for a creation", "creations", "reads of Kubernetes each", "counts", "creation", "Kubernetes reads"},
	{"requests to the API for a creation", "creations", "requests to the API each", "counts", "creation", "API requests"},
	{"a minute at rest: requests to the API", "a minute at rest", "requests to the API", "standing", "a minute at rest", "requests to the API"},
	{"a minute at rest: writes to Kubernetes", "a minute at rest", "writes to Kubernetes", "standing", "a minute at rest", "writes to Kubernetes"},
	{"killed and started again: writes to Kubernetes", "a minute from being killed and started again", "writes to Kubernetes", "standing", "killed and started again", "writes of Imports to Kubernetes"},
	{"an edit on the platform is put back after, p50", "edits", "p50 until put back", "standing", "edits, scans every 30s", "p50 until put back"},
	{"the same, p99", "edits", "p99 until put back", "standing", "edits, scans every 30s", "p99 until put back"},
}

// comparison has the figures of both, where there are as many objects.
func (r *record) comparison() string {
	var rows strings.Builder
	for _, of := range r.of("poller") {
		for _, p := range pairs {
			if of.Name != p.pollerName || !strings.HasSuffix(of.Row, p.poller) {
				continue
			}
			for _, with := range r.of(p.table) {
				if with.Name == p.operator && strings.HasSuffix(with.Row, p.row) && (with.Objects == of.Objects || p.table == "counts") {
					fmt.Fprintf(&rows, "| %d | %s | %s | %s |\n", of.Objects, p.what, of.median(), with.median())
				}
			}
		}
	}
	if rows.Len() == 0 {
		return ""
	}
	return "| Objects | What | Poller | Operator |\n|---|---|---|---|\n" + rows.String()
}

// missed lists the targets that are not reached.
func (r *record) missed() string {
	var lines strings.Builder
	reached := 0
	for _, f := range r.Figures {
		switch {
		case f.Summary.Met == nil:
		case *f.Summary.Met:
			reached++
		default:
			fmt.Fprintf(&lines, "- %s, %s: %s, target %s\n", f.Row, f.Name, f.held(), f.aim())
		}
	}
	if lines.Len() == 0 {
		return fmt.Sprintf("All %d targets are reached.\n", reached)
	}
	return fmt.Sprintf("%d targets are reached. These are missed:\n\n%s", reached, lines.String())
}

// held is what is held against the target.
func (f figure) held() string {
	if f.Target.Ratio && f.Summary.Ratio != nil {
		return fmt.Sprintf("%s times the bound (%s)", number(*f.Summary.Ratio), f.BoundOf)
	}
	return f.with(f.Summary.Median)
}

// with is a value with its unit. What is counted needs none.
func (f figure) with(n float64) string {
	switch f.Unit {
	case "requests":
		return number(n)
	case "%":
		return number(n) + " %"
	}
	return number(n) + " " + f.Unit
}

func (f figure) median() string {
	if len(f.Values) == 1 {
		return f.with(f.Summary.Median)
	}
	return fmt.Sprintf("%s (%s to %s, of %d)", f.with(f.Summary.Median), number(f.Summary.Min), number(f.Summary.Max), len(f.Values))
}

func (f figure) bound() string {
	if f.Summary.Bound == nil {
		return ""
	}
	return f.with(*f.Summary.Bound) + ": " + f.BoundOf
}

func (f figure) ratio() string {
	if f.Summary.Ratio == nil {
		return ""
	}
	return number(*f.Summary.Ratio)
}

// target is what is to be reached, and whether it is missed.
func (f figure) target() string {
	text := f.aim()
	if f.Summary.Met != nil && !*f.Summary.Met {
		text += ", **missed**"
	}
	return text
}

func (f figure) aim() string {
	if f.Target == nil {
		return ""
	}
	text := "≤ "
	if f.Target.AtLeast {
		text = "≥ "
	}
	if f.Target.Ratio {
		return "ratio " + text + number(f.Target.Value)
	}
	return text + f.with(f.Target.Value)
}
