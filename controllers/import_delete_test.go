// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"
	"fmt"
	"net/http"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/simulator"
)

// flow lets a flow of the account use the imports.
func (w *world) flow(n int, imports ...string) simulator.Flow {
	GinkgoHelper()
	flow := simulator.Flow{ID: fmt.Sprintf("64b0000000000000000000%02x", n), Name: fmt.Sprintf("Flow %d", n), Imports: imports}
	Expect(sim.AddFlow(w.account, flow)).To(Succeed())
	return flow
}

// told counts how often an event of the reason was recorded for the object.
func (w *world) told(ctx context.Context, name, reason string) int {
	GinkgoHelper()
	var list eventsv1.EventList
	Expect(k8s.List(ctx, &list, client.InNamespace(w.namespace))).To(Succeed())
	count := 0
	for _, event := range list.Items {
		if event.Regarding.Name != name || event.Reason != reason {
			continue
		}
		count++
		if event.Series != nil {
			count += int(event.Series.Count) - 1
		}
	}
	return count
}

var _ = Describe("I ask what uses an import", func() {
	ask := func(ctx context.Context, w *world, object *v1alpha1.Import, value string) {
		GinkgoHelper()
		change(ctx, object, func(object *v1alpha1.Import) {
			object.Annotations["integrator.io/reconcile-requested-at"] = value
		})
		Eventually(func() string { return get(ctx, w, object, object.Name).Status.LastHandledReconcileAt }).Should(Equal(value))
	}

	It("lists it once for each time that I ask", func(ctx context.Context) {
		w := newWorld(ctx)
		object := w.synced(ctx, w.httpImport("shown"))
		Expect(object.Status.UsedByObservedAt).To(BeNil())
		first, second := w.flow(2, object.Status.ID), w.flow(1, object.Status.ID)

		ask(ctx, w, object, "now")
		Expect(object.Status.UsedBy).To(Equal([]v1alpha1.ResourceUse{
			{Kind: "flow", ID: second.ID, Name: "Flow 1"}, {Kind: "flow", ID: first.ID, Name: "Flow 2"},
		}))
		Expect(object.Status.UsedByObservedAt).NotTo(BeNil())
		Expect(state(object)).To(Equal("Current True/Synced"))

		version := object.ResourceVersion
		w.scans(2)
		Expect(w.calls()).To(Equal(map[string]int{post: 1, getOne: 1, dependants: 1, audit: 1}))
		Expect(get(ctx, w, object, "shown").ResourceVersion).To(Equal(version))

		Expect(sim.RemoveFlow(w.account, first.ID)).To(Succeed())
		Expect(sim.RemoveFlow(w.account, second.ID)).To(Succeed())
		ask(ctx, w, object, "again")
		Expect(object.Status.UsedBy).To(BeEmpty())
		Expect(w.calls()).To(Equal(map[string]int{post: 1, getOne: 2, dependants: 2, audit: 2}))
	})

	DescribeTable("keeps what it knew when that cannot be read, and continues with the rest",
		func(ctx context.Context, action simulator.Action) {
			w := newWorld(ctx)
			object := w.synced(ctx, w.httpImport("kept"))
			w.flow(1, object.Status.ID)
			ask(ctx, w, object, "now")
			before := object.Status.DeepCopy()
			w.strike(http.MethodGet, "/v1/imports/{id}/dependencies", simulator.PhaseAfter, action)
			ask(ctx, w, object, "again")
			Expect(object.Status.UsedBy).To(Equal(before.UsedBy))
			Expect(object.Status.UsedByObservedAt).To(Equal(before.UsedByObservedAt))
			Expect(state(object)).To(Equal("Current True/Synced"))
			Expect(w.calls()).To(Equal(map[string]int{post: 1, getOne: 2, dependants: 2, audit: 2}))
		},
		Entry("500", simulator.Action{Kind: simulator.ActionAnswer, Status: 500}),
		Entry("403", simulator.Action{Kind: simulator.ActionAnswer, Status: 403}),
		Entry("garbage", simulator.Action{Kind: simulator.ActionGarbage}),
	)
})

