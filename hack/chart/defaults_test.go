// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package chart

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"helm.sh/helm/v4/pkg/action"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"
)

func TestLint(t *testing.T) {
	lint := action.NewLint()
	lint.Strict = true
	result := lint.Run([]string{directory}, nil)
	for _, err := range result.Errors {
		t.Error(err)
	}
	for _, message := range result.Messages {
		// An icon is for the pages of catalogues.
		if !strings.Contains(message.Error(), "icon is recommended") {
			t.Error(message)
		}
	}
	if result.TotalChartsLinted != 1 {
		t.Errorf("%d charts were linted", result.TotalChartsLinted)
	}
}

// TestReleaseFitsIntoASecret: helm keeps each revision in a Secret, which may have a mebibyte.
func TestReleaseFitsIntoASecret(t *testing.T) {
	content, err := json.Marshal(mustRender(t, load(t, directory), together(at("metrics.serviceMonitor.enabled", true), at("admissionPolicies.secrets", true))))
	if err != nil {
		t.Fatal(err)
	}
	var packed bytes.Buffer
	writer := gzip.NewWriter(&packed)
	if _, err := writer.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	size := base64.StdEncoding.EncodedLen(packed.Len())
	t.Logf("%d bytes", size)
	if size > 600<<10 {
		t.Errorf("a release has %d bytes", size)
	}
}

// kustomized renders a kustomization of a copy of config/. With optional parts, config/default has those
// that stand there as comments.
func kustomized(t *testing.T, kustomization string, optional bool) map[string]*unstructured.Unstructured {
	t.Helper()
	// kustomize compares paths without their links.
	directory, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(directory, os.DirFS(filepath.Join(root, "config"))); err != nil {
		t.Fatal(err)
	}
	if optional {
		file := filepath.Join(directory, "default", "kustomization.yaml")
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if count := strings.Count(string(content), "\n# - ../"); count != 3 {
			t.Errorf("config/default has %d optional parts; which values of the chart are those?", count)
		}
		if err := os.WriteFile(file, []byte(strings.ReplaceAll(string(content), "\n# - ../", "\n- ../")), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	built, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), filepath.Join(directory, kustomization))
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := built.AsYaml()
	if err != nil {
		t.Fatal(err)
	}
	return objects(t, string(manifest))
}

// TestAsTheKustomization: the chart and the kustomizations make the same objects, except for the
// differences that equalize lists.
func TestAsTheKustomization(t *testing.T) {
	all := together(at("metrics.serviceMonitor.enabled", true), at("prometheusRule.enabled", true), at("networkPolicy.enabled", true), at("admissionPolicies.secrets", true))
	for name, tc := range map[string]struct {
		kustomization string
		optional      bool
		with          values
		least         int
	}{
		"as it is shipped":          {"default", false, nil, 20},
		"with all that is optional": {"default", true, all, 20},
		"with cert-manager":         {"certmanager", true, together(all, at("metrics.certManager.enabled", true)), 20},
		"in some namespaces":        {"namespaced", false, inNamespaces(t), 6},
	} {
		t.Run(name, func(t *testing.T) {
			want := kustomized(t, tc.kustomization, tc.optional)
			got := objects(t, mustRender(t, load(t, directory), tc.with).Manifest)
			equalize(t, want, got)
			for key, object := range want {
				if got[key] == nil {
					t.Errorf("the chart does not render %s", key)
					continue
				}
				if diff := cmp.Diff(object.Object, got[key].Object); diff != "" {
					t.Errorf("%s (-kustomization +chart)\n%s", key, diff)
				}
			}
			for key := range got {
				if want[key] == nil {
					t.Errorf("the chart renders %s, the kustomization does not", key)
				}
			}
			if len(want) < tc.least {
				t.Errorf("only %d objects were compared", len(want))
			}
		})
	}
}

