// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package fields

import (
	"maps"
	"slices"
	"strconv"

	"github.com/go-openapi/jsonpointer"
)

// LeaveOut removes from a definition what it cannot declare, and returns the JSON pointers of what was
// removed, sorted: the fields that the server sets itself, at the top, inside blocks and in the elements
// of arrays, and the rest block of an HTTP import. That block is an older form of its http block, which
// the API still returns.
func LeaveOut(document map[string]any) []string {
	var removed []string
	if HasLegacyBlock(document) {
		delete(document, "rest")
		removed = append(removed, "/rest")
	}
	removed = leaveOut(removed, Root, "", document)
	slices.Sort(removed)
	return removed
}

// HasLegacyBlock reports whether an HTTP import also has its older form.
func HasLegacyBlock(document map[string]any) bool {
	_, hasREST := document["rest"].(map[string]any)
	_, hasHTTP := document["http"].(map[string]any)
	return hasREST && hasHTTP && document["adaptorType"] == "HTTPImport"
}

func leaveOut(removed []string, field *Field, path string, value any) []string {
	if field.IsFree() {
		return removed
	}
	switch typed := value.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(typed)) {
			server := field.IsServer(name)
			if !server && IsScalar(typed[name]) {
				continue // most are, and need no pointer
			}
			below := path + "/" + jsonpointer.Escape(name)
			if server {
				delete(typed, name)
				removed = append(removed, below)
				continue
			}
			removed = leaveOut(removed, field.Member(name), below, typed[name])
		}
	case []any:
		for i, element := range typed {
			removed = leaveOut(removed, field.Elements(), path+"/"+strconv.Itoa(i), element)
		}
	}
	return removed
}

// IsScalar reports whether a value has no members and no elements.
func IsScalar(value any) bool {
	switch value.(type) {
	case map[string]any, []any:
		return false
	}
	return true
}

// ServerSets reports whether the server sets the field at a JSON pointer itself, or one that contains it.
func ServerSets(pointer string) bool {
	field := Root
	for _, token := range Tokens(pointer) {
		if field.IsServer(token) {
			return true
		}
		field = field.Below(token)
	}
	return false
}
