// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package gitops tests the pages about Argo CD, Flux, kustomize and Helm with these projects' own
// schemas and code.
package gitops

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	structuralschema "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	"k8s.io/apimachinery/pkg/runtime"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	"k8s.io/apimachinery/pkg/util/validation/field"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	kustomizetypes "sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/yaml"
)

const root = "../../.."

// Their schemas come with the modules of Argo CD and Flux. They are read, not built.
const (
	argoCD              = "github.com/argoproj/argo-cd/v3@v3.5.1"
	kustomizeController = "github.com/fluxcd/kustomize-controller@v1.9.0"
	sourceController    = "github.com/fluxcd/source-controller@v1.8.0"
)

var pages = []string{"argocd.md", "flux.md", "kustomize.md"}

// schema validates the objects of one version of a kind.
type schema struct {
	validate   validation.SchemaValidator
	structural *structuralschema.Structural
}

// schemas has a schema for each "apiVersion kind".
func schemas(t *testing.T) map[string]schema {
	t.Helper()
	files := []string{
		filepath.Join(moduleDirectory(t, argoCD), "manifests/crds/application-crd.yaml"),
		filepath.Join(moduleDirectory(t, kustomizeController), "config/crd/bases/kustomize.toolkit.fluxcd.io_kustomizations.yaml"),
		filepath.Join(moduleDirectory(t, sourceController), "config/crd/bases/source.toolkit.fluxcd.io_gitrepositories.yaml"),
	}
	own, err := filepath.Glob(filepath.Join(root, "config/crd/bases/*.yaml"))
	if err != nil || len(own) != 3 {
		t.Fatalf("%d schemas of our kinds: %v", len(own), err)
	}
	found := map[string]schema{}
	for _, file := range append(files, own...) {
		var versioned apiextensionsv1.CustomResourceDefinition
		decode(t, read(t, file), &versioned)
		var definition apiextensions.CustomResourceDefinition
		if err := apiextensionsv1.Convert_v1_CustomResourceDefinition_To_apiextensions_CustomResourceDefinition(&versioned, &definition, nil); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		for _, version := range definition.Spec.Versions {
			declared := version.Schema
			if declared == nil {
				declared = definition.Spec.Validation
			}
			validate, _, err := validation.NewSchemaValidator(declared.OpenAPIV3Schema)
			if err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			structural, err := structuralschema.NewStructural(declared.OpenAPIV3Schema)
			if err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			found[definition.Spec.Group+"/"+version.Name+" "+definition.Spec.Names.Kind] = schema{validate, structural}
		}
	}
	return found
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
	known, used := schemas(t), map[string]bool{}
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
				schema, ok := known[kind]
				if !ok {
					t.Errorf("%s: there is no schema for it", name)
					continue
				}
				for _, mistake := range schema.mistakes(object) {
					t.Errorf("%s: %s", name, mistake)
				}
			}
			used[kind] = true
		}
	}
	for kind := range known {
		if strings.Contains(kind, "v1alpha1 Account") && !used[kind] {
			t.Errorf("no page has a %s", kind)
		}
	}
	// The check itself finds what is wrong.
	wrong := map[string]any{"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": map[string]any{"name": "a"},
		"spec": map[string]any{"project": "default", "destination": map[string]any{}, "syncPolicy": map[string]any{"retry": map[string]any{"limit": "five", "refreshed": true}}}}
	if found := known["argoproj.io/v1alpha1 Application"].mistakes(wrong); len(found) < 2 {
		t.Errorf("an Application with an unknown field and a wrong type has the mistakes %q", found)
	}
}

// mistakes are what an API server would refuse, unknown fields included.
func (s schema) mistakes(object map[string]any) (found []string) {
	defaulted := runtime.DeepCopyJSON(toJSON(object))
	defaulting.Default(defaulted, s.structural)
	for _, path := range pruning.PruneWithOptions(runtime.DeepCopyJSON(defaulted), s.structural, true, structuralschema.UnknownFieldPathOptions{TrackUnknownFieldPaths: true}) {
		found = append(found, "unknown field "+path)
	}
	for _, err := range validation.ValidateCustomResource(nil, defaulted, s.validate) {
		found = append(found, err.Error())
	}
	rules := cel.NewValidator(s.structural, true, celconfig.PerCallLimit)
	errs, _ := rules.Validate(context.Background(), field.NewPath(""), s.structural, defaulted, nil, celconfig.RuntimeCELCostBudget)
	for _, err := range errs {
		found = append(found, err.Error())
	}
	return found
}

// toJSON gives the object the types that a JSON decoder for Kubernetes has.
func toJSON(object map[string]any) map[string]any {
	text, err := json.Marshal(object)
	if err != nil {
		panic(err)
	}
	var decoded map[string]any
	if err := utiljson.Unmarshal(text, &decoded); err != nil {
		panic(err)
	}
	return decoded
}

func strict(t *testing.T, name string, object map[string]any, into any) {
	t.Helper()
	text, err := json.Marshal(object)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.UnmarshalStrict(text, into); err != nil {
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
