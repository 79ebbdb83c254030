// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"
	"net/http"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/simulator"
)

// tryChange edits an object as a user does, over the version that is stored, and returns the answer
// of the API server.
func tryChange[T client.Object](ctx context.Context, object T, edit func(T)) (err error) {
	GinkgoHelper()
	Eventually(func() bool {
		Expect(k8s.Get(ctx, client.ObjectKeyFromObject(object), object)).To(Succeed())
		edit(object)
		err = k8s.Update(ctx, object)
		return apierrors.IsConflict(err)
	}).Should(BeFalse())
	return err
}

func inAccount(object *v1alpha1.Import, name string) *v1alpha1.Import {
	object.Spec.AccountRef.Name = name
	return object
}

func correctAccount(object *v1alpha1.Import) { object.Spec.AccountRef.Name = "default" }

func otherAccount(object *v1alpha1.Import) { object.Spec.AccountRef.Name = "other" }

const (
	accountFixed   = "spec.accountRef: Invalid value: accountRef cannot be changed once the Import has a remote import"
	accountUnknown = "spec.accountRef: Invalid value: accountRef can be changed only while status.management is None, and it is not set"
)

// another makes an Account of this name that leads to an account of its own.
func (w *world) another(ctx context.Context, name string) (account string) {
	GinkgoHelper()
	account = w.account + "-" + name
	Expect(sim.AddAccount(simulator.AccountSpec{Name: account, Tokens: []simulator.Token{{Token: account}}, Connections: simulator.FixtureConnections()})).To(Succeed())
	Expect(k8s.Create(ctx, w.secret(name, account))).To(Succeed())
	object := w.accountObject(name)
	object.Spec.TokenSecretRef.Name = name
	Expect(k8s.Create(ctx, object)).To(Succeed())
	w.eventuallyReady(ctx, object, name)
	return account
}

