// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package metrics

import (
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/integrator"
)

// The labels namespace and name are those of the Account, except that of a run's namespace.
var (
	apiRequests = counter("integrator_api_requests_total",
		"Requests to the integrator.io API by method, route and status code (0: no response).",
		"namespace", "name", "method", "route", "code")
	apiRequestSeconds = seconds("integrator_api_request_duration_seconds",
		"Time of a request from its permit to the end of the response, in seconds.",
		"namespace", "name", "method", "route")
	apiUnknown = counter("integrator_api_unknown_outcomes_total",
		"Requests that write, and after which it is unknown whether they were applied: the response was lost, or has a status that does not say so.",
		"namespace", "name", "method", "route")
	apiThrottled = counter("integrator_api_throttled_seconds_total",
		"Time for which the API asked this Account to pause with status 429, in seconds. Overlapping pauses count once.",
		"namespace", "name")

	scans = counter("integrator_scans_total",
		"Complete scans of an account, by what they read: the whole list of its imports (list), or each import alone that an Import has (imports).",
		"namespace", "name", "read")
	scanSeconds = seconds("integrator_scan_duration_seconds",
		"Time of a complete scan of an account's imports, in seconds.", "namespace", "name")
	scanPages = gauge("integrator_scan_pages",
		"Pages of the list of an account's imports, as of the last scan that read it to its end.", "namespace", "name")
	accountImports = gauge("integrator_account_imports",
		"Imports in the account, as of the last scan that read the list to its end.", "namespace", "name")
	lastScan = gauge("integrator_scan_last_end_timestamp_seconds",
		"Time at which the last complete scan of an account's imports ended, in seconds since 1970. Absent until a scan has ended.",
		"namespace", "name")

	driftDetected = counter("integrator_import_drift_total",
		"Times that a remote import was found to differ from its definition.", "namespace", "name")
	driftCorrected = counter("integrator_import_drift_corrected_total",
		"Times that a write restored what is declared in a remote import.", "namespace", "name")
	driftReported = counter("integrator_import_drift_reported_total",
		"Times that a remote import was found to differ and was left as it is, because of driftPolicy Report or managementPolicy Observe.",
		"namespace", "name")
	importConflicts = counter("integrator_import_conflicts_total",
		"Times that an Import was refused a remote import which an Import of owner_namespace has. The log names that Import.",
		"namespace", "name", "owner_namespace")
	importsOrphaned = counter("integrator_import_orphaned_total",
		"Remote imports left behind because their namespace was deleted and the Account's token was no longer there.",
		"namespace", "name")

	runsCompleted = counter("integrator_importrun_completed_total",
		"ImportRuns that ended, by their namespace and phase.", "namespace", "phase")
	runRecords = counter("integrator_importrun_records_total",
		"Records of ImportRuns that ended, by their namespace and outcome: succeeded, failed, ignored, unknown (sent, and no result is known) or unsent.",
		"namespace", "outcome")
	runCalls = gauge("integrator_importrun_calls",
		"Invocations under way.", "namespace", "name")
)

// vector is a metric with labels.
type vector interface {
	prometheus.Collector
	DeletePartialMatch(labels prometheus.Labels) int
}

// Every metric is in one of these lists, or is made at each scrape. The series of ofAccount are dropped
// with the Account that they are about. The others are kept: the remote imports that an Account left
// behind are of interest only after its deletion.
var (
	ofAccount = []vector{
		apiRequests, apiRequestSeconds, apiUnknown, apiThrottled, scans, scanSeconds, scanPages, accountImports, lastScan,
		driftDetected, driftCorrected, driftReported, importConflicts, runCalls,
	}
	kept = []vector{importsOrphaned, runsCompleted, runRecords}
)

func init() {
	for _, metric := range slices.Concat(ofAccount, kept) {
		metrics.Registry.MustRegister(metric)
	}
	metrics.Registry.MustRegister(scrape)
}

// ObserveRequest returns the observer of the Account's requests, for its client.
func ObserveRequest(account types.NamespacedName) func(integrator.Observation) {
	var pauses pauses
	start(account)
	return func(o integrator.Observation) {
		apiRequests.WithLabelValues(account.Namespace, account.Name, o.Method, o.Route, strconv.Itoa(o.StatusCode)).Inc()
		apiRequestSeconds.WithLabelValues(account.Namespace, account.Name, o.Method, o.Route).Observe(o.Duration.Seconds())
		if o.Unknown {
			apiUnknown.WithLabelValues(account.Namespace, account.Name, o.Method, o.Route).Inc()
		}
		if o.Pause > 0 {
			apiThrottled.WithLabelValues(account.Namespace, account.Name).Add(pauses.add(time.Now(), o.Pause).Seconds())
		}
	}
}

