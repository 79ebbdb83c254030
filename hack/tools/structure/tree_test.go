// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package structure checks what keeps the code readable: the direction of imports, the size of
// packages and functions, the words, and that the documentation is true to the tree.
package structure

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

const (
	root   = "../../.."
	module = "github.com/integrator-operator/integrator-operator"
)

// goFile is a parsed Go file of the project.
type goFile struct {
	// path is relative to the root, with slashes; dir is its package.
	path, dir string
	test      bool
	generated bool
	fset      *token.FileSet
	syntax    *ast.File
	source    []byte
}

// shipped reports whether the file is part of the manager's program.
func (f *goFile) shipped() bool { return !f.test && isShipped(f.dir) }

// isShipped reports whether a package is part of the manager's program: hack/ is for developers,
// and the simulator and the model checker are only used by tests and by hack/.
func isShipped(dir string) bool {
	return !within(dir, "hack") && !within(dir, "internal/simulator") && !within(dir, "internal/modelcheck")
}

// within reports whether a package is below a directory, or is it.
func within(dir, parent string) bool { return dir == parent || strings.HasPrefix(dir, parent+"/") }

// tree is what the tests ask: all files of the project, relative to the root, and the Go files
// among them.
type tree struct {
	paths []string
	code  []*goFile
}

var readTree = sync.OnceValues(func() (*tree, error) {
	t := &tree{}
	fset := token.NewFileSet()
	err := fs.WalkDir(os.DirFS(root), ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case name == "bin" || name == "dist":
			// What is built there is not looked at. It may be a link.
			t.paths = append(t.paths, name)
			if entry.IsDir() {
				return fs.SkipDir
			}
			return nil
		case entry.Name() == ".git" && entry.IsDir():
			return fs.SkipDir
		case entry.IsDir():
			return nil
		}
		t.paths = append(t.paths, name)
		if path.Ext(name) != ".go" || slices.Contains(strings.Split(name, "/"), "testdata") {
			return nil
		}
		source, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
		if err != nil {
			return err
		}
		syntax, err := parser.ParseFile(fset, name, source, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		t.code = append(t.code, &goFile{
			path: name, dir: path.Dir(name), test: strings.HasSuffix(name, "_test.go"), generated: ast.IsGenerated(syntax),
			fset: fset, syntax: syntax, source: source,
		})
		return nil
	})
	return t, err
})

// project is the parsed tree.
func project(t *testing.T) *tree {
	t.Helper()
	parsed, err := readTree()
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

// packages are the directories with Go code, sorted. The root is ".".
func (t *tree) packages() []string {
	var dirs []string
	for _, file := range t.code {
		dirs = append(dirs, file.dir)
	}
	slices.Sort(dirs)
	return slices.Compact(dirs)
}

// exists reports whether a file or a directory of this path is there. A "*" stands for any part
// of a name.
func (t *tree) exists(pattern string) bool {
	return slices.ContainsFunc(t.paths, func(name string) bool {
		for ; name != "."; name = path.Dir(name) {
			if ok, err := path.Match(pattern, name); ok && err == nil {
				return true
			}
		}
		return false
	})
}

// hasFile reports whether any directory has a file of this name.
func (t *tree) hasFile(pattern string) bool {
	return slices.ContainsFunc(t.paths, func(name string) bool {
		ok, err := path.Match(pattern, path.Base(name))
		return ok && err == nil
	})
}

// read gives a file of the project.
func read(t *testing.T, name string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}
