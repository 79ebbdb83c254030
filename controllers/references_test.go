// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"
)

// fieldSet is what of a CRD's schema has fields in it.
type fieldSet struct {
	Properties           map[string]fieldSet `json:"properties"`
	Items                *fieldSet           `json:"items"`
	AdditionalProperties *fieldSet           `json:"additionalProperties"`
}

// definitionOfCRD is what of a CRD is looked at.
type definitionOfCRD struct {
	Spec struct {
		Names struct {
			Kind string `json:"kind"`
		} `json:"names"`
		Scope    string `json:"scope"`
		Versions []struct {
			Schema struct {
				OpenAPIV3Schema fieldSet `json:"openAPIV3Schema"`
			} `json:"schema"`
		} `json:"versions"`
	} `json:"spec"`
}

// walk visits every field below s, with its path.
func (s *fieldSet) walk(path string, visit func(path, name string, field fieldSet)) {
	for name, field := range s.Properties {
		visit(path+"."+name, name, field)
		field.walk(path+"."+name, visit)
	}
	if s.Items != nil {
		s.Items.walk(path+"[]", visit)
	}
	if s.AdditionalProperties != nil {
		s.AdditionalProperties.walk(path+"{}", visit)
	}
}

// TestReferencesStayInTheNamespace: the operator reads what an object refers to with its own
// rights, in every namespace. That an object's author cannot reach another namespace is
// because there is no field to name one.
func TestReferencesStayInTheNamespace(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("..", "config", "crd", "bases", "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	references := map[string][]string{}
	for _, file := range files {
		document, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var crd definitionOfCRD
		if err := yaml.Unmarshal(document, &crd); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		kind := crd.Spec.Names.Kind
		if crd.Spec.Scope != "Namespaced" {
			t.Errorf("%s is %s: its references have no namespace to stay in", kind, crd.Spec.Scope)
		}
		for i := range crd.Spec.Versions {
			spec := crd.Spec.Versions[i].Schema.OpenAPIV3Schema.Properties["spec"]
			spec.walk("spec", func(path, name string, field fieldSet) {
				if strings.Contains(strings.ToLower(name), "namespace") {
					t.Errorf("%s has %s: what an object refers to has to be in its own namespace", kind, path)
				}
				if strings.HasSuffix(name, "Ref") {
					references[kind+" "+path] = slices.Sorted(maps.Keys(field.Properties))
				}
			})
		}
	}

	// All references there are: a new one has to be looked at here.
	if diff := cmp.Diff(map[string][]string{
		"Account spec.caBundleRef":                  {"key", "kind", "name"},
		"Account spec.tokenSecretRef":               {"key", "name"},
		"Import spec.accountRef":                    {"name"},
		"Import spec.cloneFrom.importRef":           {"name"},
		"Import spec.valuesFrom[].configMapKeyRef":  {"key", "name"},
		"Import spec.valuesFrom[].secretKeyRef":     {"key", "name"},
		"ImportRun spec.accountRef":                 {"name"},
		"ImportRun spec.dataFrom[].configMapKeyRef": {"key", "name"},
		"ImportRun spec.dataFrom[].secretKeyRef":    {"key", "name"},
		"ImportRun spec.importRef":                  {"name"},
	}, references); diff != "" {
		t.Errorf("references (-want +got):\n%s", diff)
	}
}
