// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/simulator"
)

// keyPath is where the stories put a value from a Secret.
const keyPath = "/http/headers/0/value"

// fromSecret is a value from the Secret of this name and key.
func fromSecret(path, name, key string) v1alpha1.ValueSource {
	return v1alpha1.ValueSource{Path: path, SecretKeyRef: &v1alpha1.KeyReference{Name: name, Key: key}}
}

// fromConfigMap is a JSON value from the ConfigMap of this name and key.
func fromConfigMap(path, name, key string) v1alpha1.ValueSource {
	return v1alpha1.ValueSource{Path: path, ConfigMapKeyRef: &v1alpha1.KeyReference{Name: name, Key: key}, Format: v1alpha1.ValueFormatJSON}
}

// keyed is an HTTPImport with a header whose value comes from key of the Secret "key", and
// with more values.
func (w *world) keyed(name string, more ...v1alpha1.ValueSource) *v1alpha1.Import {
	object := w.httpImport(name, `{"http": {"method": ["POST"], "relativeURI": ["/items"], "body": [null], "batchSize": 10,
		"headers": [{"name": "X-Key", "value": "to come"}]}}`)
	object.Spec.ValuesFrom = append([]v1alpha1.ValueSource{fromSecret(keyPath, "key", "key")}, more...)
	return object
}

// keep stores the content under key of the Secret "key".
func (w *world) keep(ctx context.Context, content string) {
	GinkgoHelper()
	secret := &corev1.Secret{ObjectMeta: w.meta("key"), Data: map[string][]byte{"key": []byte(content)}}
	if err := k8s.Create(ctx, secret); !apierrors.IsAlreadyExists(err) {
		Expect(err).NotTo(HaveOccurred())
		return
	}
	change(ctx, secret, func(secret *corev1.Secret) { secret.Data["key"] = []byte(content) })
}

// touch changes a Secret, but not its content.
func (w *world) touch(ctx context.Context, name string) {
	GinkgoHelper()
	secret := get(ctx, w, &corev1.Secret{}, name)
	change(ctx, secret, func(secret *corev1.Secret) { secret.Labels = map[string]string{"touched": secret.ResourceVersion} })
}

// header is the value of the header that the API has, or, by edit, gets from jane.
func header(document simulator.Document) map[string]any {
	return document["http"].(map[string]any)["headers"].([]any)[0].(map[string]any)
}

// hashAfter waits until the Import was compared anew, and is Ready.
func (w *world) hashAfter(ctx context.Context, object *v1alpha1.Import, before string) {
	GinkgoHelper()
	Eventually(func() string { return get(ctx, w, object, object.Name).Status.DesiredHash }).ShouldNot(Equal(before))
	w.eventuallyReady(ctx, object, object.Name)
}

