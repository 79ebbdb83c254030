// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"
	"encoding/json"
	"net/url"
	"os"
	"path/filepath"
	"slices"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/plan"
	"github.com/integrator-operator/integrator-operator/internal/simulator"
)

// administrator among the arguments of plugin runs it as somebody who may do everything.
const administrator = "administrator"

// plugin runs kubectl integrator in the story's namespace, as somebody who may only look.
func (w *world) plugin(ctx context.Context, args ...string) (stdout, stderr string, code int) {
	GinkgoHelper()
	file := filepath.Join(GinkgoT().TempDir(), "kubeconfig")
	Expect(os.WriteFile(file, kubeconfig, 0o600)).To(Succeed())
	host, err := url.Parse(simURL)
	Expect(err).NotTo(HaveOccurred())
	common := []string{"kubectl", args[0], "--kubeconfig", file, "--namespace", w.namespace}
	if !slices.Contains(args, administrator) {
		common = append(common, "--as", "system:serviceaccount:"+w.namespace+":viewer")
	}
	args = slices.DeleteFunc(args, func(argument string) bool { return argument == administrator })
	if slices.Contains([]string{"plan", "diff", "history", "adopt", "report", "doctor", "takeover"}, args[0]) {
		common = append(common, "--allow-http", "--allowed-api-hosts", host.Host)
	}
	return manager(ctx, append(common, args[1:]...)...)
}

// viewer may get and list the three kinds, and the Secrets and the events of the namespace; nothing else.
func (w *world) viewer(ctx context.Context) {
	GinkgoHelper()
	Expect(k8s.Create(ctx, &corev1.ServiceAccount{ObjectMeta: w.meta("viewer")})).To(Succeed())
	look := []string{"get", "list"}
	Expect(k8s.Create(ctx, &rbacv1.Role{ObjectMeta: w.meta("viewer"), Rules: []rbacv1.PolicyRule{
		{APIGroups: []string{v1alpha1.GroupVersion.Group}, Resources: []string{"accounts", "imports", "importruns"}, Verbs: look},
		{APIGroups: []string{""}, Resources: []string{"secrets", "configmaps"}, Verbs: look},
		{APIGroups: []string{"events.k8s.io"}, Resources: []string{"events"}, Verbs: look},
	}})).To(Succeed())
	Expect(k8s.Create(ctx, &rbacv1.RoleBinding{
		ObjectMeta: w.meta("viewer"),
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: "viewer"},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: w.namespace, Name: "viewer"}},
	})).To(Succeed())
}

// planned runs kubectl integrator plan over a folder, and expects an exit code.
func (w *world) planned(ctx context.Context, exit int, args ...string) *plan.Plan {
	GinkgoHelper()
	stdout, stderr, code := w.plugin(ctx, append([]string{"plan", "-o", "json"}, args...)...)
	Expect(code).To(Equal(exit), stdout+stderr)
	var made plan.Plan
	Expect(json.Unmarshal([]byte(stdout), &made)).To(Succeed(), stdout+stderr)
	return &made
}

// actions are the actions of a plan by name.
func actions(made *plan.Plan) map[string]plan.Action {
	found := map[string]plan.Action{}
	for _, item := range made.Items {
		found[item.Name] = item.Action
	}
	return found
}

// inFolder writes objects as manifests.
func inFolder(objects ...client.Object) string {
	GinkgoHelper()
	folder := GinkgoT().TempDir()
	for _, object := range objects {
		gvk, err := k8s.GroupVersionKindFor(object)
		Expect(err).NotTo(HaveOccurred())
		manifest := map[string]any{}
		text, err := json.Marshal(object)
		Expect(err).NotTo(HaveOccurred())
		Expect(json.Unmarshal(text, &manifest)).To(Succeed())
		delete(manifest, "status")
		manifest["apiVersion"], manifest["kind"] = gvk.GroupVersion().String(), gvk.Kind
		manifest["metadata"] = map[string]any{"name": object.GetName()}
		text, err = yaml.Marshal(manifest)
		Expect(err).NotTo(HaveOccurred())
		Expect(os.WriteFile(filepath.Join(folder, object.GetName()+".yaml"), text, 0o600)).To(Succeed())
	}
	return folder
}

