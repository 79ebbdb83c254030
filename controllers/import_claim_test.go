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
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/simulator"
)

// elsewhere makes an Account whose API does not answer: an Import there keeps its claim.
func (w *world) elsewhere(ctx context.Context) {
	GinkgoHelper()
	name := w.account + "-elsewhere"
	Expect(sim.AddAccount(simulator.AccountSpec{Name: name, Tokens: []simulator.Token{{Token: name}}, Connections: simulator.FixtureConnections()})).To(Succeed())
	_, err := sim.AddRule(simulator.Rule{Account: name, Method: http.MethodGet, Route: "/v1/imports/{id}", Phase: simulator.PhaseBefore,
		Action: simulator.Action{Kind: simulator.ActionHang, DelayMillis: time.Hour.Milliseconds()}})
	Expect(err).NotTo(HaveOccurred())
	Expect(k8s.Create(ctx, w.secret("elsewhere", name))).To(Succeed())
	account := w.accountObject("elsewhere")
	account.Spec.TokenSecretRef.Name = "elsewhere"
	Expect(k8s.Create(ctx, account)).To(Succeed())
	w.eventuallyReady(ctx, &v1alpha1.Account{}, "elsewhere")
}

var _ = Describe("Two Imports adopt one import at the same time", func() {
	It("is given to one of them, by two operators at once", func(ctx context.Context) {
		w := newWorld(ctx)
		DeferCleanup(startManager(k8s.Scheme()))
		const count = 12
		pairs := make([][2]*v1alpha1.Import, count)
		for i := range pairs {
			id := w.seed(fmt.Sprintf("import-%d", i), fmt.Sprintf(`{"externalId": "erp-%d"}`, i))
			for j := range pairs[i] {
				object := adopting(w.httpImport(fmt.Sprintf("import-%d", i)), v1alpha1.AdoptSpec{ID: v1alpha1.ID(id)})
				object.Name = fmt.Sprintf("import-%d-%d", i, j)
				pairs[i][j] = object
			}
		}
		for _, pair := range pairs {
			for _, object := range pair {
				Expect(k8s.Create(ctx, object)).To(Succeed())
			}
		}
		for _, pair := range pairs {
			// A cache that is behind may have one claim for a moment what the other has by now.
			Eventually(func(g Gomega) {
				var states []string
				for _, object := range pair {
					g.Expect(k8s.Get(ctx, client.ObjectKeyFromObject(object), object)).To(Succeed())
					owns := And(HaveField("Annotations", HaveKey(v1alpha1.AnnotationID)), HaveField("Finalizers", HaveLen(1)))
					if state(object) != "Current True/Synced" {
						owns = And(HaveField("Annotations", Not(HaveKey(v1alpha1.AnnotationID))), HaveField("Finalizers", BeEmpty()))
					}
					g.Expect(object).To(owns)
					g.Expect(object.Annotations).NotTo(HaveKey(v1alpha1.AnnotationAdoptPending))
					states = append(states, state(object))
				}
				g.Expect(states).To(ConsistOf("Current True/Synced", "Failed False/OwnershipConflict"))
			}).Should(Succeed())
		}
		Expect(w.writes()).To(BeEmpty())
	})

	// The rival stands for the Import of another process that has not come to its end: here, its
	// API does not answer.
	DescribeTable("waits while another has claimed it",
		func(ctx context.Context, first, keeps bool) {
			w := newWorld(ctx)
			id := w.seed("prices")
			claimed := map[string]string{v1alpha1.AnnotationAdoptPending: id}
			object := adopting(w.httpImport("prices"), v1alpha1.AdoptSpec{ID: v1alpha1.ID(id)})
			object.Annotations, object.Spec.Suspend = claimed, true
			rival := adopting(w.httpImport("rival"), v1alpha1.AdoptSpec{ID: v1alpha1.ID(id)})
			rival.Annotations, rival.Spec.AccountRef.Name = claimed, "elsewhere"
			w.elsewhere(ctx)
			order := []*v1alpha1.Import{rival, object}
			if first {
				order = []*v1alpha1.Import{object, rival}
			}
			for _, object := range order {
				Expect(k8s.Create(ctx, object)).To(Succeed())
				// The next one is of a later second.
				Eventually(func() bool { return time.Now().Unix() > object.CreationTimestamp.Unix() }).Should(BeTrue())
			}

			change(ctx, object, func(object *v1alpha1.Import) { object.Spec.Suspend = false })
			w.eventually(ctx, object, "prices", "InProgress False/AdoptionConflict")
			Expect(message(object)).To(Equal("Import rival is about to adopt the import " + id +
				" too: one of the two gets it; it will be retried"))
			Expect(object.Annotations).NotTo(HaveKey(v1alpha1.AnnotationID))
			if keeps {
				Expect(object.Annotations).To(HaveKeyWithValue(v1alpha1.AnnotationAdoptPending, id))
			} else {
				Expect(object.Annotations).NotTo(HaveKey(v1alpha1.AnnotationAdoptPending))
			}

			By("taking it over when the other claim goes")
			change(ctx, rival, func(rival *v1alpha1.Import) { rival.Annotations = nil })
			w.eventuallyReady(ctx, object, "prices")
			Expect(object.Annotations).To(And(HaveKeyWithValue(v1alpha1.AnnotationID, id), Not(HaveKey(v1alpha1.AnnotationAdoptPending))))
		},
		Entry("after it, and keeps its own claim", true, true),
		Entry("before it, and takes its own claim back", false, false),
	)

	It("goes to the one that is just creating it, whose answer is late", func(ctx context.Context) {
		w := newWorld(ctx)
		id, err := sim.AddRule(simulator.Rule{Account: w.account, Method: http.MethodPost, Route: "/v1/imports", Phase: simulator.PhaseAfter,
			Count: 1, Action: simulator.Action{Kind: simulator.ActionLatency, DelayMillis: time.Hour.Milliseconds()}})
		Expect(err).NotTo(HaveOccurred())
		first := w.httpImport("prices", `{"externalId": "erp-prices"}`)
		Expect(k8s.Create(ctx, first)).To(Succeed())
		Eventually(func() int { return len(sim.Imports(w.account)) }).Should(Equal(1))

		second := adopting(w.httpImport("prices-too", `{"name": "prices", "externalId": "erp-prices"}`), v1alpha1.AdoptSpec{ExternalID: "erp-prices"})
		Expect(k8s.Create(ctx, second)).To(Succeed())
		w.eventually(ctx, second, "prices-too", "InProgress False/AdoptionConflict")
		Expect(message(second)).To(HavePrefix("Import prices is just creating an import that may be "))
		Expect(sim.ReleaseRule(id)).To(Succeed())
		w.eventuallyReady(ctx, first, "prices")
		w.eventually(ctx, second, "prices-too", "Failed False/OwnershipConflict")
		Expect(second.Annotations).NotTo(Or(HaveKey(v1alpha1.AnnotationID), HaveKey(v1alpha1.AnnotationAdoptPending)))
		Expect(w.writes()).To(Equal(map[string]int{post: 1}))
	})

	It("does not wait for a claim that cannot go on", func(ctx context.Context) {
		w := newWorld(ctx)
		id := w.seed("prices")
		stuck := adopting(w.httpImport("stuck"), v1alpha1.AdoptSpec{ID: v1alpha1.ID(id)})
		stuck.Annotations, stuck.Spec.AccountRef.Name = map[string]string{v1alpha1.AnnotationAdoptPending: id}, "nowhere"
		Expect(k8s.Create(ctx, stuck)).To(Succeed())
		w.eventually(ctx, stuck, "stuck", "Failed False/AccountNotFound")
		Expect(stuck.Annotations).NotTo(HaveKey(v1alpha1.AnnotationAdoptPending))

		By("nor for what is left of one whose annotation somebody took away")
		torn := adopting(w.httpImport("torn"), v1alpha1.AdoptSpec{ID: v1alpha1.ID(id)})
		torn.Labels, torn.Finalizers = map[string]string{v1alpha1.LabelRemoteImport: id}, []string{v1alpha1.Finalizer}
		torn.Spec.AccountRef.Name = "nowhere"
		Expect(k8s.Create(ctx, torn)).To(Succeed())
		w.eventually(ctx, torn, "torn", "Failed False/AccountNotFound")
		Expect(torn.Finalizers).To(BeEmpty())
		Expect(torn.Labels).NotTo(HaveKey(v1alpha1.LabelRemoteImport))
		w.synced(ctx, adopting(w.httpImport("prices"), v1alpha1.AdoptSpec{ID: v1alpha1.ID(id)}))
	})

	It("is refused when the other turns out to have been first, although created later", func(ctx context.Context) {
		w := newWorld(ctx)
		id := w.seed("prices")
		claimed := map[string]string{v1alpha1.AnnotationAdoptPending: id}
		object := adopting(w.httpImport("prices"), v1alpha1.AdoptSpec{ID: v1alpha1.ID(id), Mode: v1alpha1.AdoptionModeOverride})
		object.Annotations, object.Spec.Suspend = claimed, true
		Expect(k8s.Create(ctx, object)).To(Succeed())
		Eventually(func() bool { return time.Now().Unix() > object.CreationTimestamp.Unix() }).Should(BeTrue())
		rival := adopting(w.httpImport("rival"), v1alpha1.AdoptSpec{ID: v1alpha1.ID(id)})
		rival.Annotations, rival.Spec.AccountRef.Name = claimed, "elsewhere"
		w.elsewhere(ctx)
		Expect(k8s.Create(ctx, rival)).To(Succeed())
		change(ctx, object, func(object *v1alpha1.Import) { object.Spec.Suspend = false })
		w.eventually(ctx, object, "prices", "InProgress False/AdoptionConflict")

		change(ctx, rival, func(rival *v1alpha1.Import) { rival.Annotations = map[string]string{v1alpha1.AnnotationID: id} })
		w.eventually(ctx, object, "prices", "Failed False/OwnershipConflict")
		Expect(object.Annotations).NotTo(Or(HaveKey(v1alpha1.AnnotationID), HaveKey(v1alpha1.AnnotationAdoptPending)))
		Expect(w.writes()).To(BeEmpty())

		By("deleting it without harm")
		Expect(k8s.Delete(ctx, object)).To(Succeed())
		w.eventuallyGone(ctx, object)
		Expect(w.writes()).To(BeEmpty())
	})
})
