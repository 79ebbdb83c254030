// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gstruct"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
)

// answering is a run of one record for each answer, in batches of one.
func (w *world) answering(name string, answers ...string) *v1alpha1.ImportRun {
	run := w.run(name, "orders")
	run.Spec.BatchSize, run.Spec.ResponseSecretName = ptr.To[int32](1), "answers"
	for i, answer := range answers {
		run.Spec.Data = append(run.Spec.Data, v1alpha1.JSON{Raw: fmt.Appendf(nil, `{"n": %d, "_simulate": {"json": {"text": %q}}}`, i, answer)})
	}
	return run
}

// noise is text that does not get smaller by compression.
func noise(n int) string {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"
	source := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // the same noise each time
	text := make([]byte, n)
	for i := range text {
		text[i] = letters[source.IntN(len(letters))]
	}
	return string(text)
}

var _ = Describe("I want the full answers of a run", func() {
	It("finds them in a Secret of the run, a key for each batch, the large ones compressed", func(ctx context.Context) {
		w := newWorld(ctx)
		w.synced(ctx, w.httpImport("orders"))
		run := w.answering("full", "small", noise(100_000))
		Expect(k8s.Create(ctx, run)).To(Succeed())
		w.done(ctx, run, v1alpha1.RunSucceeded)
		Expect(run.Status.ResponseSecretName).To(Equal("answers"))

		secret := get(ctx, w, &corev1.Secret{}, "answers")
		Expect(metav1.IsControlledBy(secret, run)).To(BeTrue())
		Expect(secret.Data).To(gstruct.MatchAllKeys(gstruct.Keys{
			"batch-00001.json": ContainSubstring(`"text":"small"`), "batch-00002.json.gz": Not(BeEmpty()),
		}))
		reader, err := gzip.NewReader(bytes.NewReader(secret.Data["batch-00002.json.gz"]))
		Expect(err).NotTo(HaveOccurred())
		var results []struct {
			StatusCode int
			JSON       struct{ Text string } `json:"_json"`
		}
		Expect(json.NewDecoder(reader).Decode(&results)).To(Succeed())
		Expect(results[0].JSON.Text).To(Equal(noise(100_000)))
	})

	It("cuts what does not fit into a Secret, and says so", func(ctx context.Context) {
		w := newWorld(ctx)
		w.synced(ctx, w.httpImport("orders"))
		data := &corev1.ConfigMap{ObjectMeta: w.meta("records"), BinaryData: map[string][]byte{}}
		run := w.run("flood", "orders")
		run.Spec.BatchSize, run.Spec.ResponseSecretName = ptr.To[int32](1), "answers"
		// A record for each key: its noise goes into the answer, more than a Secret in all.
		for i := range 4 {
			key := fmt.Sprint(i)
			data.BinaryData[key] = zipped(fmt.Sprintf(`{"_simulate": {"json": %q}}`, noise(200_000)))
			run.Spec.DataFrom = append(run.Spec.DataFrom, v1alpha1.DataSource{ConfigMapKeyRef: &v1alpha1.KeyReference{Name: "records", Key: key}})
		}
		more := &corev1.ConfigMap{ObjectMeta: w.meta("more"), BinaryData: map[string][]byte{}}
		for i := range 4 {
			key := fmt.Sprint(i)
			more.BinaryData[key] = zipped(fmt.Sprintf(`{"_simulate": {"json": %q}}`, noise(400_000)[200_000:]))
			run.Spec.DataFrom = append(run.Spec.DataFrom, v1alpha1.DataSource{ConfigMapKeyRef: &v1alpha1.KeyReference{Name: "more", Key: key}})
		}
		Expect(k8s.Create(ctx, data)).To(Succeed())
		Expect(k8s.Create(ctx, more)).To(Succeed())
		Expect(k8s.Create(ctx, run)).To(Succeed())
		w.done(ctx, run, v1alpha1.RunSucceeded)
		Expect(run.Status.Progress).To(Equal("8/8"))

		secret := get(ctx, w, &corev1.Secret{}, "answers")
		size := 0
		for _, value := range secret.Data {
			size += len(value)
		}
		Expect(size).To(And(BeNumerically(">", 900_000), BeNumerically("<", 1<<20)))
		Expect(secret.Data).To(HaveKeyWithValue("note", MatchRegexp(
			`^A Secret holds 1 MiB\. The answer of batch 7 has 2\d{5} bytes, of which the first \d+ are here; those after it are left out\.\n$`)))
		Expect(secret.Data).To(And(HaveKey("batch-00006.json.gz"), HaveKey("batch-00007.json.cut"), Not(HaveKey(HavePrefix("batch-00008")))))
	})

	It("never writes a Secret that is not the run's, and then sends nothing", func(ctx context.Context) {
		w := newWorld(ctx)
		w.synced(ctx, w.httpImport("orders"))
		run := w.answering("greedy", "small")
		run.Spec.ResponseSecretName = "token"
		Expect(k8s.Create(ctx, run)).To(Succeed())
		w.done(ctx, run, v1alpha1.RunFailed)
		Expect(state(run)).To(Equal("Failed False/ResponseSecretConflict"))
		Expect(message(run)).To(Equal(`Secret "token" of responseSecretName exists and is not this run's: create another ImportRun that names another; nothing was written`))
		Expect(w.calls()).NotTo(HaveKey(invoke))
		Expect(get(ctx, w, &corev1.Secret{}, "token").Data).To(Equal(map[string][]byte{"token": []byte(w.token)}))
	})

	It("waits for the Secret of a run that was deleted to be collected", func(ctx context.Context) {
		w := newWorld(ctx)
		w.synced(ctx, w.httpImport("orders"))
		run := w.answering("first", "small")
		Expect(k8s.Create(ctx, run)).To(Succeed())
		w.done(ctx, run, v1alpha1.RunSucceeded)
		Expect(k8s.Delete(ctx, run)).To(Succeed())
		again := w.answering("first", "large")
		Eventually(func() error { return k8s.Create(ctx, again) }).Should(Succeed())
		w.eventually(ctx, again, "first", "InProgress False/Progressing")
		Expect(message(again)).To(Equal(`waiting for Secret "answers" of a former run to be deleted`))
		// There is no garbage collector here.
		Expect(k8s.Delete(ctx, get(ctx, w, &corev1.Secret{}, "answers"))).To(Succeed())
		w.done(ctx, again, v1alpha1.RunSucceeded)
		Expect(get(ctx, w, &corev1.Secret{}, "answers").Data).To(HaveKeyWithValue("batch-00001.json", ContainSubstring("large")))
	})

	It("finds the answer to a call that failed as a whole", func(ctx context.Context) {
		w := newWorld(ctx)
		w.synced(ctx, w.httpImport("orders"))
		run := w.answering("closed", "small")
		run.Spec.Settings = &v1alpha1.JSON{Raw: []byte(`{"_simulate": {"statusCode": 200, "errors": [{"code": "connection_offline", "message": "closed"}]}}`)}
		Expect(k8s.Create(ctx, run)).To(Succeed())
		w.done(ctx, run, v1alpha1.RunFailed)
		Expect(get(ctx, w, &corev1.Secret{}, "answers").Data).To(HaveKeyWithValue("batch-00001.json", ContainSubstring("connection_offline")))
	})

	It("keeps the answers of the batches before one that is lost", func(ctx context.Context) {
		w := newWorld(ctx)
		w.synced(ctx, w.httpImport("orders"))
		release := w.holdInvoke(2)
		defer release()
		run := w.answering("cut-off", "first", "second")
		run.Spec.ActiveDeadlineSeconds = seconds(3)
		Expect(k8s.Create(ctx, run)).To(Succeed())
		w.done(ctx, run, v1alpha1.RunUnknown)
		Expect(get(ctx, w, &corev1.Secret{}, "answers").Data).To(gstruct.MatchAllKeys(gstruct.Keys{
			"batch-00001.json": ContainSubstring(`"text":"first"`),
		}))
	})
})
