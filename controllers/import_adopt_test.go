// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"
	"fmt"
	"net/http"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/simulator"
)

// seed puts an import into the account, as somebody made it in the UI.
func (w *world) seed(name string, more ...string) string {
	GinkgoHelper()
	var document simulator.Document
	Expect(decode(overlaid(append([]string{fmt.Sprintf(`{
		"name": %q, "_connectionId": %q, "adaptorType": "HTTPImport",
		"http": {"method": ["POST"], "relativeURI": ["/items"], "body": [null], "batchSize": 10}
	}`, name, shopConnection)}, more...)...), &document)).To(Succeed())
	id, err := sim.SeedImport(w.account, document)
	Expect(err).NotTo(HaveOccurred())
	return id
}

// writes counts the calls that write.
func (w *world) writes() map[string]int {
	counts := w.calls()
	for call := range counts {
		if call[:len(http.MethodGet)] == http.MethodGet {
			delete(counts, call)
		}
	}
	return counts
}

func adopting(object *v1alpha1.Import, adopt v1alpha1.AdoptSpec) *v1alpha1.Import {
	object.Spec.Adopt = &adopt
	return object
}

var _ = Describe("I adopt an import that is already in the account", func() {
	It("is taken over without a write when it agrees", func(ctx context.Context) {
		w := newWorld(ctx)
		id := w.seed("prices", `{"description": "by hand"}`)
		object := w.synced(ctx, adopting(w.httpImport("prices"), v1alpha1.AdoptSpec{ID: v1alpha1.ID(id)}))
		Expect(object.Status.ID).To(Equal(id))
		Expect(object.Annotations).To(HaveKeyWithValue(v1alpha1.AnnotationID, id))
		w.scans(2)
		Expect(w.writes()).To(BeEmpty())
		Expect(w.remote(id)).NotTo(HaveKey("externalId"))
		Eventually(func() []string { return w.events(ctx, "prices") }).Should(ContainElement("Adopted: took over the import " + id))

		By("managing it from then on, with its undeclared fields left alone")
		change(ctx, object, func(object *v1alpha1.Import) {
			object.Spec.Definition.Raw = overlaid(string(object.Spec.Definition.Raw), `{"maxAttempts": 3}`)
		})
		w.eventuallyReady(ctx, object, "prices")
		Expect(w.writes()).To(Equal(map[string]int{put: 1}))
		Expect(w.remote(id)).To(HaveKeyWithValue("description", "by hand"))
		Expect(w.remote(id)).To(HaveKeyWithValue("externalId", "k8s/"+string(object.UID)))
	})

	It("is found by its externalId, which stays its own", func(ctx context.Context) {
		w := newWorld(ctx)
		id := w.seed("prices", `{"externalId": "erp-prices"}`)
		object := adopting(w.httpImport("prices", `{"maxAttempts": 7}`), v1alpha1.AdoptSpec{ExternalID: "erp-prices", Mode: v1alpha1.AdoptionModeOverride})
		w.synced(ctx, object)
		Expect(object.Status.ID).To(Equal(id))
		Expect(w.writes()).To(Equal(map[string]int{put: 1}))
		Expect(w.remote(id)).To(HaveKeyWithValue("externalId", "erp-prices"))
		Expect(w.remote(id)["maxAttempts"]).To(BeEquivalentTo("7"))
	})

	It("reports every difference and writes nothing with Match", func(ctx context.Context) {
		w := newWorld(ctx)
		id := w.seed("prices", `{"description": "by hand", "maxAttempts": 1}`)
		object := adopting(w.httpImport("prices", `{"description": "declared", "maxAttempts": 2}`), v1alpha1.AdoptSpec{ID: v1alpha1.ID(id)})
		Expect(k8s.Create(ctx, object)).To(Succeed())
		w.eventually(ctx, object, "prices", "Failed False/AdoptionMismatch")
		Expect(object.Status.Drift).To(ConsistOf(
			v1alpha1.Difference{Path: "/description", Declared: `"declared"`, Remote: `"by hand"`},
			v1alpha1.Difference{Path: "/maxAttempts", Declared: `2`, Remote: `1`},
		))
		Expect(w.writes()).To(BeEmpty())

		By("taking it over when the definition agrees")
		change(ctx, object, func(object *v1alpha1.Import) {
			object.Spec.Definition.Raw = overlaid(string(object.Spec.Definition.Raw), `{"description": "by hand", "maxAttempts": 1}`)
		})
		w.eventuallyReady(ctx, object, "prices")
		Expect(object.Status.Drift).To(BeEmpty())
		Expect(w.writes()).To(BeEmpty())
	})

	DescribeTable("is refused when it is somebody else's",
		func(ctx context.Context, mode v1alpha1.AdoptionMode, more, want string) {
			w := newWorld(ctx)
			id := w.seed("theirs", more)
			object := adopting(w.httpImport("mine"), v1alpha1.AdoptSpec{ID: v1alpha1.ID(id), Mode: mode})
			Expect(k8s.Create(ctx, object)).To(Succeed())
			w.eventually(ctx, object, "mine", want)
			w.scans(2)
			Expect(w.writes()).To(BeEmpty())
			Expect(object.Annotations).NotTo(HaveKey(v1alpha1.AnnotationID))
		},
		Entry("an integration app's", v1alpha1.AdoptionModeOverride, `{"_connectorId": "64a0000000000000000000ff"}`, "Failed False/OwnedByIntegrationApp"),
		Entry("another cluster's", v1alpha1.AdoptionModeMatch, `{"externalId": "k8s/00000000-0000-0000-0000-000000000000"}`, "Failed False/OwnershipConflict"),
	)

	It("is refused when another Import here manages it", func(ctx context.Context) {
		w := newWorld(ctx)
		first := w.synced(ctx, w.httpImport("first"))
		object := adopting(w.httpImport("second"), v1alpha1.AdoptSpec{ID: v1alpha1.ID(first.Status.ID), Mode: v1alpha1.AdoptionModeOverride})
		Expect(k8s.Create(ctx, object)).To(Succeed())
		w.eventually(ctx, object, "second", "Failed False/OwnershipConflict")
		Expect(message(object)).To(ContainSubstring("managed by Import first"))
		Expect(w.writes()).To(Equal(map[string]int{post: 1}))
	})

	It("is taken over from another cluster with Override, once", func(ctx context.Context) {
		w := newWorld(ctx)
		id := w.seed("prices", `{"externalId": "k8s/00000000-0000-0000-0000-000000000000"}`)
		object := w.synced(ctx, adopting(w.httpImport("prices"), v1alpha1.AdoptSpec{ID: v1alpha1.ID(id), Mode: v1alpha1.AdoptionModeOverride}))
		Expect(w.remote(id)).To(HaveKeyWithValue("externalId", "k8s/"+string(object.UID)))
		Expect(w.writes()).To(Equal(map[string]int{put: 1}))

		By("not fighting when the other cluster takes it back")
		Expect(sim.EditAs(jane, w.account, id, func(document simulator.Document) {
			document["externalId"] = "k8s/00000000-0000-0000-0000-000000000000"
		})).To(Succeed())
		w.eventually(ctx, object, "prices", "Failed False/OwnershipConflict")
		w.scans(2)
		Expect(w.writes()).To(Equal(map[string]int{put: 1}))
	})

	It("does not delete another cluster's import after a takeover that was refused", func(ctx context.Context) {
		w := newWorld(ctx)
		const marker = "k8s/00000000-0000-0000-0000-000000000000"
		id := w.seed("prices", `{"externalId": "`+marker+`"}`)
		_, err := sim.AddRule(simulator.Rule{Account: w.account, Method: http.MethodPut, Phase: simulator.PhaseBefore,
			Action: simulator.Action{Kind: simulator.ActionAnswer, Status: 422}})
		Expect(err).NotTo(HaveOccurred())
		object := adopting(w.httpImport("prices"), v1alpha1.AdoptSpec{ID: v1alpha1.ID(id), Mode: v1alpha1.AdoptionModeOverride})
		Expect(k8s.Create(ctx, object)).To(Succeed())
		w.eventually(ctx, object, "prices", "Failed False/Rejected")

		Expect(k8s.Delete(ctx, object)).To(Succeed())
		w.eventually(ctx, object, "prices", "Terminating False/OwnershipConflict")
		w.scans(2)
		change(ctx, object, func(object *v1alpha1.Import) { object.Spec.DeletionPolicy = v1alpha1.DeletionPolicyOrphan })
		w.eventuallyGone(ctx, object)
		Expect(w.writes()).To(Equal(map[string]int{put: 1}))
		Expect(w.remote(id)).To(HaveKeyWithValue("externalId", marker))
	})

	It("is not taken over from an Import here by an annotation that was copied along", func(ctx context.Context) {
		w := newWorld(ctx)
		id := w.seed("prices", `{"externalId": "k8s/00000000-0000-0000-0000-000000000000"}`)
		first := w.synced(ctx, adopting(w.httpImport("prices"), v1alpha1.AdoptSpec{ID: v1alpha1.ID(id), Mode: v1alpha1.AdoptionModeOverride}))
		second := adopting(w.httpImport("prices", `{"description": "copied"}`), *first.Spec.Adopt)
		second.Name, second.Annotations = "copy", map[string]string{v1alpha1.AnnotationID: id}
		Expect(k8s.Create(ctx, second)).To(Succeed())
		w.eventually(ctx, second, "copy", "Failed False/OwnershipConflict")
		Expect(message(second)).To(ContainSubstring("managed by Import prices:"))

		Expect(k8s.Delete(ctx, second)).To(Succeed())
		w.eventually(ctx, second, "copy", "Terminating False/OwnershipConflict")
		change(ctx, second, func(second *v1alpha1.Import) { second.Spec.DeletionPolicy = v1alpha1.DeletionPolicyOrphan })
		w.eventuallyGone(ctx, second)
		Expect(w.writes()).To(Equal(map[string]int{put: 1}))
		Expect(w.remote(id)).To(HaveKeyWithValue("externalId", "k8s/"+string(first.UID)))
	})

	It("keeps the externalId that somebody gives it after a takeover", func(ctx context.Context) {
		w := newWorld(ctx)
		id := w.seed("prices", `{"externalId": "k8s/00000000-0000-0000-0000-000000000000"}`)
		object := w.synced(ctx, adopting(w.httpImport("prices"), v1alpha1.AdoptSpec{ID: v1alpha1.ID(id), Mode: v1alpha1.AdoptionModeOverride}))
		Expect(sim.EditAs(jane, w.account, id, func(document simulator.Document) { document["externalId"] = "erp-prices" })).To(Succeed())
		remote := w.remote(id)
		Eventually(func() string { return get(ctx, w, object, "prices").Status.LastModified }).Should(Equal(remote["lastModified"]))
		Expect(state(object)).To(Equal("Current True/Synced"))

		change(ctx, object, func(object *v1alpha1.Import) {
			object.Spec.Definition.Raw = overlaid(string(object.Spec.Definition.Raw), `{"maxAttempts": 3}`)
		})
		w.eventuallyReady(ctx, object, "prices")
		Expect(w.remote(id)).To(HaveKeyWithValue("externalId", "erp-prices"))
		Expect(w.writes()).To(Equal(map[string]int{put: 2}))
	})

	DescribeTable("says so when it is not there, or not the only one",
		func(ctx context.Context, adopt v1alpha1.AdoptSpec, want string) {
			w := newWorld(ctx)
			w.seed("one", `{"externalId": "twice"}`)
			w.seed("two", `{"externalId": "twice"}`)
			object := adopting(w.httpImport("mine"), adopt)
			Expect(k8s.Create(ctx, object)).To(Succeed())
			w.eventually(ctx, object, "mine", want)
			Expect(w.writes()).To(BeEmpty())
		},
		Entry("no such id", v1alpha1.AdoptSpec{ID: "64a0000000000000000000f0"}, "Failed False/AdoptionNotFound"),
		Entry("no such externalId", v1alpha1.AdoptSpec{ExternalID: "never"}, "Failed False/AdoptionNotFound"),
		Entry("an externalId of two", v1alpha1.AdoptSpec{ExternalID: "twice"}, "Failed False/AdoptionAmbiguous"),
	)

	It("cannot be changed once it is set", func(ctx context.Context) {
		w := newEmptyWorld(ctx)
		object := adopting(w.httpImport("fixed"), v1alpha1.AdoptSpec{ExternalID: "a"})
		Expect(k8s.Create(ctx, object)).To(Succeed())
		Eventually(func() error {
			get(ctx, w, object, "fixed")
			object.Spec.Adopt.ExternalID = "b"
			return k8s.Update(ctx, object)
		}).Should(MatchError(ContainSubstring("adopt cannot be changed")))
	})
})

