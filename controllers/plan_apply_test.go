// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/controller-runtime/pkg/client"
	sigsyaml "sigs.k8s.io/yaml"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/drift"
	"github.com/integrator-operator/integrator-operator/internal/fields"
	"github.com/integrator-operator/integrator-operator/internal/plan"
	"github.com/integrator-operator/integrator-operator/internal/simulator"
	"github.com/integrator-operator/integrator-operator/internal/simulator/corpus"
	"github.com/integrator-operator/integrator-operator/internal/simulator/document"
)

// demoWorld is a namespace with nothing in it, and the first account of the demo.
func demoWorld(ctx context.Context, connections ...simulator.Connection) *world {
	GinkgoHelper()
	w := newEmptyWorld(ctx)
	w.viewer(ctx)
	content, err := os.ReadFile(filepath.Join("..", "hack", "simulator", "demo.json"))
	Expect(err).NotTo(HaveOccurred())
	var demo struct{ Accounts []simulator.AccountSpec }
	Expect(json.Unmarshal(content, &demo)).To(Succeed())
	account := demo.Accounts[0]
	account.Name, account.Tokens = w.account+"-demo", []simulator.Token{{Token: w.token + "-demo"}}
	account.Connections = append(account.Connections, connections...)
	Expect(sim.AddAccount(account)).To(Succeed())
	w.account, w.token = account.Name, account.Tokens[0].Token
	return w
}

// documentsOf are the objects of a stream of YAML.
func documentsOf(content []byte) (found []*unstructured.Unstructured) {
	GinkgoHelper()
	decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(content), 4096)
	for {
		object := &unstructured.Unstructured{}
		err := decoder.Decode(&object.Object)
		if errors.Is(err, io.EOF) {
			return found
		}
		Expect(err).NotTo(HaveOccurred())
		if len(object.Object) > 0 {
			found = append(found, object)
		}
	}
}

// file reads the objects of a file of the repository. The Account leads to the simulator, and is scanned once:
// what Jane changes is seen when somebody asks for it.
func (w *world) file(elements ...string) (found []*unstructured.Unstructured) {
	GinkgoHelper()
	content, err := os.ReadFile(filepath.Join(append([]string{".."}, elements...)...))
	Expect(err).NotTo(HaveOccurred())
	found = documentsOf(content)
	for _, object := range found {
		switch object.GetKind() {
		case "Account":
			Expect(unstructured.SetNestedField(object.Object, simURL, "spec", "baseURL")).To(Succeed())
			Expect(unstructured.SetNestedField(object.Object, "1h", "spec", "scanInterval")).To(Succeed())
		case "Secret":
			Expect(unstructured.SetNestedField(object.Object, w.token, "stringData", "token")).To(Succeed())
		}
	}
	return found
}

// block is a block of a page of the documentation that has manifests.
var block = regexp.MustCompile("(?s)```(?:yaml|sh)\n(.*?)```")

// ofPages are the Imports of the pages of the documentation, with the ConfigMaps and Secrets of their values. They
// are renamed, because several pages declare an Import of the same name.
func ofPages() (found []*unstructured.Unstructured) {
	GinkgoHelper()
	pages, err := filepath.Glob(filepath.Join("..", "docs", "*.md"))
	Expect(err).NotTo(HaveOccurred())
	for _, page := range append(pages, filepath.Join("..", "README.md")) {
		content, err := os.ReadFile(page)
		Expect(err).NotTo(HaveOccurred())
		for i, match := range block.FindAllSubmatch(content, -1) {
			text := match[1]
			if _, inner, ok := bytes.Cut(text, []byte("<<'YAML'\n")); ok {
				text, _, _ = bytes.Cut(inner, []byte("\nYAML\n"))
			}
			if !regexp.MustCompile(`(?m)^kind: Import$`).Match(text) {
				continue
			}
			for _, object := range documentsOf(bytes.ReplaceAll(text, []byte("${region}"), []byte("eu"))) {
				switch object.GetKind() {
				case "Import":
					object.SetName(fmt.Sprintf("%s-%d-%s", strings.ToLower(strings.TrimSuffix(filepath.Base(page), ".md")), i, object.GetName()))
					unstructured.RemoveNestedField(object.Object, "spec", "accountRef")
				case "ConfigMap", "Secret":
				default:
					continue
				}
				object.SetNamespace("")
				found = append(found, object)
			}
		}
	}
	return found
}

