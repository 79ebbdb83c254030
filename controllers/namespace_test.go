// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/simulator"
)

// startNamespaceController runs the controller that empties and ends deleted namespaces.
func startNamespaceController() {
	GinkgoHelper()
	file := filepath.Join(GinkgoT().TempDir(), "kubeconfig")
	Expect(os.WriteFile(file, kubeconfig, 0o600)).To(Succeed())
	//nolint:gosec // the program of the control plane that the suite was given
	command := exec.Command(filepath.Join(os.Getenv("KUBEBUILDER_ASSETS"), "kube-controller-manager"),
		"--kubeconfig="+file, "--controllers=namespace-controller", "--leader-elect=false", "--secure-port=0")
	command.Stdout, command.Stderr = GinkgoWriter, GinkgoWriter
	Expect(command.Start()).To(Succeed())
	DeferCleanup(func() {
		Expect(command.Process.Kill()).To(Succeed())
		_ = command.Wait() // it was killed
	})
}

func (w *world) namespaceObject() *corev1.Namespace {
	namespace := &corev1.Namespace{}
	namespace.Name = w.namespace
	return namespace
}

// orphaned reads the count of imports that were left behind.
func (w *world) orphaned() float64 {
	GinkgoHelper()
	return w.metric("integrator_import_orphaned_total")
}

// restarted stops the operator while the story does what it does, and starts it anew.
func restarted(meanwhile func()) {
	GinkgoHelper()
	stop, start := replaceManager()
	defer start()
	stop()
	meanwhile()
}

