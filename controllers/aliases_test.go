// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/simulator"
)

var _ = Describe("I use the same manifest in every environment", func() {
	It("runs unchanged against two accounts, with the ids of each", func(ctx context.Context) {
		staging, production := newWorld(ctx), newEmptyWorld(ctx)
		Expect(k8s.Create(ctx, production.secret("token", production.token))).To(Succeed())
		account := production.accountObject("default")
		account.Spec.Aliases = map[string]v1alpha1.ID{"shop": ftpConnection}
		Expect(k8s.Create(ctx, account)).To(Succeed())

		for w, connection := range map[*world]string{staging: shopConnection, production: ftpConnection} {
			object := w.synced(ctx, w.httpImport("orders"))
			Expect(w.remote(object.Status.ID)).To(HaveKeyWithValue("_connectionId", connection))
			Expect(w.calls()).To(Equal(map[string]int{post: 1}))
		}
	})

	It("follows a changed alias where it is used, and nowhere else", func(ctx context.Context) {
		w := newWorld(ctx)
		shop := w.synced(ctx, w.httpImport("shop"))
		ftp := w.synced(ctx, w.httpImport("ftp", `{"_connectionId": "@ftp"}`))
		account := get(ctx, w, &v1alpha1.Account{}, "default")
		change(ctx, account, func(account *v1alpha1.Account) { account.Spec.Aliases["shop"] = ftpConnection })
		Eventually(func() simulator.Document { return w.remote(shop.Status.ID) }).Should(HaveKeyWithValue("_connectionId", ftpConnection))
		w.eventuallyReady(ctx, shop, "shop")
		w.scans(2)
		Expect(w.calls()).To(Equal(map[string]int{post: 2, getOne: 2, reconnect: 1}))
		for _, entry := range sim.Ledger(simulator.Filter{Account: w.account, Method: "GET", Route: "/v1/imports/{id}"}) {
			Expect(entry.Path).NotTo(ContainSubstring(ftp.Status.ID))
		}
	})
})
