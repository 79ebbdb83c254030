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

var _ = Describe("I restore a cluster, and take over all of its imports at once", func() {
	const lost = "k8s/00000000-0000-0000-0000-000000000000"
	refused := func(ctx context.Context, w *world, objects ...*v1alpha1.Import) {
		GinkgoHelper()
		for _, object := range objects {
			w.eventually(ctx, object, object.Name, "Failed False/OwnershipConflict")
		}
	}

	It("shows what it would do, does it when I say yes, and leaves what another owner may have", func(ctx context.Context) {
		w := newWorld(ctx)
		w.viewer(ctx)
		prices := w.seed("prices", `{"externalId": "`+lost+`", "description": "old"}`)
		erp := w.seed("erp", `{"externalId": "erp-1"}`)
		staging := w.seed("staging", `{"externalId": "k8s/staging/shop/staging"}`)
		w.scans(1)
		objects := []*v1alpha1.Import{w.httpImport("prices", `{"description": "declared"}`), w.httpImport("erp", `{"externalId": "erp-1"}`), w.httpImport("staging")}
		for _, object := range objects {
			Expect(k8s.Create(ctx, object)).To(Succeed())
		}
		healthy := w.synced(ctx, w.httpImport("healthy"))
		refused(ctx, w, objects...)
		before := w.writes()

		By("looking, as somebody who may only look")
		stdout, stderr, code := w.plugin(ctx, "takeover")
		Expect(code).To(Equal(2), stdout+stderr)
		Expect(stdout).To(And(
			ContainSubstring("> Import "+w.namespace+"/prices ("+prices+"): take over\n    it has the externalId "+lost+"\n    PUT /v1/imports/{id}\n"),
			ContainSubstring(`+ /description: "declared"`),
			ContainSubstring("> Import "+w.namespace+"/erp ("+erp+"): take over\n    it has the externalId erp-1\n"),
			ContainSubstring("x Import "+w.namespace+"/staging ("+staging+`): passed over`+"\n    its ownership marker has the owner id \"staging\", of an operator that may still work: if that one is gone, name it with --from-owner-id=staging"),
			HaveSuffix("Takeover: 2 to take over, 1 passed over.\n"), Not(ContainSubstring("healthy"))))
		Expect(w.writes()).To(Equal(before))
		_, stderr, code = w.plugin(ctx, "takeover", "--yes")
		Expect(code).To(Equal(1))
		Expect(stderr).To(ContainSubstring("forbidden"))

		By("saying yes")
		stdout, stderr, code = w.plugin(ctx, "takeover", administrator, "--yes")
		Expect(code).To(Equal(2), stdout+stderr)
		Expect(stdout).To(ContainSubstring("Import " + w.namespace + "/prices: took over " + prices + "\n"))
		for id, object := range map[string]*v1alpha1.Import{prices: objects[0], erp: objects[1]} {
			w.eventuallyReady(ctx, object, object.Name)
			Expect(object.Status.ID).To(Equal(id))
		}
		refused(ctx, w, objects[2])
		Expect(w.writes()).To(Equal(map[string]int{post: 1, put: 1}))

		By("naming the owner that is gone")
		stdout, stderr, code = w.plugin(ctx, "takeover", administrator, "--yes", "--from-owner-id", "staging")
		Expect(code).To(BeZero(), stdout+stderr)
		w.eventuallyReady(ctx, objects[2], "staging")
		stdout, _, code = w.plugin(ctx, "takeover")
		Expect(code).To(BeZero())
		Expect(stdout).To(Equal("Takeover: 0 to take over, 0 passed over.\n"))
		Expect(get(ctx, w, &v1alpha1.Import{}, "healthy").Generation).To(Equal(healthy.Generation))
	})

	It("empties the status that was restored, and leaves what somebody has just written", func(ctx context.Context) {
		w := newWorld(ctx)
		object := w.synced(ctx, w.httpImport("orders"))
		id := object.Status.ID
		Expect(sim.EditAs(jane, w.account, id, func(document simulator.Document) { document["externalId"] = lost })).To(Succeed())
		refused(ctx, w, object)
		Expect(object.Status.OwnedFields).NotTo(BeEmpty())

		stdout, stderr, code := w.plugin(ctx, "takeover", administrator, "orders", "--yes")
		Expect(code).To(Equal(2), stdout+stderr)
		Expect(stdout).To(And(ContainSubstring("somebody wrote to it through the API at "), ContainSubstring("0 to take over, 1 passed over")))
		stdout, stderr, code = w.plugin(ctx, "takeover", administrator, "orders", "--yes", "--idle", "0")
		Expect(code).To(BeZero(), stdout+stderr)
		Expect(stdout).To(ContainSubstring("the status, which was restored, is emptied"))
		w.eventuallyReady(ctx, object, "orders")
		Expect(object.Status.ID).To(Equal(id))
		Expect(w.writes()).To(Equal(map[string]int{post: 1, put: 1}))

		_, stderr, code = w.plugin(ctx, "takeover", administrator, "nowhere")
		Expect(code).To(Equal(1))
		Expect(stderr).To(Equal("error: there is no Import nowhere\n"))
	})
})
