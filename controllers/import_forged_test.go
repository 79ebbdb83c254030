// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
)

// neighbour is another namespace whose Account leads to the same account of the platform.
func (w *world) neighbour(ctx context.Context) *world {
	GinkgoHelper()
	other := newEmptyWorld(ctx)
	other.account, other.token = w.account, w.token
	Expect(k8s.Create(ctx, other.secret("token", other.token))).To(Succeed())
	Expect(k8s.Create(ctx, other.accountObject("default"))).To(Succeed())
	other.eventuallyReady(ctx, &v1alpha1.Account{}, "default")
	return other
}

// Who may edit Imports may write any annotation and finalizer. What an Import has is in its status.
var _ = Describe("Somebody in another namespace forges what the operator keeps in metadata", func() {
	It("does not get an import that was only observed, and the owner goes on", func(ctx context.Context) {
		w := newWorld(ctx)
		owner := w.synced(ctx, w.httpImport("prices", `{"externalId": "erp-prices"}`))
		id := owner.Status.ID
		attacker := w.neighbour(ctx)
		tenant := attacker.editor(ctx, "attacker")
		forged := adopting(attacker.httpImport("mine", `{"name": "prices", "externalId": "erp-prices", "description": "taken"}`), v1alpha1.AdoptSpec{ID: v1alpha1.ID(id)})
		forged.Spec.ManagementPolicy = v1alpha1.ManagementPolicyObserve
		Expect(tenant.Create(ctx, forged)).To(Succeed())
		attacker.eventuallyReady(ctx, forged, "mine")
		Expect(forged.Status.Management).To(Equal(v1alpha1.ManagementStateObserved))

		By("writing annotation, label and finalizer, and Manage, in one go")
		changeAs(ctx, tenant, forged, func(object *v1alpha1.Import) {
			object.Annotations = map[string]string{v1alpha1.AnnotationID: id}
			object.Labels = map[string]string{v1alpha1.LabelRemoteImport: id}
			object.Finalizers = []string{v1alpha1.Finalizer}
			object.Spec.ManagementPolicy = v1alpha1.ManagementPolicyManage
		})
		attacker.eventually(ctx, forged, "mine", "Failed False/OwnershipConflict")
		change(ctx, owner, func(object *v1alpha1.Import) {
			object.Spec.Definition.Raw = overlaid(string(object.Spec.Definition.Raw), `{"description": "by its owner"}`)
		})
		w.eventuallyReady(ctx, owner, "prices")
		Expect(w.remote(id)).To(HaveKeyWithValue("description", "by its owner"))
		Expect(w.writes()).To(Equal(map[string]int{post: 1, put: 1}))

		By("deleting it with deletionPolicy Delete")
		Expect(tenant.Delete(ctx, forged)).To(Succeed())
		attacker.eventuallyGone(ctx, forged)
		Expect(k8s.Delete(ctx, owner)).To(Succeed())
		w.eventuallyGone(ctx, owner)
		Expect(w.writes()).To(Equal(map[string]int{post: 1, put: 1, remove: 1}))
	})

	DescribeTable("does not keep an import from being adopted", func(ctx context.Context, forge func(id string, object *v1alpha1.Import)) {
		w := newWorld(ctx)
		id := w.seed("prices", `{"externalId": "erp-prices"}`)
		attacker := w.neighbour(ctx)
		tenant := attacker.editor(ctx, "attacker")
		forged := attacker.httpImport("mine", `{"name": "prices", "externalId": "erp-prices"}`)
		forged.Spec.Suspend = true
		forged.Finalizers = []string{v1alpha1.Finalizer}
		forged.Annotations, forged.Labels = map[string]string{}, map[string]string{}
		forge(id, forged)
		Expect(tenant.Create(ctx, forged)).To(Succeed())
		object := w.synced(ctx, adopting(w.httpImport("prices"), v1alpha1.AdoptSpec{ID: v1alpha1.ID(id)}))
		Expect(object.Status.ID).To(Equal(id))
		changeAs(ctx, tenant, forged, func(object *v1alpha1.Import) { object.Spec.DeletionPolicy = v1alpha1.DeletionPolicyOrphan })
		Expect(tenant.Delete(ctx, forged)).To(Succeed())
	},
		Entry("with its id", func(id string, object *v1alpha1.Import) {
			object.Annotations[v1alpha1.AnnotationID], object.Labels[v1alpha1.LabelRemoteImport] = id, id
		}),
		Entry("with spec.adopt, an id, and no Account", func(id string, object *v1alpha1.Import) {
			object.Spec.Suspend, object.Spec.Adopt, object.Spec.AccountRef.Name = false, &v1alpha1.AdoptSpec{ID: v1alpha1.ID(id)}, "missing"
			object.Annotations[v1alpha1.AnnotationID], object.Labels[v1alpha1.LabelRemoteImport] = id, id
		}),
		Entry("with an old intent", func(_ string, object *v1alpha1.Import) {
			object.Annotations[v1alpha1.AnnotationCreatePending] = `{"externalId": "erp-prices", "name": "prices", "time": "` + time.Now().Add(-time.Hour).UTC().Format(time.RFC3339) + `"}`
		}),
		Entry("with an intent from the future", func(_ string, object *v1alpha1.Import) {
			object.Annotations[v1alpha1.AnnotationCreatePending] = `{"externalId": "erp-prices", "name": "prices", "time": "` + time.Now().Add(time.Hour).UTC().Format(time.RFC3339) + `"}`
		}),
		Entry("with a claim", func(id string, object *v1alpha1.Import) {
			object.Annotations[v1alpha1.AnnotationAdoptPending], object.Labels[v1alpha1.LabelRemoteImport] = id, id
		}),
	)
})
