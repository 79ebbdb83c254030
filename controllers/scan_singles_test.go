// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/simulator"
)

// A page of the simulator has three imports.
var _ = Describe("My account has many imports of others, and I declare few", func() {
	var (
		w              *world
		prices, orders *v1alpha1.Import
	)
	// listed counts the lists that were begun.
	listed := func() int {
		return len(slices.DeleteFunc(w.lists(), func(entry simulator.Entry) bool { return strings.Contains(entry.Query, "skip=") }))
	}
	// alone waits until the imports are read alone: each twice, and no list.
	alone := func() {
		GinkgoHelper()
		gets, lists := w.calls()[getOne], listed()
		Eventually(func() string {
			if now := listed(); now != lists {
				gets, lists = w.calls()[getOne], now
			}
			if w.calls()[getOne] < gets+4 {
				return "not yet"
			}
			return fmt.Sprint(listed() == lists)
		}).Should(Equal("true"))
	}
	// then has no other scan begin.
	then := func(ctx context.Context) {
		GinkgoHelper()
		alone()
		w.configure(ctx, func(spec *v1alpha1.AccountSpec) { spec.ScanInterval = "1h" })
		before := -1
		Eventually(func() bool {
			last := before
			before = len(w.lists()) + w.calls()[getOne]
			return before == last
		}).WithPolling(2 * time.Second).Should(BeTrue())
	}
	BeforeEach(func(ctx context.Context) {
		w = newWorld(ctx)
		for n := range 12 {
			w.seed(fmt.Sprintf("of others %d", n))
		}
		prices, orders = w.synced(ctx, w.httpImport("prices")), w.synced(ctx, w.httpImport("orders"))
	})

	It("reads mine alone, and finds drift and what was deleted", func(ctx context.Context) {
		alone()
		w.edited(prices)
		w.corrected(prices)
		w.eventuallyReady(ctx, prices, "prices")

		former := orders.Status.ID
		Expect(sim.DeleteAs(jane, w.account, former)).To(Succeed())
		Eventually(func() string { return get(ctx, w, orders, "orders").Status.ID }).ShouldNot(BeElementOf(former, ""))
		w.eventuallyReady(ctx, orders, "orders")
		Expect(w.writes()).To(Equal(map[string]int{post: 3, put: 1}))

		alone()
		account := get(ctx, w, &v1alpha1.Account{}, "default")
		Expect(account.Status.Imports).To(HaveValue(BeNumerically(">=", 12)))
		Expect(account.Status.Pages).To(HaveValue(BeEquivalentTo(5)))
		Expect(account.Status.Managed).To(HaveValue(BeEquivalentTo(2)))
	})

	It("reads the list before it creates another one", func(ctx context.Context) {
		then(ctx)
		before := listed()
		w.seed("stock", `{"externalId": "k8s/00000000-0000-0000-0000-000000000000"}`)
		stock := w.httpImport("stock")
		Expect(k8s.Create(ctx, stock)).To(Succeed())
		w.eventually(ctx, stock, "stock", "Failed False/OwnershipConflict")
		Expect(listed()).To(Equal(before + 1))
		Expect(w.writes()).To(Equal(map[string]int{post: 2}))
	})

	It("reads the list once for all who ask for a look", func(ctx context.Context) {
		then(ctx)
		before := listed()
		clone := w.cloned(prices.Status.ID)
		for _, object := range []*v1alpha1.Import{prices, orders} {
			change(ctx, object, func(object *v1alpha1.Import) {
				object.Annotations[v1alpha1.AnnotationReconcileRequestedAt] = "now"
			})
		}
		Eventually(func() []string { return get(ctx, w, prices, "prices").Status.Copies }).Should(Equal([]string{clone}))
		Eventually(func() string { return get(ctx, w, orders, "orders").Status.LastHandledReconcileAt }).Should(Equal("now"))
		Expect(listed()).To(Equal(before + 1))
	})
})
