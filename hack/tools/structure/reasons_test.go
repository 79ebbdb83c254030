// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package structure

import (
	"go/ast"
	"go/token"
	"slices"
	"strings"
	"testing"
)

// reasonPages are the pages that document the reasons of a group in api/v1alpha1/reasons.go, by the
// first line of the group's comment. A reason has to be in each of them.
var reasonPages = map[string][]string{
	"Reasons of conditions that several kinds have.": {"docs/conditions.md", reasonIndex},
	"Reasons of an Account.":                         {"docs/conditions.md", "docs/accounts.md", reasonIndex},
	"Reasons of an Import.":                          {"docs/conditions.md", reasonIndex},
	"Reasons of an Import's events,":                 {"docs/conditions.md", reasonIndex},
	"Reasons of an ImportRun.":                       {"docs/importruns.md", reasonIndex},
}

// reasonIndex is the page that says for each reason where to look.
const reasonIndex = "docs/troubleshooting.md"

// declaredReason is a constant of api/v1alpha1/reasons.go.
type declaredReason struct {
	name, value string
	pages       []string
}

// TestReasonsAreDocumented: a reason that is in no table leaves the reader of a condition alone;
// one that no code gives sends them looking.
func TestReasonsAreDocumented(t *testing.T) {
	declared := reasons(t)
	if len(declared) < 50 {
		t.Fatalf("only %d reasons are found in api/v1alpha1/reasons.go", len(declared))
	}
	documented := map[string][]string{} // by page
	for _, pages := range reasonPages {
		for _, name := range pages {
			documented[name] = documentedReasons(read(t, name))
		}
	}
	known := map[string]bool{}
	for _, found := range declared {
		known[found.value] = true
		for _, name := range found.pages {
			if !slices.Contains(documented[name], found.value) {
				t.Errorf("reason %s is not in %s", found.value, name)
			}
		}
	}
	for name, all := range documented {
		for _, found := range all {
			if !known[found] {
				t.Errorf("%s documents reason %s, which api/v1alpha1/reasons.go does not have", name, found)
			}
		}
	}
}

// TestReasonsAreUsed: a reason that no code of the manager names is never given.
func TestReasonsAreUsed(t *testing.T) {
	used := map[string]bool{}
	for _, file := range project(t).code {
		if !file.shipped() || within(file.dir, "api") {
			continue
		}
		ast.Inspect(file.syntax, func(node ast.Node) bool {
			if selector, ok := node.(*ast.SelectorExpr); ok {
				used[selector.Sel.Name] = true
			}
			return true
		})
	}
	for _, found := range reasons(t) {
		if !used[found.name] {
			t.Errorf("no code uses the reason %s", found.name)
		}
	}
}

// reasons gives the constants Reason… in api/v1alpha1.
func reasons(t *testing.T) []declaredReason {
	t.Helper()
	var found []declaredReason
	for _, file := range project(t).code {
		if file.dir != "api/v1alpha1" || file.test {
			continue
		}
		for _, declaration := range file.syntax.Decls {
			group, ok := declaration.(*ast.GenDecl)
			if !ok || group.Tok != token.CONST {
				continue
			}
			about := sentence.FindString(group.Doc.Text())
			for _, spec := range group.Specs {
				spec := spec.(*ast.ValueSpec)
				if !strings.HasPrefix(spec.Names[0].Name, "Reason") || len(spec.Values) != 1 {
					continue
				}
				if spec.Doc == nil {
					t.Errorf("%s has no comment", spec.Names[0].Name)
				}
				if reasonPages[about] == nil {
					t.Errorf("%s is in a group that no page is named for here: %q", spec.Names[0].Name, about)
				}
				if value, ok := text(spec.Values[0]); ok {
					found = append(found, declaredReason{name: spec.Names[0].Name, value: value, pages: reasonPages[about]})
				}
			}
		}
	}
	return found
}

// documentedReasons gives the reasons in the columns of a page that are headed "Reason", and
// those of the paragraphs about events.
func documentedReasons(page string) []string {
	var found []string
	add := func(text string) {
		for _, match := range reason.FindAllStringSubmatch(text, -1) {
			found = append(found, match[1])
		}
	}
	column := -1
	for line := range strings.Lines(page) {
		cells := strings.Split(line, "|")
		if len(cells) < 3 {
			column = -1
			continue
		}
		if at := slices.IndexFunc(cells, func(cell string) bool { return strings.TrimSpace(cell) == "Reason" }); at >= 0 {
			column = at
		} else if column >= 0 && column < len(cells) {
			add(cells[column])
		}
	}
	for paragraph := range strings.SplitSeq(page, "\n\n") {
		if strings.HasPrefix(strings.TrimSpace(paragraph), "Events:") {
			add(paragraph)
		}
	}
	return found
}
