// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package drift

import (
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/go-openapi/jsonpointer"
)

// Fields returns the JSON pointers of all leaves of a document, sorted. These are the fields that the
// owner of the document owns. Arrays and empty objects are leaves.
func Fields(document map[string]any) []string {
	var fields []string
	for key, value := range document {
		fields = appendFields(fields, join("", key), value)
	}
	slices.Sort(fields)
	return fields
}

func appendFields(fields []string, path string, value any) []string {
	object, ok := value.(map[string]any)
	if !ok || len(object) == 0 {
		return append(fields, path)
	}
	for key, child := range object {
		fields = appendFields(fields, join(path, key), child)
	}
	return fields
}

// Text returns a value as JSON, cut like Cut if it is longer than limit bytes.
func Text(value any, limit int) string {
	if secret, ok := value.(hidden); ok {
		return string(secret)
	}
	encoded, err := Encode(value)
	if err != nil {
		return "(not JSON)"
	}
	return shorten(strings.ToValidUTF8(string(encoded), string(utf8.RuneError)), limit)
}

// Cut makes text fit to be shown: it is valid UTF-8, and shortened to at most limit bytes, between
// runes, with an ellipsis at the cut. An unpaired surrogate is shown as its JSON escape.
func Cut(text string, limit int) string { return shorten(readable(text), limit) }

func shorten(text string, limit int) string {
	const ellipsis = "…"
	if len(text) <= limit {
		return text
	}
	end := max(0, limit-len(ellipsis))
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + ellipsis
}

func join(path, key string) string {
	return path + "/" + jsonpointer.Escape(key)
}

// under reports whether path is one of the pointers or below one.
func under(path string, pointers []string) bool {
	for _, pointer := range pointers {
		if path == pointer || strings.HasPrefix(path, pointer+"/") {
			return true
		}
	}
	return false
}

// above reports whether one of the pointers is below path.
func above(path string, pointers []string) bool {
	for _, pointer := range pointers {
		if strings.HasPrefix(pointer, path+"/") {
			return true
		}
	}
	return false
}

func clone(value any) any {
	switch typed := value.(type) {
	case map[string]any:
		copied := make(map[string]any, len(typed))
		for key, child := range typed {
			copied[key] = clone(child)
		}
		return copied
	case []any:
		copied := make([]any, len(typed))
		for i, child := range typed {
			copied[i] = clone(child)
		}
		return copied
	default:
		return value
	}
}

func sortedKeys(object map[string]any) []string {
	return slices.Sorted(maps.Keys(object))
}
