// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/simulator"
	"github.com/integrator-operator/integrator-operator/internal/simulator/document"
	"github.com/integrator-operator/integrator-operator/internal/simulator/wire"
)

// objectOf returns a JSON object, as the API gets it.
func objectOf(text string) simulator.Document {
	GinkgoHelper()
	read, err := document.DecodeObject([]byte(text))
	Expect(err).NotTo(HaveOccurred())
	return read
}

// answered is a value of a remote import as the API answers it.
func answered(value any) string {
	GinkgoHelper()
	text, err := wire.Encode(value)
	Expect(err).NotTo(HaveOccurred())
	return string(text)
}

var _ = Describe("Others keep something in fields that I do not declare", func() {
	It("keeps texts that are not Unicode when I change my definition", func(ctx context.Context) {
		const notes = `{"bytes":"` + "\xff\xed\xa0\xbd" + `","\ud83d":["\ude00\ud83d \u0000"]}`
		w := newWorld(ctx)
		object := w.synced(ctx, w.httpImport("kept", `{"description": "declared", "assistantMetadata": {"mine": 1}}`))
		Expect(sim.EditAs(jane, w.account, object.Status.ID, func(remote simulator.Document) {
			remote["settings"] = objectOf(notes)
			remote["description"] = objectOf(`{"a": "by hand \ud83d"}`)["a"]
			remote["assistantMetadata"] = objectOf(`{"mine": 2, "theirs": "\ud83d"}`)
		})).To(Succeed())

		Eventually(func() any { return w.remote(object.Status.ID)["description"] }).Should(Equal("declared"))
		w.eventuallyReady(ctx, object, "kept")
		Expect(answered(w.remote(object.Status.ID)["settings"])).To(Equal(notes))
		Expect(answered(w.remote(object.Status.ID)["assistantMetadata"])).To(Equal(`{"mine":1,"theirs":"\ud83d"}`))
		Eventually(func() []string { return w.events(ctx, "kept") }).Should(ContainElement(ContainSubstring(`remote "by hand \ud83d"`)))

		// assistantMetadata alone goes by PATCH.
		change(ctx, object, func(object *v1alpha1.Import) {
			object.Spec.Definition.Raw = overlaid(string(object.Spec.Definition.Raw), `{"assistantMetadata": {"mine": 3}}`)
		})
		Eventually(func() string { return answered(w.remote(object.Status.ID)["assistantMetadata"]) }).Should(Equal(`{"mine":3,"theirs":"\ud83d"}`))
		w.eventuallyReady(ctx, object, "kept")
		Expect(w.writes()).To(Equal(map[string]int{post: 1, put: 1, patch: 1}))
	})
})

var _ = Describe("I declare a text that is not Unicode in a ConfigMap", func() {
	It("is sent as it is, and not taken for drift", func(ctx context.Context) {
		w := newWorld(ctx)
		more := &corev1.ConfigMap{ObjectMeta: w.meta("more"), Data: map[string]string{"settings": `{"a": ["\ud83d", "<\ude00>"]}`}}
		Expect(k8s.Create(ctx, more)).To(Succeed())
		object := w.httpImport("declared")
		object.Spec.ValuesFrom = []v1alpha1.ValueSource{fromConfigMap("/settings", "more", "settings")}
		w.synced(ctx, object)
		Expect(answered(w.remote(object.Status.ID)["settings"])).To(Equal(`{"a":["\ud83d","<\ude00>"]}`))

		change(ctx, more, func(more *corev1.ConfigMap) { more.Data["settings"] = `{"a": ["\ud83d", "<\ud83d>"]}` })
		Eventually(func() string { return answered(w.remote(object.Status.ID)["settings"]) }).Should(Equal(`{"a":["\ud83d","<\ud83d>"]}`))
		w.scans(2)
		Expect(w.writes()).To(Equal(map[string]int{post: 1, put: 1}))

		change(ctx, more, func(more *corev1.ConfigMap) { more.Data["settings"] = `{"\ud83d": 1}` })
		Eventually(func() string { return answered(w.remote(object.Status.ID)["settings"]) }).Should(Equal(`{"\ud83d":1}`))
		w.eventuallyReady(ctx, object, "declared")
		change(ctx, more, func(more *corev1.ConfigMap) { more.Data["settings"] = `{"b": 1}` })
		Eventually(func() string { return answered(w.remote(object.Status.ID)["settings"]) }).Should(Equal(`{"b":1}`), "what is no longer declared is removed, whatever its name")
	})
})

var _ = Describe("I ignore the differences of every element of an array", func() {
	It("leaves them as they are, and shows me which of my pointers match nothing", func(ctx context.Context) {
		w := newWorld(ctx)
		object := w.httpImport("any", `{"description": "one", "http": {"method": ["POST"], "relativeURI": ["/"], "body": [null], "headers": [{"name": "A", "value": "1"}, {"name": "B", "value": "1"}]}}`)
		object.Spec.IgnoreDifferences = []string{"/http/headers/*/value", "/http/header/*/value"}
		w.synced(ctx, object)
		Expect(object.Status.UnmatchedIgnoreDifferences).To(Equal([]string{"/http/header/*/value"}))
		Expect(sim.EditAs(jane, w.account, object.Status.ID, func(document simulator.Document) {
			document["http"].(map[string]any)["headers"] = []any{map[string]any{"name": "A", "value": "hers"}, map[string]any{"name": "B", "value": "hers, too"}}
		})).To(Succeed())
		remote := w.remote(object.Status.ID)
		Eventually(func() string { return get(ctx, w, object, "any").Status.LastModified }).Should(Equal(remote["lastModified"]))
		Expect(w.writes()).To(Equal(map[string]int{post: 1}))

		change(ctx, object, define(`{"description": "two"}`))
		w.eventuallyReady(ctx, object, "any")
		Expect(answered(w.remote(object.Status.ID)["http"].(map[string]any)["headers"])).To(Equal(`[{"name":"A","value":"hers"},{"name":"B","value":"hers, too"}]`))
		Expect(w.remote(object.Status.ID)).To(HaveKeyWithValue("description", "two"))

		change(ctx, object, func(object *v1alpha1.Import) { object.Spec.IgnoreDifferences[1] = "/http/headers/*/name" })
		w.eventuallyReady(ctx, object, "any")
		Expect(object.Status.UnmatchedIgnoreDifferences).To(BeEmpty())
		Expect(w.writes()).To(Equal(map[string]int{post: 1, put: 1}))
		unmatched := HavePrefix("UnmatchedIgnoreDifferences: spec.ignoreDifferences matches nothing in the definition or in the remote import with /http/header/*/value:")
		var told []string
		Eventually(func() []string { return w.events(ctx, "any") }).Should(ContainElement(unmatched, &told))
		Expect(told).To(HaveLen(1), "once")
	})
})

