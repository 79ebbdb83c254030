// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
)

// kubectl runs the real kubectl against the suite's API server and returns what it prints.
func kubectl(ctx context.Context, stdin string, args ...string) (string, error) {
	GinkgoHelper()
	file := filepath.Join(GinkgoT().TempDir(), "kubeconfig")
	Expect(os.WriteFile(file, kubeconfig, 0o600)).To(Succeed())
	//nolint:gosec // the program of the control plane under test
	command := exec.CommandContext(ctx, filepath.Join(os.Getenv("KUBEBUILDER_ASSETS"), "kubectl"), append([]string{"--kubeconfig", file}, args...)...)
	command.Stdin = strings.NewReader(stdin)
	output, err := command.CombinedOutput()
	return string(output), err
}

const importManifest = `
apiVersion: integrator.io/v1alpha1
kind: Import
metadata: {name: bad}
spec:
  definition:
    name: Orders
    _connectionId: "@shop"
    http: {method: [POST]}
`

var _ = Describe("I make a mistake in a manifest", func() {
	DescribeTable("is refused at admission with the field and the reason",
		func(ctx context.Context, manifest, says string) {
			w := newEmptyWorld(ctx)
			output, err := kubectl(ctx, manifest, "apply", "--validate=strict", "-n", w.namespace, "-f", "-")
			Expect(err).To(HaveOccurred(), output)
			Expect(output).To(ContainSubstring(says))
		},
		Entry("an adaptorType that is no text", with(importManifest, "adaptorType: 5"), `spec.definition.adaptorType: Invalid value: "integer"`),
		Entry("the _id of a pasted response", with(importManifest, `_id: "64a0000000000000000000ff"`),
			`spec.definition._id: Invalid value: _id cannot be declared: to take over this import put its _id into spec.adopt.id; to make a new one leave it out`),
		Entry("the import of an integration app", with(importManifest, `_connectorId: "64a0000000000000000000ff"`),
			`spec.definition._connectorId: Invalid value: _connectorId cannot be declared, because an import that has it belongs to an integration app`),
		Entry("no name", strings.Replace(importManifest, "name: Orders", "description: x", 1), `spec.definition.name: Required value`),
		Entry("no connection", strings.Replace(importManifest, `_connectionId: "@shop"`, "description: x", 1), `_connectionId is required unless adaptorType is AiAgentImport`),
		Entry("a connection that is neither id nor alias", strings.Replace(importManifest, "@shop", "my shop", 1), `spec.definition._connectionId: Invalid value: "my shop"`),
		Entry("the prefix of the ownership marker", with(importManifest, "externalId: k8s/123"), `externalId must not begin with k8s/, which is reserved for the ownership marker: choose another externalId`),
		Entry("an unknown field of the spec", strings.Replace(importManifest, "spec:", "spec:\n  drift: Correct", 1), `unknown field "spec.drift"`),
		Entry("an unknown policy", strings.Replace(importManifest, "spec:", "spec:\n  driftPolicy: Maybe", 1), `spec.driftPolicy: Unsupported value: "Maybe": supported values: "Correct", "Report"`),
		Entry("a pointer that is none", strings.Replace(importManifest, "spec:", "spec:\n  ignoreDifferences: [http.batchSize]", 1), `spec.ignoreDifferences[0]: Invalid value: "http.batchSize"`),
		Entry("a value of nothing", valued(`{path: /settings/a}`), `exactly one of configMapKeyRef and secretKeyRef must be set`),
		Entry("a value of two things", valued(`{path: /settings/a, configMapKeyRef: {name: a, key: b}, secretKeyRef: {name: a, key: b}}`), `exactly one of configMapKeyRef and secretKeyRef must be set`),
		Entry("a value of another namespace", valued(`{path: /settings/a, secretKeyRef: {name: a, key: b, namespace: kube-system}}`), `unknown field "spec.valuesFrom[0].secretKeyRef.namespace"`),
		Entry("a value nowhere", valued(`{path: "", secretKeyRef: {name: a, key: b}}`), `spec.valuesFrom[0].path: Invalid value: ""`),
		Entry("a value at no pointer", valued(`{path: settings.a, secretKeyRef: {name: a, key: b}}`), `spec.valuesFrom[0].path: Invalid value: "settings.a"`),
		Entry("a value in an unknown format", valued(`{path: /settings/a, format: YAML, secretKeyRef: {name: a, key: b}}`), `spec.valuesFrom[0].format: Unsupported value: "YAML": supported values: "Text", "JSON"`),
		Entry("a value that the status shows: the name", valued(`{path: /name, secretKeyRef: {name: a, key: b}}`), secretInStatus),
		Entry("a value that the status shows: the externalId", valued(`{path: /externalId, configMapKeyRef: {name: a, key: b}}`), secretInStatus),
		Entry("a value that the status shows: the adaptorType", valued(`{path: /adaptorType, secretKeyRef: {name: a, key: b}}`), secretInStatus),
		Entry("a value that the status shows: the connection", valued(`{path: /_connectionId, secretKeyRef: {name: a, key: b}}`), secretInStatus),
		Entry("a value under what the status shows", valued(`{path: /externalId/a, secretKeyRef: {name: a, key: b}}`), secretInStatus),
		Entry("a JSON value without the white space that JSON ignores", valued(`{path: /settings/a, format: JSON, trimSpace: true, secretKeyRef: {name: a, key: b}}`), `spec.valuesFrom[0].trimSpace: Invalid value: trimSpace can be true only with format Text, because JSON ignores white space around a value: remove trimSpace, or set format to Text`),
		Entry("two values at one path", valued(`{path: /settings/a, secretKeyRef: {name: a, key: b}}`, `{path: /settings/a, configMapKeyRef: {name: c, key: d}}`), `spec.valuesFrom[1]: Duplicate value: {"path":"/settings/a"}`),
		Entry("a value under another one", valued(`{path: /settings/a/b, secretKeyRef: {name: a, key: b}}`, `{path: /settings/a, secretKeyRef: {name: a, key: b}}`), `no path in valuesFrom may be below another one`),
		Entry("oversize", with(importManifest, "settings: {blob: "+strings.Repeat("x", 4_000_000)+"}"), "Request entity too large"),
		Entry("an alias with a space", `
apiVersion: integrator.io/v1alpha1
kind: Account
metadata: {name: bad}
spec: {tokenSecretRef: {name: t}, aliases: {"my shop": 64a0000000000000000000a1}}
`, `each key of aliases must have 1 to 63 letters, digits`),
		Entry("an alias of no id", `
apiVersion: integrator.io/v1alpha1
kind: Account
metadata: {name: bad}
spec: {tokenSecretRef: {name: t}, aliases: {shop: "12"}}
`, `spec.aliases.shop: Invalid value: "12"`),
		Entry("an interval without a unit", `
apiVersion: integrator.io/v1alpha1
kind: Account
metadata: {name: bad}
spec: {tokenSecretRef: {name: t}, scanInterval: "60"}
`, `spec.scanInterval: Invalid value: "60"`),
		Entry("a URL with a password", `
apiVersion: integrator.io/v1alpha1
kind: Account
metadata: {name: bad}
spec: {tokenSecretRef: {name: t}, baseURL: "https://a:b@api.integrator.io"}
`, `spec.baseURL: Invalid value`),
		Entry("a Secret of another namespace", `
apiVersion: integrator.io/v1alpha1
kind: Account
metadata: {name: bad}
spec: {tokenSecretRef: {name: t, namespace: kube-system}}
`, `unknown field "spec.tokenSecretRef.namespace"`),
		Entry("a run of nothing", `
apiVersion: integrator.io/v1alpha1
kind: ImportRun
metadata: {name: bad}
spec: {data: [{}]}
`, `exactly one of importRef and importID must be set`),
		Entry("a run of two things", `
apiVersion: integrator.io/v1alpha1
kind: ImportRun
metadata: {name: bad}
spec: {importRef: {name: a}, importID: 64a0000000000000000000a1, accountRef: {name: default}, data: [{}]}
`, `exactly one of importRef and importID must be set`),
		Entry("a run by id without an account", `
apiVersion: integrator.io/v1alpha1
kind: ImportRun
metadata: {name: bad}
spec: {importID: 64a0000000000000000000a1, data: [{}]}
`, `accountRef must be set if importID is set`),
		Entry("two sources in one", `
apiVersion: integrator.io/v1alpha1
kind: ImportRun
metadata: {name: bad}
spec: {importRef: {name: a}, dataFrom: [{configMapKeyRef: {name: a, key: b}, secretKeyRef: {name: a, key: b}}]}
`, `exactly one of configMapKeyRef and secretKeyRef must be set`),
	)

	It("admits as many values as can be given, at paths that only begin alike", func(ctx context.Context) {
		w := newEmptyWorld(ctx)
		values := []string{`{path: /named, secretKeyRef: {name: a, key: b}}`, `{path: /settings/a, secretKeyRef: {name: a, key: b}}`}
		for n := range 62 {
			values = append(values, fmt.Sprintf(`{path: /settings/a%d%s, secretKeyRef: {name: a, key: b}}`, n, strings.Repeat("/x", 240)))
		}
		output, err := kubectl(ctx, valued(values...), "apply", "--validate=strict", "-n", w.namespace, "-f", "-")
		Expect(err).NotTo(HaveOccurred(), output)
		Expect(get(ctx, w, &v1alpha1.Import{}, "bad").Spec.ValuesFrom).To(And(HaveLen(64), HaveEach(HaveField("Format", v1alpha1.ValueFormatText))))
		output, err = kubectl(ctx, valued(append(values, `{path: /one/more, secretKeyRef: {name: a, key: b}}`)...), "apply", "--validate=strict", "-n", w.namespace, "-f", "-")
		Expect(err).To(HaveOccurred(), output)
		Expect(output).To(ContainSubstring("spec.valuesFrom: Too many: 65: must have at most 64 items"))
	})

	It("reports what only the account knows", func(ctx context.Context) {
		w := newEmptyWorld(ctx)
		output, err := kubectl(ctx, importManifest, "apply", "--validate=strict", "-n", w.namespace, "-f", "-")
		Expect(err).NotTo(HaveOccurred(), output)
		object := &v1alpha1.Import{}
		w.eventually(ctx, object, "bad", "Failed False/AccountNotFound")
		Expect(message(object)).To(ContainSubstring("create it, or correct spec.accountRef"))
	})

	DescribeTable("is told that records are an array, and not that their fields are unknown",
		func(ctx context.Context, data string, flags ...string) {
			w := newEmptyWorld(ctx)
			manifest := "apiVersion: integrator.io/v1alpha1\nkind: ImportRun\nmetadata: {name: bad}\nspec: {importRef: {name: a}, data: "
			apply := append([]string{"apply", "-n", w.namespace, "-f", "-"}, flags...)
			output, err := kubectl(ctx, manifest+data+"}\n", apply...)
			Expect(err).To(HaveOccurred(), output)
			Expect(output).To(And(MatchRegexp(`spec.data in body must be of type array|\.spec\.data: expected list`), Not(ContainSubstring("unknown field"))))
			output, err = kubectl(ctx, manifest+"["+data+"]}\n", apply...)
			Expect(err).NotTo(HaveOccurred(), output)
		},
		Entry("one record", "{n: 1}"),
		Entry("one record, with strict validation", "{n: 1}", "--validate=strict"),
		Entry("the body of a request", "{data: [{n: 1}], settings: {}}"),
		Entry("a text", "'[{}]'"),
		Entry("one record, with server-side apply", "{n: 1}", "--server-side"),
	)

	DescribeTable("cannot change what the remote cannot follow",
		func(ctx context.Context, edit func(*v1alpha1.Import), says string) {
			w := newWorld(ctx)
			object := w.synced(ctx, w.httpImport("fixed"))
			Eventually(func() error {
				get(ctx, w, object, "fixed")
				edit(object)
				return k8s.Update(ctx, object)
			}).Should(MatchError(ContainSubstring(says)))
		},
		Entry("the adaptor", func(object *v1alpha1.Import) {
			object.Spec.Definition.Raw = []byte(`{"name": "fixed", "_connectionId": "@shop", "adaptorType": "FTPImport"}`)
		}, "definition.adaptorType cannot be changed once the Import has a remote import"),
	)

	DescribeTable("cannot change a run",
		func(ctx context.Context, edit func(*v1alpha1.ImportRun)) {
			w := newEmptyWorld(ctx)
			run := w.run("fixed", "nothing", `{"sku": "A-1", "nested": {"a": 1}}`, `null`, `[null]`, `{}`)
			run.Spec.Settings = &v1alpha1.JSON{Raw: []byte(`{"a": 1}`)}
			Expect(k8s.Create(ctx, run)).To(Succeed())
			const says = "an ImportRun's spec is immutable except for suspend, cancel and ttlSecondsAfterFinished: create a new ImportRun"
			for _, also := range []func(*v1alpha1.ImportRun){
				func(*v1alpha1.ImportRun) {},
				func(run *v1alpha1.ImportRun) { run.Spec.Suspend = true },
				func(run *v1alpha1.ImportRun) { run.Spec.Cancel, run.Spec.TTLSecondsAfterFinished = true, seconds(1) },
			} {
				err := errors.New("not tried")
				Eventually(func() error {
					get(ctx, w, run, "fixed")
					also(run)
					edit(run)
					err = k8s.Update(ctx, run)
					return err
				}).Should(MatchError(ContainSubstring(says)))
				Expect(strings.Count(err.Error(), "immutable")).To(Equal(1), err.Error())
				Expect(err).To(MatchError(HaveSuffix("spec: Invalid value: "+says)), "nothing of the records is repeated")
			}
		},
		Entry("its import", func(run *v1alpha1.ImportRun) { run.Spec.ImportRef.Name = "other" }),
		Entry("the kind of its import", func(run *v1alpha1.ImportRun) {
			run.Spec.ImportRef, run.Spec.ImportID, run.Spec.AccountRef = nil, "5f2b7c1d9e8a4b3c2d1e0f9a", &v1alpha1.LocalReference{Name: "default"}
		}),
		Entry("a value in its data", func(run *v1alpha1.ImportRun) { run.Spec.Data[0].Raw = []byte(`{"sku": "A-2", "nested": {"a": 1}}`) }),
		Entry("a key deep in its data", func(run *v1alpha1.ImportRun) { run.Spec.Data[0].Raw = []byte(`{"sku": "A-1", "nested": {"b": 1}}`) }),
		Entry("a record more", func(run *v1alpha1.ImportRun) { run.Spec.Data = append(run.Spec.Data, v1alpha1.JSON{Raw: []byte("{}")}) }),
		Entry("all of its data", func(run *v1alpha1.ImportRun) { run.Spec.Data = nil }),
		Entry("null for a record", func(run *v1alpha1.ImportRun) { run.Spec.Data[3].Raw = []byte(`null`) }),
		Entry("a null in a record, as Lua loses it", func(run *v1alpha1.ImportRun) { run.Spec.Data[2].Raw = []byte(`[]`) }),
		Entry("an empty object, as Lua reads it", func(run *v1alpha1.ImportRun) { run.Spec.Data[3].Raw = []byte(`[]`) }),
		Entry("its settings", func(run *v1alpha1.ImportRun) { run.Spec.Settings.Raw = []byte(`{"b": 1}`) }),
		Entry("no settings", func(run *v1alpha1.ImportRun) { run.Spec.Settings = nil }),
		Entry("its deadline", func(run *v1alpha1.ImportRun) { run.Spec.ActiveDeadlineSeconds = seconds(7) }),
		Entry("a source", from("more")),
		Entry("its size", func(run *v1alpha1.ImportRun) { run.Spec.BatchSize = ptr.To[int32](1) }),
		Entry("its end at a failure", func(run *v1alpha1.ImportRun) { run.Spec.StopOnFailure = true }),
		Entry("its key", func(run *v1alpha1.ImportRun) { run.Spec.IdempotencyKey = "k" }),
		Entry("what it does after a failure", func(run *v1alpha1.ImportRun) { run.Spec.AfterPartialFailure = v1alpha1.PartialFailureSendAgain }),
		Entry("the run that it retries", func(run *v1alpha1.ImportRun) { run.Spec.RetryOf = &v1alpha1.LocalReference{Name: "another"} }),
		Entry("several at once", func(run *v1alpha1.ImportRun) {
			run.Spec.ImportRef.Name, run.Spec.RetryLimit, run.Spec.Data = "other", ptr.To[int32](1), run.Spec.Data[:1]
		}),
	)

	It("can suspend, cancel and expire a run, whatever its records are", func(ctx context.Context) {
		w := newEmptyWorld(ctx)
		run := w.run("fixed", "nothing", `null`, `[null, {}]`, `{"a": null, "b": {}}`, `12`, `"text"`)
		for i := range 9_000 { // about as much as an object can have
			run.Spec.Data = append(run.Spec.Data, v1alpha1.JSON{Raw: fmt.Appendf(nil, `{"sku": "A-%d", "nested": {"text": %q}}`, i, strings.Repeat("x", 70))})
		}
		run.Spec.Settings = &v1alpha1.JSON{Raw: []byte(`{"a": null, "b": {}}`)}
		Expect(k8s.Create(ctx, run)).To(Succeed())
		for _, edit := range []func(*v1alpha1.ImportRun){
			func(run *v1alpha1.ImportRun) { run.Spec.Suspend = true },
			func(run *v1alpha1.ImportRun) {
				run.Spec.Suspend, run.Spec.TTLSecondsAfterFinished = false, seconds(600)
			},
			func(run *v1alpha1.ImportRun) { run.Spec.Cancel, run.Spec.TTLSecondsAfterFinished = true, nil },
		} {
			change(ctx, run, edit)
		}
	})
})

