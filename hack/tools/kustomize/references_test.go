// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package kustomize tests that the component in config/kustomize carries renamed objects into every
// field that refers to them.
package kustomize

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"
)

const config = "../../../config"

// hashed is the name of a generated object.
var hashed = regexp.MustCompile(`\b(shop-token|shop-values)-[a-z0-9]{10}\b`)

// schema is what the test reads of an OpenAPI schema.
type schema struct {
	Type       string            `json:"type"`
	Properties map[string]schema `json:"properties"`
	Items      *schema           `json:"items"`
}

// definitions is what the test reads of a CustomResourceDefinition.
type definitions struct {
	Spec struct {
		Names    struct{ Kind string }
		Versions []struct {
			Schema struct{ OpenAPIV3Schema schema }
		}
	}
}

// referenceFields are the fields of a kind's spec that name another object: every "name" of an object
// within the spec. The definition has no type and so none of its own.
func referenceFields(kind, path string, s schema) (found []string) {
	if s.Items != nil {
		s = *s.Items
	}
	for name, property := range s.Properties {
		at := path + "/" + name
		if name == "name" && property.Type == "string" {
			found = append(found, kind+" "+at)
		}
		if at != "spec/definition" {
			found = append(found, referenceFields(kind, at, property)...)
		}
	}
	return found
}

// TestEveryReference holds the component against the schemas: a new field that names an object has to
// be added to it.
func TestEveryReference(t *testing.T) {
	var want []string
	files, err := filepath.Glob(filepath.Join(config, "crd/bases/*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no schemas: %v", err)
	}
	for _, file := range files {
		var definition definitions
		decode(t, read(t, file), &definition)
		for _, version := range definition.Spec.Versions {
			spec := version.Schema.OpenAPIV3Schema.Properties["spec"]
			want = append(want, referenceFields(definition.Spec.Names.Kind, "spec", spec)...)
		}
	}
	var component struct {
		NameReference []struct {
			Kind       string
			FieldSpecs []struct{ Group, Kind, Path string }
		}
	}
	decode(t, read(t, filepath.Join(config, "kustomize/namereference.yaml")), &component)
	var got []string
	for _, target := range component.NameReference {
		for _, field := range target.FieldSpecs {
			if field.Group != "integrator.io" {
				t.Errorf("%s %s has the group %q", field.Kind, field.Path, field.Group)
			}
			got = append(got, field.Kind+" "+field.Path)
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, slices.Compact(got)); diff != "" {
		t.Errorf("fields that name an object (-in the schemas, +in config/kustomize/namereference.yaml):\n%s", diff)
	}
}

// TestRenamed builds real overlays over objects with every reference.
func TestRenamed(t *testing.T) {
	tests := map[string]struct {
		reason        string
		kustomization string
		// want has what a reference to each name becomes.
		want map[string]string
	}{
		"prefix and suffix": {
			reason:        "an environment has its own names",
			kustomization: "namePrefix: dev-\nnameSuffix: -eu\nresources: [objects.yaml, sources.yaml]\n",
			want: map[string]string{
				"shop": "dev-shop-eu", "orders": "dev-orders-eu", "first": "dev-first-eu",
				"shop-token": "dev-shop-token-eu", "shop-values": "dev-shop-values-eu",
			},
		},
		"generators": {
			reason: "a generated Secret or ConfigMap has a hash of its content in its name",
			kustomization: "resources: [objects.yaml]\nnamespace: shop\n" +
				"secretGenerator: [{name: shop-token, literals: [token=0123456789]}]\n" +
				"configMapGenerator: [{name: shop-values, literals: ['records=[{}]', 'ca.crt=x']}]\n",
			want: map[string]string{
				"shop": "shop", "orders": "orders", "first": "first",
				"shop-token": "shop-token-HASH", "shop-values": "shop-values-HASH",
			},
		},
		"names of nothing here": {
			reason:        "a reference to an object that is not part of the overlay stays",
			kustomization: "namePrefix: dev-\nresources: [objects.yaml]\n",
			want: map[string]string{
				"shop": "dev-shop", "orders": "dev-orders", "first": "dev-first",
				"shop-token": "shop-token", "shop-values": "shop-values",
			},
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			objects := build(t, tc.kustomization)
			want := string(read(t, "testdata/objects.yaml"))
			for from, to := range tc.want {
				want = strings.ReplaceAll(want, "name: "+from+"\n", "name: "+to+"\n")
			}
			expected := map[string]any{}
			for _, document := range strings.Split(want, "\n---\n") {
				var object map[string]any
				decode(t, []byte(document), &object)
				expected[object["kind"].(string)] = object["spec"]
			}
			got := map[string]any{}
			for kind, object := range objects {
				if kind != "Secret" && kind != "ConfigMap" {
					got[kind] = object["spec"]
				}
			}
			if diff := cmp.Diff(expected, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}

// TestReplacements takes a field of the Account into a field of a definition.
func TestReplacements(t *testing.T) {
	objects := build(t, `namePrefix: dev-
resources: [objects.yaml, sources.yaml]
replacements:
- source: {kind: Account, name: shop, fieldPath: spec.baseURL}
  targets:
  - select: {kind: Import}
    fieldPaths: [spec.definition.http.relativeURI]
`)
	definition := objects["Import"]["spec"].(map[string]any)["definition"].(map[string]any)
	if got := definition["http"].(map[string]any)["relativeURI"]; got != "https://api.integrator.io" {
		t.Errorf("the replacement gave %v", got)
	}
}

// build builds an overlay over testdata, and returns the objects by kind, with HASH for the hashes of
// generated names.
func build(t *testing.T, kustomization string) map[string]map[string]any {
	t.Helper()
	files := filesys.MakeFsInMemory()
	if err := files.MkdirAll("/overlay"); err != nil {
		t.Fatal(err)
	}
	for path, content := range map[string][]byte{
		"/kustomize/kustomization.yaml": read(t, filepath.Join(config, "kustomize/kustomization.yaml")),
		"/kustomize/namereference.yaml": read(t, filepath.Join(config, "kustomize/namereference.yaml")),
		"/overlay/objects.yaml":         read(t, "testdata/objects.yaml"),
		"/overlay/sources.yaml":         read(t, "testdata/sources.yaml"),
		"/overlay/kustomization.yaml":   []byte("components: [../kustomize]\n" + kustomization),
	} {
		if err := files.WriteFile(path, content); err != nil {
			t.Fatal(err)
		}
	}
	resources, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(files, "/overlay")
	if err != nil {
		t.Fatal(err)
	}
	text, err := resources.AsYaml()
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), "limit: 9007199254740993\n") {
		t.Errorf("a number of the definition has changed:\n%s", text)
	}
	document := hashed.ReplaceAllString(string(text), "$1-HASH")
	objects := map[string]map[string]any{}
	for _, part := range strings.Split(document, "\n---\n") {
		var object map[string]any
		decode(t, []byte(part), &object)
		objects[object["kind"].(string)] = object
	}
	return objects
}

func read(t *testing.T, file string) []byte {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func decode(t *testing.T, content []byte, into any) {
	t.Helper()
	if err := yaml.Unmarshal(content, into); err != nil {
		t.Fatal(err)
	}
}
