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
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/simulator"
)

// withKey is a run of two records with an idempotency key.
func (w *world) withKey(name, key string) *v1alpha1.ImportRun {
	run := w.batched(name, 2, 2)
	run.Spec.IdempotencyKey = key
	return run
}

// keyEntry is the one entry of the namespace's ledger of keys.
func (w *world) keyEntry(ctx context.Context) *corev1.ConfigMap {
	GinkgoHelper()
	var ledger corev1.ConfigMapList
	Expect(k8s.List(ctx, &ledger, client.InNamespace(w.namespace), client.HasLabels{"integrator.io/idempotency-key"})).To(Succeed())
	Expect(ledger.Items).To(HaveLen(1))
	return &ledger.Items[0]
}

// sendingWithKey is a run with the key "same" whose first call is kept waiting until it is released.
func (w *world) sendingWithKey(ctx context.Context) (run *v1alpha1.ImportRun, release func()) {
	GinkgoHelper()
	release = w.holdInvoke(1)
	run = w.withKey("first", "same")
	Expect(k8s.Create(ctx, run)).To(Succeed())
	Eventually(w.sizes).Should(Equal([]int{2}))
	return run, release
}

var _ = Describe("I give a run an idempotency key", func() {
	It("succeeds once, however often it is deleted and created again", func(ctx context.Context) {
		w := newWorld(ctx)
		target := w.synced(ctx, w.httpImport("orders"))
		run := w.withKey("march", "2026-03")
		Expect(k8s.Create(ctx, run)).To(Succeed())
		w.done(ctx, run, v1alpha1.RunSucceeded)
		Expect(run.Status.Records.Sent).To(Equal(int32(2)))
		for range 2 {
			Expect(k8s.Delete(ctx, run)).To(Succeed())
			run = w.withKey("march", "2026-03")
			Eventually(func() error { return k8s.Create(ctx, run) }).Should(Succeed())
			w.done(ctx, run, v1alpha1.RunSucceeded)
			Expect(state(run)).To(Equal("Current True/AlreadySucceeded"))
			Expect(message(run)).To(Equal(`ImportRun "march" has succeeded with the same idempotencyKey: nothing was sent`))
			Expect(run.Status.Records).To(HaveValue(Equal(v1alpha1.RecordCounts{})), "its data is not even read")
		}
		Expect(w.written(target.Status.ID)).To(Equal(numbered(2)))
		Expect(w.calls()).To(HaveKeyWithValue(invoke, 1))

		other := w.withKey("april", "2026-04")
		Expect(k8s.Create(ctx, other)).To(Succeed())
		w.done(ctx, other, v1alpha1.RunSucceeded)
		Expect(w.calls()).To(HaveKeyWithValue(invoke, 2))
	})

	It("succeeds once also where the Secret of its answers is the former run's", func(ctx context.Context) {
		w := newWorld(ctx)
		w.synced(ctx, w.httpImport("orders"))
		for i, want := range []string{"RecordsAccepted", "AlreadySucceeded"} {
			run := w.withKey(fmt.Sprintf("march-%d", i), "2026-03")
			run.Spec.ResponseSecretName = "answers"
			Expect(k8s.Create(ctx, run)).To(Succeed())
			w.done(ctx, run, v1alpha1.RunSucceeded)
			Expect(state(run)).To(Equal("Current True/" + want))
		}
		Expect(w.calls()).To(HaveKeyWithValue(invoke, 1))
	})

	It("sends once when many are created at once", func(ctx context.Context) {
		w := newWorld(ctx)
		w.synced(ctx, w.httpImport("orders"))
		for i := range 5 {
			Expect(k8s.Create(ctx, w.withKey(fmt.Sprintf("run-%d", i), "same"))).To(Succeed())
		}
		for i := range 5 {
			w.done(ctx, w.withKey(fmt.Sprintf("run-%d", i), ""), v1alpha1.RunSucceeded)
		}
		Expect(w.calls()).To(HaveKeyWithValue(invoke, 1))
	})

	It("waits for the run under way, and sends when that has failed", func(ctx context.Context) {
		w := newWorld(ctx)
		target := w.synced(ctx, w.httpImport("orders"))
		release := w.holdInvoke(1)
		first, second := w.withKey("first", "same"), w.withKey("second", "same")
		first.Spec.Data[1].Raw = []byte(record("A-2", `"_simulate": {"statusCode": 422}`))
		Expect(k8s.Create(ctx, first)).To(Succeed())
		Eventually(w.sizes).Should(Equal([]int{2}))
		Expect(k8s.Create(ctx, second)).To(Succeed())
		w.eventually(ctx, second, "second", "InProgress False/IdempotencyKeyInUse")
		Expect(message(second)).To(Equal(`waiting for ImportRun "first", which has the same idempotencyKey, to end`))
		release()
		w.done(ctx, first, v1alpha1.RunFailed)
		w.done(ctx, second, v1alpha1.RunSucceeded)
		Expect(w.written(target.Status.ID)).To(Equal([]string{`{"n":0}`, `{"n":0}`, `{"n":1}`}))
	})

	It("is refused after one whose outcome is unknown, until I have checked", func(ctx context.Context) {
		w := newWorld(ctx)
		w.synced(ctx, w.httpImport("orders"))
		w.failInvoke(1, simulator.PhaseAfter, simulator.Action{Kind: simulator.ActionReset})
		first := w.withKey("first", "same")
		Expect(k8s.Create(ctx, first)).To(Succeed())
		w.done(ctx, first, v1alpha1.RunUnknown)
		Expect(k8s.Delete(ctx, first)).To(Succeed())

		second := w.withKey("second", "same")
		Expect(k8s.Create(ctx, second)).To(Succeed())
		w.done(ctx, second, v1alpha1.RunFailed)
		Expect(state(second)).To(Equal("Failed False/IdempotencyKeyUnknown"))
		Expect(w.calls()).To(HaveKeyWithValue(invoke, 1))

		entry := w.keyEntry(ctx)
		Expect(message(second)).To(ContainSubstring(fmt.Sprintf("delete ConfigMap %q to use this one again", entry.Name)))
		Expect(entry.OwnerReferences).To(BeEmpty())

		retrying := w.withKey("retrying", "same")
		retrying.Spec.OnUnknownOutcome = v1alpha1.UnknownOutcomeRetry
		Expect(k8s.Create(ctx, retrying)).To(Succeed())
		w.done(ctx, retrying, v1alpha1.RunSucceeded)
		Expect(w.calls()).To(HaveKeyWithValue(invoke, 2))
	})

	It("is unknown too when the run was deleted during its call", func(ctx context.Context) {
		w := newWorld(ctx)
		w.synced(ctx, w.httpImport("orders"))
		first, release := w.sendingWithKey(ctx)
		Expect(k8s.Delete(ctx, first)).To(Succeed())
		second := w.withKey("second", "same")
		Expect(k8s.Create(ctx, second)).To(Succeed())
		w.done(ctx, second, v1alpha1.RunFailed)
		Expect(state(second)).To(Equal("Failed False/IdempotencyKeyUnknown"))
		release()
		Expect(w.calls()).To(HaveKeyWithValue(invoke, 1))
	})

	It("is reported in the run also where the ledger cannot be written", func(ctx context.Context) {
		w := newWorld(ctx)
		w.synced(ctx, w.httpImport("orders"))
		run, release := w.sendingWithKey(ctx)
		entry := w.keyEntry(ctx)
		entry.Immutable = new(true)
		Expect(k8s.Update(ctx, entry)).To(Succeed())
		release()
		w.done(ctx, run, v1alpha1.RunSucceeded)

		Expect(k8s.Delete(ctx, run)).To(Succeed())
		again := w.withKey("again", "same")
		Expect(k8s.Create(ctx, again)).To(Succeed())
		w.done(ctx, again, v1alpha1.RunFailed)
		Expect(state(again)).To(Equal("Failed False/IdempotencyKeyUnknown"), "once the run is deleted nobody knows")
		Expect(w.calls()).To(HaveKeyWithValue(invoke, 1))
	})

	It("knows how the run ended also when the run is deleted before the ledger could be written", func(ctx context.Context) {
		w := newWorld(ctx)
		w.synced(ctx, w.httpImport("orders"))
		first := w.withKey("first", "same")
		first.Spec.Data[1].Raw = []byte(record("A-2", `"_simulate": {"statusCode": 422}`))
		Expect(k8s.Create(ctx, first)).To(Succeed())
		w.done(ctx, first, v1alpha1.RunFailed)
		entry := w.keyEntry(ctx)
		Expect(entry.Data["entry"]).To(ContainSubstring(`"phase":"Failed"`))
		entry.Data["entry"] = strings.Replace(entry.Data["entry"], `"phase":"Failed"`, `"phase":"Running"`, 1)
		Expect(k8s.Update(ctx, entry)).To(Succeed())
		change(ctx, first, func(run *v1alpha1.ImportRun) { run.Spec.TTLSecondsAfterFinished = seconds(0) })
		w.eventuallyGone(ctx, first)

		second := w.withKey("second", "same")
		Expect(k8s.Create(ctx, second)).To(Succeed())
		w.done(ctx, second, v1alpha1.RunSucceeded)
		Expect(w.calls()).To(HaveKeyWithValue(invoke, 2))
	})

	It("is free again when the run was deleted before anything was sent", func(ctx context.Context) {
		w := newWorld(ctx)
		w.synced(ctx, w.httpImport("orders"))
		w.failInvoke(1, simulator.PhaseBefore, simulator.Action{Kind: simulator.ActionAnswer, Status: 429, RetryAfter: "2"})
		first := w.withKey("first", "same")
		Expect(k8s.Create(ctx, first)).To(Succeed())
		w.eventually(ctx, first, "first", "InProgress False/RateLimited")
		Expect(k8s.Delete(ctx, first)).To(Succeed())
		second := w.withKey("second", "same")
		Expect(k8s.Create(ctx, second)).To(Succeed())
		w.done(ctx, second, v1alpha1.RunSucceeded)
		Expect(w.calls()).To(HaveKeyWithValue(invoke, 2))
	})

	It("sends nothing again after a part was written, however often a tool repeats the run", func(ctx context.Context) {
		w := newWorld(ctx)
		target := w.synced(ctx, w.httpImport("orders"))
		hook := func(name string) *v1alpha1.ImportRun {
			run := w.withKey(name, "same")
			run.Spec.Data[1].Raw = []byte(record("A-2", `"_simulate": {"statusCode": 422, "code": "invalid_sku", "message": "no such sku"}`))
			return run
		}
		run := hook("hook")
		Expect(k8s.Create(ctx, run)).To(Succeed())
		w.done(ctx, run, v1alpha1.RunFailed)
		Expect(state(run)).To(Equal("Failed False/RecordsFailed"))
		Expect(message(run)).To(HavePrefix("1 of 2 records failed; first: record 1: 422 invalid_sku: no such sku; "))
		for range 2 {
			// As Argo CD does with BeforeHookCreation.
			Expect(k8s.Delete(ctx, run)).To(Succeed())
			run = hook("hook")
			Eventually(func() error { return k8s.Create(ctx, run) }).Should(Succeed())
			w.done(ctx, run, v1alpha1.RunFailed)
			Expect(state(run)).To(Equal("Failed False/AlreadyFailed"))
			Expect(message(run)).To(Equal(`ImportRun "hook" wrote 1 of 2 records with the same idempotencyKey and the same data: nothing was sent; create another ImportRun with corrected data, or with another idempotencyKey`))
		}
		for i := range 2 {
			// And as others do, with generateName; the size of a call is no part of the data.
			run := hook(fmt.Sprintf("hook-%d", i))
			run.Spec.BatchSize = new(int32(i + 1))
			Expect(k8s.Create(ctx, run)).To(Succeed())
			w.done(ctx, run, v1alpha1.RunFailed)
			Expect(state(run)).To(Equal("Failed False/AlreadyFailed"))
		}
		Expect(w.calls()).To(HaveKeyWithValue(invoke, 1))
		Expect(w.written(target.Status.ID)).To(Equal(numbered(1)))

		permitted := hook("permitted")
		permitted.Spec.AfterPartialFailure = v1alpha1.PartialFailureSendAgain
		Expect(k8s.Create(ctx, permitted)).To(Succeed())
		w.done(ctx, permitted, v1alpha1.RunFailed)
		Expect(state(permitted)).To(Equal("Failed False/RecordsFailed"))
		Expect(w.calls()).To(HaveKeyWithValue(invoke, 2))
	})

	It("takes corrected data, and does not come back to what it has written in part", func(ctx context.Context) {
		w := newWorld(ctx)
		w.synced(ctx, w.httpImport("orders"))
		send := func(name, sku, reason string) {
			GinkgoHelper()
			run := w.withKey(name, "same")
			run.Spec.Data[1].Raw = []byte(record(sku, `"_simulate": {"statusCode": 422}`))
			Expect(k8s.Create(ctx, run)).To(Succeed())
			w.done(ctx, run, v1alpha1.RunFailed)
			Expect(state(run)).To(Equal("Failed False/" + reason))
		}
		send("first", "A-1", "RecordsFailed")
		send("second", "A-2", "RecordsFailed")
		send("rolled-back", "A-1", "AlreadyFailed")
		Expect(w.calls()).To(HaveKeyWithValue(invoke, 2))
		corrected := w.withKey("corrected", "same")
		corrected.Spec.Settings = &v1alpha1.JSON{Raw: []byte(`{}`)}
		Expect(k8s.Create(ctx, corrected)).To(Succeed())
		w.done(ctx, corrected, v1alpha1.RunSucceeded)
		again := w.withKey("again", "same")
		Expect(k8s.Create(ctx, again)).To(Succeed())
		w.done(ctx, again, v1alpha1.RunSucceeded)
		Expect(state(again)).To(Equal("Current True/AlreadySucceeded"))
	})

	It("sends again where nothing was written", func(ctx context.Context) {
		w := newWorld(ctx)
		w.synced(ctx, w.httpImport("orders"))
		for i := range 2 {
			run := w.withKey(fmt.Sprintf("run-%d", i), "same")
			run.Spec.Data = []v1alpha1.JSON{{Raw: []byte(record("A-1", `"_simulate": {"statusCode": 422}`))}, {Raw: []byte(record("A-2", `"_simulate": {"ignored": true}`))}}
			Expect(k8s.Create(ctx, run)).To(Succeed())
			w.done(ctx, run, v1alpha1.RunFailed)
			Expect(state(run)).To(Equal("Failed False/RecordsFailed"), "refused and ignored records are not written")
		}
		w.strike(http.MethodPost, "/v1/imports/{id}/invoke", simulator.PhaseBefore, simulator.Action{Kind: simulator.ActionAnswer, Status: 403})
		for i, phase := range []v1alpha1.RunPhase{v1alpha1.RunFailed, v1alpha1.RunSucceeded} {
			run := w.withKey(fmt.Sprintf("refused-%d", i), "other")
			Expect(k8s.Create(ctx, run)).To(Succeed())
			w.done(ctx, run, phase)
		}
		Expect(w.calls()).To(HaveKeyWithValue(invoke, 4))
	})

	It("sends nothing again after it was canceled half-way", func(ctx context.Context) {
		w := newWorld(ctx)
		w.synced(ctx, w.httpImport("orders"))
		release := w.holdInvoke(1)
		keyed := func(name string) *v1alpha1.ImportRun {
			run := w.batched(name, 2, 1)
			run.Spec.IdempotencyKey = "same"
			return run
		}
		first := keyed("first")
		Expect(k8s.Create(ctx, first)).To(Succeed())
		Eventually(w.sizes).Should(Equal([]int{1}))
		change(ctx, first, func(run *v1alpha1.ImportRun) { run.Spec.Cancel = true })
		release()
		w.done(ctx, first, v1alpha1.RunCanceled)
		second := keyed("second")
		Expect(k8s.Create(ctx, second)).To(Succeed())
		w.done(ctx, second, v1alpha1.RunFailed)
		Expect(state(second)).To(Equal("Failed False/AlreadyFailed"))
		Expect(message(second)).To(HavePrefix(`ImportRun "first" wrote 1 of 2 records`))
		Expect(w.calls()).To(HaveKeyWithValue(invoke, 1))
	})

	It("knows the records of a Secret that was created again, and reveals nothing of them", func(ctx context.Context) {
		w := newWorld(ctx)
		w.synced(ctx, w.httpImport("orders"))
		lines := record("A-1") + "\n" + record("A-2", `"_simulate": {"statusCode": 422}`)
		for i, reason := range []string{"RecordsFailed", "AlreadyFailed"} {
			secret := &corev1.Secret{ObjectMeta: w.meta("records"), StringData: map[string]string{"lines": strings.ReplaceAll(lines, ": ", ":"+strings.Repeat(" ", i))}}
			Expect(k8s.Create(ctx, secret)).To(Succeed())
			run := w.run(fmt.Sprintf("run-%d", i), "orders")
			run.Spec.IdempotencyKey = "same"
			run.Spec.DataFrom = []v1alpha1.DataSource{{SecretKeyRef: &v1alpha1.KeyReference{Name: "records", Key: "lines"}}}
			Expect(k8s.Create(ctx, run)).To(Succeed())
			w.done(ctx, run, v1alpha1.RunFailed)
			Expect(state(run)).To(Equal("Failed False/" + reason))
			Expect(k8s.Delete(ctx, secret)).To(Succeed())
		}
		Expect(w.calls()).To(HaveKeyWithValue(invoke, 1))

		// An entry of an older version says neither what was sent nor how much of it was written.
		entry := w.keyEntry(ctx)
		var kept map[string]any
		Expect(json.Unmarshal([]byte(entry.Data["entry"]), &kept)).To(Succeed())
		delete(kept, "data")
		delete(kept, "records")
		text, err := json.Marshal(kept)
		Expect(err).NotTo(HaveOccurred())
		entry.Data["entry"] = string(text)
		Expect(k8s.Update(ctx, entry)).To(Succeed())
		Expect(k8s.Delete(ctx, w.run("run-0", "orders"))).To(Succeed())
		upgraded := w.withKey("upgraded", "same")
		Expect(k8s.Create(ctx, upgraded)).To(Succeed())
		w.done(ctx, upgraded, v1alpha1.RunFailed)
		Expect(state(upgraded)).To(Equal("Failed False/AlreadyFailed"))
		Expect(message(upgraded)).To(ContainSubstring(fmt.Sprintf("delete ConfigMap %q to use this one again", entry.Name)))
	})
})
