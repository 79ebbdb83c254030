// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// Document is a JSON object as the API stores it. Numbers are json.Number, so
// that no digit is lost.
type Document = map[string]any

var errNotAnObject = errors.New("the body must be a JSON object")

// decode reads exactly one JSON value.
func decode(data []byte) (any, error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	var value any
	if err := dec.Decode(&value); err != nil {
		return nil, err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one JSON value")
	}
	return value, nil
}

func decodeObject(data []byte) (Document, error) {
	value, err := decode(data)
	if err != nil {
		return nil, err
	}
	doc, ok := value.(Document)
	if !ok {
		return nil, errNotAnObject
	}
	return doc, nil
}

// decodeStrict is for the simulator's own inputs, where a field that does not
// exist is a mistake.
func decodeStrict(data []byte, into any) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		return err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return errors.New("more than one JSON value")
	}
	return nil
}

// encode writes JSON as the API does: without escaping <, > and &.
func encode(value any) ([]byte, error) {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(value); err != nil {
		return nil, err
	}
	return bytes.TrimRight(out.Bytes(), "\n"), nil
}

// toDocument turns a Document, raw JSON or a struct into a Document of its own.
func toDocument(value any) (Document, error) {
	data, err := json.Marshal(value)
	if err != nil {
		return nil, err
	}
	return decodeObject(data)
}

func deepCopy(value any) any {
	switch v := value.(type) {
	case Document:
		return copyDocument(v)
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = deepCopy(v[i])
		}
		return out
	default:
		return value
	}
}

func copyDocument(doc Document) Document {
	out := make(Document, len(doc))
	for key, value := range doc {
		out[key] = deepCopy(value)
	}
	return out
}

func equal(a, b any) bool { return reflect.DeepEqual(a, b) }

// text returns the string at a top-level key, "" when it is absent or no string.
func text(doc Document, key string) string {
	s, _ := doc[key].(string)
	return s
}

func object(doc Document, key string) Document {
	o, _ := doc[key].(Document)
	return o
}

// parentOf finds the object that holds the last key of a dotted path.
func parentOf(doc Document, path string) (parent Document, key string) {
	keys := strings.Split(path, ".")
	parent = doc
	for _, k := range keys[:len(keys)-1] {
		if parent = object(parent, k); parent == nil {
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

// setDefault sets a value only where the key is absent: an explicit false, ""
// or null is the user's.
func setDefault(doc Document, key string, value any) {
	if _, ok := doc[key]; !ok {
		doc[key] = value
	}
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// brief renders a value for a message, cut to a readable length.
func brief(value any) string {
	s, ok := value.(string)
	if !ok {
		data, err := encode(value)
		if err != nil {
			return fmt.Sprintf("%T", value)
		}
		s = string(data)
	}
	const limit = 100
	if len(s) > limit {
		s = strings.ToValidUTF8(s[:limit], "") + "…"
	}
	return s
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

// pick keeps only the paths of the tree; arrays are looked through.
func (t pathTree) pick(value any) (any, bool) {
	if t == nil {
		return deepCopy(value), true
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

// omit drops the paths of the tree; arrays are looked through.
func (t pathTree) omit(value any) any {
	switch v := value.(type) {
	case Document:
		out := make(Document, len(v))
		for key, child := range v {
			sub, named := t[key]
			switch {
			case !named:
				out[key] = deepCopy(child)
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

// decodeState is decodeStrict without losing digits of the documents inside.
func decodeState(data []byte, into any) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	dec.DisallowUnknownFields()
	return dec.Decode(into)
}
