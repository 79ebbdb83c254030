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
	"k8s.io/utils/ptr"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/integrator"
	"github.com/integrator-operator/integrator-operator/internal/simulator"
)

// failing has the next invocation end with a result for each record: 422 where the text has x.
func (w *world) failing(records string) {
	GinkgoHelper()
	var results []string
	for _, c := range records {
		if c == 'x' {
			results = append(results, `{"statusCode": 422, "errors": [{"code": "invalid_sku", "message": "no such sku"}]}`)
			continue
		}
		results = append(results, `{"statusCode": 200, "id": "1"}`)
	}
	w.strike(http.MethodPost, "/v1/imports/{id}/invoke", simulator.PhaseBefore,
		simulator.Action{Kind: simulator.ActionAnswer, Status: 200, Body: "[" + strings.Join(results, ",") + "]"})
}

// again is a run of just the records that failed in another run.
func (w *world) again(name, of string) *v1alpha1.ImportRun {
	run := w.run(name, "orders")
	run.Spec.RetryOf = &v1alpha1.LocalReference{Name: of}
	return run
}

// failed is a run of n numbered records, of which those failed where the text has x.
func (w *world) failed(ctx context.Context, name, records string, edits ...func(*v1alpha1.ImportRun)) *v1alpha1.ImportRun {
	GinkgoHelper()
	w.failing(records)
	run := w.run(name, "orders", numbered(len(records))...)
	for _, edit := range edits {
		edit(run)
	}
	Expect(k8s.Create(ctx, run)).To(Succeed())
	w.done(ctx, run, v1alpha1.RunFailed)
	return run
}

