// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"
)

// The panels and alerts that have no series while all is well, or that have none during a demo.
var emptyWhenWell = map[string]string{
	"panel Conflicts of owners: owner in {{owner_namespace}}":    "no Import is refused",
	"panel Conflicts of owners: left behind":                     "no namespace is deleted",
	"panel Writes with an unknown outcome: {{method}} {{route}}": "every write is answered",
	"panel Memory: limit":                                        "a demo runs outside of a container",
	"alert IntegratorOperatorDown":                               "the manager is scraped",
	"alert IntegratorOperatorNoLeader":                           "the manager works",
	"alert IntegratorOperatorMemory":                             "a demo runs outside of a container",
	"alert IntegratorTokenRejected":                              "the tokens are accepted",
	"alert IntegratorAccountStalled":                             "the Accounts are Ready",
	"alert IntegratorScanStale":                                  "the accounts are scanned",
	"alert IntegratorThrottled":                                  "the simulator does not throttle",
	"alert IntegratorRunUnknown":                                 "every invocation is answered",
	"alert IntegratorDeletionBlocked":                            "the demo frees the import before a scrape sees that it is blocked",
	"alert IntegratorOwnershipConflict":                          "no Import is refused",
	"alert IntegratorImportStalled":                              "a demo may resolve it before a scrape sees it",
	"alert IntegratorDriftUncorrected":                           "a demo may resolve it before a scrape sees it",
	"panel Imports that are not Ready: {{reason}}":               "a demo may resolve it before a scrape sees it",
}

// TestQueries runs every query of the dashboard and of the alerts over what a real manager served during
// a demo: the recorded one, or that of the directory WATCH_METRICS.
func TestQueries(t *testing.T) {
	s := demo(t)
	db, err := s.open(t.TempDir())
	must(t, err)
	defer func() { must(t, db.Close()) }()
	engine := newEngine()
	run := func(what, expr string) {
		t.Run(what, func(t *testing.T) {
			lines, err := panel{queries: []query{{expr, ""}}}.results(engine, db, s)
			must(t, err)
			if _, may := emptyWhenWell[what]; len(lines) == 0 && !may {
				t.Errorf("no series for %s", expr)
			}
			numbers := false
			for _, line := range lines {
				for _, v := range line.values {
					numbers = numbers || isNumber(v)
				}
			}
			if len(lines) > 0 && !numbers {
				t.Errorf("no number for %s", expr)
			}
		})
		delete(emptyWhenWellLeft, what)
	}
	for _, row := range rows {
		for _, panel := range row.panels {
			for _, query := range panel.queries {
				what := "panel " + panel.title
				if query.legend != "" {
					what += ": " + query.legend
				}
				run(what, query.expr)
			}
		}
	}
	alerts, err := readAlerts()
	must(t, err)
	for _, alert := range alerts {
		run("alert "+alert.Alert, alert.Expr)
	}
	for what := range emptyWhenWellLeft {
		t.Errorf("%s is listed as empty, and does not exist", what)
	}
}

// emptyWhenWellLeft are those of emptyWhenWell that no query has met.
var emptyWhenWellLeft = func() map[string]bool {
	left := map[string]bool{}
	for what := range emptyWhenWell {
		left[what] = true
	}
	return left
}()

// demo returns the samples of a demo.
func demo(t *testing.T) samples {
	t.Helper()
	if dir := os.Getenv("WATCH_METRICS"); dir != "" {
		used, err := usedMetrics()
		must(t, err)
		s, err := readScrapes(dir, used)
		must(t, err)
		return s
	}
	text, err := os.ReadFile("testdata/demo.samples")
	must(t, err)
	s, err := parseSamples(text)
	must(t, err)
	return s
}

// happens is what a demo is known to do: these queries are above 0 at least once.
var happens = []string{
	`integrator_import_drift_total`, `integrator_import_drift_corrected_total`, `integrator_import_drift_reported_total`,
	`integrator_importrun_completed_total{phase="Succeeded"}`, `integrator_importrun_completed_total{phase="Failed"}`,
	`integrator_importrun_records_total{outcome="succeeded"}`, `integrator_importrun_records_total{outcome="failed"}`,
	`integrator_importrun_records_total{outcome="ignored"}`,
	`integrator_importruns{phase="Succeeded"}`, `integrator_imports{state="Ready", reason="Synced"}`,
	`integrator_account_status{state="Ready", reason="TokenAccepted"}`, `integrator_leader`,
	`integrator_api_requests_total{method="POST", route="/v1/imports/{id}/invoke", code="200"}`,
	`integrator_scan_pages > 1`, `integrator_account_imports > 10`, `integrator_account_scan_interval_seconds`,
	`integrator_api_permits{state="limit"}`, `integrator_cache_objects{kind="Import"} > 10`,
}

