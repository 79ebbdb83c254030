// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package metrics has the operator's metrics, in the registry that the manager serves. Labels are
// names of Kubernetes objects, reasons, phases and route templates, never an id of the API.
package metrics

import (
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
)

// Definition is what docs/metrics.md says about a metric.
type Definition struct {
	// Name is the metric's, Type is counter, gauge or histogram.
	Name, Type, Help string
	Labels           []string
}

// definitions are those of all metrics of this package: each function below adds one.
var definitions []Definition

// Definitions returns the definitions of all metrics of the operator, sorted by name.
func Definitions() []Definition {
	return slices.SortedFunc(slices.Values(definitions), func(a, b Definition) int { return strings.Compare(a.Name, b.Name) })
}

func define(name, kind, help string, labels []string) {
	definitions = append(definitions, Definition{Name: name, Type: kind, Help: help, Labels: labels})
}

func counter(name, help string, labels ...string) *prometheus.CounterVec {
	define(name, "counter", help, labels)
	return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
}

func gauge(name, help string, labels ...string) *prometheus.GaugeVec {
	define(name, "gauge", help, labels)
	return prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: help}, labels)
}

// seconds is a histogram of times from 10 milliseconds to 15 seconds, and above.
func seconds(name, help string, labels ...string) *prometheus.HistogramVec {
	define(name, "histogram", help, labels)
	return prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help, Buckets: prometheus.ExponentialBuckets(0.01, 2.5, 9)}, labels)
}

// scraped is a gauge whose series are made at each scrape.
func scraped(name, help string, labels ...string) *prometheus.Desc {
	define(name, "gauge", help, labels)
	return prometheus.NewDesc(name, help, labels, nil)
}
