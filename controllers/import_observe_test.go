// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/simulator"
)

var _ = Describe("I only observe an import", func() {
	observing := func(object *v1alpha1.Import) *v1alpha1.Import {
		object.Spec.ManagementPolicy = v1alpha1.ManagementPolicyObserve
		return object
	}

	It("never writes, whatever happens to it", func(ctx context.Context) {
		w := newWorld(ctx)
		id := w.seed("watched", `{"description": "by hand"}`)
		object := observing(adopting(w.httpImport("watched", `{"description": "declared"}`), v1alpha1.AdoptSpec{ID: v1alpha1.ID(id), Mode: v1alpha1.AdoptionModeOverride}))
		w.synced(ctx, object)
		Expect(object.Status.Drift).To(Equal([]v1alpha1.Difference{{Path: "/description", Declared: `"declared"`, Remote: `"by hand"`}}))

		By("telling of a further change, and of its author")
		Expect(sim.EditAs(jane, w.account, id, func(document simulator.Document) { document["name"] = "renamed" })).To(Succeed())
		Eventually(func() []v1alpha1.Difference { return get(ctx, w, object, "watched").Status.Drift }).Should(HaveLen(2))
		Expect(object.Status.Audit.LastEvent.User).To(Equal(jane.Email))

		By("changing the definition")
		change(ctx, object, func(object *v1alpha1.Import) {
			object.Spec.Definition.Raw = overlaid(string(object.Spec.Definition.Raw), `{"name": "renamed", "maxAttempts": 4}`)
		})
		w.eventuallyReady(ctx, object, "watched")

		By("losing it")
		Expect(sim.DeleteAs(jane, w.account, id)).To(Succeed())
		w.eventually(ctx, object, "watched", "Failed False/RemoteDeleted")
		w.scans(2)

		By("deleting the Import")
		Expect(k8s.Delete(ctx, object)).To(Succeed())
		Eventually(func() bool {
			return apierrors.IsNotFound(k8s.Get(ctx, client.ObjectKeyFromObject(object), object))
		}).Should(BeTrue())
		Expect(w.writes()).To(BeEmpty())
	})

	It("goes on with the one that has the externalId by now", func(ctx context.Context) {
		w := newWorld(ctx)
		first := w.seed("watched", `{"externalId": "erp-21"}`)
		object := observing(adopting(w.httpImport("watched", `{"externalId": "erp-21"}`), v1alpha1.AdoptSpec{ExternalID: "erp-21"}))
		w.synced(ctx, object)
		Expect(sim.DeleteAs(jane, w.account, first)).To(Succeed())
		w.eventually(ctx, object, "watched", "Failed False/RemoteDeleted")

		second := w.seed("watched", `{"externalId": "erp-21"}`)
		change(ctx, object, func(object *v1alpha1.Import) {
			object.Annotations = map[string]string{"integrator.io/reconcile-requested-at": "now"}
		})
		w.eventuallyReady(ctx, object, "watched")
		Expect(object.Status.ID).To(Equal(second))
		Expect(object.Finalizers).To(BeEmpty())
		Expect(w.writes()).To(BeEmpty())
	})

	It("has to be told which", func(ctx context.Context) {
		w := newWorld(ctx)
		object := observing(w.httpImport("which"))
		Expect(k8s.Create(ctx, object)).To(Succeed())
		w.eventually(ctx, object, "which", "Failed False/NothingToObserve")
		Expect(w.calls()).To(BeEmpty())
	})
})
