// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/yaml"
)

// TestColumnsFit: what kubectl get prints fits a terminal, with the longest values that there are.
func TestColumnsFit(t *testing.T) {
	const (
		terminal = 160
		padding  = 3
		name     = 30
	)
	longest := map[string]int{
		"Ready": len("Unknown"), "Status": longestReason(t), "Age": len("365d"),
		"URL": len("https://api.eu.integrator.io"), "Managed": len("10000"), "Imports": len("10000"),
		"ID": len("61d4c0a7f2b95e0014b3c801"), "Adaptor": len("NetSuiteDistributedImport"), "Last-Modified": len("2026-11-28T12:32:57.850Z"),
		"Phase": len("Succeeded"), "Import": name, "Records": len("1000000"), "Succeeded": len("1000000"), "Failed": len("1000000"), "Ignored": len("1000000"),
		"Progress": len("1000/1000"),
	}
	files, err := filepath.Glob(filepath.Join("..", "config", "crd", "bases", "*.yaml"))
	if err != nil || len(files) != 3 {
		t.Fatalf("the files of the CRDs are %v (%v)", files, err)
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		crd := &apiextensionsv1.CustomResourceDefinition{}
		if err := yaml.UnmarshalStrict(content, crd); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		width := name
		for _, column := range crd.Spec.Versions[0].AdditionalPrinterColumns {
			if column.Priority > 0 {
				continue // only with -o wide
			}
			value, known := longest[column.Name]
			if !known {
				t.Errorf("%s: say here how long a value of the column %s can be", crd.Spec.Names.Kind, column.Name)
			}
			width += padding + max(len(column.Name), value)
		}
		if width > terminal {
			t.Errorf("kubectl get %s prints %d characters, which is more than %d: give a column priority=1", crd.Spec.Names.Plural, width, terminal)
		}
	}
}

// longestReason is the length of the longest reason of any condition.
func longestReason(t *testing.T) (longest int) {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("..", "api", "v1alpha1", "reasons.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, reason := range regexp.MustCompile(`(?m)^\s+Reason\w+\s+=\s+"(\w+)"`).FindAllSubmatch(content, -1) {
		longest = max(longest, len(reason[1]))
	}
	if longest < len("OwnershipConflict") {
		t.Fatalf("the longest reason has %d characters: they are declared elsewhere", longest)
	}
	return longest
}
