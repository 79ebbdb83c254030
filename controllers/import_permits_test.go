// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/simulator"
)

// many creates so many Imports, and waits until they are in sync.
func (w *world) many(ctx context.Context, n int) (objects []*v1alpha1.Import) {
	GinkgoHelper()
	for i := range n {
		object := w.httpImport(fmt.Sprintf("one-of-many-%d", i))
		Expect(k8s.Create(ctx, object)).To(Succeed())
		objects = append(objects, object)
	}
	for _, object := range objects {
		w.eventuallyReady(ctx, object, object.Name)
	}
	return objects
}

// askToLook asks for a look at each, with kubectl annotate.
func askToLook(ctx context.Context, objects []*v1alpha1.Import) {
	GinkgoHelper()
	for _, object := range objects {
		patch := fmt.Sprintf(`{"metadata":{"annotations":{%q:"now"}}}`, v1alpha1.AnnotationReconcileRequestedAt)
		Expect(k8s.Patch(ctx, object, client.RawPatch(types.MergePatchType, []byte(patch)))).To(Succeed())
	}
}

// unanswered are those whose request for a look was not answered yet.
func (w *world) unanswered(ctx context.Context) (names []string) {
	GinkgoHelper()
	var list v1alpha1.ImportList
	Expect(k8s.List(ctx, &list, client.InNamespace(w.namespace))).To(Succeed())
	for _, object := range list.Items {
		if object.Annotations[v1alpha1.AnnotationReconcileRequestedAt] != object.Status.LastHandledReconcileAt {
			names = append(names, object.Name)
		}
	}
	return names
}

// limited has the Account make so few requests.
func (w *world) limited(ctx context.Context, limit func(*v1alpha1.AccountSpec)) {
	GinkgoHelper()
	account := &v1alpha1.Account{ObjectMeta: w.meta("default")}
	change(ctx, account, func(account *v1alpha1.Account) { limit(&account.Spec) })
	w.eventuallyReady(ctx, account, "default")
}