// asManifests writes objects into a folder.
func asManifests(objects ...*unstructured.Unstructured) (folder string) {
	GinkgoHelper()
	folder = GinkgoT().TempDir()
	for i, object := range objects {
		text, err := sigsyaml.Marshal(object.Object)
		Expect(err).NotTo(HaveOccurred())
		Expect(os.WriteFile(filepath.Join(folder, fmt.Sprintf("%04d.yaml", i)), text, 0o600)).To(Succeed())
	}
	return folder
}

// writesByImport are the calls that write after an entry of the ledger, by the import that they were for, sorted.
func (w *world) writesByImport(after int64) map[string][]string {
	found := map[string][]string{}
	for _, entry := range sim.Ledger(simulator.Filter{Account: w.account, AfterSeq: after}) {
		if entry.Method == http.MethodGet {
			continue
		}
		id := entry.AppliedID
		if rest, ok := strings.CutPrefix(entry.Path, "/v1/imports/"); ok && !strings.HasSuffix(rest, "/clone") {
			id, _, _ = strings.Cut(rest, "/")
		}
		found[id] = append(found[id], entry.Method+" "+entry.Route)
		slices.Sort(found[id])
	}
	return found
}

func (w *world) lastEntry() int64 {
	entries := sim.Ledger(simulator.Filter{})
	return entries[len(entries)-1].Seq
}

// applied applies a folder, as somebody who has planned it.
func (w *world) applied(ctx context.Context, folder string) {
	GinkgoHelper()
	output, err := kubectl(ctx, "", "apply", "--validate=strict", "-n", w.namespace, "-f", folder)
	Expect(err).NotTo(HaveOccurred(), output)
}

// asPlanned plans a folder as somebody who may only look, lets apply do it, waits until everything that was planned
// is settled, and expects the calls of the plan for each import, and no others.
func (w *world) asPlanned(ctx context.Context, exit int, folder string, apply func(), args ...string) *plan.Plan {
	GinkgoHelper()
	before := w.lastEntry()
	made := w.planned(ctx, exit, append([]string{"-f", folder}, args...)...)
	Expect(w.writesByImport(before)).To(BeEmpty(), "the plan itself")
	before = w.lastEntry()
	apply()
	want := map[string][]string{}
	for _, item := range made.Items {
		w.settled(ctx, item)
		if len(item.Calls) == 0 {
			continue
		}
		id := item.ID
		if name := item.Name; id == "" {
			if item.Kind == "ImportRun" {
				name = get(ctx, w, &v1alpha1.ImportRun{}, name).Spec.ImportRef.Name
			}
			id = get(ctx, w, &v1alpha1.Import{}, name).Status.ID
		}
		want[id] = append(want[id], item.Calls...)
		slices.Sort(want[id])
	}
	Expect(w.writesByImport(before)).To(Equal(want))
	return made
}

// settled waits until an object is what its plan came to.
func (w *world) settled(ctx context.Context, item plan.Item) {
	GinkgoHelper()
	name := client.ObjectKey{Namespace: w.namespace, Name: item.Name}
	switch {
	case item.Reason == plan.ReasonRefused, item.Kind == "Account":
	case item.Action == plan.Delete, item.Action == plan.Release:
		Eventually(func() bool {
			return client.IgnoreNotFound(k8s.Get(ctx, name, &v1alpha1.Import{})) == nil && k8s.Get(ctx, name, &v1alpha1.Import{}) != nil
		}).Should(BeTrue(), item.Name)
	case item.Kind == "ImportRun":
		Eventually(func() bool { return get(ctx, w, &v1alpha1.ImportRun{}, item.Name).Status.CompletionTime != nil }, "60s").Should(BeTrue(), item.Name)
	default:
		object := &v1alpha1.Import{}
		Eventually(func(g Gomega) {
			g.Expect(k8s.Get(ctx, name, object)).To(Succeed())
			g.Expect(object.Status.ObservedGeneration).To(Equal(object.Generation))
			g.Expect(object.Annotations[v1alpha1.AnnotationReconcileRequestedAt]).To(Equal(object.Status.LastHandledReconcileAt))
			ready := apimeta.FindStatusCondition(object.Status.Conditions, v1alpha1.ConditionReady)
			g.Expect(ready).NotTo(BeNil())
			if item.Action == plan.Fail || item.Action == plan.Wait {
				g.Expect(ready).To(And(HaveField("Status", metav1.ConditionFalse), HaveField("Reason", item.Reason)))
			} else {
				g.Expect(ready).To(HaveField("Status", metav1.ConditionTrue), ready.Message)
			}
		}).Should(Succeed(), item.Name)
	}
}

