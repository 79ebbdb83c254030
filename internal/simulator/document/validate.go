// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package document

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/integrator-operator/integrator-operator/internal/simulator/choices"
	"github.com/integrator-operator/integrator-operator/internal/simulator/wire"
)

const maxDescription = 10240

var objectID = regexp.MustCompile(`^[0-9a-fA-F]{24}$`)

// IsID reports whether a text is an id: 24 hex characters.
func IsID(text string) bool { return objectID.MatchString(text) }

// resolveAdaptor returns the kind of import that a document declares. stored is the adaptorType of
// the import that it replaces, "" for a new one.
func resolveAdaptor(doc Document, stored string) (adaptor, []wire.ErrorDetail) {
	declared, given := doc["adaptorType"]
	var a adaptor
	switch name, isText := declared.(string); {
	case given && declared != nil && !isText:
		return a, []wire.ErrorDetail{wire.CastError("String", declared, "adaptorType")}
	case name != "":
		var known bool
		if a, known = adaptorNamed(name); !known {
			return a, []wire.ErrorDetail{{
				Code: wire.CodeInvalidField, Field: "adaptorType",
				Message: fmt.Sprintf("`%s` is not a valid enum value for path `adaptorType`.", wire.Brief(name)),
			}}
		}
	default:
		var inferred bool
		if a, inferred = inferAdaptor(doc); !inferred {
			if a, inferred = adaptorNamed(stored); !inferred {
				return a, []wire.ErrorDetail{wire.RequiredError("adaptorType")}
			}
		}
	}
	if stored != "" && a.name != stored {
		return a, []wire.ErrorDetail{{
			Code: wire.CodeUpdateNotAllowed, Field: "adaptorType",
			Message: fmt.Sprintf("adaptorType cannot be changed from %s to %s", stored, a.name),
		}}
	}
	return a, nil
}

// validate returns everything that is wrong with a normalised document.
func validate(doc Document, a adaptor, chosen choices.Choices, hasConnection func(id string) bool) []wire.ErrorDetail {
	v := &validation{doc: doc}
	v.baseTypes()
	v.block(a, chosen)
	v.refused(chosen.RefusedValues)
	v.ids(doc, "")
	if name, ok := doc["name"]; !ok || name == nil || name == "" {
		v.add(wire.RequiredError("name"))
	}
	if d := Text(doc, "description"); utf8.RuneCountInString(d) > maxDescription {
		v.add(wire.ErrorDetail{
			Code: wire.CodeInvalidField, Field: "description",
			Message: fmt.Sprintf("description is longer than %d characters", maxDescription),
		})
	}
	connection := doc["_connectionId"]
	if connection == nil || connection == "" {
		if !a.noConnection {
			v.add(wire.RequiredError("_connectionId"))
		}
	} else if id, ok := connection.(string); ok && IsID(id) && !hasConnection(id) {
		v.add(UnknownConnection("_connectionId", id))
	}
	return v.problems
}

// refused refuses the values of choices.RefusedValues, also in an array.
func (v *validation) refused(values []string) {
	for _, refused := range values {
		path, text, _ := strings.Cut(refused, "=")
		value, _ := valueAt(v.doc, path)
		if list, isList := value.([]any); value == text || isList && slices.Contains(list, any(text)) {
			v.add(wire.ErrorDetail{
				Code: wire.CodeInvalidField, Field: path,
				Message: fmt.Sprintf("`%s` is not a valid enum value for path `%s`.", wire.Brief(text), path),
			})
		}
	}
}

// UnknownConnection is the error for a connection that the account does not have.
func UnknownConnection(field, id string) wire.ErrorDetail {
	return wire.ErrorDetail{Code: wire.CodeInvalidRef, Field: field, Message: fmt.Sprintf("connection %s does not exist", id)}
}

type validation struct {
	doc      Document
	problems []wire.ErrorDetail
}

func (v *validation) add(problem wire.ErrorDetail) { v.problems = append(v.problems, problem) }

// baseTypes refuses top-level values that cannot be cast. null stands for absent.
func (v *validation) baseTypes() {
	for _, check := range []struct {
		kind   string
		fields []string
		is     func(any) bool
	}{
		{"String", stringFields, is[string]},
		{"Boolean", booleanFields, is[bool]},
		{"Number", numberFields, is[json.Number]},
		{"Object", objectFields, is[Document]},
		{"Array", arrayFields, is[[]any]},
	} {
		for _, field := range check.fields {
			if value := v.doc[field]; value != nil && !check.is(value) {
				v.add(wire.CastError(check.kind, value, field))
			}
		}
	}
}

func is[T any](value any) bool {
	_, ok := value.(T)
	return ok
}

func (v *validation) block(a adaptor, chosen choices.Choices) {
	if chosen.RequireFileBlock && a.file && v.doc["file"] == nil {
		v.add(wire.ErrorDetail{Code: wire.CodeMissingField, Field: "file", Message: "file subschema not defined"})
	}
	if fileType, ok := valueAt(v.doc, "file.type"); ok && fileType != nil {
		v.enum("file.type", fileType, []string{"json", "csv", "xml", "xlsx", "filedefinition"})
	}
	value := v.doc[a.block]
	block, ok := value.(Document)
	switch {
	case value == nil:
		v.add(wire.ErrorDetail{Code: wire.CodeMissingField, Field: a.block, Message: a.block + " subschema not defined"})
		return
	case !ok:
		v.add(wire.CastError("Object", value, a.block))
		return
	}
	for _, key := range a.required {
		if IsBlank(block[key]) {
			v.add(wire.RequiredError(a.block + "." + key))
			continue
		}
		if allowed, closed := a.enums[key]; closed {
			v.enum(a.block+"."+key, block[key], allowed)
		}
	}
}

// IsBlank reports whether a value is null, empty text or an empty array.
func IsBlank(value any) bool {
	if list, ok := value.([]any); ok {
		return len(list) == 0
	}
	return value == nil || value == ""
}

func (v *validation) enum(path string, value any, allowed []string) {
	if s, ok := value.(string); ok && slices.Contains(allowed, s) {
		return
	}
	v.add(wire.ErrorDetail{
		Code: wire.CodeInvalidField, Field: path,
		Message: fmt.Sprintf("`%s` is not a valid enum value for path `%s`.", wire.Brief(value), path),
	})
}

// ids refuses references that are not ids. References are the fields `_…Id` and `_…Ids` at any depth,
// except in free-form fields.
func (v *validation) ids(value any, path string) {
	switch node := value.(type) {
	case Document:
		for _, key := range SortedKeys(node) {
			if path == "" && (slices.Contains(freeForm, key) || isServerOwned(key)) {
				continue
			}
			at := key
			if path != "" {
				at = path + "." + key
			}
			if strings.HasPrefix(key, "_") && (strings.HasSuffix(key, "Id") || strings.HasSuffix(key, "Ids")) {
				v.reference(node[key], at)
				continue
			}
			v.ids(node[key], at)
		}
	case []any:
		for i, item := range node {
			v.ids(item, fmt.Sprintf("%s.%d", path, i))
		}
	}
}

func (v *validation) reference(value any, path string) {
	if list, ok := value.([]any); ok && strings.HasSuffix(path, "Ids") {
		for i, item := range list {
			v.reference(item, fmt.Sprintf("%s.%d", path, i))
		}
		return
	}
	if value == nil || value == "" {
		return
	}
	if id, ok := value.(string); !ok || !IsID(id) {
		v.add(wire.CastError("ObjectId", value, path))
	}
}