var _ = Describe("I keep values of an import in Secrets and ConfigMaps", func() {
	It("lays them over the definition, and says nothing of them", func(ctx context.Context) {
		w := newWorld(ctx)
		w.keep(ctx, "S3CRET \"ä\"\n")
		Expect(k8s.Create(ctx, &corev1.ConfigMap{ObjectMeta: w.meta("more"), Data: map[string]string{
			"hooks": `{"function": "enrich", "_scriptId": "@ftp", "configuration": {"ratio": 9007199254740993.10}}`}})).To(Succeed())
		object := w.synced(ctx, w.keyed("both", fromConfigMap("/hooks/preMap", "more", "hooks")))

		remote := w.remote(object.Status.ID)
		Expect(header(remote)).To(Equal(map[string]any{"name": "X-Key", "value": "S3CRET \"ä\"\n"}))
		Expect(remote["hooks"]).To(HaveKeyWithValue("preMap", Equal(map[string]any{
			"function": "enrich", "_scriptId": ftpConnection, "configuration": map[string]any{"ratio": json.Number("9007199254740993.10")}})))
		w.scans(2)
		Expect(w.calls()).To(Equal(map[string]int{post: 1}))
		Expect(object.Status.OwnedFields).To(ContainElements("/http/headers", "/hooks/preMap/_scriptId"))
		status, err := json.Marshal(object.Status)
		Expect(err).NotTo(HaveOccurred())
		Expect(string(status)).NotTo(Or(ContainSubstring("S3CRET"), ContainSubstring("enrich"), ContainSubstring("9007199254740993")))
	})

	It("writes a new content once, and removes what it no longer has", func(ctx context.Context) {
		w := newWorld(ctx)
		w.keep(ctx, "first")
		more := &corev1.ConfigMap{ObjectMeta: w.meta("more"), Data: map[string]string{"settings": `{"a": 1, "b": 2}`}}
		Expect(k8s.Create(ctx, more)).To(Succeed())
		object := w.synced(ctx, w.keyed("rotated", fromConfigMap("/settings", "more", "settings")))

		w.keep(ctx, "second")
		Eventually(func() map[string]any { return header(w.remote(object.Status.ID)) }).Should(HaveKeyWithValue("value", "second"))
		w.hashAfter(ctx, object, object.Status.DesiredHash)
		w.scans(2)
		Expect(w.calls()).To(Equal(map[string]int{post: 1, getOne: 1, put: 1}))

		change(ctx, more, func(more *corev1.ConfigMap) { more.Data["settings"] = `{"a": 1}` })
		Eventually(func() any { return w.remote(object.Status.ID)["settings"] }).Should(Equal(map[string]any{"a": json.Number("1")}))
		w.scans(2)
		Expect(w.calls()).To(Equal(map[string]int{post: 1, getOne: 2, put: 2}))
		Expect(w.events(ctx, "rotated")).NotTo(ContainElement(HavePrefix("Drift")))
	})

	It("costs one read when the Secret is only touched, and one write where the API masks the value", func(ctx context.Context) {
		w := newWorld(ctx)
		w.keep(ctx, "same")
		object := w.synced(ctx, w.keyed("touched"))
		w.touch(ctx, "key")
		w.hashAfter(ctx, object, object.Status.DesiredHash)
		w.scans(2)
		Expect(w.calls()).To(Equal(map[string]int{post: 1, getOne: 1}))

		object = w.synced(ctx, w.keyed("masked", fromSecret("/encrypted/apiKey", "key", "key")))
		Expect(w.calls()).To(Equal(map[string]int{post: 2, getOne: 1}))
		w.keep(ctx, "another")
		Eventually(func() any { return w.remote(object.Status.ID)["encrypted"] }).Should(Equal(map[string]any{"apiKey": "another"}))
		w.hashAfter(ctx, object, object.Status.DesiredHash)
		w.eventuallyReady(ctx, &v1alpha1.Import{}, "touched")
		Eventually(func() map[string]int { return w.writes() }).Should(Equal(map[string]int{post: 2, put: 2}))
		w.touch(ctx, "key")
		Eventually(func() map[string]int { return w.calls() }).Should(Equal(map[string]int{post: 2, getOne: 5, put: 3}))
		w.scans(2)
		Expect(w.calls()).To(Equal(map[string]int{post: 2, getOne: 5, put: 3}))
	})

	It("leaves reported drift alone when the Secret is only touched", func(ctx context.Context) {
		w := newWorld(ctx)
		w.keep(ctx, "first")
		object := w.keyed("reported")
		object.Spec.DriftPolicy = v1alpha1.DriftPolicyReport
		object.Spec.Definition.Raw = overlaid(string(object.Spec.Definition.Raw), `{"description": "declared"}`)
		w.synced(ctx, object)
		Expect(sim.EditAs(jane, w.account, object.Status.ID, func(document simulator.Document) { document["description"] = "by hand" })).To(Succeed())
		drifted := []v1alpha1.Difference{{Path: "/description", Declared: `"declared"`, Remote: `"by hand"`}}
		Eventually(func() []v1alpha1.Difference { return get(ctx, w, object, "reported").Status.Drift }).Should(Equal(drifted))

		w.touch(ctx, "key")
		w.hashAfter(ctx, object, object.Status.DesiredHash)
		Expect(object.Status.Drift).To(Equal(drifted))
		Expect(w.calls()).To(Equal(map[string]int{post: 1, getOne: 2, audit: 1}))

		w.keep(ctx, "second")
		w.hashAfter(ctx, object, object.Status.DesiredHash)
		Expect(header(w.remote(object.Status.ID))).To(HaveKeyWithValue("value", "second"))
		Expect(w.writes()).To(Equal(map[string]int{post: 1, put: 1}))
	})

	It("waits for a Secret and its key, at first and when they go", func(ctx context.Context) {
		w := newWorld(ctx)
		object := w.keyed("waiting")
		Expect(k8s.Create(ctx, object)).To(Succeed())
		w.eventually(ctx, object, "waiting", "InProgress False/ValueNotFound")
		Expect(message(object)).To(Equal(fmt.Sprintf(`waiting for key "key" of Secret "key", which is not in namespace %q`, w.namespace)))
		secret := &corev1.Secret{ObjectMeta: w.meta("key"), Data: map[string][]byte{"other": []byte("x")}}
		Expect(k8s.Create(ctx, secret)).To(Succeed())
		Expect(w.calls()).To(BeEmpty())
		w.keyIs(ctx, secret, "here")
		w.eventuallyReady(ctx, object, "waiting")
		Expect(w.calls()).To(Equal(map[string]int{post: 1}))

		Expect(k8s.Delete(ctx, secret)).To(Succeed())
		w.eventually(ctx, object, "waiting", "InProgress False/ValueNotFound")
		w.keep(ctx, "here")
		w.eventuallyReady(ctx, object, "waiting")
		w.scans(2)
		Expect(w.calls()).To(Equal(map[string]int{post: 1, getOne: 1}))
	})

	It("sends no byte order mark, and warns once of a line break at the end until I say what I want", func(ctx context.Context) {
		w := newWorld(ctx)
		w.keep(ctx, "\ufeffS3CRET\r\n")
		object := w.synced(ctx, w.keyed("ended"))
		Expect(header(w.remote(object.Status.ID))).To(HaveKeyWithValue("value", "S3CRET\r\n"))
		// How often each warning was given: the same one again only counts the event.
		warned := func() map[string]int32 {
			var list eventsv1.EventList
			Expect(k8s.List(ctx, &list, client.InNamespace(w.namespace))).To(Succeed())
			counts := map[string]int32{}
			for _, event := range list.Items {
				if event.Reason == v1alpha1.ReasonTrailingLineBreak {
					counts[event.Reason+": "+event.Note] += max(1, ptr.Deref(event.Series, eventsv1.EventSeries{}).Count)
				}
			}
			return counts
		}
		says := "TrailingLineBreak: spec.valuesFrom, path " + keyPath + `: the value of key "key" of Secret "key" ends in a line break, which is sent; set trimSpace to true to remove it, or to false to keep it`
		Eventually(warned).Should(Equal(map[string]int32{says: 1}))

		change(ctx, object, func(object *v1alpha1.Import) {
			object.Spec.Definition.Raw = overlaid(string(object.Spec.Definition.Raw), `{"description": "changed"}`)
		})
		w.eventuallyReady(ctx, object, "ended")
		change(ctx, object, func(object *v1alpha1.Import) { object.Spec.ValuesFrom[0].TrimSpace = ptr.To(false) })
		w.eventuallyReady(ctx, object, "ended")
		Expect(header(w.remote(object.Status.ID))).To(HaveKeyWithValue("value", "S3CRET\r\n"))
		change(ctx, object, func(object *v1alpha1.Import) { object.Spec.ValuesFrom[0].TrimSpace = ptr.To(true) })
		w.eventuallyReady(ctx, object, "ended")
		Expect(header(w.remote(object.Status.ID))).To(HaveKeyWithValue("value", "S3CRET"))
		Expect(w.writes()).To(Equal(map[string]int{post: 1, put: 2}))
		Expect(warned()).To(Equal(map[string]int32{says: 1}), "not again for the same version")

		By("warning again of another version")
		w.keep(ctx, "0THER\n")
		change(ctx, object, func(object *v1alpha1.Import) { object.Spec.ValuesFrom[0].TrimSpace = nil })
		Eventually(func() int32 { return warned()[says] }).Should(BeNumerically("==", 2))
	})

	DescribeTable("says which value cannot be used, and not what it is",
		func(ctx context.Context, path, content, want string) {
			w := newWorld(ctx)
			Expect(k8s.Create(ctx, &corev1.ConfigMap{ObjectMeta: w.meta("more"), Data: map[string]string{"json": content}})).To(Succeed())
			w.keep(ctx, "S3CRET")
			object := w.keyed("bad", fromConfigMap(path, "more", "json"))
			Expect(k8s.Create(ctx, object)).To(Succeed())
			reason, says, _ := strings.Cut(want, ": ")
			w.eventually(ctx, object, "bad", "Failed False/"+reason)
			Expect(message(object)).To(Equal(says))
			Expect(w.calls()).To(BeEmpty())

			change(ctx, object, func(object *v1alpha1.Import) { object.Spec.ValuesFrom = object.Spec.ValuesFrom[:1] })
			w.eventuallyReady(ctx, object, "bad")
			Expect(w.calls()).To(Equal(map[string]int{post: 1}))
		},
		Entry("that is no JSON", "/settings", `{"canary": canary`,
			`InvalidValue: spec.valuesFrom, path /settings: key "json" of ConfigMap "more" is not JSON: syntax error at line 1, column 12; correct it there`),
		Entry("that is in UTF-16", "/settings", "[\x00]\x00",
			`InvalidValue: spec.valuesFrom, path /settings: key "json" of ConfigMap "more" is in UTF-16, as some programs of Windows write text: save it as UTF-8; correct it there`),
		Entry("whose path leads through a text", "/http/relativeURI/0/x", `1`,
			`InvalidValue: spec.valuesFrom, path /http/relativeURI/0/x does not fit the definition: /http/relativeURI/0 is neither an object nor an array; correct the path or the definition`),
		Entry("whose path leads behind an array", "/http/headers/1/value", `1`,
			`InvalidValue: spec.valuesFrom, path /http/headers/1/value does not fit the definition: /http/headers is an array of 1 elements, and "1" is not the index of one of them; correct the path or the definition`),
		Entry("that the server sets", "/apim", `[]`,
			`InvalidDefinition: spec.valuesFrom, path /apim: the server sets apim itself; remove it from spec.valuesFrom`),
		Entry("with an unknown alias", "/hooks/preMap", `{"_scriptId": "@canary"}`,
			`UnknownAlias: definition/hooks/preMap/_scriptId: the value from spec.valuesFrom is an alias that Account "default" does not have in spec.aliases; it has ftp, shop`),
	)
})

