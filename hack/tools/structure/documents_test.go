// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package structure

import (
	"go/ast"
	"go/token"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const (
	architecture = "docs/architecture.md"
	development  = "docs/development.md"
	operating    = "docs/operating.md"
)

var (
	code   = regexp.MustCompile("`([^`\n]+)`")
	reason = regexp.MustCompile("`([A-Z][A-Za-z]+)`")
	block  = regexp.MustCompile("(?ms)^```.*?^```$")
	link   = regexp.MustCompile(`\[[^\]]*\]\(([^)\s]+)\)`)
	// sentence is the beginning of a text, to the end of a sentence or to a comma.
	sentence = regexp.MustCompile(`^[^.,]*[.,]`)
	test     = regexp.MustCompile("`((?:Test|Fuzz|Benchmark)[A-Z][A-Za-z]*)`")
)

// TestMapOfPackages: the map of docs/architecture.md has every directory with Go code, and no other.
func TestMapOfPackages(t *testing.T) {
	mapped := map[string]bool{}
	for _, row := range rows(section(read(t, architecture), "## Packages")) {
		for _, match := range code.FindAllStringSubmatch(row[0], -1) {
			dir := strings.TrimSuffix(match[1], "/")
			if dir == "main.go" {
				dir = "."
			}
			if mapped[dir] {
				t.Errorf("%s is on the map twice", dir)
			}
			mapped[dir] = true
		}
	}
	for _, dir := range project(t).packages() {
		if !mapped[dir] {
			t.Errorf("package %s is not on the map of %s", dir, architecture)
		}
		delete(mapped, dir)
	}
	for dir := range mapped {
		t.Errorf("%s is on the map of %s, and has no Go code", dir, architecture)
	}
}

// TestPathsExist: what the pages for developers name is in the tree.
func TestPathsExist(t *testing.T) {
	for _, name := range []string{architecture, development} {
		paths := namedPaths(read(t, name))
		if len(paths) < 10 {
			t.Errorf("only %d paths are found in %s", len(paths), name)
		}
		for _, named := range paths {
			if !project(t).exists(named) && (strings.Contains(named, "/") || !project(t).hasFile(named)) {
				t.Errorf("%s names %s, which is not there", name, named)
			}
		}
	}
}

// namedPaths gives the paths in code of a page: what begins with a directory of the root, or is
// the name of a file, which may then be anywhere. A "*" stands for any part of a name.
func namedPaths(page string) []string {
	var paths []string
	for _, match := range code.FindAllStringSubmatch(block.ReplaceAllString(page, ""), -1) {
		for word := range strings.FieldsSeq(match[1]) {
			word = strings.TrimSuffix(strings.TrimSuffix(strings.TrimPrefix(word, "./"), "/..."), "/")
			if topLevel.MatchString(word) {
				paths = append(paths, word)
			} else if fileName.MatchString(word) {
				paths = append(paths, word)
			}
		}
	}
	slices.Sort(paths)
	return slices.Compact(paths)
}

var (
	topLevel = regexp.MustCompile(`^(\.ci|api|bin|config|controllers|docs|hack|internal|main\.go|Makefile|PROJECT|Dockerfile|\.golangci(-api)?\.yml)(/[A-Za-z0-9_.*-]+)*$`)
	fileName = regexp.MustCompile(`^[A-Za-z0-9_*-]+\.(go|md|sh|yml|yaml|json|sed|lua)$`)
)

// TestNamedTestsExist: a test that a page names can be run.
func TestNamedTestsExist(t *testing.T) {
	declared := map[string]bool{}
	for _, file := range project(t).code {
		for _, declaration := range file.syntax.Decls {
			if f, ok := declaration.(*ast.FuncDecl); ok && file.test {
				declared[f.Name.Name] = true
			}
		}
	}
	for _, name := range markdown(t) {
		for _, match := range test.FindAllStringSubmatch(read(t, name), -1) {
			if !declared[match[1]] {
				t.Errorf("%s names the test %s, which does not exist", name, match[1])
			}
		}
	}
}

// TestLinks: a link within the project leads to a file, and to a heading of it. A pattern in code may look like one.
func TestLinks(t *testing.T) {
	for _, name := range markdown(t) {
		for _, match := range link.FindAllStringSubmatch(code.ReplaceAllString(block.ReplaceAllString(read(t, name), ""), ""), -1) {
			target, anchor, _ := strings.Cut(match[1], "#")
			if strings.Contains(target, "://") {
				continue
			}
			file := name
			if target != "" {
				file = path.Join(path.Dir(name), target)
			}
			switch {
			case !project(t).exists(file):
				t.Errorf("%s links to %s, which is not there", name, match[1])
			case anchor != "" && !slices.Contains(anchors(read(t, file)), anchor):
				t.Errorf("%s links to %s, and there is no such heading", name, match[1])
			}
		}
	}
}

// anchors are those that GitHub gives to the headings of a page.
func anchors(page string) []string {
	var found []string
	for line := range strings.Lines(block.ReplaceAllString(page, "")) {
		heading := strings.TrimLeft(line, "#")
		if heading == line || !strings.HasPrefix(heading, " ") {
			continue
		}
		anchor := strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case strings.ContainsRune("abcdefghijklmnopqrstuvwxyz0123456789-_", r):
				return r
			default:
				return -1
			}
		}, strings.ToLower(strings.TrimSpace(heading)))
		found = append(found, anchor)
	}
	return found
}

