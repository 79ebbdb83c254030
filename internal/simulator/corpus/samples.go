// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package corpus makes documents of imports from the table of package fields: every field, with a value
// of each of its types, as people write them and as the API stores them. It is deterministic.
package corpus

import (
	"encoding/json"
	"strings"

	"github.com/integrator-operator/integrator-operator/internal/fields"
	"github.com/integrator-operator/integrator-operator/internal/simulator/document"
)

// Sample is a value that people write in a field, and what the API stores of it.
type Sample struct {
	Sent, Stored any
	// Ignored: the server sets the field, and ignores what is sent.
	Ignored bool
}

const (
	// Connection is the one that the documents use.
	Connection = "64a0000000000000000000a1"
	// upperID is an id as some tools write it.
	upperID = "5E8C41D29A7F3B0012AB77E1"
)

// Samples are values of a field: of each of its types, each of its documented values, and each form in
// which the API accepts them. Of an object or an array, they are the smallest: what is in them has
// samples of its own.
func Samples(field *fields.Field) []Sample {
	switch {
	case field.Server:
		return []Sample{{Sent: serverValue(field), Ignored: true}}
	case field.Free:
		return free(field)
	case len(field.Enum) > 0:
		return enum(field)
	}
	var samples []Sample
	mixed := field.Is(fields.Text) && (field.Is(fields.Array) || field.Is(fields.Object)) && field.Types[0] == fields.Text
	for i, kind := range field.Types {
		of := ofType(field, kind)
		if i > 0 && !mixed {
			of = otherType(field.Types[0], of)
		}
		samples = append(samples, of...)
	}
	if !mixed {
		samples = append(samples, castTo(field)...)
	}
	return samples
}

func same(values ...any) []Sample {
	var samples []Sample
	for _, value := range values {
		samples = append(samples, Sample{Sent: value, Stored: value})
	}
	return samples
}

func ofType(field *fields.Field, kind fields.Type) []Sample {
	switch kind {
	case fields.Text:
		return texts(field)
	case fields.Number:
		return same(json.Number("7"), json.Number("0"), json.Number("1.50"))
	case fields.Boolean:
		return same(true, false)
	case fields.ID:
		return []Sample{{Sent: upperID, Stored: strings.ToLower(upperID)}, {Sent: strings.ToLower(upperID), Stored: strings.ToLower(upperID)}, {Sent: "", Stored: ""}}
	case fields.Null:
		return same(nil)
	case fields.Object:
		return same(document.Document{})
	case fields.Array:
		return same([]any{})
	default:
		return same("any")
	}
}

func texts(field *fields.Field) []Sample {
	const padded = "\t outer blanks \r\n"
	if fields.IDName.MatchString(field.Path[strings.LastIndex(field.Path, "/")+1:]) {
		return same("")
	}
	samples := same("text", "{{#each record}}{{{jsonSerialize this.id}}}{{/each}}", "a\r\nb\tc <&> \"ü\"", "10", "true", "")
	stored := padded
	if !field.Exact {
		stored = strings.TrimSpace(padded)
	}
	samples = append(samples, Sample{Sent: padded, Stored: stored})
	if field.Lower {
		samples = append(samples, Sample{Sent: "UPPER", Stored: "UPPER"})
		for i := range samples {
			samples[i].Stored = strings.ToLower(samples[i].Stored.(string))
		}
	}
	return samples
}

// otherType is what is stored of values of a type that is not the documented one: most of them become
// one of it.
func otherType(documented fields.Type, samples []Sample) []Sample {
	var stored []Sample
	for _, sample := range samples {
		switch {
		case sample.Sent == nil || documented == fields.Object || documented == fields.ID || documented == fields.Boolean:
		case documented == fields.Text:
			sample.Stored = asText(sample.Sent)
		case documented == fields.Array:
			sample.Stored = []any{sample.Stored}
		}
		if text, isText := sample.Sent.(string); isText && documented == fields.Boolean {
			if text == "" {
				continue
			}
			if text == "true" {
				sample.Stored = true
			}
		}
		if text, isText := sample.Sent.(string); isText && documented == fields.Array && (text == "" || strings.TrimSpace(text) != text) {
			continue // its element says what becomes of white space
		}
		stored = append(stored, sample)
	}
	return stored
}

// castTo are values of other types that the API casts to the documented one, whether or not the table
// has their types.
func castTo(field *fields.Field) []Sample {
	switch field.Types[0] {
	case fields.Text:
		return []Sample{{Sent: json.Number("500"), Stored: "500"}, {Sent: json.Number("5e1"), Stored: "50"}, {Sent: true, Stored: "true"}}
	case fields.Number:
		return []Sample{{Sent: "10", Stored: json.Number("10")}, {Sent: " 2.5 ", Stored: json.Number("2.5")}, {Sent: "", Stored: nil}}
	case fields.Boolean:
		return []Sample{
			{Sent: "true", Stored: true}, {Sent: "false", Stored: false}, {Sent: "yes", Stored: true}, {Sent: "no", Stored: false},
			{Sent: json.Number("1"), Stored: true}, {Sent: json.Number("0"), Stored: false},
		}
	case fields.Array:
		return single(field)
	default:
		return nil
	}
}

// single is an element of an array without the array.
func single(field *fields.Field) []Sample {
	element := field.Elements()
	if element == nil || element.Types[0] == fields.Array {
		return nil
	}
	for _, sample := range Samples(element) {
		if sample.Sent != nil && sample.Sent != "" {
			return []Sample{{Sent: sample.Sent, Stored: []any{sample.Stored}}}
		}
	}
	return nil
}

func enum(field *fields.Field) []Sample {
	var samples []Sample
	for _, value := range field.Enum {
		samples = append(samples, Sample{Sent: value, Stored: value})
		if field.Lower {
			samples = append(samples, Sample{Sent: strings.ToUpper(value), Stored: value})
		}
	}
	if !field.Exact {
		samples = append(samples, Sample{Sent: " " + field.Enum[0] + "\n", Stored: field.Enum[0]})
	}
	return samples
}

// free are the user's own data: nothing of them changes.
func free(field *fields.Field) []Sample {
	own := func() document.Document {
		return document.Document{
			"_id": upperID, "_scriptId": "own", "text": " a \n", "UPPER": "UPPER", "none": nil, "list": []any{}, "map": document.Document{},
			"big": json.Number("12345678901234567890"), "decimal": json.Number("0.10"), "deep": []any{document.Document{"sandbox": false}},
		}
	}
	var samples []Sample
	for _, kind := range field.Types {
		switch kind {
		case fields.Object:
			samples = append(samples, same(own(), document.Document{})...)
		case fields.Array:
			samples = append(samples, same([]any{own(), "x", json.Number("1")}, []any{})...)
		case fields.Null:
			samples = append(samples, same(nil)...)
		default:
			samples = append(samples, same(" text \n")...)
		}
	}
	return samples
}

func serverValue(field *fields.Field) any {
	switch field.Types[0] {
	case fields.ID:
		return upperID
	case fields.Boolean:
		return true
	case fields.Array:
		return []any{upperID}
	case fields.Object:
		return document.Document{"a": "b"}
	default:
		return "2026-01-01T00:00:00.000Z"
	}
}

func asText(value any) any {
	switch typed := value.(type) {
	case json.Number:
		return strings.Replace(typed.String(), "1.50", "1.5", 1)
	case bool:
		if typed {
			return "true"
		}
		return "false"
	default:
		return value
	}
}

// isBlank reports whether a required field must not have a value.
func isBlank(sample Sample) bool {
	return document.IsBlank(sample.Sent) || document.IsBlank(sample.Stored)
}
