// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package chart

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// TestManifestsInAChart makes a chart as docs/kustomize.md describes it: the definitions arrive as they
// are, also what integrator.io and Helm both write as {{…}}.
func TestManifestsInAChart(t *testing.T) {
	page, err := os.ReadFile(root + "/docs/kustomize.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, found := strings.Cut(string(page), "\n## Helm\n")
	_, template, fenced := strings.Cut(section, "\n```\n")
	template, _, ended := strings.Cut(template, "\n```\n")
	if !found || !fenced || !ended {
		t.Fatal("the page has no template")
	}
	const manifest = "apiVersion: integrator.io/v1alpha1\nkind: Import\nmetadata: {name: %NAME}\nspec:\n  definition:\n    name: Orders\n    http: {relativeURI: ['/orders?at=%TIME'], method: [POST]}\n"
	of := func(name, time string) string {
		return strings.NewReplacer("%NAME", name, "%TIME", time).Replace(manifest)
	}
	folder := t.TempDir()
	for path, content := range map[string]string{
		"Chart.yaml":             "apiVersion: v2\nname: shop\nversion: 0.1.0\n",
		"imports/a.yaml":         of("a", "{{timestamp}}"),
		"imports/b.yaml":         of("b", "{{#each rows}}{{id}}{{/each}}"),
		"templates/imports.yaml": template,
		"templates/quoted.yaml":  of("{{ .Release.Name }}", "{{`{{timestamp}}`}}"),
	} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(folder, path)), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, path), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	made := objects(t, mustRender(t, load(t, folder), nil).Manifest)
	for name, want := range map[string]string{"a": "/orders?at={{timestamp}}", "b": "/orders?at={{#each rows}}{{id}}{{/each}}", releaseName: "/orders?at={{timestamp}}"} {
		object := made["Import "+name]
		if object == nil {
			t.Fatalf("there is no Import %s", name)
		}
		if got, _, err := unstructured.NestedStringSlice(object.Object, "spec", "definition", "http", "relativeURI"); err != nil || len(got) != 1 || got[0] != want {
			t.Errorf("Import %s has the URI %q (%v), want %q", name, got, err, want)
		}
	}
	if len(made) != 3 {
		t.Errorf("the chart has %d objects, want 3", len(made))
	}
}
