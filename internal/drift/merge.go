// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package drift

import (
	"slices"

	"github.com/go-openapi/jsonpointer"
)

// Merge returns the document to write: the remote one, without the fields of owned that
// are declared no more, with the declared values laid over it. Maps merge by key, all
// else is replaced. What lies at or under a pointer of ignore stays as the remote has it.
// The arguments are not changed.
func Merge(owned []string, declared, remote map[string]any, ignore []string) map[string]any {
	merged := clone(remote).(map[string]any)
	for _, path := range Released(owned, declared) {
		if !under(path, ignore) {
			Remove(merged, path)
		}
	}
	overlay("", merged, declared, ignore)
	return merged
}

// Released lists the owned fields that the document declares no more, sorted. A field is
// still declared when the document has it, anything below it, or a leaf above it.
func Released(owned []string, declared map[string]any) []string {
	var released []string
	for _, path := range owned {
		if !declares(declared, tokens(path)) {
			released = append(released, path)
		}
	}
	slices.Sort(released)
	return released
}

// Remaining lists the fields of paths that the remote document still has with a value
// that is not empty.
func Remaining(paths []string, remote map[string]any) []string {
	return slices.DeleteFunc(slices.Clone(paths), func(path string) bool {
		value, found := lookup(remote, tokens(path))
		return !found || empty(value)
	})
}

// Has tells whether a document has a field, whatever its value. path is a JSON pointer.
func Has(document map[string]any, path string) bool {
	_, found := lookup(document, tokens(path))
	return found
}

// Remove takes a field out of a document, and the objects that this leaves empty. path is
// a JSON pointer.
func Remove(document map[string]any, path string) {
	remove(document, tokens(path))
}

func tokens(path string) []string {
	pointer, err := jsonpointer.New(path)
	if err != nil {
		return nil
	}
	return pointer.DecodedTokens()
}

func declares(declared map[string]any, tokens []string) bool {
	object := declared
	for i, token := range tokens {
		value, ok := object[token]
		if !ok {
			return false
		}
		child, isObject := value.(map[string]any)
		if i == len(tokens)-1 || !isObject {
			return true
		}
		object = child
	}
	return true
}

func lookup(document map[string]any, tokens []string) (any, bool) {
	var value any = document
	for _, token := range tokens {
		object, ok := value.(map[string]any)
		if !ok {
			return nil, false
		}
		if value, ok = object[token]; !ok {
			return nil, false
		}
	}
	return value, true
}

func remove(object map[string]any, tokens []string) {
	if len(tokens) == 0 {
		return
	}
	if len(tokens) == 1 {
		delete(object, tokens[0])
		return
	}
	child, ok := object[tokens[0]].(map[string]any)
	if !ok {
		return
	}
	remove(child, tokens[1:])
	if len(child) == 0 {
		delete(object, tokens[0])
	}
}

func overlay(path string, merged, declared map[string]any, ignore []string) {
	for key, value := range declared {
		below := join(path, key)
		if under(below, ignore) {
			continue
		}
		object, isObject := value.(map[string]any)
		existing, exists := merged[key].(map[string]any)
		if isObject && (exists || len(object) > 0) {
			if !exists {
				existing = map[string]any{}
				merged[key] = existing
			}
			overlay(below, existing, object, ignore)
			continue
		}
		merged[key] = clone(value)
	}
}