var _ = Describe("The API masks a value that I do not declare", func() {
	// encrypted are the masked values that the simulator has stored.
	encrypted := func(w *world, id string) any { return w.remote(id)["encrypted"] }
	secret := map[string]any{"apiKey": "S3CRET"}
	seeded := func(w *world) v1alpha1.ID {
		return v1alpha1.ID(w.seed("original", `{"encrypted": {"apiKey": "S3CRET"}}`))
	}
	stores := func(c *simulator.Choices) { c.MaskedSecretKept = false }

	It("is not updated, so that an API that stores what it gets loses nothing", func(ctx context.Context) {
		chosen(stores)
		w := newWorld(ctx)
		id := seeded(w)
		object := w.synced(ctx, adopting(w.httpImport("original"), v1alpha1.AdoptSpec{ID: id}))
		change(ctx, object, func(object *v1alpha1.Import) {
			define(`{"description": "changed"}`)(object)
			until := metav1.NewTime(time.Now().Add(30 * time.Minute))
			object.Spec.DebugUntil = &until
		})
		w.eventually(ctx, object, "original", "Failed False/MaskedField")
		Expect(message(object)).To(Equal("the API masks /encrypted/apiKey in the import, and an update would write the mask over its value: nothing is written; " +
			"declare each with spec.valuesFrom, or set spec.maskedFields to Send, if the API keeps the stored value when it gets the mask"))
		Expect(object.Status.Drift).To(HaveExactElements(HaveField("Path", "/description")))
		Expect(w.writes()).To(Equal(map[string]int{patch: 1}), "for debugUntil")

		change(ctx, object, func(object *v1alpha1.Import) {
			define(`{"description": "changed again"}`)(object)
			object.Annotations[v1alpha1.AnnotationDryRun] = "true"
		})
		w.eventually(ctx, object, "original", "Failed False/MaskedField")
		Expect(object.Status.Plan).To(BeNil())

		change(ctx, object, func(object *v1alpha1.Import) {
			redefine()(object)
			define(`{"_connectionId": "@ftp"}`)(object)
			delete(object.Annotations, v1alpha1.AnnotationDryRun)
		})
		w.eventuallyReady(ctx, object, "original")
		Expect(w.writes()).To(Equal(map[string]int{patch: 1, reconnect: 1}), "the connection alone has a call of its own")
		Expect(encrypted(w, string(id))).To(Equal(secret))

		w.keep(ctx, "declared")
		change(ctx, object, func(object *v1alpha1.Import) {
			object.Spec.ValuesFrom = []v1alpha1.ValueSource{fromSecret("/encrypted/apiKey", "key", "key")}
		})
		w.eventuallyReady(ctx, object, "original")
		Expect(encrypted(w, string(id))).To(Equal(map[string]any{"apiKey": "declared"}))
		Expect(w.events(ctx, "original")).NotTo(ContainElement(HavePrefix("MaskedFieldSent")))
	})

	DescribeTable("is updated with the mask if I want that, and I am told",
		func(ctx context.Context, edit func(*simulator.Choices), kept any) {
			chosen(edit)
			w := newWorld(ctx)
			id := seeded(w)
			object := adopting(w.httpImport("original", `{"description": "changed"}`), v1alpha1.AdoptSpec{ID: id, Mode: v1alpha1.AdoptionModeOverride})
			object.Spec.MaskedFields = v1alpha1.MaskedFieldsSend
			w.synced(ctx, object)
			Expect(encrypted(w, string(id))).To(Equal(kept))
			Eventually(func() []string { return w.events(ctx, "original") }).Should(ContainElement("MaskedFieldSent: the update of the import " + string(id) +
				" contained the mask that the API shows in place of /encrypted/apiKey, because spec.maskedFields is Send: if the API stored the mask, the value is lost"))
			Expect(w.writes()).To(Equal(map[string]int{put: 1}))
		},
		Entry("and the API keeps the value", func(*simulator.Choices) {}, secret),
		Entry("and the API stores the mask", stores, map[string]any{"apiKey": "******"}),
	)

	It("is neither taken over with Override nor cloned before I decide", func(ctx context.Context) {
		w := newWorld(ctx)
		id := seeded(w)
		taken := adopting(w.httpImport("original", `{"description": "changed"}`), v1alpha1.AdoptSpec{ID: id, Mode: v1alpha1.AdoptionModeOverride})
		Expect(k8s.Create(ctx, taken)).To(Succeed())
		copied := w.httpImport("copy")
		copied.Spec.CloneFrom = &v1alpha1.CloneSpec{ID: id}
		Expect(k8s.Create(ctx, copied)).To(Succeed())
		w.eventually(ctx, taken, "original", "Failed False/MaskedField")
		w.eventually(ctx, copied, "copy", "Failed False/MaskedField")
		Expect(message(copied)).To(ContainSubstring("no clone of it is made"))
		Expect([]v1alpha1.ManagementState{taken.Status.Management, copied.Status.Management}).To(HaveEach(v1alpha1.ManagementStateNone))
		Expect(w.writes()).To(BeEmpty())

		for _, object := range []*v1alpha1.Import{taken, copied} {
			change(ctx, object, func(object *v1alpha1.Import) { object.Spec.MaskedFields = v1alpha1.MaskedFieldsSend })
			w.eventuallyReady(ctx, object, object.Name)
		}
		Expect(w.writes()).To(Equal(map[string]int{put: 2, cloneOf: 1}))
		Expect(encrypted(w, string(id))).To(Equal(secret))
	})
})
