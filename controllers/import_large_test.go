// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/simulator"
)

// largeFields are so many bytes of a definition, and so long paths, that the cache keeps neither.
func largeFields(more string) string {
	return fmt.Sprintf(`{"description": "declared", "settings": %s, "sampleData": %q}`, manyFields(300, nil), strings.Repeat("text ", 4000)+more)
}

// specOf is the spec that the API server has, byte for byte as it answers it.
func specOf(ctx context.Context, object *v1alpha1.Import) any {
	GinkgoHelper()
	stored := &unstructured.Unstructured{}
	stored.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("Import"))
	Expect(k8s.Get(ctx, client.ObjectKeyFromObject(object), stored)).To(Succeed())
	return stored.Object["spec"]
}

// readsOf are the reads of an Import by the operator, past its cache.
func (w *world) readsOf(name string) int {
	return len(requests.about(http.MethodGet + " namespaces/" + w.namespace + "/imports/" + name))
}

var _ = Describe("My import is larger than what the operator keeps in memory", func() {
	It("is created, corrected, suspended, changed and deleted, and its spec stays mine", func(ctx context.Context) {
		w := newWorld(ctx)
		object := w.synced(ctx, w.httpImport("large", largeFields("")))
		id, spec := object.Status.ID, specOf(ctx, object)
		unchanged := func() {
			GinkgoHelper()
			Expect(specOf(ctx, object)).To(Equal(spec))
		}
		unchanged()
		Expect(object.Status.OwnedFields).To(ContainElement("/settings/k00299"))
		edit := func(value string) {
			GinkgoHelper()
			Expect(sim.EditAs(jane, w.account, id, func(document simulator.Document) { document["description"] = value })).To(Succeed())
		}

		By("correcting what somebody changed on the platform")
		edit("by hand")
		Eventually(func() simulator.Document { return w.remote(id) }).Should(HaveKeyWithValue("description", "declared"))
		Eventually(func() []string { return w.events(ctx, "large") }).Should(ContainElement(HavePrefix("DriftCorrected: ")))
		unchanged()

		By("only reporting it, and bringing it back later")
		change(ctx, object, func(object *v1alpha1.Import) { object.Spec.DriftPolicy = v1alpha1.DriftPolicyReport })
		w.eventuallyReady(ctx, object, "large")
		spec = specOf(ctx, object)
		edit("by hand again")
		Eventually(func() []v1alpha1.Difference { return get(ctx, w, object, "large").Status.Drift }).Should(HaveLen(1))
		Expect(object.Status.OwnedFields).To(ContainElement("/settings/k00299"))
		unchanged()

		By("suspending it, and going on")
		change(ctx, object, func(object *v1alpha1.Import) { object.Spec.Suspend = true })
		w.eventually(ctx, object, "large", "Current True/Suspended")
		Expect(object.Status.OwnedFields).To(ContainElement("/settings/k00299"))
		change(ctx, object, func(object *v1alpha1.Import) { object.Spec.Suspend, object.Spec.DriftPolicy = false, "" })
		Eventually(func() simulator.Document { return w.remote(id) }).Should(HaveKeyWithValue("description", "declared"))
		w.eventuallyReady(ctx, object, "large")

		By("changing it, and taking a field away")
		change(ctx, object, func(object *v1alpha1.Import) {
			object.Spec.Definition.Raw = overlaid(string(w.httpImport("large").Spec.Definition.Raw), largeFields("more"), `{"settings": `+manyFields(299, nil)+`}`)
		})
		w.eventuallyReady(ctx, object, "large")
		spec = specOf(ctx, object)
		Expect(w.remote(id)).To(And(HaveKeyWithValue("sampleData", HaveSuffix("more")), HaveKeyWithValue("settings", And(HaveLen(299), Not(HaveKey("k00299"))))))
		w.scans(1)
		unchanged()

		By("deleting it")
		Expect(k8s.Delete(ctx, object)).To(Succeed())
		w.eventuallyGone(ctx, object)
		Expect(sim.Imports(w.account)).To(BeEmpty())
		Expect(w.calls()).To(HaveKeyWithValue(post, 1))
	})

	It("is adopted, and costs nothing while nothing changes, also when the operator is started again", func(ctx context.Context) {
		w := newWorld(ctx)
		id := w.seed("large", largeFields(""))
		object := w.synced(ctx, adopting(w.httpImport("large", largeFields("")), v1alpha1.AdoptSpec{ID: v1alpha1.ID(id)}))
		Expect(object.Status.ID).To(Equal(id))
		w.scans(1)
		version, generation, spec := get(ctx, w, object, "large").ResourceVersion, object.Generation, specOf(ctx, object)

		By("asking the operator to look again")
		before := w.readsOf("large")
		account := get(ctx, w, &v1alpha1.Account{}, "default")
		change(ctx, account, func(account *v1alpha1.Account) { account.Spec.ForeignValues = v1alpha1.ForeignValuesShown })
		w.scans(2)
		Expect(w.readsOf("large")).To(Equal(before), "what was compared is known without its definition")

		restarted(func() { before = w.readsOf("large") })
		w.scans(2)
		Expect(w.readsOf("large")-before).To(BeZero(), "the status says that it was compared")
		Expect(get(ctx, w, object, "large").ResourceVersion).To(Equal(version), "nothing was written to it")
		Expect(object.Generation).To(Equal(generation))
		Expect(specOf(ctx, object)).To(Equal(spec))
		Expect(w.writes()).To(BeEmpty())
	})
})
