// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package document

import (
	"encoding/json"
	"slices"
	"strings"

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
	normalise(doc, a, chosen)
	return append(problems, validate(doc, a, chosen, hasConnection)...)
}

func number(digits string) json.Number { return json.Number(digits) }

// normalise changes a document as the API does before storing it. It leaves values of the wrong
// type, which validate refuses.
func normalise(doc Document, a adaptor, chosen choices.Choices) {
	doc["adaptorType"] = a.name
	normaliseValues(doc, chosen)
	SetDefault(doc, "oneToMany", false)
	if a.ignoreFlags {
		SetDefault(doc, "ignoreExisting", false)
		SetDefault(doc, "ignoreMissing", false)
	}
	if a.name == "NetSuiteDistributedImport" {
		doc["distributed"] = true
	}
	if block := Object(doc, a.block); block != nil {
		for key, value := range a.defaults {
			SetDefault(block, key, DeepCopy(value))
		}
	}
	if chosen.EchoRESTAsHTTP && a.name == "RESTImport" {
		echoREST(doc)
	}
	if file := Object(doc, "file"); file != nil {
		fileDefaults(file)
	}
	if filter := Object(doc, "filter"); filter != nil {
		echoFilterRules(filter)
	}
	if chosen.EchoLookups {
		echoLookups(doc, Object(doc, a.block))
	}
}

// normaliseValues changes values at the paths that choices name.
func normaliseValues(doc Document, chosen choices.Choices) {
	for _, path := range chosen.LowerCasedEnums {
		if parent, key := parentOf(doc, path); parent != nil {
			if s, ok := parent[key].(string); ok {
				parent[key] = strings.ToLower(s)
			}
		}
	}
	for _, path := range chosen.NumbersAsText {
		if parent, key := parentOf(doc, path); parent != nil {
			if n, ok := parent[key].(json.Number); ok {
				parent[key] = n.String()
			}
		}
	}
	for _, path := range chosen.DroppedEmptyArrays {
		if parent, key := parentOf(doc, path); parent != nil {
			if list, ok := parent[key].([]any); ok && len(list) == 0 {
				delete(parent, key)
			}
		}
	}
}

func fileDefaults(file Document) {
	SetDefault(file, "skipAggregation", false)
	SetDefault(file, "encoding", "utf8")
	SetDefault(file, "delete", false)
	if _, ok := file["csv"]; !ok && file["type"] == "csv" {
		file["csv"] = Document{}
	}
	csv := Object(file, "csv")
	if csv == nil {
		return
	}
	SetDefault(csv, "rowDelimiter", "\n")
	SetDefault(csv, "columnDelimiter", ",")
	SetDefault(csv, "includeHeader", true)
	SetDefault(csv, "wrapWithQuotes", false)
	SetDefault(csv, "replaceTabWithSpace", false)
	SetDefault(csv, "replaceNewlineWithSpace", false)
	SetDefault(csv, "truncateLastRowDelimiter", false)
}

// echoREST adds the newer form to a legacy REST import. The `rest` block counts: an `http` block that
// is sent with it is replaced, and of one that is sent alone the `rest` block is made.
func echoREST(doc Document) {
	rest := Object(doc, "rest")
	if http := Object(doc, "http"); rest == nil && doc["rest"] == nil && http != nil {
		rest = Copy(http)
		delete(rest, "formType")
		delete(rest, "sendPostMappedData")
		doc["rest"] = rest
		SetDefault(http, "formType", "rest")
		SetDefault(http, "sendPostMappedData", true)
		return
	}
	if rest == nil {
		return
	}
	// Fields that do not exist in the older form are kept.
	http, sent := Copy(rest), Object(doc, "http")
	http["formType"], http["sendPostMappedData"] = "rest", true
	for _, key := range []string{"formType", "sendPostMappedData"} {
		if value, ok := sent[key]; ok {
			http[key] = value
		}
	}
	doc["http"] = http
}

func echoFilterRules(filter Document) {
	rules, ok := filter["rules"].([]any)
	if !ok {
		return
	}
	expression := Object(filter, "expression")
	if expression == nil {
		expression = Document{}
		filter["expression"] = expression
	}
	SetDefault(filter, "type", "expression")
	SetDefault(expression, "version", "1")
	expression["rules"] = DeepCopy(rules)
}

func echoLookups(doc, block Document) {
	if block == nil {
		return
	}
	top, atTop := doc["lookups"].([]any)
	inner, inBlock := block["lookups"].([]any)
	switch {
	case atTop && !inBlock && len(top) > 0:
		block["lookups"] = DeepCopy(top)
	case inBlock && !atTop && len(inner) > 0:
		doc["lookups"] = DeepCopy(inner)
	}
}

// DropUnknown deletes or reports the top-level fields that the simulator does not know, depending on
// the policy (choices.UnknownFieldsKeep, …).
func DropUnknown(doc Document, policy string) []wire.ErrorDetail {
	if policy == choices.UnknownFieldsKeep {
		return nil
	}
	var problems []wire.ErrorDetail
	for _, key := range SortedKeys(doc) {
		if knownFields[key] {
			continue
		}
		if policy == choices.UnknownFieldsReject {
			problems = append(problems, wire.ErrorDetail{Code: wire.CodeUnknownField, Field: key, Message: "field `" + key + "` is not allowed"})
			continue
		}
		delete(doc, key)
	}
	return problems
}

// isServerOwned reports whether the server writes a top-level field.
func isServerOwned(key string) bool { return slices.Contains(ServerOwned, key) }
