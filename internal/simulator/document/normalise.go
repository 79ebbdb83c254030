// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package document

import (
	"encoding/json"
	"maps"
	"strconv"

	"github.com/integrator-operator/integrator-operator/internal/fields"
	"github.com/integrator-operator/integrator-operator/internal/simulator/choices"
	"github.com/integrator-operator/integrator-operator/internal/simulator/wire"
)

// Prepare brings a document into the form in which it is stored: it sets defaults and normalises
// values. It returns everything that is wrong with the document. storedType is the adaptorType of the
// import that the document replaces, "" for a new one. hasConnection reports whether the account has
// a connection.
func Prepare(doc Document, storedType string, chosen choices.Choices, hasConnection func(id string) bool) []wire.ErrorDetail {
	problems := DropUnknown(doc, chosen.UnknownFields)
	a, unresolved := resolveAdaptor(doc, storedType)
	if len(unresolved) > 0 {
		v := &validation{doc: doc, problems: append(problems, unresolved...)}
		if IsBlank(doc["name"]) {
			v.add(wire.RequiredError("name"))
		}
		return v.problems
	}
	if a.name == "HTTPImport" && fields.HasLegacyBlock(doc) && !chosen.KeepRESTOfHTTP {
		delete(doc, "rest")
	}
	if a.name == "RESTImport" && chosen.EchoRESTAsHTTP {
		dropForm(doc)
	}
	problems = append(problems, storeValues(doc, chosen)...)
	normalise(doc, a, chosen)
	return append(problems, validate(doc, a, chosen, hasConnection)...)
}

// normalise changes a document as the API does before storing it. It leaves values of the wrong
// type, which are refused.
func normalise(doc Document, a adaptor, chosen choices.Choices) {
	doc["adaptorType"] = a.name
	if a.ignoreFlags {
		SetDefault(doc, "ignoreExisting", false)
		SetDefault(doc, "ignoreMissing", false)
	}
	if a.name == "NetSuiteDistributedImport" {
		doc["distributed"] = true
	}
	if file := Object(doc, "file"); file != nil && file["type"] == "csv" {
		SetDefault(file, "csv", Document{})
	}
	if chosen.EchoRESTAsHTTP && a.name == "RESTImport" {
		echoREST(doc)
	}
	setDefaults(fields.Root, doc)
	for _, name := range []string{"filter", "responseTransform"} {
		if object := Object(doc, name); object != nil {
			echoRules(object, chosen)
		}
	}
	if chosen.EchoLookups {
		echoLookups(doc, a)
	}
	dropEmptyArrays(doc, chosen)
}

func dropEmptyArrays(doc Document, chosen choices.Choices) {
	for _, path := range chosen.DroppedEmptyArrays {
		if parent, key := parentOf(doc, path); parent != nil {
			if list, ok := parent[key].([]any); ok && len(list) == 0 {
				delete(parent, key)
			}
		}
	}
}

// setDefaults sets the defaults of the table, in the objects that a document has.
func setDefaults(field *fields.Field, object Document) {
	if field.IsFree() {
		return
	}
	for _, name := range field.Names() {
		member := field.Member(name)
		if member.Default != nil {
			SetDefault(object, name, fromTable(member.Default))
		}
		if below := Object(object, name); below != nil {
			setDefaults(member, below)
		}
	}
}

// fromTable returns a value of the table as documents have it, with json.Number.
func fromTable(value any) any {
	switch typed := value.(type) {
	case float64:
		return json.Number(strconv.FormatFloat(typed, 'f', -1, 64))
	case []any:
		list := make([]any, len(typed))
		for i := range typed {
			list[i] = fromTable(typed[i])
		}
		return list
	default:
		return value
	}
}

// dropForm removes from the http block of a legacy REST import what is made of its rest block. Fields
// that do not exist in the older form are kept.
func dropForm(doc Document) {
	if Object(doc, "rest") == nil {
		return
	}
	http := Object(doc, "http")
	for _, key := range SortedKeys(http) {
		if !isOfHTTP(key) {
			delete(http, key)
		}
	}
}

