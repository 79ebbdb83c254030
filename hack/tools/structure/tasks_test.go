// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package structure

import (
	"go/ast"
	"regexp"
	"strings"
	"testing"
)

var (
	// storyTitle is code that reads like the title of a story: a sentence.
	storyTitle = regexp.MustCompile(`^[A-Z][a-z]* [A-Za-z, ]+$`)
	// goName is code that names something of Go, perhaps with its package or type.
	goName = regexp.MustCompile(`^([A-Za-z][A-Za-z0-9]*\.)?[A-Za-z][A-Za-z0-9]*$`)
)

// TestNamedStoriesExist: a story that a page for developers names can be run.
func TestNamedStoriesExist(t *testing.T) {
	stories := map[string]bool{}
	for _, file := range project(t).code {
		if !file.test {
			continue
		}
		ast.Inspect(file.syntax, func(node ast.Node) bool {
			call, ok := node.(*ast.CallExpr)
			if !ok || len(call.Args) == 0 {
				return true
			}
			if function, ok := call.Fun.(*ast.Ident); ok && function.Name == "Describe" {
				if story, ok := text(call.Args[0]); ok {
					stories[story] = true
				}
			}
			return true
		})
	}
	for _, page := range []string{architecture, development} {
		found := 0
		for _, match := range code.FindAllStringSubmatch(block.ReplaceAllString(read(t, page), ""), -1) {
			if !storyTitle.MatchString(match[1]) {
				continue
			}
			found++
			if !stories[match[1]] {
				t.Errorf("%s names the story %q, which does not exist", page, match[1])
			}
		}
		if found == 0 {
			t.Errorf("%s names no story", page)
		}
	}
}

// TestNamedIdentifiersExist: what the table "To add" of docs/architecture.md names is in the code. A
// function that was renamed would send its reader looking.
func TestNamedIdentifiersExist(t *testing.T) {
	used := map[string]bool{}
	for _, file := range project(t).code {
		used[file.syntax.Name.Name] = true
		ast.Inspect(file.syntax, func(node ast.Node) bool {
			if identifier, ok := node.(*ast.Ident); ok {
				used[identifier.Name] = true
			}
			return true
		})
	}
	table := rows(section(read(t, architecture), "## To add …"))
	if len(table) < 15 {
		t.Fatalf("the table has only %d rows", len(table))
	}
	for _, row := range table {
		for _, match := range code.FindAllStringSubmatch(strings.Join(row, "|"), -1) {
			identifier := strings.TrimSuffix(match[1], "()")
			if !goName.MatchString(identifier) || project(t).exists(identifier) || project(t).hasFile(identifier) {
				continue
			}
			for part := range strings.SplitSeq(identifier, ".") {
				if !used[part] {
					t.Errorf("%s names %s, which no code has", architecture, match[1])
				}
			}
		}
	}
}
