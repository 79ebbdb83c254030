// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package metrics

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/integrator"
)

var account = types.NamespacedName{Namespace: "ns", Name: "forgotten"}

// TestMetrics: every metric is served as it is defined once something was observed, and the series of
// an Account are dropped with it, except the imports that it left behind.
func TestMetrics(t *testing.T) {
	observeEverything()
	serve(t, objects()...)
	inContainer(t, "536870912\n")

	got := served(t)
	want := map[string]string{}
	for _, d := range Definitions() {
		want[d.Name] = d.Type + " " + strings.Join(slices.Sorted(slices.Values(d.Labels)), " ")
	}
	if diff := cmp.Diff(want, shapes(got)); diff != "" {
		t.Errorf("the metrics as they are defined, and as they are served (-defined +served):\n%s", diff)
	}
	ForgetAccount(account)
	for name, series := range served(t) {
		for labels := range series {
			if strings.Contains(labels, "forgotten") && name != "integrator_import_orphaned_total" {
				t.Errorf("after the Account was deleted, there is %s{%s}", name, labels)
			}
		}
	}
}

// TestValues: what is counted, and how.
func TestValues(t *testing.T) {
	observeEverything()
	ObserveRequest(account)(integrator.Observation{Method: "GET", Route: "/v1/imports", StatusCode: 429, Pause: time.Minute})
	serve(t, objects()...)
	t.Cleanup(func() { ForgetAccount(account) })
	all := served(t)
	for name, want := range map[string]map[string]float64{
		"integrator_leader":                      {"": 1},
		"integrator_import_drift_total":          {"name=forgotten namespace=ns": 1},
		"integrator_import_drift_reported_total": {"name=forgotten namespace=ns": 1},
		"integrator_importrun_calls":             {"name=forgotten namespace=ns": 1},
		"integrator_api_permits": {
			"name=forgotten namespace=ns state=limit": 16, "name=forgotten namespace=ns state=used": 3, "name=forgotten namespace=ns state=waiting": 2,
		},
		"integrator_api_circuit_open": {"name=forgotten namespace=ns": 1},
		"integrator_account_status": {
			"name=default namespace=shop reason=TokenAccepted state=Ready":    1,
			"name=new namespace=shop reason=Progressing state=Reconciling":    1,
			"name=other namespace=shop reason=TokenRejected state=Stalled":    1,
			"name=paused namespace=shop reason=TokenAccepted state=Suspended": 1,
			"name=waits namespace=shop reason=Unreachable state=Reconciling":  1,
		},
		"integrator_account_scan_interval_seconds": {"name=default namespace=shop": 90},
		"integrator_imports": {
			"name=default namespace=shop reason=DeletionBlocked state=Stalled": 1,
			"name=default namespace=shop reason=Synced state=Ready":            2,
		},
		"integrator_imports_drifted": {"name=default namespace=shop": 1},
		"integrator_importruns":      {"namespace=shop phase=Pending": 1, "namespace=shop phase=Unknown": 2},
		"integrator_cache_objects":   {"kind=Account": 5, "kind=Import": 3, "kind=ImportRun": 3},
	} {
		if diff := cmp.Diff(want, all[name]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	// These are counted by all tests of the package.
	if got := all["integrator_importrun_records_total"]["namespace=ns outcome=unknown"]; got < 4 || int(got)%4 != 0 {
		t.Errorf("%v records of an unknown outcome, of 10 that were sent, 3 that succeeded, 2 that failed and 1 that was ignored", got)
	}
	if got := all["integrator_api_throttled_seconds_total"]["name=forgotten namespace=ns"]; got < 60 {
		t.Errorf("throttled for %v seconds, want 60 at least", got)
	}
}

// TestWithoutLease: a process that waits for the lease leaves the objects to the one that has it.
func TestWithoutLease(t *testing.T) {
	waiting := make(chan struct{})
	ServeObjects(reader(t, objects()...), listed(t, objects()...), waiting, everything)
	all := served(t)
	if all["integrator_leader"][""] != 0 || len(all["integrator_leader"]) != 1 {
		t.Errorf("integrator_leader is %v, want 0", all["integrator_leader"])
	}
	if len(all["integrator_imports"]) > 0 {
		t.Errorf("Imports are counted: %v", all["integrator_imports"])
	}
}

// TestCountersBegin: before the first drift, and before the first run ends, the counters are 0.
func TestCountersBegin(t *testing.T) {
	fresh := types.NamespacedName{Namespace: "fresh", Name: "default"}
	ObserveRequest(fresh)
	RunStarted(fresh.Namespace)
	t.Cleanup(func() { ForgetAccount(fresh) })
	all := served(t)
	for name, labels := range map[string]string{
		"integrator_import_drift_total":           "name=default namespace=fresh",
		"integrator_import_drift_corrected_total": "name=default namespace=fresh",
		"integrator_import_drift_reported_total":  "name=default namespace=fresh",
		"integrator_api_throttled_seconds_total":  "name=default namespace=fresh",
		"integrator_importrun_completed_total":    "namespace=fresh phase=Unknown",
		"integrator_importrun_records_total":      "namespace=fresh outcome=unsent",
	} {
		if value, ok := all[name][labels]; !ok || value != 0 {
			t.Errorf("%s{%s} is %v (served: %t), want 0", name, labels, value, ok)
		}
	}
}

func TestPauses(t *testing.T) {
	start := time.Now()
	for name, tc := range map[string]struct {
		reason string
		pauses [][2]time.Duration // when it begins, how long it is
		want   time.Duration
	}{
		"One":     {"a pause counts in full", [][2]time.Duration{{0, 30}}, 30},
		"Apart":   {"so do two", [][2]time.Duration{{0, 30}, {60, 10}}, 40},
		"Overlap": {"what overlaps counts once", [][2]time.Duration{{0, 30}, {20, 30}}, 50},
		"Within":  {"a shorter one ends no other", [][2]time.Duration{{0, 30}, {10, 5}}, 30},
		"Same":    {"sixteen requests may meet the same pause", [][2]time.Duration{{0, 30}, {0, 30}, {0, 30}}, 30},
	} {
		t.Run(name, func(t *testing.T) {
			var p pauses
			var got time.Duration
			for _, pause := range tc.pauses {
				got += p.add(start.Add(pause[0]), pause[1])
			}
			if got != tc.want {
				t.Errorf("%s: %d, want %d", tc.reason, got, tc.want)
			}
		})
	}
}

func TestMemoryLimit(t *testing.T) {
	for name, tc := range map[string]struct {
		reason, text string
		want         float64
		ok           bool
	}{
		"Limit":    {"a limit in bytes", "536870912\n", 536870912, true},
		"Max":      {"the unified hierarchy says max without a limit", "max\n", 0, false},
		"Largest":  {"the older one says the largest number", "9223372036854771712\n", 0, false},
		"NotThere": {"nothing limits a process outside of a container", "", 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "memory.max")
			if tc.text != "" {
				if err := os.WriteFile(file, []byte(tc.text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			got, ok := readLimit([]string{file + ".missing", file})
			if ok != tc.ok || ok && got != tc.want {
				t.Errorf("%s: %v, %t; want %v, %t", tc.reason, got, ok, tc.want, tc.ok)
			}
		})
	}
}

func observeEverything() {
	ObserveRequest(account)(integrator.Observation{Method: "PUT", Route: "/v1/imports/{id}", StatusCode: 502, Duration: time.Second, Unknown: true})
	ObserveScan(account, true, time.Second, time.Now())
	ObserveScan(account, false, time.Second, time.Now())
	ObserveList(account, 3, 2)
	DriftDetected(account)
	DriftCorrected(account)
	DriftReported(account)
	ImportConflict(account, "elsewhere")
	ImportOrphaned(account)
	CallStarted(account)
	CallStarted(account)()
	RunCompleted("ns", v1alpha1.RunUnknown, v1alpha1.RecordCounts{Total: 12, Sent: 10, Succeeded: 3, Failed: 2, Ignored: 1})
	ServePermits(account, func() Permits { return Permits{Used: 3, Waiting: 2, Limit: 16, CircuitOpen: true} })
}

// objects are those of the cache.
func objects() []client.Object {
	meta := func(name string) metav1.ObjectMeta { return metav1.ObjectMeta{Namespace: "shop", Name: name} }
	ready := func(reason string) metav1.Condition {
		return metav1.Condition{Type: v1alpha1.ConditionReady, Status: metav1.ConditionTrue, Reason: reason}
	}
	not := func(reason string) metav1.Condition {
		return metav1.Condition{Type: v1alpha1.ConditionReady, Status: metav1.ConditionFalse, Reason: reason}
	}
	is := func(kind string) metav1.Condition { return metav1.Condition{Type: kind, Status: metav1.ConditionTrue} }
	accounts := func(name, interval string, conditions ...metav1.Condition) client.Object {
		return &v1alpha1.Account{ObjectMeta: meta(name), Spec: v1alpha1.AccountSpec{ScanInterval: interval}, Status: v1alpha1.AccountStatus{Conditions: conditions}}
	}
	imports := func(name string, conditions ...metav1.Condition) client.Object {
		return &v1alpha1.Import{ObjectMeta: meta(name), Spec: v1alpha1.ImportSpec{AccountRef: v1alpha1.LocalReference{Name: "default"}}, Status: v1alpha1.ImportStatus{Conditions: conditions}}
	}
	runs := func(name string, phase v1alpha1.RunPhase) client.Object {
		return &v1alpha1.ImportRun{ObjectMeta: meta(name), Status: v1alpha1.ImportRunStatus{Phase: phase}}
	}
	return []client.Object{
		accounts("default", "90s", ready("TokenAccepted")), accounts("new", ""),
		accounts("other", "", not("TokenRejected"), is(v1alpha1.ConditionStalled)),
		accounts("paused", "", ready("TokenAccepted"), is(v1alpha1.ConditionSuspended)),
		accounts("waits", "", not("Unreachable"), is(v1alpha1.ConditionReconciling)),
		imports("one", ready("Synced")), imports("two", ready("Synced"), is(v1alpha1.ConditionDrifted)),
		imports("three", not("DeletionBlocked"), is(v1alpha1.ConditionStalled)),
		runs("a", v1alpha1.RunUnknown), runs("b", v1alpha1.RunUnknown), runs("c", ""),
	}
}

func reader(t *testing.T, objects ...client.Object) client.Reader {
	t.Helper()
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	return fake.NewClientBuilder().WithScheme(scheme).WithObjects(objects...).Build()
}

// listed lists the Imports among these objects.
func listed(t *testing.T, objects ...client.Object) ListImports {
	t.Helper()
	return func(context.Context, string, ...client.ListOption) (all []*v1alpha1.Import, err error) {
		for _, object := range objects {
			if object, ok := object.(*v1alpha1.Import); ok {
				all = append(all, object)
			}
		}
		return all, nil
	}
}

// serve has these objects counted.
func serve(t *testing.T, objects ...client.Object) {
	t.Helper()
	elected := make(chan struct{})
	close(elected)
	ServeObjects(reader(t, objects...), listed(t, objects...), elected, everything)
}

// inContainer has the memory limit read from a file with this text.
func inContainer(t *testing.T, text string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "memory.max")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	before := scrape.limitFiles
	scrape.limitFiles = []string{file}
	t.Cleanup(func() { scrape.limitFiles = before })
}

// metric has the values of a metric's series, by their labels; of a histogram, how often it was observed.
type metric = map[string]float64

// kinds are the types of the metrics that were served last.
var kinds = map[string]string{}

// served gives the operator's metrics as the manager serves them.
func served(t *testing.T) map[string]metric {
	t.Helper()
	families, err := metrics.Registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]metric{}
	for _, family := range families {
		if !strings.HasPrefix(family.GetName(), "integrator_") {
			continue
		}
		kinds[family.GetName()] = strings.ToLower(family.GetType().String())
		series := metric{}
		for _, m := range family.GetMetric() {
			var labels []string
			for _, label := range m.GetLabel() {
				labels = append(labels, label.GetName()+"="+label.GetValue())
			}
			series[strings.Join(labels, " ")] = m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount())
		}
		all[family.GetName()] = series
	}
	return all
}

// shapes gives the type and the labels of each metric.
func shapes(all map[string]metric) map[string]string {
	found := map[string]string{}
	for name, series := range all {
		for labels := range series {
			var names []string
			for _, pair := range strings.Fields(labels) {
				label, _, _ := strings.Cut(pair, "=")
				names = append(names, label)
			}
			found[name] = kinds[name] + " " + strings.Join(names, " ")
		}
	}
	return found
}

func everything(client.Object) bool { return true }

// TestObjectsOfAnotherOperator: each of several operators counts its own, so that a sum has each once.
func TestObjectsOfAnotherOperator(t *testing.T) {
	elected := make(chan struct{})
	close(elected)
	ServeObjects(reader(t, objects()...), listed(t, objects()...), elected, func(object client.Object) bool { return slices.Contains([]string{"a", "two"}, object.GetName()) })
	for name, want := range map[string]int{"integrator_account_status": 0, "integrator_imports": 1, "integrator_importruns": 1} {
		total := 0.0
		for _, value := range served(t)[name] {
			total += value
		}
		if int(total) != want {
			t.Errorf("%s has %v objects, want %d", name, total, want)
		}
	}
}