var _ = Describe("I plan a change before I apply it", func() {
	It("is told exactly the calls that applying makes, and nothing is written", func(ctx context.Context) {
		w := newWorld(ctx)
		w.viewer(ctx)
		existing := w.seed("existing", `{"description": "by hand"}`)
		for _, name := range []string{"same", "changed", "connected", "dropped", "used"} {
			w.synced(ctx, w.httpImport(name))
		}
		used := get(ctx, w, &v1alpha1.Import{}, "used")
		w.flow(1, used.Status.ID)
		folder := inFolder(
			w.httpImport("created"),
			w.httpImport("same"),
			w.httpImport("changed", `{"description": "new", "http": {"method": ["PUT"], "relativeURI": ["/items/1"], "body": [null]}}`),
			w.httpImport("connected", `{"_connectionId": "@ftp"}`),
			adopting(w.httpImport("existing"), v1alpha1.AdoptSpec{ID: v1alpha1.ID(existing), Mode: v1alpha1.AdoptionModeOverride}),
			w.run("first", "same", `{"n": 1}`),
		)
		before := w.writes()
		made := w.planned(ctx, 1, "-f", folder, "--prune")
		Expect(actions(made)).To(Equal(map[string]plan.Action{
			"created": plan.Create, "same": plan.None, "changed": plan.Update, "connected": plan.Update, "existing": plan.Adopt,
			"first": plan.Invoke, "dropped": plan.Delete, "used": plan.Fail,
		}))
		Expect(w.writes()).To(Equal(before))

		By("reading it at the terminal")
		stdout, _, code := w.plugin(ctx, "plan", "-f", folder)
		Expect(code).To(Equal(2))
		Expect(stdout).To(And(
			ContainSubstring("~ Import "+w.namespace+"/changed"), ContainSubstring(`+ /description: "new"`),
			ContainSubstring("Plan: 1 to create, 2 to update, 1 to adopt, 1 to run, 1 unchanged.")))
		markdown, _, _ := w.plugin(ctx, "plan", "-f", folder, "-o", "markdown")
		Expect(markdown).To(ContainSubstring("| `+` | Import " + w.namespace + "/created | create |"))

		By("applying it")
		output, err := kubectl(ctx, "", "apply", "-n", w.namespace, "-f", folder)
		Expect(err).NotTo(HaveOccurred(), output)
		Expect(k8s.Delete(ctx, get(ctx, w, &v1alpha1.Import{}, "dropped"))).To(Succeed())
		want := before
		for _, item := range made.Items {
			for _, call := range item.Calls {
				want[call]++
			}
		}
		Eventually(w.writes).Should(Equal(want))
		for _, name := range []string{"created", "changed", "connected", "existing"} {
			w.eventuallyReady(ctx, &v1alpha1.Import{ObjectMeta: w.meta(name)}, name)
		}
		w.done(ctx, &v1alpha1.ImportRun{ObjectMeta: w.meta("first")}, v1alpha1.RunSucceeded)
		w.scans(2)
		Expect(w.writes()).To(Equal(want))
		Expect(w.planned(ctx, 0, "-f", folder).Changes()).To(BeFalse())

		By("taking a field out of a manifest")
		shorter := w.planned(ctx, 2, "-f", inFolder(w.httpImport("changed", `{"http": {"method": ["PUT"], "relativeURI": ["/items/1"], "body": [null]}}`)))
		Expect(shorter.Items).To(ConsistOf(And(HaveField("Action", plan.Update),
			HaveField("Differences", Equal([]v1alpha1.Difference{{Path: "/description"}})))))
	})

	It("shows how an import differs now from what is declared", func(ctx context.Context) {
		w := newWorld(ctx)
		w.viewer(ctx)
		object := w.httpImport("watched", `{"description": "declared"}`)
		object.Spec.DriftPolicy = v1alpha1.DriftPolicyReport
		w.synced(ctx, object)
		stdout, stderr, code := w.plugin(ctx, "diff", "watched")
		Expect(code).To(BeZero(), stdout+stderr)
		Expect(sim.EditAs(jane, w.account, object.Status.ID, func(document simulator.Document) { document["description"] = "by hand" })).To(Succeed())
		stdout, stderr, code = w.plugin(ctx, "diff", "watched")
		Expect(code).To(Equal(2), stdout+stderr)
		Expect(stdout).To(ContainSubstring(`differs, and is left so: /description (declared "declared", remote "by hand")`))

		By("asking who it was")
		stdout, stderr, code = w.plugin(ctx, "history", "watched")
		Expect(code).To(BeZero(), stderr)
		Expect(stdout).To(MatchRegexp(`(?m)^TIME +EVENT +SOURCE +USER +FIELDS\n\S+ +update +ui +jane@example.com +description\n\S+ +create +api +operator`))

		By("looking at the whole")
		Eventually(func() string { stdout, _, _ := w.plugin(ctx, "status"); return stdout }).Should(ContainSubstring("Import watched: differs: /description"))
	})

	It("takes over one import with the manifest that it is given", func(ctx context.Context) {
		w := newWorld(ctx)
		w.viewer(ctx)
		id := w.seed("Made in the UI", `{"description": "by hand"}`)
		manifest, stderr, code := w.plugin(ctx, "adopt", id)
		Expect(code).To(BeZero(), stderr)
		output, err := kubectl(ctx, manifest, "apply", "-n", w.namespace, "-f", "-")
		Expect(err).NotTo(HaveOccurred(), output)
		w.eventuallyReady(ctx, &v1alpha1.Import{ObjectMeta: w.meta("made-in-the-ui")}, "made-in-the-ui")
		Expect(get(ctx, w, &v1alpha1.Import{}, "made-in-the-ui").Status.ID).To(Equal(id))

		_, stderr, code = w.plugin(ctx, "adopt", "64b00000000000000000000f")
		Expect(code).To(Equal(1))
		Expect(stderr).To(Equal("error: the account of Account \"default\" has no import 64b00000000000000000000f\n"))
	})

	It("says the same without a cluster where everything is new", func(ctx context.Context) {
		w := newWorld(ctx)
		w.viewer(ctx)
		folder := inFolder(w.httpImport("one"), w.httpImport("two", `{"_connectionId": "@erp"}`), w.httpImport("three", `{"nam": "typo"}`))
		within := w.planned(ctx, 1, "-f", folder)
		token := filepath.Join(GinkgoT().TempDir(), "token")
		Expect(os.WriteFile(token, []byte(w.token), 0o600)).To(Succeed())
		aliases := filepath.Join(GinkgoT().TempDir(), "aliases.yaml")
		Expect(os.WriteFile(aliases, []byte("shop: "+shopConnection+"\nftp: "+ftpConnection+"\n"), 0o600)).To(Succeed())
		without := w.planned(ctx, 1, "-f", folder, "--no-cluster", "--base-url", simURL, "--token-file", token, "--aliases", aliases)
		Expect(without.Items).To(Equal(within.Items))
		Expect(actions(within)).To(Equal(map[string]plan.Action{"one": plan.Create, "two": plan.Fail, "three": plan.Create}))
		Expect(w.writes()).To(BeEmpty())
	})
})

