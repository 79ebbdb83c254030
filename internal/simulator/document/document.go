// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package document does with the documents of imports what the API does: it fills in defaults, checks
// them, masks secrets, projects and compares them. It is independent of accounts and requests.
package document

import (
	"maps"
	"reflect"
	"slices"
	"strings"
)

// Document is a JSON object as the API stores it. Numbers are json.Number, so
// that no digit is lost.
type Document = map[string]any

// DeepCopy copies a JSON value.
func DeepCopy(value any) any {
	switch v := value.(type) {
	case Document:
		return Copy(v)
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = DeepCopy(v[i])
		}
		return out
	default:
		return value
	}
}

// Copy copies a document.
func Copy(doc Document) Document {
	out := make(Document, len(doc))
	for key, value := range doc {
		out[key] = DeepCopy(value)
	}
	return out
}

// Equal reports whether two JSON values are equal.
func Equal(a, b any) bool { return reflect.DeepEqual(a, b) }

// Text returns the string at a top-level key, "" if it is absent or not a string.
func Text(doc Document, key string) string {
	s, _ := doc[key].(string)
	return s
}

// Object returns the object at a top-level key, nil if it is absent or not an object.
func Object(doc Document, key string) Document {
	o, _ := doc[key].(Document)
	return o
}

// parentOf finds the object that holds the last key of a dotted path.
func parentOf(doc Document, path string) (parent Document, key string) {
	keys := strings.Split(path, ".")
	parent = doc
	for _, k := range keys[:len(keys)-1] {
		if parent = Object(parent, k); parent == nil {
			return nil, ""
		}
	}
	return parent, keys[len(keys)-1]
}

func valueAt(doc Document, path string) (any, bool) {
	parent, key := parentOf(doc, path)
	value, ok := parent[key]
	return value, ok
}

// SetDefault sets a value if the key is absent. An explicit false, "" or null stays.
func SetDefault(doc Document, key string, value any) {
	if _, ok := doc[key]; !ok {
		doc[key] = value
	}
}

// SortedKeys returns the keys of a map in order.
func SortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
