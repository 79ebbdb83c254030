// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package drift

import (
	"iter"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/go-openapi/jsonpointer"

	"github.com/integrator-operator/integrator-operator/internal/fields"
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

// A pattern is a JSON pointer in which the name "*" stands for any one name or index. It also matches
// the name "*" itself.
const anyName = "*"

// Ignores reports whether a path is one that a pattern matches, or below one.
func Ignores(path string, patterns []string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		rest, _, agree := follow(pattern, path)
		return agree && rest == ""
	})
}

// ignoresBelow reports whether a pattern can match something below a path.
func ignoresBelow(path string, patterns []string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		rest, below, agree := follow(pattern, path)
		return agree && rest != "" && below == ""
	})
}

// follow removes the names from a pattern and a path in which they agree, until one of the two ends.
func follow(pattern, path string) (restOfPattern, restOfPath string, agree bool) {
	for pattern != "" && path != "" {
		var wanted, name string
		wanted, pattern = cutName(pattern)
		name, path = cutName(path)
		if wanted != anyName && wanted != name {
			return "", "", false
		}
	}
	return pattern, path, true
}

// cutName cuts the first name off a pointer that is not empty. It stays escaped.
func cutName(pointer string) (name, rest string) {
	if end := strings.IndexByte(pointer[1:], '/'); end >= 0 {
		return pointer[1 : 1+end], pointer[1+end:]
	}
	return pointer[1:], ""
}

// Unmatched returns the patterns that match nothing in any of the documents.
func Unmatched(patterns []string, documents ...map[string]any) []string {
	var unmatched []string
	for _, pattern := range patterns {
		names := fields.Tokens(pattern)
		if !slices.ContainsFunc(documents, func(document map[string]any) bool { return matches(document, names) }) {
			unmatched = append(unmatched, pattern)
		}
	}
	return unmatched
}

// matches reports whether a value has something at a pattern.
func matches(value any, names []string) bool {
	if len(names) == 0 {
		return true
	}
	for name, child := range children(value) {
		if (names[0] == anyName || names[0] == name) && matches(child, names[1:]) {
			return true
		}
	}
	return false
}

// children yields the fields of an object or the elements of an array, by their names or indexes.
func children(value any) iter.Seq2[string, any] {
	return func(yield func(string, any) bool) {
		switch typed := value.(type) {
		case map[string]any:
			maps.All(typed)(yield)
		case []any:
			for i, child := range typed {
				if !yield(strconv.Itoa(i), child) {
					return
				}
			}
		}
	}
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