// isOfHTTP reports whether a field of an http block does not exist in the older form.
func isOfHTTP(key string) bool {
	return key == "formType" || key == "sendPostMappedData" || fields.Lookup("/http").IsServer(key)
}

// echoREST adds the newer form to a legacy REST import. The `rest` block counts: an `http` block that
// is sent with it is replaced, and of one that is sent alone the `rest` block is made.
func echoREST(doc Document) {
	rest, sent := Object(doc, "rest"), Object(doc, "http")
	switch {
	case rest != nil:
		http := Copy(rest)
		http["formType"], http["sendPostMappedData"] = "rest", true
		maps.Copy(http, sent)
		doc["http"] = http
	case doc["rest"] == nil && sent != nil:
		rest = Copy(sent)
		maps.DeleteFunc(rest, func(key string, _ any) bool { return isOfHTTP(key) })
		doc["rest"] = rest
		SetDefault(sent, "formType", "rest")
		SetDefault(sent, "sendPostMappedData", true)
	}
}

// echoRules copies the rules of a filter or of a transformation to its expression. Rules that are in
// both places are stored in one, and those that differ in both.
func echoRules(object Document, chosen choices.Choices) {
	rules, ok := object["rules"].([]any)
	if !ok {
		return
	}
	expression := Object(object, "expression")
	if inner, given := expression["rules"]; given {
		if chosen.DropRulesOfExpression && Equal(rules, inner) {
			delete(object, "rules")
		}
		return
	}
	if !chosen.EchoRules || len(rules) == 0 {
		return
	}
	if expression == nil {
		expression = Document{}
		object["expression"] = expression
	}
	SetDefault(object, "type", "expression")
	SetDefault(expression, "version", "1")
	expression["rules"] = DeepCopy(rules)
}

// echoLookups copies the lookups of a block to the top, and those at the top to a block: of the kind of
// import, or else to the file block.
func echoLookups(doc Document, a adaptor) {
	for _, name := range []string{a.block, "file"} {
		block := Object(doc, name)
		if field := fields.Root.Member(name).Member("lookups"); block == nil || field == nil || field.Twin == "" {
			continue
		}
		top, atTop := doc["lookups"].([]any)
		inner, inBlock := block["lookups"].([]any)
		switch {
		case atTop && !inBlock && len(top) > 0:
			block["lookups"] = DeepCopy(top)
		case inBlock && !atTop && len(inner) > 0:
			doc["lookups"] = DeepCopy(inner)
		}
		if _, atTop = doc["lookups"]; atTop && name == a.block {
			return
		}
	}
}

// DropUnknown deletes or reports the fields that the table does not have, depending on the policy
// (choices.UnknownFieldsKeep, …): those at the top, or also those in the objects that it describes.
func DropUnknown(doc Document, policy string) []wire.ErrorDetail {
	var problems []wire.ErrorDetail
	switch policy {
	case choices.UnknownFieldsDropAll:
		dropUnknown(fields.Root, doc)
	case choices.UnknownFieldsDrop, choices.UnknownFieldsReject:
		for _, key := range SortedKeys(doc) {
			switch {
			case fields.Root.Member(key) != nil:
			case policy == choices.UnknownFieldsReject:
				problems = append(problems, wire.ErrorDetail{Code: wire.CodeUnknownField, Field: key, Message: "field `" + key + "` is not allowed"})
			default:
				delete(doc, key)
			}
		}
	}
	return problems
}

func dropUnknown(field *fields.Field, value any) {
	if field == nil || field.Free {
		return
	}
	switch typed := value.(type) {
	case []any:
		for _, element := range typed {
			dropUnknown(field.Elements(), element)
		}
	case Document:
		for key, child := range typed {
			if len(field.Names()) > 0 && field.Member(key) == nil && key != fields.ElementID {
				delete(typed, key)
				continue
			}
			dropUnknown(field.Member(key), child)
		}
	}
}
