// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/simulator"
)

// A soak lets users and other people do as they like for a while, with a fault now and then.
// At its end everything has to be as it is declared, and the process as it was.

const (
	soakImports = 30
	// soakFaults is the share of writes, on either side, that something happens to.
	soakFaults = 0.02
	// soakPause is the mean time between two things that somebody does.
	soakPause = 300 * time.Millisecond
	soakRuns  = 20
	// sampling is how often the process is looked at.
	sampling = 10 * time.Second
)

// soakNames are the faults of a soak: those that a process lives through.
var soakNames = []string{"lost", "reset", "500", "504-applied", "429", "409", "truncated", "garbage"}

// sample is what the process takes at one time.
type sample struct{ heap, goroutines float64 }

// soaking is a stage with what a soak knows of it.
type soaking struct {
	*stage
	rng     *rand.Rand
	metrics string
	runs    int
	done    map[string]int
	samples []sample
}

// soak runs one for a time, and returns what is violated.
func (c *campaign) soak(ctx context.Context, span time.Duration) error {
	p := plan{scenario: "soak", sky: &weather{name: "soak", faults: soakFaults}, metrics: freeAddress()}
	s, err := newStage(ctx, c.cluster, p, &scenario{name: "soak"}, c.seed)
	if err != nil {
		return err
	}
	defer s.close()
	k := &soaking{stage: s, metrics: p.metrics, done: map[string]int{},
		rng: rand.New(rand.NewPCG(c.seed, 1))} //nolint:gosec // repeatable, not secret
	if err := s.prepare(ctx); err != nil {
		return err
	}
	if err := s.play(ctx, []step{account}); err != nil {
		return err
	}
	fmt.Fprintf(c.report.out, "soak for %s, seed %d\n", span, c.seed)
	s.arm()
	if err := k.live(ctx, span); err != nil {
		return err
	}
	s.disarm()
	return k.end(ctx, c)
}

// live has things happen until the time is over.
func (k *soaking) live(ctx context.Context, span time.Duration) error {
	over := time.Now().Add(span)
	nextSample := time.Now()
	for time.Now().Before(over) && ctx.Err() == nil {
		if time.Now().After(nextSample) {
			if err := k.look(ctx); err != nil {
				return err
			}
			nextSample = nextSample.Add(sampling)
		}
		act := deeds[k.rng.IntN(len(deeds))]
		if err := act.do(ctx, k, fmt.Sprintf("import-%d", k.rng.IntN(soakImports))); err != nil {
			return fmt.Errorf("%s: %w", act.name, err)
		}
		k.done[act.name]++
		pause(ctx, time.Duration(k.rng.Int64N(2*int64(soakPause))))
	}
	return context.Cause(ctx)
}

// deed is something that somebody does; those that are often done stand here more than once.
type deed struct {
	name string
	do   func(context.Context, *soaking, string) error
}

var deeds = []deed{
	{"declare", declareAny}, {"declare", declareAny}, {"change", changeAny}, {"change", changeAny}, {"edit in the UI", editAny}, {"edit in the UI", editAny},
	{"delete in the UI", deleteAny}, {"delete", removeAny}, {"label", labelAny}, {"run", runAny}, {"run", runAny},
}

func (k *soaking) read(ctx context.Context, name string) (*v1alpha1.Import, bool, error) {
	object := &v1alpha1.Import{}
	err := k.objects.Get(ctx, client.ObjectKey{Namespace: k.namespace, Name: name}, object)
	return object, err == nil && object.DeletionTimestamp.IsZero(), client.IgnoreNotFound(err)
}

func declareAny(ctx context.Context, k *soaking, name string) error {
	object := &v1alpha1.Import{ObjectMeta: k.meta(name)}
	if err := json.Unmarshal([]byte(`{"definition":`+strings.Replace(definition, `"orders"`, `"`+name+`"`, 1)+`}`), &object.Spec); err != nil {
		return err
	}
	err := k.objects.Create(ctx, object)
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	return err
}