var _ = Describe("I send the records again that failed", func() {
	It("lists all of them, and sends exactly these", func(ctx context.Context) {
		w := newWorld(ctx)
		target := w.synced(ctx, w.httpImport("orders"))
		first := w.failed(ctx, "first", strings.Repeat("xx.x.", 10), func(run *v1alpha1.ImportRun) {
			run.Spec.Settings = &v1alpha1.JSON{Raw: []byte(`{"a": 1}`)}
		})
		Expect(first.Status.Failures).To(HaveLen(20))
		Expect(first.Status.FailedRecords).To(HavePrefix("0-1,3,5-6,8,10-11,13,"))
		Expect(first.Status.FailedRecords).To(HaveSuffix(",45-46,48"))
		Expect(first.Status.FailedRecordsTruncated).To(BeFalse())
		Expect(message(first)).To(Equal("30 of 50 records failed; first: record 0: 422 invalid_sku: no such sku; see status.failedRecords, and send just these again with retryOf, or corrected in another ImportRun"))

		// Two of them fail again: the positions are still those in the data.
		w.failing("." + strings.Repeat(".", 18) + "x" + strings.Repeat(".", 9) + "x")
		second := w.again("second", "first")
		Expect(k8s.Create(ctx, second)).To(Succeed())
		w.done(ctx, second, v1alpha1.RunFailed)
		Expect(second.Status.Records).To(HaveValue(Equal(v1alpha1.RecordCounts{Total: 30, Sent: 30, Succeeded: 28, Failed: 2})))
		Expect(second.Status.FailedRecords).To(Equal("31,48"))
		Expect(second.Status.Failures[0].Index).To(Equal(int32(31)))
		Expect(message(second)).To(HavePrefix("2 of 30 records failed; first: record 31: 422"))

		third := w.again("third", "second")
		third.Spec.BatchSize = ptr.To[int32](1)
		third.Spec.IdempotencyKey = "third"
		Expect(k8s.Create(ctx, third)).To(Succeed())
		w.done(ctx, third, v1alpha1.RunSucceeded)
		Expect(third.Status.Records.Total).To(Equal(int32(2)))
		Expect(w.sizes()).To(HaveLen(4))
		Expect(w.written(target.Status.ID)).To(Equal([]string{`{"n":31}`, `{"n":48}`}))
		sent := integrator.InvokeRequest{Data: []json.RawMessage{[]byte(`{"n":48}`)}, Settings: []byte(`{"a":1}`)}
		Expect(w.invocations()[3].BodyBytes).To(Equal(int64(sent.Size())), "with the same settings")
	})

	It("counts the records of all batches, and says what is not among them", func(ctx context.Context) {
		w := newWorld(ctx)
		target := w.synced(ctx, w.httpImport("orders"))
		run := w.batched("first", 6, 2)
		run.Spec.Data[0].Raw = []byte(record("A-0", `"_simulate": {"statusCode": 422}`))
		run.Spec.Data[3].Raw = []byte(record("A-3", `"_simulate": {"statusCode": 422}`))
		_, err := sim.AddRule(simulator.Rule{Account: w.account, Method: http.MethodPost, Route: "/v1/imports/{id}/invoke", Phase: simulator.PhaseAfter,
			Nth: 3, Count: 1, Action: simulator.Action{Kind: simulator.ActionReset}})
		Expect(err).NotTo(HaveOccurred())
		Expect(k8s.Create(ctx, run)).To(Succeed())
		w.done(ctx, run, v1alpha1.RunUnknown)
		Expect(run.Status.FailedRecords).To(Equal("0,3"), "nothing is known of the last two")
		again := w.again("again", "first")
		Expect(k8s.Create(ctx, again)).To(Succeed())
		w.done(ctx, again, v1alpha1.RunFailed)
		Expect(again.Status.Records).To(HaveValue(Equal(v1alpha1.RecordCounts{Total: 2, Sent: 2, Failed: 2})))
		Expect(message(again)).To(HaveSuffix(`; 2 records of ImportRun "first" are not among them, because their outcome is unknown, or they were not sent`))
		Expect(w.written(target.Status.ID)).To(HaveLen(4))
	})

	It("waits until the other run has ended", func(ctx context.Context) {
		w := newWorld(ctx)
		w.synced(ctx, w.httpImport("orders"))
		first := w.run("first", "orders", record("A-1", `"_simulate": {"statusCode": 422}`))
		first.Spec.Suspend = true
		Expect(k8s.Create(ctx, first)).To(Succeed())
		again := w.again("again", "first")
		Expect(k8s.Create(ctx, again)).To(Succeed())
		w.eventually(ctx, again, "again", "InProgress False/Progressing")
		Expect(message(again)).To(Equal(`waiting for ImportRun "first", which retryOf names, to end`))
		change(ctx, first, func(run *v1alpha1.ImportRun) { run.Spec.Suspend = false })
		w.done(ctx, first, v1alpha1.RunFailed)
		w.done(ctx, again, v1alpha1.RunFailed)
		Expect(w.sizes()).To(Equal([]int{1, 1}))
	})

	It("names a Secret again, and nothing of it is shown", func(ctx context.Context) {
		w := newWorld(ctx)
		w.synced(ctx, w.httpImport("orders"))
		Expect(k8s.Create(ctx, &corev1.Secret{ObjectMeta: w.meta("records"), StringData: map[string]string{
			"lines": record("A-1") + "\n" + record("A-2", `"_simulate": {"statusCode": 422, "code": "invalid_sku", "message": "canary-7a1e"}`)}})).To(Succeed())
		fromSecret := func(run *v1alpha1.ImportRun) *v1alpha1.ImportRun {
			run.Spec.DataFrom = []v1alpha1.DataSource{{SecretKeyRef: &v1alpha1.KeyReference{Name: "records", Key: "lines"}}}
			return run
		}
		first := fromSecret(w.run("first", "orders"))
		Expect(k8s.Create(ctx, first)).To(Succeed())
		w.done(ctx, first, v1alpha1.RunFailed)
		Expect(message(first)).To(HavePrefix("1 of 2 records failed; first: record 1: 422 invalid_sku: (not shown"))
		again := w.again("again", "first")
		Expect(k8s.Create(ctx, again)).To(Succeed())
		w.done(ctx, again, v1alpha1.RunFailed)
		Expect(state(again)).To(Equal("Failed False/InvalidRetry"))
		Expect(message(again)).To(Equal(`ImportRun "first" has records of Secrets: repeat its data, dataFrom and settings in an ImportRun with retryOf; nothing was sent`))
		repeated := fromSecret(w.again("repeated", "first"))
		Expect(k8s.Create(ctx, repeated)).To(Succeed())
		w.done(ctx, repeated, v1alpha1.RunFailed)
		Expect(w.sizes()).To(Equal([]int{2, 1}))
		Expect(fmt.Sprint(first.Status, repeated.Status)).NotTo(ContainSubstring("canary-7a1e"))
	})

	It("sends nothing where the data is not what it was", func(ctx context.Context) {
		w := newWorld(ctx)
		w.synced(ctx, w.httpImport("orders"))
		data := &corev1.ConfigMap{ObjectMeta: w.meta("records"), Data: map[string]string{"lines": strings.Join(numbered(3), "\n")}}
		Expect(k8s.Create(ctx, data)).To(Succeed())
		w.failing("x..")
		first := w.run("first", "orders")
		from("lines")(first)
		Expect(k8s.Create(ctx, first)).To(Succeed())
		w.done(ctx, first, v1alpha1.RunFailed)
		change(ctx, data, func(data *corev1.ConfigMap) { data.Data["lines"] = "{}\n" + data.Data["lines"] })
		again, repeated := w.again("again", "first"), w.again("repeated", "first")
		repeated.Spec.Data = []v1alpha1.JSON{{Raw: []byte("{}")}}
		for _, run := range []*v1alpha1.ImportRun{again, repeated} {
			Expect(k8s.Create(ctx, run)).To(Succeed())
			w.done(ctx, run, v1alpha1.RunFailed)
			Expect(state(run)).To(Equal("Failed False/DataChanged"))
			Expect(message(run)).To(Equal(`data, dataFrom or settings are not what ImportRun "first" has sent, so that its status.failedRecords may mean other records: create an ImportRun with the records that failed; nothing was sent`))
		}
		Expect(w.sizes()).To(HaveLen(1))
	})

	It("is told why there is nothing to send again", func(ctx context.Context) {
		w := newWorld(ctx)
		w.synced(ctx, w.httpImport("orders"))
		w.synced(ctx, w.httpImport("returns"))
		good := w.run("good", "orders", record("A-1"))
		Expect(k8s.Create(ctx, good)).To(Succeed())
		w.done(ctx, good, v1alpha1.RunSucceeded)
		w.failInvoke(1, simulator.PhaseAfter, simulator.Action{Kind: simulator.ActionReset})
		lost := w.run("lost", "orders", record("A-1"), record("A-2"))
		Expect(k8s.Create(ctx, lost)).To(Succeed())
		w.done(ctx, lost, v1alpha1.RunUnknown)
		w.failed(ctx, "gone", "x")
		Expect(k8s.Delete(ctx, w.run("gone", "orders"))).To(Succeed())
		canceled := w.run("canceled", "orders", record("A-1"))
		canceled.Spec.Cancel = true
		Expect(k8s.Create(ctx, canceled)).To(Succeed())
		w.done(ctx, canceled, v1alpha1.RunCanceled)
		many := w.failed(ctx, "many", "x")
		many.Status.FailedRecordsTruncated = true
		Expect(k8s.Status().Update(ctx, many)).To(Succeed())
		elsewhere := w.again("elsewhere", "many")
		elsewhere.Spec.ImportRef.Name = "returns"
		before := len(w.sizes())
		for says, run := range map[string]*v1alpha1.ImportRun{
			`ImportRun "gone", which retryOf names, is not in the namespace, and with it the list of the records that failed: create an ImportRun with these records`:      w.again("of-gone", "gone"),
			`no record of ImportRun "good" failed: there is nothing to send again`:                                                                                         w.again("of-good", "good"),
			`no record of ImportRun "lost" is known to have failed, and 2 have no result: look into the destination, then create an ImportRun with those that are missing`: w.again("of-lost", "lost"),
			`ImportRun "canceled" sent nothing: create another ImportRun that names the one whose records failed`:                                                          w.again("of-canceled", "canceled"),
			`so many records failed in ImportRun "many" that its status.failedRecords has no room for all of them: create an ImportRun with the records that failed`:       w.again("of-many", "many"),
			`ImportRun "many", which retryOf names, is of another import: its records can be sent again to that one only`:                                                  elsewhere,
			`retryOf names the ImportRun itself: create another ImportRun that names the one whose records failed`:                                                         w.again("itself", "itself"),
		} {
			Expect(k8s.Create(ctx, run)).To(Succeed())
			w.done(ctx, run, v1alpha1.RunFailed)
			Expect(state(run)).To(Equal("Failed False/InvalidRetry"))
			Expect(message(run)).To(Equal(says + "; nothing was sent"))
		}
		Expect(w.sizes()).To(HaveLen(before))
	})
})

