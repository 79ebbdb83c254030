// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/utils/ptr"
)

// TestSchemaCasesKnowNoMore: a field for which there is neither a rule nor a sample is named.
func TestSchemaCasesKnowNoMore(t *testing.T) {
	schema := &apiextensionsv1.JSONSchemaProps{Type: "object", Properties: map[string]apiextensionsv1.JSONSchemaProps{
		"bounded":  {Type: "string", MaxLength: ptr.To[int64](3)},
		"endless":  {Type: "string"},
		"format":   {Type: "string", MaxLength: ptr.To[int64](3), Format: "uuid"},
		"keyed":    {Type: "object", AdditionalProperties: &apiextensionsv1.JSONSchemaPropsOrBool{Schema: &apiextensionsv1.JSONSchemaProps{Type: "boolean"}}},
		"multiple": {Type: "integer", MultipleOf: ptr.To(2.0)},
		"number":   {Type: "number"},
		"untyped":  {},
	}}
	_, unknown := schemaCases(schema, map[string]any{}, nil)
	want := []string{
		"spec.endless is a text of any length", "spec.format has the format uuid", "spec.keyed has no sample of a key",
		"spec.multiple has multipleOf", "spec.number is of type number", "spec.untyped has no type",
	}
	if diff := cmp.Diff(want, unknown); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestSchemaCases checks the cases of a small schema.
func TestSchemaCases(t *testing.T) {
	schema := &apiextensionsv1.JSONSchemaProps{Type: "object", Required: []string{"n"}, Properties: map[string]apiextensionsv1.JSONSchemaProps{
		"n": {Type: "integer", Minimum: ptr.To(1.0), Maximum: ptr.To(3.0)},
		"s": {Type: "string", MaxLength: ptr.To[int64](2), Pattern: "^[ab]+$"},
	}}
	cases, unknown := schemaCases(schema, map[string]any{"n": int64(2)}, nil)
	if len(unknown) > 0 {
		t.Error(unknown)
	}
	got := map[string]bool{}
	for _, one := range cases {
		raw, err := json.Marshal(one.spec)
		if err != nil {
			t.Fatal(err)
		}
		got[string(raw)] = one.refused
	}
	for spec, refused := range map[string]bool{
		`{}`: true, `{"n":0}`: true, `{"n":1}`: false, `{"n":2}`: false, `{"n":3}`: false, `{"n":4}`: true, `{"n":"text"}`: true, `{"n":2147483648}`: true,
		`{"n":2,"s":""}`: true, `{"n":2,"s":"b"}`: false, `{"n":2,"s":"bb"}`: false, `{"n":2,"s":"bbb"}`: true, `{"n":2,"s":"b\n"}`: true, `{"n":2,"s":["text"]}`: true,
		`{"n":2,"noSuchField":"x"}`: false, `{"n":null}`: false,
	} {
		if was, ok := got[spec]; !ok || was != refused {
			t.Errorf("%s: there %t, refused %t, want %t", spec, ok, was, refused)
		}
	}
}
