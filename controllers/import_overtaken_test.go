// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/simulator"
)

// hold has the simulator hold the account's next call of a route until it is let go.
func (w *world) hold(method, route string, phase simulator.Phase) (letGo func()) {
	GinkgoHelper()
	id, err := sim.AddRule(simulator.Rule{Account: w.account, Method: method, Route: route, Phase: phase, Count: 1,
		Action: simulator.Action{Kind: simulator.ActionLatency, DelayMillis: time.Hour.Milliseconds()}})
	Expect(err).NotTo(HaveOccurred())
	return func() { GinkgoHelper(); Expect(sim.ReleaseRule(id)).To(Succeed()) }
}

// struck waits until the newest rule of the account has struck.
func (w *world) struck() {
	GinkgoHelper()
	Eventually(func() (fired int) {
		for _, rule := range sim.Rules() {
			if rule.Account == w.account {
				fired = rule.Fired
			}
		}
		return fired
	}).Should(Equal(1))
}

// createIntent reads the intent of the Import, and when it was written.
func createIntent(ctx context.Context, w *world, name string) (text string, at time.Time) {
	GinkgoHelper()
	var pending struct{ Time time.Time }
	Eventually(func(g Gomega) {
		text = get(ctx, w, &v1alpha1.Import{}, name).Annotations[v1alpha1.AnnotationCreatePending]
		g.Expect(json.Unmarshal([]byte(text), &pending)).To(Succeed())
	}).Should(Succeed())
	return text, pending.Time
}

// overtake replaces the intent, as a process does that believes the first to be over.
func overtake(ctx context.Context, w *world, name string) string {
	GinkgoHelper()
	text, _ := createIntent(ctx, w, name)
	fields := map[string]any{}
	Expect(json.Unmarshal([]byte(text), &fields)).To(Succeed())
	fields["time"] = time.Now().UTC()
	another, err := json.Marshal(fields)
	Expect(err).NotTo(HaveOccurred())
	change(ctx, &v1alpha1.Import{ObjectMeta: w.meta(name)}, func(object *v1alpha1.Import) {
		object.Annotations[v1alpha1.AnnotationCreatePending] = string(another)
	})
	return string(another)
}

// Found by the model of Imports: of two processes one may stand still between any two steps.
var _ = Describe("Another operator goes on with a creation", func() {
	It("leaves its intent alone when the first call is refused late", func(ctx context.Context) {
		w := newWorld(ctx)
		letGo := w.hold(http.MethodPost, "/v1/imports", simulator.PhaseBefore)
		object := w.declare("overtaken", `{"name": "overtaken", "_connectionId": "@shop", "adaptorType": "HTTPImport"}`)
		Expect(k8s.Create(ctx, object)).To(Succeed())
		w.struck()
		another := overtake(ctx, w, "overtaken")
		letGo()
		w.eventually(ctx, object, "overtaken", "InProgress False/CreateUnconfirmed")
		Expect(object.Annotations).To(HaveKeyWithValue(v1alpha1.AnnotationCreatePending, another))
		Expect(w.calls()).To(Equal(map[string]int{post: 1}), "the call of the other is under way still")
	})

	It("leaves its intent alone when the first call comes back late, and finds what that made", func(ctx context.Context) {
		w := newWorld(ctx)
		letGo := w.hold(http.MethodPost, "/v1/imports", simulator.PhaseAfter)
		object := w.httpImport("overtaken")
		Expect(k8s.Create(ctx, object)).To(Succeed())
		w.struck()
		overtake(ctx, w, "overtaken")
		letGo()
		w.eventuallyReady(ctx, object, "overtaken")
		Eventually(func() []string { return w.events(ctx, "overtaken") }).Should(ContainElement(HavePrefix("Recovered: ")))
		Expect(w.events(ctx, "overtaken")).NotTo(ContainElement(HavePrefix("Created: ")))
		Expect(w.calls()).To(HaveKeyWithValue(post, 1))
	})

	It("persists the id also when somebody changed a label meanwhile, or removed the annotations", func(ctx context.Context) {
		w := newWorld(ctx)
		letGo := w.hold(http.MethodPost, "/v1/imports", simulator.PhaseAfter)
		object := w.httpImport("labelled")
		Expect(k8s.Create(ctx, object)).To(Succeed())
		w.struck()
		change(ctx, object, func(object *v1alpha1.Import) {
			object.Labels, object.Annotations = map[string]string{"team": "erp"}, nil
		})
		letGo()
		w.eventuallyReady(ctx, object, "labelled")
		Eventually(func() []string { return w.events(ctx, "labelled") }).Should(ContainElement(HavePrefix("Created: ")))
		Eventually(func() map[string]string { return get(ctx, w, object, "labelled").Annotations }).
			Should(HaveKeyWithValue(v1alpha1.AnnotationID, object.Status.ID), "the next loss may be that of the status")
		Expect(object.Labels).To(And(HaveKeyWithValue("team", "erp"), HaveKey(v1alpha1.LabelRemoteImport)))
		Expect(w.calls()).To(HaveKeyWithValue(post, 1))
	})

	It("creates it again once, although the first pauses before its call", func(ctx context.Context) {
		w := newWorld(ctx)
		DeferCleanup(startManager(k8s.Scheme()))
		object := w.synced(ctx, w.httpImport("again"))
		first := object.Status.ID
		letGo := w.hold(http.MethodGet, "/v1/imports/{id}/audit", simulator.PhaseBefore)
		Expect(sim.DeleteAs(jane, w.account, first)).To(Succeed())
		w.struck()
		Eventually(func() string { return get(ctx, w, object, "again").Status.ID }).ShouldNot(Or(Equal(first), BeEmpty()))
		letGo()
		w.scans(2)
		w.eventuallyReady(ctx, object, "again")
		Expect(w.calls()).To(HaveKeyWithValue(post, 2))
		Expect(sim.Imports(w.account)).To(HaveLen(1))
	})
})