func changeAny(ctx context.Context, k *soaking, name string) error {
	patch := fmt.Appendf(nil, `{"spec":{"definition":{"description":"change %d"}}}`, k.rng.IntN(1000))
	return client.IgnoreNotFound(k.objects.Patch(ctx, &v1alpha1.Import{ObjectMeta: k.meta(name)}, client.RawPatch(mergePatch, patch)))
}

func labelAny(ctx context.Context, k *soaking, name string) error {
	patch := fmt.Appendf(nil, `{"metadata":{"labels":{"touched":"%d"}}}`, k.rng.IntN(1000))
	return client.IgnoreNotFound(k.objects.Patch(ctx, &v1alpha1.Import{ObjectMeta: k.meta(name)}, client.RawPatch(mergePatch, patch)))
}

func removeAny(ctx context.Context, k *soaking, name string) error {
	return client.IgnoreNotFound(k.objects.Delete(ctx, &v1alpha1.Import{ObjectMeta: k.meta(name)}))
}

func editAny(ctx context.Context, k *soaking, name string) error {
	object, there, err := k.read(ctx, name)
	if !there || object.Status.ID == "" {
		return err
	}
	_ = k.sim.EditAs(jane, accountName, object.Status.ID, func(d simulator.Document) { // it may be gone
		d["http"].(map[string]any)["relativeURI"] = []any{fmt.Sprintf("/wrong/%d", k.rng.IntN(1000))}
	})
	return nil
}

func deleteAny(ctx context.Context, k *soaking, name string) error {
	object, there, err := k.read(ctx, name)
	if there && object.Status.ID != "" {
		_ = k.sim.DeleteAs(jane, accountName, object.Status.ID) // it may be gone
	}
	return err
}

// runAny sends records that can be told apart, and deletes the oldest runs.
func runAny(ctx context.Context, k *soaking, name string) error {
	k.runs++
	object := &v1alpha1.ImportRun{ObjectMeta: k.meta(fmt.Sprintf("run-%d", k.runs))}
	object.Spec.ImportRef, object.Spec.ActiveDeadlineSeconds = &v1alpha1.LocalReference{Name: name}, ptr.To[int32](15)
	for i := range 3 {
		object.Spec.Data = append(object.Spec.Data, v1alpha1.JSON{Raw: fmt.Appendf(nil, `{"number":"%d-%d"}`, k.runs, i)})
	}
	if err := k.objects.Create(ctx, object); err != nil {
		return err
	}
	old := &v1alpha1.ImportRun{ObjectMeta: k.meta(fmt.Sprintf("run-%d", k.runs-soakRuns))}
	return client.IgnoreNotFound(k.objects.Delete(ctx, old))
}

// look takes a sample of the process by its metrics.
func (k *soaking) look(ctx context.Context) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+k.metrics+"/metrics", nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }() // it was read
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(response.Body)
	if err != nil {
		return err
	}
	gauge := func(name string) float64 {
		if family := families[name]; family != nil && len(family.Metric) > 0 {
			return family.Metric[0].GetGauge().GetValue()
		}
		return 0
	}
	k.samples = append(k.samples, sample{gauge("go_memstats_heap_alloc_bytes"), gauge("go_goroutines")})
	return nil
}

// end waits for rest, and judges.
func (k *soaking) end(ctx context.Context, c *campaign) error {
	var broken []string
	if err := k.play(ctx, []step{{until: func(ctx context.Context, _ *stage) error { return k.settled(ctx) }}}); err != nil {
		broken = append(broken, "I8: "+err.Error())
	}
	if err := k.rest(ctx, restScans); err != nil {
		broken = append(broken, err.Error())
	}
	broken = append(broken, k.judged(ctx)...)
	broken = append(broken, k.level()...)
	writes, scans := k.trace.standing()
	fmt.Fprintf(c.report.out, "done: %v\nwrites %d, faults %d, scans %d, process starts %d\n", k.done, writes, k.weather.hits.Load(), scans, 1+k.managers[0].life)
	quarters := k.quarters()
	fmt.Fprintf(c.report.out, "least heap by quarter: %s; most goroutines: %s\n", each(quarters, func(q sample) string { return fmt.Sprintf("%.1f MiB", q.heap/(1<<20)) }), each(quarters, func(q sample) string { return fmt.Sprintf("%.0f", q.goroutines) }))
	if len(broken) > 0 {
		return fmt.Errorf("violated:\n  %s", strings.Join(broken, "\n  "))
	}
	fmt.Fprintln(c.report.out, "all converged, nothing was written at rest")
	return nil
}