var _ = Describe("The data of a run changes past admission", func() {
	It("sends nothing, because it is not the data that was seen first", func(ctx context.Context) {
		w := newWorld(ctx)
		w.synced(ctx, w.httpImport("orders"))
		run := w.batched("held", 2, 1)
		run.Spec.Suspend = true
		Expect(k8s.Create(ctx, run)).To(Succeed())
		w.eventually(ctx, run, "held", "InProgress False/Suspended")
		seen := run.Status.DataHash
		Expect(seen).NotTo(BeEmpty())

		// A run with other data, as if this one had been given it.
		other := w.batched("other", 1, 1)
		other.Spec.Suspend = true
		Expect(k8s.Create(ctx, other)).To(Succeed())
		w.eventually(ctx, other, "other", "InProgress False/Suspended")
		Expect(other.Status.DataHash).NotTo(Equal(seen))
		other.Status.DataHash = seen
		Expect(k8s.Status().Update(ctx, other)).To(Succeed())
		for _, resumed := range []*v1alpha1.ImportRun{run, other} {
			change(ctx, resumed, func(run *v1alpha1.ImportRun) { run.Spec.Suspend = false })
		}
		w.done(ctx, run, v1alpha1.RunSucceeded)
		w.done(ctx, other, v1alpha1.RunFailed)
		Expect(state(other)).To(Equal("Failed False/DataChanged"))
		Expect(message(other)).To(Equal("data or settings have changed since the run was first seen: create another ImportRun with the new ones; nothing was written"))
		Expect(w.sizes()).To(Equal([]int{1, 1}))
	})

	It("takes the content of sources as it is when the first batch is sent", func(ctx context.Context) {
		w := newWorld(ctx)
		target := w.synced(ctx, w.httpImport("orders"))
		data := &corev1.ConfigMap{ObjectMeta: w.meta("records"), Data: map[string]string{"lines": `{"n":"wrong"}`}}
		Expect(k8s.Create(ctx, data)).To(Succeed())
		run := w.run("waiting", "orders")
		from("lines")(run)
		run.Spec.Suspend = true
		Expect(k8s.Create(ctx, run)).To(Succeed())
		w.eventually(ctx, run, "waiting", "InProgress False/Suspended")
		change(ctx, data, func(data *corev1.ConfigMap) { data.Data["lines"] = `{"n":0}` })
		change(ctx, run, func(run *v1alpha1.ImportRun) { run.Spec.Suspend = false })
		w.done(ctx, run, v1alpha1.RunSucceeded)
		Expect(w.written(target.Status.ID)).To(Equal(numbered(1)))
	})
})