var _ = Describe("I send records from a terminal", func() {
	It("waits for the end, lists the records that failed, and gives them to me to correct", func(ctx context.Context) {
		w := newWorld(ctx)
		w.synced(ctx, w.httpImport("orders"))
		file := filepath.Join(GinkgoT().TempDir(), "orders.json")
		Expect(os.WriteFile(file, []byte("[\n  {\"n\": 0},\n  {\"n\": 1},\n  {\n    \"n\": 2\n  }\n]\n"), 0o600)).To(Succeed())
		as := func(args ...string) (stdout, stderr string, code int) {
			config := filepath.Join(GinkgoT().TempDir(), "kubeconfig")
			Expect(os.WriteFile(config, kubeconfig, 0o600)).To(Succeed())
			return manager(ctx, append([]string{"kubectl", "run", "--kubeconfig", config, "--namespace", w.namespace}, args...)...)
		}

		w.failing(".xx")
		stdout, stderr, code := as("orders", "-f", file, "--failed-only", "--key", "first")
		Expect(code).To(Equal(2), stderr)
		Expect(stdout).To(Equal("{\"n\":1}\n{\"n\":2}\n"))
		Expect(stderr).To(And(ContainSubstring("2 of 3 records failed"), ContainSubstring("1       422     invalid_sku  no such sku")))

		By("sending those that failed")
		var runs v1alpha1.ImportRunList
		Expect(k8s.List(ctx, &runs, client.InNamespace(w.namespace))).To(Succeed())
		Expect(runs.Items).To(HaveLen(1))
		_, stderr, code = as("orders", "--retry-of", runs.Items[0].Name)
		Expect(code).To(BeZero(), stderr)
		Expect(stderr).To(ContainSubstring("Succeeded"))

		By("making a mistake")
		_, stderr, code = as("orders")
		Expect(code).To(Equal(1))
		Expect(stderr).To(ContainSubstring("at least one of the flags in the group [filename retry-of] is required"))
		Expect(os.WriteFile(file, []byte("[{\"n\": 0}, {]"), 0o600)).To(Succeed())
		_, stderr, code = as("orders", "-f", file)
		Expect(code).To(Equal(1))
		Expect(stderr).To(ContainSubstring(file + ", "))
	})
})
