// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package rights lists what the manifests let the manager do.
package rights

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	rbacv1 "k8s.io/api/rbac/v1"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/resource"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"
)

const (
	manifests      = "../../../config/default"
	namespaced     = "../../../config/namespaced"
	administrator  = "../../../config/namespaced/administrator"
	serviceAccount = "integrator-operator-controller-manager"
)

// TestManagerRights is the place to say yes to a right that the manager gets: all roles that
// are bound to its ServiceAccount are here, by whether they count everywhere.
func TestManagerRights(t *testing.T) {
	const (
		everywhere   = "everywhere: "
		ownNamespace = "own namespace: "
	)
	want := map[string]string{
		// RBAC has no word for a list of metadata only; see docs/security.md.
		everywhere + "secrets":                                   "create get list patch watch",
		everywhere + "configmaps":                                "create get list patch watch",
		everywhere + "namespaces":                                "get",
		everywhere + "events.events.k8s.io":                      "create",
		everywhere + "accounts.integrator.io":                    "get list patch watch",
		everywhere + "accounts/status.integrator.io":             "patch",
		everywhere + "imports.integrator.io":                     "get list patch watch",
		everywhere + "imports/status.integrator.io":              "patch",
		everywhere + "importruns.integrator.io":                  "delete get list patch watch",
		everywhere + "importruns/status.integrator.io":           "patch",
		everywhere + "tokenreviews.authentication.k8s.io":        "create",
		everywhere + "subjectaccessreviews.authorization.k8s.io": "create",
		ownNamespace + "leases.coordination.k8s.io":              "create get update",
		ownNamespace + "events":                                  "create patch",
		ownNamespace + "events.events.k8s.io":                    "create patch",
	}

	got := managerRights(t, manifests, func(binding *rbacv1.ClusterRoleBinding) string {
		if binding.Kind == "ClusterRoleBinding" {
			return everywhere
		}
		return ownNamespace
	})
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the manager's rights (-want +got):\n%s", diff)
	}
}

// TestNamespacedRights: config/namespaced gives the manager the same rights in the namespace that it
// watches, the lease in its own, and nothing else anywhere. Nothing of it is of the cluster.
func TestNamespacedRights(t *testing.T) {
	const (
		own     = "integrator-operator-system: "
		watched = "team-a: "
	)
	want := map[string]string{
		own + "leases.coordination.k8s.io":          "create get update",
		own + "events":                              "create patch",
		own + "events.events.k8s.io":                "create patch",
		watched + "secrets":                         "create get list patch watch",
		watched + "configmaps":                      "create get list patch watch",
		watched + "namespaces":                      "get",
		watched + "events.events.k8s.io":            "create",
		watched + "accounts.integrator.io":          "get list patch watch",
		watched + "accounts/status.integrator.io":   "patch",
		watched + "imports.integrator.io":           "get list patch watch",
		watched + "imports/status.integrator.io":    "patch",
		watched + "importruns.integrator.io":        "delete get list patch watch",
		watched + "importruns/status.integrator.io": "patch",
	}
	got := managerRights(t, namespaced, func(binding *rbacv1.ClusterRoleBinding) string { return binding.Namespace + ": " })
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the manager's rights (-want +got):\n%s", diff)
	}
	for _, object := range built(t, namespaced) {
		if object.GetNamespace() == "" {
			t.Errorf("%s %s is of the cluster", object.GetKind(), object.GetName())
		}
	}
	if got := managerRights(t, administrator, func(*rbacv1.ClusterRoleBinding) string { return "" }); len(got) > 0 {
		t.Errorf("the administrator's part gives the manager %v", got)
	}
}

// managerRights are the verbs of all roles that are bound to the manager, by where and on what.
func managerRights(t *testing.T, manifests string, where func(*rbacv1.ClusterRoleBinding) string) map[string]string {
	t.Helper()
	roles, bindings := rendered(t, manifests)
	got := map[string]string{}
	for i := range bindings {
		binding := &bindings[i]
		if !slices.ContainsFunc(binding.Subjects, func(s rbacv1.Subject) bool {
			return s.Kind == rbacv1.ServiceAccountKind && s.Name == serviceAccount || s.Kind == rbacv1.GroupKind
		}) {
			continue
		}
		// A Role has to be in the namespace of its binding.
		name := binding.RoleRef.Name
		if binding.RoleRef.Kind == "Role" {
			name = binding.Namespace + "/" + name
		}
		rules, found := roles[binding.RoleRef.Kind+" "+name]
		if !found {
			t.Errorf("%s gives the %s %s, whose rules are not here", binding.Name, binding.RoleRef.Kind, name)
		}
		for _, rule := range rules {
			add(t, got, where(binding), &rule)
		}
	}
	return got
}

// add puts the verbs of a rule to what was got so far.
func add(t *testing.T, got map[string]string, where string, rule *rbacv1.PolicyRule) {
	t.Helper()
	if len(rule.ResourceNames) > 0 || len(rule.NonResourceURLs) > 0 {
		t.Errorf("this test does not know what to make of %v", rule)
	}
	for _, group := range rule.APIGroups {
		for _, resource := range rule.Resources {
			key := where + strings.TrimSuffix(resource+"."+group, ".")
			verbs := append(strings.Fields(got[key]), rule.Verbs...)
			slices.Sort(verbs)
			got[key] = strings.Join(slices.Compact(verbs), " ")
		}
	}
}

// built gives the objects of a kustomization.
func built(t *testing.T, manifests string) []*resource.Resource {
	t.Helper()
	resources, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), manifests)
	if err != nil {
		t.Fatal(err)
	}
	return resources.Resources()
}

// rendered gives the rules of the roles of a kustomization, by kind and name, and the bindings of both
// kinds. The name of a Role begins with its namespace.
func rendered(t *testing.T, manifests string) (roles map[string][]rbacv1.PolicyRule, bindings []rbacv1.ClusterRoleBinding) {
	t.Helper()
	roles = map[string][]rbacv1.PolicyRule{}
	for _, object := range built(t, manifests) {
		document, err := object.AsYAML()
		if err != nil {
			t.Fatal(err)
		}
		switch kind := object.GetKind(); kind {
		case "Role", "ClusterRole": // the second has one field more
			role := decode[rbacv1.ClusterRole](t, document)
			if role.AggregationRule != nil {
				t.Errorf("the %s %s takes in others, which this test does not follow", kind, role.Name)
			}
			name := role.Name
			if kind == "Role" {
				name = role.Namespace + "/" + name
			}
			roles[kind+" "+name] = role.Rules
		case "RoleBinding", "ClusterRoleBinding": // of the same fields
			bindings = append(bindings, decode[rbacv1.ClusterRoleBinding](t, document))
		}
	}
	return roles, bindings
}

func decode[T any](t *testing.T, document []byte) (object T) {
	t.Helper()
	if err := yaml.UnmarshalStrict(document, &object); err != nil {
		t.Fatal(err)
	}
	return object
}
