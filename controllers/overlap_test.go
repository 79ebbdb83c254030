// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"
	"fmt"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/simulator"
)

// Leader election does not promise that only one leader acts: for a while there may be two.
var _ = Describe("Two operators work at once", func() {
	It("makes each import once and sends each run once", func(ctx context.Context) {
		w := newWorld(ctx)
		DeferCleanup(startManager(k8s.Scheme()))

		const count = 8
		for i := range count {
			Expect(k8s.Create(ctx, w.httpImport(fmt.Sprintf("import-%d", i)))).To(Succeed())
			Expect(k8s.Create(ctx, w.run(fmt.Sprintf("run-%d", i), fmt.Sprintf("import-%d", i), record("A-1")))).To(Succeed())
		}
		for i := range count {
			run := w.run(fmt.Sprintf("run-%d", i), "")
			w.done(ctx, run, v1alpha1.RunSucceeded)
			Expect(run.Status.StartTime).NotTo(BeNil())
			_, written := sim.Written(w.account, run.Status.ImportID)
			Expect(written).To(Equal(1))
		}
		Expect(sim.Imports(w.account)).To(HaveLen(count))
		Expect(w.calls()).To(And(HaveKeyWithValue(post, count), HaveKeyWithValue(invoke, count)))
	})

	It("does nothing when it starts and nothing has changed", func(ctx context.Context) {
		w := newWorld(ctx)
		object := w.synced(ctx, w.httpImport("settled"))
		run := w.run("over", "settled", record("A-1"))
		Expect(k8s.Create(ctx, run)).To(Succeed())
		w.done(ctx, run, v1alpha1.RunSucceeded)
		before := w.calls()

		stop := startManager(k8s.Scheme())
		DeferCleanup(stop)
		Eventually(func() int {
			return len(sim.Ledger(simulator.Filter{Account: w.account, Route: "/v1/tokenInfo"}))
		}).Should(Equal(2), "the second operator has checked the token")
		w.scans(4)
		Expect(w.calls()).To(Equal(before))
		Expect(get(ctx, w, &v1alpha1.Import{}, "settled").ResourceVersion).To(Equal(object.ResourceVersion))
		Expect(get(ctx, w, &v1alpha1.ImportRun{}, "over").ResourceVersion).To(Equal(run.ResourceVersion))
	})
})