// keyIs sets key of the Secret.
func (w *world) keyIs(ctx context.Context, secret *corev1.Secret, content string) {
	GinkgoHelper()
	change(ctx, secret, func(secret *corev1.Secret) { secret.Data["key"] = []byte(content) })
}

var _ = Describe("I delete an import whose Secret was deleted", func() {
	It("deletes the remote one", func(ctx context.Context) {
		w := newWorld(ctx)
		w.keep(ctx, "S3CRET")
		object := w.synced(ctx, w.keyed("without"))
		Expect(k8s.Delete(ctx, get(ctx, w, &corev1.Secret{}, "key"))).To(Succeed())
		w.eventually(ctx, object, "without", "InProgress False/ValueNotFound")
		Expect(k8s.Delete(ctx, object)).To(Succeed())
		w.eventuallyGone(ctx, object)
		Expect(w.calls()).To(Equal(map[string]int{post: 1, getOne: 1, dependants: 1, remove: 1}))
	})

	It("searches for the one of a creation whose answer was lost, however damaged its intent is", func(ctx context.Context) {
		w := newWorld(ctx)
		object := w.keyed("lost")
		object.Finalizers = []string{v1alpha1.Finalizer}
		object.Annotations = map[string]string{v1alpha1.AnnotationCreatePending: "{"}
		Expect(k8s.Create(ctx, object)).To(Succeed())
		w.eventually(ctx, object, "lost", "InProgress False/ValueNotFound")
		id := w.seed("lost", `{"externalId": "k8s/`+string(object.UID)+`"}`)
		Expect(k8s.Delete(ctx, object)).To(Succeed())
		w.eventuallyGone(ctx, object)
		Expect(w.writes()).To(Equal(map[string]int{remove: 1}))
		_, there := sim.Import(w.account, id)
		Expect(there).To(BeFalse())
	})

	It("ends with the namespace", func(ctx context.Context) {
		startNamespaceController()
		w := newWorld(ctx)
		w.keep(ctx, "S3CRET")
		object := w.synced(ctx, w.keyed("ending"))
		flow := w.flow(1, object.Status.ID)
		Expect(k8s.Delete(ctx, w.namespaceObject())).To(Succeed())
		Eventually(func() bool {
			return apierrors.IsNotFound(k8s.Get(ctx, client.ObjectKey{Namespace: w.namespace, Name: "key"}, &corev1.Secret{}))
		}).Should(BeTrue())
		w.eventually(ctx, object, "ending", "Terminating False/DeletionBlocked")
		Expect(sim.RemoveFlow(w.account, flow.ID)).To(Succeed())
		w.eventuallyGone(ctx, w.namespaceObject())
		Expect(w.writes()).To(Equal(map[string]int{post: 1, remove: 1}))
	})
})

