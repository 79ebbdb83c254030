// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"strings"

	"github.com/go-analyze/charts"
)

// The size of a chart, in pixels.
const (
	width  = 880
	height = 420
)

// group is what is shown side by side in a chart: a label, and a value of each series.
type group struct {
	label  string
	values []float64
}

// draw draws a chart for each table that has figures for one.
func draw(r *record) (map[string][]byte, error) {
	drawn := map[string][]byte{}
	for _, chart := range []struct {
		file, title, unit string
		series            []string
		groups            []group
	}{
		{"performance-operations.svg", "All done after, beside the bound", "s", []string{"measured", "bound"}, r.besideBound("operations")},
		{"performance-knee.svg", "Creations by their number, beside the bound", "s", []string{"measured", "bound"}, r.besideBound("knee")},
		{"performance-poller.svg", "Requests in a minute at rest", "requests", []string{"poller", "operator"}, r.atRest()},
		{"performance-memory.svg", "Memory by number and size of Imports", "MiB", []string{"while they are created, at most", "after a restart, at most"}, r.memory()},
	} {
		if len(chart.groups) == 0 {
			continue
		}
		svg, err := bars(chart.title, chart.unit, chart.series, chart.groups)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", chart.file, err)
		}
		drawn[chart.file] = svg
	}
	return drawn, nil
}

// besideBound are the figures in seconds of a table that have a bound.
func (r *record) besideBound(table string) (groups []group) {
	for _, f := range r.of(table) {
		if f.Summary.Bound != nil && f.Unit == "s" {
			groups = append(groups, group{f.Row, []float64{f.Summary.Median, *f.Summary.Bound}})
		}
	}
	return groups
}

// atRest are the requests of the poller and of the operator, for as many objects.
func (r *record) atRest() (groups []group) {
	for _, name := range []string{"requests to the API", "writes to Kubernetes"} {
		for _, of := range r.of("poller") {
			for _, with := range r.of("standing") {
				if of.Name == name && with.Name == name && strings.HasSuffix(of.Row, "a minute at rest") && strings.HasSuffix(with.Row, "a minute at rest") && of.Objects == with.Objects {
					groups = append(groups, group{fmt.Sprintf("%d objects, %s", of.Objects, name), []float64{of.Summary.Median, with.Summary.Median}})
				}
			}
		}
	}
	return groups
}

// memory are the two peaks of each amount of Imports.
func (r *record) memory() (groups []group) {
	for _, f := range r.of("memory") {
		if f.Name == "at most" {
			groups = append(groups, group{f.Row, []float64{f.Summary.Median, 0}})
		}
		if f.Name == "after a restart, at most" && len(groups) > 0 && groups[len(groups)-1].label == f.Row {
			groups[len(groups)-1].values[1] = f.Summary.Median
		}
	}
	return groups
}

// bars draws the groups beside each other.
func bars(title, unit string, series []string, groups []group) ([]byte, error) {
	values := make([][]float64, len(series))
	var labels []string
	for _, g := range groups {
		labels = append(labels, g.label)
		for i, value := range g.values {
			values[i] = append(values[i], value)
		}
	}
	options := charts.NewBarChartOptionWithData(values)
	options.Title.Text = title
	options.Legend = charts.LegendOption{SeriesNames: series, Offset: charts.OffsetRight}
	options.CategoryAxis.Labels = labels
	options.ValueAxis[0].Title = unit
	options.ValueAxis[0].Min = charts.Ptr(0.0)
	options.ValueFormatter = number
	for i := range options.SeriesList {
		options.SeriesList[i].Label.Show = charts.Ptr(true)
		options.SeriesList[i].Label.ValueFormatter = number
	}
	painter := charts.NewPainter(charts.PainterOptions{OutputFormat: charts.ChartOutputSVG, Width: width, Height: height})
	if err := painter.BarChart(options); err != nil {
		return nil, err
	}
	return painter.Bytes()
}