// withoutCluster is the plan of a folder that reads no cluster.
func (w *world) withoutCluster(ctx context.Context, exit int, folder string, aliases map[string]string) *plan.Plan {
	GinkgoHelper()
	temp := GinkgoT().TempDir()
	text, err := sigsyaml.Marshal(aliases)
	Expect(err).NotTo(HaveOccurred())
	Expect(os.WriteFile(filepath.Join(temp, "aliases"), text, 0o600)).To(Succeed())
	Expect(os.WriteFile(filepath.Join(temp, "token"), []byte(w.token), 0o600)).To(Succeed())
	return w.planned(ctx, exit, "-f", folder, "--no-cluster", "--base-url", simURL, "--token-file", filepath.Join(temp, "token"), "--aliases", filepath.Join(temp, "aliases"))
}

// differs is how a plan with a cluster and one without differ, apart from what only a cluster can know. For what
// is not in the cluster yet, as here, that is one thing: the note that those of other namespaces cannot be listed.
// For what is there, it is also which import an Import has, and so all that is done to it; the original of
// cloneFrom.importRef, and the run of retryOf; and how a run has ended.
func differs(within, without *plan.Plan) string {
	return cmp.Diff(within, without, cmpopts.IgnoreFields(plan.Plan{}, "Notes"))
}

// named are the names of the objects of an action.
func named(made *plan.Plan, action plan.Action) (found []string) {
	for _, item := range made.Items {
		if item.Action == action {
			found = append(found, item.Name)
		}
	}
	return found
}

