// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package gitops tests the pages about Argo CD, Flux, kustomize and Helm with these projects' own
// schemas and code.
package gitops

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	kustomizetypes "sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/yaml"

	"github.com/integrator-operator/integrator-operator/internal/admission"
)

const root = "../.."

// Their schemas come with the modules of Argo CD and Flux. They are read, not built.
const (
	argoCD              = "github.com/argoproj/argo-cd/v3@v3.5.1"
	kustomizeController = "github.com/fluxcd/kustomize-controller@v1.9.0"
	sourceController    = "github.com/fluxcd/source-controller@v1.8.0"
)

var pages = []string{"argocd.md", "flux.md", "kustomize.md"}

// knownKinds judges our kinds, and those of Argo CD and Flux.
func knownKinds(t *testing.T) *admission.Kinds {
	t.Helper()
	kinds, err := admission.Load()
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{
		filepath.Join(moduleDirectory(t, argoCD), "manifests/crds/application-crd.yaml"),
		filepath.Join(moduleDirectory(t, kustomizeController), "config/crd/bases/kustomize.toolkit.fluxcd.io_kustomizations.yaml"),
		filepath.Join(moduleDirectory(t, sourceController), "config/crd/bases/source.toolkit.fluxcd.io_gitrepositories.yaml"),
	} {
		if err := kinds.Add(read(t, file)); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
	}
	return kinds
}

// moduleDirectory is where the files of a module are, after it was downloaded if need be.
func moduleDirectory(t *testing.T, module string) string {
	t.Helper()
	output, err := exec.CommandContext(t.Context(), "go", "mod", "download", "-json", module).Output()
	var result struct{ Dir, Error string }
	if jsonErr := json.Unmarshal(output, &result); jsonErr != nil || result.Dir == "" {
		t.Fatalf("download %s: %v: %s", module, err, result.Error)
	}
	return result.Dir
}

// manifests are the documents of a page that are whole manifests.
func manifests(t *testing.T, page string) (found []map[string]any) {
	t.Helper()
	for _, block := range regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(string(read(t, filepath.Join(root, "docs", page))), -1) {
		for document := range strings.SplitSeq(block[1], "\n---\n") {
			var object map[string]any
			decode(t, []byte(document), &object)
			if object["apiVersion"] == nil {
				t.Errorf("%s: this is no manifest:\n%s", page, document)
				continue
			}
			found = append(found, object)
		}
	}
	if len(found) == 0 {
		t.Errorf("%s has no manifests", page)
	}
	return found
}

// TestPages holds every manifest on the pages against the schema of its kind, unknown fields and
// rules included.
func TestPages(t *testing.T) {
	known, used := knownKinds(t), map[string]bool{}
	for _, page := range pages {
		for _, object := range manifests(t, page) {
			kind := fmt.Sprintf("%s %s", object["apiVersion"], object["kind"])
			metadata, _ := object["metadata"].(map[string]any)
			name := fmt.Sprint(page, ": ", object["kind"], " ", metadata["name"], metadata["generateName"])
			switch kind {
			case "v1 ConfigMap":
				strict(t, name, object, &corev1.ConfigMap{})
			case "kustomize.config.k8s.io/v1beta1 Kustomization":
				strict(t, name, object, &kustomizetypes.Kustomization{})
			default:
				if page == "flux.md" {
					decode(t, []byte(replaceVariables(t, string(marshal(t, object)))), &object)
				}
				if _, mistakes := known.Admit(asRead(t, object), nil); len(mistakes) > 0 {
					t.Errorf("%s: %s", name, strings.Join(mistakes, "; "))
				}
			}
			used[kind] = true
		}
	}
	if !used["integrator.io/v1alpha1 Account"] {
		t.Error("no page has an Account")
	}
	// The check itself finds what is wrong.
	wrong := map[string]any{"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": map[string]any{"name": "a"},
		"spec": map[string]any{"project": "default", "destination": map[string]any{}, "syncPolicy": map[string]any{"retry": map[string]any{"limit": "five", "refreshed": true}}}}
	if _, found := known.Admit(asRead(t, wrong), nil); len(found) < 2 {
		t.Errorf("an Application with an unknown field and a wrong type has the mistakes %q", found)
	}
}

// asRead gives the object the types that a JSON decoder for Kubernetes has.
func asRead(t *testing.T, object map[string]any) *unstructured.Unstructured {
	t.Helper()
	decoded := &unstructured.Unstructured{}
	if err := decoded.UnmarshalJSON(marshal(t, object)); err != nil {
		t.Fatal(err)
	}
	return decoded
}

func strict(t *testing.T, name string, object map[string]any, into any) {
	t.Helper()
	if err := yaml.UnmarshalStrict(marshal(t, object), into); err != nil {
		t.Errorf("%s: %v", name, err)
	}
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
		t.Fatalf("%v in\n%s", err, content)
	}
}
