// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"testing"

	"github.com/prometheus/prometheus/model/labels"
	"go.yaml.in/yaml/v3"
)

// objectMetrics is what the test reads of the configuration of kube-state-metrics, whose form is tested in
// hack/tools/kubestatemetrics.
type objectMetrics struct {
	Spec struct {
		Resources []struct {
			MetricNamePrefix string              `yaml:"metricNamePrefix"`
			LabelsFromPath   map[string][]string `yaml:"labelsFromPath"`
			Metrics          []struct {
				Name string
				Each struct {
					Gauge, Info objectSeries
					StateSet    objectSeries `yaml:"stateSet"`
				}
			}
		}
	}
}

type objectSeries struct {
	LabelsFromPath map[string][]string `yaml:"labelsFromPath"`
	LabelFromKey   string              `yaml:"labelFromKey"`
	LabelName      string              `yaml:"labelName"`
}

// choices are the values of a label for which an object has a series each, with the value.
var choices = map[string]map[string]float64{
	"type":  {"Ready": 0, "Stalled": 1, "Drifted": 1},
	"phase": {"Failed": 1, "Succeeded": 0},
	"count": {"total": 5, "done": 2, "failed": 3},
}

// objectSamples are the series that kube-state-metrics makes with the configuration of two objects of each
// kind. Of the second one, nothing has ended.
func objectSamples(t *testing.T) (samples, map[string]bool) {
	t.Helper()
	text, err := os.ReadFile("../../config/kube-state-metrics/custom-resource-state.yaml")
	must(t, err)
	var config objectMetrics
	must(t, yaml.Unmarshal(text, &config))
	s, names := samples{start: 1_800_000_000_000}, map[string]bool{}
	for _, resource := range config.Spec.Resources {
		for _, metric := range resource.Metrics {
			name := resource.MetricNamePrefix + "_" + metric.Name
			names[name] = true
			for object := range 2 {
				if object == 1 && metric.Name == "importrun_completion_time" {
					continue
				}
				series := map[string]string{"__name__": name}
				for label := range resource.LabelsFromPath {
					series[label] = fmt.Sprintf("%s-%d", label, object)
				}
				each := []map[string]string{series}
				values := []float64{1}
				for _, more := range []objectSeries{metric.Each.Gauge, metric.Each.Info, metric.Each.StateSet} {
					for _, label := range append(slices.Sorted(maps.Keys(more.LabelsFromPath)), more.LabelFromKey, more.LabelName) {
						if label != "" {
							each, values = vary(each, values, label)
						}
					}
				}
				for i := range each {
					s.series = append(s.series, sampled{labels: labels.FromMap(each[i]), values: []float64{values[i]}})
				}
			}
		}
	}
	return s, names
}

// vary adds a label to series, with each of its choices.
func vary(each []map[string]string, values []float64, label string) (varied []map[string]string, with []float64) {
	for i, series := range each {
		if len(choices[label]) == 0 {
			series[label] = "a " + label
			varied, with = append(varied, series), append(with, values[i])
			continue
		}
		for variant, v := range choices[label] {
			one := maps.Clone(series)
			one[label] = variant
			varied, with = append(varied, one), append(with, v)
		}
	}
	return varied, with
}

// TestObjects: every query of the dashboard of single objects has a result, with every column, of what
// kube-state-metrics makes with the configuration. It asks for no other metrics.
func TestObjects(t *testing.T) {
	s, names := objectSamples(t)
	db, err := s.open(t.TempDir())
	must(t, err)
	defer func() { must(t, db.Close()) }()
	for _, row := range objectRows {
		for _, panel := range row.panels {
			lines, err := panel.results(newEngine(), db, s)
			must(t, err)
			if len(lines) == 0 {
				t.Errorf("panel %q has no result", panel.title)
			}
			for _, column := range panel.columns {
				if !slices.ContainsFunc(lines, func(l line) bool { return l.labels[column] != "" }) {
					t.Errorf("panel %q: nothing has a %s", panel.title, column)
				}
			}
			used := map[string]bool{}
			for _, query := range panel.queries {
				must(t, metricsOf(query.expr, used))
			}
			for name := range used {
				if !names[name] {
					t.Errorf("panel %q: kube-state-metrics makes no %s", panel.title, name)
				}
			}
		}
	}
}