// inNamespaces are the values of the chart's README for an operator that watches some namespaces.
func inNamespaces(t *testing.T) values {
	t.Helper()
	page, err := os.ReadFile(filepath.Join(directory, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(page), "\n## Some namespaces\n")
	_, after, _ = strings.Cut(after, "\n```yaml\n")
	block, _, found := strings.Cut(after, "```\n")
	var with values
	if err := yaml.UnmarshalStrict([]byte(block), &with); err != nil || !found {
		t.Fatalf("%v in\n%s", err, block)
	}
	return with
}

// TestInNamespaces: with the values of the README, nothing that the chart makes is of the cluster; and
// without the others, the manager still has no right there.
func TestInNamespaces(t *testing.T) {
	chart := load(t, directory)
	for key, object := range objects(t, mustRender(t, chart, inNamespaces(t)).Manifest) {
		if object.GetNamespace() == "" {
			t.Errorf("%s is of the cluster", key)
		}
	}
	bound := 0
	for key, object := range objects(t, mustRender(t, chart, together(plain, at("watchNamespaces", []any{"team-a"}))).Manifest) {
		switch object.GetKind() {
		case "ClusterRoleBinding":
			t.Errorf("%s gives rights in the cluster", key)
		case "RoleBinding":
			bound++
		}
	}
	if bound != 2 {
		t.Errorf("%d RoleBindings, want those of the lease and of team-a", bound)
	}
}

// equalize removes the differences that have a reason.
func equalize(t *testing.T, kustomization, chart map[string]*unstructured.Unstructured) {
	t.Helper()
	// helm creates the namespace, if it is asked to (--create-namespace), and not the chart.
	delete(kustomization, "Namespace "+releaseNamespace)
	const deployment = "Deployment integrator-operator-controller-manager"
	for key, object := range chart {
		// Labels that Helm recommends.
		labels := object.GetLabels()
		for _, label := range []string{"helm.sh/chart", "app.kubernetes.io/instance", "app.kubernetes.io/version", "app.kubernetes.io/managed-by"} {
			if labels[label] == "" {
				t.Errorf("%s has no label %s", key, label)
			}
			delete(labels, label)
		}
		// config/certmanager adds its objects to what has the labels.
		if kind := object.GetKind(); kind == "Issuer" || kind == "Certificate" {
			labels = nil
		}
		object.SetLabels(labels)
		// Several releases may be in one namespace, so pods are also selected by the release.
		for _, path := range [][]string{
			{"spec", "selector", "matchLabels"}, {"spec", "selector"}, {"spec", "podSelector", "matchLabels"},
			{"spec", "template", "metadata", "labels"},
		} {
			for _, label := range []string{"app.kubernetes.io/name", "app.kubernetes.io/instance"} {
				unstructured.RemoveNestedField(object.Object, append(slices.Clone(path), label)...)
			}
		}
		if object.GetKind() == "CustomResourceDefinition" {
			// helm must not delete the CRDs, and all Imports with them.
			annotations := object.GetAnnotations()
			if annotations["helm.sh/resource-policy"] != "keep" {
				t.Errorf("%s would be deleted with the release", key)
			}
			delete(annotations, "helm.sh/resource-policy")
			object.SetAnnotations(annotations)
		}
	}
	// The chart has the image of its appVersion, the kustomization the one of "make deploy".
	for _, all := range []map[string]*unstructured.Unstructured{kustomization, chart} {
		containers, _, err := unstructured.NestedSlice(all[deployment].Object, "spec", "template", "spec", "containers")
		if err != nil || len(containers) != 1 {
			t.Fatalf("%d containers, error %v", len(containers), err)
		}
		container, _ := containers[0].(map[string]any)
		delete(container, "image")
		// With watchNamespaces, the chart names the lease after the release, which the kustomization does not know.
		args, _ := container["args"].([]any)
		container["args"] = slices.DeleteFunc(args, func(arg any) bool {
			return arg == "--leader-election-id="+releaseName+"."+releaseNamespace
		})
		if err := unstructured.SetNestedSlice(all[deployment].Object, containers, "spec", "template", "spec", "containers"); err != nil {
			t.Fatal(err)
		}
	}
}