// TestDemoCounts: the manager counts what the demo does. That is also how the metrics are known to be
// counted where they should be.
func TestDemoCounts(t *testing.T) {
	s := demo(t)
	db, err := s.open(t.TempDir())
	must(t, err)
	defer func() { must(t, db.Close()) }()
	for _, expr := range happens {
		lines, err := panel{queries: []query{{expr, ""}}}.results(newEngine(), db, s)
		must(t, err)
		above := false
		for _, line := range lines {
			for _, v := range line.values {
				above = above || v > 0
			}
		}
		if !above {
			t.Errorf("%s is never above 0", expr)
		}
	}
}

// TestSamplesSurvive: samples that are written and read are the same.
func TestSamplesSurvive(t *testing.T) {
	text, err := os.ReadFile("testdata/demo.samples")
	must(t, err)
	s, err := parseSamples(text)
	must(t, err)
	if string(s.format()) != string(text) {
		t.Error("the samples are written otherwise than they were read")
	}
}

// notShown are metrics of neither the dashboard nor an alert, with the reason.
var notShown = map[string]string{}

// library are the metrics that the operator does not define itself.
var library = regexp.MustCompile(`^(workqueue|controller_runtime|process)_`)

var metricRow = regexp.MustCompile("(?m)^\\| `([a-z_]+)` \\|")

// TestMetricsAreUsed: the dashboard and the alerts ask for metrics that there are, and leave none out.
func TestMetricsAreUsed(t *testing.T) {
	page, err := os.ReadFile("../../docs/metrics.md")
	must(t, err)
	defined := map[string]bool{}
	for _, row := range metricRow.FindAllStringSubmatch(string(page), -1) {
		defined[row[1]] = true
	}
	used, err := usedMetrics()
	must(t, err)
	served := map[string]bool{}
	for _, series := range demo(t).series {
		served[series.labels.Get("__name__")] = true
	}
	shown := map[string]bool{}
	for name := range used {
		base := name
		for _, suffix := range []string{"_bucket", "_sum", "_count"} {
			if trimmed := strings.TrimSuffix(name, suffix); defined[trimmed] {
				base = trimmed
			}
		}
		shown[base] = true
		if !defined[base] {
			t.Errorf("%s is used, and is not in docs/metrics.md", name)
		}
		if library.MatchString(base) && !served[name] {
			t.Errorf("%s is used, and no manager serves it", name)
		}
	}
	for name := range defined {
		if reason, may := notShown[name]; shown[name] == may {
			t.Errorf("%s: is used: %t, may be left out: %t (%s)", name, shown[name], may, reason)
		}
	}
	for name := range notShown {
		if !defined[name] {
			t.Errorf("%s may be left out, and does not exist", name)
		}
	}
}

// TestDashboards: Grafana gets panels with ids of their own that lie beside each other, with these queries.
func TestDashboards(t *testing.T) {
	for name, board := range boards {
		t.Run(name, func(t *testing.T) { checkDashboard(t, board) })
	}
}

func checkDashboard(t *testing.T, b board) {
	text, err := b.json()
	must(t, err)
	var made struct {
		UID        string
		Templating struct{ List []struct{ Name, Type string } }
		Panels     []struct {
			ID         int
			Type       string
			Title      string
			GridPos    struct{ X, Y, W, H int }
			Datasource struct{ UID string }
			Targets    []struct{ Expr, RefID string }
		}
	}
	must(t, json.Unmarshal(text, &made))
	if made.UID != b.uid {
		t.Errorf("uid %q, want %q", made.UID, b.uid)
	}
	variables := map[string]bool{}
	for _, variable := range made.Templating.List {
		variables["$"+variable.Name] = true
	}
	taken, ids, titles := map[[2]int]string{}, map[int]bool{}, map[string]bool{}
	for _, panel := range made.Panels {
		if ids[panel.ID] || panel.Type != "row" && (titles[panel.Title] || panel.Datasource.UID != "${datasource}" || len(panel.Targets) == 0) {
			t.Errorf("panel %q: id %d is used: %t, title is used: %t, data source %q, %d queries", panel.Title, panel.ID, ids[panel.ID], titles[panel.Title], panel.Datasource.UID, len(panel.Targets))
		}
		ids[panel.ID], titles[panel.Title] = true, panel.Type != "row"
		for x := panel.GridPos.X; x < panel.GridPos.X+panel.GridPos.W; x++ {
			for y := panel.GridPos.Y; y < panel.GridPos.Y+panel.GridPos.H; y++ {
				if other := taken[[2]int{x, y}]; other != "" || x >= 24 {
					t.Fatalf("panel %q lies on %q, or beyond the right edge", panel.Title, other)
				}
				taken[[2]int{x, y}] = panel.Title
			}
		}
		for _, target := range panel.Targets {
			must(t, metricsOf(target.Expr, map[string]bool{}))
			for _, variable := range variableName.FindAllString(target.Expr, -1) {
				if !variables[variable] && variable != "$__rate_interval" {
					t.Errorf("panel %q: there is no variable %s", panel.Title, variable)
				}
			}
		}
	}
	count := len(b.rows)
	for _, row := range b.rows {
		count += len(row.panels)
	}
	if len(made.Panels) != count {
		t.Errorf("%d panels, want %d", len(made.Panels), count)
	}
}

var variableName = regexp.MustCompile(`\$\w+`)
