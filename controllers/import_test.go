// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"
	"encoding/json"
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

const (
	post       = "POST /v1/imports"
	getOne     = "GET /v1/imports/{id}"
	put        = "PUT /v1/imports/{id}"
	remove     = "DELETE /v1/imports/{id}"
	patch      = "PATCH /v1/imports/{id}"
	audit      = "GET /v1/imports/{id}/audit"
	cloneOf    = "POST /v1/imports/{id}/clone"
	reconnect  = "PUT /v1/imports/{id}/replaceConnection"
	dependants = "GET /v1/imports/{id}/dependencies"
)

var _ = Describe("I declare an import", func() {
	It("is created once, with its alias resolved and the ownership marker", func(ctx context.Context) {
		w := newWorld(ctx)
		object := w.synced(ctx, w.httpImport("orders"))

		Expect(w.calls()).To(Equal(map[string]int{post: 1}))
		remote := w.remote(object.Status.ID)
		Expect(remote).To(HaveKeyWithValue("_connectionId", shopConnection))
		Expect(remote).To(HaveKeyWithValue("externalId", "k8s/"+string(object.UID)))
		Expect(object.Annotations).To(HaveKeyWithValue("integrator.io/create-pending", ContainSubstring(object.Status.CreateToken)))
		Expect(object.Annotations).NotTo(HaveKey("integrator.io/id"), "the marker is enough to find the import again")
		Expect(object.Status).To(And(
			HaveField("AdaptorType", "HTTPImport"),
			HaveField("APIIdentifier", MatchRegexp("^i[0-9a-f]{9}$")),
			HaveField("ConnectionID", shopConnection),
			HaveField("LastModified", remote["lastModified"]),
		))
		Eventually(func() []string { return w.events(ctx, "orders") }).Should(ConsistOf(HavePrefix("Created: ")))
	})

	It("writes what I change, and leaves what I did not declare", func(ctx context.Context) {
		w := newWorld(ctx)
		object := w.synced(ctx, w.httpImport("orders", `{"description": "first", "settings": {"a": 1, "b": 2}}`))
		id := object.Status.ID
		Expect(sim.EditAs(jane, w.account, id, func(document simulator.Document) {
			document["sampleData"] = map[string]any{"sku": "A-1"}
		})).To(Succeed())

		change(ctx, object, func(object *v1alpha1.Import) {
			object.Spec.Definition.Raw = w.httpImport("orders", `{"settings": {"a": 3}}`).Spec.Definition.Raw
		})
		w.eventuallyReady(ctx, object, "orders")

		remote := w.remote(id)
		Expect(remote).To(HaveKeyWithValue("sampleData", HaveKeyWithValue("sku", "A-1")))
		Expect(remote).To(HaveKeyWithValue("settings", Equal(map[string]any{"a": json.Number("3")})), "b was mine and is taken back")
		Expect(remote).NotTo(HaveKey("description"))
		Expect(remote).To(HaveKeyWithValue("externalId", "k8s/"+string(object.UID)))
		Expect(w.calls()).To(HaveKeyWithValue(put, 1))
	})

	It("keeps every value as I wrote it, on the way to the API and back", func(ctx context.Context) {
		w := newWorld(ctx)
		settings := `{"no": false, "zero": 0, "empty": "", "none": [], "null": null, "long": 9007199254740993,
			"negative": -9223372036854775808, "decimal": 0.1, "small": 1e-7, "text": "Zażółć gęślą 😀 \u0000"}`
		object := w.synced(ctx, w.httpImport("values", `{"settings": `+settings+`, "unheardOf": {"deep": [[1, null]]}, "ignoreExisting": false}`))

		stored := get(ctx, w, &v1alpha1.Import{}, "values")
		Expect(stored.Spec.Definition.Raw).To(MatchJSON(object.Spec.Definition.Raw))
		var sent, declared map[string]any
		raw, err := json.Marshal(w.remote(object.Status.ID))
		Expect(err).NotTo(HaveOccurred())
		Expect(decode(raw, &sent)).To(Succeed())
		Expect(decode([]byte(settings), &declared)).To(Succeed())
		Expect(sent["settings"]).To(Equal(declared))
		Expect(sent["unheardOf"]).To(HaveKeyWithValue("deep", Equal([]any{[]any{json.Number("1"), nil}})))
	})

	It("writes a changed lookup everywhere that the API copies it to", func(ctx context.Context) {
		w := newWorld(ctx)
		lookups := func(to string) string { return `{"lookups": [{"name": "size", "map": {"S": "` + to + `"}}]}` }
		object := w.synced(ctx, w.httpImport("sizes", lookups("small")))
		Expect(w.remote(object.Status.ID)["http"]).To(HaveKey("lookups"))
		change(ctx, object, func(object *v1alpha1.Import) {
			object.Spec.Definition.Raw = w.httpImport("sizes", lookups("klein")).Spec.Definition.Raw
		})
		w.eventuallyReady(ctx, object, "sizes")
		remote := w.remote(object.Status.ID)
		Expect(remote["http"]).To(HaveKeyWithValue("lookups", Equal(remote["lookups"])))
		Expect(remote["lookups"]).To(ContainElement(HaveKeyWithValue("map", HaveKeyWithValue("S", "klein"))))

		By("no longer declaring it")
		change(ctx, object, func(object *v1alpha1.Import) {
			object.Spec.Definition.Raw = w.httpImport("sizes").Spec.Definition.Raw
		})
		w.eventuallyReady(ctx, object, "sizes")
		remote = w.remote(object.Status.ID)
		Expect(remote).NotTo(HaveKey("lookups"))
		Expect(remote["http"]).NotTo(HaveKey("lookups"))
	})

	It("makes no call and no write while nothing changes", func(ctx context.Context) {
		w := newWorld(ctx)
		object := w.synced(ctx, w.httpImport("still"))
		before, version := w.calls(), object.ResourceVersion

		w.scans(3)
		Expect(w.calls()).To(Equal(before))
		Expect(get(ctx, w, &v1alpha1.Import{}, "still").ResourceVersion).To(Equal(version))
	})

	It("reconciles at once when I ask", func(ctx context.Context) {
		w := newWorld(ctx)
		object := w.synced(ctx, w.httpImport("asked"))
		Expect(sim.AddFlow(w.account, simulator.Flow{ID: "64a0000000000000000000d9", Name: "Orders to shop", Imports: []string{object.Status.ID}})).To(Succeed())
		change(ctx, object, func(object *v1alpha1.Import) {
			object.Annotations["integrator.io/reconcile-requested-at"] = "now"
		})
		Eventually(func() string {
			return get(ctx, w, object, "asked").Status.LastHandledReconcileAt
		}).Should(Equal("now"))
		Expect(object.Status.UsedBy).To(Equal([]v1alpha1.ResourceUse{{Kind: "flow", ID: "64a0000000000000000000d9", Name: "Orders to shop"}}))
		Expect(object.Status.UsedByObservedAt).NotTo(BeNil())
		w.scans(2)
		Expect(w.calls()).To(Equal(map[string]int{post: 1, getOne: 1, dependants: 1, audit: 1}))
	})

	It("lets it go without a call when I say Orphan", func(ctx context.Context) {
		w := newWorld(ctx)
		object := w.httpImport("kept")
		object.Spec.DeletionPolicy = v1alpha1.DeletionPolicyOrphan
		w.synced(ctx, object)
		before := w.calls()

		Expect(k8s.Delete(ctx, object)).To(Succeed())
		w.eventuallyGone(ctx, object)
		Expect(w.calls()).To(Equal(before))
		w.remote(object.Status.ID)
	})

	It("is left alone while I suspend it", func(ctx context.Context) {
		w := newWorld(ctx)
		object := w.synced(ctx, w.httpImport("still"))
		before := w.calls()
		change(ctx, object, func(object *v1alpha1.Import) {
			object.Spec.Suspend = true
			object.Spec.Definition.Raw = w.httpImport("still", `{"description": "later"}`).Spec.Definition.Raw
		})
		w.eventually(ctx, object, "still", "Current True/Suspended")
		Expect(conditionsOf(object)).To(ContainElement(HaveField("Type", "Suspended")))
		w.scans(2)
		Expect(w.calls()).To(Equal(before))

		change(ctx, object, func(object *v1alpha1.Import) { object.Spec.Suspend = false })
		Eventually(func() simulator.Document { return w.remote(object.Status.ID) }).Should(HaveKeyWithValue("description", "later"))
	})
})

