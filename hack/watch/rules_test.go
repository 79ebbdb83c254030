// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"math"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/rules"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/util/teststorage"
	"go.yaml.in/yaml/v3"
)

// ruleTests is what of the format of "promtool test rules" is used.
type ruleTests struct {
	RuleFiles          []string       `yaml:"rule_files"`
	EvaluationInterval model.Duration `yaml:"evaluation_interval"`
	Tests              []ruleTest
}

type ruleTest struct {
	Name        string
	Interval    model.Duration
	InputSeries []struct{ Series, Values string } `yaml:"input_series"`
	AlertTests  []alertTest                       `yaml:"alert_rule_test"`
}

type alertTest struct {
	EvalTime  model.Duration `yaml:"eval_time"`
	AlertName string         `yaml:"alertname"`
	Alerts    []expected     `yaml:"exp_alerts"`
}

type expected struct {
	Labels      map[string]string `yaml:"exp_labels"`
	Annotations map[string]string `yaml:"exp_annotations"`
}

// TestAlerts: every alert fires when it has to, and not before, with the text that somebody on call reads.
func TestAlerts(t *testing.T) {
	var all ruleTests
	file, err := os.Open("testdata/rules_test.yaml")
	must(t, err)
	decoder := yaml.NewDecoder(file)
	decoder.KnownFields(true)
	must(t, decoder.Decode(&all))
	must(t, file.Close())

	alerts, err := readAlerts()
	must(t, err)
	fires, quiet := map[string]bool{}, map[string]bool{}
	for _, test := range all.Tests {
		t.Run(test.Name, func(t *testing.T) {
			from := test.load(t)
			for _, check := range test.AlertTests {
				i := slices.IndexFunc(alerts, func(a alert) bool { return a.Alert == check.AlertName })
				if i < 0 {
					t.Fatalf("there is no alert %s", check.AlertName)
				}
				want := check.complete(alerts[i])
				got := firing(t, alerts[i], from, time.Duration(all.EvaluationInterval), time.Duration(check.EvalTime))
				if diff := gocmp.Diff(want, got); diff != "" {
					t.Errorf("%s after %s (-want +got):\n%s", check.AlertName, check.EvalTime, diff)
				}
				fires[check.AlertName] = fires[check.AlertName] || len(want) > 0
				quiet[check.AlertName] = quiet[check.AlertName] || len(want) == 0
			}
		})
	}
	for _, alert := range alerts {
		if !fires[alert.Alert] || !quiet[alert.Alert] {
			t.Errorf("%s: is tested to fire: %t, not to fire: %t", alert.Alert, fires[alert.Alert], quiet[alert.Alert])
		}
	}
}

// load makes a database of the test's series, from the beginning of time.
func (test ruleTest) load(t *testing.T) storage.Storage {
	t.Helper()
	db := teststorage.New(t)
	appender := db.Appender(t.Context())
	for _, series := range test.InputSeries {
		name, values, err := parser.NewParser(parser.Options{}).ParseSeriesDesc(series.Series + " " + series.Values)
		must(t, err)
		for i, v := range values {
			if !v.Omitted {
				_, err := appender.Append(0, name, int64(i)*time.Duration(test.Interval).Milliseconds(), v.Value)
				must(t, err)
			}
		}
	}
	must(t, appender.Commit())
	return db
}

// complete adds the label to each expected alert that promtool adds too.
func (check alertTest) complete(rule alert) []expected {
	var alerts []expected
	for _, want := range check.Alerts {
		all := map[string]string{"alertname": rule.Alert}
		for name, value := range want.Labels {
			all[name] = value
		}
		alerts = append(alerts, expected{Labels: all, Annotations: want.Annotations})
	}
	return alerts
}

// firing evaluates a rule as Prometheus does, up to a time, and returns the alerts that fire then.
func firing(t *testing.T, a alert, from storage.Storage, every, until time.Duration) []expected {
	t.Helper()
	expr, err := parser.NewParser(parser.Options{}).ParseExpr(a.Expr)
	must(t, err)
	hold := model.Duration(0)
	if a.For != "" {
		hold, err = model.ParseDuration(a.For)
		must(t, err)
	}
	rule := rules.NewAlertingRule(a.Alert, expr, time.Duration(hold), 0, labels.FromMap(a.Labels), labels.FromMap(a.Annotations), labels.EmptyLabels(), "", true, nil)
	query := rules.EngineQueryFunc(newEngine(), from)
	for at := time.Duration(0); at <= until; at += every {
		_, err := rule.Eval(t.Context(), 0, time.UnixMilli(at.Milliseconds()), query, nil, 0)
		must(t, err)
	}
	var found []expected
	for _, active := range rule.ActiveAlerts() {
		if active.State == rules.StateFiring {
			found = append(found, expected{Labels: active.Labels.Map(), Annotations: active.Annotations.Map()})
		}
	}
	slices.SortFunc(found, func(a, b expected) int { return cmp.Compare(gocmp.Diff(nil, a), gocmp.Diff(nil, b)) })
	return found
}

const runbooks = "../../docs/runbooks.md"

var heading = regexp.MustCompile(`(?m)^## (.+)$`)

// TestRunbooks: each alert leads to a section of the runbooks that says what it means, what to look at and
// what to do, and each section is of an alert.
func TestRunbooks(t *testing.T) {
	page, err := os.ReadFile(runbooks)
	must(t, err)
	sections := map[string]string{}
	parts := heading.FindAllStringSubmatchIndex(string(page), -1)
	for i, part := range parts {
		end := len(page)
		if i+1 < len(parts) {
			end = parts[i+1][0]
		}
		sections[string(page[part[2]:part[3]])] = string(page[part[1]:end])
	}
	alerts, err := readAlerts()
	must(t, err)
	for _, alert := range alerts {
		url := "https://github.com/integrator-operator/integrator-operator/blob/main/docs/runbooks.md#" + strings.ToLower(alert.Alert)
		if got := alert.Annotations["runbook_url"]; got != url {
			t.Errorf("%s: runbook_url is %s, want %s", alert.Alert, got, url)
		}
		for _, annotation := range []string{"summary", "description"} {
			if alert.Annotations[annotation] == "" {
				t.Errorf("%s has no %s", alert.Alert, annotation)
			}
		}
		if severity := alert.Labels["severity"]; severity != "critical" && severity != "warning" {
			t.Errorf("%s: severity %q", alert.Alert, severity)
		}
		for _, part := range []string{"**What it means.**", "**What to look at.**", "```sh\n", "**What to do.**"} {
			if !strings.Contains(sections[alert.Alert], part) {
				t.Errorf("the section %s of %s has no %q", alert.Alert, runbooks, part)
			}
		}
		delete(sections, alert.Alert)
	}
	for name := range sections {
		t.Errorf("the section %q of %s is of no alert", name, runbooks)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// isNumber reports whether a result has a value to show.
func isNumber(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }
