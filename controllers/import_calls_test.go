// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"
	"net/http"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/simulator"
)

// chosen changes the simulator's choices for one story.
func chosen(edit func(*simulator.Choices)) {
	GinkgoHelper()
	before := sim.Choices()
	DeferCleanup(func() { Expect(sim.SetChoices(func(c *simulator.Choices) { *c = before })).To(Succeed()) })
	Expect(sim.SetChoices(edit)).To(Succeed())
}

var _ = Describe("I copy an import", func() {
	copied := func(object *v1alpha1.Import, from v1alpha1.CloneSpec) *v1alpha1.Import {
		from.ConnectionMap = map[string]v1alpha1.ConnectionReference{"@shop": "@ftp"}
		object.Spec.CloneFrom = &from
		object.Spec.Definition.Raw = overlaid(string(object.Spec.Definition.Raw), `{"_connectionId": "@ftp"}`)
		return object
	}

	DescribeTable("is made once and brought to its definition, with the rest as it was",
		func(ctx context.Context, answer string) {
			chosen(func(c *simulator.Choices) { c.CloneAnswer = answer })
			w := newWorld(ctx)
			original := w.seed("original", `{"description": "kept", "externalId": "theirs"}`)
			object := w.synced(ctx, copied(w.httpImport("copy"), v1alpha1.CloneSpec{ID: v1alpha1.ID(original)}))
			Expect(w.remote(object.Status.ID)).To(And(
				HaveKeyWithValue("name", "copy"), HaveKeyWithValue("description", "kept"), HaveKeyWithValue("_connectionId", ftpConnection),
				HaveKeyWithValue("externalId", "k8s/"+string(object.UID)), HaveKeyWithValue("_sourceId", original)))
			Expect(w.writes()).To(Equal(map[string]int{cloneOf: 1, put: 1}))
			Expect(w.remote(original)).To(HaveKeyWithValue("externalId", "theirs"))
			w.scans(2)
			Expect(w.writes()).To(Equal(map[string]int{cloneOf: 1, put: 1}))
		},
		Entry("when the API answers with the document", simulator.CloneAnswerDocument),
		Entry("when it answers with a reference", simulator.CloneAnswerReference),
		Entry("when it answers with a bare reference", simulator.CloneAnswerBare),
	)

	It("waits for the Import that it is a copy of", func(ctx context.Context) {
		w := newWorld(ctx)
		object := copied(w.httpImport("copy"), v1alpha1.CloneSpec{ImportRef: &v1alpha1.LocalReference{Name: "original"}})
		Expect(k8s.Create(ctx, object)).To(Succeed())
		w.eventually(ctx, object, "copy", "InProgress False/CloneSourceNotReady")
		original := w.synced(ctx, w.httpImport("original", `{"description": "kept"}`))
		w.eventuallyReady(ctx, object, "copy")
		Expect(object.Status.ID).NotTo(Equal(original.Status.ID))
		Expect(w.remote(object.Status.ID)).To(HaveKeyWithValue("description", "kept"))
		w.scans(2)
		Expect(w.writes()).To(Equal(map[string]int{post: 1, cloneOf: 1, put: 1}))
	})

	It("is found again when the answer is lost, and not made twice", func(ctx context.Context) {
		w := newWorld(ctx)
		original := w.seed("original")
		_, err := sim.AddRule(simulator.Rule{Account: w.account, Method: http.MethodPost, Route: "/v1/imports/{id}/clone",
			Phase: simulator.PhaseAfter, Count: 1, Action: simulator.Action{Kind: simulator.ActionAnswer, Status: 503}})
		Expect(err).NotTo(HaveOccurred())
		object := w.synced(ctx, copied(w.httpImport("copy"), v1alpha1.CloneSpec{ID: v1alpha1.ID(original)}))
		Expect(w.writes()).To(Equal(map[string]int{cloneOf: 1, put: 1}))
		Expect(sim.Imports(w.account)).To(HaveLen(2))
		Expect(w.remote(object.Status.ID)).To(HaveKeyWithValue("name", "copy"))
	})

	It("is brought to its definition also when drift is only reported", func(ctx context.Context) {
		w := newWorld(ctx)
		original := w.seed("original")
		object := copied(w.httpImport("copy"), v1alpha1.CloneSpec{ID: v1alpha1.ID(original)})
		object.Spec.DriftPolicy = v1alpha1.DriftPolicyReport
		w.synced(ctx, object)
		Expect(object.Status.Drift).To(BeEmpty())
		Expect(w.writes()).To(Equal(map[string]int{cloneOf: 1, put: 1}))
	})

	It("gets its name and ownership marker also when their differences are ignored, and is left alone then", func(ctx context.Context) {
		w := newWorld(ctx)
		original := w.seed("original", `{"externalId": "theirs"}`)
		object := copied(w.httpImport("copy"), v1alpha1.CloneSpec{ID: v1alpha1.ID(original)})
		object.Spec.IgnoreDifferences = []string{"/name", "/externalId", "/http/batchSize"}
		object.Spec.Definition.Raw = overlaid(string(object.Spec.Definition.Raw), `{"http": {"batchSize": 20}}`)
		w.synced(ctx, object)
		Expect(w.remote(object.Status.ID)).To(And(HaveKeyWithValue("name", "copy"), HaveKeyWithValue("externalId", "k8s/"+string(object.UID)),
			HaveKeyWithValue("http", HaveKeyWithValue("batchSize", BeEquivalentTo("10")))))

		Expect(sim.EditAs(jane, w.account, object.Status.ID, func(document simulator.Document) { document["name"] = "renamed" })).To(Succeed())
		remote := w.remote(object.Status.ID)
		Eventually(func() string { return get(ctx, w, object, "copy").Status.LastModified }).Should(Equal(remote["lastModified"]))
		Expect(w.writes()).To(Equal(map[string]int{cloneOf: 1, put: 1}))
	})

	It("gets the externalId that is declared also when its difference is ignored", func(ctx context.Context) {
		w := newWorld(ctx)
		original := w.seed("original", `{"externalId": "theirs"}`)
		object := copied(w.httpImport("copy", `{"externalId": "mine"}`), v1alpha1.CloneSpec{ID: v1alpha1.ID(original)})
		object.Spec.IgnoreDifferences = []string{"/externalId"}
		w.synced(ctx, object)
		Expect(w.remote(object.Status.ID)).To(And(HaveKeyWithValue("name", "copy"), HaveKeyWithValue("externalId", "mine")))
	})

	It("is copied again when it was deleted", func(ctx context.Context) {
		w := newWorld(ctx)
		original := w.seed("original", `{"description": "kept"}`)
		object := w.synced(ctx, copied(w.httpImport("copy"), v1alpha1.CloneSpec{ID: v1alpha1.ID(original)}))
		first := object.Status.ID
		Expect(sim.DeleteAs(jane, w.account, first)).To(Succeed())
		Eventually(func() string { return get(ctx, w, object, "copy").Status.ID }).ShouldNot(Or(Equal(first), BeEmpty()))
		w.eventuallyReady(ctx, object, "copy")
		Expect(w.remote(object.Status.ID)).To(And(HaveKeyWithValue("name", "copy"), HaveKeyWithValue("description", "kept")))
		Expect(w.writes()).To(Equal(map[string]int{cloneOf: 2, put: 2}))
	})

	It("continues when the update that follows fails", func(ctx context.Context) {
		w := newWorld(ctx)
		source := w.synced(ctx, w.httpImport("original"))
		_, err := sim.AddRule(simulator.Rule{Account: w.account, Method: http.MethodPut, Phase: simulator.PhaseBefore, Count: 2,
			Action: simulator.Action{Kind: simulator.ActionAnswer, Status: 503}})
		Expect(err).NotTo(HaveOccurred())
		object := w.synced(ctx, copied(w.httpImport("copy"), v1alpha1.CloneSpec{ID: v1alpha1.ID(source.Status.ID)}))
		Expect(w.writes()).To(Equal(map[string]int{post: 1, cloneOf: 1, put: 3}))
		Expect(w.remote(object.Status.ID)).To(HaveKeyWithValue("externalId", "k8s/"+string(object.UID)))
	})
})

var _ = Describe("I move an import to another connection", func() {
	move := func(ctx context.Context, w *world) *v1alpha1.Import {
		GinkgoHelper()
		object := w.synced(ctx, w.httpImport("moved"))
		change(ctx, object, func(object *v1alpha1.Import) {
			object.Spec.Definition.Raw = overlaid(string(object.Spec.Definition.Raw), `{"_connectionId": "@ftp"}`)
		})
		w.eventuallyReady(ctx, object, "moved")
		Expect(w.remote(object.Status.ID)).To(HaveKeyWithValue("_connectionId", ftpConnection))
		return object
	}

	It("replaces the connection and nothing else", func(ctx context.Context) {
		w := newWorld(ctx)
		object := move(ctx, w)
		Expect(object.Status.ConnectionID).To(Equal(ftpConnection))
		w.scans(2)
		Expect(w.calls()).To(Equal(map[string]int{post: 1, getOne: 2, reconnect: 1}))
	})

	It("updates it when the API refuses that", func(ctx context.Context) {
		w := newWorld(ctx)
		_, err := sim.AddRule(simulator.Rule{Account: w.account, Method: http.MethodPut, Route: "/v1/imports/{id}/replaceConnection",
			Phase: simulator.PhaseBefore, Action: simulator.Action{Kind: simulator.ActionAnswer, Status: 404}})
		Expect(err).NotTo(HaveOccurred())
		move(ctx, w)
		Expect(w.writes()).To(Equal(map[string]int{post: 1, reconnect: 1, put: 1}))
	})
})

