// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"
	"encoding/json"
	"fmt"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/simulator"
)

// tenant is an editor who may also read events, create ConfigMaps, and create Secrets but not read them.
func (w *world) tenant(ctx context.Context) client.Client {
	GinkgoHelper()
	return w.editor(ctx, "tenant", secretRule("create"),
		rbacv1.PolicyRule{APIGroups: []string{""}, Resources: []string{"configmaps"}, Verbs: []string{"create"}},
		rbacv1.PolicyRule{APIGroups: []string{"events.k8s.io"}, Resources: []string{"events"}, Verbs: []string{"list"}})
}

// shownTo is all that a tenant can read of an Import: the object, and the events of its namespace.
func (w *world) shownTo(ctx context.Context, tenant client.Client, object *v1alpha1.Import) string {
	GinkgoHelper()
	Expect(tenant.Get(ctx, client.ObjectKeyFromObject(object), object)).To(Succeed())
	shown, err := json.Marshal(object)
	Expect(err).NotTo(HaveOccurred())
	return string(shown) + fmt.Sprint(w.events(ctx, object.Name))
}

var _ = Describe("Tenants look at each other's imports", func() {
	const secret, text = "s3cr3t-0f-the-0wner", "a note of the owner"
	// owned is an import that the story's owner has, with a header from a Secret.
	owned := func(ctx context.Context) (*world, *v1alpha1.Import) {
		w := newWorld(ctx)
		w.keep(ctx, secret)
		object := w.keyed("prices")
		object.Spec.Definition.Raw = overlaid(string(object.Spec.Definition.Raw), `{"description": "`+text+`", "externalId": "erp-prices"}`)
		return w, w.synced(ctx, object)
	}
	// observer looks at the import with a definition that differs from it everywhere.
	observer := func(w *world, id string) *v1alpha1.Import {
		object := adopting(w.httpImport("spy", `{"name": "spy", "description": "", "http": {"headers": []}}`), v1alpha1.AdoptSpec{ID: v1alpha1.ID(id), Mode: v1alpha1.AdoptionModeOverride})
		object.Spec.ManagementPolicy = v1alpha1.ManagementPolicyObserve
		return object
	}

	DescribeTable("and see which fields differ, not what is in them", func(ctx context.Context, from func(context.Context, *world) *world) {
		w, mine := owned(ctx)
		other := from(ctx, w)
		tenant, spy := other.tenant(ctx), observer(other, mine.Status.ID)
		Expect(tenant.Create(ctx, spy)).To(Succeed())
		other.eventuallyReady(ctx, spy, "spy")
		shown := other.shownTo(ctx, tenant, spy)
		Expect(spy.Status.Drift).To(ContainElement(HaveField("Path", HavePrefix("/http/headers"))))
		Expect(spy.Status.Drift).To(HaveEach(HaveField("Remote", Equal("(redacted)"))))
		Expect(shown).NotTo(Or(ContainSubstring(secret), ContainSubstring(text)))

		By("asking for a plan of taking it over")
		plan := observer(other, mine.Status.ID)
		plan.Name, plan.Spec.ManagementPolicy = "plan", v1alpha1.ManagementPolicyManage
		plan.Annotations = map[string]string{v1alpha1.AnnotationDryRun: "true"}
		Expect(tenant.Create(ctx, plan)).To(Succeed())
		other.eventually(ctx, plan, "plan", "Failed False/OwnershipConflict")
		Expect(other.shownTo(ctx, tenant, plan)).NotTo(Or(ContainSubstring(secret), ContainSubstring(text)))

		By("permitting values in the Account")
		account := get(ctx, other, &v1alpha1.Account{}, "default")
		change(ctx, account, func(account *v1alpha1.Account) { account.Spec.ForeignValues = v1alpha1.ForeignValuesShown })
		change(ctx, spy, func(object *v1alpha1.Import) {
			object.Spec.Definition.Raw = overlaid(string(object.Spec.Definition.Raw), `{"description": "another"}`)
		})
		other.eventuallyReady(ctx, spy, "spy")
		Expect(spy.Status.Drift).To(ContainElement(HaveField("Remote", ContainSubstring(text))))
		Expect(other.shownTo(ctx, tenant, spy)).NotTo(ContainSubstring(secret))
	},
		Entry("within the namespace", func(_ context.Context, w *world) *world { return w }),
		Entry("from another namespace", func(ctx context.Context, w *world) *world { return w.neighbour(ctx) }),
	)

	It("and adopt what somebody left, without his values", func(ctx context.Context) {
		w, mine := owned(ctx)
		other := w.neighbour(ctx)
		tenant, id := other.tenant(ctx), mine.Status.ID
		change(ctx, mine, func(object *v1alpha1.Import) { object.Spec.DeletionPolicy = v1alpha1.DeletionPolicyOrphan })
		Expect(k8s.Delete(ctx, mine)).To(Succeed())
		w.eventuallyGone(ctx, mine)

		spy := observer(other, id)
		Expect(tenant.Create(ctx, spy)).To(Succeed())
		other.eventuallyReady(ctx, spy, "spy")
		Expect(other.shownTo(ctx, tenant, spy)).To(And(ContainSubstring(text), Not(ContainSubstring(secret))))

		match := observer(other, id)
		match.Name, match.Spec.ManagementPolicy, match.Spec.Adopt.Mode = "match", v1alpha1.ManagementPolicyManage, v1alpha1.AdoptionModeMatch
		Expect(tenant.Create(ctx, match)).To(Succeed())
		other.eventually(ctx, match, "match", "Failed False/AdoptionMismatch")
		Expect(other.shownTo(ctx, tenant, match)).NotTo(ContainSubstring(secret))
	})

	It("and look at a clone that was made in the UI", func(ctx context.Context) {
		w, mine := owned(ctx)
		other := w.neighbour(ctx)
		tenant, spy := other.tenant(ctx), observer(other, w.cloned(mine.Status.ID))
		Expect(tenant.Create(ctx, spy)).To(Succeed())
		other.eventuallyReady(ctx, spy, "spy")
		Expect(other.shownTo(ctx, tenant, spy)).To(And(ContainSubstring("(redacted)"), Not(ContainSubstring(secret))))
	})

	It("and do not blind its owner", func(ctx context.Context) {
		w, mine := owned(ctx)
		other := w.neighbour(ctx)
		spy := observer(other, mine.Status.ID)
		spy.Spec.ValuesFrom = []v1alpha1.ValueSource{fromConfigMap("/description", "mine", "description")}
		Expect(other.tenant(ctx).Create(ctx, &corev1.ConfigMap{ObjectMeta: other.meta("mine"), Data: map[string]string{"description": `"x"`}})).To(Succeed())
		Expect(k8s.Create(ctx, spy)).To(Succeed())
		other.eventuallyReady(ctx, spy, "spy")

		change(ctx, mine, func(object *v1alpha1.Import) { object.Spec.DriftPolicy = v1alpha1.DriftPolicyReport })
		w.eventuallyReady(ctx, mine, "prices")
		Expect(sim.EditAs(jane, w.account, mine.Status.ID, func(document simulator.Document) { document["description"] = "edited" })).To(Succeed())
		Eventually(func() []v1alpha1.Difference { return get(ctx, w, mine, "prices").Status.Drift }).
			Should(ConsistOf(HaveField("Remote", `"edited"`)))
	})

	It("and learn no name of another namespace", func(ctx context.Context) {
		w, mine := owned(ctx)
		other := w.neighbour(ctx)
		tenant, taker := other.tenant(ctx), observer(other, mine.Status.ID)
		taker.Spec.ManagementPolicy = v1alpha1.ManagementPolicyManage
		Expect(tenant.Create(ctx, taker)).To(Succeed())
		other.eventually(ctx, taker, "spy", "Failed False/OwnershipConflict")
		Expect(message(taker)).To(ContainSubstring("an Import in another namespace"))
		Expect(other.shownTo(ctx, tenant, taker)).NotTo(Or(ContainSubstring(w.namespace), ContainSubstring("prices")))
	})
})
