// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package deployment

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	rbacv1 "k8s.io/api/rbac/v1"
)

// documented are the kustomizations of a section of docs/install.md, by the directory that their first line names.
func documented(t *testing.T, heading string) map[string]string {
	t.Helper()
	page, err := os.ReadFile(filepath.Join(root, "docs", "install.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, section, found := strings.Cut(string(page), "\n## "+heading+"\n")
	if !found {
		t.Fatalf("docs/install.md has no section %q", heading)
	}
	section, _, _ = strings.Cut(section, "\n## ")
	made := map[string]string{}
	for _, block := range strings.Split(section, "\n```yaml\n")[1:] {
		text, _, _ := strings.Cut(block, "\n```")
		first, _, _ := strings.Cut(text, "\n")
		file, _, _ := strings.Cut(strings.TrimPrefix(first, "# "), ",")
		made[filepath.Dir(file)] = text
	}
	return made
}

// TestNamespacedOverlay: the kustomizations of docs/install.md, beside a checkout, make an operator that
// watches two namespaces, with a Role in each for the ServiceAccount that it runs as.
func TestNamespacedOverlay(t *testing.T) {
	files := documented(t, "In some namespaces")
	if len(files) != 2 || files["."] == "" || files["orders"] == "" {
		t.Fatalf("the page has %d kustomizations", len(files))
	}
	files["billing"] = strings.ReplaceAll(files["orders"], "namespace: orders", "namespace: billing")
	directory := copied(t)
	checkout := filepath.Join(directory, "integrator-operator")
	if err := os.Mkdir(checkout, 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(directory, "config"), filepath.Join(checkout, "config")); err != nil {
		t.Fatal(err)
	}
	for name, text := range files {
		if err := os.MkdirAll(filepath.Join(directory, name), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(directory, name, "kustomization.yaml"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	resources := rendered(t, directory)
	for _, object := range resources.Resources() {
		if object.GetNamespace() == "" {
			t.Errorf("the %s %s is of the cluster", object.GetKind(), object.GetName())
		}
	}
	deployments := all[appsv1.Deployment](t, resources, "Deployment")
	if len(deployments) != 1 || !slices.Contains(deployments[0].Spec.Template.Spec.Containers[0].Args, "--watch-namespaces=orders,billing") {
		t.Fatalf("the Deployments are %v", deployments)
	}
	rules := map[string]int{}
	for _, role := range all[rbacv1.Role](t, resources, "Role") {
		rules[role.Namespace+"/"+role.Name] = len(role.Rules)
	}
	bound := map[string]bool{}
	for _, binding := range all[rbacv1.RoleBinding](t, resources, "RoleBinding") {
		if rules[binding.Namespace+"/"+binding.RoleRef.Name] == 0 {
			t.Errorf("the RoleBinding %s of %s gives no rules", binding.Name, binding.Namespace)
		}
		for _, subject := range binding.Subjects {
			bound[binding.Namespace] = subject.Namespace == deployments[0].Namespace && subject.Name == deployments[0].Spec.Template.Spec.ServiceAccountName
		}
	}
	if diff := cmp.Diff(map[string]bool{"integrator-operator-system": true, "orders": true, "billing": true}, bound); diff != "" {
		t.Errorf("namespaces with rights for the Deployment's ServiceAccount (-want +got)\n%s", diff)
	}
}
