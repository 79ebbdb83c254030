// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/ownership"
)

// What docs/operating.md says of operators that watch some namespaces.
var _ = Describe("Operators watch some namespaces", func() {
	prod := ownership.Owner{ID: "prod"}
	var (
		w, second *world
		operate   func(owner ownership.Owner, others ...string)
	)
	BeforeEach(func(ctx context.Context) {
		w, second = newWorld(ctx), newEmptyWorld(ctx)
		operate, _ = w.operators()
		// Both namespaces use the account of the first one.
		second.account = w.account
		Expect(k8s.Create(ctx, second.secret("token", w.token))).To(Succeed())
		Expect(k8s.Create(ctx, second.accountObject("default"))).To(Succeed())
	})

	It("and two of one cluster do not take the imports of each other, also with one owner id", func(ctx context.Context) {
		operate(prod)
		first := w.synced(ctx, w.httpImport("prices"))
		stopSecond := startManagerOf(k8s.Scheme(), prod, second.namespace)
		DeferCleanup(func() { stopSecond() })

		By("declaring the same in the other namespace")
		same := second.httpImport("prices")
		Expect(k8s.Create(ctx, same)).To(Succeed())
		second.eventually(ctx, same, "prices", "Failed False/OwnershipConflict")
		Expect(message(same)).To(ContainSubstring(v1alpha1.AnnotationAllowNamesake))
		Expect(w.writes()).To(Equal(map[string]int{post: 1}))

		By("taking it over there, which the first operator learns from the marker")
		other := adopting(second.httpImport("prices-of-the-second"), v1alpha1.AdoptSpec{ID: v1alpha1.ID(first.Status.ID), Mode: v1alpha1.AdoptionModeOverride})
		second.synced(ctx, other)
		w.eventually(ctx, first, "prices", "Failed False/OwnershipConflict")
		Expect(w.remote(first.Status.ID)).To(HaveKeyWithValue("externalId", "k8s/prod/"+second.namespace+"/prices-of-the-second"))
		w.scans(2)
		Expect(w.writes()).To(Equal(map[string]int{post: 1, put: 1}), "the second one has written its marker and its name, and the first one writes no more")
	})

	It("and Imports of two operators both manage what they adopt with Match, until one of them writes", func(ctx context.Context) {
		operate(prod)
		stopSecond := startManagerOf(k8s.Scheme(), prod, second.namespace)
		DeferCleanup(func() { stopSecond() })
		adopt := v1alpha1.AdoptSpec{ID: v1alpha1.ID(w.seed("prices")), Mode: v1alpha1.AdoptionModeMatch}
		first := w.synced(ctx, adopting(w.httpImport("prices"), adopt))
		other := second.synced(ctx, adopting(second.httpImport("prices"), adopt))
		Expect(w.writes()).To(BeEmpty())

		change(ctx, other, func(object *v1alpha1.Import) {
			object.Spec.Definition.Raw = overlaid(string(object.Spec.Definition.Raw), `{"description": "of the second"}`)
		})
		second.eventuallyReady(ctx, other, "prices")
		w.eventually(ctx, first, "prices", "Failed False/OwnershipConflict")
		Expect(w.writes()).To(Equal(map[string]int{put: 1}))
	})

	It("and of two Imports that adopt one import from two of these namespaces, one gets it", func(ctx context.Context) {
		operate(prod, second.namespace)
		id := w.seed("prices")
		adopt := v1alpha1.AdoptSpec{ID: v1alpha1.ID(id), Mode: v1alpha1.AdoptionModeMatch}
		one, other := adopting(w.httpImport("prices"), adopt), adopting(second.httpImport("prices"), adopt)
		Expect(k8s.Create(ctx, one)).To(Succeed())
		Expect(k8s.Create(ctx, other)).To(Succeed())
		Eventually(func(g Gomega) {
			get(ctx, w, one, "prices")
			get(ctx, second, other, "prices")
			g.Expect([]string{state(one), state(other)}).To(ConsistOf("Current True/Synced", "Failed False/OwnershipConflict"))
		}).Should(Succeed())
		Expect(w.writes()).To(BeEmpty())
	})
})
