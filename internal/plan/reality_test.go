// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package plan_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/fields"
	"github.com/integrator-operator/integrator-operator/internal/integrator"
	"github.com/integrator-operator/integrator-operator/internal/ownership"
	"github.com/integrator-operator/integrator-operator/internal/plan"
	"github.com/integrator-operator/integrator-operator/internal/scheme"
	"github.com/integrator-operator/integrator-operator/internal/simulator"
	"github.com/integrator-operator/integrator-operator/internal/simulator/corpus"
	"github.com/integrator-operator/integrator-operator/internal/simulator/document"
)

// reality is a simulated account, and a cluster in which the operator works.
type reality struct {
	*testing.T
	sim     *simulator.Server
	options plan.Options
	cluster client.Client
}

const otherConnection = "5f00000000000000000000c2"

func newReality(t *testing.T) *reality {
	t.Helper()
	sim := simulator.New(simulator.Options{RequestsPerSecond: 1e9, Burst: 1e9})
	base, stop, err := sim.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { sim.Close(); _ = stop() })
	if err := sim.AddAccount(simulator.AccountSpec{
		Name: "shop", Tokens: []simulator.Token{{Token: token}},
		Connections: []simulator.Connection{{ID: connection}, {ID: otherConnection}, {ID: corpus.Connection}},
	}); err != nil {
		t.Fatal(err)
	}
	host, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	meta := metav1.ObjectMeta{Namespace: "shop", Name: "default", UID: "1", Generation: 1}
	account := &v1alpha1.Account{ObjectMeta: meta, Spec: v1alpha1.AccountSpec{
		BaseURL: base, TokenSecretRef: v1alpha1.TokenSecretReference{Name: "token", Key: "token"}, RequestsPerSecond: 1e6, MaxInFlight: 100,
		Aliases: map[string]v1alpha1.ID{"shop": connection},
	}}
	return &reality{T: t, sim: sim,
		cluster: fake.NewClientBuilder().WithScheme(scheme.All()).WithObjects(account).Build(),
		options: plan.Options{
			Namespace: "shop", AllowedHosts: []string{host.Host}, Network: integrator.Config{AllowHTTP: true}, Timeout: 30 * time.Minute,
			Account: plan.Account{BaseURL: base, Token: token, Aliases: map[string]v1alpha1.ID{"shop": connection}},
		}}
}

// calls are the calls that write since the ledger had this many entries, by the import that they were for.
// Those that made none have its path.
func (r *reality) calls(after int64) map[string][]string {
	found := map[string][]string{}
	for _, entry := range r.sim.Ledger(simulator.Filter{Account: "shop", AfterSeq: after}) {
		if entry.Method == "GET" {
			continue
		}
		id := entry.AppliedID
		if rest, ok := strings.CutPrefix(entry.Path, "/v1/imports/"); ok && entry.Route != "/v1/imports/{id}/clone" {
			id, _, _ = strings.Cut(rest, "/")
		}
		if id == "" {
			id = fmt.Sprintf("%s: %d", entry.Path, entry.Status)
		}
		found[id] = append(found[id], entry.Method+" "+entry.Route)
	}
	return found
}

func (r *reality) lastCall() (seq int64) {
	for _, entry := range r.sim.Ledger(simulator.Filter{}) {
		seq = entry.Seq
	}
	return seq
}

// stage plans, applies, and compares what was called for each import with the plan.
func (r *reality) stage(name string, manifests []plan.Manifest, prune bool) (counted map[plan.Action]int) {
	r.Helper()
	options := r.options
	options.Cluster, options.Prune = r.cluster, prune
	before := r.lastCall()
	made, err := plan.Make(r.Context(), manifests, options)
	if err != nil {
		r.Fatal(err)
	}
	if diff := cmp.Diff(map[string][]string{}, r.calls(before)); diff != "" {
		r.Fatalf("%s: the plan itself wrote (-want +got):\n%s", name, diff)
	}
	before = r.lastCall()
	cluster, err := plan.ApplyAll(r.Context(), manifests, options)
	if err != nil {
		r.Fatal(err)
	}
	want, counted := map[string][]string{}, map[plan.Action]int{}
	for _, item := range made.Items {
		counted[item.Action]++
		if item.Action == plan.Fail || item.Action == plan.Wait {
			r.Logf("%s: %s %s: %s: %s", name, item.Name, item.Action, item.Reason, item.Message)
		}
		if len(item.Calls) == 0 {
			continue
		}
		id := item.ID
		if id == "" {
			object := &v1alpha1.Import{}
			if err := cluster.Get(r.Context(), client.ObjectKey{Namespace: item.Namespace, Name: item.Name}, object); err != nil {
				r.Fatal(err)
			}
			id = ownership.RemoteID(object)
		}
		want[id] = item.Calls
	}
	got := r.calls(before)
	if diff := cmp.Diff(want, got); diff != "" {
		r.Errorf("%s: what was planned and what was done differ (-want +got):\n%s", name, diff)
	}
	r.cluster = cluster
	return counted
}

// sample is a document of the corpus on its way.
type sample struct {
	name     string
	document document.Document
	spec     map[string]any
}

// samples are the documents of the corpus that the API takes.
func (r *reality) samples(all []corpus.Named) (found []*sample) {
	if err := r.sim.AddAccount(simulator.AccountSpec{Name: "scratch", Connections: []simulator.Connection{{ID: corpus.Connection}}}); err != nil {
		r.Fatal(err)
	}
	for i, named := range all {
		doc := document.Copy(named.Document)
		fields.LeaveOut(doc)
		delete(doc, "_id")
		delete(doc, "_connectorId")
		if _, err := r.sim.SeedImport("scratch", doc); err != nil {
			continue
		}
		found = append(found, &sample{name: fmt.Sprintf("import-%04d", i), document: doc, spec: map[string]any{"maskedFields": "Send"}})
	}
	return found
}

