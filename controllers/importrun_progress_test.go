// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/controllers"
	"github.com/integrator-operator/integrator-operator/internal/ownership"
	"github.com/integrator-operator/integrator-operator/internal/simulator"
)

// wide is a record of n bytes.
func wide(n int) string {
	const frame = `{"sku": ""}`
	return strings.Replace(frame, `""`, `"`+strings.Repeat("x", n-len(frame))+`"`, 1)
}

// zipped is the text, compressed with gzip.
func zipped(text string) []byte {
	GinkgoHelper()
	var buffer bytes.Buffer
	writer := gzip.NewWriter(&buffer)
	_, err := writer.Write([]byte(text))
	Expect(err).NotTo(HaveOccurred())
	Expect(writer.Close()).To(Succeed())
	return buffer.Bytes()
}

// holdInvoke has the simulator hold the nth invocation, after it was applied, until it is
// released.
func (w *world) holdInvoke(nth int) (release func()) {
	GinkgoHelper()
	id, err := sim.AddRule(simulator.Rule{Account: w.account, Method: http.MethodPost, Route: "/v1/imports/{id}/invoke", Phase: simulator.PhaseAfter,
		Nth: nth, Count: 1, Action: simulator.Action{Kind: simulator.ActionLatency, DelayMillis: time.Hour.Milliseconds()}})
	Expect(err).NotTo(HaveOccurred())
	return func() { Expect(sim.ReleaseRule(id)).To(Succeed()) }
}

// invocations are the calls that invoked, in order.
func (w *world) invocations() []simulator.Entry {
	return sim.Ledger(simulator.Filter{Account: w.account, Route: "/v1/imports/{id}/invoke"})
}

// sizes are the numbers of records of the calls that invoked.
func (w *world) sizes() []int {
	var sizes []int
	for _, entry := range w.invocations() {
		sizes = append(sizes, entry.Records)
	}
	return sizes
}

// numbered are n records, {"n":0} and on, one a line.
func numbered(n int) []string {
	lines := make([]string, n)
	for i := range lines {
		lines[i] = fmt.Sprintf(`{"n":%d}`, i)
	}
	return lines
}

// written are the records that reached the destination.
func (w *world) written(id string) []string {
	records, _ := sim.Written(w.account, id)
	var texts []string
	for _, raw := range records {
		texts = append(texts, string(raw))
	}
	return texts
}

// batched is a run of n numbered records, size a batch.
func (w *world) batched(name string, n int, size int32) *v1alpha1.ImportRun {
	run := w.run(name, "orders", numbered(n)...)
	run.Spec.BatchSize = &size
	return run
}

// reached waits until the run shows this progress.
func (w *world) reached(ctx context.Context, run *v1alpha1.ImportRun, progress string) {
	GinkgoHelper()
	Eventually(func() string { return get(ctx, w, run, run.Name).Status.Progress }).Should(Equal(progress))
}