var _ = Describe("Another Account has much to do", func() {
	It("and may make one request a second: mine does not wait, and it keeps its rate", func(ctx context.Context) {
		slow, healthy := newWorld(ctx), newWorld(ctx)
		objects := slow.many(ctx, 20)
		slow.limited(ctx, func(spec *v1alpha1.AccountSpec) { spec.RequestsPerSecond = 1 })
		before := len(sim.Ledger(simulator.Filter{Account: slow.account}))
		askToLook(ctx, objects)
		Eventually(slow.calls).Should(HaveKey(dependants), "the looks have begun")

		healthy.synced(ctx, healthy.httpImport("mine"))
		Expect(len(slow.unanswered(ctx))).To(BeNumerically(">", 10), "those of the other Account were looked at first")

		By("measuring the rate of the other Account")
		// The bucket had one token, and the last Import may have spent those of its own calls in advance.
		const inAdvance = 1 + 4
		Eventually(func() int { return len(sim.Ledger(simulator.Filter{Account: slow.account})) - before }).Should(BeNumerically(">=", inAdvance+2))
		entries := sim.Ledger(simulator.Filter{Account: slow.account})[before:]
		for i, entry := range entries {
			least := time.Duration(i-inAdvance) * time.Second
			Expect(entry.Received.Sub(entries[0].Received)).To(BeNumerically(">=", least), "request %d", i)
		}
	})

	It("and its API does not answer: mine does not wait, and once it answers all go on", func(ctx context.Context) {
		dead, healthy := newWorld(ctx), newWorld(ctx)
		objects := dead.many(ctx, 30)
		rule, err := sim.AddRule(simulator.Rule{Account: dead.account, Phase: simulator.PhaseBefore,
			Action: simulator.Action{Kind: simulator.ActionHang, DelayMillis: 500}})
		Expect(err).NotTo(HaveOccurred())
		askToLook(ctx, objects)
		healthy.synced(ctx, healthy.httpImport("mine"))
		Expect(len(dead.unanswered(ctx))).To(BeNumerically(">", 10))

		account := &v1alpha1.Account{}
		Eventually(func() string { return message(get(ctx, dead, account, "default")) }).Should(
			HavePrefix("the API does not answer (the connection broke), so that no other call is made until a check of the token is answered; "))
		Expect(state(account)).To(Equal("InProgress False/Unreachable"))
		silent := len(sim.Ledger(simulator.Filter{Account: dead.account}))
		healthy.synced(ctx, healthy.httpImport("another"))
		// What was refused meanwhile waits for the Account, and not for a time.
		Eventually(func() []string {
			var names []string
			for _, object := range objects {
				if get(ctx, dead, object, object.Name); state(object) != "Current True/Synced" && state(object) != "InProgress False/AccountNotReady" {
					names = append(names, object.Name+": "+state(object))
				}
			}
			return names
		}).Should(BeEmpty())
		Eventually(dead.tokenChecks).Should(BeNumerically(">=", 2))
		probes := sim.Ledger(simulator.Filter{Account: dead.account})[silent:]
		for i, probe := range probes {
			Expect(probe.Route).To(Equal("/v1/tokenInfo"))
			if i > 0 {
				Expect(probe.Received).To(BeTemporally(">=", *probes[i-1].Answered), "one at a time")
			}
		}

		Expect(sim.RemoveRule(rule)).To(Succeed())
		dead.eventuallyReady(ctx, account, "default")
		Eventually(func() []string { return dead.unanswered(ctx) }).Should(BeEmpty())
		for _, object := range objects {
			dead.eventuallyReady(ctx, object, object.Name)
		}
	})

	It("and what I change goes before all that is to be looked at", func(ctx context.Context) {
		w := newWorld(ctx)
		objects := w.many(ctx, 12)
		w.limited(ctx, func(spec *v1alpha1.AccountSpec) { spec.MaxInFlight, spec.ScanInterval = 1, "1h" })
		letGo := w.hold(http.MethodGet, "/v1/imports/{id}", simulator.PhaseBefore)
		askToLook(ctx, objects[:1])
		w.struck()
		askToLook(ctx, objects[1:11])
		mine := objects[11]
		change(ctx, mine, func(object *v1alpha1.Import) {
			object.Spec.Definition.Raw = overlaid(string(object.Spec.Definition.Raw), `{"description": "changed"}`)
		})
		Consistently(w.calls, "300ms").Should(HaveKeyWithValue(getOne, 1), "there is one place, and it is taken")
		letGo()
		w.eventuallyReady(ctx, mine, mine.Name)
		Eventually(func() []string { return w.unanswered(ctx) }).Should(BeEmpty())
		var read []string
		for _, entry := range sim.Ledger(simulator.Filter{Account: w.account, Method: http.MethodGet, Route: "/v1/imports/{id}"}) {
			read = append(read, entry.Path)
		}
		Expect(slices.Index(read, "/v1/imports/"+mine.Status.ID)).To(BeNumerically("<=", 2), "it was read after most of the others")
	})

	It("and the checks of its tokens do not end: mine is checked meanwhile", func(ctx context.Context) {
		dead, healthy := newEmptyWorld(ctx), newEmptyWorld(ctx)
		rule, err := sim.AddRule(simulator.Rule{Account: dead.account, Phase: simulator.PhaseBefore, Action: simulator.Action{Kind: simulator.ActionHang}})
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(func() { Expect(sim.RemoveRule(rule)).To(Succeed()) })
		Expect(k8s.Create(ctx, dead.secret("token", dead.token))).To(Succeed())
		for n := range 10 {
			Expect(k8s.Create(ctx, dead.accountObject(fmt.Sprintf("dead-%d", n)))).To(Succeed())
		}
		Eventually(dead.tokenChecks).Should(Equal(10), "they are all being checked")
		Expect(k8s.Create(ctx, healthy.secret("token", healthy.token))).To(Succeed())
		account := healthy.accountObject("default")
		Expect(k8s.Create(ctx, account)).To(Succeed())
		healthy.eventuallyReady(ctx, account, "default")
		Expect(sim.Ledger(simulator.Filter{Account: dead.account})).To(HaveEach(HaveField("Answered", BeNil())), "it waited for one of them")
	})
})
