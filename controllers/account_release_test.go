// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"
	"net/http"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/simulator"
)

var _ = Describe("I delete an Account", func() {
	It("stays while Imports need it, serves them, and is deleted with the last", func(ctx context.Context) {
		w := newWorld(ctx)
		first, second := w.synced(ctx, w.httpImport("first")), w.synced(ctx, w.httpImport("second"))
		account := get(ctx, w, &v1alpha1.Account{}, "default")
		Expect(account.Finalizers).To(ConsistOf("integrator.io/account"))
		Eventually(func() *int32 { return get(ctx, w, account, "default").Status.Managed }).Should(HaveValue(BeEquivalentTo(2)))

		Expect(k8s.Delete(ctx, account)).To(Succeed())
		w.eventually(ctx, account, "default", "Terminating True/TokenAccepted")
		Expect(reconciling(account)).To(Equal("InUse: deleted once these Imports are deleted: first, second"))
		version := account.ResourceVersion
		w.scans(2)
		Expect(get(ctx, w, account, "default").ResourceVersion).To(Equal(version), "nothing is written while it waits")

		change(ctx, first, func(first *v1alpha1.Import) {
			first.Spec.Definition.Raw = w.httpImport("first", `{"description": "still served"}`).Spec.Definition.Raw
		})
		Eventually(func() simulator.Document { return w.remote(first.Status.ID) }).Should(HaveKeyWithValue("description", "still served"))
		late := w.httpImport("late")
		Expect(k8s.Create(ctx, late)).To(Succeed())
		w.eventually(ctx, late, "late", "Failed False/AccountNotReady")
		Expect(message(late)).To(ContainSubstring(`Account "default" is being deleted: nothing new is created in it`))
		Expect(late.Finalizers).To(BeEmpty(), "it does not hold the Account")

		Expect(k8s.Delete(ctx, first)).To(Succeed())
		w.eventuallyGone(ctx, first)
		Eventually(func() string { return reconciling(get(ctx, w, account, "default")) }).Should(Equal("InUse: deleted once these Imports are deleted: second"))
		Expect(k8s.Delete(ctx, second)).To(Succeed())
		w.eventuallyGone(ctx, second)
		w.eventuallyGone(ctx, account)
		w.eventually(ctx, late, "late", "Failed False/AccountNotFound")
		Expect(sim.Imports(w.account)).To(BeEmpty())
		Expect(w.calls()).To(Equal(map[string]int{post: 2, getOne: 3, put: 1, dependants: 2, remove: 2}))
	})

	It("creates nothing again that is deleted on the platform meanwhile", func(ctx context.Context) {
		w := newWorld(ctx)
		object := w.synced(ctx, w.httpImport("vanished"))
		account := get(ctx, w, &v1alpha1.Account{}, "default")
		Expect(k8s.Delete(ctx, account)).To(Succeed())
		w.eventually(ctx, account, "default", "Terminating True/TokenAccepted")

		Expect(sim.DeleteAs(jane, w.account, object.Status.ID)).To(Succeed())
		w.eventually(ctx, object, "vanished", "Failed False/AccountNotReady")
		Expect(message(object)).To(ContainSubstring("is being deleted"))
		Expect(k8s.Delete(ctx, object)).To(Succeed())
		w.eventuallyGone(ctx, object)
		w.eventuallyGone(ctx, account)
		Expect(w.calls()).To(And(HaveKeyWithValue(post, 1), Not(HaveKey(remove))))
	})

	It("creates nothing instead of an import whose creation failed", func(ctx context.Context) {
		w := newWorld(ctx)
		w.strike(http.MethodPost, "/v1/imports", simulator.PhaseBefore, simulator.Action{Kind: simulator.ActionReset})
		object := w.httpImport("between")
		Expect(k8s.Create(ctx, object)).To(Succeed())
		Eventually(func() int { return w.calls()[post] }).Should(Equal(1))
		account := get(ctx, w, &v1alpha1.Account{}, "default")
		Expect(k8s.Delete(ctx, account)).To(Succeed())
		w.eventually(ctx, object, "between", "Failed False/AccountNotReady")
		Expect(message(object)).To(ContainSubstring("is being deleted"))
		Expect(k8s.Delete(ctx, object)).To(Succeed())
		w.eventuallyGone(ctx, object)
		w.eventuallyGone(ctx, account)
		Expect(w.calls()).To(Equal(map[string]int{post: 1}))
	})

	DescribeTable("is deleted at once when nothing needs it, whatever state it is in",
		func(ctx context.Context, want string, edit func(w *world, account *v1alpha1.Account)) {
			w := newEmptyWorld(ctx)
			account := w.accountObject("default")
			edit(w, account)
			Expect(k8s.Create(ctx, account)).To(Succeed())
			w.eventually(ctx, account, "default", want)
			// It never got to have a remote import.
			Expect(k8s.Create(ctx, w.httpImport("waiting"))).To(Succeed())
			waiting := &v1alpha1.Import{}
			Eventually(func() string { return state(get(ctx, w, waiting, "waiting")) }).Should(HaveSuffix("False/AccountNotReady"))
			Expect(k8s.Delete(ctx, account)).To(Succeed())
			w.eventuallyGone(ctx, account)
			w.eventually(ctx, waiting, "waiting", "Failed False/AccountNotFound")
		},
		Entry("without a Secret", "Failed False/SecretNotFound", func(*world, *v1alpha1.Account) {}),
		Entry("with a bad token", "Failed False/TokenRejected", func(w *world, _ *v1alpha1.Account) {
			Expect(k8s.Create(context.Background(), w.secret("token", "of-nobody"))).To(Succeed())
		}),
		Entry("suspended", "InProgress Unknown/Suspended", func(_ *world, account *v1alpha1.Account) { account.Spec.Suspend = true }),
		Entry("at a refused host", "Failed False/HostNotAllowed", func(_ *world, account *v1alpha1.Account) {
			account.Spec.BaseURL = "https://evil.example.com"
		}),
	)

	It("does not wait for runs, and the call of one that is under way ends", func(ctx context.Context) {
		w := newWorld(ctx)
		id := w.seed("seeded")
		rule, err := sim.AddRule(simulator.Rule{Account: w.account, Route: "/v1/imports/{id}/invoke", Phase: simulator.PhaseBefore,
			Action: simulator.Action{Kind: simulator.ActionLatency, DelayMillis: 60_000}})
		Expect(err).NotTo(HaveOccurred())
		run := w.runByID("under-way", id, record("A-1"))
		Expect(k8s.Create(ctx, run)).To(Succeed())
		Eventually(func() int { return w.calls()[invoke] }).Should(Equal(1))
		waiting := w.run("waiting", "not-there", record("A-2"))
		Expect(k8s.Create(ctx, waiting)).To(Succeed())

		account := get(ctx, w, &v1alpha1.Account{}, "default")
		Expect(k8s.Delete(ctx, account)).To(Succeed())
		w.eventuallyGone(ctx, account)
		Expect(sim.ReleaseRule(rule)).To(Succeed())
		w.done(ctx, run, v1alpha1.RunSucceeded)
		Expect(w.calls()).To(Equal(map[string]int{invoke: 1}))
	})

	It("gets its finalizer back when somebody removes it", func(ctx context.Context) {
		w := newWorld(ctx)
		account := get(ctx, w, &v1alpha1.Account{}, "default")
		change(ctx, account, func(account *v1alpha1.Account) { account.Finalizers = nil })
		Eventually(func() []string { return get(ctx, w, account, "default").Finalizers }).Should(ConsistOf("integrator.io/account"))
	})
})

