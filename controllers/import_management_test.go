// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"
	"net/http"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/simulator"
)

// tryChange edits an object as a user does, over the version that is stored, and returns the answer
// of the API server.
func tryChange[T client.Object](ctx context.Context, object T, edit func(T)) (err error) {
	GinkgoHelper()
	Eventually(func() bool {
		Expect(k8s.Get(ctx, client.ObjectKeyFromObject(object), object)).To(Succeed())
		edit(object)
		err = k8s.Update(ctx, object)
		return apierrors.IsConflict(err)
	}).Should(BeFalse())
	return err
}

func inAccount(object *v1alpha1.Import, name string) *v1alpha1.Import {
	object.Spec.AccountRef.Name = name
	return object
}

func correctAccount(object *v1alpha1.Import) { object.Spec.AccountRef.Name = "default" }

func otherAccount(object *v1alpha1.Import) { object.Spec.AccountRef.Name = "other" }

func withoutAdopt(object *v1alpha1.Import) { object.Spec.Adopt = nil }

const (
	accountFixed   = "spec.accountRef: Invalid value: accountRef cannot be changed once the Import has a remote import"
	accountUnknown = "spec.accountRef: Invalid value: accountRef can be changed only while status.management is None, and it is not set"
	adoptKept      = "spec.adopt: Invalid value: adopt can be removed only while status.management is Managed"
)

// another makes an Account of this name that leads to an account of its own.
func (w *world) another(ctx context.Context, name string) (account string) {
	GinkgoHelper()
	account = w.account + "-" + name
	Expect(sim.AddAccount(simulator.AccountSpec{Name: account, Tokens: []simulator.Token{{Token: account}}, Connections: simulator.FixtureConnections()})).To(Succeed())
	Expect(k8s.Create(ctx, w.secret(name, account))).To(Succeed())
	object := w.accountObject(name)
	object.Spec.TokenSecretRef.Name = name
	Expect(k8s.Create(ctx, object)).To(Succeed())
	w.eventuallyReady(ctx, object, name)
	return account
}

