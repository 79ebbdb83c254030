// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
)

// FuzzImportDefinition: what is read is written again without loss, as JSON values: explicit
// false, 0, "", [] and null, fields that the schema does not know, the spelling of numbers.
func FuzzImportDefinition(f *testing.F) {
	scheme := runtime.NewScheme()
	if err := AddToScheme(scheme); err != nil {
		f.Fatal(err)
	}
	decoder := serializer.NewCodecFactory(scheme).UniversalDeserializer()
	f.Fuzz(func(t *testing.T, text []byte) {
		var definition ImportDefinition
		if err := json.Unmarshal(text, &definition); (err == nil) != json.Valid(text) {
			t.Fatalf("%q is JSON: %t, error: %v", text, json.Valid(text), err)
		}
		if !json.Valid(text) {
			return
		}
		want := jsonValue(t, text)
		var copied, other ImportDefinition
		definition.DeepCopyInto(&copied)
		definition.DeepCopyInto(&other)
		unharmed(t, other, definition, text)
		for _, value := range []any{definition, copied, JSON{Raw: text}} {
			if diff := cmp.Diff(want, jsonValue(t, marshalled(t, value))); diff != "" {
				t.Errorf("%T: -want, +got:\n%s", value, diff)
			}
		}

		// As a part of an object, read as the client reads what the API server answers.
		if _, isObject := want.(map[string]any); !isObject {
			return
		}
		header := `{"apiVersion":"` + GroupVersion.String() + `","kind":"Import","spec":{"definition":`
		object, _, err := decoder.Decode([]byte(header+string(text)+"}}"), nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		whole := jsonValue(t, marshalled(t, object.DeepCopyObject())).(map[string]any)
		if diff := cmp.Diff(want, whole["spec"].(map[string]any)["definition"]); diff != "" {
			t.Errorf("in an Import: -want, +got:\n%s", diff)
		}
	})
}

// unharmed makes sure that a copy shares nothing with its original.
func unharmed(t *testing.T, copied, original ImportDefinition, text []byte) {
	t.Helper()
	for i := range copied.Raw {
		copied.Raw[i] = 'x'
	}
	if trimmed := bytes.Trim(text, " \t\r\n"); !bytes.Equal(trimmed, original.Raw) {
		t.Errorf("%q has become %q", trimmed, original.Raw)
	}
}

func marshalled(t *testing.T, value any) []byte {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// jsonValue is JSON as a value that keeps the spelling of numbers.
func jsonValue(t *testing.T, text []byte) (value any) {
	t.Helper()
	decoder := json.NewDecoder(strings.NewReader(string(text)))
	decoder.UseNumber()
	if err := decoder.Decode(&value); err != nil {
		t.Fatalf("%q is not JSON: %v", text, err)
	}
	return value
}