// Found by the model of Imports.
var _ = Describe("The account's list comes late, and the next one misses the import", func() {
	It("believes only lists that were requested after the timeout", func(ctx context.Context) {
		w := newEmptyWorld(ctx)
		account := w.accountObject("default")
		account.Spec.ScanInterval = "1h"
		Expect(k8s.Create(ctx, w.secret("token", w.token))).To(Succeed())
		Expect(k8s.Create(ctx, account)).To(Succeed())
		w.eventuallyReady(ctx, &v1alpha1.Account{}, "default")
		Eventually(func() []simulator.Entry {
			return sim.Ledger(simulator.Filter{Account: w.account, Route: "/v1/imports"})
		}).Should(HaveLen(1), "no scan but the first stands between")

		arrive := w.hold(http.MethodPost, "/v1/imports", simulator.PhaseBefore)
		object := w.httpImport("late")
		Expect(k8s.Create(ctx, object)).To(Succeed())
		w.struck()
		_, at := createIntent(ctx, w, "late")
		answer := w.hold(http.MethodGet, "/v1/imports", simulator.PhaseAfter)
		w.struck()
		arrive()
		Eventually(func() []simulator.Document { return sim.Imports(w.account) }).Should(HaveLen(1))
		w.strike(http.MethodGet, "/v1/imports", simulator.PhaseAfter, simulator.Action{Kind: simulator.ActionAnswer, Status: 200, Body: "[]"})
		Eventually(func() time.Duration { return time.Since(at) }).Should(BeNumerically(">", createUnconfirmedTimeout))
		answer()
		w.eventuallyReady(ctx, object, "late")
		Expect(w.calls()).To(HaveKeyWithValue(post, 1))
		Expect(sim.Imports(w.account)).To(HaveLen(1))
	})
})

// Found by the model of Imports.
var _ = Describe("What I adopted is deleted on the platform", func() {
	DescribeTable("is created again, even if that does not succeed at once",
		func(ctx context.Context, phase simulator.Phase, action simulator.Action, posts int) {
			w := newWorld(ctx)
			id := w.seed("prices")
			object := w.synced(ctx, adopting(w.httpImport("prices"), v1alpha1.AdoptSpec{ID: v1alpha1.ID(id)}))
			w.strike(http.MethodPost, "/v1/imports", phase, action)
			Expect(sim.DeleteAs(jane, w.account, id)).To(Succeed())
			Eventually(func() string { return get(ctx, w, object, "prices").Status.ID }).ShouldNot(Or(Equal(id), BeEmpty()))
			w.eventuallyReady(ctx, object, "prices")
			Expect(w.writes()).To(Equal(map[string]int{post: posts}))
			Expect(sim.Imports(w.account)).To(HaveLen(1))
		},
		Entry("because the API is asked too often", simulator.PhaseBefore, simulator.Action{Kind: simulator.ActionAnswer, Status: 429, RetryAfter: "1"}, 2),
		Entry("because the answer is lost, and it was not made", simulator.PhaseBefore, simulator.Action{Kind: simulator.ActionReset}, 2),
		Entry("because the answer is lost, and it was made", simulator.PhaseAfter, simulator.Action{Kind: simulator.ActionReset}, 1),
	)
})