var _ = Describe("Somebody changes the import on the platform", func() {
	It("is restored, and an event says what it was", func(ctx context.Context) {
		w := newWorld(ctx)
		object := w.synced(ctx, w.httpImport("prices", `{"description": "declared"}`))
		Expect(sim.EditAs(jane, w.account, object.Status.ID, func(document simulator.Document) {
			document["description"] = "by hand"
		})).To(Succeed())

		Eventually(func() simulator.Document { return w.remote(object.Status.ID) }).Should(HaveKeyWithValue("description", "declared"))
		w.eventuallyReady(ctx, object, "prices")
		Eventually(func() []string { return w.events(ctx, "prices") }).Should(ContainElements(
			`DriftDetected: the remote import was changed by jane@example.com (ui): /description (declared "declared", remote "by hand")`,
			HavePrefix("DriftCorrected: "),
		))
		w.scans(2)
		Expect(w.calls()).To(Equal(map[string]int{post: 1, getOne: 1, audit: 1, put: 1}))
		last := get(ctx, w, object, "prices").Status.Audit.LastEvent
		Expect(last).To(HaveValue(And(HaveField("Event", "update"), HaveField("Source", "ui"), HaveField("User", jane.Email), HaveField("Fields", Equal([]string{"description"})))))
		Expect(object.Status.Audit.ExternalChanges).To(Equal([]v1alpha1.AuditEvent{*last}))
	})

	It("names in its events what each write changed, and nothing else", func(ctx context.Context) {
		w := newWorld(ctx)
		lowerCase("file.fileName")
		raw := `{"description": "declared", "file": {"fileName": "json"}, "http": {"type": "file", "method": ["POST"], "relativeURI": ["/"], "body": [null]}}`
		object := w.synced(ctx, w.httpImport("named", raw))
		change(ctx, object, func(object *v1alpha1.Import) {
			object.Spec.Definition.Raw = overlaid(string(object.Spec.Definition.Raw), `{"description": "new", "ignoreExisting": true, "file": {"fileName": "XML"}}`)
		})
		w.eventually(ctx, object, "named", "Failed False/NotAccepted")
		change(ctx, object, func(object *v1alpha1.Import) {
			object.Spec.Definition.Raw = overlaid(string(w.httpImport("named", raw).Spec.Definition.Raw), `{"description": "new"}`)
		})
		w.eventuallyReady(ctx, object, "named")
		Expect(sim.EditAs(jane, w.account, object.Status.ID, func(document simulator.Document) {
			document["description"], document["oneToMany"] = "by hand", true
		})).To(Succeed())
		id := object.Status.ID
		Eventually(func() []string { return w.events(ctx, "named") }).Should(ContainElements(
			"Updated: updated the import "+id+": /description, /ignoreExisting",
			"Updated: updated the import "+id+": /file/fileName, /ignoreExisting (removed)",
			`DriftCorrected: restored what is declared: /description (declared "new", remote "by hand")`,
		))
	})

	It("is only reported when the policy is Report", func(ctx context.Context) {
		w := newWorld(ctx)
		object := w.httpImport("watched", `{"description": "declared"}`)
		object.Spec.DriftPolicy = v1alpha1.DriftPolicyReport
		w.synced(ctx, object)
		Expect(sim.EditAs(jane, w.account, object.Status.ID, func(document simulator.Document) {
			document["description"] = "by hand"
		})).To(Succeed())

		Eventually(func() []v1alpha1.Difference { return get(ctx, w, object, "watched").Status.Drift }).Should(Equal([]v1alpha1.Difference{
			{Path: "/description", Declared: `"declared"`, Remote: `"by hand"`},
		}))
		Expect(state(object)).To(Equal("Current True/Synced"))
		Expect(conditionsOf(object)).To(ContainElement(HaveField("Type", "Drifted")))
		w.scans(2)
		Expect(w.calls()).NotTo(HaveKey(put))
	})

	It("says nothing of paths that I ignore", func(ctx context.Context) {
		w := newWorld(ctx)
		object := w.httpImport("tuned")
		object.Spec.IgnoreDifferences = []string{"/http/batchSize"}
		w.synced(ctx, object)
		Expect(sim.EditAs(jane, w.account, object.Status.ID, func(document simulator.Document) {
			document["http"].(map[string]any)["batchSize"] = 99
		})).To(Succeed())

		remote := w.remote(object.Status.ID)
		Eventually(func() string { return get(ctx, w, object, "tuned").Status.LastModified }).Should(Equal(remote["lastModified"]))
		Expect(w.calls()).NotTo(HaveKey(put))
	})

	It("is created again when it was deleted", func(ctx context.Context) {
		w := newWorld(ctx)
		object := w.synced(ctx, w.httpImport("lost"))
		first := object.Status.ID
		Expect(sim.DeleteAs(jane, w.account, first)).To(Succeed())

		Eventually(func() string { return get(ctx, w, object, "lost").Status.ID }).ShouldNot(Or(Equal(first), BeEmpty()))
		w.eventuallyReady(ctx, object, "lost")
		Eventually(func() []string { return w.events(ctx, "lost") }).Should(ContainElement(ContainSubstring("was deleted on the platform by jane@example.com (ui); it is created again")))
		Expect(sim.Imports(w.account)).To(HaveLen(1))
		w.scans(2)
		Expect(w.calls()).To(Equal(map[string]int{post: 2, getOne: 1, audit: 1}))
	})

	It("is not created beside another that has my own externalId, and may be for it", func(ctx context.Context) {
		w := newWorld(ctx)
		object := w.synced(ctx, w.httpImport("restored", `{"externalId": "erp-20"}`))
		first := object.Status.ID
		second := w.seed("restored", `{"externalId": "erp-20"}`)
		Expect(sim.DeleteAs(jane, w.account, first)).To(Succeed())
		w.eventually(ctx, object, "restored", "Failed False/AmbiguousCreate")
		Expect(message(object)).To(ContainSubstring("the account has another with its externalId and name: " + second + "; delete that one"))
		Expect(w.writes()).To(Equal(map[string]int{post: 1}))

		Expect(sim.DeleteAs(jane, w.account, second)).To(Succeed())
		change(ctx, object, func(object *v1alpha1.Import) {
			object.Annotations["integrator.io/reconcile-requested-at"] = "the other was deleted"
		})
		w.eventuallyReady(ctx, object, "restored")
		Expect(w.writes()).To(Equal(map[string]int{post: 2}))
	})

	It("is created again where an older one has my own externalId too", func(ctx context.Context) {
		w := newWorld(ctx)
		older := w.seed("twice", `{"externalId": "erp-22"}`)
		object := w.httpImport("twice", `{"externalId": "erp-22"}`)
		object.Annotations = map[string]string{v1alpha1.AnnotationAllowNamesake: "true"}
		first := w.synced(ctx, object).Status.ID
		change(ctx, object, func(object *v1alpha1.Import) { delete(object.Annotations, v1alpha1.AnnotationAllowNamesake) })
		Expect(sim.DeleteAs(jane, w.account, first)).To(Succeed())
		Eventually(func() string { return get(ctx, w, object, "twice").Status.ID }).ShouldNot(Or(Equal(first), BeEmpty()))
		w.eventuallyReady(ctx, object, "twice")
		Expect(object.Status.ID).NotTo(Equal(older))
		Expect(w.writes()).To(Equal(map[string]int{post: 2}))
	})

	DescribeTable("is not created again for a 404 that the account's list does not confirm", func(ctx context.Context, more, status string, annotated bool) {
		w := newWorld(ctx)
		object := w.synced(ctx, w.httpImport("hidden", more))
		id := object.Status.ID
		found := w.notFound(http.MethodGet, "/v1/imports/{id}")
		Expect(k8s.Status().Patch(ctx, object, client.RawPatch(types.MergePatchType, []byte(status)))).To(Succeed())
		change(ctx, object, func(object *v1alpha1.Import) {
			object.Annotations["integrator.io/reconcile-requested-at"] = "now"
		})
		w.eventually(ctx, object, "hidden", "InProgress False/UnexpectedResponse")
		Expect(message(object)).To(Equal("the API answers 404 for the import " + id +
			", but its list has it: the import is not taken for deleted; it will be retried"))
		withID := HaveKeyWithValue(v1alpha1.AnnotationID, id)
		if !annotated {
			withID = Not(HaveKey(v1alpha1.AnnotationID))
		}
		Expect(object.Annotations).To(withID)
		found()
		w.eventually(ctx, object, "hidden", "Current True/Synced")
		Expect(object.Status.ID).To(Equal(id))
		Expect(w.writes()).To(Equal(map[string]int{post: 1}))
	},
		Entry("with its marker", `{}`, `{}`, false),
		Entry("with an externalId of mine", `{"externalId": "erp-23"}`, `{}`, true),
		Entry("when the status still has the import before it", `{"externalId": "erp-23"}`, `{"status": {"id": "64a0000000000000000000ff"}}`, true),
	)
})

