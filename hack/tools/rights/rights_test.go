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
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"
)

const (
	manifests      = "../../../config/default"
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

	roles, bindings := rendered(t)
	got := map[string]string{}
	for _, binding := range bindings {
		if !slices.ContainsFunc(binding.Subjects, func(s rbacv1.Subject) bool {
			return s.Kind == rbacv1.ServiceAccountKind && s.Name == serviceAccount || s.Kind == rbacv1.GroupKind
		}) {
			continue
		}
		rules, found := roles[binding.RoleRef.Kind+" "+binding.RoleRef.Name]
		if !found {
			t.Errorf("%s gives the %s %s, whose rules are not here", binding.Name, binding.RoleRef.Kind, binding.RoleRef.Name)
		}
		where := ownNamespace
		if binding.Kind == "ClusterRoleBinding" {
			where = everywhere
		}
		for _, rule := range rules {
			add(t, got, where, &rule)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the manager's rights (-want +got):\n%s", diff)
	}
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

// rendered gives the rules of the roles of config/default, by kind and name, and the bindings
// of both kinds.
func rendered(t *testing.T) (roles map[string][]rbacv1.PolicyRule, bindings []rbacv1.ClusterRoleBinding) {
	t.Helper()
	resources, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), manifests)
	if err != nil {
		t.Fatal(err)
	}
	roles = map[string][]rbacv1.PolicyRule{}
	for _, resource := range resources.Resources() {
		document, err := resource.AsYAML()
		if err != nil {
			t.Fatal(err)
		}
		switch kind := resource.GetKind(); kind {
		case "Role", "ClusterRole": // the second has one field more
			role := decode[rbacv1.ClusterRole](t, document)
			if role.AggregationRule != nil {
				t.Errorf("the %s %s takes in others, which this test does not follow", kind, role.Name)
			}
			roles[kind+" "+role.Name] = role.Rules
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