// TestEndpointsAreDocumented: docs/development.md has a row for each endpoint that the client calls.
func TestEndpointsAreDocumented(t *testing.T) {
	checkTable(t, endpoints(t), 12, development, "### The simulator", "endpoint")
}

// endpoints gives the endpoints that the client declares, as the vendor writes them.
func endpoints(t *testing.T) []string {
	t.Helper()
	var names []string
	for _, file := range project(t).code {
		if file.dir != "internal/integrator" || file.test {
			continue
		}
		ast.Inspect(file.syntax, func(node ast.Node) bool {
			literal, ok := node.(*ast.CompositeLit)
			if !ok {
				return true
			}
			if kind, ok := literal.Type.(*ast.Ident); !ok || kind.Name != "endpoint" {
				return true
			}
			method, route := "", ""
			for _, element := range literal.Elts {
				pair := element.(*ast.KeyValueExpr)
				switch key := pair.Key.(*ast.Ident); key.Name {
				case "method":
					method = strings.ToUpper(strings.TrimPrefix(pair.Value.(*ast.SelectorExpr).Sel.Name, "Method"))
				case "route":
					route, _ = text(pair.Value)
				}
			}
			names = append(names, method+" "+strings.ReplaceAll(strings.TrimPrefix(route, "/v1"), "{id}", "<_id>"))
			return true
		})
	}
	return names
}

// TestFlagsAreDocumented: docs/operating.md has a row for each flag of the manager.
func TestFlagsAreDocumented(t *testing.T) {
	checkTable(t, flags(t), 8, operating, "## Flags", "flag")
}

var registers = regexp.MustCompile(`^(String|Bool|Int|Int64|Uint|Float64|Duration)Var$|^(Var|TextVar|Func|BoolFunc)$`)

// flags gives the names of the flags that the manager and its subcommands register.
func flags(t *testing.T) []string {
	t.Helper()
	var names []string
	for _, file := range project(t).code {
		if file.test || file.dir != "." && file.dir != "internal/command" && file.dir != "internal/serving" {
			continue
		}
		ast.Inspect(file.syntax, func(node ast.Node) bool {
			call, ok := node.(*ast.CallExpr)
			if !ok || len(call.Args) < 3 {
				return true
			}
			if method, ok := call.Fun.(*ast.SelectorExpr); ok && registers.MatchString(method.Sel.Name) {
				if name, ok := text(call.Args[1]); ok {
					names = append(names, name)
				}
			}
			return true
		})
	}
	return names
}

// checkTable holds the names in the first column of a page's tables against those of the code, at
// least as many as given: each has a row, and no row has another. Dashes before a name do not count.
func checkTable(t *testing.T, declared []string, least int, page, heading, kind string) {
	t.Helper()
	if len(declared) < least {
		t.Fatalf("only %d names of the kind %s are found: %v", len(declared), kind, declared)
	}
	documented := map[string]bool{}
	for _, row := range rows(section(read(t, page), heading)) {
		for _, match := range code.FindAllStringSubmatch(row[0], -1) {
			documented[strings.TrimLeft(match[1], "-")] = true
		}
	}
	for _, name := range declared {
		if !documented[name] {
			t.Errorf("%s %s is not in the table of %s", kind, name, page)
		}
		delete(documented, name)
	}
	for name := range documented {
		t.Errorf("%s documents the %s %s, which the code does not have", page, kind, name)
	}
}

// text gives the value of a string literal.
func text(node ast.Node) (string, bool) {
	literal, ok := node.(*ast.BasicLit)
	if !ok || literal.Kind != token.STRING {
		return "", false
	}
	value, err := strconv.Unquote(literal.Value)
	return value, err == nil
}

// section is a page from a heading to the next of the same level.
func section(page, heading string) string {
	_, after, found := strings.Cut(page, "\n"+heading+"\n")
	if !found {
		return ""
	}
	level, _, _ := strings.Cut(heading, " ")
	before, _, _ := strings.Cut(after, "\n"+level+" ")
	return before
}

// rows are the cells of the tables in a text, without their headings.
func rows(page string) [][]string {
	var found [][]string
	inTable := false
	for line := range strings.Lines(page) {
		line = strings.TrimSpace(line)
		if !strings.HasPrefix(line, "|") {
			inTable = false
			continue
		}
		if strings.HasPrefix(line, "|---") {
			inTable = true
		} else if inTable {
			found = append(found, strings.Split(strings.Trim(line, "|"), "|"))
		}
	}
	return found
}

// markdown are the pages of the project.
func markdown(t *testing.T) []string {
	t.Helper()
	var pages []string
	for _, name := range project(t).paths {
		if path.Ext(name) == ".md" && (strings.HasPrefix(name, "docs/") || !strings.Contains(name, "/")) {
			pages = append(pages, name)
		}
	}
	return pages
}
