// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/simulator"
)

// fixtureImports are the simulator's fixtures, of every kind of import, by their names as
// objects.
func (w *world) fixtureImports() map[string]*v1alpha1.Import {
	imports := map[string]*v1alpha1.Import{}
	for _, fixture := range simulator.Fixtures() {
		name := strings.ToLower(fixture.Name)
		imports[name] = w.declare(name, string(fixture.Document))
	}
	return imports
}

var _ = Describe("I declare imports of every kind, as people write them", func() {
	It("creates each with one call, and never mistakes what the API makes of it for drift", func(ctx context.Context) {
		w := newWorld(ctx)
		imports := w.fixtureImports()
		for _, object := range imports {
			Expect(k8s.Create(ctx, object)).To(Succeed())
		}
		for name, object := range imports {
			w.eventuallyReady(ctx, object, name)
			Expect(object.Status.NotAccepted).To(BeEmpty(), name)
		}
		created := map[string]int{post: len(imports)}
		w.scans(2)
		Expect(w.calls()).To(Equal(created))

		By("reconciling each when I ask")
		for _, object := range imports {
			change(ctx, object, func(object *v1alpha1.Import) {
				object.Annotations["integrator.io/reconcile-requested-at"] = "now"
			})
		}
		for name, object := range imports {
			Eventually(func() string { return get(ctx, w, object, name).Status.LastHandledReconcileAt }).Should(Equal("now"), name)
			Expect(state(object)).To(Equal("Current True/Synced"), name)
		}
		Expect(w.calls()).To(Equal(map[string]int{post: len(imports), getOne: len(imports), dependants: len(imports), audit: len(imports)}))

		By("leaving alone what others set beside it")
		for _, object := range imports {
			Expect(sim.EditAs(jane, w.account, object.Status.ID, func(document simulator.Document) {
				document["uiNote"] = "mine"
				for _, block := range document {
					// In each block as well, beside what is declared there.
					if object, ok := block.(map[string]any); ok {
						object["uiNote"] = "mine"
					}
				}
			})).To(Succeed())
		}
		for name, object := range imports {
			edited := w.remote(object.Status.ID)["lastModified"]
			Eventually(func() any { return get(ctx, w, object, name).Status.LastModified }).Should(Equal(edited), name)
			Expect(state(object)).To(Equal("Current True/Synced"), name)
		}
		Expect(w.calls()).To(Equal(map[string]int{post: len(imports), getOne: 2 * len(imports), dependants: len(imports), audit: len(imports)}))
	})

	It("restores what I declared in an enum, and does not report its case", func(ctx context.Context) {
		w := newWorld(ctx)
		object := w.synced(ctx, w.declare("stock", `{"name": "stock", "_connectionId": "@ftp", "adaptorType": "FTPImport",
			"ftp": {"directoryPath": "/out"}, "file": {"type": "CSV", "compressionFormat": "GZIP"}}`))
		file := func() any { return w.remote(object.Status.ID)["file"] }
		Expect(file()).To(HaveKeyWithValue("type", "csv"))

		Expect(sim.EditAs(jane, w.account, object.Status.ID, func(document simulator.Document) {
			document["file"].(map[string]any)["type"] = "json"
		})).To(Succeed())
		Eventually(file).Should(HaveKeyWithValue("type", "csv"))
		w.scans(2)
		w.eventuallyReady(ctx, object, "stock")
		Expect(w.calls()).To(HaveKeyWithValue(put, 1))
	})

	It("writes a change of a REST import without the copy that the API shows beside it", func(ctx context.Context) {
		w := newWorld(ctx)
		rest := func(method string) string {
			return `{"name": "tickets", "_connectionId": "@shop", "adaptorType": "RESTImport",
				"rest": {"method": ["` + method + `"], "relativeURI": ["/tickets"], "requestMediaType": "JSON"}}`
		}
		object := w.synced(ctx, w.declare("tickets", rest("POST")))
		Expect(w.remote(object.Status.ID)["http"]).To(HaveKeyWithValue("method", ConsistOf("POST")))
		change(ctx, object, func(object *v1alpha1.Import) { object.Spec.Definition.Raw = []byte(rest("PUT")) })
		w.eventuallyReady(ctx, object, "tickets")
		Expect(w.remote(object.Status.ID)["http"]).To(HaveKeyWithValue("method", ConsistOf("PUT")))

		By("sending none, as shows where the API makes none")
		Expect(sim.SetChoices(func(c *simulator.Choices) { c.EchoRESTAsHTTP = false })).To(Succeed())
		DeferCleanup(func() { Expect(sim.SetChoices(func(c *simulator.Choices) { c.EchoRESTAsHTTP = true })).To(Succeed()) })
		change(ctx, object, func(object *v1alpha1.Import) { object.Spec.Definition.Raw = []byte(rest("PATCH")) })
		w.eventuallyReady(ctx, object, "tickets")
		Expect(w.remote(object.Status.ID)["rest"]).To(HaveKeyWithValue("method", ConsistOf("PATCH")))
		Expect(w.remote(object.Status.ID)).NotTo(HaveKey("http"))
		w.scans(2)
		Expect(w.calls()).To(HaveKeyWithValue(put, 2))
	})
})
