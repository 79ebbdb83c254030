// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/doctor"
)

// examined runs kubectl integrator doctor, expects an exit code, and returns what is not ok, as
// "result name: message".
func (w *world) examined(ctx context.Context, exit int, args ...string) (found []string) {
	GinkgoHelper()
	stdout, stderr, code := w.plugin(ctx, append([]string{"doctor", "-o", "json", "--operator-namespace", w.namespace}, args...)...)
	Expect(code).To(Equal(exit), stdout+stderr)
	var made struct {
		Sound  bool
		Checks []doctor.Check
	}
	Expect(json.Unmarshal([]byte(stdout), &made)).To(Succeed())
	Expect(made.Sound).To(Equal(exit == 0))
	for _, check := range made.Checks {
		if check.Result != doctor.OK {
			found = append(found, fmt.Sprintf("%s %s: %s", check.Result, check.Name, check.Message))
		}
		if check.Result == doctor.Failed || check.Result == doctor.Warning {
			Expect(check.Advice).NotTo(BeEmpty(), "%+v", check)
		}
	}
	return found
}

// deployed is the Deployment of an operator whose pods are ready, and whose ServiceAccount has no rights.
func (w *world) deployed(ctx context.Context) *appsv1.Deployment {
	GinkgoHelper()
	host, err := url.Parse(simURL)
	Expect(err).NotTo(HaveOccurred())
	labels := map[string]string{"app.kubernetes.io/name": "integrator-operator", "control-plane": "controller-manager"}
	deployment := &appsv1.Deployment{ObjectMeta: w.meta("controller-manager")}
	deployment.Labels = labels
	deployment.Spec.Selector = &metav1.LabelSelector{MatchLabels: labels}
	deployment.Spec.Template.Labels = labels
	deployment.Spec.Template.Spec = corev1.PodSpec{ServiceAccountName: "manager", Containers: []corev1.Container{
		{Name: "manager", Image: "operator:latest", Args: []string{"--allow-http", "--allowed-api-hosts=" + host.Host}}}}
	Expect(k8s.Create(ctx, deployment)).To(Succeed())
	deployment.Status.Replicas, deployment.Status.ReadyReplicas = 1, 1
	Expect(k8s.Status().Update(ctx, deployment)).To(Succeed())
	return deployment
}

var _ = Describe("I ask what is wrong", func() {
	It("is told what to do about each thing, and finds nothing once that is done", func(ctx context.Context) {
		w := newWorld(ctx)
		w.deployed(ctx)
		w.synced(ctx, w.httpImport("orders"))
		unsound := w.keyed("keyed")
		Expect(k8s.Create(ctx, unsound)).To(Succeed())
		w.eventuallySays(ctx, unsound, v1alpha1.ReasonValueNotFound)
		version := HavePrefix("skipped operator: its version cannot be compared")
		Expect(w.examined(ctx, 1, administrator)).To(ConsistOf(version,
			HavePrefix("failed rights of the operator: system:serviceaccount:"+w.namespace+":manager may not create, get, list, patch, watch configmaps; "),
			ContainSubstring(`failed Secrets and ConfigMaps: waiting for key "key" of Secret "key"`)))

		By("giving the operator its rights, and making the Secret")
		rules := []rbacv1.PolicyRule{
			{APIGroups: []string{""}, Resources: []string{"configmaps", "secrets", "namespaces"}, Verbs: []string{"create", "get", "list", "patch", "watch"}},
			{APIGroups: []string{"events.k8s.io"}, Resources: []string{"events"}, Verbs: []string{"create"}},
			{APIGroups: []string{v1alpha1.GroupVersion.Group}, Resources: []string{"*"}, Verbs: []string{"delete", "get", "list", "patch", "watch"}},
		}
		Expect(k8s.Create(ctx, &rbacv1.Role{ObjectMeta: w.meta("manager"), Rules: rules})).To(Succeed())
		Expect(k8s.Create(ctx, &rbacv1.RoleBinding{ObjectMeta: w.meta("manager"), RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: "manager"},
			Subjects: []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: w.namespace, Name: "manager"}}})).To(Succeed())
		w.keep(ctx, "value")
		w.eventuallyReady(ctx, unsound, "keyed")
		Eventually(func() []string { return w.examined(ctx, 0, administrator) }).Should(ConsistOf(version))

		By("having a token that the API rejects")
		accept := w.rejectTokens()
		Expect(w.examined(ctx, 1, administrator)).To(ContainElement("failed token: the API rejects it"))
		accept()
	})

	It("may look at little, and says what it could not look at", func(ctx context.Context) {
		w := newWorld(ctx)
		w.viewer(ctx)
		w.deployed(ctx)
		w.synced(ctx, w.httpImport("orders"))
		Expect(w.examined(ctx, 0)).To(ConsistOf(
			HavePrefix("skipped kinds: it is there; you may not read"), HavePrefix("skipped kinds: "), HavePrefix("skipped kinds: "),
			Equal("skipped operator: you may not list the Deployments in namespace "+w.namespace), HavePrefix("skipped rights of the operator: "),
			HavePrefix("warning your rights: you may not patch imports.integrator.io; needed by reconcile"), HavePrefix("warning your rights: you may not create importruns"),
			HavePrefix("skipped scan: a scan has found ")))
		stdout, stderr, code := w.plugin(ctx, "doctor")
		Expect(code).To(BeZero(), stdout+stderr)
		Expect(stdout).To(And(ContainSubstring("ok       token of "+w.namespace+"/default: the API accepts it"), MatchRegexp(`\n\d+ checks: \d+ ok, 2 warnings, 0 failed, \d+ skipped\n$`)))
	})
})
