// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"strings"

	"github.com/integrator-operator/integrator-operator/internal/metrics"
)

// metricsPage is the page that lists all metrics of the operator.
func metricsPage() string {
	var text strings.Builder
	text.WriteString(`<!-- Made by "make manifests" of internal/metrics: change the metrics there. -->
# Metrics

The manager serves these metrics at ` + "`/metrics`" + `, if ` + "`--metrics-bind-address`" + ` is set. How Prometheus gets
them, with rules, a dashboard and more about single objects, is in [operating.md](operating.md#watching-the-operator).

The labels ` + "`namespace` and `name`" + ` are those of the Account, where no other meaning is given. No label is an id of the
API, a name of an Import or an ImportRun, or anything of a payload or a Secret, so the number of series depends on
the number of Accounts and namespaces, not on that of the objects:

- ` + "`route`" + ` is a template such as ` + "`/v1/imports/{id}`, and `method` and `code`" + ` are those of the request;
- ` + "`reason`" + ` is one of [conditions.md](conditions.md), and ` + "`state`" + ` is Ready, Reconciling, Stalled or Suspended;
- ` + "`phase`" + ` is that of an ImportRun, and ` + "`outcome`" + ` that of its records.

A process that waits for the lease serves ` + "`integrator_leader`" + ` as 0, and nothing about objects. Counters begin
at 0 when a process starts.

| Metric | Type | Labels | What it measures |
|---|---|---|---|
`)
	for _, metric := range metrics.Definitions() {
		labels := "none"
		if len(metric.Labels) > 0 {
			labels = "`" + strings.Join(metric.Labels, "`, `") + "`"
		}
		fmt.Fprintf(&text, "| `%s` | %s | %s | %s |\n", metric.Name, metric.Type, labels, metric.Help)
	}
	text.WriteString(`
The age of the last scan is ` + "`time() - integrator_scan_last_end_timestamp_seconds`" + `.

## Metrics of the libraries

The manager also serves the metrics of controller-runtime, of the client for Kubernetes, of the Go runtime and of the
process. The dashboard and the alerts use these:

| Metric | What it measures |
|---|---|
| ` + "`workqueue_depth`" + ` | objects that wait for a reconcile, by controller (` + "`name`" + `: account, import, importrun) |
| ` + "`workqueue_queue_duration_seconds`" + ` | how long an object waits for its reconcile |
| ` + "`controller_runtime_reconcile_errors_total`" + ` | reconciles that ended with an error and are retried |
| ` + "`process_resident_memory_bytes`" + ` | the memory of the process |
| ` + "`process_cpu_seconds_total`" + ` | the time that the process spent on a processor |
`)
	return text.String()
}