var _ = Describe("I run an import in batches", func() {
	It("sends them in order and shows how far it has come", func(ctx context.Context) {
		w := newWorld(ctx)
		target := w.synced(ctx, w.httpImport("orders"))
		release := w.holdInvoke(3)
		run := w.batched("nightly", 7, 2)
		Expect(k8s.Create(ctx, run)).To(Succeed())
		w.reached(ctx, run, "2/4")
		Expect(state(run)).To(Equal("InProgress False/Progressing"))
		Expect(run.Status.Phase).To(Equal(v1alpha1.RunRunning))
		Expect(run.Status.Records).To(HaveValue(Equal(v1alpha1.RecordCounts{Total: 7, Sent: 4, Succeeded: 4})))
		Expect(run.Status.Batches).To(HaveValue(Equal(v1alpha1.BatchCounts{Total: 4, Done: 2})))
		release()
		w.done(ctx, run, v1alpha1.RunSucceeded)
		Expect(run.Status.Records).To(HaveValue(Equal(v1alpha1.RecordCounts{Total: 7, Sent: 7, Succeeded: 7})))
		Expect(run.Status.Progress).To(Equal("4/4"))
		Expect(w.sizes()).To(Equal([]int{2, 2, 2, 1}))
		Expect(w.written(target.Status.ID)).To(Equal(numbered(7)))
	})

	It("counts each record that failed, and names its place in the run's data", func(ctx context.Context) {
		w := newWorld(ctx)
		w.synced(ctx, w.httpImport("orders"))
		run := w.batched("uneven", 5, 2)
		run.Spec.Data[3].Raw = []byte(record("A-3", `"_simulate": {"statusCode": 422, "code": "no_sku", "message": "no such sku"}`))
		run.Spec.Data[4].Raw = []byte(record("A-4", `"_simulate": {"ignored": true}`))
		Expect(k8s.Create(ctx, run)).To(Succeed())
		w.done(ctx, run, v1alpha1.RunFailed)
		Expect(state(run)).To(Equal("Failed False/RecordsFailed"))
		Expect(run.Status.Records).To(HaveValue(Equal(v1alpha1.RecordCounts{Total: 5, Sent: 5, Succeeded: 3, Failed: 1, Ignored: 1})))
		Expect(run.Status.Failures).To(Equal([]v1alpha1.RecordFailure{{Index: 3, StatusCode: 422, Code: "no_sku", Message: "no such sku"}}))
		Expect(w.sizes()).To(Equal([]int{2, 2, 1}))
	})

	It("stops at the first failure when told so", func(ctx context.Context) {
		w := newWorld(ctx)
		w.synced(ctx, w.httpImport("orders"))
		run := w.batched("careful", 6, 2)
		run.Spec.StopOnFailure = true
		run.Spec.Data[2].Raw = []byte(record("A-2", `"_simulate": {"statusCode": 500}`))
		Expect(k8s.Create(ctx, run)).To(Succeed())
		w.done(ctx, run, v1alpha1.RunFailed)
		Expect(message(run)).To(Equal("1 of the 4 records sent failed; first: record 2: 500; stopOnFailure is true, and 1 of 3 batches are not sent"))
		Expect(run.Status.Records).To(HaveValue(Equal(v1alpha1.RecordCounts{Total: 6, Sent: 4, Succeeded: 3, Failed: 1})))
		Expect(run.Status.Progress).To(Equal("2/3"))
		Expect(w.sizes()).To(Equal([]int{2, 2}))
	})

	DescribeTable("ends with the batch whose outcome is not what it should be, and sends none after it",
		func(ctx context.Context, action simulator.Action, phase v1alpha1.RunPhase, says string) {
			w := newWorld(ctx)
			w.synced(ctx, w.httpImport("orders"))
			_, err := sim.AddRule(simulator.Rule{Account: w.account, Method: http.MethodPost, Route: "/v1/imports/{id}/invoke",
				Phase: simulator.PhaseBefore, Nth: 2, Count: 1, Action: action})
			Expect(err).NotTo(HaveOccurred())
			run := w.batched("broken", 6, 2)
			Expect(k8s.Create(ctx, run)).To(Succeed())
			w.done(ctx, run, phase)
			Expect(message(run)).To(And(HavePrefix("batch 2 of 3: "), ContainSubstring(says), HaveSuffix("; the 1 after it are not sent")))
			Expect(run.Status.Records.Succeeded).To(Equal(int32(2)))
			Expect(run.Status.Progress).To(Equal("1/3"))
			w.scans(2)
			Expect(w.calls()).To(HaveKeyWithValue(invoke, 2))
		},
		Entry("refused", simulator.Action{Kind: simulator.ActionAnswer, Status: 422}, v1alpha1.RunFailed, "nothing of this batch was written"),
		Entry("lost", simulator.Action{Kind: simulator.ActionReset}, v1alpha1.RunUnknown, "the records may or may not have been written"),
		Entry("failed as a whole", simulator.Action{Kind: simulator.ActionAnswer, Status: 200, Body: `{"errors":[{"code":"offline","message":"closed"}]}`},
			v1alpha1.RunFailed, "the API failed the whole request: closed [offline]"),
	)

	It("never makes a call of more than 5 MB", func(ctx context.Context) {
		w := newWorld(ctx)
		w.synced(ctx, w.httpImport("orders"))
		settings := `{"source":"archive"}`
		envelope := len(`{"data":[],"settings":}`) + len(settings)
		lines := []string{wide(2_000_000), wide(3_000_000 - envelope - 1), wide(5_000_000 - envelope), wide(1_000_000), wide(1_000_000)}
		Expect(k8s.Create(ctx, &corev1.ConfigMap{ObjectMeta: w.meta("archive"), BinaryData: map[string][]byte{
			"orders.jsonl.gz": zipped(strings.Join(lines, "\n")),
		}})).To(Succeed())
		run := w.run("heavy", "orders")
		run.Spec.Settings = &v1alpha1.JSON{Raw: []byte(settings)}
		run.Spec.DataFrom = []v1alpha1.DataSource{{ConfigMapKeyRef: &v1alpha1.KeyReference{Name: "archive", Key: "orders.jsonl.gz"}}}
		Expect(k8s.Create(ctx, run)).To(Succeed())
		w.done(ctx, run, v1alpha1.RunSucceeded)
		Expect(w.sizes()).To(Equal([]int{2, 1, 2}))
		calls := w.invocations()
		Expect(calls[0].BodyBytes).To(Equal(int64(5_000_000)))
		Expect(calls[1].BodyBytes).To(Equal(int64(5_000_000)))
	})

	It("takes 100,000 records through 200 calls", func(ctx context.Context) {
		w := newWorld(ctx)
		target := w.synced(ctx, w.httpImport("orders"))
		lines := numbered(100_000)
		half := len(lines) / 2
		Expect(k8s.Create(ctx, &corev1.ConfigMap{ObjectMeta: w.meta("many"), BinaryData: map[string][]byte{"second": zipped("[" + strings.Join(lines[half:], ",") + "]")},
			Data: map[string]string{"first": strings.Join(lines[:half], "\n")}})).To(Succeed())
		run := w.run("many", "orders")
		run.Spec.BatchSize = ptr.To[int32](500)
		for _, key := range []string{"first", "second"} {
			run.Spec.DataFrom = append(run.Spec.DataFrom, v1alpha1.DataSource{ConfigMapKeyRef: &v1alpha1.KeyReference{Name: "many", Key: key}})
		}
		Expect(k8s.Create(ctx, run)).To(Succeed())
		Eventually(func() v1alpha1.RunPhase { return get(ctx, w, run, "many").Status.Phase }, 3*time.Minute).Should(Equal(v1alpha1.RunSucceeded))
		Expect(run.Status.Records).To(HaveValue(Equal(v1alpha1.RecordCounts{Total: 100_000, Sent: 100_000, Succeeded: 100_000})))
		Expect(w.calls()).To(HaveKeyWithValue(invoke, 200))
		Expect(w.written(target.Status.ID)).To(Equal(lines))
	})
})

