// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"
	"net/http"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/simulator"
)

// The old cluster's imports have the ownership markers of Imports that do not exist here.
var _ = Describe("I apply my Git to a new cluster", func() {
	const marker = "k8s/00000000-0000-0000-0000-000000000000"
	// refused is an Import whose name the old cluster's import of this id has.
	refused := func(ctx context.Context, externalID string, declared ...string) (w *world, id string, object *v1alpha1.Import) {
		GinkgoHelper()
		w = newWorld(ctx)
		id = w.seed("prices", `{"externalId": "`+externalID+`"}`)
		w.scans(1)
		object = w.httpImport("prices", declared...)
		Expect(k8s.Create(ctx, object)).To(Succeed())
		w.eventually(ctx, object, "prices", "Failed False/OwnershipConflict")
		return w, id, object
	}

	It("does not make a second set of what the old cluster created, and names both ways out", func(ctx context.Context) {
		w, id, object := refused(ctx, marker)
		Expect(message(object)).To(And(ContainSubstring(id), ContainSubstring("spec.adopt.id"), ContainSubstring(v1alpha1.AnnotationAllowNamesake)))
		w.scans(2)
		Expect(w.writes()).To(BeEmpty())

		By("taking it over, which keeps its id for the flows")
		change(ctx, object, func(object *v1alpha1.Import) {
			object.Spec.Adopt = &v1alpha1.AdoptSpec{ID: v1alpha1.ID(id), Mode: v1alpha1.AdoptionModeOverride}
		})
		w.eventuallyReady(ctx, object, "prices")
		Expect(object.Status.ID).To(Equal(id))
		Expect(w.writes()).To(Equal(map[string]int{put: 1}))
	})

	It("does not make a second import with the externalId that I declare, not before the old one is gone", func(ctx context.Context) {
		w, id, object := refused(ctx, "erp-prices", `{"externalId": "erp-prices"}`)
		Expect(message(object)).To(And(ContainSubstring(id), ContainSubstring("erp-prices"), ContainSubstring("spec.adopt.id"), ContainSubstring(v1alpha1.AnnotationAllowNamesake)))
		w.scans(2)
		Expect(w.writes()).To(BeEmpty())

		By("not believing a 404 that the list does not confirm")
		found := w.notFound(http.MethodGet, "/v1/imports/{id}")
		change(ctx, object, func(object *v1alpha1.Import) {
			object.Annotations = map[string]string{v1alpha1.AnnotationReconcileRequestedAt: "before"}
		})
		w.eventually(ctx, object, "prices", "InProgress False/UnexpectedResponse")
		Expect(message(object)).To(HavePrefix("the API answers 404 for the import " + id + " of the same name, but its last list has it"))
		Expect(w.writes()).To(BeEmpty())
		found()
		w.eventually(ctx, object, "prices", "Failed False/OwnershipConflict")

		By("deleting it on the platform, before a scan that is far off")
		w.configure(ctx, func(spec *v1alpha1.AccountSpec) { spec.ScanInterval = "1h" })
		Expect(sim.DeleteAs(jane, w.account, id)).To(Succeed())
		change(ctx, object, func(object *v1alpha1.Import) {
			object.Annotations = map[string]string{v1alpha1.AnnotationReconcileRequestedAt: "now"}
		})
		w.eventuallyReady(ctx, object, "prices")
		Expect(w.writes()).To(Equal(map[string]int{post: 1}))
	})

	It("creates another beside it when I insist", func(ctx context.Context) {
		w, id, object := refused(ctx, marker)
		change(ctx, object, func(object *v1alpha1.Import) {
			object.Annotations = map[string]string{v1alpha1.AnnotationAllowNamesake: "true"}
		})
		w.eventuallyReady(ctx, object, "prices")
		Expect(object.Status.ID).NotTo(Equal(id))
		Expect(w.writes()).To(Equal(map[string]int{post: 1}))
	})

	It("creates another with the same externalId where an Import here has the first, and where the name is another", func(ctx context.Context) {
		w := newWorld(ctx)
		w.seed("others", `{"externalId": "erp-prices"}`)
		w.scans(1)
		first := w.synced(ctx, w.httpImport("prices", `{"externalId": "erp-prices"}`))
		w.scans(2)
		second := w.httpImport("second")
		second.Spec.Definition.Raw = first.Spec.Definition.Raw
		w.synced(ctx, second)
		Expect(w.writes()).To(Equal(map[string]int{post: 2}))
	})

	It("creates an import whose name only those have that are no operator's, or that live here", func(ctx context.Context) {
		w := newWorld(ctx)
		w.seed("prices")
		first := w.synced(ctx, w.httpImport("prices"))
		second := w.httpImport("second")
		second.Spec.Definition.Raw = first.Spec.Definition.Raw
		w.scans(1)
		w.synced(ctx, second)
		Expect(w.writes()).To(Equal(map[string]int{post: 2}))
	})

	It("goes on when the old one has another name", func(ctx context.Context) {
		w, id, object := refused(ctx, marker)
		Expect(sim.EditAs(jane, w.account, id, func(document simulator.Document) { document["name"] = "old prices" })).To(Succeed())
		w.scans(1)
		change(ctx, object, func(object *v1alpha1.Import) {
			object.Annotations = map[string]string{v1alpha1.AnnotationReconcileRequestedAt: "now"}
		})
		w.eventuallyReady(ctx, object, "prices")
	})
})
