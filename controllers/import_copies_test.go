// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"
	"net/http"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	apimeta "k8s.io/apimachinery/pkg/api/meta"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/simulator"
)

// cloned clones an import in the UI, and edits the clone there.
func (w *world) cloned(id string) (clone string) {
	GinkgoHelper()
	clone, err := sim.CloneAs(jane, w.account, id, "Clone - prices")
	Expect(err).NotTo(HaveOccurred())
	Expect(sim.EditAs(jane, w.account, clone, func(document simulator.Document) {
		document["name"], document["description"] = "prices of Jane", "hers"
	})).To(Succeed())
	return clone
}

// A clone keeps the externalId of its original, and so the ownership marker in it.
var _ = Describe("Somebody clones my import in the UI", func() {
	var (
		w      *world
		object *v1alpha1.Import
		clone  string
		before simulator.Document
	)
	BeforeEach(func(ctx context.Context) {
		w = newWorld(ctx)
		object = w.synced(ctx, w.httpImport("prices"))
		clone = w.cloned(object.Status.ID)
		before = w.remote(clone)
		Expect(before).To(HaveKeyWithValue("externalId", "k8s/"+string(object.UID)))
	})
	AfterEach(func() { Expect(w.remote(clone)).To(Equal(before)) })

	It("is told of the clone once, and leaves it alone", func(ctx context.Context) {
		Eventually(func() []string { get(ctx, w, object, "prices"); return object.Status.Copies }).Should(Equal([]string{clone}))
		w.scans(3)
		Expect(w.told(ctx, "prices", v1alpha1.ReasonCopyFound)).To(Equal(1))
		Expect(w.calls()).To(HaveKeyWithValue(post, 1))
		Expect(w.writes()).To(Equal(map[string]int{post: 1}))

		By("forgetting it when it is deleted")
		spare := w.cloned(object.Status.ID)
		Eventually(func() []string { get(ctx, w, object, "prices"); return object.Status.Copies }).Should(ConsistOf(clone, spare))
		Expect(sim.DeleteAs(jane, w.account, spare)).To(Succeed())
		Eventually(func() []string { get(ctx, w, object, "prices"); return object.Status.Copies }).Should(Equal([]string{clone}))
		Expect(w.writes()).To(Equal(map[string]int{post: 1}))
	})

	It("creates mine again when it is deleted, and shows it when it is restored", func(ctx context.Context) {
		first := object.Status.ID
		Expect(sim.DeleteAs(jane, w.account, first)).To(Succeed())
		Eventually(func() string { get(ctx, w, object, "prices"); return object.Status.ID }).ShouldNot(BeElementOf(first, ""))
		w.eventuallyReady(ctx, object, "prices")
		Expect(object.Status.ID).NotTo(Equal(clone))
		Expect(w.writes()).To(Equal(map[string]int{post: 2}))

		By("restoring the first one from the recycle bin")
		Expect(sim.Restore(w.account, first)).To(Succeed())
		Eventually(func() []string { get(ctx, w, object, "prices"); return object.Status.Copies }).Should(ConsistOf(clone, first))
		Expect(k8s.Delete(ctx, object)).To(Succeed())
		w.eventuallyGone(ctx, object)
		Expect(w.writes()).To(Equal(map[string]int{post: 2, http.MethodDelete + " /v1/imports/{id}": 1}))
		w.remote(first)
	})

	It("does not delete the clone when mine is gone already", func(ctx context.Context) {
		Expect(sim.DeleteAs(jane, w.account, object.Status.ID)).To(Succeed())
		Expect(k8s.Delete(ctx, object)).To(Succeed())
		w.eventuallyGone(ctx, object)
		Expect(w.writes()).NotTo(HaveKey(http.MethodDelete + " /v1/imports/{id}"))
	})

	It("takes mine back when it is restored while the operator is away", func(ctx context.Context) {
		change(ctx, object, func(object *v1alpha1.Import) { object.Spec.Suspend = true })
		Eventually(func() bool {
			get(ctx, w, object, "prices")
			return apimeta.IsStatusConditionTrue(object.Status.Conditions, v1alpha1.ConditionSuspended)
		}).Should(BeTrue())
		Expect(sim.DeleteAs(jane, w.account, object.Status.ID)).To(Succeed())
		w.scans(1)
		Expect(sim.Restore(w.account, object.Status.ID)).To(Succeed())
		own := object.Status.ID
		change(ctx, object, func(object *v1alpha1.Import) { object.Spec.Suspend = false })
		w.eventuallyReady(ctx, object, "prices")
		Expect(object.Status.ID).To(Equal(own))
		Expect(w.writes()).To(Equal(map[string]int{post: 1}))
	})

	It("can be managed by another Import that adopts it", func(ctx context.Context) {
		other := adopting(w.httpImport("janes"), v1alpha1.AdoptSpec{ID: v1alpha1.ID(clone)})
		other.Spec.DeletionPolicy = v1alpha1.DeletionPolicyOrphan
		Expect(k8s.Create(ctx, other)).To(Succeed())
		w.eventually(ctx, other, "janes", "Failed False/OwnershipConflict")
		Expect(message(other)).To(ContainSubstring("mode Override"))
	})
})
