// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package structure

import (
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// TestModulesAreKnown: "make verify" checks every module, and Dependabot proposes updates for it.
func TestModulesAreKnown(t *testing.T) {
	var modules []string
	for _, name := range project(t).paths {
		if path.Base(name) == "go.mod" && !strings.Contains(name, "/testdata/") {
			modules = append(modules, path.Dir(name))
		}
	}
	if len(modules) < 4 {
		t.Fatalf("only %d modules are found: %v", len(modules), modules)
	}
	var bot struct {
		Updates []struct {
			Ecosystem   string   `json:"package-ecosystem"`
			Directories []string `json:"directories"`
		} `json:"updates"`
	}
	if err := yaml.Unmarshal([]byte(read(t, ".github/dependabot.yml")), &bot); err != nil {
		t.Fatal(err)
	}
	var updated []string
	for _, update := range bot.Updates {
		if update.Ecosystem != "gomod" {
			continue
		}
		for _, directory := range update.Directories {
			// The root is "/" there.
			updated = append(updated, path.Join(".", directory))
		}
	}
	_, after, _ := strings.Cut(read(t, "Makefile"), "\nMODULES := ")
	list, _, _ := strings.Cut(after, "\n")
	for file, listed := range map[string][]string{".github/dependabot.yml": updated, "MODULES of the Makefile": strings.Fields(list)} {
		for _, module := range modules {
			if !slices.Contains(listed, module) {
				t.Errorf("%s lacks the module %s", file, module)
			}
		}
		if len(listed) != len(modules) {
			t.Errorf("%s has %d modules, there are %d: %v", file, len(listed), len(modules), listed)
		}
	}
}

// pinnedAction is an action named by a commit, with its version for the reader and for Dependabot.
var pinnedAction = regexp.MustCompile(`^uses: [A-Za-z0-9_.-]+/[A-Za-z0-9_./-]+@[0-9a-f]{40} # v[0-9]+\.[0-9]+\.[0-9]+$`)

// TestActionsArePinned: a tag of an action can be moved, and its code has the workflow's rights.
func TestActionsArePinned(t *testing.T) {
	found := 0
	for _, name := range project(t).paths {
		if path.Dir(name) != ".github/workflows" {
			continue
		}
		for line := range strings.Lines(read(t, name)) {
			line = strings.TrimPrefix(strings.TrimSpace(line), "- ")
			if !strings.HasPrefix(line, "uses:") {
				continue
			}
			found++
			if !pinnedAction.MatchString(line) {
				t.Errorf("%s: %q is not pinned by a commit with its version as a comment", name, line)
			}
		}
	}
	if found < 5 {
		t.Errorf("only %d actions are found", found)
	}
}
