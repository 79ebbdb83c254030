// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/ownership"
)

// takesOver is the same import under another name, which adopts the first one's.
func (w *world) takesOver(name string, first *v1alpha1.Import) *v1alpha1.Import {
	object := adopting(w.httpImport(name), v1alpha1.AdoptSpec{ID: v1alpha1.ID(first.Status.ID), Mode: v1alpha1.AdoptionModeOverride})
	object.Spec.Definition.Raw = first.Spec.Definition.Raw
	return object
}

var _ = Describe("I rename an Import in Git", func() {
	// soon is far less than the five minutes after which a refused adoption is retried.
	const soon = 10 * time.Second

	It("keeps its remote import, although the flows use it, whichever comes first", func(ctx context.Context) {
		w := newWorld(ctx)
		first := w.synced(ctx, w.httpImport("prices"))
		id := first.Status.ID
		Expect(sim.AddFlow(w.account, w.flow(1, id))).To(Succeed())
		second := w.takesOver("price-list", first)

		By("applying the new one, as Argo CD and Flux do before they prune")
		Expect(k8s.Create(ctx, second)).To(Succeed())
		w.eventually(ctx, second, "price-list", "Failed False/OwnershipConflict")

		By("pruning the old one")
		Expect(k8s.Delete(ctx, first)).To(Succeed())
		w.eventuallyGone(ctx, first)
		Eventually(func() string { get(ctx, w, second, "price-list"); return second.Status.ID }).WithTimeout(soon).Should(Equal(id))
		w.eventuallyReady(ctx, second, "price-list")
		Expect(w.events(ctx, "prices")).To(ContainElement(ContainSubstring(v1alpha1.ReasonHandedOver)))
		Expect(w.writes()).To(Equal(map[string]int{post: 1, put: 1}), "one write gives it the new marker")
		Expect(w.remote(id)).To(HaveKeyWithValue("externalId", ownership.Owner{}.Marker(second)))
	})

	It("is not handed over to another namespace, nor to one that only observes", func(ctx context.Context) {
		w := newWorld(ctx)
		first := w.synced(ctx, w.httpImport("prices"))
		observing := w.takesOver("observing", first)
		observing.Spec.ManagementPolicy = v1alpha1.ManagementPolicyObserve
		w.synced(ctx, observing)
		Expect(k8s.Delete(ctx, first)).To(Succeed())
		w.eventuallyGone(ctx, first)
		Expect(w.writes()).To(HaveKeyWithValue(remove, 1))
	})

	It("takes over within seconds when the other lets go", func(ctx context.Context) {
		w := newWorld(ctx)
		first := w.synced(ctx, w.httpImport("prices"))
		second := w.takesOver("price-list", first)
		Expect(k8s.Create(ctx, second)).To(Succeed())
		w.eventually(ctx, second, "price-list", "Failed False/OwnershipConflict")
		change(ctx, first, func(object *v1alpha1.Import) { object.Spec.ManagementPolicy = v1alpha1.ManagementPolicyObserve })
		Eventually(func() string { get(ctx, w, second, "price-list"); return second.Status.ID }).WithTimeout(soon).Should(Equal(first.Status.ID))
		Expect(client.IgnoreNotFound(k8s.Delete(ctx, first))).To(Succeed())
	})
})