var _ = Describe("I apply what I have planned", func() {
	It("makes the planned calls for the samples and for the examples of the documentation, and plans them alike without a cluster", func(ctx context.Context) {
		w := demoWorld(ctx, simulator.Connection{ID: "5f000000000000000000c001"})
		adopted := w.file("config", "samples", "import_adopt.yaml")
		_, err := sim.SeedImport(w.account, simulator.Document{"_id": "64b0000000000000000000c1", "name": "Prices to the shop", "_connectionId": "5e8c41d29a7f3b0012ab77e1",
			"adaptorType": "HTTPImport", "http": map[string]any{"method": []any{"PUT"}, "relativeURI": []any{"/prices"}, "body": []any{nil}}})
		Expect(err).NotTo(HaveOccurred())
		objects := append(ofPages(), adopted...)
		pages := len(objects) - 1
		Expect(pages).To(BeNumerically(">=", 6))
		for _, name := range []string{"account", "secret", "import_ftp", "import_http", "import_netsuite", "import_salesforce", "importrun_inline", "importrun_configmap"} {
			objects = append(objects, w.file("config", "samples", name+".yaml")...)
		}
		folder := asManifests(objects...)
		within := w.planned(ctx, 2, "-f", folder)
		Expect(differs(within, w.withoutCluster(ctx, 2, folder, nil))).To(BeEmpty())
		made := w.asPlanned(ctx, 2, folder, func() { w.applied(ctx, folder) })
		Expect(differs(within, made)).To(BeEmpty())
		Expect(named(made, plan.Adopt)).To(Equal([]string{"adopted-prices"}))
		Expect(named(made, plan.Invoke)).To(ConsistOf("first-orders", "initial-customers"))
		Expect(made.Failed()).To(BeFalse())
		Expect(w.planned(ctx, 0, "-f", folder).Changes()).To(BeFalse())

		By("copying one, and retrying a run without failed records")
		rest := asManifests(append(w.file("config", "samples", "import_clone.yaml"), w.file("config", "samples", "importrun_retry.yaml")...)...)
		made = w.asPlanned(ctx, 1, rest, func() { w.applied(ctx, rest) })
		Expect(made.Items).To(HaveExactElements(
			And(HaveField("Name", "orders-copy"), HaveField("Action", plan.Create)),
			And(HaveField("Name", "first-orders-retry"), HaveField("Action", plan.Fail), HaveField("Message", ContainSubstring("there is nothing to send again")))))
	})

	It("makes the planned calls in the story of the demo", func(ctx context.Context) {
		w := demoWorld(ctx)
		sample := func(name string) *unstructured.Unstructured {
			return w.file("config", "samples", "import_"+name+".yaml")[0]
		}
		demo := func(name string) []*unstructured.Unstructured {
			return w.file("hack", "demo", "manifests", name+".yaml")
		}
		idOf := func(name string) string { return get(ctx, w, &v1alpha1.Import{}, name).Status.ID }
		edit := func(name string, change func(simulator.Document)) {
			GinkgoHelper()
			Expect(sim.EditAs(jane, w.account, idOf(name), change)).To(Succeed())
		}
		look := func(names ...string) func() {
			return func() {
				GinkgoHelper()
				output, err := kubectl(ctx, "", append(append([]string{"annotate", "--overwrite", "-n", w.namespace, "imports"}, names...), v1alpha1.AnnotationReconcileRequestedAt+"="+fmt.Sprint(w.lastEntry()))...)
				Expect(err).NotTo(HaveOccurred(), output)
			}
		}
		apply := func(folder string) func() { return func() { GinkgoHelper(); w.applied(ctx, folder) } }
		is := func(action plan.Action, calls ...string) OmegaMatcher {
			return HaveField("Items", HaveExactElements(And(HaveField("Action", action), HaveField("Calls", HaveExactElements(toAny(calls)...)))))
		}

		By("declaring imports")
		objects := append(w.file("config", "samples", "account.yaml"), w.file("config", "samples", "secret.yaml")...)
		for _, name := range []string{"ftp", "http", "netsuite", "salesforce"} {
			objects = append(objects, sample(name))
		}
		first := asManifests(objects...)
		alone := w.withoutCluster(ctx, 2, first, nil)
		Expect(differs(w.asPlanned(ctx, 2, first, apply(first)), alone)).To(BeEmpty())

		By("correcting drift, and reporting it")
		edit("orders-to-shop", func(d simulator.Document) {
			d["http"].(map[string]any)["relativeURI"] = []any{"/v1/orders-test"}
			d["description"], d["maxAttempts"] = "ask Jane first", 10
		})
		edit("customers-to-salesforce", func(d simulator.Document) { d["salesforce"].(map[string]any)["operation"] = "update" })
		drifted := asManifests(sample("http"), sample("salesforce"))
		made := w.asPlanned(ctx, 2, drifted, look("orders-to-shop", "customers-to-salesforce"))
		Expect(made.Items).To(HaveExactElements(
			And(HaveField("Action", plan.Update), HaveField("Calls", []string{put}),
				HaveField("Differences", []v1alpha1.Difference{{Path: "/http/relativeURI/0", Declared: `"/v2/orders"`, Remote: `"/v1/orders-test"`}})),
			And(HaveField("Action", plan.None), HaveField("Drift", []v1alpha1.Difference{{Path: "/salesforce/operation", Declared: `"upsert"`, Remote: `"update"`}}))))
		stdout, _, code := w.plugin(ctx, "diff", "customers-to-salesforce")
		Expect(code).To(Equal(2))
		Expect(stdout).To(HavePrefix("* Import " + w.namespace + "/customers-to-salesforce (" + idOf("customers-to-salesforce") + "): differs\n"))

		By("declaring what Jane did, a batch size, and another connection")
		edited := func(object *unstructured.Unstructured, value any, path ...string) string {
			GinkgoHelper()
			Expect(unstructured.SetNestedField(object.Object, value, append([]string{"spec", "definition"}, path...)...)).To(Succeed())
			return asManifests(object)
		}
		folder := edited(sample("salesforce"), "update", "salesforce", "operation")
		Expect(w.asPlanned(ctx, 2, folder, apply(folder))).To(is(plan.Apply))
		folder = edited(sample("netsuite"), int64(100), "netsuite_da", "batchSize")
		Expect(w.asPlanned(ctx, 2, folder, apply(folder))).To(is(plan.Update, put))
		folder = edited(sample("ftp"), "5e8c41d29a7f3b0012ab77e2", "_connectionId")
		Expect(w.asPlanned(ctx, 2, folder, apply(folder))).To(is(plan.Update, "PUT /v1/imports/{id}/replaceConnection"))

		By("running records, at once and in batches")
		folder = asManifests(append(demo("importrun"), demo("importrun_batches")...)...)
		made = w.asPlanned(ctx, 2, folder, apply(folder))
		Expect(made.Items).To(HaveExactElements(HaveField("Calls", HaveLen(1)), HaveField("Calls", HaveLen(3))))

		By("adopting an import")
		folder = asManifests(demo("import_match")...)
		Expect(w.asPlanned(ctx, 1, folder, apply(folder)).Items).To(HaveExactElements(And(HaveField("Action", plan.Fail), HaveField("Reason", v1alpha1.ReasonAdoptionMismatch))))
		Expect(k8s.Delete(ctx, get(ctx, w, &v1alpha1.Import{}, "refunds-to-shop"))).To(Succeed())
		Eventually(func() error {
			return k8s.Get(ctx, client.ObjectKey{Namespace: w.namespace, Name: "refunds-to-shop"}, &v1alpha1.Import{})
		}).ShouldNot(Succeed())
		folder = asManifests(demo("import_override")...)
		alone = w.withoutCluster(ctx, 2, folder, map[string]string{"shop": "5e8c41d29a7f3b0012ab77e1"})
		made = w.asPlanned(ctx, 2, folder, apply(folder))
		Expect(made).To(is(plan.Adopt, put))
		Expect(differs(made, alone)).To(BeEmpty())

		By("copying one")
		folder = asManifests(sample("clone"))
		Expect(w.asPlanned(ctx, 2, folder, apply(folder))).To(is(plan.Create, "POST /v1/imports/{id}/clone", put))

		By("deleting those that the manifests no longer declare, one of which a flow uses")
		w.flow(1, idOf("items-to-ftp"))
		kept := asManifests(sample("http"))
		pruned := []string{"customers-to-salesforce", "items-to-ftp", "orders-copy", "refunds-to-shop", "salesorders-to-netsuite"}
		made = w.asPlanned(ctx, 1, kept, func() {
			for _, name := range pruned {
				Expect(k8s.Delete(ctx, get(ctx, w, &v1alpha1.Import{}, name))).To(Succeed())
			}
		}, "--prune")
		Expect(actions(made)).To(Equal(map[string]plan.Action{
			"orders-to-shop": plan.None, "customers-to-salesforce": plan.Release, "items-to-ftp": plan.Fail, "orders-copy": plan.Delete,
			"refunds-to-shop": plan.Release, "salesorders-to-netsuite": plan.Delete,
		}))
		Expect(sim.RemoveFlow(w.account, "64b000000000000000000001")).To(Succeed())
	})

	It("makes the planned calls for documents of every kind of import", func(ctx context.Context) {
		w := demoWorld(ctx, simulator.Connection{ID: corpus.Connection})
		var objects []*unstructured.Unstructured
		seen := map[any]bool{}
		for i, sample := range corpus.Short() {
			doc := document.Copy(sample.Document)
			fields.LeaveOut(doc)
			delete(doc, "_id")
			delete(doc, "_connectorId")
			if kind := doc["adaptorType"]; seen[kind] || !takenBy(w, doc) {
				continue
			}
			seen[doc["adaptorType"]] = true
			text, err := drift.Encode(map[string]any{"apiVersion": v1alpha1.GroupVersion.String(), "kind": "Import",
				"metadata": map[string]any{"name": fmt.Sprintf("import-%d", i), "annotations": map[string]any{"integrator.io/allow-namesake": "true"}},
				"spec":     map[string]any{"definition": doc, "maskedFields": "Send"}})
			Expect(err).NotTo(HaveOccurred())
			objects = append(objects, documentsOf(text)...)
		}
		Expect(len(objects)).To(BeNumerically(">", 12))
		environment := append(w.file("config", "samples", "account.yaml"), w.file("config", "samples", "secret.yaml")...)
		folder := asManifests(append(environment, objects...)...)
		alone := w.withoutCluster(ctx, 2, folder, nil)
		within := w.asPlanned(ctx, 2, folder, func() { w.applied(ctx, folder) })
		Expect(within.Count(plan.Create)).To(Equal(len(objects)))
		Expect(differs(within, alone)).To(BeEmpty())
		for _, object := range objects {
			Expect(unstructured.SetNestedField(object.Object, "edited", "spec", "definition", "description")).To(Succeed())
		}
		folder = asManifests(objects...)
		made := w.asPlanned(ctx, 2, folder, func() { w.applied(ctx, folder) })
		Expect(made.Count(plan.Update)).To(Equal(len(objects)))
	})

	It("shows what would be refused, and that is what the API server refuses", func(ctx context.Context) {
		w := newWorld(ctx)
		w.viewer(ctx)
		good := w.synced(ctx, w.httpImport("made"))
		manifests := map[string]string{
			"good":              strings.Replace(importManifest, "name: bad", "name: good", 1),
			"no-name":           strings.Replace(importManifest, "name: Orders", "description: x", 1),
			"unknown-field":     strings.Replace(importManifest, "spec:", "spec:\n  drift: Correct", 1),
			"unknown-policy":    strings.Replace(importManifest, "spec:", "spec:\n  driftPolicy: Maybe", 1),
			"owner-id":          with(importManifest, "externalId: k8s/123"),
			"a-rule":            valued(`{path: /settings/a}`),
			"two-at-one-path":   valued(`{path: /settings/a, secretKeyRef: {name: a, key: b}}`, `{path: /settings/a, configMapKeyRef: {name: c, key: d}}`),
			"no-dns-Name":       importManifest,
			"made":              strings.Replace(importManifest, "spec:", "spec:\n  accountRef: {name: another}", 1),
			"run-of-nothing":    "apiVersion: integrator.io/v1alpha1\nkind: ImportRun\nmetadata: {name: bad}\nspec: {data: [{}]}\n",
			"account-of-no-url": "apiVersion: integrator.io/v1alpha1\nkind: Account\nmetadata: {name: bad}\nspec: {tokenSecretRef: {name: t}, baseURL: nowhere}\n",
		}
		folder := GinkgoT().TempDir()
		for name, text := range manifests {
			text = strings.Replace(text, "name: bad", "name: "+name, 1)
			Expect(os.WriteFile(filepath.Join(folder, name+".yaml"), []byte(text), 0o600)).To(Succeed())
		}
		made := w.planned(ctx, 1, "-f", folder)
		Expect(made.Items).To(HaveLen(len(manifests)))
		for _, item := range made.Items {
			name := strings.TrimSuffix(filepath.Base(item.Source), ".yaml")
			output, err := kubectl(ctx, "", "apply", "--validate=strict", "--dry-run=server", "-n", w.namespace, "-f", item.Source)
			if name == "good" {
				Expect(item.Action).To(Equal(plan.Create))
				Expect(err).NotTo(HaveOccurred(), output)
				continue
			}
			Expect(item).To(And(HaveField("Action", plan.Fail), HaveField("Reason", plan.ReasonRefused), HaveField("Calls", BeEmpty())), name)
			Expect(err).To(HaveOccurred(), "the API server takes %s: %s", name, item.Message)
		}
		Expect(get(ctx, w, &v1alpha1.Import{}, "made").Generation).To(Equal(good.Generation))
		Expect(w.writes()).To(Equal(map[string]int{post: 1}))
	})
})

// takenBy reports whether the API takes a document.
func takenBy(w *world, doc document.Document) bool {
	scratch := w.account + "-scratch"
	_ = sim.AddAccount(simulator.AccountSpec{Name: scratch, Connections: []simulator.Connection{{ID: corpus.Connection}}}) // it may be there
	_, err := sim.SeedImport(scratch, document.Copy(doc))
	return err == nil
}

func toAny(texts []string) (found []any) {
	for _, text := range texts {
		found = append(found, text)
	}
	return found
}