var _ = Describe("I change my mind about a run", func() {
	It("is canceled before it begins", func(ctx context.Context) {
		w := newWorld(ctx)
		run := w.batched("early", 4, 2)
		Expect(k8s.Create(ctx, run)).To(Succeed())
		w.eventually(ctx, run, "early", "InProgress False/ImportNotFound")
		change(ctx, run, func(run *v1alpha1.ImportRun) { run.Spec.Cancel = true })
		w.done(ctx, run, v1alpha1.RunCanceled)
		Expect(message(run)).To(Equal("spec.cancel is true; nothing was written"))
		w.synced(ctx, w.httpImport("orders"))
		w.scans(1)
		Expect(w.calls()).NotTo(HaveKey(invoke))
	})

	It("is canceled between two batches, and the one under way is counted", func(ctx context.Context) {
		w := newWorld(ctx)
		w.synced(ctx, w.httpImport("orders"))
		release := w.holdInvoke(2)
		run := w.batched("half-way", 6, 2)
		Expect(k8s.Create(ctx, run)).To(Succeed())
		w.reached(ctx, run, "1/3")
		// The first batch is counted before the second is claimed: the call has to be under way.
		Eventually(w.sizes).Should(Equal([]int{2, 2}))
		change(ctx, run, func(run *v1alpha1.ImportRun) { run.Spec.Cancel = true })
		release()
		w.done(ctx, run, v1alpha1.RunCanceled)
		Expect(message(run)).To(Equal("spec.cancel is true; 2 of 3 batches were sent, the others will not be sent"))
		Expect(run.Status.Records).To(HaveValue(Equal(v1alpha1.RecordCounts{Total: 6, Sent: 4, Succeeded: 4})))
		Expect(w.sizes()).To(Equal([]int{2, 2}))
	})

	It("is suspended, and continues where it was", func(ctx context.Context) {
		w := newWorld(ctx)
		target := w.synced(ctx, w.httpImport("orders"))
		release := w.holdInvoke(1)
		run := w.batched("paused", 6, 2)
		run.Spec.ActiveDeadlineSeconds = seconds(5)
		Expect(k8s.Create(ctx, run)).To(Succeed())
		Eventually(w.sizes).Should(Equal([]int{2}))
		change(ctx, run, func(run *v1alpha1.ImportRun) { run.Spec.Suspend = true })
		release()
		w.eventually(ctx, run, "paused", "InProgress False/Suspended")
		Expect(run.Status.Phase).To(Equal(v1alpha1.RunWaiting))
		Expect(run.Status.Progress).To(Equal("1/3"))
		// The time that it is suspended does not count, however long: more than its deadline.
		Consistently(func() v1alpha1.RunPhase { return get(ctx, w, run, "paused").Status.Phase }, 6*time.Second).Should(Equal(v1alpha1.RunWaiting))
		Expect(w.sizes()).To(Equal([]int{2}))
		change(ctx, run, func(run *v1alpha1.ImportRun) { run.Spec.Suspend = false })
		w.done(ctx, run, v1alpha1.RunSucceeded)
		Expect(w.written(target.Status.ID)).To(Equal(numbered(6)))
	})

	It("is created suspended, and sends nothing until it is resumed", func(ctx context.Context) {
		w := newWorld(ctx)
		w.synced(ctx, w.httpImport("orders"))
		run := w.batched("ready", 2, 2)
		run.Spec.Suspend = true
		Expect(k8s.Create(ctx, run)).To(Succeed())
		w.eventually(ctx, run, "ready", "InProgress False/Suspended")
		w.scans(2)
		Expect(w.calls()).NotTo(HaveKey(invoke))
		change(ctx, run, func(run *v1alpha1.ImportRun) { run.Spec.Suspend = false })
		w.done(ctx, run, v1alpha1.RunSucceeded)
	})

	It("sends nothing further when its data has changed meanwhile", func(ctx context.Context) {
		w := newWorld(ctx)
		w.synced(ctx, w.httpImport("orders"))
		data := &corev1.ConfigMap{ObjectMeta: w.meta("records"), Data: map[string]string{"lines": strings.Join(numbered(4), "\n")}}
		Expect(k8s.Create(ctx, data)).To(Succeed())
		release := w.holdInvoke(1)
		run := w.run("moved", "orders")
		run.Spec.BatchSize = ptr.To[int32](2)
		from("lines")(run)
		Expect(k8s.Create(ctx, run)).To(Succeed())
		Eventually(w.sizes).Should(Equal([]int{2}))
		change(ctx, run, func(run *v1alpha1.ImportRun) { run.Spec.Suspend = true })
		release()
		w.eventually(ctx, run, "moved", "InProgress False/Suspended")
		change(ctx, data, func(data *corev1.ConfigMap) { data.Data["lines"] = "{}\n" + data.Data["lines"] })
		change(ctx, run, func(run *v1alpha1.ImportRun) { run.Spec.Suspend = false })
		w.done(ctx, run, v1alpha1.RunFailed)
		Expect(state(run)).To(Equal("Failed False/DataChanged"))
		Expect(message(run)).To(Equal("data, dataFrom or settings have changed since the first batch was sent; 1 of 2 batches were sent, the others will not be sent"))
		Expect(w.sizes()).To(Equal([]int{2}))
	})
})

