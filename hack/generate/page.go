// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/integrator-operator/integrator-operator/internal/fields"
)

// referencePage is the page that lists all fields of the definition.
func referencePage() string {
	var text strings.Builder
	text.WriteString(`<!-- Made by "make manifests" of internal/fields/fields.tsv: change that file. -->
# The fields of a definition

` + "`spec.definition`" + ` of an Import is the document of the platform's API. This page lists the fields that
are documented, and what the operator does with each. Other fields, types and values are sent as they are
declared. ` + "`kubectl explain import.spec.definition.http`" + ` shows the same on the command line.

- *server*: the server sets the field. A declared value is left out and listed in ` + "`status.ignoredFields`" + `.
- *refused*: a definition with this field is refused at admission.
- *lower case*: the API stores the text in lower case. Upper case is no drift.
- *masked*: the API shows asterisks in place of the value, so that it cannot be compared.
- *free*: your own data. It is stored and compared as it is, and nothing in it is checked.
- *copy of*: the API copies the one field to the other. Declare one of them.

Text that is declared with white space at its ends is in step with the text without it, except for fields
with *exact*. A text is in step with the number or the boolean of the same value, and a single value
with an array of it, if the table says so.
`)
	for _, name := range fields.Root.Names() {
		field := fields.Root.Member(name)
		if field.Free || len(field.Names()) == 0 && (field.Elements() == nil || len(field.Elements().Names()) == 0) {
			continue
		}
		fmt.Fprintf(&text, "\n## %s\n\n%s\n\n%s", name, description(field), header)
		rows(&text, field)
	}
	return strings.Replace(text.String(), "\n## ", "\n## At the top\n\n"+header+topRows()+"\n## ", 1)
}

const header = "| Field | Type | Values | Default | Rules | Meaning |\n|---|---|---|---|---|---|\n"

func topRows() string {
	var text strings.Builder
	for _, name := range fields.Root.Names() {
		row(&text, fields.Root.Member(name))
	}
	return text.String()
}

// rows writes what is in a field, line by line.
func rows(text *strings.Builder, field *fields.Field) {
	if field.Same() != "" || field.Free {
		return
	}
	for _, name := range field.Names() {
		row(text, field.Member(name))
		rows(text, field.Member(name))
	}
	if element := field.Elements(); element != nil {
		rows(text, element)
	}
}

func row(text *strings.Builder, field *fields.Field) {
	standard := ""
	if field.Default != nil {
		// A value that came out of JSON goes back.
		encoded, _ := json.Marshal(field.Default)
		standard = "`" + string(encoded) + "`"
	}
	meaning := field.Meaning
	if field.Same() != "" {
		meaning += " Same fields as " + dotted(field.Same()) + "."
	}
	values := field.Enum
	if element := field.Elements(); element != nil && len(values) == 0 {
		values = element.Enum
	}
	cells := []string{
		"`" + dotted(field.Path) + "`", strings.TrimSuffix(strings.ToLower(kindOf(field)), "."),
		strings.Join(values, ", "), standard, strings.Join(rules(field), ", "), meaning,
	}
	for i, cell := range cells {
		cells[i] = strings.ReplaceAll(cell, "|", `\|`)
	}
	fmt.Fprintf(text, "| %s |\n", strings.Join(cells, " | "))
}

func rules(field *fields.Field) []string {
	var names []string
	for _, rule := range []struct {
		name string
		has  bool
	}{
		{"refused", field.Refused},
		{"server", field.Server && !field.Refused},
		{"lower case", field.Lower},
		{"masked", field.Masked},
		{"free", field.Free},
		{"exact", field.Exact},
		{"copy of " + dotted(field.Twin), field.Twin != ""},
	} {
		if rule.has {
			names = append(names, rule.name)
		}
	}
	return names
}