var _ = Describe("A value that I keep secret", func() {
	hidden := func(path string) []v1alpha1.Difference {
		return []v1alpha1.Difference{{Path: path, Declared: "(redacted)", Remote: "(redacted)"}}
	}
	// by has jane change the header.
	by := func(w *world, object *v1alpha1.Import, value string) {
		GinkgoHelper()
		Expect(sim.EditAs(jane, w.account, object.Status.ID, func(document simulator.Document) { header(document)["value"] = value })).To(Succeed())
	}

	It("is redacted when it is put back", func(ctx context.Context) {
		w := newWorld(ctx)
		w.keep(ctx, "S3CRET")
		object := w.synced(ctx, w.keyed("corrected"))
		by(w, object, "TH3IRS")
		Eventually(func() map[string]any { return header(w.remote(object.Status.ID)) }).Should(HaveKeyWithValue("value", "S3CRET"))
		Eventually(func() []string { return w.events(ctx, "corrected") }).Should(ContainElements(
			"DriftDetected: the remote import was changed by jane@example.com (ui): "+keyPath+" (declared (redacted), remote (redacted))",
			"DriftCorrected: restored what is declared: "+keyPath+" (declared (redacted), remote (redacted))",
		))
		w.scans(2)
		Expect(w.calls()).To(Equal(map[string]int{post: 1, getOne: 1, audit: 1, put: 1}))
	})

	It("is redacted when it is reported, also where its array has another length", func(ctx context.Context) {
		w := newWorld(ctx)
		w.keep(ctx, "S3CRET")
		object := w.keyed("reported")
		object.Spec.DriftPolicy = v1alpha1.DriftPolicyReport
		w.synced(ctx, object)
		by(w, object, "TH3IRS")
		Eventually(func() []v1alpha1.Difference { return get(ctx, w, object, "reported").Status.Drift }).Should(Equal(hidden(keyPath)))
		Expect(conditionsOf(object)).To(ContainElement(And(HaveField("Type", "Drifted"), HaveField("Message", HaveSuffix(keyPath+" (declared (redacted), remote (redacted))")))))
		digest := object.Status.DifferencesHash
		by(w, object, "0THER")
		modified := w.remote(object.Status.ID)["lastModified"]
		Eventually(func() string { return get(ctx, w, object, "reported").Status.LastModified }).Should(Equal(modified))
		Expect(object.Status.DifferencesHash).NotTo(Equal(digest), "another change of what is not shown is reported as well")

		Expect(sim.EditAs(jane, w.account, object.Status.ID, func(document simulator.Document) {
			block := document["http"].(map[string]any)
			block["headers"] = append([]any{map[string]any{"name": "X-First", "value": "x"}}, block["headers"].([]any)...)
		})).To(Succeed())
		Eventually(func() []v1alpha1.Difference { return get(ctx, w, object, "reported").Status.Drift }).Should(Equal(hidden("/http/headers")))
		Expect(w.writes()).To(Equal(map[string]int{post: 1}))
	})

	It("is redacted when the API does not take it", func(ctx context.Context) {
		w := newWorld(ctx)
		lowerCase("file.fileName")
		w.keep(ctx, "S3CRET")
		object := w.httpImport("loud", `{"file": {"fileName": "to come"}, "http": {"type": "file", "method": ["POST"], "relativeURI": ["/"], "body": [null]}}`)
		object.Spec.ValuesFrom = []v1alpha1.ValueSource{fromSecret("/file/fileName", "key", "key")}
		Expect(k8s.Create(ctx, object)).To(Succeed())
		w.eventually(ctx, object, "loud", "Failed False/NotAccepted")
		Expect(object.Status.NotAccepted).To(Equal(hidden("/file/fileName")))
		Expect(message(object)).To(ContainSubstring(`/file/fileName (declared (redacted), remote (redacted); from key "key" of Secret "key")`))
		w.scans(2)
		Expect(w.calls()).To(Equal(map[string]int{post: 1}))

		By("putting it back once when somebody changes it, although that is not shown")
		Expect(sim.EditAs(jane, w.account, object.Status.ID, func(document simulator.Document) {
			document["file"].(map[string]any)["fileName"] = "by hand"
		})).To(Succeed())
		Eventually(w.writes).Should(Equal(map[string]int{post: 1, put: 1}))
		Eventually(func() simulator.Document { return w.remote(object.Status.ID) }).Should(HaveKeyWithValue("file", HaveKeyWithValue("fileName", "s3cret")))
		w.scans(2)
		Expect(w.writes()).To(Equal(map[string]int{post: 1, put: 1}))

		w.keep(ctx, "s3cret")
		w.eventuallyReady(ctx, object, "loud")
		Expect(w.writes()).To(Equal(map[string]int{post: 1, put: 1}))
	})

	It("is redacted in a plan", func(ctx context.Context) {
		w := newWorld(ctx)
		w.keep(ctx, "S3CRET")
		object := w.synced(ctx, w.keyed("planned"))
		change(ctx, object, func(object *v1alpha1.Import) { object.Annotations[v1alpha1.AnnotationDryRun] = "true" })
		Eventually(func() *v1alpha1.ImportPlan { return get(ctx, w, object, "planned").Status.Plan }).ShouldNot(BeNil())
		w.keep(ctx, "N3W")
		Eventually(func() *v1alpha1.ImportPlan { return get(ctx, w, object, "planned").Status.Plan }).Should(Equal(&v1alpha1.ImportPlan{
			Calls: []string{put}, Differences: hidden(keyPath)}))
		Expect(w.writes()).To(Equal(map[string]int{post: 1}))
	})

	It("is redacted when an adoption does not match", func(ctx context.Context) {
		w := newWorld(ctx)
		w.keep(ctx, "S3CRET")
		id := w.seed("adopted", `{"http": {"method": ["POST"], "relativeURI": ["/items"], "body": [null], "batchSize": 10, "headers": [{"name": "X-Key", "value": "TH3IRS"}]}}`)
		object := adopting(w.keyed("adopted"), v1alpha1.AdoptSpec{ID: v1alpha1.ID(id)})
		Expect(k8s.Create(ctx, object)).To(Succeed())
		w.eventually(ctx, object, "adopted", "Failed False/AdoptionMismatch")
		Expect(object.Status.Drift).To(Equal(hidden(keyPath)))
		Expect(message(object)).To(ContainSubstring(keyPath + " (declared (redacted), remote (redacted))"))

		w.keep(ctx, "TH3IRS")
		w.eventuallyReady(ctx, object, "adopted")
		Expect(w.writes()).To(BeEmpty())
	})

	DescribeTable("is not repeated in the API's words",
		func(ctx context.Context, action simulator.Action, want, says string) {
			w := newWorld(ctx)
			w.keep(ctx, "S3CRET")
			rule, err := sim.AddRule(simulator.Rule{Account: w.account, Method: http.MethodPost, Route: "/v1/imports", Phase: simulator.PhaseBefore, Action: action})
			Expect(err).NotTo(HaveOccurred())
			object := w.keyed("refused")
			Expect(k8s.Create(ctx, object)).To(Succeed())
			Eventually(func() string { return state(get(ctx, w, object, "refused")) }).Should(Equal(want))
			Expect(message(object)).To(And(ContainSubstring(says), Not(ContainSubstring("S3CRET"))))
			Expect(sim.RemoveRule(rule)).To(Succeed())
			w.keep(ctx, "S3CRET2")
			w.eventuallyReady(ctx, object, "refused")
			Expect(sim.Imports(w.account)).To(HaveLen(1))
		},
		Entry("422", simulator.Action{Kind: simulator.ActionAnswer, Status: 422, Body: `{"errors":[{"code":"invalid_field","field":"http.headers","message":"Cast failed for value S3CRET"},{"code":"S3CRET is bad","field":"the S3CRET","message":"S3CRET"}]}`},
			"Failed False/Rejected", "(422: field http.headers: (not shown: it could repeat a Secret's content) [invalid_field]; (not shown: it could repeat a Secret's content))"),
		Entry("400", simulator.Action{Kind: simulator.ActionAnswer, Status: 400, Body: `{"message":"S3CRET"}`}, "Failed False/Rejected", "(400: (not shown: it could repeat a Secret's content))"),
		Entry("500", simulator.Action{Kind: simulator.ActionAnswer, Status: 500, Body: `{"errors":[{"code":"e","message":"S3CRET"}]}`}, "InProgress False/CreateUnconfirmed", "the API answered the creation with 500"),
	)

	It("is not repeated in the words of a list that fails", func(ctx context.Context) {
		w := newEmptyWorld(ctx)
		lists := func() int { return len(sim.Ledger(simulator.Filter{Account: w.account, Route: "/v1/imports"})) }
		Expect(k8s.Create(ctx, w.secret("token", w.token))).To(Succeed())
		account := w.accountObject("default")
		account.Spec.ScanInterval = "1h"
		Expect(k8s.Create(ctx, account)).To(Succeed())
		w.eventuallyReady(ctx, account, "default")
		Eventually(lists).Should(Equal(1), "the one scan of this hour")
		rule, err := sim.AddRule(simulator.Rule{Account: w.account, Method: http.MethodGet, Route: "/v1/imports", Phase: simulator.PhaseBefore,
			Action: simulator.Action{Kind: simulator.ActionAnswer, Status: 500, Body: `{"errors":[{"code":"e","message":"S3CRET"}]}`}})
		Expect(err).NotTo(HaveOccurred())
		w.keep(ctx, "S3CRET")
		object := adopting(w.keyed("listed"), v1alpha1.AdoptSpec{ExternalID: "nobody's"})
		Expect(k8s.Create(ctx, object)).To(Succeed())
		w.eventually(ctx, object, "listed", "InProgress False/ServerError")
		Expect(message(object)).To(Equal("cannot reach the import: the API failed (500: (not shown: it could repeat a Secret's content) [e]); it will be retried"))
		Expect(sim.RemoveRule(rule)).To(Succeed())
		w.eventually(ctx, object, "listed", "Failed False/AdoptionNotFound")
	})

	It("stays out of what a run shows", func(ctx context.Context) {
		w := newWorld(ctx)
		w.keep(ctx, "S3CRET")
		target := w.synced(ctx, w.keyed("target"))
		run := w.run("failing", "target", record("A-1", `"_simulate": {"statusCode": 401, "code": "unauthorized", "message": "S3CRET is no key"}`))
		Expect(k8s.Create(ctx, run)).To(Succeed())
		w.done(ctx, run, v1alpha1.RunFailed)
		Expect(run.Status.Failures).To(Equal([]v1alpha1.RecordFailure{{Index: 0, StatusCode: 401, Code: "unauthorized", Message: "(not shown: it could repeat a Secret's content)"}}))

		run = w.runByID("by-id", target.Status.ID, record("A-1", `"_simulate": {"statusCode": 401, "code": "unauthorized", "message": "S3CRET is no key"}`))
		Expect(k8s.Create(ctx, run)).To(Succeed())
		w.done(ctx, run, v1alpha1.RunFailed)
		Expect(run.Status.Failures).To(HaveExactElements(HaveField("Message", "(not shown: it could repeat a Secret's content)")), "nor by its id")

		w.strike(http.MethodPost, "/v1/imports/{id}/invoke", simulator.PhaseBefore, simulator.Action{Kind: simulator.ActionAnswer, Status: 422, Body: `{"errors":[{"code":"bad","message":"S3CRET"}]}`})
		run = w.run("refused", "target", record("A-1"))
		Expect(k8s.Create(ctx, run)).To(Succeed())
		w.done(ctx, run, v1alpha1.RunFailed)
		Expect(message(run)).To(And(ContainSubstring("[bad]"), Not(ContainSubstring("S3CRET"))))
	})
})
