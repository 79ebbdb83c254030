// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package mutant

import (
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/integrator-operator/integrator-operator/hack/chaos/scenario"
)

// root is the top of the checkout.
var root = "../../.."

// A mutant that does not fit the code any more would change nothing, or not build.
func TestMutantsFitTheCode(t *testing.T) {
	if len(All) < 20 {
		t.Errorf("there are %d mutants, at least 20 are wanted", len(All))
	}
	for i := range All {
		m := &All[i]
		t.Run(m.Name, func(t *testing.T) {
			files, err := m.Apply(root)
			if err != nil {
				t.Fatal(err)
			}
			if len(files) == 0 {
				t.Error("the mutant changes nothing")
			}
			for _, e := range m.Edits {
				before := typeErrors(t, e.Package, nil)
				for _, message := range typeErrors(t, e.Package, files) {
					if !slices.Contains(before, message) {
						t.Errorf("package %s does not compile: %s", e.Package, message)
					}
				}
			}
			for _, name := range m.Scenarios {
				if _, err := scenario.Named(name); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// typeErrors checks the types of a package without those of other packages, which is quick: it
// finds what is not defined in the package, declared and not used, or imported and not used.
func typeErrors(t *testing.T, dir string, changed map[string][]byte) (messages []string) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(root, filepath.FromSlash(dir), "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	set := token.NewFileSet()
	var files []*ast.File
	for _, p := range paths {
		name := path.Join(dir, filepath.Base(p))
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		content, ok := changed[name]
		if !ok {
			if content, err = os.ReadFile(p); err != nil {
				t.Fatal(err)
			}
		}
		file, err := parser.ParseFile(set, name, content, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	config := types.Config{Importer: noImporter{}, Error: func(err error) {
		if e, ok := err.(types.Error); ok { //nolint:errorlint // documented to be one
			messages = append(messages, e.Msg)
		}
	}}
	_, _ = config.Check(dir, set, files, nil) // its errors have been collected
	return messages
}

// noImporter finds no package: what comes from it has no type, and causes no error.
type noImporter struct{}

func (noImporter) Import(string) (*types.Package, error) { return nil, os.ErrNotExist }
