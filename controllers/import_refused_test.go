// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"
	"fmt"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/simulator"
)

// overriding is an Import that takes over an import with a query type that the API has come to refuse.
func (w *world) overriding(name string, more ...string) *v1alpha1.Import {
	GinkgoHelper()
	id := w.seed(name, `{"adaptorType": "RDBMSImport", "http": null, "rdbms": {"queryType": ["LEGACY"], "query": ["x"], "kind": "LEGACY"}}`)
	Expect(sim.SetChoices(func(c *simulator.Choices) { c.RefusedValues = []string{"rdbms.queryType=LEGACY", "rdbms.kind=LEGACY"} })).To(Succeed())
	DeferCleanup(func() { Expect(sim.SetChoices(func(c *simulator.Choices) { c.RefusedValues = nil })).To(Succeed()) })
	object := w.declare(name, append([]string{`{"name": "` + name + `", "_connectionId": "@shop", "adaptorType": "RDBMSImport", "description": "declared"}`}, more...)...)
	return adopting(object, v1alpha1.AdoptSpec{ID: v1alpha1.ID(id), Mode: v1alpha1.AdoptionModeOverride})
}

// dropUnknown has the API drop fields that it does not know, for the length of a story.
func dropUnknown() {
	GinkgoHelper()
	Expect(sim.SetChoices(func(c *simulator.Choices) { c.UnknownFields = simulator.UnknownFieldsDropAll })).To(Succeed())
	DeferCleanup(func() {
		Expect(sim.SetChoices(func(c *simulator.Choices) { c.UnknownFields = simulator.UnknownFieldsKeep })).To(Succeed())
	})
}

