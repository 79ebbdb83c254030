// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package admission

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

func object(t *testing.T, manifest string) *unstructured.Unstructured {
	t.Helper()
	made := &unstructured.Unstructured{}
	text, err := yaml.YAMLToJSON([]byte(manifest))
	if err != nil {
		t.Fatal(err)
	}
	if err := made.UnmarshalJSON(text); err != nil {
		t.Fatal(err)
	}
	return made
}

const good = `
apiVersion: integrator.io/v1alpha1
kind: Import
metadata: {name: orders, namespace: shop}
spec:
  adopt: {id: 64b0000000000000000000c1}
  definition: {name: Orders, adaptorType: HTTPImport, _connectionId: "@shop", http: {relativeURI: [/orders], method: [POST]}}
`

func TestAdmit(t *testing.T) {
	kinds, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		reason        string
		manifest, old string
		want          []string
	}{
		"good":      {reason: "it is stored", manifest: good},
		"unchanged": {reason: "an object that is applied again is stored", manifest: good, old: good},
		"unknown":   {reason: "kubectl refuses unknown fields", manifest: good + "  suspended: true\n", want: []string{"unknown field spec.suspended"}},
		"typo in a definition": {
			reason: "a definition may have any field", manifest: strings.Replace(good, "name: Orders", "notes: Orders, name: Orders", 1),
		},
		"type":       {reason: "a value has the type of the schema", manifest: good + "  suspend: \"yes\"\n", want: []string{"spec.suspend"}},
		"enum":       {reason: "a value is one of those allowed", manifest: good + "  driftPolicy: report\n", want: []string{"spec.driftPolicy"}},
		"transition": {reason: "a rule about changes is applied to a change", manifest: strings.Replace(good, "c1}", "c2}", 1), old: good, want: []string{"adopt"}},
		"twice": {
			reason:   "the elements of a list with keys have different ones",
			manifest: good + "  valuesFrom: [{path: /settings/a, secretKeyRef: {name: a, key: b}}, {path: /settings/a, secretKeyRef: {name: c, key: d}}]\n",
			want:     []string{"spec.valuesFrom[1]: Duplicate value"},
		},
		"name":        {reason: "the name is one of Kubernetes", manifest: strings.Replace(good, "name: orders", "name: Orders_1", 1), want: []string{"metadata.name"}},
		"generated":   {reason: "the API server makes the rest of the name", manifest: strings.Replace(good, "name: orders", "generateName: orders-", 1)},
		"no name":     {reason: "something has to name an object", manifest: strings.Replace(good, "name: orders", "labels: {}", 1), want: []string{"metadata.name"}},
		"other kinds": {reason: "only the project's kinds are judged", manifest: "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n", want: []string{"there is no kind"}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			var old *unstructured.Unstructured
			if tc.old != "" {
				old, _ = kinds.Admit(object(t, tc.old), nil)
			}
			admitted, mistakes := kinds.Admit(object(t, tc.manifest), old)
			if len(mistakes) != len(tc.want) {
				t.Fatalf("%s: mistakes %q; want %q", tc.reason, mistakes, tc.want)
			}
			for i := range tc.want {
				if !strings.Contains(mistakes[i], tc.want[i]) {
					t.Errorf("%s: mistake %q; want %q", tc.reason, mistakes[i], tc.want[i])
				}
			}
			if len(tc.want) == 0 {
				if policy, _, _ := unstructured.NestedString(admitted.Object, "spec", "managementPolicy"); policy != "Manage" {
					t.Errorf("the default of spec.managementPolicy is missing: %q", policy)
				}
			}
		})
	}
}
