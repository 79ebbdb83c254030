// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package drift

import (
	"slices"
	"strconv"

	"github.com/integrator-operator/integrator-operator/internal/fields"
)

// Merge returns the document to write: the remote one, without the released fields, and with the
// declared values. Objects are merged key by key, and everything else is replaced. Values at or under
// a pattern of ignore are those of remote, also inside arrays, unless what they are in is declared as
// another kind of value, or as a shorter array. The arguments are not changed.
func Merge(released []string, declared, remote map[string]any, ignore []string) map[string]any {
	merged := clone(remote).(map[string]any)
	for _, path := range released {
		Remove(merged, path)
	}
	overlay("", merged, declared, ignore)
	keepElementIDs(fields.Root, merged, remote)
	return merged
}

// taken stands for a value of the remote document, at a path.
type taken string

// Taken returns the pointers of the values at or below a field of the remote document that Merge takes
// from it, sorted. Empty values are left out. An array is one value.
func Taken(field string, released []string, declared, remote map[string]any, ignore []string) []string {
	value, found := lookup(remote, fields.Tokens(field))
	if !found {
		return nil
	}
	marked := clone(remote).(map[string]any)
	if Set(marked, field, mark(field, value)) != nil {
		return nil
	}
	paths := appendTaken(nil, Merge(released, declared, marked, ignore))
	for i, path := range paths {
		paths[i] = firstArray(remote, path)
	}
	slices.Sort(paths)
	return slices.Compact(paths)
}

// appendTaken appends the paths of what is marked in a value.
func appendTaken(paths []string, value any) []string {
	if path, ok := value.(taken); ok {
		return append(paths, string(path))
	}
	for _, child := range children(value) {
		paths = appendTaken(paths, child)
	}
	return paths
}

// mark replaces the leaves of a value that are not empty by their paths.
func mark(path string, value any) any {
	switch typed := value.(type) {
	case map[string]any:
		marked := make(map[string]any, len(typed))
		for key, child := range typed {
			marked[key] = mark(join(path, key), child)
		}
		return marked
	case []any:
		marked := make([]any, len(typed))
		for i, child := range typed {
			marked[i] = mark(path+"/"+strconv.Itoa(i), child)
		}
		return marked
	default:
		if empty(value) {
			return value
		}
		return taken(path)
	}
}

// Released returns the fields to remove, sorted: those that are owned, no longer declared, not ignored,
// and still have a value, in which nothing is ignored. A field is still declared if the document has it,
// a field below it, or a leaf above it. An object that is not empty is not removed: only leaves are
// owned, so others added what is in it.
func Released(owned []string, declared, remote map[string]any, ignore []string) []string {
	var released []string
	for _, path := range owned {
		if declares(declared, fields.Tokens(path)) || Ignores(path, ignore) {
			continue
		}
		value, found := lookup(remote, fields.Tokens(path))
		if field := fields.Lookup(path); !found && field != nil && field.Mutual && !Has(declared, field.Twin) && !Ignores(field.Twin, ignore) {
			// The API has the value only in the field to which it copies this one.
			path = field.Twin
			value, found = lookup(remote, fields.Tokens(path))
		}
		if _, isObject := value.(map[string]any); found && !isObject && !empty(value) && !hasIgnored(path, value, ignore) {
			released = append(released, path)
		}
	}
	slices.Sort(released)
	return slices.Compact(released)
}

// Has reports whether a document has a field, whatever its value. path is a JSON pointer.
func Has(document map[string]any, path string) bool {
	_, found := lookup(document, fields.Tokens(path))
	return found
}

// Remove removes a field from a document, and the objects that become empty. path is a JSON
// pointer.
func Remove(document map[string]any, path string) {
	remove(document, fields.Tokens(path))
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
		if Ignores(below, ignore) {
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
	if !ignoresBelow(path, ignore) {
		return clone(declared)
	}
	switch typed := declared.(type) {
	case []any:
		if array, ok := remote.([]any); ok {
			return replacedElements(path, typed, array, ignore)
		}
	case map[string]any:
		if object, ok := remote.(map[string]any); ok {
			return replacedFields(path, typed, object, ignore)
		}
	case nil:
		return ignoredOf(path, remote, ignore)
	}
	return clone(declared)
}

// ignoredOf returns what is ignored in a value that is declared to be absent, nil if nothing is.
func ignoredOf(path string, remote any, ignore []string) any {
	switch typed := remote.(type) {
	case map[string]any:
		if kept := replacedFields(path, nil, typed, ignore); len(kept) > 0 {
			return kept
		}
	case []any:
		if len(typed) > 0 && lengthsAgree(path, nil, typed, ignore) {
			return clone(typed)
		}
	}
	return nil
}

func replacedElements(path string, declared, remote []any, ignore []string) []any {
	result := clone(declared).([]any)
	if lengthsAgree(path, declared, remote, ignore) {
		result = append(result, clone(remote[len(declared):]).([]any)...)
	}
	for i := range min(len(declared), len(remote)) {
		if below := path + "/" + strconv.Itoa(i); Ignores(below, ignore) {
			result[i] = clone(remote[i])
		} else {
			result[i] = replaced(below, declared[i], remote[i], ignore)
		}
	}
	return result
}

func replacedFields(path string, declared, remote map[string]any, ignore []string) map[string]any {
	result := map[string]any{}
	for key, value := range declared {
		if below := join(path, key); !Ignores(below, ignore) {
			result[key] = replaced(below, value, remote[key], ignore)
		}
	}
	for key, value := range remote {
		below := join(path, key)
		if Ignores(below, ignore) {
			result[key] = clone(value)
		} else if _, ok := declared[key]; !ok && ignoresBelow(below, ignore) {
			if kept := ignoredOf(below, value, ignore); kept != nil {
				result[key] = kept
			}
		}
	}
	return result
}

// lengthsAgree reports whether a remote array has the elements of a declared one, and otherwise only
// elements that are ignored.
func lengthsAgree(path string, declared, remote []any, ignore []string) bool {
	for i := len(declared); i < len(remote); i++ {
		if !Ignores(path+"/"+strconv.Itoa(i), ignore) {
			return false
		}
	}
	return len(declared) <= len(remote)
}

// onlyIgnored reports whether a value is empty but for what is ignored.
func onlyIgnored(path string, value any, ignore []string) bool {
	switch typed := value.(type) {
	case map[string]any:
		for key, child := range typed {
			if below := join(path, key); !Ignores(below, ignore) && !onlyIgnored(below, child, ignore) {
				return false
			}
		}
		return true
	case []any:
		return lengthsAgree(path, nil, typed, ignore)
	default:
		return empty(value)
	}
}

// hasIgnored reports whether something in a value is ignored.
func hasIgnored(path string, value any, ignore []string) bool {
	if !ignoresBelow(path, ignore) {
		return false
	}
	for name, child := range children(value) {
		if below := join(path, name); Ignores(below, ignore) || hasIgnored(below, child, ignore) {
			return true
		}
	}
	return false
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
		array, _ := remote.([]any)
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
