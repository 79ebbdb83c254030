// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/importstate"
	"github.com/integrator-operator/integrator-operator/internal/ownership"
	"github.com/integrator-operator/integrator-operator/internal/simulator"
)

var _ = Describe("My cluster has an owner id", func() {
	prod := ownership.Owner{ID: "prod"}
	var (
		w       *world
		stop    func()
		operate func(owner ownership.Owner, others ...string)
	)
	BeforeEach(func(ctx context.Context) {
		w = newWorld(ctx)
		operate, stop = w.operators()
	})
	manifest := func(n int) *v1alpha1.Import { return w.httpImport(fmt.Sprintf("import-%d", n)) }
	marker := func(object *v1alpha1.Import) string { return "k8s/prod/" + w.namespace + "/" + object.Name }

	It("finds all of its imports from a new cluster with the same Git, with one list and without a write", func(ctx context.Context) {
		const imports = 5
		operate(prod)
		ids := map[string]string{}
		for n := range imports {
			object := w.synced(ctx, manifest(n))
			ids[object.Name] = object.Status.ID
			Expect(w.remote(object.Status.ID)).To(HaveKeyWithValue("externalId", marker(object)))
		}

		By("losing the cluster, and applying Git to another")
		stop()
		for name := range ids {
			object := &v1alpha1.Import{}
			get(ctx, w, object, name)
			object.Finalizers = nil
			Expect(k8s.Update(ctx, object)).To(Succeed())
			Expect(client.IgnoreNotFound(k8s.Delete(ctx, object))).To(Succeed())
		}
		before := w.writes()
		operate(prod)
		for n := range imports {
			Expect(k8s.Create(ctx, manifest(n))).To(Succeed())
		}
		for name, id := range ids {
			object := &v1alpha1.Import{}
			w.eventuallyReady(ctx, object, name)
			Expect(object.Status.ID).To(Equal(id))
		}
		Expect(w.writes()).To(Equal(before))
		searches := 0
		for _, entry := range sim.Ledger(simulator.Filter{Account: w.account, Method: http.MethodGet, Route: "/v1/imports"}) {
			if strings.Contains(entry.Query, "createdAt") {
				searches++
			}
		}
		Expect(searches).To(BeZero(), "the scan has found them")
	})

	It("gives its imports the new marker when the owner id is set, and refuses to lose it", func(ctx context.Context) {
		operate(ownership.Owner{})
		object := w.synced(ctx, manifest(1))
		id := object.Status.ID
		Expect(w.remote(id)).To(HaveKeyWithValue("externalId", "k8s/"+string(object.UID)))

		By("setting it")
		operate(prod)
		Eventually(func() any { return w.remote(id)["externalId"] }).Should(Equal(marker(object)))
		w.eventuallyReady(ctx, object, object.Name)
		Expect(w.writes()).To(Equal(map[string]int{post: 1, put: 1}))

		By("taking it away again")
		operate(ownership.Owner{})
		w.eventually(ctx, object, object.Name, "Failed False/OwnershipConflict")
		Expect(message(object)).To(And(ContainSubstring("--owner-id=prod"), ContainSubstring("--former-owner-ids=prod")))
		w.scans(1)
		Expect(w.writes()).To(Equal(map[string]int{post: 1, put: 1}))

		By("insisting")
		operate(ownership.Owner{ID: "production", Former: []string{"prod"}})
		Eventually(func() any { return w.remote(id)["externalId"] }).Should(Equal("k8s/production/" + w.namespace + "/" + object.Name))
		w.eventuallyReady(ctx, object, object.Name)
		Expect(object.Status.ID).To(Equal(id))
		Expect(w.writes()).To(Equal(map[string]int{post: 1, put: 2}))
	})

	It("stops when another cluster with the same owner id undoes what it restores, and says so", func(ctx context.Context) {
		operate(prod)
		object := w.synced(ctx, manifest(1))
		other := func() {
			GinkgoHelper()
			Expect(sim.EditAs(jane, w.account, object.Status.ID, func(document simulator.Document) { document["description"] = "staging" })).To(Succeed())
		}
		change(ctx, object, func(object *v1alpha1.Import) {
			object.Spec.Definition.Raw = overlaid(string(object.Spec.Definition.Raw), `{"description": "production"}`)
		})
		w.eventuallyReady(ctx, object, object.Name)
		for range importstate.MaxCorrections {
			other()
			Eventually(func() any { return w.remote(object.Status.ID)["description"] }).Should(Equal("production"))
		}
		before := w.writes()
		other()
		w.eventually(ctx, object, object.Name, "Failed False/OwnershipConflict")
		Expect(message(object)).To(And(ContainSubstring("undone each time"), ContainSubstring("/description")))
		w.scans(2)
		Expect(w.writes()).To(Equal(before))
	})
})
