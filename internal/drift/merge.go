// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package drift

import (
	"slices"
	"strconv"

	"github.com/go-openapi/jsonpointer"

	"github.com/integrator-operator/integrator-operator/internal/fields"
)

// Merge returns the document to write: the remote one, without the released fields, and with the
// declared values. Objects are merged key by key, and everything else is replaced. Values at or under
// a pointer of ignore are those of remote, also inside arrays. The arguments are not changed.
func Merge(released []string, declared, remote map[string]any, ignore []string) map[string]any {
	merged := clone(remote).(map[string]any)
	for _, path := range released {
		Remove(merged, path)
	}
	overlay("", merged, declared, ignore)
	keepElementIDs(fields.Root, merged, remote)
	return merged
}

// Released returns the fields to remove, sorted: those that are owned, no longer declared, not ignored,
// and still have a value. A field is still declared if the document has it, a field below it, or a leaf
// above it. An object that is not empty is not removed: only leaves are owned, so others added what is
// in it.
func Released(owned []string, declared, remote map[string]any, ignore []string) []string {
	var released []string
	for _, path := range owned {
		if declares(declared, tokens(path)) || under(path, ignore) {
			continue
		}
		value, found := lookup(remote, tokens(path))
		if _, isObject := value.(map[string]any); found && !isObject && !empty(value) {
			released = append(released, path)
		}
	}
	slices.Sort(released)
	return released
}

// Has reports whether a document has a field, whatever its value. path is a JSON pointer.
func Has(document map[string]any, path string) bool {
	_, found := lookup(document, tokens(path))
	return found
}

// Remove removes a field from a document, and the objects that become empty. path is a JSON
// pointer.
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

// declares reports whether a field is declared: itself, a field below it, or a leaf above it.
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
		merged[key] = replaced(below, value, merged[key], ignore)
	}
}

// replaced returns the declared value. What is ignored inside it is that of remote.
func replaced(path string, declared, remote any, ignore []string) any {
	if !above(path, ignore) {
		return clone(declared)
	}
	switch typed := declared.(type) {
	case []any:
		result, array := clone(typed).([]any), elements(remote)
		for i := range result {
			below := path + "/" + strconv.Itoa(i)
			switch {
			case i >= len(array):
			case under(below, ignore):
				result[i] = array[i]
			default:
				result[i] = replaced(below, typed[i], array[i], ignore)
			}
		}
		return result
	case map[string]any:
		result := map[string]any{}
		object, _ := remote.(map[string]any)
		for key, value := range typed {
			if below := join(path, key); !under(below, ignore) {
				result[key] = replaced(below, value, object[key], ignore)
			}
		}
		for key, value := range object {
			if under(join(path, key), ignore) {
				result[key] = value
			}
		}
		return result
	default:
		return declared
	}
}

func elements(value any) []any {
	array, _ := value.([]any)
	return array
}

// keepElementIDs puts the _id that the API gave to the elements of an array into the elements that
// replace them, so that a write of the array makes no new ones. Elements are the same by their index.
// Where the definition has an _id, or the data is the user's own, nothing is kept.
func keepElementIDs(field *fields.Field, merged, remote any) {
	if field.IsFree() {
		return
	}
	switch typed := merged.(type) {
	case map[string]any:
		object, _ := remote.(map[string]any)
		for name, child := range typed {
			keepElementIDs(field.Member(name), child, object[name])
		}
	case []any:
		array := elements(remote)
		for i := range min(len(typed), len(array)) {
			element, isObject := typed[i].(map[string]any)
			before, wasObject := array[i].(map[string]any)
			if isObject && wasObject && before[fields.ElementID] != nil {
				if _, declared := element[fields.ElementID]; !declared {
					element[fields.ElementID] = before[fields.ElementID]
				}
			}
			keepElementIDs(field.Elements(), typed[i], array[i])
		}
	}
}
