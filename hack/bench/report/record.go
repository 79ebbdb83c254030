// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package report has the figures of the benchmark: each with the values of all repetitions, what it is held
// against, and on which machine it was measured. What is made of them for readers is in hack/figures.
package report

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
)

// Record is all that one run of the benchmark has measured, and what later ones have measured anew.
type Record struct {
	Run
	Later   []Later  `json:"later,omitempty"`
	Figures []Figure `json:"figures"`
}

// Run is when, how and where figures were measured.
type Run struct {
	Date     string   `json:"date"`
	Command  string   `json:"command"`
	Machine  Machine  `json:"machine"`
	Versions Versions `json:"versions"`
}

// Later is a run after the one of the record, which measured rows of some tables.
type Later struct {
	Run
	Tables []string `json:"tables"`
}

// Key is which figure something is.
type Key struct {
	// Table has figures that belong together, Row is what was done, System who did it, Name what was measured.
	Table  string `json:"table"`
	Row    string `json:"row"`
	System string `json:"system"`
	Name   string `json:"name"`
	// Objects are how many there were.
	Objects int `json:"objects,omitempty"`
	// Unit is that of the values: s, ms, MiB, %, or what is counted.
	Unit string `json:"unit"`
}

// Figure is one figure, in all repetitions.
type Figure struct {
	Key
	Values []float64 `json:"values"`
	// Bounds are what the machine, the API or the clock permits, one for each value, and BoundOf says which.
	Bounds  []float64 `json:"bounds,omitempty"`
	BoundOf string    `json:"boundOf,omitempty"`
	Target  *Target   `json:"target,omitempty"`
	// Summary is made of the above.
	Summary Summary `json:"summary"`
}

// Target is what a figure is to reach: the value itself, or its ratio to the bound.
type Target struct {
	Ratio   bool    `json:"ratio,omitempty"`
	AtLeast bool    `json:"atLeast,omitempty"`
	Value   float64 `json:"value"`
}

// Summary is what a reader sees of a figure.
type Summary struct {
	Median float64  `json:"median"`
	Min    float64  `json:"min"`
	Max    float64  `json:"max"`
	Bound  *float64 `json:"bound,omitempty"`
	// Ratio is the median of the ratios of each value to its bound.
	Ratio *float64 `json:"ratio,omitempty"`
	// Met says whether the target is reached. Without a target it is absent.
	Met *bool `json:"met,omitempty"`
}

// Value is what one repetition has measured.
type Value struct {
	Key
	Value float64
	// Bound is 0 for none.
	Bound   float64
	BoundOf string
	Target  *Target
}

// AtMost is a target for the value.
func AtMost(value float64) *Target { return &Target{Value: value} }

// AtLeast is a target for the value.
func AtLeast(value float64) *Target { return &Target{Value: value, AtLeast: true} }

// RatioAtMost is a target for the ratio to the bound.
func RatioAtMost(value float64) *Target { return &Target{Value: value, Ratio: true} }

// Add adds a value to the figure that it is of.
func (r *Record) Add(values ...Value) {
	for _, v := range values {
		i := slices.IndexFunc(r.Figures, func(f Figure) bool { return f.Key == v.Key })
		if i < 0 {
			r.Figures = append(r.Figures, Figure{Key: v.Key})
			i = len(r.Figures) - 1
		}
		f := &r.Figures[i]
		f.Values = append(f.Values, v.Value)
		f.Target, f.BoundOf = v.Target, v.BoundOf
		if v.Bound != 0 {
			f.Bounds = append(f.Bounds, v.Bound)
		}
		f.Summary = f.summary()
	}
}

// Renew takes the rows that a later run has measured in place of its own. Of runs whose tables have been measured
// anew, only the last is kept.
func (r *Record) Renew(by *Record) {
	if len(by.Figures) == 0 {
		return
	}
	var tables []string
	for _, f := range by.Figures {
		if !slices.Contains(tables, f.Table) {
			tables = append(tables, f.Table)
		}
	}
	old := func(f Figure) bool {
		return slices.ContainsFunc(by.Figures, func(later Figure) bool { return later.Table == f.Table && later.Row == f.Row })
	}
	at := slices.IndexFunc(r.Figures, old)
	if at < 0 {
		at = len(r.Figures)
	}
	r.Figures = slices.DeleteFunc(r.Figures, old)
	var others []string // tables of which other rows are left
	for _, f := range r.Figures {
		others = append(others, f.Table)
	}
	for i := range r.Later {
		r.Later[i].Tables = slices.DeleteFunc(r.Later[i].Tables, func(table string) bool {
			return slices.Contains(tables, table) && !slices.Contains(others, table)
		})
	}
	r.Later = slices.DeleteFunc(r.Later, func(l Later) bool { return len(l.Tables) == 0 })
	r.Figures = slices.Insert(r.Figures, at, by.Figures...)
	r.Later = append(r.Later, Later{Run: by.Run, Tables: tables})
}

func (f *Figure) summary() Summary {
	s := Summary{Median: median(f.Values), Min: slices.Min(f.Values), Max: slices.Max(f.Values)}
	held := s.Median
	if len(f.Bounds) > 0 && len(f.Bounds) == len(f.Values) {
		ratios := make([]float64, len(f.Values))
		for i := range ratios {
			ratios[i] = f.Values[i] / f.Bounds[i]
		}
		bound, ratio := median(f.Bounds), median(ratios)
		s.Bound, s.Ratio = &bound, &ratio
	}
	if f.Target == nil || f.Target.Ratio && s.Ratio == nil {
		return s
	}
	if f.Target.Ratio {
		held = *s.Ratio
	}
	met := held <= f.Target.Value
	if f.Target.AtLeast {
		met = held >= f.Target.Value
	}
	s.Met = &met
	return s
}

// Quantile is the smallest value that a share of all are not above.
func Quantile(values []float64, share float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	if len(sorted) == 0 {
		return 0
	}
	i := int(share*float64(len(sorted)) + 0.999999)
	return sorted[min(max(i, 1), len(sorted))-1]
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	half := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[half]
	}
	return (sorted[half-1] + sorted[half]) / 2
}

// Read reads a record from a file.
func Read(file string) (*Record, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	r := &Record{}
	if err := json.Unmarshal(content, r); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return r, nil
}

// Write writes the record into a file.
func (r *Record) Write(file string) error {
	content, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(content, '\n'), 0o644)
}

// Number is a number with as many digits as say something.
func Number(n float64) string {
	switch abs := max(n, -n); {
	case abs == float64(int64(abs)):
		return fmt.Sprintf("%.0f", n)
	case abs < 0.1:
		return fmt.Sprintf("%.3f", n)
	case abs < 10:
		return fmt.Sprintf("%.2f", n)
	case abs < 100:
		return fmt.Sprintf("%.1f", n)
	}
	return fmt.Sprintf("%.0f", n)
}
