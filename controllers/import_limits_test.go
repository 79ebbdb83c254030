// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/simulator"
)

// refusals has the API server refuse the status of Imports, as long as a story wants it.
type refusals struct {
	mu sync.Mutex
	// refuses are by namespace, and see the patch.
	refuses map[string]func(patch string) bool
}

var statusRefusals = &refusals{refuses: map[string]func(string) bool{}}

// answer refuses a patch as the API server does for an object that etcd has no room for.
func (r *refusals) answer(next http.RoundTripper) http.RoundTripper {
	return sender(func(request *http.Request) (*http.Response, error) {
		path, _ := strings.CutPrefix(request.URL.Path, "/apis/"+v1alpha1.GroupVersion.String()+"/namespaces/")
		namespace, rest, _ := strings.Cut(path, "/imports/")
		if request.Method != http.MethodPatch || !strings.HasSuffix(rest, "/status") {
			return next.RoundTrip(request)
		}
		patch, err := io.ReadAll(request.Body)
		if err != nil {
			return nil, err
		}
		r.mu.Lock()
		refuses := r.refuses[namespace]
		r.mu.Unlock()
		if refuses != nil && refuses(string(patch)) {
			return &http.Response{StatusCode: http.StatusInternalServerError, Header: http.Header{"Content-Type": {"application/json"}}, Request: request,
				Body: io.NopCloser(strings.NewReader(`{"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 500, "message": "etcdserver: request is too large"}`))}, nil
		}
		request.Body = io.NopCloser(bytes.NewReader(patch))
		return next.RoundTrip(request)
	})
}

// refuseStatus has patches refused that are so, until it is called with nil.
func (w *world) refuseStatus(so func(patch string) bool) {
	statusRefusals.mu.Lock()
	defer statusRefusals.mu.Unlock()
	statusRefusals.refuses[w.namespace] = so
}

// manyFields is a JSON object with n fields k00000, k00001, …, and more fields laid over them.
func manyFields(n int, more map[string]any) string {
	GinkgoHelper()
	fields := map[string]any{}
	for i := range n {
		fields[fmt.Sprintf("k%05d", i)] = i
	}
	for key, value := range more {
		fields[key] = value
	}
	text, err := json.Marshal(fields)
	Expect(err).NotTo(HaveOccurred())
	return string(text)
}

// statusSize is how many bytes the status takes in the API server.
func statusSize(object *v1alpha1.Import) int {
	GinkgoHelper()
	text, err := json.Marshal(object.Status)
	Expect(err).NotTo(HaveOccurred())
	return len(text)
}

var _ = Describe("I declare an import with very many fields", func() {
	It("is Ready, however long their paths are", func(ctx context.Context) {
		w := newWorld(ctx)
		object := w.synced(ctx, w.httpImport("wide", fmt.Sprintf(`{"settings": {%q: %s}}`, strings.Repeat("d", 385), manyFields(4000, nil))))
		Expect(object.Status.ID).NotTo(BeEmpty())
		Expect(object.Status.UntrackedFields).To(BeZero())
		Expect(statusSize(object)).To(BeNumerically("<", 128<<10))
		w.scans(1)
		Expect(w.calls()).To(Equal(map[string]int{post: 1}))
	})

	It("removes the field that I remove, and keeps the one that somebody added", func(ctx context.Context) {
		w := newWorld(ctx)
		object := w.synced(ctx, w.httpImport("many", `{"settings": `+manyFields(5000, map[string]any{"removed": "mine"})+`}`))
		id := object.Status.ID
		Expect(object.Status.OwnedFields).To(ContainElement("/name"))
		Expect(object.Status.OwnedFields).NotTo(ContainElement("/settings/removed"))
		Expect(object.Status.OwnedFieldHashes).NotTo(BeEmpty())
		Expect(sim.EditAs(jane, w.account, id, func(document simulator.Document) {
			document["settings"].(map[string]any)["theirs"] = "hers"
		})).To(Succeed())
		change(ctx, object, func(object *v1alpha1.Import) {
			object.Spec.Definition.Raw = overlaid(string(object.Spec.Definition.Raw), `{"settings": `+manyFields(5000, nil)+`}`)
		})
		w.eventuallyReady(ctx, object, "many")
		Expect(w.remote(id)).To(HaveKeyWithValue("settings", And(HaveLen(5001), HaveKeyWithValue("theirs", "hers"), HaveKey("k04999"))))
		Expect(w.calls()).To(HaveKeyWithValue(put, 1))
	})
})

