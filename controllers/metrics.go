// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/integrator-operator/integrator-operator/internal/integrator"
)

// Labels hold names of Kubernetes objects and route templates, never an id of the API.
var (
	apiRequests = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "integrator_api_requests_total",
		Help: "Requests to the integrator.io API by Account, method, route and status code (0: no answer).",
	}, []string{"account", "method", "route", "code"})

	apiRequestSeconds = prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name:    "integrator_api_request_duration_seconds",
		Help:    "Time from permission to call to the end of the answer, in seconds.",
		Buckets: prometheus.ExponentialBuckets(0.01, 2.5, 9),
	}, []string{"account", "method", "route"})

	scanSeconds = prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name:    "integrator_scan_duration_seconds",
		Help:    "Time of a complete scan of an account's imports, in seconds.",
		Buckets: prometheus.ExponentialBuckets(0.01, 2.5, 9),
	}, []string{"account"})

	accountImports = prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "integrator_account_imports",
		Help: "Imports in the account, as of the last complete scan.",
	}, []string{"account"})

	driftFound = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "integrator_import_drift_total",
		Help: "Times that a remote import was found to differ from what is declared.",
	}, []string{"account"})

	importsOrphaned = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "integrator_import_orphaned_total",
		Help: "Remote imports left behind because their namespace was deleted and the Account's token was gone.",
	}, []string{"account"})

	runsCompleted = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "integrator_importrun_completed_total",
		Help: "ImportRuns that ended, by phase.",
	}, []string{"phase"})
)

func init() {
	metrics.Registry.MustRegister(apiRequests, apiRequestSeconds, scanSeconds, accountImports, driftFound, importsOrphaned, runsCompleted)
}

func observeRequest(account types.NamespacedName) func(integrator.Observation) {
	name := account.String()
	return func(o integrator.Observation) {
		apiRequests.WithLabelValues(name, o.Method, o.Route, strconv.Itoa(o.StatusCode)).Inc()
		apiRequestSeconds.WithLabelValues(name, o.Method, o.Route).Observe(o.Duration.Seconds())
	}
}

func observeScan(account types.NamespacedName, imports int, took time.Duration) {
	scanSeconds.WithLabelValues(account.String()).Observe(took.Seconds())
	accountImports.WithLabelValues(account.String()).Set(float64(imports))
}

// forgetAccountMetrics drops the series of an Account that is gone, but for what it left
// behind: that is told when it is gone.
func forgetAccountMetrics(account types.NamespacedName) {
	labels := prometheus.Labels{"account": account.String()}
	for _, vector := range []interface{ DeletePartialMatch(prometheus.Labels) int }{
		apiRequests, apiRequestSeconds, scanSeconds, accountImports, driftFound,
	} {
		vector.DeletePartialMatch(labels)
	}
}
