// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"
	"net/http"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/utils/ptr"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/simulator"
)

// failInvoke has the simulator treat count invocations, from the first on, as told.
func (w *world) failInvoke(count int, phase simulator.Phase, action simulator.Action) {
	GinkgoHelper()
	_, err := sim.AddRule(simulator.Rule{Account: w.account, Method: http.MethodPost, Route: "/v1/imports/{id}/invoke", Phase: phase, Count: count, Action: action})
	Expect(err).NotTo(HaveOccurred())
}

var _ = Describe("A batch does not go through at once", func() {
	DescribeTable("is sent again up to retryLimit times when it is known to have changed nothing",
		func(ctx context.Context, status, failures, limit int, phase v1alpha1.RunPhase, calls int) {
			w := newWorld(ctx)
			target := w.synced(ctx, w.httpImport("orders"))
			w.failInvoke(failures, simulator.PhaseBefore, simulator.Action{Kind: simulator.ActionAnswer, Status: status})
			run := w.batched("stubborn", 4, 2)
			run.Spec.RetryLimit = ptr.To(int32(limit))
			Expect(k8s.Create(ctx, run)).To(Succeed())
			w.done(ctx, run, phase)
			Expect(w.calls()).To(HaveKeyWithValue(invoke, calls))
			if phase == v1alpha1.RunSucceeded {
				Expect(w.written(target.Status.ID)).To(Equal(numbered(4)))
			} else {
				Expect(w.written(target.Status.ID)).To(BeEmpty())
				Expect(message(run)).To(ContainSubstring("nothing of this batch was written"))
			}
		},
		Entry("403, and a limit that is enough", 403, 2, 2, v1alpha1.RunSucceeded, 4),
		Entry("404, and one that is not", 404, 2, 1, v1alpha1.RunFailed, 2),
		Entry("403, and none", 403, 1, 0, v1alpha1.RunFailed, 1),
		Entry("422, which stays as it is", 422, 2, 5, v1alpha1.RunFailed, 1),
	)

	It("is never sent again by retryLimit when its outcome is unknown", func(ctx context.Context) {
		w := newWorld(ctx)
		w.synced(ctx, w.httpImport("orders"))
		w.failInvoke(1, simulator.PhaseAfter, simulator.Action{Kind: simulator.ActionReset})
		run := w.batched("lost", 4, 2)
		run.Spec.RetryLimit = ptr.To[int32](5)
		Expect(k8s.Create(ctx, run)).To(Succeed())
		w.done(ctx, run, v1alpha1.RunUnknown)
		Expect(w.sizes()).To(Equal([]int{2}))
	})

	It("is sent again with onUnknownOutcome Retry, and may be written twice", func(ctx context.Context) {
		w := newWorld(ctx)
		target := w.synced(ctx, w.httpImport("orders"))
		w.failInvoke(1, simulator.PhaseAfter, simulator.Action{Kind: simulator.ActionReset})
		run := w.batched("upsert", 4, 2)
		run.Spec.OnUnknownOutcome = v1alpha1.UnknownOutcomeRetry
		Expect(k8s.Create(ctx, run)).To(Succeed())
		w.done(ctx, run, v1alpha1.RunSucceeded)
		Expect(run.Status.Records).To(HaveValue(Equal(v1alpha1.RecordCounts{Total: 4, Sent: 4, Succeeded: 4})))
		Expect(w.sizes()).To(Equal([]int{2, 2, 2}))
		Expect(w.written(target.Status.ID)).To(Equal(append(numbered(2), numbered(4)...)))
	})

	It("stays unknown when an answer was lost and the next attempt is refused", func(ctx context.Context) {
		w := newWorld(ctx)
		w.synced(ctx, w.httpImport("orders"))
		w.failInvoke(1, simulator.PhaseAfter, simulator.Action{Kind: simulator.ActionReset})
		_, err := sim.AddRule(simulator.Rule{Account: w.account, Method: http.MethodPost, Route: "/v1/imports/{id}/invoke",
			Phase: simulator.PhaseBefore, Nth: 2, Action: simulator.Action{Kind: simulator.ActionAnswer, Status: 422}})
		Expect(err).NotTo(HaveOccurred())
		run := w.batched("upsert", 2, 2)
		run.Spec.OnUnknownOutcome = v1alpha1.UnknownOutcomeRetry
		Expect(k8s.Create(ctx, run)).To(Succeed())
		w.done(ctx, run, v1alpha1.RunUnknown)
		Expect(message(run)).To(HavePrefix("the answer to an earlier attempt was lost, and the last one failed: "))
		Expect(w.sizes()).To(Equal([]int{2, 0}))
	})

	It("gives up at the deadline", func(ctx context.Context) {
		w := newWorld(ctx)
		w.synced(ctx, w.httpImport("orders"))
		w.failInvoke(0, simulator.PhaseBefore, simulator.Action{Kind: simulator.ActionAnswer, Status: 503})
		run := w.batched("upsert", 2, 2)
		run.Spec.OnUnknownOutcome, run.Spec.ActiveDeadlineSeconds = v1alpha1.UnknownOutcomeRetry, seconds(4)
		Expect(k8s.Create(ctx, run)).To(Succeed())
		w.done(ctx, run, v1alpha1.RunUnknown)
		Expect(message(run)).To(ContainSubstring("the API answered 503"))
		Expect(len(w.sizes())).To(BeNumerically(">=", 2))
		Expect(len(w.sizes())).To(BeNumerically("<=", 3), "pauses of 1 s and 2 s within 4 s")
	})
})