// manifest is the Import with what kubectl apply adds: the spec that it applied last.
func (s *sample) manifest(r *reality) plan.Manifest {
	spec := maps.Clone(s.spec)
	spec["definition"] = s.document
	annotations := map[string]any{"integrator.io/allow-namesake": "true"}
	content := map[string]any{
		"apiVersion": v1alpha1.GroupVersion.String(), "kind": "Import",
		"metadata": map[string]any{"name": s.name, "annotations": annotations}, "spec": spec,
	}
	var text []byte
	for range 2 {
		var err error
		if text, err = json.Marshal(content); err != nil {
			r.Fatal(err)
		}
		annotations[corev1.LastAppliedConfigAnnotation] = string(text)
	}
	object := &unstructured.Unstructured{}
	if err := object.UnmarshalJSON(text); err != nil {
		r.Fatal(err)
	}
	return plan.Manifest{Object: object, Source: s.name}
}

func (r *reality) manifests(samples []*sample) (found []plan.Manifest) {
	for _, s := range samples {
		found = append(found, s.manifest(r))
	}
	return found
}

// ids are the remote imports of the Imports.
func (r *reality) ids() map[string]string {
	var all v1alpha1.ImportList
	if err := r.cluster.List(r.Context(), &all); err != nil {
		r.Fatal(err)
	}
	found := map[string]string{}
	for i := range all.Items {
		found[all.Items[i].Name] = ownership.RemoteID(&all.Items[i])
	}
	return found
}

// documents are one of every kind of import, with all fields of the kind. With PLAN_CORPUS=all they are all of
// the corpus, which takes minutes.
func documents() []corpus.Named {
	if os.Getenv("PLAN_CORPUS") == "all" {
		return corpus.All()
	}
	seen := map[any]int{}
	return slices.DeleteFunc(corpus.Short(), func(named corpus.Named) bool {
		kind := named.Document["adaptorType"]
		seen[kind]++
		return seen[kind] > 1
	})
}

// TestThePlanIsWhatIsDone: whatever an Import declares, applying it makes the calls of its plan, and no others.
func TestThePlanIsWhatIsDone(t *testing.T) {
	r := newReality(t)
	samples := r.samples(documents())
	count := len(samples)
	t.Logf("%d documents", count)

	expect := func(name string, prune bool, samples []*sample, want map[plan.Action]int) {
		t.Helper()
		began := time.Now()
		got := r.stage(name, r.manifests(samples), prune)
		t.Logf("%s: %v in %s", name, got, time.Since(began).Round(time.Millisecond))
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); want != nil && diff != "" {
			t.Errorf("%s: the actions (-want +got):\n%s", name, diff)
		}
	}
	expect("create", false, samples, map[plan.Action]int{plan.Create: count})
	expect("again", false, samples, map[plan.Action]int{plan.None: count})

	for _, id := range r.ids() {
		if err := r.sim.EditAs(simulator.User{Name: "Jane"}, "shop", id, func(d simulator.Document) { d["name"] = "changed on the platform" }); err != nil {
			t.Fatal(err)
		}
	}
	expect("drift", false, samples, map[plan.Action]int{plan.Update: count})

	for i, s := range samples {
		edits[i%len(edits)](s)
	}
	expect("edit", false, samples, nil)
	expect("edited", false, samples, map[plan.Action]int{plan.None: count})

	ids := r.ids()
	kept, dropped := samples[:count/2], samples[count/2:]
	var used []string
	want := map[plan.Action]int{plan.None: len(kept)}
	for i, s := range dropped {
		inUse := i%2 == 0
		if inUse {
			used = append(used, ids[s.name])
		}
		switch {
		case s.spec["managementPolicy"] == "Observe":
			want[plan.Release]++
		case s.spec["suspend"] != nil:
			want[plan.Wait]++
		case inUse:
			want[plan.Fail]++
		default:
			want[plan.Delete]++
		}
	}
	if err := r.sim.AddFlow("shop", simulator.Flow{ID: "64b0000000000000000000f1", Name: "Hourly", Imports: used}); err != nil {
		t.Fatal(err)
	}
	expect("delete", true, kept, want)
}

// edits change what is declared, each in another way.
var edits = []func(*sample){
	func(s *sample) { s.document["description"] = "edited" },
	func(s *sample) {
		// An import of a kind without connections is given none: the API refuses the call that replaces it, which
		// no plan can know, and a PUT follows.
		if s.document["_connectionId"] != nil {
			s.document["_connectionId"] = otherConnection
		}
	},
	func(s *sample) { s.document["assistantMetadata"] = map[string]any{"edited": "1"} },
	func(s *sample) { s.document["name"], s.spec["driftPolicy"] = "edited", "Report" },
	func(s *sample) { s.spec["managementPolicy"] = "Observe" },
	func(s *sample) { s.spec["debugUntil"] = time.Now().Add(50 * time.Minute).UTC().Format(time.RFC3339) },
	func(s *sample) { s.spec["suspend"], s.document["description"] = true, "edited" },
	func(s *sample) {
		s.document["settings"], s.document["_connectionId"] = map[string]any{"a": "b"}, otherConnection
	},
}