var _ = Describe("I delete an import", func() {
	It("deletes the remote one, once nothing uses it", func(ctx context.Context) {
		w := newWorld(ctx)
		object := w.synced(ctx, w.httpImport("used"))
		id := object.Status.ID
		flow := simulator.Flow{ID: "64b000000000000000000001", Name: "Orders to shop", Imports: []string{id}}
		Expect(sim.AddFlow(w.account, flow)).To(Succeed())

		Expect(k8s.Delete(ctx, object)).To(Succeed())
		Eventually(func() string { return state(get(ctx, w, object, "used")) }).Should(Equal("Terminating False/DeletionBlocked"))
		Expect(message(object)).To(ContainSubstring(`flow "Orders to shop"`))
		Expect(object.Status.UsedBy).To(ConsistOf(HaveField("Name", "Orders to shop")))
		Expect(w.calls()).NotTo(HaveKey(remove))

		Expect(sim.RemoveFlow(w.account, flow.ID)).To(Succeed())
		change(ctx, object, func(object *v1alpha1.Import) {
			object.Annotations["integrator.io/reconcile-requested-at"] = "the flow was deleted"
		})
		w.eventuallyGone(ctx, object)
		Expect(w.calls()).To(HaveKeyWithValue(remove, 1))
		Expect(sim.Imports(w.account)).To(BeEmpty())
	})

	It("is not blocked by what the import itself uses", func(ctx context.Context) {
		w := newWorld(ctx)
		choices := sim.Choices()
		Expect(sim.SetChoices(func(c *simulator.Choices) { c.DependenciesListConnection = true })).To(Succeed())
		DeferCleanup(func() {
			Expect(sim.SetChoices(func(c *simulator.Choices) { *c = choices })).To(Succeed())
		})
		object := w.synced(ctx, w.httpImport("free"))
		Expect(k8s.Delete(ctx, object)).To(Succeed())
		w.eventuallyGone(ctx, object)
		Expect(sim.Imports(w.account)).To(BeEmpty())
	})

	It("is deleted when somebody has deleted the remote one before", func(ctx context.Context) {
		w := newWorld(ctx)
		object := w.httpImport("both")
		w.synced(ctx, object)
		change(ctx, object, func(object *v1alpha1.Import) { object.Spec.Suspend = true })
		w.eventually(ctx, object, "both", "Current True/Suspended")
		Expect(sim.DeleteAs(jane, w.account, object.Status.ID)).To(Succeed())
		Expect(k8s.Delete(ctx, object)).To(Succeed())
		change(ctx, object, func(object *v1alpha1.Import) { object.Spec.Suspend = false })
		w.eventuallyGone(ctx, object)
		Expect(w.calls()).NotTo(HaveKey(remove))
	})

	It("is not deleted for a 404 that the account's list does not confirm", func(ctx context.Context) {
		w := newWorld(ctx)
		object := w.synced(ctx, w.httpImport("hidden"))
		found := w.notFound(http.MethodGet, "/v1/imports/{id}")
		Expect(k8s.Delete(ctx, object)).To(Succeed())
		w.eventually(ctx, object, "hidden", "Terminating False/UnexpectedResponse")
		found()
		w.eventuallyGone(ctx, object)
		Expect(sim.Imports(w.account)).To(BeEmpty())
		Expect(w.calls()).To(HaveKeyWithValue(remove, 1))
	})

	It("deletes another that has its ownership marker when the one that it remembers was deleted", func(ctx context.Context) {
		w := newWorld(ctx)
		object := w.synced(ctx, w.httpImport("older"))
		change(ctx, object, func(object *v1alpha1.Import) { object.Spec.Suspend = true })
		w.eventually(ctx, object, "older", "Current True/Suspended")
		w.seed("older", fmt.Sprintf(`{"externalId": "k8s/%s"}`, object.UID))
		Expect(sim.DeleteAs(jane, w.account, object.Status.ID)).To(Succeed())
		Expect(k8s.Delete(ctx, object)).To(Succeed())
		change(ctx, object, func(object *v1alpha1.Import) { object.Spec.Suspend = false })
		w.eventuallyGone(ctx, object)
		Expect(sim.Imports(w.account)).To(BeEmpty())
		Expect(w.calls()).To(HaveKeyWithValue(remove, 1))
	})
})

func (w *world) eventuallyGone(ctx context.Context, object client.Object) {
	GinkgoHelper()
	Eventually(func() bool {
		return apierrors.IsNotFound(k8s.Get(ctx, client.ObjectKeyFromObject(object), object))
	}).Should(BeTrue(), "the object is still there")
}
