// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package document

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

var fieldList = regexp.MustCompile(`^[A-Za-z0-9._,]+$`)

// alwaysIncluded are the fields that are in a list whatever `include` names.
var alwaysIncluded = []string{"_id", "name", "adaptorType"}

// Projection returns the rendering of a document for the values of `include` and `exclude`. At most
// one of the two may be set.
func Projection(include, exclude string) (func(Document) any, error) {
	if include != "" && exclude != "" {
		return nil, errors.New("include and exclude cannot be used together")
	}
	for name, value := range map[string]string{"include": include, "exclude": exclude} {
		if value != "" && !fieldList.MatchString(value) {
			return nil, fmt.Errorf("%s may hold letters, digits, dots and commas only", name)
		}
	}
	split := func(list string) []string {
		return strings.FieldsFunc(list, func(r rune) bool { return r == ',' })
	}
	switch {
	case include != "":
		tree := newPathTree(append(split(include), alwaysIncluded...))
		return func(doc Document) any {
			kept, _ := tree.pick(doc)
			return kept
		}, nil
	case exclude != "":
		tree := newPathTree(split(exclude))
		return func(doc Document) any { return tree.omit(doc) }, nil
	default:
		return func(doc Document) any { return doc }, nil
	}
}

// pathTree is a set of dotted paths; a nil subtree means the whole value.
type pathTree map[string]pathTree

func newPathTree(paths []string) pathTree {
	root := pathTree{}
	for _, path := range paths {
		node := root
		keys := strings.Split(path, ".")
		for i, key := range keys {
			next, known := node[key]
			if known && next == nil {
				break // a shorter path already covers it
			}
			if i == len(keys)-1 {
				node[key] = nil
				break
			}
			if next == nil {
				next = pathTree{}
				node[key] = next
			}
			node = next
		}
	}
	return root
}

// pick keeps only the paths of the tree. It looks into the elements of arrays.
func (t pathTree) pick(value any) (any, bool) {
	if t == nil {
		return DeepCopy(value), true
	}
	switch v := value.(type) {
	case Document:
		out := Document{}
		for key, sub := range t {
			if child, ok := v[key]; ok {
				if kept, ok := sub.pick(child); ok {
					out[key] = kept
				}
			}
		}
		return out, true
	case []any:
		out := []any{}
		for _, item := range v {
			if kept, ok := t.pick(item); ok {
				out = append(out, kept)
			}
		}
		return out, true
	default:
		return nil, false
	}
}

// omit drops the paths of the tree. It looks into the elements of arrays.
func (t pathTree) omit(value any) any {
	switch v := value.(type) {
	case Document:
		out := make(Document, len(v))
		for key, child := range v {
			sub, named := t[key]
			switch {
			case !named:
				out[key] = DeepCopy(child)
			case sub != nil:
				out[key] = sub.omit(child)
			}
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = t.omit(v[i])
		}
		return out
	default:
		return value
	}
}
