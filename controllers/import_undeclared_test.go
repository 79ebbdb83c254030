// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/simulator"
	"github.com/integrator-operator/integrator-operator/internal/simulator/document"
	"github.com/integrator-operator/integrator-operator/internal/simulator/wire"
)

// objectOf returns a JSON object, as the API gets it.
func objectOf(text string) simulator.Document {
	GinkgoHelper()
	read, err := document.DecodeObject([]byte(text))
	Expect(err).NotTo(HaveOccurred())
	return read
}

// answered is a value of a remote import as the API answers it.
func answered(value any) string {
	GinkgoHelper()
	text, err := wire.Encode(value)
	Expect(err).NotTo(HaveOccurred())
	return string(text)
}

var _ = Describe("Others keep something in fields that I do not declare", func() {
	It("keeps texts that are not Unicode when I change my definition", func(ctx context.Context) {
		const notes = `{"bytes":"` + "\xff\xed\xa0\xbd" + `","\ud83d":["\ude00\ud83d \u0000"]}`
		w := newWorld(ctx)
		object := w.synced(ctx, w.httpImport("kept", `{"description": "declared", "assistantMetadata": {"mine": 1}}`))
		Expect(sim.EditAs(jane, w.account, object.Status.ID, func(remote simulator.Document) {
			remote["settings"] = objectOf(notes)
			remote["description"] = objectOf(`{"a": "by hand \ud83d"}`)["a"]
			remote["assistantMetadata"] = objectOf(`{"mine": 2, "theirs": "\ud83d"}`)
		})).To(Succeed())

		Eventually(func() any { return w.remote(object.Status.ID)["description"] }).Should(Equal("declared"))
		w.eventuallyReady(ctx, object, "kept")
		Expect(answered(w.remote(object.Status.ID)["settings"])).To(Equal(notes))
		Expect(answered(w.remote(object.Status.ID)["assistantMetadata"])).To(Equal(`{"mine":1,"theirs":"\ud83d"}`))
		Eventually(func() []string { return w.events(ctx, "kept") }).Should(ContainElement(ContainSubstring(`remote "by hand \ud83d"`)))

		// assistantMetadata alone goes by PATCH.
		change(ctx, object, func(object *v1alpha1.Import) {
			object.Spec.Definition.Raw = overlaid(string(object.Spec.Definition.Raw), `{"assistantMetadata": {"mine": 3}}`)
		})
		Eventually(func() string { return answered(w.remote(object.Status.ID)["assistantMetadata"]) }).Should(Equal(`{"mine":3,"theirs":"\ud83d"}`))
		w.eventuallyReady(ctx, object, "kept")
		Expect(w.writes()).To(Equal(map[string]int{post: 1, put: 1, patch: 1}))
	})
})
