// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package drift

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"

	"github.com/integrator-operator/integrator-operator/internal/fields"
)

// What the API is known to do with the fields of an import is in the table of package fields.

// ServerOwned are the fields at the top that the API sets, and that it ignores in a request.
var ServerOwned = fields.ServerSet()

// WriteOnly are the JSON pointers of the fields that the API masks in every answer. They can be sent,
// but not compared.
var WriteOnly = fields.Paths(func(field *fields.Field) bool { return field.Masked })

// IDField matches the names of fields that contain ids. Their values may be aliases.
var IDField = fields.IDName

// hexID matches an id of the platform, which is the same in upper and in lower case.
var hexID = regexp.MustCompile("^[0-9a-fA-F]{24}$")

// cast returns a value as the API stores it in a field: in the documented type, if the value can be
// read as one.
func cast(field *fields.Field, value any) any {
	if field == nil || field.Free || value == nil || len(field.Types) == 0 {
		return value
	}
	switch field.Types[0] {
	case fields.Number:
		return castNumber(value)
	case fields.Boolean:
		return castBoolean(value)
	case fields.Text:
		return castText(value)
	case fields.Array:
		_, isArray := value.([]any)
		_, isObject := value.(map[string]any)
		if isObject || value == "" || !isArray && !empty(value) {
			return []any{value}
		}
	}
	return value
}

func castNumber(value any) any {
	text, isText := value.(string)
	if !isText {
		return value
	}
	text = strings.TrimSpace(text)
	var number json.Number
	if !numeral.MatchString(text) || json.Unmarshal([]byte(text), &number) != nil {
		return value
	}
	return number
}

var numeral = regexp.MustCompile(`^-?[0-9]`)

func castBoolean(value any) any {
	switch text := asText(value); {
	case value == "":
		return false
	case slices.Contains([]string{"true", "1", "yes"}, text):
		return true
	case slices.Contains([]string{"false", "0", "no"}, text):
		return false
	default:
		return value
	}
}

func castText(value any) any {
	switch typed := value.(type) {
	case json.Number:
		return plainNumber(typed.String())
	case bool:
		if typed {
			return "true"
		}
		return "false"
	default:
		return value
	}
}

// equalTexts reports whether a declared text is what the API stores as another one in a field. name is
// that of the field, or of the array that it is an element of.
func equalTexts(field *fields.Field, name, declared, remote string) bool {
	if declared == remote {
		return true
	}
	if field != nil && !field.Free && !field.Exact {
		// The API may drop the white space around a text, but it adds none.
		if trimmed := strings.TrimSpace(declared); strings.TrimSpace(remote) == remote {
			declared = trimmed
		}
	}
	isID := (IDField.MatchString(name) || field.Is(fields.ID)) && hexID.MatchString(declared) && hexID.MatchString(remote)
	if isID || field != nil && field.Lower {
		return strings.EqualFold(declared, remote)
	}
	return declared == remote
}

func asText(value any) string {
	switch typed := value.(type) {
	case string:
		return typed
	case json.Number:
		return typed.String()
	default:
		return ""
	}
}