// secretInStatus is why some fields cannot come from a Secret.
const secretInStatus = `path must not be at or below name, externalId, adaptorType or _connectionId, because the status shows these fields`

// valued is the manifest with these values.
func valued(values ...string) string {
	return strings.Replace(importManifest, "spec:", "spec:\n  valuesFrom: ["+strings.Join(values, ", ")+"]", 1)
}

// with adds a line to the manifest's definition.
func with(manifest, line string) string {
	return manifest + "    " + line + "\n"
}

var _ = Describe("I ask kubectl", func() {
	DescribeTable("explain says what a field is for",
		func(ctx context.Context, path string, says ...string) {
			// The API server publishes the schema of a CRD a moment after the kind is served.
			var output string
			Eventually(func() (err error) {
				output, err = kubectl(ctx, "", "explain", path)
				return err
			}).Should(Succeed(), "%s", &output)
			for _, text := range says {
				Expect(strings.Join(strings.Fields(output), " ")).To(ContainSubstring(text))
			}
		},
		Entry("a definition", "import.spec.definition", "_connectionId <string>", "adaptorType <string>", "netsuite_da <Object>", "name <string> -required-"),
		Entry("an adaptor block", "import.spec.definition.http", "Object. Configures an HTTPImport", "formType <Object> Text. One of: assistant, http, rest, graph_ql, assistant_graphql."),
		Entry("a field in a block", "import.spec.definition.http.response", "resourcePath <Object> Array of text or text. Path of the records in the response"),
		Entry("a field with a default", "import.spec.definition.http.sendPostMappedData", "Boolean. Sends the mapped record. False sends the record as it came. Defaults to true."),
		Entry("an element of an array", "import.spec.definition.http.headers.value", "Text. Value of the header."),
		Entry("a mapping in a mapping", "import.spec.definition.mappings.buildArrayHelper.mappings.dataType", "One of: string, number, boolean, object, stringarray"),
		Entry("what the server sets", "import.spec.definition.lastModified", "Set by the server; left out when it is declared."),
		Entry("a value from a Secret", "import.spec.valuesFrom", "override what the definition declares", "JSON pointer (RFC 6901)", "format <string> enum: Text, JSON", "secretKeyRef <Object>"),
		Entry("a policy", "import.spec.driftPolicy", "ENUM: Correct Report", "Correct restores the declared values"),
		Entry("a run's phase", "importrun.status.phase", "check the destination before you run the records again"),
		Entry("aliases", "account.spec.aliases", "so that the same Import works in every environment"),
	)

	It("applies the samples with strict validation, and applies them again without a change", func(ctx context.Context) {
		w := newEmptyWorld(ctx)
		files, err := filepath.Glob(filepath.Join("..", "config", "samples", "*.yaml"))
		Expect(err).NotTo(HaveOccurred())
		var samples int
		for _, file := range files {
			if filepath.Base(file) == "kustomization.yaml" {
				continue
			}
			samples++
			output, err := kubectl(ctx, "", "apply", "--validate=strict", "-n", w.namespace, "-f", file)
			Expect(err).NotTo(HaveOccurred(), output)
			output, err = kubectl(ctx, "", "apply", "--validate=strict", "-n", w.namespace, "-f", file)
			Expect(err).NotTo(HaveOccurred(), output)
			for line := range strings.Lines(output) {
				// kubectl calls a Secret with stringData configured each time.
				Expect(line).To(Or(HavePrefix("secret/"), HaveSuffix(" unchanged\n")), file)
			}
		}
		Expect(samples).To(BeNumerically(">=", 5))
	})
})

