// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"encoding/json"
	"slices"
	"strings"
)

// mask is what the API shows in the place of a secret.
const mask = "******"

func number(digits string) json.Number { return json.Number(digits) }

// normalise changes a document as the API does before it stores it. Values of
// the wrong type are left for validate to refuse.
func normalise(doc Document, a adaptor, choices Choices) {
	doc["adaptorType"] = a.name
	for _, path := range choices.LowerCasedEnums {
		if parent, key := parentOf(doc, path); parent != nil {
			if s, ok := parent[key].(string); ok {
				parent[key] = strings.ToLower(s)
			}
		}
	}
	for _, path := range choices.NumbersAsText {
		if parent, key := parentOf(doc, path); parent != nil {
			if n, ok := parent[key].(json.Number); ok {
				parent[key] = n.String()
			}
		}
	}
	for _, path := range choices.DroppedEmptyArrays {
		if parent, key := parentOf(doc, path); parent != nil {
			if list, ok := parent[key].([]any); ok && len(list) == 0 {
				delete(parent, key)
			}
		}
	}

	setDefault(doc, "oneToMany", false)
	if a.ignoreFlags {
		setDefault(doc, "ignoreExisting", false)
		setDefault(doc, "ignoreMissing", false)
	}
	if a.name == "NetSuiteDistributedImport" {
		doc["distributed"] = true
	}
	if block := object(doc, a.block); block != nil {
		for key, value := range a.defaults {
			setDefault(block, key, deepCopy(value))
		}
	}
	if choices.EchoRESTAsHTTP && a.name == "RESTImport" {
		echoREST(doc)
	}
	if file := object(doc, "file"); file != nil {
		fileDefaults(file)
	}
	if filter := object(doc, "filter"); filter != nil {
		echoFilterRules(filter)
	}
	if choices.EchoLookups {
		echoLookups(doc, object(doc, a.block))
	}
}

func fileDefaults(file Document) {
	setDefault(file, "skipAggregation", false)
	setDefault(file, "encoding", "utf8")
	setDefault(file, "delete", false)
	if _, ok := file["csv"]; !ok && file["type"] == "csv" {
		file["csv"] = Document{}
	}
	csv := object(file, "csv")
	if csv == nil {
		return
	}
	setDefault(csv, "rowDelimiter", "\n")
	setDefault(csv, "columnDelimiter", ",")
	setDefault(csv, "includeHeader", true)
	setDefault(csv, "wrapWithQuotes", false)
	setDefault(csv, "replaceTabWithSpace", false)
	setDefault(csv, "replaceNewlineWithSpace", false)
	setDefault(csv, "truncateLastRowDelimiter", false)
}

// echoREST shows a legacy REST import in the newer form beside its own. The
// `rest` block is the one that counts: an `http` block sent along is replaced,
// one that comes alone is what the `rest` block is made of.
func echoREST(doc Document) {
	rest := object(doc, "rest")
	if http := object(doc, "http"); rest == nil && doc["rest"] == nil && http != nil {
		rest = copyDocument(http)
		delete(rest, "formType")
		delete(rest, "sendPostMappedData")
		doc["rest"] = rest
		setDefault(http, "formType", "rest")
		setDefault(http, "sendPostMappedData", true)
		return
	}
	if rest == nil {
		return
	}
	// What the older form has no word for is kept.
	http, sent := copyDocument(rest), object(doc, "http")
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
	expression := object(filter, "expression")
	if expression == nil {
		expression = Document{}
		filter["expression"] = expression
	}
	setDefault(filter, "type", "expression")
	setDefault(expression, "version", "1")
	expression["rules"] = deepCopy(rules)
}

func echoLookups(doc, block Document) {
	if block == nil {
		return
	}
	top, atTop := doc["lookups"].([]any)
	inner, inBlock := block["lookups"].([]any)
	switch {
	case atTop && !inBlock && len(top) > 0:
		block["lookups"] = deepCopy(top)
	case inBlock && !atTop && len(inner) > 0:
		doc["lookups"] = deepCopy(inner)
	}
}

// shown is the document as the API answers it: a copy with secrets masked.
func shown(doc Document) Document {
	out := copyDocument(doc)
	if secret, ok := out["encrypted"]; ok {
		out["encrypted"] = masked(secret)
	}
	return out
}

func masked(value any) any {
	switch v := value.(type) {
	case Document:
		out := make(Document, len(v))
		for key, child := range v {
			out[key] = masked(child)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = masked(v[i])
		}
		return out
	case nil:
		return nil
	default:
		return mask
	}
}

// unmask puts stored secrets back where a body holds the mask.
func unmask(sent, stored any) any {
	switch v := sent.(type) {
	case string:
		if v == mask && stored != nil {
			return stored
		}
	case Document:
		old, _ := stored.(Document)
		for key, child := range v {
			v[key] = unmask(child, old[key])
		}
	case []any:
		if old, _ := stored.([]any); len(old) == len(v) {
			for i := range v {
				v[i] = unmask(v[i], old[i])
			}
		}
	}
	return sent
}

// dropUnknown deletes, or reports, the top-level fields that are not known here.
func dropUnknown(doc Document, policy string) []ErrorDetail {
	if policy == UnknownFieldsKeep {
		return nil
	}
	var problems []ErrorDetail
	for _, key := range sortedKeys(doc) {
		if knownFields[key] {
			continue
		}
		if policy == UnknownFieldsReject {
			problems = append(problems, ErrorDetail{Code: codeUnknownField, Field: key, Message: "field `" + key + "` is not allowed"})
			continue
		}
		delete(doc, key)
	}
	return problems
}

func isServerOwned(key string) bool { return slices.Contains(serverOwned, key) }
