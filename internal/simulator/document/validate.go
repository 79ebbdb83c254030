// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package document

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/integrator-operator/integrator-operator/internal/fields"
	"github.com/integrator-operator/integrator-operator/internal/simulator/choices"
	"github.com/integrator-operator/integrator-operator/internal/simulator/wire"
)

const maxDescription = 10240

var objectID = regexp.MustCompile(`^[0-9a-fA-F]{24}$`)

// IsID reports whether a text is an id: 24 hex characters.
func IsID(text string) bool { return objectID.MatchString(text) }

// ID returns an id as the API stores it. Ids that differ in letter case are the same.
func ID(text string) string { return strings.ToLower(text) }

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
	v.block(a, chosen)
	v.refused(chosen.RefusedValues)
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

func (v *validation) block(a adaptor, chosen choices.Choices) {
	if chosen.RequireFileBlock && a.file && v.doc["file"] == nil {
		v.add(wire.ErrorDetail{Code: wire.CodeMissingField, Field: "file", Message: "file subschema not defined"})
	}
	if fileType, ok := valueAt(v.doc, "file.type"); ok && fileType != nil {
		v.enum("file.type", fileType)
	}
	value := v.doc[a.block]
	if value == nil {
		v.add(wire.ErrorDetail{Code: wire.CodeMissingField, Field: a.block, Message: a.block + " subschema not defined"})
		return
	}
	block, ok := value.(Document)
	if !ok { // which is refused already
		return
	}
	for _, key := range a.required {
		if IsBlank(block[key]) {
			v.add(wire.RequiredError(a.block + "." + key))
			continue
		}
		if slices.Contains(a.enums, key) {
			v.enum(a.block+"."+key, block[key])
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

// enum refuses a value that is not one of the documented ones.
func (v *validation) enum(path string, value any) {
	allowed := fields.Lookup("/" + strings.ReplaceAll(path, ".", "/")).Enum
	if s, ok := value.(string); ok && slices.Contains(allowed, s) {
		return
	}
	v.add(wire.ErrorDetail{
		Code: wire.CodeInvalidField, Field: path,
		Message: fmt.Sprintf("`%s` is not a valid enum value for path `%s`.", wire.Brief(value), path),
	})
}