// start has the counters of an Account begin at 0: of a series that begins at 1, Prometheus does not see
// an increase.
func start(account types.NamespacedName) {
	for _, counter := range []*prometheus.CounterVec{apiThrottled, driftDetected, driftCorrected, driftReported} {
		counter.WithLabelValues(account.Namespace, account.Name)
	}
	runCalls.WithLabelValues(account.Namespace, account.Name)
}

// pauses adds up times that may overlap.
type pauses struct {
	mu    sync.Mutex
	until time.Time
}

// add returns by how much a pause that begins now is longer than those before.
func (p *pauses) add(now time.Time, pause time.Duration) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.until.Before(now) {
		p.until = now
	}
	longer := max(0, now.Add(pause).Sub(p.until))
	p.until = p.until.Add(longer)
	return longer
}

// ObserveScan counts a complete scan: whether it read the whole list, how long it took, and when it ended.
func ObserveScan(account types.NamespacedName, list bool, took time.Duration, ended time.Time) {
	read := "imports"
	if list {
		read = "list"
	}
	scans.WithLabelValues(account.Namespace, account.Name, read).Inc()
	scanSeconds.WithLabelValues(account.Namespace, account.Name).Observe(took.Seconds())
	lastScan.WithLabelValues(account.Namespace, account.Name).Set(float64(ended.UnixMicro()) / 1e6)
}

// ObserveList records how many imports the list of an account has, and in how many pages.
func ObserveList(account types.NamespacedName, imports, pages int) {
	accountImports.WithLabelValues(account.Namespace, account.Name).Set(float64(imports))
	scanPages.WithLabelValues(account.Namespace, account.Name).Set(float64(pages))
}

// DriftDetected counts a remote import of the Account that differs from its definition.
func DriftDetected(account types.NamespacedName) {
	driftDetected.WithLabelValues(account.Namespace, account.Name).Inc()
}

// DriftCorrected counts a write that restored what is declared.
func DriftCorrected(account types.NamespacedName) {
	driftCorrected.WithLabelValues(account.Namespace, account.Name).Inc()
}

// DriftReported counts a drift that is only reported.
func DriftReported(account types.NamespacedName) {
	driftReported.WithLabelValues(account.Namespace, account.Name).Inc()
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

// CallStarted counts an invocation of the Account as under way until ended is called.
func CallStarted(account types.NamespacedName) (ended func()) {
	calls := runCalls.WithLabelValues(account.Namespace, account.Name)
	calls.Inc()
	return calls.Dec
}

// RunStarted has the counters of a run's namespace begin at 0 before the run ends.
func RunStarted(namespace string) {
	for _, phase := range []v1alpha1.RunPhase{v1alpha1.RunSucceeded, v1alpha1.RunFailed, v1alpha1.RunUnknown, v1alpha1.RunCanceled} {
		runsCompleted.WithLabelValues(namespace, string(phase))
	}
	for outcome := range outcomes(v1alpha1.RecordCounts{}) {
		runRecords.WithLabelValues(namespace, outcome)
	}
}

// RunCompleted counts an ImportRun that ended, and its records.
func RunCompleted(namespace string, phase v1alpha1.RunPhase, records v1alpha1.RecordCounts) {
	RunStarted(namespace)
	runsCompleted.WithLabelValues(namespace, string(phase)).Inc()
	for outcome, count := range outcomes(records) {
		runRecords.WithLabelValues(namespace, outcome).Add(float64(max(0, count)))
	}
}

// outcomes are the records of a run by what became of them.
func outcomes(r v1alpha1.RecordCounts) map[string]int32 {
	return map[string]int32{
		"succeeded": r.Succeeded, "failed": r.Failed, "ignored": r.Ignored,
		"unknown": r.Sent - r.Succeeded - r.Failed - r.Ignored, "unsent": r.Total - r.Sent,
	}
}

// ForgetAccount drops the series of an Account that was deleted.
func ForgetAccount(account types.NamespacedName) {
	labels := prometheus.Labels{"namespace": account.Namespace, "name": account.Name}
	for _, metric := range ofAccount {
		metric.DeletePartialMatch(labels)
	}
	scrape.forget(account)
}