var _ = Describe("I ask what would be done", func() {
	dryRun := func(object *v1alpha1.Import) *v1alpha1.Import {
		object.Annotations = map[string]string{v1alpha1.AnnotationDryRun: "true"}
		return object
	}
	goOn := func(ctx context.Context, object *v1alpha1.Import) {
		GinkgoHelper()
		Expect(k8s.Patch(ctx, object, client.RawPatch(types.MergePatchType,
			[]byte(`{"metadata":{"annotations":{"integrator.io/dry-run":null}}}`)))).To(Succeed())
	}
	plan := func(ctx context.Context, w *world, object *v1alpha1.Import) func() *v1alpha1.ImportPlan {
		return func() *v1alpha1.ImportPlan { return get(ctx, w, object, object.Name).Status.Plan }
	}

	It("shows the creation, and creates it when I remove the annotation", func(ctx context.Context) {
		w := newWorld(ctx)
		object := dryRun(w.httpImport("planned"))
		Expect(k8s.Create(ctx, object)).To(Succeed())
		Eventually(plan(ctx, w, object)).Should(Equal(&v1alpha1.ImportPlan{Calls: []string{post}}))
		w.scans(2)
		Expect(w.calls()).To(BeEmpty())
		goOn(ctx, object)
		w.eventuallyReady(ctx, object, "planned")
		Expect(object.Status.Plan).To(BeNil())
		Expect(w.writes()).To(Equal(map[string]int{post: 1}))
	})

	It("keeps what it shows of a drift, for nothing more", func(ctx context.Context) {
		w := newWorld(ctx)
		object := w.synced(ctx, w.httpImport("planned", `{"description": "declared"}`))
		waiting := w.httpImport("waiting", `{"_connectionId": "@erp"}`)
		Expect(k8s.Create(ctx, waiting)).To(Succeed())
		w.eventually(ctx, waiting, "waiting", "Failed False/UnknownAlias")
		change(ctx, object, func(object *v1alpha1.Import) { object.Annotations[v1alpha1.AnnotationDryRun] = "true" })
		Eventually(plan(ctx, w, object)).Should(Equal(&v1alpha1.ImportPlan{}))
		Expect(sim.EditAs(jane, w.account, object.Status.ID, func(document simulator.Document) { document["description"] = "by hand" })).To(Succeed())
		shown := &v1alpha1.ImportPlan{Calls: []string{put},
			Differences: []v1alpha1.Difference{{Path: "/description", Declared: `"declared"`, Remote: `"by hand"`}}}
		Eventually(plan(ctx, w, object)).Should(Equal(shown))
		Expect(conditionsOf(object)).To(ContainElement(And(HaveField("Type", "Suspended"), HaveField("Reason", "DryRun"))))
		before, version := w.calls()[getOne], object.ResourceVersion

		By("being reconciled for another reason")
		change(ctx, &v1alpha1.Account{ObjectMeta: w.meta("default")}, func(account *v1alpha1.Account) { account.Spec.Aliases["erp"] = shopConnection })
		w.eventuallyReady(ctx, waiting, "waiting")
		w.scans(2)
		Expect(plan(ctx, w, object)()).To(Equal(shown))
		Expect(object.ResourceVersion).To(Equal(version))
		Expect(w.calls()[getOne]).To(Equal(before))

		goOn(ctx, object)
		w.eventuallyReady(ctx, object, "planned")
		Eventually(func() simulator.Document { return w.remote(object.Status.ID) }).Should(HaveKeyWithValue("description", "declared"))
		Eventually(plan(ctx, w, object)).Should(BeNil())
	})

	It("shows that an import would be created again, and searches for it once", func(ctx context.Context) {
		w := newWorld(ctx)
		object := w.synced(ctx, w.httpImport("planned"))
		first := object.Status.ID
		change(ctx, object, func(object *v1alpha1.Import) { object.Annotations[v1alpha1.AnnotationDryRun] = "true" })
		Eventually(plan(ctx, w, object)).Should(Equal(&v1alpha1.ImportPlan{}))
		before := w.calls()[getOne]
		Expect(sim.DeleteAs(jane, w.account, first)).To(Succeed())
		Eventually(plan(ctx, w, object)).Should(Equal(&v1alpha1.ImportPlan{Calls: []string{post}}))
		w.scans(3)
		Expect(w.calls()[getOne]).To(Equal(before + 1))

		By("seeing it come back, and go again")
		Expect(sim.Restore(w.account, first)).To(Succeed())
		Eventually(plan(ctx, w, object)).Should(Equal(&v1alpha1.ImportPlan{}))
		Expect(sim.DeleteAs(jane, w.account, first)).To(Succeed())
		Eventually(plan(ctx, w, object)).Should(Equal(&v1alpha1.ImportPlan{Calls: []string{post}}))
		w.scans(2)
		Expect(w.calls()).To(And(HaveKeyWithValue(getOne, before+3), HaveKeyWithValue(post, 1)))

		goOn(ctx, object)
		Eventually(func() string { return get(ctx, w, object, "planned").Status.ID }).ShouldNot(Or(Equal(first), BeEmpty()))
		Expect(w.writes()).To(Equal(map[string]int{post: 2}))
	})

	It("shows an update with its differences, and a deletion", func(ctx context.Context) {
		w := newWorld(ctx)
		object := w.synced(ctx, w.httpImport("planned", `{"description": "old"}`))
		change(ctx, object, func(object *v1alpha1.Import) {
			dryRun(object)
			object.Spec.Definition.Raw = overlaid(string(object.Spec.Definition.Raw), `{"description": "new"}`)
		})
		Eventually(plan(ctx, w, object)).Should(Equal(&v1alpha1.ImportPlan{Calls: []string{put},
			Differences: []v1alpha1.Difference{{Path: "/description", Declared: `"new"`, Remote: `"old"`}}}))
		Expect(k8s.Delete(ctx, object)).To(Succeed())
		Eventually(plan(ctx, w, object)).Should(Equal(&v1alpha1.ImportPlan{Calls: []string{remove}}))
		w.scans(2)
		Expect(w.writes()).To(Equal(map[string]int{post: 1}))
		goOn(ctx, object)
		Eventually(func() bool {
			return apierrors.IsNotFound(k8s.Get(ctx, client.ObjectKeyFromObject(object), object))
		}).Should(BeTrue())
		Expect(w.writes()).To(Equal(map[string]int{post: 1, remove: 1}))
	})
})

