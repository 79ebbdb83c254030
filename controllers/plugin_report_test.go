// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/report"
	"github.com/integrator-operator/integrator-operator/internal/simulator"
)

// reported runs kubectl integrator report, and expects an exit code.
func (w *world) reported(ctx context.Context, exit int, args ...string) (made *report.Report, stderr string) {
	GinkgoHelper()
	stdout, stderr, code := w.plugin(ctx, append([]string{"report", "-o", "json"}, args...)...)
	Expect(code).To(Equal(exit), stdout+stderr)
	made = &report.Report{}
	Expect(json.Unmarshal([]byte(stdout), made)).To(Succeed(), stdout)
	return made, stderr
}

var _ = Describe("I report to an auditor", func() {
	It("has who changed what, what was corrected, and the runs, from a look that writes nothing", func(ctx context.Context) {
		w := newWorld(ctx)
		w.viewer(ctx)
		object := w.synced(ctx, w.httpImport("orders", `{"description": "declared"}`))
		Expect(sim.EditAs(jane, w.account, object.Status.ID, func(document simulator.Document) { document["description"] = "by hand" })).To(Succeed())
		Eventually(func() []string { return w.events(ctx, "orders") }).Should(ContainElement(HavePrefix(v1alpha1.ReasonDriftCorrected)))
		run := w.run("first", "orders", `{"n": 1}`, `{"n": 2}`)
		Expect(k8s.Create(ctx, run)).To(Succeed())
		w.done(ctx, run, v1alpha1.RunSucceeded)

		before := w.writes()
		made, stderr := w.reported(ctx, 0, "--since", "24h")
		Expect(stderr).To(BeEmpty())
		Expect(w.writes()).To(Equal(before))
		Expect(made.Accounts).To(ConsistOf(And(HaveField("Name", "default"), HaveField("Ready", "True"))))
		Expect(made.Imports).To(ConsistOf(And(HaveField("Name", "orders"), HaveField("ID", object.Status.ID), HaveField("Management", "Managed"))))
		Expect(made.Changes).To(ContainElements(
			And(HaveField("User", jane.Email), HaveField("Operator", false), HaveField("Fields", ConsistOf("description"))),
			And(HaveField("Event", "create"), HaveField("Operator", true))))
		Expect(made.Drift).To(ConsistOf(
			And(HaveField("From", "event"), HaveField("State", report.DriftDetected), HaveField("Message", ContainSubstring("by "+jane.Email))),
			And(HaveField("From", "event"), HaveField("State", report.DriftCorrected), HaveField("Message", ContainSubstring(`remote "by hand"`))),
			And(HaveField("From", "audit log"), HaveField("State", report.DriftCorrected), HaveField("User", jane.Email), HaveField("Corrected", Not(BeNil())))))
		Expect(made.Runs).To(ConsistOf(And(HaveField("Name", "first"), HaveField("Phase", "Succeeded"), HaveField("Total", int32(2)), HaveField("Succeeded", int32(2)))))
		Expect(made.Sources).To(ContainElements(HaveField("Name", "audit log of the platform, Account "+w.namespace+"/default"), HaveField("Name", "events of Kubernetes")))

		By("opening it as a page, and as a table")
		page, _, code := w.plugin(ctx, "report")
		Expect(code).To(BeZero())
		Expect(page).To(And(HavePrefix("<!DOCTYPE html>"), ContainSubstring(jane.Email), Not(ContainSubstring("<script"))))
		table, _, code := w.plugin(ctx, "report", "-o", "csv")
		Expect(code).To(BeZero())
		rows, err := csv.NewReader(strings.NewReader(table)).ReadAll()
		Expect(err).NotTo(HaveOccurred())
		Expect(rows).To(ContainElement(ContainElements("change", jane.Email, "description")))

		By("asking for what cannot be")
		_, stderr, code = w.plugin(ctx, "report", "-o", "pdf")
		Expect(code).To(Equal(1))
		Expect(stderr).To(Equal("error: --output pdf: it is html, csv or json\n"))
		_, stderr, code = w.plugin(ctx, "report", "-A")
		Expect(code).To(Equal(1))
		Expect(stderr).To(ContainSubstring("list the Accounts"))
	})

	It("shows nothing of a Secret, and has the rest where an account cannot be asked", func(ctx context.Context) {
		const core = "C4nary0fTheReport"
		w := newWorld(ctx)
		w.viewer(ctx)
		w.keep(ctx, canary(core))
		object := w.synced(ctx, w.keyed("keyed"))

		By("copying the value to where everybody sees it, and keeping an event of a time when it was no secret")
		Expect(sim.EditAs(simulator.User{Name: canary(core)}, w.account, object.Status.ID, func(document simulator.Document) {
			document["description"] = canary(core)
			document["settings"] = map[string]any{canary(core): 1}
		})).To(Succeed())
		Expect(sim.EditAs(jane, w.account, object.Status.ID, func(document simulator.Document) { header(document)["value"] = canary(core) + "!" })).To(Succeed())
		Eventually(func() any { return header(w.remote(object.Status.ID))["value"] }).Should(Equal(canary(core)))
		event := &eventsv1.Event{ObjectMeta: w.meta("old"), EventTime: metav1.NowMicro(), Type: "Normal", Reason: v1alpha1.ReasonDriftCorrected, Action: "a",
			ReportingController: "integrator-operator", ReportingInstance: "old", Note: "restored what is declared: /http (declared " + canary(core) + ")"}
		event.Regarding.APIVersion, event.Regarding.Kind, event.Regarding.Namespace, event.Regarding.Name = v1alpha1.GroupVersion.String(), "Import", w.namespace, "keyed"
		Expect(k8s.Create(ctx, event)).To(Succeed())

		By("having another account whose token is missing")
		other := w.accountObject("other")
		other.Spec.TokenSecretRef.Name = "nowhere"
		Expect(k8s.Create(ctx, other)).To(Succeed())
		Expect(k8s.Create(ctx, inAccount(w.httpImport("lost"), "other"))).To(Succeed())

		for _, format := range []string{"html", "csv", "json"} {
			stdout, stderr, code := w.plugin(ctx, "report", "-o", format)
			Expect(code).To(Equal(1), stdout+stderr)
			Expect(leaks(stdout+stderr, core)).To(BeEmpty(), "in %s", format)
			Expect(stdout).To(And(ContainSubstring("(redacted)"), ContainSubstring(jane.Email), ContainSubstring("keyed")), "in %s", format)
			Expect(stderr).To(Equal("error: Account " + w.namespace + "/other: there is no Secret \"nowhere\" in namespace \"" + w.namespace + "\": create it with the API token under key \"token\"\n"))
		}
		made, _ := w.reported(ctx, 1)
		Expect(made.Problems).To(ConsistOf(HaveField("Object", "Account "+w.namespace+"/other")))
		Expect(made.Imports).To(HaveLen(2))
		Expect(made.Changes).NotTo(BeEmpty())
	})
})