var _ = Describe("I debug an import", func() {
	It("is set, moved and removed by PATCH, and never by PUT", func(ctx context.Context) {
		w := newWorld(ctx)
		object := w.synced(ctx, w.httpImport("debugged"))
		for n, minutes := range []time.Duration{15, 30} {
			until := metav1.NewTime(time.Now().Add(minutes * time.Minute).Truncate(time.Second))
			change(ctx, object, func(object *v1alpha1.Import) { object.Spec.DebugUntil = &until })
			w.eventuallyReady(ctx, object, "debugged")
			Expect(w.remote(object.Status.ID)).To(HaveKeyWithValue("debugUntil", until.UTC().Format("2006-01-02T15:04:05.000Z")))
			Expect(w.writes()).To(Equal(map[string]int{post: 1, patch: n + 1}))
		}
		change(ctx, object, func(object *v1alpha1.Import) { object.Spec.DebugUntil = nil })
		w.eventuallyReady(ctx, object, "debugged")
		Expect(w.remote(object.Status.ID)).NotTo(HaveKey("debugUntil"))
		w.scans(2)
		Expect(w.writes()).To(Equal(map[string]int{post: 1, patch: 3}))
	})

	It("means nothing once it has passed, and says what the API refuses", func(ctx context.Context) {
		chosen(func(c *simulator.Choices) { c.DebugMinutes = 10 })
		w := newWorld(ctx)
		object := w.httpImport("late")
		past := metav1.NewTime(time.Now().Add(-time.Minute).Truncate(time.Second))
		object.Spec.DebugUntil = &past
		w.synced(ctx, object)
		Expect(w.writes()).To(Equal(map[string]int{post: 1}))
		far := metav1.NewTime(time.Now().Add(40 * time.Minute).Truncate(time.Second))
		change(ctx, object, func(object *v1alpha1.Import) { object.Spec.DebugUntil = &far })
		w.eventually(ctx, object, "late", "Failed False/Rejected")
		Expect(message(object)).To(ContainSubstring("debugUntil"))
		w.scans(2)
		Expect(w.writes()).To(Equal(map[string]int{post: 1, patch: 1}))
	})

	DescribeTable("is set automatically once it is within the hour",
		func(ctx context.Context, meanwhile func()) {
			w := newWorld(ctx)
			object := w.httpImport("later")
			until := metav1.NewTime(time.Now().Add(time.Hour + 12*time.Second).Truncate(time.Second))
			object.Spec.DebugUntil = &until
			w.synced(ctx, object)
			Expect(message(object)).To(Equal("the remote import is as declared; spec.debugUntil is more than an hour ahead, and will be set once it is not"))
			meanwhile()
			Expect(w.calls()).To(Equal(map[string]int{post: 1}))

			Eventually(func() simulator.Document { return w.remote(object.Status.ID) }).Should(
				HaveKeyWithValue("debugUntil", until.UTC().Format("2006-01-02T15:04:05.000Z")))
			Eventually(func() string { return message(get(ctx, w, object, "later")) }).Should(Equal("the remote import is as declared"))
			w.scans(2)
			Expect(w.writes()).To(Equal(map[string]int{post: 1, patch: 1}))
		},
		Entry("", func() {}),
		Entry("when the operator was started again meanwhile", func() { restarted(func() {}) }),
	)

	It("continues while drift is only reported, and while the API does not take the rest", func(ctx context.Context) {
		w := newWorld(ctx)
		lowerCase("file.fileName")
		reported := w.httpImport("reported", `{"description": "declared"}`)
		reported.Spec.DriftPolicy = v1alpha1.DriftPolicyReport
		w.synced(ctx, reported)
		Expect(sim.EditAs(jane, w.account, reported.Status.ID, func(document simulator.Document) { document["description"] = "by hand" })).To(Succeed())
		Eventually(func() []v1alpha1.Difference { return get(ctx, w, reported, "reported").Status.Drift }).Should(HaveLen(1))
		refused := w.httpImport("refused", `{"file": {"fileName": "JSON"}, "http": {"type": "file", "method": ["POST"], "relativeURI": ["/"], "body": [null]}}`)
		Expect(k8s.Create(ctx, refused)).To(Succeed())
		w.eventually(ctx, refused, "refused", "Failed False/NotAccepted")

		until := metav1.NewTime(time.Now().Add(30 * time.Minute).Truncate(time.Second))
		for _, object := range []*v1alpha1.Import{reported, refused} {
			before := state(object)
			change(ctx, object, func(object *v1alpha1.Import) { object.Spec.DebugUntil = &until })
			Eventually(func() simulator.Document { return w.remote(object.Status.ID) }).Should(HaveKey("debugUntil"))
			w.eventually(ctx, object, object.Name, before)
			Expect(object.Status.DebugUntil).To(HaveValue(HaveField("Unix()", until.Unix())))
		}
		Expect(reported.Status.Drift).To(Equal([]v1alpha1.Difference{{Path: "/description", Declared: `"declared"`, Remote: `"by hand"`}}))
		Expect(conditionsOf(reported)).To(ContainElement(HaveField("Type", "Drifted")))
		Expect(refused.Status.NotAccepted).To(HaveLen(1))
		w.scans(2)
		Expect(w.writes()).To(Equal(map[string]int{post: 2, patch: 2}))
		Expect(w.remote(reported.Status.ID)).To(HaveKeyWithValue("description", "by hand"))
	})

	It("does not reconcile again and again after a PATCH of assistantMetadata that the API refuses", func(ctx context.Context) {
		chosen(func(c *simulator.Choices) { c.AssistantMetadataOnPut = simulator.AssistantMetadataIgnore })
		w := newWorld(ctx)
		object := w.synced(ctx, w.httpImport("assisted", `{"assistantMetadata": {"resource": "orders"}}`))
		_, err := sim.AddRule(simulator.Rule{Account: w.account, Method: http.MethodPatch, Phase: simulator.PhaseBefore,
			Action: simulator.Action{Kind: simulator.ActionAnswer, Status: 422}})
		Expect(err).NotTo(HaveOccurred())
		change(ctx, object, func(object *v1alpha1.Import) {
			object.Spec.Definition.Raw = overlaid(string(object.Spec.Definition.Raw), `{"description": "new", "assistantMetadata": {"resource": "items"}}`)
		})
		w.eventually(ctx, object, "assisted", "Failed False/Rejected")
		Expect(object.Status.LastModified).To(Equal(w.remote(object.Status.ID)["lastModified"]))
		w.scans(3)
		Expect(w.calls()).To(Equal(map[string]int{post: 1, getOne: 1, put: 1, patch: 1}))
	})

	It("does not repeat a PATCH of assistantMetadata that the API accepts and does not follow", func(ctx context.Context) {
		w := newWorld(ctx)
		object := w.synced(ctx, w.httpImport("assisted", `{"assistantMetadata": {"resource": "orders"}}`))
		_, err := sim.AddRule(simulator.Rule{Account: w.account, Method: http.MethodPatch, Phase: simulator.PhaseBefore,
			Action: simulator.Action{Kind: simulator.ActionAnswer, Status: 204}})
		Expect(err).NotTo(HaveOccurred())
		change(ctx, object, func(object *v1alpha1.Import) {
			object.Spec.Definition.Raw = overlaid(string(object.Spec.Definition.Raw), `{"assistantMetadata": {"resource": "items"}}`)
		})
		w.eventually(ctx, object, "assisted", "Failed False/NotAccepted")
		w.scans(2)
		Expect(w.writes()).To(Equal(map[string]int{post: 1, patch: 1}))
	})

	DescribeTable("writes assistantMetadata by PATCH when PUT drops it",
		func(ctx context.Context, choice string) {
			chosen(func(c *simulator.Choices) { c.AssistantMetadataOnPut = choice })
			w := newWorld(ctx)
			object := w.synced(ctx, w.httpImport("assisted", `{"assistantMetadata": {"resource": "orders"}}`))
			change(ctx, object, func(object *v1alpha1.Import) {
				object.Spec.Definition.Raw = overlaid(string(object.Spec.Definition.Raw), `{"description": "new", "assistantMetadata": {"resource": "items"}}`)
			})
			w.eventuallyReady(ctx, object, "assisted")
			Expect(w.remote(object.Status.ID)["assistantMetadata"]).To(HaveKeyWithValue("resource", "items"))
			Expect(w.writes()).To(Equal(map[string]int{post: 1, put: 1, patch: 1}))
		},
		Entry("because it ignores it", simulator.AssistantMetadataIgnore),
		Entry("because it erases it", simulator.AssistantMetadataErase),
	)
})