var _ = Describe("I delete a run while it is under way", func() {
	It("sends no batch after the one under way", func(ctx context.Context) {
		w := newWorld(ctx)
		w.synced(ctx, w.httpImport("orders"))
		release := w.holdInvoke(1)
		run := w.batched("going", 6, 2)
		run.Finalizers = []string{"example.com/somebody-else"}
		Expect(k8s.Create(ctx, run)).To(Succeed())
		Eventually(w.sizes).Should(Equal([]int{2}))
		Expect(k8s.Delete(ctx, run)).To(Succeed())
		release()
		w.reached(ctx, run, "1/3")
		w.scans(2)
		Expect(w.sizes()).To(Equal([]int{2}))
		change(ctx, run, func(run *v1alpha1.ImportRun) { run.Finalizers = nil })
		w.eventuallyGone(ctx, run)
	})
})

var _ = Describe("The operator is replaced while a run is under way", func() {
	It("works at once, and continues the run when the old process has recorded the answer", func(ctx context.Context) {
		w := newWorld(ctx)
		target := w.synced(ctx, w.httpImport("orders"))
		release := w.holdInvoke(2)
		run := w.batched("rollout", 6, 2)
		Expect(k8s.Create(ctx, run)).To(Succeed())
		w.reached(ctx, run, "1/3")
		Eventually(w.sizes).Should(Equal([]int{2, 2}), "the call is under way that nobody waits for")
		stop, start := replaceManager()
		DeferCleanup(start)
		stop()
		start()
		w.synced(ctx, w.httpImport("others"))
		w.eventually(ctx, run, "rollout", "InProgress False/Progressing")
		Expect(get(ctx, w, run, "rollout").Status.Progress).To(Equal("1/3"))
		Expect(w.sizes()).To(Equal([]int{2, 2}))
		release()
		w.done(ctx, run, v1alpha1.RunSucceeded)
		Expect(w.written(target.Status.ID)).To(Equal(numbered(6)))
		Expect(w.sizes()).To(Equal([]int{2, 2, 2}))
	})

	It("records how the run ended without a manager, with its event", func(ctx context.Context) {
		w := newWorld(ctx)
		w.synced(ctx, w.httpImport("orders"))
		release := w.holdInvoke(1)
		run := w.batched("last", 2, 2)
		Expect(k8s.Create(ctx, run)).To(Succeed())
		Eventually(w.sizes).Should(Equal([]int{2}))
		stop, start := replaceManager()
		DeferCleanup(start)
		stop()
		release()
		w.done(ctx, run, v1alpha1.RunSucceeded)
		Eventually(func() []string { return w.events(ctx, "last") }).Should(ContainElement(HavePrefix("RecordsAccepted: ")))
		Expect(w.sizes()).To(Equal([]int{2}))
	})

	It("sends nothing after the call under way, and waits for its outcome, when the process is about to end", func(ctx context.Context) {
		w := newWorld(ctx)
		w.synced(ctx, w.httpImport("orders"))
		calls := controllers.NewCalls(4)
		operate, stop := w.operators()
		withOptions(func(o *controllers.Options) { o.Calls = calls })
		operate(ownership.Owner{})
		release := w.holdInvoke(1)
		run := w.batched("ending", 4, 2)
		Expect(k8s.Create(ctx, run)).To(Succeed())
		Eventually(w.sizes).Should(Equal([]int{2}))
		stop()
		short, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
		defer cancel()
		Expect(calls.Drain(short)).To(MatchError(ContainSubstring("1 calls of ImportRuns did not end in time")))
		release()
		Expect(calls.Drain(ctx)).To(Succeed())
		Expect(get(ctx, w, run, "ending").Status.Progress).To(Equal("1/2"))
		Expect(w.sizes()).To(Equal([]int{2}))
		withOptions(func(*controllers.Options) {})
		operate(ownership.Owner{})
		w.done(ctx, run, v1alpha1.RunSucceeded)
		Expect(w.sizes()).To(Equal([]int{2, 2}))
	})
})