var _ = Describe("I named the wrong Account", func() {
	DescribeTable("is corrected while nothing was made, and created once",
		func(ctx context.Context, reason string, edit func(*v1alpha1.Import)) {
			w := newWorld(ctx)
			other := w.another(ctx, "other")
			object := w.httpImport("moved")
			edit(object)
			Expect(k8s.Create(ctx, object)).To(Succeed())
			w.eventually(ctx, object, "moved", reason)
			Expect(object.Status.Management).To(Equal(v1alpha1.ManagementStateNone))
			Expect(tryChange(ctx, object, func(object *v1alpha1.Import) {
				object.Annotations = nil
				object.Spec = inAccount(w.httpImport("moved"), "default").Spec
			})).To(Succeed())
			w.eventuallyReady(ctx, object, "moved")
			Expect(object.Status.Management).To(Equal(v1alpha1.ManagementStateManaged))
			Expect(w.writes()).To(Equal(map[string]int{post: 1}))
			Expect(sim.Imports(other)).To(BeEmpty())
		},
		Entry("of an Account that does not exist", "Failed False/AccountNotFound", func(object *v1alpha1.Import) { inAccount(object, "nowhere") }),
		Entry("of an Account without the alias", "Failed False/UnknownAlias", func(object *v1alpha1.Import) {
			inAccount(object, "other").Spec.Definition.Raw = overlaid(string(object.Spec.Definition.Raw), `{"_connectionId": "@erp"}`)
		}),
		Entry("while it is a dry run", "InProgress Unknown/DryRun", func(object *v1alpha1.Import) {
			inAccount(object, "other").Annotations = map[string]string{v1alpha1.AnnotationDryRun: "true"}
		}),
	)

	It("says so where that is the way out, and only there", func(ctx context.Context) {
		w := newWorld(ctx)
		object := inAccount(w.httpImport("moved"), "nowhere")
		Expect(k8s.Create(ctx, object)).To(Succeed())
		w.eventually(ctx, object, "moved", "Failed False/AccountNotFound")
		Expect(message(object)).To(Equal(`there is no Account "nowhere" in namespace "` + w.namespace + `": create it, or correct spec.accountRef`))

		restored := inAccount(w.httpImport("restored"), "nowhere")
		restored.Annotations = map[string]string{v1alpha1.AnnotationID: "64b0000000000000000000c1"}
		Expect(k8s.Create(ctx, restored)).To(Succeed())
		w.eventually(ctx, restored, "restored", "Failed False/AccountNotFound")
		Expect(message(restored)).To(Equal(`there is no Account "nowhere" in namespace "` + w.namespace + `": create it`))
		Expect(tryChange(ctx, restored, correctAccount)).To(MatchError(ContainSubstring(accountUnknown)))
	})

	It("is refused once the Import has its remote import, or observes one", func(ctx context.Context) {
		w := newWorld(ctx)
		object := w.synced(ctx, w.httpImport("made"))
		Expect(object.Status.Management).To(Equal(v1alpha1.ManagementStateManaged))
		Expect(tryChange(ctx, object, otherAccount)).To(MatchError(ContainSubstring(accountFixed)))

		watched := adopting(w.httpImport("watched"), v1alpha1.AdoptSpec{ID: v1alpha1.ID(w.seed("watched"))})
		watched.Spec.ManagementPolicy = v1alpha1.ManagementPolicyObserve
		w.synced(ctx, watched)
		Expect(watched.Status.Management).To(Equal(v1alpha1.ManagementStateObserved))
		Expect(tryChange(ctx, watched, otherAccount)).To(MatchError(ContainSubstring(accountFixed)))
	})

	It("is refused while the response to the creation is lost, and when the API refused it", func(ctx context.Context) {
		w := newWorld(ctx)
		w.strike(http.MethodPost, "/v1/imports", simulator.PhaseBefore, simulator.Action{Kind: simulator.ActionReset})
		object := w.httpImport("lost")
		Expect(k8s.Create(ctx, object)).To(Succeed())
		w.eventually(ctx, object, "lost", "InProgress False/CreateUnconfirmed")
		Expect(tryChange(ctx, object, otherAccount)).To(MatchError(ContainSubstring(accountUnknown)))
		w.eventuallyReady(ctx, object, "lost")

		w.strike(http.MethodPost, "/v1/imports", simulator.PhaseBefore, simulator.Action{Kind: simulator.ActionAnswer, Status: 422})
		refused := w.httpImport("refused")
		Expect(k8s.Create(ctx, refused)).To(Succeed())
		w.eventually(ctx, refused, "refused", "Failed False/Rejected")
		Expect(tryChange(ctx, refused, otherAccount)).To(MatchError(ContainSubstring(accountUnknown)))
	})

	It("is refused while the intent is written, and the status not yet", func(ctx context.Context) {
		w := newWorld(ctx)
		letGo := w.hold(http.MethodPost, "/v1/imports", simulator.PhaseAfter)
		object := w.httpImport("new")
		Expect(k8s.Create(ctx, object)).To(Succeed())
		w.struck()
		Expect(tryChange(ctx, object, otherAccount)).To(MatchError(ContainSubstring(accountUnknown)))
		Expect(tryChange(ctx, object, func(object *v1alpha1.Import) {
			object.Annotations, object.Finalizers = nil, nil
			otherAccount(object)
		})).To(MatchError(ContainSubstring(accountUnknown)), "kubectl replace drops annotations and finalizers")
		letGo()
		w.eventuallyReady(ctx, object, "new")
		Expect(w.writes()).To(Equal(map[string]int{post: 1}))
	})

	It("is refused while the intent is written, also where the status said that nothing was made", func(ctx context.Context) {
		w := newWorld(ctx)
		object := inAccount(w.httpImport("late"), "late")
		Expect(k8s.Create(ctx, object)).To(Succeed())
		w.eventually(ctx, object, "late", "Failed False/AccountNotFound")
		Expect(object.Status.Management).To(Equal(v1alpha1.ManagementStateNone))
		letGo := w.hold(http.MethodPost, "/v1/imports", simulator.PhaseAfter)
		Expect(k8s.Create(ctx, w.accountObject("late"))).To(Succeed())
		w.struck()
		Expect(get(ctx, w, object, "late").Status.Management).To(BeEmpty())
		Expect(tryChange(ctx, object, correctAccount)).To(MatchError(ContainSubstring(accountUnknown)))
		letGo()
		w.eventuallyReady(ctx, object, "late")
		Expect(object.Status.Management).To(Equal(v1alpha1.ManagementStateManaged))
		Expect(w.writes()).To(Equal(map[string]int{post: 1}))
		Expect(sim.Imports(w.account)).To(HaveLen(1))
	})

	It("is refused while an adoption is claimed, and corrected when the claim is withdrawn", func(ctx context.Context) {
		w := newWorld(ctx)
		w.elsewhere(ctx)
		id := w.seed("prices")
		claimed := map[string]string{v1alpha1.AnnotationAdoptPending: id}
		rival := adopting(inAccount(w.httpImport("rival"), "elsewhere"), v1alpha1.AdoptSpec{ID: v1alpha1.ID(id)})
		rival.Annotations = claimed
		object := adopting(w.httpImport("prices"), v1alpha1.AdoptSpec{ID: v1alpha1.ID(id)})
		object.Annotations, object.Spec.Suspend = claimed, true
		Expect(k8s.Create(ctx, rival)).To(Succeed())
		Expect(k8s.Create(ctx, object)).To(Succeed())
		w.eventually(ctx, object, "prices", "InProgress Unknown/Suspended")
		Expect(tryChange(ctx, object, otherAccount)).To(MatchError(ContainSubstring(accountUnknown)))

		change(ctx, object, func(object *v1alpha1.Import) {
			object.Spec.Suspend = false
			object.Spec.Definition.Raw = overlaid(string(object.Spec.Definition.Raw), `{"description": "differs"}`)
		})
		w.eventually(ctx, object, "prices", "Failed False/AdoptionMismatch")
		Expect(object.Annotations).NotTo(HaveKey(v1alpha1.AnnotationAdoptPending))
		Expect(object.Status.Management).To(Equal(v1alpha1.ManagementStateNone))
		Expect(tryChange(ctx, object, otherAccount)).To(Succeed())
		w.eventually(ctx, object, "prices", "Failed False/AccountNotFound")
	})

	It("waits for the operator to look at the Import first", Serial, func(ctx context.Context) {
		stop, start := replaceManager()
		DeferCleanup(start)
		w := newEmptyWorld(ctx)
		stop()
		object := inAccount(w.httpImport("unseen"), "nowhere")
		Expect(k8s.Create(ctx, object)).To(Succeed())
		Expect(tryChange(ctx, object, correctAccount)).To(MatchError(ContainSubstring(accountUnknown)))
		start()
		w.eventually(ctx, object, "unseen", "Failed False/AccountNotFound")
		Expect(tryChange(ctx, object, correctAccount)).To(Succeed())
	})
})

