// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package corpus

import (
	"strings"

	"github.com/integrator-operator/integrator-operator/internal/fields"
	"github.com/integrator-operator/integrator-operator/internal/simulator/document"
)

// required are the fields without which the API refuses the block.
var required = map[string]document.Document{
	"ftp":         {"directoryPath": "/in"},
	"s3":          {"region": "us-east-1", "bucket": "orders"},
	"as2":         {"fileNameTemplate": "orders.csv"},
	"filesystem":  {"directoryPath": "/in"},
	"netsuite_da": {"operation": "add", "recordType": "customer"},
	"netsuite":    {"operation": "add", "recordType": "customer"},
	"salesforce":  {"operation": "insert", "api": "soap"},
	"rdbms":       {"queryType": []any{"per_record"}},
	"jdbc":        {"queryType": []any{"per_record"}},
	"mongodb":     {"method": "insertMany", "collection": "orders"},
	"dynamodb":    {"region": "us-east-1", "method": "putItem", "tableName": "orders"},
	"wrapper":     {"function": "write"},
}

// Base is the smallest document of a kind of import.
func Base(adaptorType, name string) document.Document {
	block := document.BlockOf(adaptorType)
	doc := document.Document{"name": name, "adaptorType": adaptorType, block: document.Copy(required[block])}
	if document.HasConnection(adaptorType) {
		doc["_connectionId"] = Connection
	}
	return doc
}

// AdaptorFor is the kind of import in which a field is: the one whose block contains it.
func AdaptorFor(path string) string {
	top := fields.Tokens(path)[0]
	if top == "file" {
		return "FTPImport"
	}
	for _, adaptorType := range document.AdaptorTypes() {
		if document.BlockOf(adaptorType) == top {
			return adaptorType
		}
	}
	return "HTTPImport"
}

// Line is a document that has one field with one value.
type Line struct {
	Field    *fields.Field
	Sample   Sample
	Document document.Document
}

// Lines are documents for each value of a line of the table. There is none for the fields that say
// which import a document is: name, kind, connection, block.
func Lines(field *fields.Field) []Line {
	tokens := fields.Tokens(field.Path)
	adaptorType := AdaptorFor(field.Path)
	needed := len(tokens) > 1 && required[tokens[0]][tokens[1]] != nil
	if len(tokens) == 1 && (field.Path == "/name" || field.Path == "/adaptorType" || field.Path == "/_connectionId" || tokens[0] == document.BlockOf(adaptorType)) {
		return nil
	}
	var lines []Line
	for _, sample := range Samples(field) {
		if needed && isBlank(sample) {
			continue
		}
		doc := Base(adaptorType, "line "+field.Path)
		place(doc, tokens, document.DeepCopy(sample.Sent))
		lines = append(lines, Line{Field: field, Sample: sample, Document: doc})
	}
	return lines
}

// place sets a value. A * is the only element of an array.
func place(object document.Document, tokens []string, value any) {
	object[tokens[0]] = below(object[tokens[0]], tokens[1:], value)
}

func below(existing any, tokens []string, value any) any {
	switch {
	case len(tokens) == 0:
		return value
	case tokens[0] == "*":
		return []any{below(nil, tokens[1:], value)}
	}
	object, ok := existing.(document.Document)
	if !ok {
		object = document.Document{}
	}
	place(object, tokens, value)
	return object
}

// At returns the value at the path of a field in a document, whose arrays have one element.
func At(doc document.Document, field *fields.Field) (any, bool) {
	var value any = doc
	for _, token := range fields.Tokens(field.Path) {
		switch typed := value.(type) {
		case document.Document:
			next, ok := typed[token]
			if !ok {
				return nil, false
			}
			value = next
		case []any:
			if token != "*" || len(typed) != 1 {
				return nil, false
			}
			value = typed[0]
		default:
			return nil, false
		}
	}
	return value, true
}

// Title is the path of a field as a name.
func Title(field *fields.Field) string { return strings.Trim(field.Path, "/") }
