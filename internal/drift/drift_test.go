// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package drift

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func parse(t *testing.T, text string) map[string]any {
	t.Helper()
	document, err := Parse([]byte(text))
	if err != nil {
		t.Fatalf("Parse(%s): %v", text, err)
	}
	return document
}

func TestCompare(t *testing.T) {
	cases := map[string]struct {
		reason           string
		declared, remote string
		ignore           []string
		want             []string // path declared remote
	}{
		"Equal": {
			reason:   "the same document does not differ",
			declared: `{"a": 1, "b": {"c": [1, "x", null]}}`,
			remote:   `{"b": {"c": [1, "x", null]}, "a": 1}`,
		},
		"Undeclared": {
			reason:   "what is not declared is not compared, at any depth",
			declared: `{"http": {"method": ["POST"]}}`,
			remote:   `{"_id": "1", "http": {"method": ["POST"], "sendPostMappedData": true}}`,
		},
		"Leaves": {
			reason:   "each differing leaf is named by its pointer",
			declared: `{"name": "a", "http": {"batchSize": 1, "x/y": {"~": true}}}`,
			remote:   `{"name": "b", "http": {"batchSize": 2, "x/y": {"~": false}}}`,
			want:     []string{`/http/batchSize 1 2`, `/http/x~1y/~0 true false`, `/name "a" "b"`},
		},
		"EmptyIsAbsent": {
			reason:   "servers drop empty values",
			declared: `{"a": false, "b": [], "c": "", "d": null, "e": {}, "f": {"g": [], "h": {"i": false}}}`,
			remote:   `{}`,
		},
		"AbsentIsEmpty": {
			reason:   "servers add empty defaults inside declared arrays",
			declared: `{"fields": [{"extract": "a"}]}`,
			remote:   `{"fields": [{"extract": "a", "immutable": false, "lists": []}]}`,
		},
		"IgnoredInEach": {
			reason:   "a star is any one element or key",
			declared: `{"mappings": [{"generate": "a", "status": 1}, {"generate": "b", "status": 1}], "settings": {"a": {"b": 1, "c": 1}}}`,
			remote:   `{"mappings": [{"generate": "x", "status": 2}, {"generate": "b", "status": 2}], "settings": {"a": {"b": 2, "c": 2}}}`,
			ignore:   []string{"/mappings/*/status", "/settings/*/b"},
			want:     []string{`/mappings/0/generate "a" "x"`, `/settings/a/c 1 2`},
		},
		"IgnoredOfOthers": {
			reason:   "a field that nobody declared inside a declared array may have what is ignored",
			declared: `{"headers": [{"name": "A"}, {"name": "B"}], "settings": null}`,
			remote:   `{"headers": [{"name": "A", "meta": {"note": "x", "deep": {}}, "tags": [1, 2]}, {"name": "B", "meta": {"note": "x", "more": 1}}], "settings": {"note": 1}}`,
			ignore:   []string{"/headers/*/meta/note", "/headers/*/tags/*", "/settings/note"},
			want:     []string{`/headers/1/meta null {"more":1,"note":"x"}`},
		},
		"IgnoredMore": {
			reason:   "elements that are ignored may be there in addition, and not be missing",
			declared: `{"a": [1], "b": [1, 2], "c": [1]}`,
			remote:   `{"a": [2, 3], "b": [1], "c": [1, 2, 3]}`,
			ignore:   []string{"/*/*/x", "/a/*", "/b/*", "/c/2"},
			want:     []string{`/b [1,2] [1]`, `/c [1] [1,2,3]`},
		},
		"ZeroIsNotAbsent": {
			reason:   "a number is a declaration even when it is 0",
			declared: `{"maxAttempts": 0}`,
			remote:   `{}`,
			want:     []string{`/maxAttempts 0 null`},
		},
		"FalseAgainstTrue": {
			reason:   "an explicit false counts as a difference from true",
			declared: `{"oneToMany": false}`,
			remote:   `{"oneToMany": true}`,
			want:     []string{`/oneToMany false true`},
		},
		"EmptyAgainstFull": {
			reason:   "an explicit [] counts as a difference from elements",
			declared: `{"lookups": []}`,
			remote:   `{"lookups": [1]}`,
			want:     []string{`/lookups [] [1]`},
		},
		"EmptyKindsDiffer": {
			reason:   "two present values of different kinds differ, empty or not",
			declared: `{"a": false, "b": ""}`,
			remote:   `{"a": "", "b": []}`,
			want:     []string{`/a false ""`, `/b "" []`},
		},
		"ArrayAddition": {
			reason:   "an array is declared whole: a field that is added to an element is a difference",
			declared: `{"fields": [{"extract": "a"}]}`,
			remote:   `{"fields": [{"extract": "a", "hardCodedValue": "7"}]}`,
			want:     []string{`/fields/0/hardCodedValue null "7"`},
		},
		"ArrayLength": {
			reason:   "an element more or less shows as the array",
			declared: `{"fields": [1, 2]}`,
			remote:   `{"fields": [1]}`,
			want:     []string{`/fields [1,2] [1]`},
		},
		"ArrayOrder": {
			reason:   "order counts",
			declared: `{"m": ["PUT", "POST"]}`,
			remote:   `{"m": ["POST", "PUT"]}`,
			want:     []string{`/m/0 "PUT" "POST"`, `/m/1 "POST" "PUT"`},
		},
		"Positional": {
			reason:   "a null holds its place in a positional array",
			declared: `{"body": [null, "x"]}`,
			remote:   `{"body": ["x", null]}`,
			want:     []string{`/body/0 null "x"`, `/body/1 "x" null`},
		},
		"Numbers": {
			reason:   "numbers are equal by value, at any precision",
			declared: `{"a": 1.0, "b": 1e2, "c": 9007199254740993, "d": 0.10, "e": -0, "f": 1e-400}`,
			remote:   `{"a": 1, "b": 100, "c": 9007199254740992, "d": 0.1, "e": 0, "f": 2e-400}`,
			want:     []string{`/c 9007199254740993 9007199254740992`, `/f 1e-400 2e-400`},
		},
		"NumberIsNotText": {
			reason:   "types are not converted",
			declared: `{"batchSize": 10}`,
			remote:   `{"batchSize": "10"}`,
			want:     []string{`/batchSize 10 "10"`},
		},
		"ObjectAgainstScalar": {
			reason:   "another shape is a difference of the whole field",
			declared: `{"a": {"b": 1}, "c": 1}`,
			remote:   `{"a": "x", "c": {"d": 1}}`,
			want:     []string{`/a {"b":1} "x"`, `/c 1 {"d":1}`},
		},
		"MissingObject": {
			reason:   "a missing object shows by its leaves",
			declared: `{"a": {"b": {"c": 1}, "d": false}}`,
			remote:   `{}`,
			want:     []string{`/a/b/c 1 null`},
		},
		"Ignored": {
			reason:   "ignored is what lies at or under the pointer, and no namesake",
			declared: `{"a": {"b": 1}, "ab": 1, "l": [{"x": 1}, {"x": 1}]}`,
			remote:   `{"a": {"b": 2}, "ab": 2, "l": [{"x": 2}, {"x": 2}]}`,
			ignore:   []string{"/a", "/l/1/x"},
			want:     []string{`/ab 1 2`, `/l/0/x 1 2`},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, difference := range Compare(parse(t, tc.declared), parse(t, tc.remote), tc.ignore) {
				got = append(got, strings.Join([]string{difference.Path, Text(difference.Declared, 99), Text(difference.Remote, 99)}, " "))
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestMerge(t *testing.T) {
	cases := map[string]struct {
		reason                 string
		owned                  []string
		declared, remote, want string
		ignore                 []string
	}{
		"KeepsUndeclared": {
			reason:   "fields that nobody declared survive the write",
			declared: `{"name": "new", "http": {"batchSize": 2}}`,
			remote:   `{"name": "old", "sampleData": {"a": 1}, "http": {"batchSize": 1, "headers": [1]}}`,
			want:     `{"name": "new", "sampleData": {"a": 1}, "http": {"batchSize": 2, "headers": [1]}}`,
		},
		"TakesBack": {
			reason:   "what was ours and is no longer declared is removed, with the objects that become empty",
			owned:    []string{"/description", "/salesforce/upsert/externalIdField", "/name"},
			declared: `{"name": "n"}`,
			remote:   `{"name": "n", "description": "d", "salesforce": {"upsert": {"externalIdField": "x"}}, "other": {}}`,
			want:     `{"name": "n", "other": {}}`,
		},
		"KeepsSiblings": {
			reason:   "an object that others put something into stays",
			owned:    []string{"/settings/a"},
			declared: `{}`,
			remote:   `{"settings": {"a": 1, "theirs": 2}}`,
			want:     `{"settings": {"theirs": 2}}`,
		},
		"DeeperIsStillDeclared": {
			reason:   "a field that was a leaf and is now an object is replaced, not taken back",
			owned:    []string{"/settings"},
			declared: `{"settings": {"a": 1}}`,
			remote:   `{"settings": 5}`,
			want:     `{"settings": {"a": 1}}`,
		},
		"LeafAboveOwned": {
			reason:   "a field that became a leaf replaces what was below",
			owned:    []string{"/settings/a"},
			declared: `{"settings": null}`,
			remote:   `{"settings": {"a": 1}}`,
			want:     `{"settings": null}`,
		},
		"ArraysWhole": {
			reason:   "an array is replaced whole",
			declared: `{"fields": [{"extract": "b"}]}`,
			remote:   `{"fields": [{"extract": "a", "x": 1}, 2]}`,
			want:     `{"fields": [{"extract": "b"}]}`,
		},
		"Ignored": {
			reason:   "what is ignored stays as the remote has it, or absent",
			owned:    []string{"/a/gone"},
			declared: `{"a": {"b": 1}, "c": 1, "d": {"e": 1}}`,
			remote:   `{"a": {"b": 2, "gone": 3}}`,
			ignore:   []string{"/a", "/c", "/d/e"},
			want:     `{"a": {"b": 2, "gone": 3}, "d": {}}`,
		},
		"IgnoredInArrays": {
			reason:   "what is ignored inside a declared array survives its replacement",
			declared: `{"headers": [{"name": "A", "value": "x"}, {"name": "B", "value": "y"}, {"name": "C"}]}`,
			remote:   `{"headers": [{"name": "a", "value": "secret", "extra": 1}, {"name": "b", "value": "z"}]}`,
			ignore:   []string{"/headers/0/value", "/headers/0/none", "/headers/2"},
			want:     `{"headers": [{"name": "A", "value": "secret"}, {"name": "B", "value": "y"}, {"name": "C"}]}`,
		},
		"IgnoredInEach": {
			reason:   "a star is any one element: what is ignored in each survives, and a new element is sent whole",
			declared: `{"mappings": [{"generate": "a", "status": "Active"}, {"generate": "b", "status": "Active"}, {"generate": "c", "status": "Active"}]}`,
			remote:   `{"mappings": [{"generate": "x", "status": "Draft"}, {"generate": "b", "theirs": 1}]}`,
			ignore:   []string{"/mappings/*/status"},
			want:     `{"mappings": [{"generate": "a", "status": "Draft"}, {"generate": "b"}, {"generate": "c", "status": "Active"}]}`,
		},
		"IgnoredInEachField": {
			reason:   "a star is any one key, also one that is declared nowhere, and not a key below it",
			declared: `{"settings": {"a": 1, "b": {"c": 1, "d": 1}}, "other": 1}`,
			remote:   `{"settings": {"a": 2, "theirs": 3, "b": {"c": 2, "d": 2}}, "other": 2}`,
			ignore:   []string{"/settings/*/c", "/settings/a"},
			want:     `{"settings": {"a": 2, "theirs": 3, "b": {"c": 2, "d": 1}}, "other": 1}`,
		},
		"IgnoredAllElements": {
			reason:   "elements that are all ignored stay as the remote has them, however many there are",
			declared: `{"http": {"headers": [{"name": "A"}], "body": ["a"]}}`,
			remote:   `{"http": {"headers": [{"name": "B"}, {"name": "C"}], "body": ["b", "c"]}}`,
			ignore:   []string{"/http/headers/*"},
			want:     `{"http": {"headers": [{"name": "B"}, {"name": "C"}], "body": ["a"]}}`,
		},
		"IgnoredDeep": {
			reason:   "several stars in one pointer, through arrays and objects",
			declared: `{"a": [{"x": {"l": [1, 2]}}, {"x": {"l": [3]}, "y": {"l": [4, {"m": 5}]}}]}`,
			remote:   `{"a": [{"x": {"l": [9, 9]}}, {"x": {"l": [9]}, "y": {"l": [9, {"m": 9}]}, "z": 9}]}`,
			ignore:   []string{"/a/*/*/l/0"},
			want:     `{"a": [{"x": {"l": [9, 2]}}, {"x": {"l": [9]}, "y": {"l": [9, {"m": 5}]}}]}`,
		},
		"IgnoredOfOthers": {
			reason:   "in a declared array, what is ignored in fields that are not declared stays, and the rest of them goes",
			declared: `{"headers": [{"name": "A"}], "settings": null}`,
			remote:   `{"headers": [{"name": "B", "meta": {"note": "x", "more": 1}, "tags": [1, 2], "list": [{"note": 1}]}], "settings": {"note": 1, "more": 2}}`,
			ignore:   []string{"/headers/*/meta/note", "/headers/*/tags/*", "/headers/*/list/*/note", "/settings/note"},
			want:     `{"headers": [{"name": "A", "meta": {"note": "x"}, "tags": [1, 2]}], "settings": {"note": 1}}`,
		},
		"IgnoredReleased": {
			reason:   "an array that is no longer declared stays while something in it is ignored, and so does a field",
			owned:    []string{"/http/headers", "/http/body", "/settings/a"},
			declared: `{}`,
			remote:   `{"http": {"headers": [{"name": "A", "value": "x"}], "body": ["b"]}, "settings": {"a": 1}}`,
			ignore:   []string{"/http/headers/*/value", "/*/a", "/http/body/*/none"},
			want:     `{"http": {"headers": [{"name": "A", "value": "x"}]}, "settings": {"a": 1}}`,
		},
		"IgnoredStar": {
			reason:   "a member that is named * is one key like another",
			declared: `{"settings": {"*": 1, "**": 1}}`,
			remote:   `{"settings": {"*": 2, "**": 2}}`,
			ignore:   []string{"/settings/*/x"},
			want:     `{"settings": {"*": 1, "**": 1}}`,
		},
		"IgnoredStarItself": {
			reason:   "and a star matches it",
			declared: `{"settings": {"*": {"x": 1}, "**": {"x": 1}}, "*": 1}`,
			remote:   `{"settings": {"*": {"x": 2}, "**": {"x": 2}}, "*": 2}`,
			ignore:   []string{"/settings/*/x"},
			want:     `{"settings": {"*": {"x": 2}, "**": {"x": 2}}, "*": 1}`,
		},
		"IgnoredPartOfAName": {
			reason:   "a star in a longer name stands for itself",
			declared: `{"settings": {"ab": 1, "a*": 1}}`,
			remote:   `{"settings": {"ab": 2, "a*": 2}}`,
			ignore:   []string{"/settings/a*"},
			want:     `{"settings": {"ab": 1, "a*": 2}}`,
		},
		"OthersInOurEmptyObject": {
			reason:   "what others put into an object that was declared empty is theirs",
			owned:    []string{"/settings"},
			declared: `{}`,
			remote:   `{"settings": {"ui": 1}}`,
			want:     `{"settings": {"ui": 1}}`,
		},
		"Precision": {
			reason:   "numbers that nobody declared are sent back as they are written",
			declared: `{}`,
			remote:   `{"a": 12345678901234567890.10, "b": 1e400}`,
			want:     `{"a": 12345678901234567890.10, "b": 1e400}`,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			declared, remote := parse(t, tc.declared), parse(t, tc.remote)
			got := Merge(Released(tc.owned, declared, remote, tc.ignore), declared, remote, tc.ignore)
			if diff := cmp.Diff(parse(t, tc.want), got); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
			if diff := cmp.Diff(parse(t, tc.declared), declared); diff != "" {
				t.Errorf("Merge changed the declared document:\n%s", diff)
			}
			if diff := cmp.Diff(parse(t, tc.remote), remote); diff != "" {
				t.Errorf("Merge changed the remote document:\n%s", diff)
			}
			if rest := Compare(declared, got, tc.ignore); len(rest) > 0 {
				t.Errorf("the merged document still differs from the declared: %v", rest)
			}
		})
	}
}

func TestFieldsAndReleased(t *testing.T) {
	document := parse(t, `{"a": {"b": 1, "c": {}}, "d": [{"e": 1}], "f/g": null}`)
	fields := Fields(document)
	if diff := cmp.Diff([]string{"/a/b", "/a/c", "/d", "/f~1g"}, fields); diff != "" {
		t.Errorf("Fields: -want, +got:\n%s", diff)
	}
	remote := parse(t, `{"a": {"b": 2, "c": {"theirs": 1}}, "d": [1], "f/g": null}`)
	for name, tc := range map[string]struct {
		declared string
		ignore   []string
		want     []string
	}{
		"what is declared is not released":          {declared: `{"a": {"b": 1, "c": {}}, "d": []}`},
		"what exists and is no longer declared is":  {declared: `{}`, want: []string{"/a/b", "/d"}},
		"a leaf above still declares":               {declared: `{"a": 1}`, want: []string{"/d"}},
		"what is ignored is not released":           {declared: `{}`, ignore: []string{"/a"}, want: []string{"/d"}},
		"an object declared again in another shape": {declared: `{"a": {"b": {"x": 1}}}`, want: []string{"/d"}},
	} {
		if diff := cmp.Diff(tc.want, Released(fields, parse(t, tc.declared), remote, tc.ignore)); diff != "" {
			t.Errorf("%s: -want, +got:\n%s", name, diff)
		}
	}
}

func TestTaken(t *testing.T) {
	cases := map[string]struct {
		reason                 string
		declared, remote       string
		released, ignore, want []string
	}{
		"None":        {reason: "a field that is not there", declared: `{}`, remote: `{"encrypted2": "******"}`},
		"Text":        {reason: "the field itself", declared: `{}`, remote: `{"encrypted": "******"}`, want: []string{"/encrypted"}},
		"Below":       {reason: "each value below it, and nothing beside it", declared: `{"name": "n"}`, remote: `{"encrypted": {"b": {"c/d": "***"}, "a": "******"}, "name": "o", "other": "******"}`, want: []string{"/encrypted/a", "/encrypted/b/c~1d"}},
		"Array":       {reason: "an array is declared as a whole", declared: `{}`, remote: `{"encrypted": {"a": ["******", {"b": "******"}], "c": []}}`, want: []string{"/encrypted/a"}},
		"Empty":       {reason: "an empty value has nothing to lose", declared: `{}`, remote: `{"encrypted": {"a": "", "b": null, "c": {}, "d": false}}`},
		"Declared":    {reason: "a declared value is written", declared: `{"encrypted": {"a": "S", "b": {"c": "S"}, "d": ["S"]}}`, remote: `{"encrypted": {"a": "******", "b": {"c": "******"}, "d": ["******", "******"]}}`},
		"DeclaredAll": {reason: "so is one above all of it", declared: `{"encrypted": "S"}`, remote: `{"encrypted": {"a": "******", "b": "******"}}`},
		"Beside":      {reason: "a value beside a declared one is not", declared: `{"encrypted": {"a": "S", "b": {}}}`, remote: `{"encrypted": {"a": "******", "b": {"c": "******"}, "d": "******"}}`, want: []string{"/encrypted/b/c", "/encrypted/d"}},
		"Released":    {reason: "a released value is removed", declared: `{}`, remote: `{"encrypted": {"a": "******", "b": "******"}}`, released: []string{"/encrypted/a"}, want: []string{"/encrypted/b"}},
		"Ignored":     {reason: "a declared value that is ignored is not written", declared: `{"encrypted": {"a": "S", "b": ["S", "S"], "c": "S"}}`, remote: `{"encrypted": {"a": "******", "b": ["******"]}}`, ignore: []string{"/encrypted/a", "/*/b/*"}, want: []string{"/encrypted/a", "/encrypted/b"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, Taken("/encrypted", tc.released, parse(t, tc.declared), parse(t, tc.remote), tc.ignore)); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestUnmatched(t *testing.T) {
	documents := []map[string]any{
		parse(t, `{"http": {"headers": [{"name": "A"}, {"value": null}]}, "a/b": {"~": 1}, "settings": {}}`),
		parse(t, `{"description": "", "settings": {"*": 1}}`),
	}
	matched := []string{
		"/http", "/http/headers/1", "/http/headers/*/value", "/*/headers/0/*", "/a~1b/~0", "/*/~0", "/description", "/settings/*", "/*",
	}
	unmatched := []string{
		"/htp", "/http/header", "/http/headers/2", "/http/headers/01", "/http/headers/-", "/http/headers/*/values", "/description/*", "/*/*/*/*/*", "/a/b", "/settings/x",
	}
	if diff := cmp.Diff(unmatched, Unmatched(slices.Concat(matched, unmatched), documents...)); diff != "" {
		t.Errorf("-want, +got:\n%s", diff)
	}
}

func TestEqual(t *testing.T) {
	document := parse(t, `{"a": [{"x": 1.0, "y": false}], "b": {"c": [{"x": 1}], "d": [{"x": 2}]}}`)
	for other, want := range map[string]bool{"/b/c": true, "/b/d": false, "/none": false} {
		if got := Equal(document, "/a", other); got != want {
			t.Errorf("Equal(/a, %s) = %t", other, got)
		}
	}
}

func TestParse(t *testing.T) {
	for text, want := range map[string]string{
		``:                                   "not a JSON document",
		`{"a": 1} {}`:                        "something follows its end",
		`[1]`:                                "not a JSON object",
		`null`:                               "not a JSON object",
		`{"a": `:                             "not a JSON document",
		strings.Repeat(`{"a":`, 20000) + "1": "not a JSON document",
	} {
		if _, err := Parse([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Parse(%.40s) = %v, want an error with %q", text, err, want)
		}
	}
}

func TestEqualNumbers(t *testing.T) {
	cases := []struct {
		a, b string
		want bool
	}{
		{"0", "-0.00e5", true},
		{"10", "1e1", true},
		{"0.001", "1E-3", true},
		{"100", "10", false},
		{"1", "-1", false},
		{"1e999999999", "1e999999999", true},
		{"1e999999999", "1e999999998", false},
		{"1e99999999999999999999", "1", false},
		{"123456789012345678901234567890", "123456789012345678901234567891", false},
	}
	for _, tc := range cases {
		if got := EqualNumbers(tc.a, tc.b); got != tc.want {
			t.Errorf("EqualNumbers(%s, %s) = %t, want %t", tc.a, tc.b, got, tc.want)
		}
	}
}

func TestText(t *testing.T) {
	cases := []struct {
		value any
		limit int
		want  string
	}{
		{json.Number("1.50"), 10, "1.50"},
		{"a<b>&", 20, `"a<b>&"`},
		{"żółć żółć", 9, "\"żó…"},
		{nil, 10, "null"},
		{"abc", 2, "…"},
	}
	for _, tc := range cases {
		if got := Text(tc.value, tc.limit); got != tc.want {
			t.Errorf("Text(%v, %d) = %s, want %s", tc.value, tc.limit, got, tc.want)
		}
	}
}