var _ = Describe("I named the wrong Account", func() {
	DescribeTable("is corrected while nothing was made, and created once",
		func(ctx context.Context, reason string, edit func(*v1alpha1.Import)) {
			w := newWorld(ctx)
			other := w.another(ctx, "other")
			object := w.httpImport("moved")
			edit(object)
			Expect(k8s.Create(ctx, object)).To(Succeed())
			w.eventually(ctx, object, "moved", reason)
			Expect(object.Status.Management).To(Equal(v1alpha1.ManagementStateNone))
			Expect(tryChange(ctx, object, func(object *v1alpha1.Import) {
				object.Annotations = nil
				object.Spec = inAccount(w.httpImport("moved"), "default").Spec
			})).To(Succeed())
			w.eventuallyReady(ctx, object, "moved")
			Expect(object.Status.Management).To(Equal(v1alpha1.ManagementStateManaged))
			Expect(w.writes()).To(Equal(map[string]int{post: 1}))
			Expect(sim.Imports(other)).To(BeEmpty())
		},
		Entry("of an Account that does not exist", "Failed False/AccountNotFound", func(object *v1alpha1.Import) { inAccount(object, "nowhere") }),
		Entry("of an Account without the alias", "Failed False/UnknownAlias", func(object *v1alpha1.Import) {
			inAccount(object, "other").Spec.Definition.Raw = overlaid(string(object.Spec.Definition.Raw), `{"_connectionId": "@erp"}`)
		}),
		Entry("while it is a dry run", "InProgress Unknown/DryRun", func(object *v1alpha1.Import) {
			inAccount(object, "other").Annotations = map[string]string{v1alpha1.AnnotationDryRun: "true"}
		}),
	)

	It("says so where that is the way out, and only there", func(ctx context.Context) {
		w := newWorld(ctx)
		object := inAccount(w.httpImport("moved"), "nowhere")
		Expect(k8s.Create(ctx, object)).To(Succeed())
		w.eventually(ctx, object, "moved", "Failed False/AccountNotFound")
		Expect(message(object)).To(Equal(`there is no Account "nowhere" in namespace "` + w.namespace + `": create it, or correct spec.accountRef`))

		restored := inAccount(w.httpImport("restored"), "nowhere")
		restored.Annotations = map[string]string{v1alpha1.AnnotationID: "64b0000000000000000000c1"}
		Expect(k8s.Create(ctx, restored)).To(Succeed())
		w.eventually(ctx, restored, "restored", "Failed False/AccountNotFound")
		Expect(message(restored)).To(Equal(`there is no Account "nowhere" in namespace "` + w.namespace + `": create it`))
		Expect(tryChange(ctx, restored, correctAccount)).To(MatchError(ContainSubstring(accountUnknown)))
	})

	It("is refused once the Import has its remote import, or observes one", func(ctx context.Context) {
		w := newWorld(ctx)
		object := w.synced(ctx, w.httpImport("made"))
		Expect(object.Status.Management).To(Equal(v1alpha1.ManagementStateManaged))
		Expect(tryChange(ctx, object, otherAccount)).To(MatchError(ContainSubstring(accountFixed)))

		watched := adopting(w.httpImport("watched"), v1alpha1.AdoptSpec{ID: v1alpha1.ID(w.seed("watched"))})
		watched.Spec.ManagementPolicy = v1alpha1.ManagementPolicyObserve
		w.synced(ctx, watched)
		Expect(watched.Status.Management).To(Equal(v1alpha1.ManagementStateObserved))
		Expect(tryChange(ctx, watched, otherAccount)).To(MatchError(ContainSubstring(accountFixed)))
	})

	It("is refused while the response to the creation is lost, and when the API refused it", func(ctx context.Context) {
		w := newWorld(ctx)
		w.strike(http.MethodPost, "/v1/imports", simulator.PhaseBefore, simulator.Action{Kind: simulator.ActionReset})
		object := w.httpImport("lost")
		Expect(k8s.Create(ctx, object)).To(Succeed())
		w.eventually(ctx, object, "lost", "InProgress False/CreateUnconfirmed")
		Expect(tryChange(ctx, object, otherAccount)).To(MatchError(ContainSubstring(accountUnknown)))
		w.eventuallyReady(ctx, object, "lost")

		w.strike(http.MethodPost, "/v1/imports", simulator.PhaseBefore, simulator.Action{Kind: simulator.ActionAnswer, Status: 422})
		refused := w.httpImport("refused")
		Expect(k8s.Create(ctx, refused)).To(Succeed())
		w.eventually(ctx, refused, "refused", "Failed False/Rejected")
		Expect(tryChange(ctx, refused, otherAccount)).To(MatchError(ContainSubstring(accountUnknown)))
	})

	It("is refused while the intent is written, and the status not yet", func(ctx context.Context) {
		w := newWorld(ctx)
		letGo := w.hold(http.MethodPost, "/v1/imports", simulator.PhaseAfter)
		object := w.httpImport("new")
		Expect(k8s.Create(ctx, object)).To(Succeed())
		w.struck()
		Expect(tryChange(ctx, object, otherAccount)).To(MatchError(ContainSubstring(accountUnknown)))
		Expect(tryChange(ctx, object, func(object *v1alpha1.Import) {
			object.Annotations, object.Finalizers = nil, nil
			otherAccount(object)
		})).To(MatchError(ContainSubstring(accountUnknown)), "kubectl replace drops annotations and finalizers")
		letGo()
		w.eventuallyReady(ctx, object, "new")
		Expect(w.writes()).To(Equal(map[string]int{post: 1}))
	})

	It("is refused while the intent is written, also where the status said that nothing was made", func(ctx context.Context) {
		w := newWorld(ctx)
		object := inAccount(w.httpImport("late"), "late")
		Expect(k8s.Create(ctx, object)).To(Succeed())
		w.eventually(ctx, object, "late", "Failed False/AccountNotFound")
		Expect(object.Status.Management).To(Equal(v1alpha1.ManagementStateNone))
		letGo := w.hold(http.MethodPost, "/v1/imports", simulator.PhaseAfter)
		Expect(k8s.Create(ctx, w.accountObject("late"))).To(Succeed())
		w.struck()
		Expect(get(ctx, w, object, "late").Status.Management).To(BeEmpty())
		Expect(tryChange(ctx, object, correctAccount)).To(MatchError(ContainSubstring(accountUnknown)))
		letGo()
		w.eventuallyReady(ctx, object, "late")
		Expect(object.Status.Management).To(Equal(v1alpha1.ManagementStateManaged))
		Expect(w.writes()).To(Equal(map[string]int{post: 1}))
		Expect(sim.Imports(w.account)).To(HaveLen(1))
	})

	It("is refused while an adoption is claimed, and corrected when the claim is withdrawn", func(ctx context.Context) {
		w := newWorld(ctx)
		w.elsewhere(ctx)
		id := w.seed("prices")
		claimed := map[string]string{v1alpha1.AnnotationAdoptPending: id}
		rival := adopting(inAccount(w.httpImport("rival"), "elsewhere"), v1alpha1.AdoptSpec{ID: v1alpha1.ID(id)})
		rival.Annotations = claimed
		object := adopting(w.httpImport("prices"), v1alpha1.AdoptSpec{ID: v1alpha1.ID(id)})
		object.Annotations, object.Spec.Suspend = claimed, true
		Expect(k8s.Create(ctx, rival)).To(Succeed())
		Expect(k8s.Create(ctx, object)).To(Succeed())
		w.eventually(ctx, object, "prices", "InProgress Unknown/Suspended")
		Expect(tryChange(ctx, object, otherAccount)).To(MatchError(ContainSubstring(accountUnknown)))

		change(ctx, object, func(object *v1alpha1.Import) {
			object.Spec.Suspend = false
			object.Spec.Definition.Raw = overlaid(string(object.Spec.Definition.Raw), `{"description": "differs"}`)
		})
		w.eventually(ctx, object, "prices", "Failed False/AdoptionMismatch")
		Expect(object.Annotations).NotTo(HaveKey(v1alpha1.AnnotationAdoptPending))
		Expect(object.Status.Management).To(Equal(v1alpha1.ManagementStateNone))
		Expect(tryChange(ctx, object, otherAccount)).To(Succeed())
		w.eventually(ctx, object, "prices", "Failed False/AccountNotFound")
	})

	It("waits for the operator to look at the Import first", Serial, func(ctx context.Context) {
		stop, start := replaceManager()
		DeferCleanup(start)
		w := newEmptyWorld(ctx)
		stop()
		object := inAccount(w.httpImport("unseen"), "nowhere")
		Expect(k8s.Create(ctx, object)).To(Succeed())
		Expect(tryChange(ctx, object, correctAccount)).To(MatchError(ContainSubstring(accountUnknown)))
		start()
		w.eventually(ctx, object, "unseen", "Failed False/AccountNotFound")
		Expect(tryChange(ctx, object, correctAccount)).To(Succeed())
	})
})
