// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/simulator"
)

const invoke = "POST /v1/imports/{id}/invoke"

// done waits until the run has ended in the phase.
func (w *world) done(ctx context.Context, run *v1alpha1.ImportRun, phase v1alpha1.RunPhase) {
	GinkgoHelper()
	Eventually(func() v1alpha1.RunPhase {
		return get(ctx, w, run, run.Name).Status.Phase
	}, time.Minute).Should(Equal(phase), func() string { return fmt.Sprintf("annotations %v, status %+v", run.Annotations, run.Status) })
	want := map[v1alpha1.RunPhase]string{v1alpha1.RunSucceeded: "Current", v1alpha1.RunFailed: "Failed", v1alpha1.RunUnknown: "Failed", v1alpha1.RunCanceled: "Failed"}
	Expect(state(run)).To(HavePrefix(want[phase]))
	Expect(run.Status.CompletionTime).NotTo(BeNil())
}

func record(sku string, more ...string) string {
	return fmt.Sprintf(`{"sku": %q%s}`, sku, strings.Join(append([]string{""}, more...), ", "))
}

var _ = Describe("I run an import", func() {
	It("sends the records once and counts what became of them", func(ctx context.Context) {
		w := newWorld(ctx)
		target := w.synced(ctx, w.httpImport("orders"))
		run := w.run("first", "orders",
			record("A-1"),
			record("A-2", `"_simulate": {"statusCode": 422, "code": "invalid_sku", "message": "no such sku"}`),
			record("A-3", `"_simulate": {"ignored": true}`),
			record("A-4", `"_simulate": {"id": 4711}`),
		)
		Expect(k8s.Create(ctx, run)).To(Succeed())
		w.done(ctx, run, v1alpha1.RunFailed)
		Expect(run.Status.Records).To(HaveValue(Equal(v1alpha1.RecordCounts{Total: 4, Sent: 4, Succeeded: 2, Failed: 1, Ignored: 1})))
		Expect(run.Status.Failures).To(Equal([]v1alpha1.RecordFailure{{Index: 1, StatusCode: 422, Code: "invalid_sku", Message: "no such sku"}}))
		Expect(run.Status.ImportID).To(Equal(target.Status.ID))
		Expect(run.Status.StartTime).NotTo(BeNil())
		Expect(w.calls()).To(HaveKeyWithValue(invoke, 1))
		_, written := sim.Written(w.account, target.Status.ID)
		Expect(written).To(Equal(2))
		Eventually(func() []string { return w.events(ctx, "first") }).Should(ContainElement(HavePrefix("RecordsFailed: 1 of 4 records failed")))
	})

	It("costs nothing once it has ended", func(ctx context.Context) {
		w := newWorld(ctx)
		target := w.synced(ctx, w.httpImport("orders"))
		run := w.run("over", "orders", record("A-1"))
		Expect(k8s.Create(ctx, run)).To(Succeed())
		w.done(ctx, run, v1alpha1.RunSucceeded)
		version := run.ResourceVersion

		change(ctx, target, func(target *v1alpha1.Import) {
			target.Spec.Definition.Raw = w.httpImport("orders", `{"description": "changed"}`).Spec.Definition.Raw
		})
		w.eventuallyReady(ctx, target, "orders")
		w.scans(2)
		Expect(get(ctx, w, run, "over").ResourceVersion).To(Equal(version))
		Expect(w.calls()).To(HaveKeyWithValue(invoke, 1))
	})

	It("waits until its Import is Ready", func(ctx context.Context) {
		w := newWorld(ctx)
		run := w.run("eager", "late", record("A-1"))
		Expect(k8s.Create(ctx, run)).To(Succeed())
		w.eventually(ctx, run, "eager", "InProgress False/ImportNotFound")
		Expect(run.Status.Phase).To(Equal(v1alpha1.RunWaiting))

		target := w.httpImport("late", `{"_connectionId": "@nowhere"}`)
		Expect(k8s.Create(ctx, target)).To(Succeed())
		w.eventually(ctx, run, "eager", "InProgress False/ImportNotReady")
		change(ctx, target, func(target *v1alpha1.Import) { target.Spec.Definition.Raw = w.httpImport("late").Spec.Definition.Raw })
		w.done(ctx, run, v1alpha1.RunSucceeded)
		Expect(w.calls()).To(HaveKeyWithValue(invoke, 1))
	})

	It("takes records from data, ConfigMaps and Secrets, in order, with settings", func(ctx context.Context) {
		w := newWorld(ctx)
		target := w.synced(ctx, w.httpImport("orders"))
		run := w.run("mixed", "orders", record("A-1"))
		run.Spec.DataFrom = []v1alpha1.DataSource{
			{ConfigMapKeyRef: &v1alpha1.KeyReference{Name: "records", Key: "lines"}},
			{SecretKeyRef: &v1alpha1.KeyReference{Name: "records", Key: "array"}},
		}
		run.Spec.Settings = &v1alpha1.JSON{Raw: []byte(`{"dryRun": false}`)}
		Expect(k8s.Create(ctx, run)).To(Succeed())
		w.eventually(ctx, run, "mixed", "InProgress False/DataNotFound")
		Expect(message(run)).To(ContainSubstring(`waiting for key "lines" of ConfigMap "records"`))

		Expect(k8s.Create(ctx, &corev1.ConfigMap{ObjectMeta: w.meta("records"), Data: map[string]string{"lines": record("A-2") + "\n" + record("A-3") + "\n"}})).To(Succeed())
		w.eventually(ctx, run, "mixed", "InProgress False/DataNotFound")
		Expect(k8s.Create(ctx, &corev1.Secret{ObjectMeta: w.meta("records"), StringData: map[string]string{
			"array": "[" + record("A-4", `"_simulate": {"statusCode": 500, "message": "canary-5f2c"}`) + "]"}})).To(Succeed())
		w.done(ctx, run, v1alpha1.RunFailed)

		Expect(run.Status.Records).To(HaveValue(Equal(v1alpha1.RecordCounts{Total: 4, Sent: 4, Succeeded: 3, Failed: 1})))
		records, _ := sim.Written(w.account, target.Status.ID)
		var skus []string
		for _, raw := range records {
			var sent struct{ SKU string }
			Expect(json.Unmarshal(raw, &sent)).To(Succeed())
			skus = append(skus, sent.SKU)
		}
		Expect(skus).To(Equal([]string{"A-1", "A-2", "A-3"}))
		Expect(fmt.Sprint(run.Status)).NotTo(ContainSubstring("canary-5f2c"), "what came from a Secret is not repeated")
		for _, note := range w.events(ctx, "mixed") {
			Expect(note).NotTo(ContainSubstring("canary-5f2c"))
		}
	})

	It("takes null for a record like any other", func(ctx context.Context) {
		w := newWorld(ctx)
		target := w.synced(ctx, w.httpImport("orders"))
		run := w.run("empty", "orders", `null`, `{"sku": null}`, `[null, 1]`)
		Expect(k8s.Create(ctx, run)).To(Succeed())
		w.done(ctx, run, v1alpha1.RunSucceeded)
		Expect(w.written(target.Status.ID)).To(HaveExactElements(`null`, MatchJSON(`{"sku": null}`), MatchJSON(`[null, 1]`)))
	})

	It("invokes an import that no Import declares, by its id", func(ctx context.Context) {
		w := newWorld(ctx)
		id, err := sim.SeedImport(w.account, map[string]any{
			"name": "not managed", "_connectionId": shopConnection, "adaptorType": "HTTPImport",
			"http": map[string]any{"method": []any{"POST"}, "relativeURI": []any{"/"}, "body": []any{nil}},
		})
		Expect(err).NotTo(HaveOccurred())
		run := w.runByID("by-id", id, record("A-1"))
		Expect(k8s.Create(ctx, run)).To(Succeed())
		w.done(ctx, run, v1alpha1.RunSucceeded)
	})

	It("waits for a permit of the account without keeping others from theirs", func(ctx context.Context) {
		w := newWorld(ctx)
		w.synced(ctx, w.httpImport("orders"))
		change(ctx, get(ctx, w, &v1alpha1.Account{}, "default"), func(account *v1alpha1.Account) {
			account.Spec.MaxInFlight = 1
		})
		w.scans(1)
		release := w.holdInvoke(1)
		first, second := w.run("first", "orders", record("A-1")), w.run("second", "orders", record("A-2"))
		Expect(k8s.Create(ctx, first)).To(Succeed())
		Eventually(w.sizes).Should(Equal([]int{1}))
		Expect(k8s.Create(ctx, second)).To(Succeed())
		Eventually(func() string { return message(get(ctx, w, second, "second")) }).WithTimeout(time.Minute).
			Should(Equal("waiting for other calls of the account to end"))
		release()
		w.done(ctx, first, v1alpha1.RunSucceeded)
		w.done(ctx, second, v1alpha1.RunSucceeded)
	})

	DescribeTable("ends as Unknown when the call was sent and its answer is lost",
		func(ctx context.Context, phase simulator.Phase, action simulator.Action, because string) {
			w := newWorld(ctx)
			target := w.synced(ctx, w.httpImport("orders"))
			w.strike(http.MethodPost, "/v1/imports/{id}/invoke", phase, action)
			run := w.run("lost", "orders", record("A-1"), record("A-2"))
			run.Spec.ActiveDeadlineSeconds = seconds(3)
			Expect(k8s.Create(ctx, run)).To(Succeed())
			w.done(ctx, run, v1alpha1.RunUnknown)
			Expect(message(run)).To(ContainSubstring(because))
			Expect(message(run)).To(ContainSubstring("look into the destination before running again"))
			w.scans(2)
			Expect(w.calls()).To(HaveKeyWithValue(invoke, 1))
			_, written := sim.Written(w.account, target.Status.ID)
			Expect(written).To(BeNumerically("<=", 2))
		},
		Entry("reset after it was applied", simulator.PhaseAfter, simulator.Action{Kind: simulator.ActionReset}, "the connection broke"),
		Entry("reset before it was applied", simulator.PhaseBefore, simulator.Action{Kind: simulator.ActionReset}, "the connection broke"),
		Entry("no answer within the deadline", simulator.PhaseAfter, simulator.Action{Kind: simulator.ActionHang}, "no answer in time"),
		Entry("a web page with 504", simulator.PhaseAfter, simulator.Action{Kind: simulator.ActionAnswer, Status: 504, HTML: true}, "the API answered 504"),
		Entry("half an answer", simulator.PhaseAfter, simulator.Action{Kind: simulator.ActionTruncate, Bytes: 10}, "answer"),
		Entry("garbage with 200", simulator.PhaseAfter, simulator.Action{Kind: simulator.ActionGarbage}, "the answer is not what the API documents"),
		Entry("a redirect", simulator.PhaseBefore, simulator.Action{Kind: simulator.ActionRedirect, Location: "http://169.254.169.254/"}, "the API answered 307"),
	)

	DescribeTable("ends as Failed when the call is known to have changed nothing",
		func(ctx context.Context, action simulator.Action, reason, says string) {
			w := newWorld(ctx)
			target := w.synced(ctx, w.httpImport("orders"))
			w.strike(http.MethodPost, "/v1/imports/{id}/invoke", simulator.PhaseBefore, action)
			run := w.run("refused", "orders", record("A-1"))
			Expect(k8s.Create(ctx, run)).To(Succeed())
			w.done(ctx, run, v1alpha1.RunFailed)
			Expect(state(run)).To(Equal("Failed False/" + reason))
			Expect(message(run)).To(And(ContainSubstring(says), ContainSubstring("nothing was written")))
			Expect(run.Status.Records).To(HaveValue(Equal(v1alpha1.RecordCounts{Total: 1})))
			_, written := sim.Written(w.account, target.Status.ID)
			Expect(written).To(BeZero())
		},
		Entry("400", simulator.Action{Kind: simulator.ActionAnswer, Status: 400, Body: `{"errors":[{"code":"bad","message":"no"}]}`}, "Rejected", "no [bad]"),
		Entry("401", simulator.Action{Kind: simulator.ActionAnswer, Status: 401}, "TokenRejected", "put a valid token"),
		Entry("403", simulator.Action{Kind: simulator.ActionAnswer, Status: 403}, "Forbidden", "has no permission"),
		Entry("404", simulator.Action{Kind: simulator.ActionAnswer, Status: 404}, "NotFound", "resource not found"),
		Entry("422", simulator.Action{Kind: simulator.ActionAnswer, Status: 422}, "Rejected", "rejects it (422"),
	)

	It("reports a whole request that failed with 200", func(ctx context.Context) {
		w := newWorld(ctx)
		w.synced(ctx, w.httpImport("orders"))
		run := w.run("closed", "orders", record("A-1"))
		run.Spec.Settings = &v1alpha1.JSON{Raw: []byte(`{"_simulate": {"statusCode": 200, "errors": [{"code": "connection_offline", "message": "the connection is offline"}]}}`)}
		Expect(k8s.Create(ctx, run)).To(Succeed())
		w.done(ctx, run, v1alpha1.RunFailed)
		Expect(message(run)).To(ContainSubstring("the connection is offline [connection_offline]"))
	})

	It("continues after the account was rate limited, and still sends once", func(ctx context.Context) {
		w := newWorld(ctx)
		target := w.synced(ctx, w.httpImport("orders"))
		w.strike(http.MethodPost, "/v1/imports/{id}/invoke", simulator.PhaseBefore, simulator.Action{Kind: simulator.ActionAnswer, Status: 429, RetryAfter: "1"})
		run := w.run("patient", "orders", record("A-1"))
		Expect(k8s.Create(ctx, run)).To(Succeed())
		w.done(ctx, run, v1alpha1.RunSucceeded)
		_, written := sim.Written(w.account, target.Status.ID)
		Expect(written).To(Equal(1))
	})

	It("waits while the account is rate limited", func(ctx context.Context) {
		w := newWorld(ctx)
		w.synced(ctx, w.httpImport("orders"))
		_, err := sim.AddRule(simulator.Rule{Account: w.account, Method: http.MethodPost, Phase: simulator.PhaseBefore,
			Action: simulator.Action{Kind: simulator.ActionAnswer, Status: 429, RetryAfter: "600"}})
		Expect(err).NotTo(HaveOccurred())
		run := w.run("resting", "orders", record("A-1"))
		run.Spec.ActiveDeadlineSeconds = seconds(3600)
		Expect(k8s.Create(ctx, run)).To(Succeed())
		w.eventually(ctx, run, "resting", "InProgress False/RateLimited")
		Expect(run.Status.Phase).To(Equal(v1alpha1.RunWaiting))
		Eventually(func() map[string]string { return get(ctx, w, run, "resting").Annotations }).
			Should(HaveKeyWithValue("integrator.io/claim", Not(ContainSubstring("token"))))
		version := run.ResourceVersion
		Consistently(func() string { return get(ctx, w, run, "resting").ResourceVersion }).Should(Equal(version))
		Expect(w.calls()).To(HaveKeyWithValue(invoke, 1))
	})

	It("does not send again when its claim is removed", func(ctx context.Context) {
		w := newWorld(ctx)
		w.synced(ctx, w.httpImport("orders"))
		run := w.run("unclaimed", "nothing-yet", record("A-1"))
		Expect(k8s.Create(ctx, run)).To(Succeed())
		w.eventually(ctx, run, "unclaimed", "InProgress False/ImportNotFound")
		// As it looks when the operator is killed during a call and the claim is stripped.
		Eventually(func() error {
			get(ctx, w, run, "unclaimed")
			run.Status.Phase = v1alpha1.RunRunning
			return k8s.Status().Update(ctx, run)
		}).Should(Succeed())
		Expect(k8s.Create(ctx, w.httpImport("nothing-yet"))).To(Succeed())
		w.done(ctx, run, v1alpha1.RunUnknown)
		Expect(w.calls()).NotTo(HaveKey(invoke))
	})

	DescribeTable("sends nothing when the data cannot be sent",
		func(ctx context.Context, edit func(*v1alpha1.ImportRun), says string) {
			w := newWorld(ctx)
			w.synced(ctx, w.httpImport("orders"))
			Expect(k8s.Create(ctx, &corev1.ConfigMap{ObjectMeta: w.meta("records"), Data: map[string]string{
				"broken": `[{"secret-looking": "x"},`, "lines": "{}\n{oops}\n", "empty": "",
				"marked": "\ufeff[\n  {\"a\": 1}\n  {\"secret-looking\": 2}\n]", "request": `{"data": [{"a": 1}], "settings": {"b": 2}}`,
			}, BinaryData: map[string][]byte{
				"one": zipped(wide(5_000_001 - len("[]"))), "bomb": zipped(strings.Repeat(" ", 64<<20+1)), "half": zipped(record("A-1"))[:20],
				"utf16": []byte("\xff\xfe[\x00{\x00}\x00]\x00"), "zipped-utf16": zipped("\xfe\xff\x00[\x00{\x00}\x00]"),
			}})).To(Succeed())
			run := w.run("bad", "orders")
			edit(run)
			Expect(k8s.Create(ctx, run)).To(Succeed())
			w.done(ctx, run, v1alpha1.RunFailed)
			Expect(state(run)).To(Equal("Failed False/InvalidData"))
			Expect(message(run)).To(And(ContainSubstring(says), HaveSuffix("; nothing was sent")))
			Expect(w.calls()).NotTo(HaveKey(invoke))
		},
		Entry("half an array", from("broken"), "dataFrom[0] is not a JSON array: it ends too early"),
		Entry("an array with a mistake inside, and a byte order mark", from("marked"), "dataFrom[0] is not a JSON array: syntax error at line 3, column 3"),
		Entry("another encoding", from("utf16"), "dataFrom[0] is in UTF-16, as some programs of Windows write text: save it as UTF-8"),
		Entry("another encoding, compressed", from("zipped-utf16"), "dataFrom[0] is in UTF-16"),
		Entry("the body of a request", from("request"), `dataFrom[0] is an object of just "data" and "settings", as in a request to the API: put the array into spec.data or alone into the key, and the settings into spec.settings; if the object is one record, put it into an array, [{…}]`),
		Entry("a bad line", from("lines"), "dataFrom[0] is not JSON Lines: record 1: syntax error at line 2, column 2"),
		Entry("nothing", from("empty"), "there are no records in data and dataFrom"),
		Entry("settings that are no object", func(run *v1alpha1.ImportRun) {
			run.Spec.Data = []v1alpha1.JSON{{Raw: []byte("{}")}}
			run.Spec.Settings = &v1alpha1.JSON{Raw: []byte(`[1]`)}
		}, "settings is not a JSON object"),
		Entry("a record that no call can have", from("one"), "record 0 makes a call of 5000001 bytes, more than the 5000000 that the API takes; create another ImportRun with a smaller record, or with smaller settings"),
		Entry("more than a run can have", from("bomb"), "the data is more than the 64 MiB and 1000000 records that one run can have, from dataFrom[0] on"),
		Entry("half a file", from("half"), "dataFrom[0] is compressed with gzip, and cannot be decompressed"),
	)

	It("sends what is meant: no byte order mark, and a wrapped record whole", func(ctx context.Context) {
		w := newWorld(ctx)
		target := w.synced(ctx, w.httpImport("orders"))
		wrapped := `{"data":[{"a":1}],"settings":{"b":2}}`
		Expect(k8s.Create(ctx, &corev1.ConfigMap{ObjectMeta: w.meta("records"), Data: map[string]string{
			"array": "\ufeff[" + wrapped + "]", "lines": "\ufeff" + record("A-1") + "\n\ufeff" + record("A-2"),
		}})).To(Succeed())
		run := w.run("marked", "orders", wrapped)
		from("array", "lines")(run)
		Expect(k8s.Create(ctx, run)).To(Succeed())
		w.done(ctx, run, v1alpha1.RunSucceeded)
		sent, _ := sim.Written(w.account, target.Status.ID)
		Expect(sent).To(HaveExactElements(MatchJSON(wrapped), MatchJSON(wrapped), MatchJSON(record("A-1")), MatchJSON(record("A-2"))))
	})

	It("warns of a number that Kubernetes may have rounded, and says nothing else of the record", func(ctx context.Context) {
		w := newWorld(ctx)
		w.synced(ctx, w.httpImport("orders"))
		run := w.run("rounded", "orders", record("A-1"), `{"sku": "A-2", "confidential": 12345678901234567890}`)
		run.Spec.Settings = &v1alpha1.JSON{Raw: []byte(`{"n": 9223372036854775807}`)}
		Expect(k8s.Create(ctx, run)).To(Succeed())
		w.done(ctx, run, v1alpha1.RunSucceeded)
		Eventually(func() []string { return w.events(ctx, "rounded") }).Should(ContainElement(
			"RoundedNumber: there is a whole number beyond 64 bits in data[1]: Kubernetes rounds it to 17 digits, so it may not be the number that was written; write an id as text, in quotes, or put the records into dataFrom"))
	})

	It("never touches a claim that another process made", func(ctx context.Context) {
		w := newWorld(ctx)
		w.synced(ctx, w.httpImport("orders"))
		run := w.run("taken", "orders", record("A-1"))
		past := time.Now().Add(-time.Hour).UTC().Format(time.RFC3339)
		run.Annotations = map[string]string{"integrator.io/claim": fmt.Sprintf(`{"token":"t","holder":"former","time":%q,"deadline":%q}`, past, past)}
		Expect(k8s.Create(ctx, run)).To(Succeed())
		w.done(ctx, run, v1alpha1.RunUnknown)
		Expect(w.calls()).NotTo(HaveKey(invoke))
	})
})

func from(keys ...string) func(*v1alpha1.ImportRun) {
	return func(run *v1alpha1.ImportRun) {
		for _, key := range keys {
			run.Spec.DataFrom = append(run.Spec.DataFrom, v1alpha1.DataSource{ConfigMapKeyRef: &v1alpha1.KeyReference{Name: "records", Key: key}})
		}
	}
}