// settled complains of what is not at its end.
func (k *soaking) settled(ctx context.Context) error {
	imports, runs := &v1alpha1.ImportList{}, &v1alpha1.ImportRunList{}
	if err := errors.Join(k.objects.List(ctx, imports, client.InNamespace(k.namespace)), k.objects.List(ctx, runs, client.InNamespace(k.namespace))); err != nil {
		return err
	}
	for i := range imports.Items {
		if !imports.Items[i].DeletionTimestamp.IsZero() {
			return fmt.Errorf("the Import %s is being deleted: %s", imports.Items[i].Name, described(imports.Items[i].Status.Conditions))
		}
		if err := k.ready(ctx, &imports.Items[i]); err != nil {
			return err
		}
	}
	for i := range runs.Items {
		run := &runs.Items[i]
		_, there, err := k.read(ctx, run.Spec.ImportRef.Name)
		if err != nil {
			return err
		}
		if there && !isEnd(run.Status.Phase) {
			return fmt.Errorf("the ImportRun %s is %q: %s", run.Name, run.Status.Phase, described(run.Status.Conditions))
		}
	}
	return nil
}

// judged checks that every import of the account has its Import, and no record went twice.
func (k *soaking) judged(ctx context.Context) (broken []string) {
	imports := &v1alpha1.ImportList{}
	if err := k.objects.List(ctx, imports, client.InNamespace(k.namespace)); err != nil {
		return []string{err.Error()}
	}
	known := map[string]bool{bystanderID: true}
	for _, object := range imports.Items {
		if known[object.Status.ID] {
			broken = append(broken, "I1: two Imports have the import "+object.Status.ID)
		}
		known[object.Status.ID] = true
	}
	seen := map[string]bool{}
	for _, document := range append(k.sim.Imports(accountName), k.sim.RecycleBin(accountName)...) {
		id, _ := document["_id"].(string)
		if _, there := k.sim.Import(accountName, id); there && !known[id] {
			broken = append(broken, "I2: nobody knows the import "+id)
		}
		records, _ := k.sim.Written(accountName, id)
		for _, record := range records {
			if seen[string(record)] {
				broken = append(broken, "I3: the record "+string(record)+" was sent twice")
			}
			seen[string(record)] = true
		}
	}
	if panicked(k.log()) {
		broken = append(broken, "the manager panicked")
	}
	return append(broken, k.history.regressions()...)
}

// quarters are the least heap, which is what is left after a collection, and the most
// goroutines of each quarter of the time.
func (k *soaking) quarters() (out []sample) {
	n := max(1, (len(k.samples)+3)/4)
	for part := range slices.Chunk(k.samples, n) {
		q := part[0]
		for _, s := range part[1:] {
			q.heap, q.goroutines = min(q.heap, s.heap), max(q.goroutines, s.goroutines)
		}
		out = append(out, q)
	}
	return out
}

// level complains when the process grows: from the second quarter on it has all there is.
func (k *soaking) level() (broken []string) {
	q := k.quarters()
	if len(q) < 4 {
		return []string{"the soak was too short to tell whether the process grows"}
	}
	if first, last := q[1].heap, q[3].heap; last > 1.25*first+2<<20 {
		broken = append(broken, fmt.Sprintf("the heap grew from %.1f to %.1f MiB", first/(1<<20), last/(1<<20)))
	}
	if first, last := q[1].goroutines, q[3].goroutines; last > first+20 {
		broken = append(broken, fmt.Sprintf("goroutines grew from %.0f to %.0f", first, last))
	}
	return broken
}

func each(quarters []sample, show func(sample) string) string {
	var parts []string
	for _, q := range quarters {
		parts = append(parts, show(q))
	}
	return strings.Join(parts, ", ")
}

// freeAddress is an address that nobody listens at just now.
func freeAddress() string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return ""
	}
	defer func() { _ = listener.Close() }() // the manager takes it
	return listener.Addr().String()
}
