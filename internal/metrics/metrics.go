// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package metrics has the operator's metrics, in the registry that the manager serves. Labels are
// names of Kubernetes objects and route templates, never an id of the API.
package metrics

import (
	"slices"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/integrator"
)

// The labels namespace and name are those of the Account.
var (
	apiRequests = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "integrator_api_requests_total",
		Help: "Requests to the integrator.io API by Account, method, route and status code (0: no response).",
	}, []string{"namespace", "name", "method", "route", "code"})

	apiRequestSeconds = prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name:    "integrator_api_request_duration_seconds",
		Help:    "Time of a request from when it may be sent to the end of the response, in seconds.",
		Buckets: prometheus.ExponentialBuckets(0.01, 2.5, 9),
	}, []string{"namespace", "name", "method", "route"})

	scanSeconds = prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name:    "integrator_scan_duration_seconds",
		Help:    "Time of a complete scan of an account's imports, in seconds.",
		Buckets: prometheus.ExponentialBuckets(0.01, 2.5, 9),
	}, []string{"namespace", "name"})

	accountImports = prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "integrator_account_imports",
		Help: "Imports in the account, as of the last complete scan.",
	}, []string{"namespace", "name"})

	lastScan = prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "integrator_scan_last_end_timestamp_seconds",
		Help: "Time at which the last complete scan of an account's imports ended, in seconds since 1970.",
	}, []string{"namespace", "name"})

	driftDetected = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "integrator_import_drift_total",
		Help: "Times that a remote import was found to differ from its definition.",
	}, []string{"namespace", "name"})

	importConflicts = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "integrator_import_conflicts_total",
		Help: "Times that an Import was refused a remote import which an Import of owner_namespace has.",
	}, []string{"namespace", "name", "owner_namespace"})

	importsOrphaned = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "integrator_import_orphaned_total",
		Help: "Remote imports left behind because their namespace was deleted and the Account's token was no longer there.",
	}, []string{"namespace", "name"})

	runsCompleted = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "integrator_importrun_completed_total",
		Help: "ImportRuns that ended, by phase.",
	}, []string{"phase"})
)

// vector is a metric with labels.
type vector interface {
	prometheus.Collector
	DeletePartialMatch(labels prometheus.Labels) int
}

// Every metric is in one of these lists. The series of ofAccount are dropped with the Account that
// they are about. The others are kept: the remote imports that an Account left behind are of interest
// only after its deletion.
var (
	ofAccount = []vector{apiRequests, apiRequestSeconds, scanSeconds, accountImports, lastScan, driftDetected, importConflicts}
	kept      = []vector{importsOrphaned, runsCompleted}
)

func init() {
	for _, metric := range slices.Concat(ofAccount, kept) {
		metrics.Registry.MustRegister(metric)
	}
}

// ObserveRequest returns the observer of the Account's requests, for its client.
func ObserveRequest(account types.NamespacedName) func(integrator.Observation) {
	return func(o integrator.Observation) {
		apiRequests.WithLabelValues(account.Namespace, account.Name, o.Method, o.Route, strconv.Itoa(o.StatusCode)).Inc()
		apiRequestSeconds.WithLabelValues(account.Namespace, account.Name, o.Method, o.Route).Observe(o.Duration.Seconds())
	}
}

// ObserveScan counts a complete scan: how many imports the account has, how long it took, and when it
// ended.
func ObserveScan(account types.NamespacedName, imports int, took time.Duration, ended time.Time) {
	scanSeconds.WithLabelValues(account.Namespace, account.Name).Observe(took.Seconds())
	accountImports.WithLabelValues(account.Namespace, account.Name).Set(float64(imports))
	lastScan.WithLabelValues(account.Namespace, account.Name).Set(float64(ended.Unix()))
}

// DriftDetected counts a remote import of the Account that differs from its definition.
func DriftDetected(account types.NamespacedName) {
	driftDetected.WithLabelValues(account.Namespace, account.Name).Inc()
}

// ImportConflict counts a remote import of the Account that an Import of another namespace, or of the
// same, has already.
func ImportConflict(account types.NamespacedName, ownerNamespace string) {
	importConflicts.WithLabelValues(account.Namespace, account.Name, ownerNamespace).Inc()
}

// ImportOrphaned counts a remote import that is left behind in the account.
func ImportOrphaned(account types.NamespacedName) {
	importsOrphaned.WithLabelValues(account.Namespace, account.Name).Inc()
}

// RunCompleted counts an ImportRun that ended.
func RunCompleted(phase v1alpha1.RunPhase) {
	runsCompleted.WithLabelValues(string(phase)).Inc()
}

// ForgetAccount drops the series of an Account that was deleted.
func ForgetAccount(account types.NamespacedName) {
	labels := prometheus.Labels{"namespace": account.Namespace, "name": account.Name}
	for _, metric := range ofAccount {
		metric.DeletePartialMatch(labels)
	}
}