var _ = Describe("Something stands against a deletion", func() {
	DescribeTable("does not take the 404 of one route for the end of the import",
		func(ctx context.Context, method, route string) {
			w := newWorld(ctx)
			object := w.synced(ctx, w.httpImport("there"))
			found := w.notFound(method, route)
			Expect(k8s.Delete(ctx, object)).To(Succeed())
			w.eventually(ctx, object, "there", "Terminating False/DeletionBlocked")
			Expect(message(object)).To(ContainSubstring("and has the import; it will be retried"))
			found()
			w.eventuallyGone(ctx, object)
			Expect(sim.Imports(w.account)).To(BeEmpty())
		},
		Entry("what uses it", http.MethodGet, "/v1/imports/{id}/dependencies"),
		Entry("the deletion", http.MethodDelete, "/v1/imports/{id}"),
	)

	It("names the flows, waits without a write, and is deleted when they are", func(ctx context.Context) {
		w := newWorld(ctx)
		object := w.synced(ctx, w.httpImport("used"))
		const flows = 18
		for n := range flows {
			w.flow(n, object.Status.ID)
		}
		Expect(k8s.Delete(ctx, object)).To(Succeed())
		w.eventually(ctx, object, "used", "Terminating False/DeletionBlocked")
		Expect(message(object)).To(Equal(`the import is in use by flow "Flow 0", flow "Flow 1", flow "Flow 2", flow "Flow 3", flow "Flow 4", and 13 more: ` +
			"remove it there, or set spec.deletionPolicy to Orphan"))
		Expect(object.Status.UsedBy).To(HaveLen(16))
		Expect(object.Status.UsedBy[1]).To(Equal(v1alpha1.ResourceUse{Kind: "flow", ID: "64b000000000000000000001", Name: "Flow 1"}))
		Expect(object.Status.UsedByObservedAt).NotTo(BeNil())

		version, asked := object.ResourceVersion, w.calls()[dependants]
		Eventually(func() int { return w.calls()[dependants] }).Should(BeNumerically(">=", asked+2), "it asks again")
		Expect(get(ctx, w, object, "used").ResourceVersion).To(Equal(version))
		Expect(w.told(ctx, "used", "DeletionBlocked")).To(Equal(1))
		Expect(w.calls()).NotTo(HaveKey(remove))

		for n := range flows {
			Expect(sim.RemoveFlow(w.account, w.flow(n).ID)).To(Succeed())
		}
		w.eventuallyGone(ctx, object)
		Expect(w.calls()).To(HaveKeyWithValue(remove, 1))
		Expect(sim.Imports(w.account)).To(BeEmpty())
	})

	It("goes without a call when I say Orphan meanwhile", func(ctx context.Context) {
		w := newWorld(ctx)
		object := w.synced(ctx, w.httpImport("let-go"))
		id := object.Status.ID
		w.flow(1, id)
		Expect(k8s.Delete(ctx, object)).To(Succeed())
		w.eventually(ctx, object, "let-go", "Terminating False/DeletionBlocked")
		change(ctx, object, func(object *v1alpha1.Import) { object.Spec.DeletionPolicy = v1alpha1.DeletionPolicyOrphan })
		w.eventuallyGone(ctx, object)
		Expect(w.calls()).NotTo(HaveKey(remove))
		w.remote(id)
	})

	It("stays when I say Orphan while it is on the way", func(ctx context.Context) {
		w := newWorld(ctx)
		object := w.synced(ctx, w.httpImport("spared"))
		letGo := w.hold(http.MethodGet, "/v1/imports/{id}/dependencies", simulator.PhaseAfter)
		Expect(k8s.Delete(ctx, object)).To(Succeed())
		w.struck()
		change(ctx, object, func(object *v1alpha1.Import) { object.Spec.DeletionPolicy = v1alpha1.DeletionPolicyOrphan })
		letGo()
		w.eventuallyGone(ctx, object)
		Expect(w.calls()).NotTo(HaveKey(remove))
		w.remote(object.Status.ID)
	})

	DescribeTable("is not deleted when the API alone knows what uses it",
		func(ctx context.Context, status int) {
			chosen(func(c *simulator.Choices) { c.DeleteInUseStatus = status })
			w := newWorld(ctx)
			object := w.synced(ctx, w.httpImport("refused"))
			flow := w.flow(1, object.Status.ID)
			_, err := sim.AddRule(simulator.Rule{Account: w.account, Route: "/v1/imports/{id}/dependencies", Phase: simulator.PhaseAfter,
				Action: simulator.Action{Kind: simulator.ActionAnswer, Status: 200, Body: "{}"}})
			Expect(err).NotTo(HaveOccurred())

			Expect(k8s.Delete(ctx, object)).To(Succeed())
			w.eventually(ctx, object, "refused", "Terminating False/DeletionBlocked")
			Expect(message(object)).To(And(HavePrefix(fmt.Sprintf("the API refuses to delete the import (%d", status)),
				HaveSuffix("remove it from what uses it, check that the token may delete it, or set spec.deletionPolicy to Orphan")))
			Eventually(func() int { return w.calls()[remove] }).Should(BeNumerically(">=", 3), "it retries")
			Expect(w.told(ctx, "refused", "DeletionBlocked")).To(Equal(1))
			w.remote(object.Status.ID)

			Expect(sim.RemoveFlow(w.account, flow.ID)).To(Succeed())
			w.eventuallyGone(ctx, object)
			Expect(sim.Imports(w.account)).To(BeEmpty())
		},
		Entry("422", 422), Entry("409", 409), Entry("403", 403),
	)

	It("is deleted although its definition cannot be resolved any more and the answer to its creation was lost", func(ctx context.Context) {
		w := newWorld(ctx)
		w.strike(http.MethodPost, "/v1/imports", simulator.PhaseAfter, simulator.Action{Kind: simulator.ActionReset})
		w.strike(http.MethodGet, "/v1/imports", simulator.PhaseBefore, simulator.Action{Kind: simulator.ActionAnswer, Status: 503})
		object := w.httpImport("unresolved")
		Expect(k8s.Create(ctx, object)).To(Succeed())
		Eventually(func() int { return w.calls()[post] }).Should(Equal(1))
		change(ctx, object, func(object *v1alpha1.Import) {
			object.Spec.Definition.Raw = overlaid(string(object.Spec.Definition.Raw), `{"_connectionId": "@nowhere"}`)
		})
		Expect(k8s.Delete(ctx, object)).To(Succeed())
		w.eventuallyGone(ctx, object)
		Expect(sim.Imports(w.account)).To(BeEmpty())
		// An old version in the cache may cost one more read.
		Expect(w.writes()).To(Equal(map[string]int{post: 1, remove: 1}))
	})
})

// reconciling returns the Reconciling condition as "reason: message".
func reconciling(object client.Object) string {
	for _, condition := range conditionsOf(object) {
		if condition.Type == v1alpha1.ConditionReconciling && condition.Status == metav1.ConditionTrue {
			return condition.Reason + ": " + condition.Message
		}
	}
	return ""
}
