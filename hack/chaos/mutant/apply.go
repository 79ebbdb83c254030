// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package mutant

import (
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
)

// Apply returns the files that a mutant changes, by their paths below root, as it changes them.
// It fails unless every edit has exactly one place.
func (m *Mutant) Apply(root string) (map[string][]byte, error) {
	files := map[string][]byte{}
	for _, e := range m.Edits {
		if err := e.apply(root, files); err != nil {
			return nil, fmt.Errorf("mutant %s: %s.%s: %w", m.Name, e.Package, e.Function, err)
		}
	}
	return files, nil
}

// source is a file with a function of interest.
type source struct {
	path     string
	content  []byte
	set      *token.FileSet
	file     *ast.File
	function *ast.FuncDecl
}

// apply makes one edit in files, which has those that were changed before.
func (e Edit) apply(root string, files map[string][]byte) error {
	s, err := e.locate(root, files)
	if err != nil {
		return err
	}
	found := e.Find.find(s.function)
	if len(found) != 1 {
		return fmt.Errorf("there are %d places with a %s, one is wanted", len(found), e.Find.what)
	}
	from, to := s.offset(found[0].Pos()), s.offset(found[0].End())
	changed := string(s.content[:from]) + s.expand(e.With, found[0]) + string(s.content[to:])
	for _, name := range e.Imports {
		if !s.imports(name) {
			end := s.offset(s.file.Name.End())
			changed = changed[:end] + "\n\nimport " + strconv.Quote(name) + changed[end:]
		}
	}
	formatted, err := format.Source([]byte(changed))
	if err != nil {
		return fmt.Errorf("the changed file is not Go: %w", err)
	}
	files[s.path] = formatted
	return nil
}

// locate finds the function of an edit, in the files as they have been changed.
func (e Edit) locate(root string, files map[string][]byte) (*source, error) {
	entries, err := os.ReadDir(filepath.Join(root, filepath.FromSlash(e.Package)))
	if err != nil {
		return nil, err
	}
	var located []*source
	for _, entry := range entries {
		name := path.Join(e.Package, entry.Name())
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			continue
		}
		content, ok := files[name]
		if !ok {
			if content, err = os.ReadFile(filepath.Join(root, filepath.FromSlash(name))); err != nil {
				return nil, err
			}
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, name, content, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		for _, declaration := range file.Decls {
			if fn, ok := declaration.(*ast.FuncDecl); ok && fn.Body != nil && functionName(fn) == e.Function {
				located = append(located, &source{name, content, set, file, fn})
			}
		}
	}
	if len(located) != 1 {
		return nil, fmt.Errorf("there are %d such functions, one is wanted", len(located))
	}
	return located[0], nil
}

// functionName is the name of a function, for a method with that of its receiver.
func functionName(fn *ast.FuncDecl) string {
	if fn.Recv == nil || len(fn.Recv.List) == 0 {
		return fn.Name.Name
	}
	receiver := fn.Recv.List[0].Type
	if star, ok := receiver.(*ast.StarExpr); ok {
		receiver = star.X
	}
	return lastName(receiver) + "." + fn.Name.Name
}

func (s *source) offset(at token.Pos) int { return s.set.Position(at).Offset }

// text is the source of a node.
func (s *source) text(n ast.Node) string {
	return string(s.content[s.offset(n.Pos()):s.offset(n.End())])
}

// imports reports whether the file imports a package.
func (s *source) imports(name string) bool {
	for _, spec := range s.file.Imports {
		if spec.Path.Value == strconv.Quote(name) {
			return true
		}
	}
	return false
}

// expand fills in what stands for parts of the node: see Edit.
func (s *source) expand(with string, n ast.Node) string {
	pairs := []string{"$0", s.text(n)}
	if call, ok := n.(*ast.CallExpr); ok {
		pairs = append(pairs, "$fun", s.text(call.Fun))
		if selector, ok := call.Fun.(*ast.SelectorExpr); ok {
			pairs = append(pairs, "$recv", s.text(selector.X))
		}
		for i, argument := range call.Args {
			pairs = append(pairs, "$"+strconv.Itoa(i+1), s.text(argument))
		}
	}
	return strings.NewReplacer(pairs...).Replace(with)
}
