// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"go.yaml.in/yaml/v3"
)

// newEngine evaluates as Prometheus does by default.
func newEngine() *promql.Engine {
	return promql.NewEngine(promql.EngineOpts{
		MaxSamples: 50_000_000, Timeout: time.Minute, EnableAtModifier: true, EnableNegativeOffset: true,
		Parser: parser.NewParser(parser.Options{}),
	})
}

// chosen puts a choice of the dashboard's variables into a query: everything, and an interval that fits
// the samples of a demo.
func chosen(expr string) string {
	return strings.NewReplacer("$job", ".*", "$namespace", ".*", "$__rate_interval", "10s").Replace(expr)
}

// alert is a rule that alerts.
type alert struct {
	Alert       string            `yaml:"alert"`
	Expr        string            `yaml:"expr"`
	For         string            `yaml:"for"`
	Labels      map[string]string `yaml:"labels"`
	Annotations map[string]string `yaml:"annotations"`
}

// rulesFile is a PrometheusRule.
const rulesFile = "../../config/prometheus/rules.yaml"

// readAlerts reads the alerts of the PrometheusRule.
func readAlerts() ([]alert, error) {
	file, err := os.Open(rulesFile)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	var object struct {
		APIVersion string `yaml:"apiVersion"`
		Kind       string
		Metadata   yaml.Node
		Spec       struct {
			Groups []struct {
				Name  string
				Rules []alert
			}
		}
	}
	decoder := yaml.NewDecoder(file)
	decoder.KnownFields(true)
	if err := decoder.Decode(&object); err != nil {
		return nil, fmt.Errorf("%s: %w", rulesFile, err)
	}
	var alerts []alert
	for _, group := range object.Spec.Groups {
		alerts = append(alerts, group.Rules...)
	}
	return alerts, nil
}

// metricsOf adds the metrics that a query selects.
func metricsOf(expr string, to map[string]bool) error {
	parsed, err := parser.NewParser(parser.Options{}).ParseExpr(chosen(expr))
	if err != nil {
		return fmt.Errorf("%s: %w", expr, err)
	}
	parser.Inspect(parsed, func(node parser.Node, _ []parser.Node) error {
		if selector, ok := node.(*parser.VectorSelector); ok {
			for _, matcher := range selector.LabelMatchers {
				if matcher.Name == model.MetricNameLabel {
					to[matcher.Value] = true
				}
			}
		}
		return nil
	})
	return nil
}

// usedMetrics are the metrics of all queries of the dashboard and of the alerts.
func usedMetrics() (map[string]bool, error) {
	used := map[string]bool{}
	for _, row := range rows {
		for _, panel := range row.panels {
			for _, query := range panel.queries {
				if err := metricsOf(query.expr, used); err != nil {
					return nil, err
				}
			}
		}
	}
	alerts, err := readAlerts()
	if err != nil {
		return nil, err
	}
	for _, alert := range alerts {
		if err := metricsOf(alert.Expr, used); err != nil {
			return nil, err
		}
	}
	return used, nil
}