var _ = Describe("The Secret is deleted before what needs it", func() {
	It("continues to delete with the token that worked, when the Account is being deleted too", func(ctx context.Context) {
		w := newWorld(ctx)
		object, other := w.synced(ctx, w.httpImport("going")), w.synced(ctx, w.httpImport("staying"))
		account := get(ctx, w, &v1alpha1.Account{}, "default")
		Expect(k8s.Delete(ctx, w.secret("token", ""))).To(Succeed())
		w.eventually(ctx, account, "default", "Failed False/SecretNotFound")

		Expect(k8s.Delete(ctx, object)).To(Succeed())
		w.eventually(ctx, object, "going", "Terminating False/AccountNotReady")
		Expect(message(object)).To(And(ContainSubstring(`there is no Secret "token"`),
			HaveSuffix("the remote import is deleted when the Account works again, or left alone if you set spec.deletionPolicy to Orphan")))
		Expect(w.calls()).To(Equal(map[string]int{post: 2}), "the user may be revoking the token")

		Expect(k8s.Delete(ctx, account)).To(Succeed())
		w.eventuallyGone(ctx, object)
		w.eventually(ctx, account, "default", "Terminating False/SecretNotFound")
		Eventually(func() string { return reconciling(get(ctx, w, account, "default")) }).Should(Equal("InUse: deleted once these Imports are deleted: staying"))
		change(ctx, other, func(other *v1alpha1.Import) {
			other.Spec.Definition.Raw = w.httpImport("staying", `{"description": "not any more"}`).Spec.Definition.Raw
		})
		w.eventually(ctx, other, "staying", "Failed False/AccountNotReady")

		Expect(k8s.Delete(ctx, other)).To(Succeed())
		w.eventuallyGone(ctx, other)
		w.eventuallyGone(ctx, account)
		Expect(w.calls()).To(Equal(map[string]int{post: 2, getOne: 2, dependants: 2, remove: 2}))
		Expect(sim.Imports(w.account)).To(BeEmpty())
	})

	It("continues when the Secret comes back", func(ctx context.Context) {
		w := newWorld(ctx)
		object := w.synced(ctx, w.httpImport("resumed"))
		Expect(k8s.Delete(ctx, w.secret("token", ""))).To(Succeed())
		w.eventually(ctx, &v1alpha1.Account{}, "default", "Failed False/SecretNotFound")
		Expect(k8s.Delete(ctx, object)).To(Succeed())
		w.eventually(ctx, object, "resumed", "Terminating False/AccountNotReady")
		Expect(k8s.Create(ctx, w.secret("token", w.token))).To(Succeed())
		w.eventuallyGone(ctx, object)
		Expect(w.calls()).To(Equal(map[string]int{post: 1, getOne: 1, dependants: 1, remove: 1}))
	})

	It("waits when the token does not work any more either", func(ctx context.Context) {
		w := newWorld(ctx)
		object := w.synced(ctx, w.httpImport("revoked"))
		account := &v1alpha1.Account{ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "default"}}
		change(ctx, account, func(account *v1alpha1.Account) { account.Spec.ScanInterval = "1h" })
		w.eventuallyReady(ctx, account, "default")
		Expect(k8s.Delete(ctx, account)).To(Succeed())
		Expect(k8s.Delete(ctx, w.secret("token", ""))).To(Succeed())
		w.eventually(ctx, account, "default", "Terminating False/SecretNotFound")
		Expect(sim.RevokeToken(w.account, w.token)).To(Succeed())

		Expect(k8s.Delete(ctx, object)).To(Succeed())
		w.eventually(ctx, object, "revoked", "Terminating False/AccountNotReady")
		Expect(message(object)).To(ContainSubstring("or left alone if you set spec.deletionPolicy to Orphan"))
		Expect(w.calls()).To(Equal(map[string]int{post: 1}), "a call that gets 401 is in no account's ledger")
		change(ctx, object, func(object *v1alpha1.Import) { object.Spec.DeletionPolicy = v1alpha1.DeletionPolicyOrphan })
		w.eventuallyGone(ctx, object)
		w.eventuallyGone(ctx, account)
	})
})
