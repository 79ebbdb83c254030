// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"
	"fmt"
	"net/http"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/simulator"
)

var _ = Describe("I want to know who changed an import last", func() {
	// edits has Jane change the import, at different times: one page of the log has 3 entries.
	edits := func(w *world, id string, count int) {
		GinkgoHelper()
		for n := range count {
			last := w.remote(id)["lastModified"]
			Eventually(func() string { return time.Now().UTC().Format("2006-01-02T15:04:05.000Z") }, "1s", "1ms").ShouldNot(Equal(last))
			Expect(sim.EditAs(jane, w.account, id, func(document simulator.Document) { document["uiNote"] = fmt.Sprint(n) })).To(Succeed())
		}
	}
	ask := func(ctx context.Context, w *world, object *v1alpha1.Import, value string) {
		GinkgoHelper()
		change(ctx, object, func(object *v1alpha1.Import) {
			if object.Annotations == nil {
				object.Annotations = map[string]string{}
			}
			object.Annotations[v1alpha1.AnnotationReconcileRequestedAt] = value
		})
		Eventually(func() string { return get(ctx, w, object, object.Name).Status.LastHandledReconcileAt }).Should(Equal(value))
	}
	byJane := And(HaveField("User", jane.Email), HaveField("Source", "ui"), HaveField("Event", "update"))

	DescribeTable("shows it when an import is adopted",
		func(ctx context.Context, policy v1alpha1.ManagementPolicy, mode v1alpha1.AdoptionMode, more string, want map[string]int) {
			w := newWorld(ctx)
			id := w.seed("prices")
			edits(w, id, 7)
			object := adopting(w.httpImport("prices", more), v1alpha1.AdoptSpec{ID: v1alpha1.ID(id), Mode: mode})
			object.Spec.ManagementPolicy = policy
			w.synced(ctx, object)
			Expect(object.Status.Audit).NotTo(BeNil())
			Expect(object.Status.Audit.LastEvent).To(HaveValue(byJane))
			Expect(object.Status.Audit.ExternalChanges).To(HaveEach(byJane))
			w.scans(2)
			Expect(w.calls()).To(Equal(want))
		},
		Entry("with Match", v1alpha1.ManagementPolicyManage, v1alpha1.AdoptionModeMatch, `{}`,
			map[string]int{getOne: 1, dependants: 1, audit: 1}),
		Entry("with Override", v1alpha1.ManagementPolicyManage, v1alpha1.AdoptionModeOverride, `{"maxAttempts": 7}`,
			map[string]int{getOne: 1, dependants: 1, audit: 1, put: 1}),
		Entry("to observe it", v1alpha1.ManagementPolicyObserve, v1alpha1.AdoptionModeMatch, `{}`,
			map[string]int{getOne: 1, dependants: 1, audit: 1}),
		Entry("to observe it, when it differs", v1alpha1.ManagementPolicyObserve, v1alpha1.AdoptionModeMatch, `{"maxAttempts": 7}`,
			map[string]int{getOne: 1, dependants: 1, audit: 1}),
	)

	It("shows it each time that I ask, and at no other time", func(ctx context.Context) {
		w := newWorld(ctx)
		object := w.synced(ctx, w.httpImport("prices"))
		Expect(object.Status.Audit).To(BeNil())
		ask(ctx, w, object, "first")
		Expect(object.Status.Audit.LastEvent).To(HaveValue(And(HaveField("Event", "create"), HaveField("Source", "api"))))
		Expect(object.Status.Audit.ExternalChanges).To(BeEmpty())
		Expect(w.calls()).To(Equal(map[string]int{post: 1, getOne: 1, dependants: 1, audit: 1}))

		By("not asking while others change what is not declared")
		edits(w, object.Status.ID, 7)
		edited := w.remote(object.Status.ID)["lastModified"]
		Eventually(func() any { return get(ctx, w, object, "prices").Status.LastModified }).Should(Equal(edited))
		w.scans(2)
		Expect(object.Status.Audit.LastEvent.Event).To(Equal("create"))
		Expect(w.calls()).To(HaveKeyWithValue(audit, 1))

		By("asking again")
		ask(ctx, w, object, "second")
		Expect(object.Status.Audit.LastEvent).To(HaveValue(byJane))
		Expect(w.calls()).To(And(HaveKeyWithValue(audit, 2), HaveKeyWithValue(dependants, 2), HaveKeyWithValue(post, 1)))
	})

	It("names the author of a drift with the same call", func(ctx context.Context) {
		w := newWorld(ctx)
		object := w.synced(ctx, w.httpImport("prices", `{"description": "declared"}`))
		change(ctx, &v1alpha1.Account{ObjectMeta: w.meta("default")}, func(account *v1alpha1.Account) { account.Spec.ScanInterval = "1h" })
		w.eventuallyReady(ctx, &v1alpha1.Account{}, "default")
		Expect(sim.EditAs(jane, w.account, object.Status.ID, func(document simulator.Document) { document["description"] = "by hand" })).To(Succeed())
		ask(ctx, w, object, "now")
		Eventually(func() []string { return w.events(ctx, "prices") }).Should(ContainElement(
			`DriftDetected: the remote import was changed by jane@example.com (ui): /description (declared "declared", remote "by hand")`))
		Expect(w.calls()[audit]).To(Equal(1))
	})

	It("reads it once although the write that follows has to be repeated", func(ctx context.Context) {
		w := newWorld(ctx)
		object := w.synced(ctx, w.httpImport("prices", `{"description": "declared"}`))
		_, err := sim.AddRule(simulator.Rule{Account: w.account, Method: http.MethodPut, Phase: simulator.PhaseBefore, Count: 2,
			Action: simulator.Action{Kind: simulator.ActionAnswer, Status: 503}})
		Expect(err).NotTo(HaveOccurred())
		change(ctx, object, func(object *v1alpha1.Import) {
			object.Spec.Definition.Raw = overlaid(string(object.Spec.Definition.Raw), `{"description": "another"}`)
			object.Annotations[v1alpha1.AnnotationReconcileRequestedAt] = "now"
		})
		Eventually(func() string { return get(ctx, w, object, "prices").Status.LastHandledReconcileAt }).Should(Equal("now"))
		Expect(object.Status.Audit.LastEvent.Event).To(Equal("create"))
		Expect(w.calls()).To(Equal(map[string]int{post: 1, getOne: 3, dependants: 1, audit: 1, put: 3}))

		By("asking again")
		ask(ctx, w, object, "again")
		Expect(object.Status.Audit.LastEvent.Event).To(Equal("update"))
		Expect(w.calls()).To(Equal(map[string]int{post: 1, getOne: 4, dependants: 2, audit: 2, put: 3}))
	})

	It("shows it when I ask about an import that cannot be adopted", func(ctx context.Context) {
		w := newWorld(ctx)
		id := w.seed("prices", `{"description": "by hand"}`)
		edits(w, id, 7)
		object := adopting(w.httpImport("prices", `{"description": "declared"}`), v1alpha1.AdoptSpec{ID: v1alpha1.ID(id)})
		Expect(k8s.Create(ctx, object)).To(Succeed())
		w.eventually(ctx, object, "prices", "Failed False/AdoptionMismatch")
		Expect(w.calls()).To(Equal(map[string]int{getOne: 1}))
		ask(ctx, w, object, "now")
		Expect(object.Status.Audit.LastEvent).To(HaveValue(byJane))
		Expect(state(object)).To(Equal("Failed False/AdoptionMismatch"))
		Expect(w.calls()).To(Equal(map[string]int{getOne: 2, dependants: 1, audit: 1}))
	})

	It("shows nothing rather than an old change when the log begins with the oldest, and goes on", func(ctx context.Context) {
		chosen(func(c *simulator.Choices) { c.AuditOrder = simulator.OldestFirst })
		w := newWorld(ctx)
		short, long := w.seed("short"), w.seed("long")
		edits(w, short, 1)
		edits(w, long, 7)
		object := w.synced(ctx, adopting(w.httpImport("short"), v1alpha1.AdoptSpec{ID: v1alpha1.ID(short)}))
		Expect(object.Status.Audit.LastEvent).To(HaveValue(byJane))
		object = w.synced(ctx, adopting(w.httpImport("long"), v1alpha1.AdoptSpec{ID: v1alpha1.ID(long)}))
		Expect(object.Status.Audit).To(BeNil())
		Expect(w.calls()).To(Equal(map[string]int{getOne: 2, dependants: 2, audit: 2}))
	})

	DescribeTable("continues when the log cannot be read, and reads it once",
		func(ctx context.Context, action simulator.Action) {
			w := newWorld(ctx)
			id := w.seed("prices")
			_, err := sim.AddRule(simulator.Rule{Account: w.account, Method: http.MethodGet, Route: "/v1/imports/{id}/audit",
				Phase: simulator.PhaseAfter, Action: action})
			Expect(err).NotTo(HaveOccurred())
			object := w.synced(ctx, adopting(w.httpImport("prices"), v1alpha1.AdoptSpec{ID: v1alpha1.ID(id)}))
			Expect(object.Status.Audit).To(BeNil())
			Expect(w.calls()).To(Equal(map[string]int{getOne: 1, dependants: 1, audit: 1}))
			ask(ctx, w, object, "now")
			Expect(state(object)).To(Equal("Current True/Synced"))
			w.scans(2)
			Expect(w.calls()).To(Equal(map[string]int{getOne: 2, dependants: 2, audit: 2}))
		},
		Entry("403", simulator.Action{Kind: simulator.ActionAnswer, Status: 403}),
		Entry("404", simulator.Action{Kind: simulator.ActionAnswer, Status: 404}),
		Entry("429", simulator.Action{Kind: simulator.ActionAnswer, Status: 429}),
		Entry("503", simulator.Action{Kind: simulator.ActionAnswer, Status: 503}),
		Entry("a web page", simulator.Action{Kind: simulator.ActionAnswer, Status: 200, HTML: true, Body: "<html></html>"}),
	)
})
