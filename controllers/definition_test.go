// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"
	"encoding/json"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"sigs.k8s.io/yaml"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/drift"
	"github.com/integrator-operator/integrator-operator/internal/fields"
	"github.com/integrator-operator/integrator-operator/internal/simulator"
)

// warned applies config/definition-warnings for the length of a story, in its namespace.
func (w *world) warned(ctx context.Context) {
	GinkgoHelper()
	for _, file := range []string{"fields.yaml", "mappings.yaml"} {
		w.createPolicies(ctx, filepath.Join("..", "config", "definition-warnings", file))
	}
	Eventually(func() string {
		output, _ := kubectl(ctx, "apiVersion: integrator.io/v1alpha1\nkind: Import\nmetadata: {name: probe}\nspec: {suspend: true, definition: {name: x, _connectionId: '@a', sandbox: false, mappings: [{genrate: a}]}}",
			"create", "--dry-run=server", "-n", w.namespace, "-f", "-")
		return output
	}).WithTimeout(policyDelay).Should(And(ContainSubstring("/sandbox: set by the server, left out"), ContainSubstring("did you mean generate?")))
}

// pointer matches the JSON pointers of a warning's text.
var pointer = regexp.MustCompile(`(?:: |; |^)(/[^:;]+): `)

// index matches the indices in a pointer.
var index = regexp.MustCompile(`/\d+(/|$)`)

// apply has kubectl apply an Import with a definition, and returns the fields it warns of.
func (w *world) apply(ctx context.Context, name, definition string) (output string, warned []string) {
	GinkgoHelper()
	output, err := kubectl(ctx, "apiVersion: integrator.io/v1alpha1\nkind: Import\nmetadata: {name: "+name+"}\nspec:\n  definition: "+definition,
		"apply", "--validate=strict", "-n", w.namespace, "-f", "-")
	Expect(err).NotTo(HaveOccurred(), output)
	for line := range strings.Lines(output) {
		if strings.HasPrefix(line, "Warning: ") {
			for _, found := range pointer.FindAllStringSubmatch(line, -1) {
				warned = append(warned, found[1])
			}
		}
	}
	slices.Sort(warned)
	return output, slices.Compact(warned)
}