var _ = Describe("The API server has no room for the status", func() {
	refused := HavePrefix("StatusRefused: the API server refuses to write the status of the Import: etcdserver: request is too large; make the definition smaller")

	It("is written without what can be missing, and I read why", func(ctx context.Context) {
		w := newWorld(ctx)
		w.refuseStatus(func(patch string) bool { return strings.Contains(patch, "/http/body") })
		object := w.synced(ctx, w.httpImport("tight"))
		Expect(object.Status.ID).NotTo(BeEmpty())
		Expect(object.Status.Management).To(Equal(v1alpha1.ManagementStateManaged))
		Expect(object.Status.OwnedFields).To(Equal([]string{"/externalId", "/name"}))
		Expect(object.Status.UntrackedFields).To(BeEquivalentTo(6))
		Eventually(func() []string { return w.events(ctx, "tight") }).Should(ContainElements(And(refused, HaveSuffix("fields that are no longer declared stay on the platform")), HavePrefix("Created: ")))
		w.scans(1)
		Expect(w.calls()).To(Equal(map[string]int{post: 1}))

		w.refuseStatus(nil)
		change(ctx, object, func(object *v1alpha1.Import) {
			object.Spec.Definition.Raw = overlaid(string(object.Spec.Definition.Raw), `{"description": "new"}`)
		})
		w.eventuallyReady(ctx, object, "tight")
		Expect(object.Status.UntrackedFields).To(BeZero())
		Expect(object.Status.OwnedFields).To(HaveLen(9))
	})

	It("creates it once while not even the first status can be written", func(ctx context.Context) {
		w := newWorld(ctx)
		w.refuseStatus(func(string) bool { return true })
		object := w.httpImport("first")
		Expect(k8s.Create(ctx, object)).To(Succeed())
		Eventually(func() []string { return w.events(ctx, "first") }).Should(ConsistOf(HavePrefix("Created: "), And(refused, HaveSuffix("; it will be retried"))))
		Expect(w.writes()).To(Equal(map[string]int{post: 1}))
		w.refuseStatus(nil)
		change(ctx, object, func(object *v1alpha1.Import) { object.Spec.DriftPolicy = v1alpha1.DriftPolicyReport })
		w.eventuallyReady(ctx, object, "first")
		Expect(w.writes()).To(Equal(map[string]int{post: 1}))
	})

	It("is reported, retried later, and costs no call to the platform", func(ctx context.Context) {
		w := newWorld(ctx)
		w.refuseStatus(func(patch string) bool { return strings.Contains(patch, `"id"`) })
		writes := func() int { return len(requests.about("PATCH namespaces/" + w.namespace + "/imports/full/status")) }
		object := w.httpImport("full")
		Expect(k8s.Create(ctx, object)).To(Succeed())
		Eventually(func() []string { return w.events(ctx, "full") }).Should(ContainElements(And(refused, HaveSuffix("; it will be retried")), HavePrefix("Created: ")))
		Expect(get(ctx, w, object, "full").Status.ID).To(BeEmpty())
		w.refuseStatus(nil)
		w.eventuallyReady(ctx, object, "full")
		Expect(object.Status.ID).NotTo(BeEmpty())
		Expect(w.calls()).To(Equal(map[string]int{post: 1}))
		Expect(writes()).To(BeNumerically("<=", 8))
		Expect(slices.DeleteFunc(w.events(ctx, "full"), func(note string) bool { return !strings.HasPrefix(note, "StatusRefused: ") })).To(HaveLen(1))
		told := slices.DeleteFunc(strings.Split(logged.String(), "\n"), func(line string) bool {
			return !strings.Contains(line, "refuses a write to the Import") || !strings.Contains(line, w.namespace)
		})
		Expect(told).To(HaveLen(1), "it is logged once")
	})
})
