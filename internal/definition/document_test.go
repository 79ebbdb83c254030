// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package definition

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/drift"
)

var testAliases = map[string]v1alpha1.ID{
	"shop":  "64a0000000000000000000a1",
	"erp.1": "64a0000000000000000000a2",
}

// testMarker is the ownership marker of the tests' Import.
const testMarker = "k8s/11111111-2222"

func newImport(text string) *v1alpha1.Import {
	object := &v1alpha1.Import{Spec: v1alpha1.ImportSpec{Definition: v1alpha1.ImportDefinition{Raw: []byte(text)}}}
	object.UID = "11111111-2222"
	return object
}

func TestDesire(t *testing.T) {
	wide := "{" + strings.TrimSuffix(strings.Repeat(`"`+strings.Repeat("k", 600)+`": 1,`, 1), ",") + "}"
	var many strings.Builder
	for i := range MaxOwnedFields + 1 {
		many.WriteString(`"f` + strings.Repeat("x", i%7) + string(rune('a'+i%26)) + strings.Repeat("y", i/26) + `": 1,`)
	}
	cases := map[string]struct {
		reason, definition, want, fails string
	}{
		"Marker": {
			reason:     "an import without an externalId gets the ownership marker",
			definition: `{"name": "n"}`,
			want:       `{"name": "n", "externalId": "k8s/11111111-2222"}`,
		},
		"OwnExternalID": {
			reason:     "a declared externalId is the user's",
			definition: `{"externalId": "erp-1"}`,
			want:       `{"externalId": "erp-1"}`,
		},
		"EmptyExternalID": {
			reason:     "an empty externalId is none",
			definition: `{"externalId": ""}`,
			want:       `{"externalId": "k8s/11111111-2222"}`,
		},
		"Aliases": {
			reason:     "aliases resolve in _…Id and _…Ids fields at any depth, and nowhere else",
			definition: `{"externalId": "@shop", "_connectionId": "@shop", "hooks": {"preMap": {"_scriptId": "@erp.1", "function": "@shop"}}, "list": [{"_fileIds": ["@shop", "64a0000000000000000000ff"]}], "_customId": {"_otherId": "@shop"}}`,
			want:       `{"externalId": "@shop", "_connectionId": "64a0000000000000000000a1", "hooks": {"preMap": {"_scriptId": "64a0000000000000000000a2", "function": "@shop"}}, "list": [{"_fileIds": ["64a0000000000000000000a1", "64a0000000000000000000ff"]}], "_customId": {"_otherId": "64a0000000000000000000a1"}}`,
		},
		"UnknownAlias": {
			reason:     "an unknown alias names its field and what exists",
			definition: `{"a": [{"b/c": {"_scriptId": "@nope"}}]}`,
			fails:      `UnknownAlias: definition/a/0/b~1c/_scriptId: Account "default" has no alias "nope" in spec.aliases; it has erp.1, shop`,
		},
		"ServerOwned": {
			reason:     "fields that the server sets are refused, all named at once",
			definition: `{"apiIdentifier": "i1", "_id": "1"}`,
			fails:      "InvalidDefinition: spec.definition declares _id, apiIdentifier, which the server sets itself: remove it from the definition",
		},
		"TooDeepAPath": {
			reason:     "a path that status could not hold is refused",
			definition: wide,
			fails:      "InvalidDefinition: spec.definition has a field whose path is longer than 512 bytes",
		},
		"TooManyFields": {
			reason:     "more fields than status could hold are refused",
			definition: "{" + strings.TrimSuffix(many.String(), ",") + "}",
			fails:      "fields outside arrays, more than the 4096 that can be tracked",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := Desire(newImport(tc.definition), testMarker, "default", testAliases, nil)
			if tc.fails != "" {
				if err == nil || !strings.Contains(err.Error(), tc.fails) {
					t.Fatalf("%s: got error %v, want %q", tc.reason, err, tc.fails)
				}
				return
			}
			if err != nil {
				t.Fatalf("%s: %v", tc.reason, err)
			}
			want, err := drift.Parse([]byte(tc.want))
			if err != nil {
				t.Fatal(err)
			}
			if _, ok := want["externalId"]; !ok {
				t.Fatalf("%s: the case does not say which externalId it wants", tc.reason)
			}
			if diff := cmp.Diff(want, got.Document); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestDesiredHash(t *testing.T) {
	hash := func(text string, aliases map[string]v1alpha1.ID) string {
		t.Helper()
		got, err := Desire(newImport(text), testMarker, "default", aliases, nil)
		if err != nil {
			t.Fatal(err)
		}
		return got.Hash
	}
	base := hash(`{"_connectionId": "@shop", "a": {"b": 1, "c": 2}}`, testAliases)
	if got := hash(`{"a": {"c": 2, "b": 1}, "_connectionId": "@shop"}`, testAliases); got != base {
		t.Error("the order of keys changes the hash")
	}
	if got := hash(`{"_connectionId": "@shop", "a": {"b": 1, "c": 2}}`, map[string]v1alpha1.ID{"shop": "64a0000000000000000000b1"}); got == base {
		t.Error("another id behind the alias leaves the hash as it was")
	}
	if got := hash(`{"_connectionId": "@shop", "a": {"b": 1.0, "c": 2}}`, testAliases); got == base {
		t.Error("another spelling of a number leaves the hash as it was")
	}
}

func TestWithoutMarker(t *testing.T) {
	made, err := Desire(newImport(`{"name": "n"}`), testMarker, "default", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	without := made.WithoutMarker()
	if diff := cmp.Diff(map[string]any{"name": "n"}, without.Document); diff != "" {
		t.Errorf("the document without the marker: -want, +got:\n%s", diff)
	}
	if diff := cmp.Diff([]string{"/name"}, without.Fields); diff != "" {
		t.Errorf("its fields: -want, +got:\n%s", diff)
	}
	if made.Document["externalId"] == nil || len(made.Fields) != 2 {
		t.Errorf("the original was changed: %v, %v", made.Document, made.Fields)
	}
}

func TestWarnings(t *testing.T) {
	cases := map[string]struct {
		reason, definition string
		values             []Value
		want               []Warning
	}{
		"None": {
			reason:     "numbers of 64 bits, fractions, ids in quotes and texts without a line break are as they were written",
			definition: `{"a": 9223372036854775807, "b": 0.30000000000000004, "c": "12345678901234567890"}`,
			values:     []Value{{Path: "/v", Version: "1", Content: "S"}},
		},
		"Numbers": {
			reason:     "Kubernetes rounded them, as far as can be seen",
			definition: `{"a": {"b/c": [1, 12345678901234567000]}, "d": 1e+21}`,
			want: []Warning{{Reason: v1alpha1.ReasonRoundedNumber,
				Note: "spec.definition has /a/b~1c/1 (12345678901234567000), /d (1e+21): Kubernetes rounds whole numbers beyond 64 bits to 17 digits, so it may not be the number that was written; write an id as text, in quotes"}},
		},
		"ManyNumbers": {
			reason:     "a message names the first of many",
			definition: `{"a": [1e21, 1e22, 1e23, 1e24, 1e25, 1e26]}`,
			want: []Warning{{Reason: v1alpha1.ReasonRoundedNumber,
				Note: "spec.definition has /a/0 (1e21), /a/1 (1e22), /a/2 (1e23), /a/3 (1e24) and 2 more: Kubernetes rounds whole numbers beyond 64 bits to 17 digits, so it may not be the number that was written; write an id as text, in quotes"}},
		},
		"ReplacedNumber": {
			reason:     "a value takes the place of the number, with all its digits",
			definition: `{"a": 12345678901234567000}`,
			values:     []Value{{Path: "/a", Version: "1", Content: json.Number("12345678901234567890")}},
		},
		"LineBreak": {
			reason:     "the value is not repeated",
			definition: `{}`,
			values:     []Value{{Path: "/h", Version: "7", Content: "S\n", Key: `key "k" of Secret "s"`, LineBreak: true}},
			want: []Warning{{Reason: v1alpha1.ReasonTrailingLineBreak, Version: "/h 7", OfValues: true,
				Note: `spec.valuesFrom, path /h: the value of key "k" of Secret "s" ends in a line break, which is sent; set trimSpace to true to remove it, or to false to keep it`}},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := Desire(newImport(tc.definition), testMarker, "default", testAliases, tc.values)
			if err != nil {
				t.Fatal(err)
			}
			for i, warning := range tc.want {
				if warning.Version == "" {
					tc.want[i].Version = warning.Note
				}
			}
			if diff := cmp.Diff(tc.want, got.Warnings); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}