var _ = Describe("I keep a manifest in Git", func() {
	It("is stored as I wrote it: nothing dropped, reordered or respelt", func(ctx context.Context) {
		w := newEmptyWorld(ctx)
		manifest := `
apiVersion: integrator.io/v1alpha1
kind: Import
metadata: {name: kept}
spec:
  definition:
    name: "Zażółć 😀"
    _connectionId: 64a0000000000000000000a1
    description: ""
    oneToMany: false
    maxAttempts: 0
    distributed: null
    mapping: {fields: [], lists: null}
    lookups: []
    settings: {}
    filter: null
    parsers: [null, 1, "x", {}]
    http: {body: [null, "{{record}}"], batchSize: 9007199254740993, ratio: 0.1, nested: {deep: [[], {}, false, 0, ""]}}
    _anythingId: "@later"
    unknownField: {a: null, b: [1, 1.5, -9223372036854775808]}
`
		// Client-side apply takes a null for "remove this"; server-side apply stores it.
		output, err := kubectl(ctx, manifest, "apply", "--server-side", "--validate=strict", "-n", w.namespace, "-f", "-")
		Expect(err).NotTo(HaveOccurred(), output)
		w.eventually(ctx, &v1alpha1.Import{}, "kept", "Failed False/AccountNotFound")

		var declared map[string]any
		asJSON, err := yaml.YAMLToJSON([]byte(manifest))
		Expect(err).NotTo(HaveOccurred())
		Expect(decode(asJSON, &declared)).To(Succeed())

		stored := &unstructured.Unstructured{}
		stored.SetAPIVersion("integrator.io/v1alpha1")
		stored.SetKind("Import")
		Expect(k8s.Get(ctx, client.ObjectKey{Namespace: w.namespace, Name: "kept"}, stored)).To(Succeed())
		raw, err := stored.MarshalJSON()
		Expect(err).NotTo(HaveOccurred())
		var read map[string]any
		Expect(decode(raw, &read)).To(Succeed())
		definition := func(object map[string]any) any { return object["spec"].(map[string]any)["definition"] }
		Expect(definition(read)).To(Equal(definition(declared)), string(raw))
	})
})
