// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package document

import (
	"encoding/json"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/integrator-operator/integrator-operator/internal/fields"
	"github.com/integrator-operator/integrator-operator/internal/simulator/choices"
	"github.com/integrator-operator/integrator-operator/internal/simulator/wire"
)

// kinds are the names of the types in the errors of the schema library behind the API.
var kinds = map[fields.Type]string{
	fields.Text: "String", fields.Number: "Number", fields.Boolean: "Boolean", fields.Object: "Object",
	fields.Array: "Array", fields.ID: "ObjectId",
}

// storing brings the values of a document into the form in which the API stores them, as the table
// says: types, white space, letter case.
type storing struct {
	chosen   choices.Choices
	problems []wire.ErrorDetail
}

// storeValues changes the values of a document, and returns those that cannot be stored.
func storeValues(doc Document, chosen choices.Choices) []wire.ErrorDetail {
	s := &storing{chosen: chosen}
	s.object(fields.Root, doc, "")
	for _, path := range chosen.AlsoLowerCased {
		if parent, key := parentOf(doc, path); parent != nil {
			if text, ok := parent[key].(string); ok {
				parent[key] = strings.ToLower(text)
			}
		}
	}
	return s.problems
}

func (s *storing) object(field *fields.Field, object Document, path string) {
	for _, name := range SortedKeys(object) {
		at := name
		if path != "" {
			at = path + "." + name
		}
		member := field.Member(name)
		if field.IsServer(name) {
			object[name] = s.serverMade(object[name])
			continue
		}
		object[name] = s.value(member, name, object[name], at)
	}
}

// serverMade returns what is stored in a field that only the server sets.
func (s *storing) serverMade(value any) any {
	if text, ok := value.(string); ok && IsID(text) && s.chosen.LowerCaseIDs {
		return ID(text)
	}
	return value
}

// value returns what is stored in a field. name is that of the field, or of the array that it is an
// element of. field is nil if the table does not have it.
func (s *storing) value(field *fields.Field, name string, value any, path string) any {
	if value == nil || field.IsFree() {
		return value
	}
	if field != nil {
		stored, ok := s.cast(field, value)
		if !ok {
			s.problems = append(s.problems, wire.CastError(kinds[field.Types[0]], value, path))
			return value
		}
		value = stored
	}
	switch typed := value.(type) {
	case Document:
		if fields.IDName.MatchString(name) {
			s.problems = append(s.problems, wire.CastError(kinds[fields.ID], value, path))
			return value
		}
		s.object(field, typed, path)
	case []any:
		for i, element := range typed {
			typed[i] = s.value(field.Elements(), name, element, path+"."+strconv.Itoa(i))
		}
	case string:
		return s.text(field, name, typed, path)
	default:
		if fields.IDName.MatchString(name) {
			s.problems = append(s.problems, wire.CastError(kinds[fields.ID], value, path))
		}
	}
	return value
}

func (s *storing) text(field *fields.Field, name, text, path string) string {
	if fields.IDName.MatchString(name) {
		switch {
		case text != "" && !IsID(text):
			s.problems = append(s.problems, wire.CastError(kinds[fields.ID], text, path))
		case s.chosen.LowerCaseIDs:
			text = ID(text)
		}
		return text
	}
	if field == nil {
		return text
	}
	if s.chosen.TrimTexts && !field.Exact {
		text = strings.TrimSpace(text)
	}
	if s.chosen.LowerCase && field.Lower {
		text = strings.ToLower(text)
	}
	return text
}

// cast returns a value in the documented type of a field. One that cannot be cast is kept if the table
// has its type too, and otherwise refused.
func (s *storing) cast(field *fields.Field, value any) (any, bool) {
	if field.Is(fields.Any) || isMixed(field) {
		return value, true
	}
	if s.chosen.CastTypes {
		if stored, ok := castTo(field.Types[0], value); ok {
			return stored, true
		}
	}
	return value, slices.ContainsFunc(typesOf(value), field.Is)
}

// isMixed reports whether a field takes values as they are, of whatever type: it is documented with
// single values as well as arrays or objects.
func isMixed(field *fields.Field) bool {
	return field.Types[0] == fields.Text && (field.Is(fields.Array) || field.Is(fields.Object))
}

// typesOf are the types of the table that a value may be of.
func typesOf(value any) []fields.Type {
	switch value.(type) {
	case string:
		return []fields.Type{fields.Text, fields.ID}
	case bool:
		return []fields.Type{fields.Boolean}
	case json.Number:
		return []fields.Type{fields.Number}
	case []any:
		return []fields.Type{fields.Array}
	case Document:
		return []fields.Type{fields.Object}
	default:
		return []fields.Type{fields.Null}
	}
}

// castTo casts as the schema library behind the API does. An object is an array of one object too. An
// empty text is no number.
func castTo(kind fields.Type, value any) (any, bool) {
	if slices.Contains(typesOf(value), kind) {
		return value, true
	}
	switch kind {
	case fields.Text:
		text := scalar(value)
		return text, text != ""
	case fields.Number:
		return castNumber(value)
	case fields.Boolean:
		return castBoolean(value)
	case fields.Array:
		return []any{value}, true
	default:
		return value, false
	}
}

// scalar is a number, a boolean or a text as text, "" for other values. A number is written as
// JavaScript does, 5.0 as 5, unless it has an exponent there or cannot hold all digits.
func scalar(value any) string {
	switch typed := value.(type) {
	case string:
		return typed
	case json.Number:
		const longest = 15
		number, err := typed.Float64()
		text := strconv.FormatFloat(number, 'f', -1, 64)
		if err != nil || len(strings.Trim(text, "-0.")) > longest || number != 0 && (math.Abs(number) >= 1e15 || math.Abs(number) < 1e-6) {
			return typed.String()
		}
		return text
	case bool:
		return strconv.FormatBool(typed)
	default:
		return ""
	}
}

var numeral = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$`)

func castNumber(value any) (any, bool) {
	text, isText := value.(string)
	if text = strings.TrimSpace(text); isText && text == "" {
		return nil, true
	}
	return json.Number(text), isText && numeral.MatchString(text)
}

func castBoolean(value any) (any, bool) {
	text := scalar(value)
	isTrue := slices.Contains([]string{"true", "1", "yes"}, text)
	return isTrue, isTrue || slices.Contains([]string{"false", "0", "no"}, text)
}
