// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Command generate puts the table of package fields to use: it completes the CRDs that controller-gen
// made, and makes the policy that warns at admission and the reference page of the definition. It also
// makes the reference page of the metrics.
package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"go.yaml.in/yaml/v3"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	k8syaml "sigs.k8s.io/yaml"
)

func main() {
	crds := flag.String("crds", "config/crd/bases", "the directory of the CRDs, which are completed in place")
	policies := flag.String("policies", "config/definition-warnings", "the directory for the admission policies")
	page := flag.String("page", "docs/definition.md", "the file for the reference page")
	metrics := flag.String("metrics", "docs/metrics.md", "the file for the page of the metrics")
	flag.Parse()
	if err := run(*crds, *policies, *page, *metrics); err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
}

func run(crds, policies, page, metrics string) error {
	files, err := filepath.Glob(filepath.Join(crds, "*.yaml"))
	if err != nil || len(files) == 0 {
		return fmt.Errorf("no CRDs in %s: %w", crds, err)
	}
	for _, file := range files {
		if err := rewrite(file); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
	}
	for name, text := range policyFiles() {
		if err := os.WriteFile(filepath.Join(policies, name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	if err := os.WriteFile(metrics, []byte(metricsPage()), 0o644); err != nil {
		return err
	}
	return os.WriteFile(page, []byte(referencePage()), 0o644)
}

// rewrite completes a CRD in its file.
func rewrite(file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	crd := &apiextensionsv1.CustomResourceDefinition{}
	if err := k8syaml.UnmarshalStrict(text, crd); err != nil {
		return err
	}
	complete(crd)
	made, err := marshal(crd)
	if err != nil {
		return err
	}
	return os.WriteFile(file, made, 0o644)
}

// marshal writes a CRD without what the API server fills in, with its keys sorted and its lines as long
// as they are: folded ones would double the size.
func marshal(crd *apiextensionsv1.CustomResourceDefinition) ([]byte, error) {
	object, err := runtime.DefaultUnstructuredConverter.ToUnstructured(crd)
	if err != nil {
		return nil, err
	}
	unstructured.RemoveNestedField(object, "status")
	unstructured.RemoveNestedField(object, "metadata", "creationTimestamp")
	text, err := json.Marshal(object)
	if err != nil {
		return nil, err
	}
	// JSON is YAML.
	var document yaml.Node
	if err := yaml.Unmarshal(text, &document); err != nil {
		return nil, err
	}
	inBlocks(&document)
	made := bytes.NewBufferString("---\n")
	encoder := yaml.NewEncoder(made)
	encoder.SetIndent(2)
	if err := encoder.Encode(&document); err != nil {
		return nil, err
	}
	return made.Bytes(), encoder.Close()
}

// inBlocks takes the style of JSON from a document, except for a field of the definition that contains no
// other: it stays on one line, or the lines would be longer in white space than in text.
func inBlocks(node *yaml.Node) {
	node.Style = 0
	if node.Kind == yaml.MappingNode && len(node.Content) == 6 && node.Content[4].Value == "x-kubernetes-preserve-unknown-fields" {
		node.Style = yaml.FlowStyle
	}
	for _, child := range node.Content {
		inBlocks(child)
	}
}