var _ = Describe("I delete the namespace", func() {
	It("ends, with every remote import deleted, once no flow uses one", func(ctx context.Context) {
		startNamespaceController()
		w := newWorld(ctx)
		for _, name := range []string{"first", "second"} {
			w.synced(ctx, w.httpImport(name))
		}
		used := w.synced(ctx, w.httpImport("used"))
		flow := w.flow(1, used.Status.ID)

		Expect(k8s.Delete(ctx, w.namespaceObject())).To(Succeed())
		Eventually(func(g Gomega) {
			var imports v1alpha1.ImportList
			g.Expect(k8s.List(ctx, &imports, client.InNamespace(w.namespace))).To(Succeed())
			g.Expect(imports.Items).To(ConsistOf(HaveField("Name", "used")))
			g.Expect(apierrors.IsNotFound(k8s.Get(ctx, client.ObjectKey{Namespace: w.namespace, Name: "token"}, &corev1.Secret{}))).To(BeTrue())
		}).Should(Succeed())
		w.eventually(ctx, used, "used", "Terminating False/DeletionBlocked")
		Eventually(func() string { return reconciling(get(ctx, w, &v1alpha1.Account{}, "default")) }).Should(Equal("InUse: deleted once these Imports are deleted: used"))

		Expect(sim.RemoveFlow(w.account, flow.ID)).To(Succeed())
		w.eventuallyGone(ctx, used)
		Eventually(func() bool {
			return apierrors.IsNotFound(k8s.Get(ctx, client.ObjectKeyFromObject(w.namespaceObject()), &corev1.Namespace{}))
		}).Should(BeTrue(), "the namespace is still there")
		Expect(sim.Imports(w.account)).To(BeEmpty())
		Expect(w.calls()).To(And(HaveKeyWithValue(post, 3), HaveKeyWithValue(remove, 3)))
		Expect(w.orphaned()).To(BeZero())
	})

	It("deletes everything when the Secret goes first, then the Account, then the Imports", func(ctx context.Context) {
		w := newWorld(ctx)
		object := w.synced(ctx, w.httpImport("last"))
		account := get(ctx, w, &v1alpha1.Account{}, "default")
		Expect(k8s.Delete(ctx, w.namespaceObject())).To(Succeed())
		Expect(k8s.Delete(ctx, w.secret("token", ""))).To(Succeed())
		w.eventually(ctx, account, "default", "Failed False/SecretNotFound")
		Expect(k8s.Delete(ctx, account)).To(Succeed())
		w.eventually(ctx, account, "default", "Terminating False/SecretNotFound")
		Expect(k8s.Delete(ctx, object)).To(Succeed())
		w.eventuallyGone(ctx, object)
		w.eventuallyGone(ctx, account)
		Expect(w.calls()).To(Equal(map[string]int{post: 1, getOne: 1, dependants: 1, remove: 1}))
		Expect(w.orphaned()).To(BeZero())
	})

	It("leaves an import on the platform when the operator was started again without a token", func(ctx context.Context) {
		w := newWorld(ctx)
		object := w.synced(ctx, w.httpImport("left"))
		account := get(ctx, w, &v1alpha1.Account{}, "default")
		restarted(func() {
			Expect(k8s.Delete(ctx, w.secret("token", ""))).To(Succeed())
			Expect(k8s.Delete(ctx, object)).To(Succeed())
		})
		// A Secret can still be made in this namespace.
		Eventually(func() string { return message(get(ctx, w, object, "left")) }).Should(ContainSubstring(`there is no Secret "token" in namespace "` + w.namespace + `": create it`))
		Expect(state(object)).To(Equal("Terminating False/AccountNotReady"))
		Expect(w.orphaned()).To(BeZero())

		Expect(k8s.Delete(ctx, w.namespaceObject())).To(Succeed())
		Expect(k8s.Delete(ctx, account)).To(Succeed())
		w.eventuallyGone(ctx, object)
		w.eventuallyGone(ctx, account)
		Expect(w.calls()).To(Equal(map[string]int{post: 1}))
		w.remote(object.Status.ID)
		Expect(w.orphaned()).To(Equal(1.0))
	})

	It("leaves an import on the platform when the token was revoked", func(ctx context.Context) {
		w := newWorld(ctx)
		object := w.synced(ctx, w.httpImport("left"))
		account := get(ctx, w, &v1alpha1.Account{}, "default")
		Expect(sim.RevokeToken(w.account, w.token)).To(Succeed())
		w.eventually(ctx, account, "default", "Failed False/TokenRejected")
		Expect(k8s.Delete(ctx, object)).To(Succeed())
		w.eventually(ctx, object, "left", "Terminating False/AccountNotReady")
		Expect(k8s.Delete(ctx, w.namespaceObject())).To(Succeed())
		Expect(k8s.Delete(ctx, account)).To(Succeed())
		w.eventuallyGone(ctx, object)
		w.eventuallyGone(ctx, account)
		w.remote(object.Status.ID)
		Expect(w.orphaned()).To(Equal(1.0))
	})

	It("leaves an import on the platform when its Account was deleted", func(ctx context.Context) {
		w := newWorld(ctx)
		object := w.synced(ctx, w.httpImport("left"))
		account := get(ctx, w, &v1alpha1.Account{}, "default")
		restarted(func() {
			account.Finalizers = nil
			Expect(k8s.Update(ctx, account)).To(Succeed())
			Expect(k8s.Delete(ctx, account)).To(Succeed())
			Expect(k8s.Delete(ctx, object)).To(Succeed())
		})
		w.eventually(ctx, object, "left", "Terminating False/AccountNotFound")
		Expect(k8s.Delete(ctx, w.namespaceObject())).To(Succeed())
		change(ctx, object, func(object *v1alpha1.Import) {
			object.Annotations["integrator.io/reconcile-requested-at"] = "the namespace ends"
		})
		w.eventuallyGone(ctx, object)
		w.remote(object.Status.ID)
		Expect(w.orphaned()).To(Equal(1.0))
	})

	DescribeTable("deletes with a new token that no scan has proven yet only what is recognized",
		func(ctx context.Context, more string, another bool, left float64) {
			w := newWorld(ctx)
			object := w.synced(ctx, w.httpImport("known", more))
			account := get(ctx, w, &v1alpha1.Account{}, "default")
			second := w
			if another {
				second = newEmptyWorld(ctx)
			}
			for _, name := range []string{w.account, second.account} {
				_, err := sim.AddRule(simulator.Rule{Account: name, Method: http.MethodGet, Route: "/v1/imports", Phase: simulator.PhaseBefore,
					Action: simulator.Action{Kind: simulator.ActionAnswer, Status: 503}})
				Expect(err).NotTo(HaveOccurred())
			}
			const userID = "5fb00000000000000000000b"
			Expect(sim.AddToken(second.account, simulator.Token{Token: "second-" + w.token, User: simulator.User{ID: userID, Email: jane.Email}})).To(Succeed())
			change(ctx, w.secret("token", ""), func(secret *corev1.Secret) { secret.Data["token"] = []byte("second-" + w.token) })
			Eventually(func() string { return get(ctx, w, account, "default").Status.UserID }).Should(Equal(userID))

			Expect(k8s.Delete(ctx, w.namespaceObject())).To(Succeed())
			Expect(k8s.Delete(ctx, w.secret("token", ""))).To(Succeed())
			w.eventually(ctx, account, "default", "Failed False/SecretNotFound")
			Expect(k8s.Delete(ctx, account)).To(Succeed())
			w.eventually(ctx, account, "default", "Terminating False/SecretNotFound")
			Expect(k8s.Delete(ctx, object)).To(Succeed())
			w.eventuallyGone(ctx, object)
			w.eventuallyGone(ctx, account)
			Expect(sim.Imports(w.account)).To(HaveLen(int(left)))
			Expect(w.orphaned()).To(Equal(left))
		},
		Entry("by its ownership marker", "{}", false, 0.0),
		Entry("by the externalId that I declare", `{"externalId": "erp-30"}`, false, 0.0),
		Entry("and lets what is of another account stay", "{}", true, 1.0),
	)

	It("keeps trying while the network is down", func(ctx context.Context) {
		w := newWorld(ctx)
		object := w.synced(ctx, w.httpImport("patient"))
		mend := w.cut()
		Expect(k8s.Delete(ctx, w.namespaceObject())).To(Succeed())
		Expect(k8s.Delete(ctx, w.secret("token", ""))).To(Succeed())
		account := get(ctx, w, &v1alpha1.Account{}, "default")
		Expect(k8s.Delete(ctx, account)).To(Succeed())
		w.eventually(ctx, account, "default", "Terminating False/SecretNotFound")
		Expect(k8s.Delete(ctx, object)).To(Succeed())
		w.eventually(ctx, object, "patient", "Terminating False/Unreachable")
		mend()
		w.eventuallyGone(ctx, object)
		w.eventuallyGone(ctx, account)
		Expect(w.calls()).To(HaveKeyWithValue(remove, 1))
		Expect(w.orphaned()).To(BeZero())
	})
})

// cut breaks every connection of the story's account until mend is called.
func (w *world) cut() (mend func()) {
	GinkgoHelper()
	rule, err := sim.AddRule(simulator.Rule{Account: w.account, Phase: simulator.PhaseBefore, Action: simulator.Action{Kind: simulator.ActionReset}})
	Expect(err).NotTo(HaveOccurred())
	return func() { Expect(sim.RemoveRule(rule)).To(Succeed()) }
}