var _ = Describe("Calls of others take long", func() {
	It("lets a run of another namespace begin while mine wait, and holds no worker for them", func(ctx context.Context) {
		mine, other := newWorld(ctx), newWorld(ctx)
		operate, _ := mine.operators()
		withOptions(func(o *controllers.Options) { o.ConcurrentRuns = 2 })
		operate(ownership.Owner{}, other.namespace)
		mine.synced(ctx, mine.httpImport("orders"))
		other.synced(ctx, other.httpImport("orders"))
		release := mine.holdInvoke(1)
		var runs []*v1alpha1.ImportRun
		for i := range 12 {
			run := mine.run(fmt.Sprintf("mine-%d", i), "orders", record(fmt.Sprint(i)))
			Expect(k8s.Create(ctx, run)).To(Succeed())
			if i == 0 {
				Eventually(mine.sizes).Should(Equal([]int{1}))
			}
			runs = append(runs, run)
		}
		for _, run := range runs[1:] {
			Eventually(func() string { return message(get(ctx, mine, run, run.Name)) }).Should(Equal("waiting for the calls of other runs to end"))
		}
		theirs := other.run("theirs", "orders", record("B-1"))
		Expect(k8s.Create(ctx, theirs)).To(Succeed())
		other.done(ctx, theirs, v1alpha1.RunSucceeded)
		Expect(mine.sizes()).To(Equal([]int{1}))
		// One that waits ends without its turn, and one that ends gives the place to the next.
		change(ctx, runs[5], func(run *v1alpha1.ImportRun) { run.Spec.Cancel = true })
		mine.done(ctx, runs[5], v1alpha1.RunCanceled)
		Expect(k8s.Delete(ctx, runs[6])).To(Succeed())
		release()
		for i, run := range runs {
			if i != 5 && i != 6 {
				mine.done(ctx, run, v1alpha1.RunSucceeded)
			}
		}
		Expect(mine.sizes()).To(HaveLen(10))
	})
})

