// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package rules shows that the project's rules for the linters find what they are for.
package rules

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const config = ".golangci.yml"

var want = regexp.MustCompile(`// want (G[0-9]+)$`)

// TestSecurityRules lints the same faults in each place that has rules of its own.
func TestSecurityRules(t *testing.T) {
	faults, err := os.ReadFile(filepath.Join("testdata", "faults.go"))
	if err != nil {
		t.Fatal(err)
	}
	module := t.TempDir()
	copyTo(t, filepath.Join("..", "..", "..", "..", config), filepath.Join(module, config))
	write(t, filepath.Join(module, "go.mod"), "module example.com/faults\n\ngo 1.26.0\n")

	wanted := map[string]bool{}
	for path, spared := range map[string][]string{
		"controllers/faults.go":        nil,
		"internal/command/faults.go":   nil,
		"hack/demo/faults.go":          {"G204", "G301", "G302", "G304", "G306"},
		"internal/drift/drift_test.go": {"G101", "G301", "G302", "G304", "G306"},
	} {
		write(t, filepath.Join(module, filepath.FromSlash(path)), string(faults))
		number := 0
		for line := range strings.Lines(string(faults)) {
			number++
			if rule := want.FindStringSubmatch(strings.TrimSpace(line)); rule != nil && !slices.Contains(spared, rule[1]) {
				wanted[fmt.Sprintf("%s:%d %s", path, number, rule[1])] = true
			}
		}
	}
	if diff := cmp.Diff(slices.Sorted(maps.Keys(wanted)), slices.Sorted(maps.Keys(found(t, module)))); diff != "" {
		t.Errorf("gosec finds something else (-want +got):\n%s", diff)
	}
}

// found is what gosec finds in the module.
func found(t *testing.T, module string) map[string]bool {
	t.Helper()
	program := os.Getenv("GOLANGCI_LINT")
	if program == "" {
		t.Fatal("GOLANGCI_LINT is not set: run make lint, which builds the linters")
	}
	command := exec.CommandContext(t.Context(), program, "run", "--output.json.path=stdout", "--show-stats=false", "./...")
	command.Dir = module
	output, err := command.Output()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 1 {
		t.Fatalf("golangci-lint should find something: %v\n%s", err, output)
	}
	var report struct {
		Issues []struct {
			FromLinter, Text string
			Pos              struct {
				Filename string
				Line     int
			}
		}
	}
	if err := json.Unmarshal(output, &report); err != nil {
		t.Fatalf("%v\n%s", err, exit.Stderr)
	}
	issues := map[string]bool{}
	for _, issue := range report.Issues {
		if issue.FromLinter == "gosec" {
			rule, _, _ := strings.Cut(issue.Text, ":")
			issues[fmt.Sprintf("%s:%d %s", filepath.ToSlash(issue.Pos.Filename), issue.Pos.Line, rule)] = true
		}
	}
	return issues
}

func copyTo(t *testing.T, from, to string) {
	t.Helper()
	content, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	write(t, to, string(content))
}

func write(t *testing.T, path, content string) {
	t.Helper()
	err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(content), 0o600))
	if err != nil {
		t.Fatal(err)
	}
}
