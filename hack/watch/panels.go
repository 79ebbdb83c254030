// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

// row is a row of the dashboard, with its panels from left to right.
type row struct {
	title  string
	panels []panel
}

// panel is a panel of the dashboard: what it shows, and how.
type panel struct {
	title, description string
	kind               kind
	// unit is that of Grafana: short, s, bytes, percentunit, reqps.
	unit string
	// width is of 24.
	width   uint32
	stacked bool
	// columns are those of a list, and counted says whether its values are shown.
	columns []string
	counted bool
	queries []query
}

type kind int

const (
	timeSeries kind = iota
	single
	list
)

// query is a query of Prometheus, and how its series are named.
type query struct{ expr, legend string }

// Filters of the series: of the manager's own, and of Accounts and runs.
const (
	ofJob       = `job=~"$job"`
	ofNamespace = `job=~"$job", namespace=~"$namespace"`
)

// rows are the dashboard. Gauges about objects are aggregated with max before anything else: while another
// replica takes over, two of them may serve the same object.
var rows = []row{
	{"Accounts", []panel{
		{
			title: "Accounts", description: "The state of each Account, and why: TokenAccepted is as it should be.", kind: list, width: 8, columns: []string{"namespace", "name", "state", "reason"},
			queries: []query{{`max by (namespace, name, state, reason) (integrator_account_status{` + ofNamespace + `})`, ""}},
		},
		{
			title: "Age of the last scan", description: "Time since the last complete scan. It should stay near spec.scanInterval; a change on the platform is noticed by a scan.", unit: "s", width: 4,
			queries: []query{{`time() - max by (namespace, name) (integrator_scan_last_end_timestamp_seconds{` + ofNamespace + `})`, "{{namespace}}/{{name}}"}},
		},
		{
			title: "Duration of scans", description: "Mean time of a complete scan.", unit: "s", width: 4,
			queries: []query{{`sum by (namespace, name) (rate(integrator_scan_duration_seconds_sum{` + ofNamespace + `}[$__rate_interval])) / sum by (namespace, name) (rate(integrator_scan_duration_seconds_count{` + ofNamespace + `}[$__rate_interval]))`, "{{namespace}}/{{name}}"}},
		},
		{
			title: "What scans read", description: "Complete scans: of the list of the account's imports, or of each import alone that an Import has, where that takes fewer requests.", unit: "short", width: 4, stacked: true,
			queries: []query{{`sum by (namespace, name, read) (increase(integrator_scans_total{` + ofNamespace + `}[$__rate_interval]))`, "{{namespace}}/{{name}} {{read}}"}},
		},
		{
			title: "Size of the account", description: "Imports in the account and pages of its list, as of the last complete scan.", unit: "short", width: 4,
			queries: []query{
				{`max by (namespace, name) (integrator_account_imports{` + ofNamespace + `})`, "{{namespace}}/{{name}} imports"},
				{`max by (namespace, name) (integrator_scan_pages{` + ofNamespace + `})`, "{{namespace}}/{{name}} pages"},
			},
		},
	}},
	{"Imports", []panel{
		{
			title: "Imports by state", description: "Ready, Reconciling, Stalled or Suspended.", unit: "short", width: 8, stacked: true,
			queries: []query{{`sum by (state) (max by (namespace, name, state, reason) (integrator_imports{` + ofNamespace + `}))`, "{{state}}"}},
		},
		{
			title: "Imports that are not Ready", description: "By the reason of the condition Ready: see conditions.md.", unit: "short", width: 8, stacked: true,
			queries: []query{{`sum by (reason) (max by (namespace, name, state, reason) (integrator_imports{` + ofNamespace + `, state!="Ready"}))`, "{{reason}}"}},
		},
		{
			title: "Drift", description: "Drift that was found, corrected, and reported, and Imports that differ now.", unit: "short", width: 8,
			queries: []query{
				{`sum(increase(integrator_import_drift_total{` + ofNamespace + `}[$__rate_interval]))`, "found"},
				{`sum(increase(integrator_import_drift_corrected_total{` + ofNamespace + `}[$__rate_interval]))`, "corrected"},
				{`sum(increase(integrator_import_drift_reported_total{` + ofNamespace + `}[$__rate_interval]))`, "reported"},
				{`sum(max by (namespace, name) (integrator_imports_drifted{` + ofNamespace + `}))`, "differ now"},
			},
		},
		{
			title: "Conflicts of owners", description: "Remote imports that were refused because another Import has them, by the namespace of that one, and those left behind with a namespace.", unit: "short", width: 12,
			queries: []query{
				{`sum by (owner_namespace) (increase(integrator_import_conflicts_total{` + ofNamespace + `}[$__rate_interval]))`, "owner in {{owner_namespace}}"},
				{`sum(increase(integrator_import_orphaned_total{` + ofNamespace + `}[$__rate_interval]))`, "left behind"},
			},
		},
		{
			title: "Objects in the cache", description: "What the memory of the manager depends on most.", unit: "short", width: 12,
			queries: []query{{`max by (kind) (integrator_cache_objects{` + ofJob + `})`, "{{kind}}"}},
		},
	}},
	{"API of integrator.io", []panel{
		{
			title: "Calls by status", description: "Requests per second by status code; 0 means that there was no response.", unit: "reqps", width: 8, stacked: true,
			queries: []query{{`sum by (code) (rate(integrator_api_requests_total{` + ofNamespace + `}[$__rate_interval]))`, "{{code}}"}},
		},
		{
			title: "Calls by route", description: "Requests per second by method and route.", unit: "reqps", width: 8, stacked: true,
			queries: []query{{`sum by (method, route) (rate(integrator_api_requests_total{` + ofNamespace + `}[$__rate_interval]))`, "{{method}} {{route}}"}},
		},
		{
			title: "Time of calls", description: "Of 95 in 100 requests, and of half of them, from the permit to the end of the response.", unit: "s", width: 8,
			queries: []query{
				{`histogram_quantile(0.95, sum by (le) (rate(integrator_api_request_duration_seconds_bucket{` + ofNamespace + `}[$__rate_interval])))`, "95 in 100"},
				{`histogram_quantile(0.5, sum by (le) (rate(integrator_api_request_duration_seconds_bucket{` + ofNamespace + `}[$__rate_interval])))`, "half"},
			},
		},
		{
			title: "Throttled, or without an answer", description: "Part of the time for which the API asks an Account to pause, with status 429. All of it: the API does not answer, and one request at a time shows whether it does again.", unit: "percentunit", width: 8,
			queries: []query{
				{`sum by (namespace, name) (rate(integrator_api_throttled_seconds_total{` + ofNamespace + `}[$__rate_interval]))`, "{{namespace}}/{{name}}"},
				{`max by (namespace, name) (integrator_api_circuit_open{` + ofNamespace + `})`, "{{namespace}}/{{name}} does not answer"},
			},
		},
		{
			title: "Permits", description: "Requests under way, and those that wait for a permit.", unit: "short", width: 8,
			queries: []query{{`sum by (state) (integrator_api_permits{` + ofNamespace + `, state!="limit"})`, "{{state}}"}},
		},
		{
			title: "Writes with an unknown outcome", description: "Requests that may or may not have been applied. The operator finds out, except for runs: these end as Unknown.", unit: "short", width: 8,
			queries: []query{{`sum by (method, route) (increase(integrator_api_unknown_outcomes_total{` + ofNamespace + `}[$__rate_interval]))`, "{{method}} {{route}}"}},
		},
	}},
	{"Runs", []panel{
		{
			title: "Runs that ended", description: "By phase. Unknown: the records of the last call may or may not have been written.", unit: "short", width: 6, stacked: true,
			queries: []query{{`sum by (phase) (increase(integrator_importrun_completed_total{` + ofNamespace + `}[$__rate_interval]))`, "{{phase}}"}},
		},
		{
			title: "Records", description: "Of runs that ended, by outcome.", unit: "short", width: 6, stacked: true,
			queries: []query{{`sum by (outcome) (increase(integrator_importrun_records_total{` + ofNamespace + `}[$__rate_interval]))`, "{{outcome}}"}},
		},
		{
			title: "Runs that exist", description: "ImportRuns by phase.", unit: "short", width: 6, stacked: true,
			queries: []query{{`sum by (phase) (max by (namespace, phase) (integrator_importruns{` + ofNamespace + `}))`, "{{phase}}"}},
		},
		{
			title: "Invocations under way", description: "Calls of runs that were sent and have no response yet.", unit: "short", width: 6,
			queries: []query{{`sum by (namespace, name) (integrator_importrun_calls{` + ofNamespace + `})`, "{{namespace}}/{{name}}"}},
		},
	}},
	{"Manager", []panel{
		{
			title: "Working replicas", description: "1 is as it should be: one replica has the lease.", kind: single, unit: "short", width: 3,
			queries: []query{{`sum(integrator_leader{` + ofJob + `})`, ""}},
		},
		{
			title: "Work queue", description: "Objects that wait for a reconcile, by controller.", unit: "short", width: 5,
			queries: []query{{`sum by (name) (workqueue_depth{` + ofJob + `, name=~"account|import|importrun"})`, "{{name}}"}},
		},
		{
			title: "Wait in the work queue", description: "Of 95 in 100 objects.", unit: "s", width: 5,
			queries: []query{{`histogram_quantile(0.95, sum by (name, le) (rate(workqueue_queue_duration_seconds_bucket{` + ofJob + `, name=~"account|import|importrun"}[$__rate_interval])))`, "{{name}}"}},
		},
		{
			title: "Failed reconciles", description: "Reconciles that ended with an error and are retried, per second.", unit: "reqps", width: 5,
			queries: []query{{`sum by (controller) (rate(controller_runtime_reconcile_errors_total{` + ofJob + `, controller=~"account|import|importrun"}[$__rate_interval]))`, "{{controller}}"}},
		},
		{
			title: "Memory", description: "Memory of the process, and the limit of its container.", unit: "bytes", width: 3,
			queries: []query{
				{`process_resident_memory_bytes{` + ofJob + `} and on (job, instance) integrator_leader`, "used"},
				{`max(integrator_memory_limit_bytes{` + ofJob + `})`, "limit"},
			},
		},
		{
			title: "Processor", description: "Processors used.", unit: "short", width: 3,
			queries: []query{{`rate(process_cpu_seconds_total{` + ofJob + `}[$__rate_interval]) and on (job, instance) integrator_leader`, "used"}},
		},
	}},
}