var _ = Describe("A backup is restored", func() {
	DescribeTable("sends nothing again where the status was lost",
		func(ctx context.Context, restored func(*v1alpha1.ImportRun)) {
			w := newWorld(ctx)
			w.synced(ctx, w.httpImport("orders"))
			run := w.batched("backup", 4, 2)
			run.Spec.ActiveDeadlineSeconds = seconds(1)
			Expect(k8s.Create(ctx, run)).To(Succeed())
			w.done(ctx, run, v1alpha1.RunSucceeded)
			Expect(k8s.Delete(ctx, run)).To(Succeed())
			again := w.batched("backup", 4, 2)
			again.Annotations = run.Annotations
			again.Spec.ActiveDeadlineSeconds = seconds(1)
			restored(again)
			Eventually(func() error { return k8s.Create(ctx, again) }).Should(Succeed())
			w.done(ctx, again, v1alpha1.RunUnknown)
			Expect(w.sizes()).To(Equal([]int{2, 2}))
		},
		Entry("of a run as it was", func(*v1alpha1.ImportRun) {}),
		Entry("of a run with a damaged claim", func(run *v1alpha1.ImportRun) { run.Annotations = map[string]string{"integrator.io/claim": "{"} }),
	)
})

var _ = Describe("I edit a run that has ended", func() {
	It("stays as it ended, and its observedGeneration shows that the change was seen", func(ctx context.Context) {
		w := newWorld(ctx)
		w.synced(ctx, w.httpImport("orders"))
		run := w.run("over", "orders", record("A-1"))
		Expect(k8s.Create(ctx, run)).To(Succeed())
		w.done(ctx, run, v1alpha1.RunSucceeded)
		change(ctx, run, func(run *v1alpha1.ImportRun) { run.Spec.TTLSecondsAfterFinished = seconds(3600) })
		w.eventually(ctx, run, "over", "Current True/RecordsAccepted")
		change(ctx, run, func(run *v1alpha1.ImportRun) { run.Spec.Cancel = true })
		w.eventually(ctx, run, "over", "Current True/RecordsAccepted")
		Expect(run.Status.Phase).To(Equal(v1alpha1.RunSucceeded))
		Expect(w.calls()).To(HaveKeyWithValue(invoke, 1))
	})
})

var _ = Describe("I want a run to be deleted automatically", func() {
	It("is deleted when its time is over, and not before", func(ctx context.Context) {
		w := newWorld(ctx)
		w.synced(ctx, w.httpImport("orders"))
		run := w.run("short", "orders", record("A-1"))
		run.Spec.TTLSecondsAfterFinished = seconds(2)
		kept := w.run("kept", "orders", record("A-2"))
		Expect(k8s.Create(ctx, kept)).To(Succeed())
		Expect(k8s.Create(ctx, run)).To(Succeed())
		w.done(ctx, run, v1alpha1.RunSucceeded)
		ended := run.Status.CompletionTime.Time
		w.eventuallyGone(ctx, run)
		Expect(time.Since(ended)).To(BeNumerically(">=", 2*time.Second))

		w.done(ctx, kept, v1alpha1.RunSucceeded)
		change(ctx, kept, func(kept *v1alpha1.ImportRun) { kept.Spec.TTLSecondsAfterFinished = seconds(0) })
		w.eventuallyGone(ctx, kept)
		Expect(w.calls()).To(HaveKeyWithValue(invoke, 2))
	})
})