var _ = Describe("I paste a document of the platform", func() {
	It("takes a whole response but for its _id, and says what it leaves out", func(ctx context.Context) {
		w := newWorld(ctx)
		w.warned(ctx)
		remote := w.remote(w.seed("pasted", `{"description": "from the UI", "http": {"method": ["POST"], "relativeURI": ["/orders"]}}`))
		delete(remote, "_id")
		remote["externalId"] = "pasted-1"
		remote["aiDescription"] = map[string]any{"summary": "x"}
		remote["http"].(map[string]any)["_httpConnectorVersionId"] = "64a0000000000000000000cc"
		document, err := json.Marshal(remote)
		Expect(err).NotTo(HaveOccurred())

		_, warned := w.apply(ctx, "pasted", string(document))
		Expect(warned).To(ContainElements("/aiDescription", "/apiIdentifier", "/createdAt", "/http/_httpConnectorVersionId", "/lastModified"))
		object := &v1alpha1.Import{}
		w.eventuallyReady(ctx, object, "pasted")
		Expect(object.Status.IgnoredFields).To(Equal(warned))
		Expect(object.Status.Warnings).To(BeEmpty())
		w.scans(2)
		Expect(w.writes()).To(Equal(map[string]int{post: 1}))
		Expect(w.remote(object.Status.ID)).NotTo(HaveKeyWithValue("apiIdentifier", remote["apiIdentifier"]))
	})

	It("warns of what is probably a mistake, refuses none of it, and shows it in status", func(ctx context.Context) {
		w := newWorld(ctx)
		w.warned(ctx)
		output, warned := w.apply(ctx, "typos", `{name: typos, _connectionId: "@shop", adapterType: HTTPImport, descripton: x, oneToMany: "false",
			http: {relativeUri: [/a], method: [FETCH], batchSize: "5", headers: [{nam: a, value: 1}], response: []}, mappings: [{mappings: [{dataTyp: a}], dataType: strng}]}`)
		Expect(output).To(ContainSubstring("import.integrator.io/typos created"))
		Expect(output).To(ContainSubstring("/adapterType: the API documents no field of this name; did you mean adaptorType?"))
		Expect(output).To(ContainSubstring("/http/relativeUri: the API documents no field of this name; did you mean relativeURI?"))
		Expect(output).To(ContainSubstring("/http/batchSize: the value is of type text, and the API documents number"))
		Expect(output).To(ContainSubstring("/mappings/*/dataType: not one of the documented values: string, number"))
		Expect(warned).To(Equal([]string{
			"/adapterType", "/descripton", "/http/batchSize", "/http/headers/*/nam", "/http/headers/*/value", "/http/method", "/http/relativeUri", "/http/response",
			"/mappings/*/dataType", "/mappings/*/mappings/*/dataTyp",
		}))
		object := &v1alpha1.Import{}
		Eventually(func() []string { return get(ctx, w, object, "typos").Status.Warnings }).Should(ContainElements(
			"/adapterType: the API documents no field of this name; did you mean adaptorType?",
			`/http/method/0: "FETCH" is not one of the documented values: GET, PUT, POST, PATCH, DELETE`,
		))
		Eventually(func() []string { return w.events(ctx, "typos") }).Should(ContainElement(ContainSubstring("did you mean adaptorType?")))

		By("saying nothing when only something else is written")
		output, err := kubectl(ctx, "", "annotate", "import", "typos", "-n", w.namespace, "note=x")
		Expect(err).NotTo(HaveOccurred())
		Expect(output).NotTo(ContainSubstring("Warning"))
	})

	It("warns at admission of the fields that status names", func(ctx context.Context) {
		w := newEmptyWorld(ctx)
		w.warned(ctx)
		for name, definition := range map[string]string{
			"good":    `{name: a, _connectionId: "@a", adaptorType: HTTPImport, http: {method: POST, body: [null], lookups: [{name: a, map: {a: b}, default: null}]}, settings: {nme: 1}}`,
			"lower":   `{name: a, _connectionId: "@a", s3: {region: US-EAST-1, bukcet: a}, netsuite_da: {operation: Add, restletVersion: suiteAPP1.0}}`,
			"ids":     `{name: a, _connectionId: "@a", _integrationId: abc, hooks: {preMap: {_scriptId: ""}, postMap: {_scriptId: "@x", _stackId: zz, funtion: f}}}`,
			"nested":  `{name: a, _connectionId: "@a", netsuite_da: {mapping: {lists: [{fields: [{_id: a, genrate: b, immutable: "yes", subRecordMapping: {recordTyp: c}}]}]}}}`,
			"shape":   `{name: a, _connectionId: "@a", http: [1], filter: text, mappings: [1, [2]], file: {csv: 5}, lookups: {a: b}, parsers: 5}`,
			"nothing": `{name: a, _connectionId: "@a", http: null, mappings: null, lookups: [null]}`,
			"agent":   `{name: a, adaptorType: AiAgentImport, aiAgent: {provider: openai, openai: {modle: x, temperature: "1", tools: [{type: webSearch, mcp: {_mcpConnectionId: 1}}]}}}`,
		} {
			_, warned := w.apply(ctx, name, definition)
			raw, err := yaml.YAMLToJSON([]byte(definition))
			Expect(err).NotTo(HaveOccurred())
			document, err := drift.Parse(raw)
			Expect(err).NotTo(HaveOccurred())
			var expected []string
			for _, path := range fields.LeaveOut(document) {
				expected = append(expected, index.ReplaceAllString(path, "/*$1"))
			}
			for _, text := range fields.Warnings(document) {
				path, _, _ := strings.Cut(text, ": ")
				// The policy names the array, the status its element.
				path = strings.TrimSuffix(index.ReplaceAllString(index.ReplaceAllString(path, "/*$1"), "/*$1"), "/*")
				expected = append(expected, path)
			}
			slices.Sort(expected)
			Expect(warned).To(Equal(slices.Compact(expected)), "%s: %s", name, definition)
		}
	})

	It("is corrected where the adaptorType was misspelt, as long as nothing was made", func(ctx context.Context) {
		w := newWorld(ctx)
		object := w.declare("misspelt", `{"name": "misspelt", "_connectionId": "@shop", "adaptorType": "HttpImport", "http": {"method": ["POST"], "relativeURI": ["/a"]}}`)
		Expect(k8s.Create(ctx, object)).To(Succeed())
		w.eventually(ctx, object, "misspelt", "Failed False/Rejected")
		change(ctx, object, func(object *v1alpha1.Import) {
			object.Spec.Definition.Raw = []byte(strings.Replace(string(object.Spec.Definition.Raw), "HttpImport", "HTTPImport", 1))
		})
		w.eventuallyReady(ctx, object, "misspelt")
		object.Spec.Definition.Raw = []byte(strings.Replace(string(object.Spec.Definition.Raw), "HTTPImport", "RESTImport", 1))
		Expect(k8s.Update(ctx, object)).To(MatchError(ContainSubstring("definition.adaptorType cannot be changed once the Import has a remote import")))
	})

	It("keeps the ids that the server gave to elements when another field is written", func(ctx context.Context) {
		w := newWorld(ctx)
		object := w.synced(ctx, w.declare("elements", `{"name": "elements", "_connectionId": "@shop", "adaptorType": "NetSuiteDistributedImport", "distributed": true,
			"netsuite_da": {"operation": "ADD", "recordType": "customer", "lookups": [{"name": "a", "recordType": "x"}]}}`))
		lookup := func() map[string]any {
			return w.remote(object.Status.ID)["netsuite_da"].(map[string]any)["lookups"].([]any)[0].(map[string]any)
		}
		made := lookup()["_id"]
		Expect(made).To(HaveLen(24))
		w.scans(2)
		Expect(w.writes()).To(Equal(map[string]int{post: 1}))
		change(ctx, object, func(object *v1alpha1.Import) {
			object.Spec.Definition.Raw = []byte(strings.Replace(string(object.Spec.Definition.Raw), `"customer"`, `"vendor"`, 1))
		})
		Eventually(func() any { return w.remote(object.Status.ID)["netsuite_da"] }).Should(HaveKeyWithValue("recordType", "vendor"))
		Expect(lookup()).To(HaveKeyWithValue("_id", made))
	})

	It("may write ids in upper case: in the definition, in an alias, in hooks, to adopt, to clone and to run", func(ctx context.Context) {
		w := newWorld(ctx)
		change(ctx, get(ctx, w, &v1alpha1.Account{}, "default"), func(account *v1alpha1.Account) {
			account.Spec.Aliases["upper"] = v1alpha1.ID(strings.ToUpper(shopConnection))
		})
		const script = "5E8C00000000000000000ABC"
		hooks := `{"hooks": {"preMap": {"function": "f", "_scriptId": "` + script + `"}}, "_integrationId": "` + script + `"}`
		direct := w.declare("direct", string(w.httpImport("direct", hooks).Spec.Definition.Raw), `{"_connectionId": "`+strings.ToUpper(shopConnection)+`"}`)
		aliased := w.declare("aliased", string(w.httpImport("aliased", hooks).Spec.Definition.Raw), `{"_connectionId": "@upper"}`)
		adopted := adopting(w.httpImport("adopted"), v1alpha1.AdoptSpec{ID: v1alpha1.ID(strings.ToUpper(w.seed("adopted"))), Mode: v1alpha1.AdoptionModeOverride})
		original := w.seed("original")
		cloned := w.httpImport("cloned")
		cloned.Spec.CloneFrom = &v1alpha1.CloneSpec{ID: v1alpha1.ID(strings.ToUpper(original)), ConnectionMap: map[string]v1alpha1.ConnectionReference{strings.ToUpper(shopConnection): "@upper"}}
		for _, object := range []*v1alpha1.Import{direct, aliased, adopted, cloned} {
			w.synced(ctx, object)
			Expect(object.Status.ID).To(Equal(strings.ToLower(object.Status.ID)), object.Name)
		}
		Expect(w.remote(direct.Status.ID)["hooks"]).To(HaveKeyWithValue("preMap", HaveKeyWithValue("_scriptId", strings.ToLower(script))))
		before := w.writes()
		w.scans(2)
		Expect(w.writes()).To(Equal(before), "nothing is written because of letter case")

		By("correcting another id, and not the case of the same one")
		Expect(sim.EditAs(jane, w.account, direct.Status.ID, func(document simulator.Document) {
			document["_integrationId"] = ftpConnection
		})).To(Succeed())
		Eventually(func() any { return w.remote(direct.Status.ID)["_integrationId"] }).Should(Equal(strings.ToLower(script)))

		run := w.runByID("upper", strings.ToUpper(adopted.Status.ID), record("A-1"))
		Expect(k8s.Create(ctx, run)).To(Succeed())
		w.done(ctx, run, v1alpha1.RunSucceeded)
	})
})