var _ = Describe("I come to manage what I observed", func() {
	It("is taken over when it agrees, and by nobody else at the same time", func(ctx context.Context) {
		w := newWorld(ctx)
		id := w.seed("watched", `{"description": "by hand"}`)
		first := adopting(w.httpImport("watched", `{"description": "declared"}`), v1alpha1.AdoptSpec{ID: v1alpha1.ID(id)})
		first.Spec.ManagementPolicy = v1alpha1.ManagementPolicyObserve
		w.synced(ctx, first)
		Expect(first.Finalizers).To(BeEmpty())

		By("refusing it while it differs")
		change(ctx, first, func(object *v1alpha1.Import) { object.Spec.ManagementPolicy = v1alpha1.ManagementPolicyManage })
		w.eventually(ctx, first, "watched", "Failed False/AdoptionMismatch")

		By("taking it over once it agrees")
		change(ctx, first, func(object *v1alpha1.Import) {
			object.Spec.Definition.Raw = overlaid(string(object.Spec.Definition.Raw), `{"description": "by hand"}`)
		})
		w.eventuallyReady(ctx, first, "watched")

		By("refusing it to a second Import")
		second := adopting(w.httpImport("watched", `{"description": "by hand"}`), v1alpha1.AdoptSpec{ID: v1alpha1.ID(id)})
		second.Name = "second"
		Expect(k8s.Create(ctx, second)).To(Succeed())
		w.eventually(ctx, second, "second", "Failed False/OwnershipConflict")
		Expect(w.writes()).To(BeEmpty())
	})

	It("takes back only what was applied, when I observe it for a while in between", func(ctx context.Context) {
		w := newWorld(ctx)
		id := w.seed("prices", `{"externalId": "erp-prices", "maxAttempts": 3, "description": "by hand"}`)
		object := adopting(w.httpImport("prices", `{"description": "by hand"}`), v1alpha1.AdoptSpec{ID: v1alpha1.ID(id)})
		w.synced(ctx, object)
		declare := func(policy v1alpha1.ManagementPolicy, more ...string) {
			GinkgoHelper()
			change(ctx, object, func(object *v1alpha1.Import) {
				object.Spec.ManagementPolicy = policy
				object.Spec.Definition.Raw = w.httpImport("prices", more...).Spec.Definition.Raw
			})
			w.eventuallyReady(ctx, object, "prices")
		}

		By("observing it")
		declare(v1alpha1.ManagementPolicyObserve, `{"maxAttempts": 4}`)
		Expect(object.Status.Drift).To(Equal([]v1alpha1.Difference{{Path: "/maxAttempts", Declared: "4", Remote: "3"}}))
		Expect(sim.EditAs(jane, w.account, id, func(document simulator.Document) { document["name"] = "renamed" })).To(Succeed())
		Eventually(func() []v1alpha1.Difference { return get(ctx, w, object, "prices").Status.Drift }).Should(HaveLen(2))
		Expect(w.writes()).To(BeEmpty())

		By("managing it again")
		declare(v1alpha1.ManagementPolicyManage)
		Expect(object.Status.Drift).To(BeEmpty())
		Expect(w.remote(id)).To(And(HaveKeyWithValue("name", "prices"), HaveKeyWithValue("maxAttempts", BeEquivalentTo("3")), Not(HaveKey("description"))))
		Expect(w.writes()).To(Equal(map[string]int{put: 1}))

		By("observing it for good")
		declare(v1alpha1.ManagementPolicyObserve)
		Expect(k8s.Delete(ctx, object)).To(Succeed())
		w.eventuallyGone(ctx, object)
		Expect(w.writes()).To(Equal(map[string]int{put: 1}))
	})

	It("disturbs nobody who manages it already, and is taken over once that one lets go", func(ctx context.Context) {
		w := newWorld(ctx)
		id := w.seed("prices", `{"externalId": "erp-prices"}`)
		first := w.synced(ctx, adopting(w.httpImport("prices"), v1alpha1.AdoptSpec{ID: v1alpha1.ID(id)}))
		second := adopting(w.httpImport("prices"), v1alpha1.AdoptSpec{ID: v1alpha1.ID(id)})
		second.Name, second.Spec.ManagementPolicy = "second", v1alpha1.ManagementPolicyObserve
		w.synced(ctx, second)
		change(ctx, second, func(second *v1alpha1.Import) { second.Spec.ManagementPolicy = v1alpha1.ManagementPolicyManage })
		w.eventually(ctx, second, "second", "Failed False/OwnershipConflict")

		change(ctx, first, func(first *v1alpha1.Import) {
			first.Spec.Definition.Raw = overlaid(string(first.Spec.Definition.Raw), `{"description": "still mine"}`)
			first.Spec.DeletionPolicy = v1alpha1.DeletionPolicyOrphan
		})
		w.eventuallyReady(ctx, first, "prices")
		Expect(w.remote(id)).To(HaveKeyWithValue("description", "still mine"))

		Expect(k8s.Delete(ctx, first)).To(Succeed())
		w.eventuallyGone(ctx, first)
		change(ctx, second, func(second *v1alpha1.Import) {
			second.Annotations = map[string]string{"integrator.io/reconcile-requested-at": "now"}
		})
		w.eventuallyReady(ctx, second, "second")
		Expect(w.writes()).To(Equal(map[string]int{put: 1}))
	})

	It("is taken over by one of two who observed it", func(ctx context.Context) {
		w := newWorld(ctx)
		id := w.seed("prices", `{"externalId": "erp-prices"}`)
		pair := make([]*v1alpha1.Import, 2)
		for i := range pair {
			pair[i] = adopting(w.httpImport("prices"), v1alpha1.AdoptSpec{ID: v1alpha1.ID(id)})
			pair[i].Name, pair[i].Spec.ManagementPolicy = fmt.Sprintf("prices-%d", i), v1alpha1.ManagementPolicyObserve
			w.synced(ctx, pair[i])
		}
		for _, object := range pair {
			change(ctx, object, func(object *v1alpha1.Import) {
				object.Spec.ManagementPolicy, object.Spec.Suspend = v1alpha1.ManagementPolicyManage, true
			})
		}
		for _, object := range pair {
			change(ctx, object, func(object *v1alpha1.Import) { object.Spec.Suspend = false })
		}
		Eventually(func() []string {
			return []string{state(get(ctx, w, pair[0], "prices-0")), state(get(ctx, w, pair[1], "prices-1"))}
		}).Should(ConsistOf("Current True/Synced", "Failed False/OwnershipConflict"))
	})

	It("adopts nothing in a dry run", func(ctx context.Context) {
		w := newWorld(ctx)
		id := w.seed("prices", `{"description": "by hand"}`)
		object := adopting(w.httpImport("prices", `{"description": "declared", "externalId": "mine"}`), v1alpha1.AdoptSpec{ID: v1alpha1.ID(id), Mode: v1alpha1.AdoptionModeOverride})
		object.Annotations = map[string]string{v1alpha1.AnnotationDryRun: "true"}
		Expect(k8s.Create(ctx, object)).To(Succeed())
		Eventually(func() *v1alpha1.ImportPlan { return get(ctx, w, object, "prices").Status.Plan }).Should(HaveField("Calls", Equal([]string{put})))
		Expect(object.Status.Plan.Differences).To(HaveLen(2))
		Expect(object.Finalizers).To(BeEmpty())
		Expect(object.Annotations).NotTo(HaveKey(v1alpha1.AnnotationID))
		Expect(w.writes()).To(BeEmpty())
	})
})
