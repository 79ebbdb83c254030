// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"strings"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/utils/ptr"

	"github.com/integrator-operator/integrator-operator/internal/fields"
)

// unrolled is how often a field that contains itself, such as mappings, is described inside itself.
const unrolled = 1

// lookups are described once: they are in most blocks, and with all of them kubectl could not apply the
// CRD.
const lookups = "/lookups"

// complete makes paragraphs of the descriptions of a CRD, and describes the fields of spec.definition.
func complete(crd *apiextensionsv1.CustomResourceDefinition) {
	for i := range crd.Spec.Versions {
		schema := crd.Spec.Versions[i].Schema.OpenAPIV3Schema
		paragraphs(schema)
		definition, ok := schema.Properties["spec"].Properties["definition"]
		if !ok {
			continue
		}
		for _, name := range fields.Root.Names() {
			if _, typed := definition.Properties[name]; !typed {
				definition.Properties[name] = schemaOf(fields.Root.Member(name), nil)
			}
		}
		schema.Properties["spec"].Properties["definition"] = definition
	}
}

// schemaOf describes a field. It has no type and no enum, because the API server would refuse others,
// which the API may take.
func schemaOf(field *fields.Field, above []string) apiextensionsv1.JSONSchemaProps {
	schema := apiextensionsv1.JSONSchemaProps{
		Description:            description(field),
		Nullable:               true,
		XPreserveUnknownFields: ptr.To(true),
	}
	if field.Same() != "" {
		above = append(append([]string(nil), above...), field.Same())
		if count(above, field.Same()) > unrolled || field.Same() == lookups {
			return schema
		}
	}
	if field.Free {
		return schema
	}
	for _, name := range field.Names() {
		if schema.Properties == nil {
			schema.Properties = map[string]apiextensionsv1.JSONSchemaProps{}
		}
		schema.Properties[name] = schemaOf(field.Member(name), above)
	}
	if element := field.Elements(); element != nil && len(element.Names()) > 0 {
		items := schemaOf(element, above)
		schema.Items = &apiextensionsv1.JSONSchemaPropsOrArray{Schema: &items}
	}
	return schema
}

func count(list []string, text string) int {
	found := 0
	for _, one := range list {
		if one == text {
			found++
		}
	}
	return found
}

// description says the type, the documented values, the meaning and the default of a field.
func description(field *fields.Field) string {
	var parts []string
	if kind := kindOf(field); kind != "" {
		parts = append(parts, kind)
	}
	if len(field.Enum) > 0 {
		parts = append(parts, "One of: "+strings.Join(field.Enum, ", ")+".")
	} else if element := field.Elements(); element != nil && len(element.Enum) > 0 {
		parts = append(parts, "Each one of: "+strings.Join(element.Enum, ", ")+".")
	}
	parts = append(parts, field.Meaning)
	if field.Default != nil {
		// A value that came out of JSON goes back.
		text, _ := json.Marshal(field.Default)
		parts = append(parts, "Defaults to "+string(text)+".")
	}
	if field.Same() != "" {
		parts = append(parts, "Same fields as "+dotted(field.Same())+".")
	}
	return strings.Join(parts, " ")
}

// kindOf is the type of a field in words, with that of an array's elements: "array of text".
func kindOf(field *fields.Field) string {
	var names []string
	for _, t := range field.Types {
		name := string(t)
		switch {
		case t == fields.Null:
			continue
		case t == fields.Any:
			name = "any value"
		case t == fields.Array && field.Elements() != nil && field.Elements().TypeNames(" or ") != "":
			name = "array of " + field.Elements().TypeNames(" or ")
		}
		names = append(names, name)
	}
	if len(names) == 0 {
		return ""
	}
	text := strings.Join(names, " or ") + "."
	return strings.ToUpper(text[:1]) + text[1:]
}

// dotted is a JSON pointer as people write a field: mappings[].extract.
func dotted(pointer string) string {
	return strings.ReplaceAll(strings.ReplaceAll(strings.TrimPrefix(pointer, "/"), "/*", "[]"), "/", ".")
}

// paragraphs joins the lines of each paragraph, in all descriptions: kubectl explain wraps them to the
// width of the terminal.
func paragraphs(schema *apiextensionsv1.JSONSchemaProps) {
	schema.Description = joined(schema.Description)
	for name, property := range schema.Properties {
		paragraphs(&property)
		schema.Properties[name] = property
	}
	if schema.Items != nil && schema.Items.Schema != nil {
		paragraphs(schema.Items.Schema)
	}
	if schema.AdditionalProperties != nil && schema.AdditionalProperties.Schema != nil {
		paragraphs(schema.AdditionalProperties.Schema)
	}
}

func joined(text string) string {
	var made strings.Builder
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		switch {
		case i == 0:
		case line == "" || lines[i-1] == "" || strings.HasPrefix(strings.TrimSpace(line), "- "):
			made.WriteString("\n")
		default:
			made.WriteString(" ")
		}
		made.WriteString(line)
	}
	return made.String()
}
