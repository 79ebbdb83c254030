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

func TestDesireWithValues(t *testing.T) {
	document := map[string]any{"_scriptId": "@shop", "list": []any{json.Number("1.0")}}
	cases := map[string]struct {
		reason, definition, want, fails string
		values                          []Value
	}{
		"Overlay": {
			reason:     "values replace, and create the objects above them",
			definition: `{"http": {"headers": [{"name": "key", "value": "to come"}]}}`,
			values:     []Value{{Path: "/http/headers/0/value", Content: "S"}, {Path: "/settings/deep/key", Content: true}},
			want:       `{"http": {"headers": [{"name": "key", "value": "S"}]}, "settings": {"deep": {"key": true}}, "externalId": "k8s/11111111-2222"}`,
		},
		"Aliases": {
			reason:     "aliases resolve in a value, and in a field that is one",
			definition: `{}`,
			values:     []Value{{Path: "/hooks/preMap", Content: document}, {Path: "/hooks/postMap/_scriptId", Content: "@erp.1"}},
			want: `{"hooks": {"preMap": {"_scriptId": "64a0000000000000000000a1", "list": [1.0]}, "postMap": {"_scriptId": "64a0000000000000000000a2"}},
				"externalId": "k8s/11111111-2222"}`,
		},
		"AliasReplaced": {
			reason:     "what a value replaces need not exist",
			definition: `{"hooks": {"preMap": {"_scriptId": "@nope"}}}`,
			values:     []Value{{Path: "/hooks/preMap", Content: "x"}},
			want:       `{"hooks": {"preMap": "x"}, "externalId": "k8s/11111111-2222"}`,
		},
		"UnknownAlias": {
			reason:     "an alias that comes from a Secret is not repeated",
			definition: `{}`,
			values:     []Value{{Path: "/a", Content: map[string]any{"_scriptId": "@canary"}}},
			fails:      `UnknownAlias: definition/a/_scriptId: the value from spec.valuesFrom is an alias that Account "default" does not have in spec.aliases; it has erp.1, shop`,
		},
		"ServerOwned": {
			reason:     "fields that the server sets are refused",
			definition: `{}`,
			values:     []Value{{Path: "/_sourceId/a", Content: "canary"}},
			fails:      "InvalidDefinition: spec.valuesFrom, path /_sourceId/a: the server sets _sourceId itself; remove it from spec.valuesFrom",
		},
		"Through": {
			reason:     "a path that does not fit is named",
			definition: `{"a": "canary"}`,
			values:     []Value{{Path: "/a/b", Content: "canary"}},
			fails:      "InvalidValue: spec.valuesFrom, path /a/b does not fit the definition: /a is neither an object nor an array; correct the path or the definition",
		},
		"LongName": {
			reason:     "a name too long for status is not repeated",
			definition: `{}`,
			values:     []Value{{Path: "/a", Content: map[string]any{strings.Repeat("canary", 100): json.Number("1")}}},
			fails:      "InvalidValue: spec.valuesFrom has a value with a field whose path is longer than 512 bytes",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := Desire(newImport(tc.definition), testMarker, "default", testAliases, tc.values)
			if tc.fails != "" {
				if err == nil || err.Error() != tc.fails {
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
			if diff := cmp.Diff(want, got.Document); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestHashOfValues(t *testing.T) {
	hash := func(aliases map[string]v1alpha1.ID, values ...Value) string {
		t.Helper()
		got, err := Desire(newImport(`{"a": {"b": 1}}`), testMarker, "default", aliases, values)
		if err != nil {
			t.Fatal(err)
		}
		if len(got.Hash) > 64 {
			t.Errorf("%q is longer than status.desiredHash", got.Hash)
		}
		return got.Hash
	}
	base := hash(testAliases, Value{Path: "/key", Version: "1", Content: "S"})
	cases := map[string]struct {
		reason string
		got    string
		same   bool
	}{
		"Content": {reason: "the content alone does not change the hash", got: hash(testAliases, Value{Path: "/key", Version: "1", Content: "T"}), same: true},
		"Version": {reason: "another version changes the hash", got: hash(testAliases, Value{Path: "/key", Version: "2", Content: "S"})},
		"Path":    {reason: "so does another path", got: hash(testAliases, Value{Path: "/keys", Version: "1", Content: "S"})},
		"Aliases": {reason: "a value may have an alias in it", got: hash(map[string]v1alpha1.ID{"shop": "64a0000000000000000000b1"}, Value{Path: "/key", Version: "1", Content: "S"})},
		"None":    {reason: "without values the hash is another", got: hash(testAliases)},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if (tc.got == base) != tc.same {
				t.Errorf("%s: %s and %s", tc.reason, base, tc.got)
			}
		})
	}
	if hash(testAliases) != hash(map[string]v1alpha1.ID{"shop": "64a0000000000000000000b1"}) {
		t.Error("aliases change the hash although nothing uses them")
	}
}

func TestParseValue(t *testing.T) {
	cases := map[string]struct {
		reason, content string
		format          v1alpha1.ValueFormat
		trim            bool
		want            any
		fails           string
	}{
		"Text":       {reason: "text is taken byte for byte", content: " \"a\"\r\n<&\u0000 ", want: " \"a\"\r\n<&\u0000 "},
		"Empty":      {reason: "an empty text is a text", content: "", format: v1alpha1.ValueFormatText, want: ""},
		"Mark":       {reason: "a byte order mark is no part of a text", content: "\ufeffa\n", want: "a\n"},
		"MarkJSON":   {reason: "nor of JSON", content: "\ufeff[1]", format: v1alpha1.ValueFormatJSON, want: []any{json.Number("1")}},
		"UTF-16":     {reason: "another encoding is named", content: "\xff\xfec\x00", fails: "in UTF-16, as some programs of Windows write text: save it as UTF-8"},
		"Trimmed":    {reason: "white space around it goes, inside it stays", content: "\ufeff\u00a0 a \n b\r\n\t", trim: true, want: "a \n b"},
		"TrimmedAll": {reason: "nothing is left of white space", content: " \n", trim: true, want: ""},
		"NotText":    {reason: "what JSON cannot hold is refused", content: "canary\xff", fails: "not UTF-8 text"},
		"Number":     {reason: "numbers stay as they are written", content: "9007199254740993.10", format: v1alpha1.ValueFormatJSON, want: json.Number("9007199254740993.10")},
		"Null":       {reason: "null is a value", content: " null\n", format: v1alpha1.ValueFormatJSON},
		"Object":     {reason: "so is an object", content: `{"a": [1, "x"]}`, format: v1alpha1.ValueFormatJSON, want: map[string]any{"a": []any{json.Number("1"), "x"}}},
		"NotJSON":    {reason: "the error repeats nothing", content: `{"canary": canary}`, format: v1alpha1.ValueFormatJSON, fails: "not JSON: syntax error at line 1, column 12"},
		"Cut":        {reason: "half a document is none", content: `{"canary": `, format: v1alpha1.ValueFormatJSON, fails: "not JSON: it ends too early"},
		"Nothing":    {reason: "nothing is no JSON", content: "", format: v1alpha1.ValueFormatJSON, fails: "not JSON: it ends too early"},
		"Followed":   {reason: "two values are not one", content: "1 2", format: v1alpha1.ValueFormatJSON, fails: "not JSON: something follows its end at line 1, column 3"},
		"FollowedBy": {reason: "whatever follows", content: "1 canary", format: v1alpha1.ValueFormatJSON, fails: "not JSON: something follows its end at line 1, column 3"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := parseValue([]byte(tc.content), v1alpha1.ValueSource{Format: tc.format, TrimSpace: &tc.trim})
			if tc.fails != "" {
				if err == nil || err.Error() != tc.fails {
					t.Fatalf("%s: got error %v, want %q", tc.reason, err, tc.fails)
				}
				return
			}
			if err != nil {
				t.Fatalf("%s: %v", tc.reason, err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestOnlyVersionsChanged(t *testing.T) {
	cases := map[string]struct {
		reason, before, now string
		want, sameVersions  bool
	}{
		"Versions":   {reason: "after the dot are the versions", before: "a.1", now: "a.2", want: true},
		"Same":       {reason: "the same versions are no other declaration either", before: "a.1", now: "a.1", want: true, sameVersions: true},
		"Definition": {reason: "before the dot is the definition", before: "a.1", now: "b.1", sameVersions: true},
		"Added":      {reason: "the first values are a change of the declaration", before: "a", now: "a.1"},
		"Removed":    {reason: "so is that there are no longer any", before: "a.1", now: "a"},
		"NoValues":   {reason: "without values there are no versions", before: "a", now: "a"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := OnlyVersionsChanged(tc.before, tc.now); got != tc.want {
				t.Errorf("%s: %t", tc.reason, got)
			}
			if got := SameVersions(tc.before, tc.now); got != tc.sameVersions {
				t.Errorf("%s: same versions: %t", tc.reason, got)
			}
		})
	}
}