var _ = Describe("The API does not accept a value", func() {
	It("says how it differs, where it comes from, and what helps", func(ctx context.Context) {
		w := newWorld(ctx)
		lowerCase("file.fileName")
		lowerCase("file.backupPath")
		dropUnknown()
		w.keep(ctx, "S3CRET")
		object := w.httpImport("loud", `{"unheard": 1, "file": {"fileName": "JSON"}, "http": {"type": "file", "method": ["POST"], "relativeURI": ["/"], "body": [null]}}`)
		object.Spec.ValuesFrom = []v1alpha1.ValueSource{fromSecret("/file/backupPath", "key", "key")}
		Expect(k8s.Create(ctx, object)).To(Succeed())
		w.eventually(ctx, object, "loud", "Failed False/NotAccepted")
		says := `the API did not accept what is declared: ` +
			`/file/backupPath (declared (redacted), remote (redacted); from key "key" of Secret "key"); ` +
			`/file/fileName (declared "JSON", remote "json": they differ only in letter case); ` +
			`/unheard (declared 1, remote none); ` +
			`for /file/backupPath: correct the value in key "key" of Secret "key", or list the path in spec.ignoreDifferences; ` +
			`for /file/fileName: declare what it answers, or list the path in spec.ignoreDifferences; ` +
			`for /unheard: remove it from the definition, or list the path in spec.ignoreDifferences`
		Expect(message(object)).To(Equal(says))
		Expect(object.Status.NotAccepted).To(ContainElement(v1alpha1.Difference{
			Path: "/file/fileName", Declared: `"JSON"`, Remote: `"json"`, Hint: "they differ only in letter case"}))
		w.scans(2)
		Expect(message(get(ctx, w, object, "loud"))).To(Equal(says), "from the status as well")

		By("following each advice")
		w.keep(ctx, "s3cret")
		change(ctx, object, func(object *v1alpha1.Import) {
			object.Spec.Definition.Raw = w.httpImport("loud", `{"file": {"fileName": "json"}, "http": {"type": "file", "method": ["POST"], "relativeURI": ["/"], "body": [null]}}`).Spec.Definition.Raw
		})
		w.eventuallyReady(ctx, object, "loud")
	})

	It("says so of a field in a block like of one at the top, and names what is probably meant", func(ctx context.Context) {
		w := newWorld(ctx)
		dropUnknown()
		object := w.declare("nested", `{"name": "nested", "_connectionId": "@shop", "adaptorType": "HTTPImport", "descripton": "x",
			"http": {"method": ["POST"], "relativeUri": ["/a"], "headers": [{"name": "a", "vlaue": "b"}]}}`)
		Expect(k8s.Create(ctx, object)).To(Succeed())
		w.eventually(ctx, object, "nested", "Failed False/NotAccepted")
		var paths []string
		for _, difference := range object.Status.NotAccepted {
			paths = append(paths, difference.Path)
		}
		Expect(paths).To(Equal([]string{"/descripton", "/http/headers/0/vlaue", "/http/relativeUri"}))
		Expect(object.Status.Warnings).To(ContainElement("/http/relativeUri: the API documents no field of this name; did you mean relativeURI?"))
	})

	It("says that a refused field is one of the remote import, and takes another value or null for it", func(ctx context.Context) {
		w := newWorld(ctx)
		object := w.overriding("legacy")
		Expect(k8s.Create(ctx, object)).To(Succeed())
		w.eventually(ctx, object, "legacy", "Failed False/Rejected")
		stands := func(field string) string {
			return field + " is not in spec.definition, so it is sent as it is in the remote import: declare it with a value that the API accepts"
		}
		Expect(message(object)).To(And(HavePrefix("cannot update the import: the API rejects it (422: field rdbms.queryType: `LEGACY` is not a valid enum value"),
			HaveSuffix("); "+stands("rdbms.queryType")+"; "+stands("rdbms.kind"))))

		// An explicit null is sent: the field that is not required has no value then.
		change(ctx, object, define(`{"rdbms": {"queryType": ["INSERT"], "kind": null}}`))
		w.eventuallyReady(ctx, object, "legacy")
		Expect(w.remote(object.Status.ID)["rdbms"]).To(Equal(map[string]any{"queryType": []any{"INSERT"}, "query": []any{"x"}, "kind": nil}))

		// What is no longer declared is removed, which the API refuses too.
		change(ctx, object, define(`{"rdbms": {"kind": null}}`))
		w.eventually(ctx, object, "legacy", "Failed False/Rejected")
		Expect(message(object)).To(HaveSuffix("rdbms.queryType is no longer in spec.definition, so it is removed from the remote import: declare it again"))
		change(ctx, object, define(`{"rdbms": {"queryType": ["UPDATE"], "kind": null}}`))
		w.eventuallyReady(ctx, object, "legacy")
	})

	It("empties a refused field when I apply null on the server", func(ctx context.Context) {
		w := newWorld(ctx)
		object := w.overriding("legacy")
		manifest := `{"apiVersion": "integrator.io/v1alpha1", "kind": "Import", "metadata": {"name": "legacy"}, "spec": {"adopt": {"id": "` +
			string(object.Spec.Adopt.ID) + `", "mode": "Override"}, "definition": {"name": "legacy", "_connectionId": "@shop", "adaptorType": "RDBMSImport", "rdbms": {"queryType": ["INSERT"]%s}}}}`
		output, err := kubectl(ctx, fmt.Sprintf(manifest, ""), "apply", "-n", w.namespace, "-f", "-")
		Expect(err).NotTo(HaveOccurred(), output)
		w.eventually(ctx, object, "legacy", "Failed False/Rejected")
		Expect(message(object)).To(HaveSuffix("rdbms.kind is not in spec.definition, so it is sent as it is in the remote import: declare it with a value that the API accepts"))

		output, err = kubectl(ctx, fmt.Sprintf(manifest, `, "kind": null`), "apply", "-n", w.namespace, "-f", "-")
		Expect(err).NotTo(HaveOccurred(), output)
		Expect(string(get(ctx, w, object, "legacy").Spec.Definition.Raw)).NotTo(ContainSubstring("kind"), "null is taken for a field to remove from the manifest")

		output, err = kubectl(ctx, fmt.Sprintf(manifest, `, "kind": null`), "apply", "--server-side", "-n", w.namespace, "-f", "-")
		Expect(err).NotTo(HaveOccurred(), output)
		w.eventuallyReady(ctx, object, "legacy")
		Expect(w.remote(object.Status.ID)["rdbms"]).To(HaveKeyWithValue("kind", BeNil()))
	})

	It("says that a refused value comes from an alias or from a Secret, and repeats nothing of the Secret", func(ctx context.Context) {
		w := newWorld(ctx)
		change(ctx, get(ctx, w, &v1alpha1.Account{}, "default"), func(account *v1alpha1.Account) {
			account.Spec.Aliases["gone"] = "64a0000000000000000000e9"
		})
		object := w.httpImport("aliased", `{"_connectionId": "@gone"}`)
		Expect(k8s.Create(ctx, object)).To(Succeed())
		w.eventually(ctx, object, "aliased", "Failed False/Rejected")
		Expect(message(object)).To(HaveSuffix(`_connectionId comes from alias "gone" of Account "default": correct it there`))

		w.keep(ctx, "S3CRET")
		object = w.httpImport("valued")
		object.Spec.ValuesFrom = []v1alpha1.ValueSource{fromSecret("/file/type", "key", "key")}
		Expect(k8s.Create(ctx, object)).To(Succeed())
		w.eventually(ctx, object, "valued", "Failed False/Rejected")
		Expect(message(object)).To(And(HaveSuffix(`file.type comes from key "key" of Secret "key": correct it there`), Not(ContainSubstring("S3CRET"))))
		w.keep(ctx, "json")
		w.eventuallyReady(ctx, object, "valued")
	})
})