var _ = Describe("I take spec.adopt away", func() {
	// adopted is an import with an externalId of its own, taken over by an Import.
	adopted := func(ctx context.Context, w *world) *v1alpha1.Import {
		GinkgoHelper()
		id := w.seed("prices", `{"externalId": "erp-prices"}`)
		object := w.synced(ctx, adopting(w.httpImport("prices"), v1alpha1.AdoptSpec{ID: v1alpha1.ID(id)}))
		Expect(object.Status.Management).To(Equal(v1alpha1.ManagementStateManaged))
		return object
	}

	It("stays ours: drift is corrected, a change is written, and it is deleted", func(ctx context.Context) {
		w := newWorld(ctx)
		object := adopted(ctx, w)
		id := object.Status.ID
		Expect(tryChange(ctx, object, withoutAdopt)).To(Succeed())
		w.eventuallyReady(ctx, object, "prices")
		Expect(w.writes()).To(BeEmpty())

		Expect(sim.EditAs(jane, w.account, id, func(document simulator.Document) { document["name"] = "by hand" })).To(Succeed())
		Eventually(func() simulator.Document { return w.remote(id) }).Should(HaveKeyWithValue("name", "prices"))
		change(ctx, object, func(object *v1alpha1.Import) {
			object.Spec.Definition.Raw = overlaid(string(object.Spec.Definition.Raw), `{"description": "declared"}`)
		})
		w.eventuallyReady(ctx, object, "prices")
		Expect(w.remote(id)).To(And(HaveKeyWithValue("description", "declared"), HaveKeyWithValue("externalId", "erp-prices")))
		Expect(object.Status.Management).To(Equal(v1alpha1.ManagementStateManaged))

		Expect(k8s.Delete(ctx, object)).To(Succeed())
		w.eventuallyGone(ctx, object)
		Expect(w.writes()).To(Equal(map[string]int{put: 2, remove: 1}))
		Expect(sim.Imports(w.account)).To(BeEmpty())
	})

	It("stays ours with kubectl apply, and with its metadata taken away by kubectl replace", func(ctx context.Context) {
		w := newWorld(ctx)
		id := w.seed("Orders", `{"externalId": "erp", "http": {"method": ["POST"]}}`)
		adopt := "spec:\n  adopt: {id: " + id + "}"
		for _, step := range []struct{ verb, spec string }{{"apply", adopt}, {"apply", "spec:"}, {"apply", adopt}, {"replace", "spec:"}} {
			manifest := with(strings.Replace(importManifest, "spec:", step.spec, 1), "adaptorType: HTTPImport")
			output, err := kubectl(ctx, manifest, step.verb, "-n", w.namespace, "-f", "-")
			Expect(err).NotTo(HaveOccurred(), output)
			object := &v1alpha1.Import{}
			w.eventually(ctx, object, "bad", "Current True/Synced")
			Eventually(func(g Gomega) {
				g.Expect(get(ctx, w, object, "bad").Annotations).To(HaveKeyWithValue(v1alpha1.AnnotationID, id))
				g.Expect(object.Finalizers).To(ContainElement(v1alpha1.Finalizer))
				g.Expect(object.Status.Management).To(Equal(v1alpha1.ManagementStateManaged))
			}).Should(Succeed())
		}
		Expect(w.writes()).NotTo(HaveKey(post))
		Expect(sim.Imports(w.account)).To(HaveLen(1))
	})

	It("leaves a drift that is only reported alone", func(ctx context.Context) {
		w := newWorld(ctx)
		object := adopted(ctx, w)
		change(ctx, object, func(object *v1alpha1.Import) { object.Spec.DriftPolicy = v1alpha1.DriftPolicyReport })
		Expect(sim.EditAs(jane, w.account, object.Status.ID, func(document simulator.Document) { document["name"] = "by hand" })).To(Succeed())
		Eventually(func() []v1alpha1.Difference { return get(ctx, w, object, "prices").Status.Drift }).Should(HaveLen(1))
		Expect(tryChange(ctx, object, withoutAdopt)).To(Succeed())
		w.eventuallyReady(ctx, object, "prices")
		Expect(object.Status.Drift).To(HaveLen(1))
		Expect(w.writes()).To(BeEmpty())
	})

	It("is created again once, when it is deleted on the platform", func(ctx context.Context) {
		w := newWorld(ctx)
		object := adopted(ctx, w)
		id := object.Status.ID
		Expect(tryChange(ctx, object, withoutAdopt)).To(Succeed())
		w.eventuallyReady(ctx, object, "prices")
		Expect(sim.DeleteAs(jane, w.account, id)).To(Succeed())
		Eventually(func() string { return get(ctx, w, object, "prices").Status.ID }).ShouldNot(Or(Equal(id), BeEmpty()))
		w.eventuallyReady(ctx, object, "prices")
		Expect(w.writes()).To(Equal(map[string]int{post: 1}))
	})

	DescribeTable("is refused before the import was taken over, and creates nothing",
		func(ctx context.Context, state string, edit func(*world, *v1alpha1.Import)) {
			w := newWorld(ctx)
			object := adopting(w.httpImport("prices"), v1alpha1.AdoptSpec{ID: v1alpha1.ID(w.seed("prices"))})
			edit(w, object)
			Expect(k8s.Create(ctx, object)).To(Succeed())
			Expect(tryChange(ctx, object, func(object *v1alpha1.Import) {
				object.Spec.Adopt, object.Spec.Suspend, object.Spec.ManagementPolicy = nil, false, v1alpha1.ManagementPolicyManage
			})).To(MatchError(ContainSubstring(adoptKept)))
			w.eventually(ctx, object, "prices", state)
			Expect(tryChange(ctx, object, func(object *v1alpha1.Import) {
				object.Spec.Adopt, object.Spec.Suspend, object.Spec.ManagementPolicy = nil, false, v1alpha1.ManagementPolicyManage
			})).To(MatchError(ContainSubstring(adoptKept)))
			Expect(tryChange(ctx, object, func(object *v1alpha1.Import) { object.Spec.Adopt.Mode = v1alpha1.AdoptionModeOverride })).
				To(MatchError(ContainSubstring("adopt cannot be changed: restore the previous value, or create another Import")))
			Expect(w.writes()).To(BeEmpty())
		},
		Entry("because it is not there", "Failed False/AdoptionNotFound", func(_ *world, object *v1alpha1.Import) { object.Spec.Adopt.ID = "64a0000000000000000000f0" }),
		Entry("because it differs", "Failed False/AdoptionMismatch", func(_ *world, object *v1alpha1.Import) {
			object.Spec.Definition.Raw = overlaid(string(object.Spec.Definition.Raw), `{"description": "declared"}`)
		}),
		Entry("because it is suspended", "InProgress Unknown/Suspended", func(_ *world, object *v1alpha1.Import) { object.Spec.Suspend = true }),
		Entry("because it is only observed", "Current True/Synced", func(_ *world, object *v1alpha1.Import) {
			object.Spec.ManagementPolicy = v1alpha1.ManagementPolicyObserve
		}),
		Entry("because there is no Account", "Failed False/AccountNotFound", func(_ *world, object *v1alpha1.Import) { inAccount(object, "nowhere") }),
	)

	It("needs spec.adopt again after a restore that has only the annotations", func(ctx context.Context) {
		w := newWorld(ctx)
		object := adopted(ctx, w)
		id := object.Status.ID
		Expect(tryChange(ctx, object, withoutAdopt)).To(Succeed())
		w.eventuallyReady(ctx, object, "prices")
		change(ctx, object, func(object *v1alpha1.Import) { object.Spec.DeletionPolicy = v1alpha1.DeletionPolicyOrphan })
		Expect(k8s.Delete(ctx, object)).To(Succeed())
		w.eventuallyGone(ctx, object)

		restored := w.httpImport("prices")
		restored.Annotations = map[string]string{v1alpha1.AnnotationID: id}
		Expect(k8s.Create(ctx, restored)).To(Succeed())
		w.eventually(ctx, restored, "prices", "Failed False/OwnershipConflict")
		Expect(message(restored)).To(And(ContainSubstring("was not created by this Import"), ContainSubstring("set spec.adopt")))
		Expect(restored.Status.Management).To(BeEmpty())
		Expect(tryChange(ctx, restored, otherAccount)).To(MatchError(ContainSubstring(accountUnknown)))
		Expect(tryChange(ctx, restored, func(restored *v1alpha1.Import) {
			restored.Spec.Adopt = &v1alpha1.AdoptSpec{ID: v1alpha1.ID(id)}
		})).To(Succeed())
		w.eventuallyReady(ctx, restored, "prices")
		Expect(restored.Status).To(And(HaveField("ID", id), HaveField("Management", v1alpha1.ManagementStateManaged)))
		Expect(w.writes()).To(BeEmpty())
	})
})
