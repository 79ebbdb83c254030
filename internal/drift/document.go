// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package drift

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/go-openapi/jsonpointer"
)

// Parse reads a JSON object. Numbers keep their digits (json.Number), so that nothing is lost when
// they are written back.
func Parse(raw []byte) (map[string]any, error) {
	value, err := ParseValue(raw)
	if err != nil {
		return nil, fmt.Errorf("not a JSON document: %w", err)
	}
	document, ok := value.(map[string]any)
	if !ok {
		return nil, errors.New("not a JSON object")
	}
	return document, nil
}

// ParseValue reads any JSON value, as Parse does.
func ParseValue(raw []byte) (any, error) {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return nil, err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows its end")
	}
	return value, nil
}

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
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return "(not JSON)"
	}
	return Cut(strings.TrimSuffix(text.String(), "\n"), limit)
}

// Cut shortens text to at most limit bytes, between runes, and marks the cut with an ellipsis.
func Cut(text string, limit int) string {
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
