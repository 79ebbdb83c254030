// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package drift

import (
	"reflect"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/integrator-operator/integrator-operator/internal/simulator/choices"
	"github.com/integrator-operator/integrator-operator/internal/simulator/document"
	"github.com/integrator-operator/integrator-operator/internal/simulator/seed"
)

// TestFieldsAreThoseOfTheSimulator: the simulator copies and masks the fields that the table says, and
// no others.
func TestFieldsAreThoseOfTheSimulator(t *testing.T) {
	chosen := choices.Default()
	for name, lists := range map[string]struct{ operator, simulator []string }{
		"copied": {copiedByOperator(), copiedBySimulator(chosen)},
		"masked": {WriteOnly, maskedBySimulator(t)},
	} {
		if diff := cmp.Diff(slices.Sorted(slices.Values(lists.operator)), slices.Sorted(slices.Values(lists.simulator))); diff != "" {
			t.Errorf("fields that are %s (-operator +simulator):\n%s", name, diff)
		}
	}
}

func copiedByOperator() []string {
	pairs := []string{forms.kept + " " + forms.copied}
	for _, pair := range copies {
		pairs = append(pairs, pair.kept+" "+pair.copied)
	}
	return pairs
}

// copiedBySimulator sends one field of each pair that may be one, for every kind of import.
func copiedBySimulator(chosen choices.Choices) []string {
	var pairs []string
	try := func(kind, kept, copied string, value any) {
		doc := document.Document{"adaptorType": kind}
		if err := Set(doc, kept, value); err != nil {
			panic(err)
		}
		document.Prepare(doc, "", chosen, func(string) bool { return true })
		if Has(doc, copied) {
			pairs = append(pairs, kept+" "+copied)
		}
	}
	for _, kind := range document.AdaptorTypes() {
		block := "/" + document.BlockOf(kind)
		try(kind, block+"/lookups", "/lookups", []any{document.Document{"name": "a"}})
		for _, other := range document.AdaptorTypes() {
			if other := "/" + document.BlockOf(other); other != block {
				try(kind, block, other, document.Document{"a": "b"})
			}
		}
	}
	try("FTPImport", "/file/lookups", "/lookups", []any{document.Document{"name": "a"}})
	try("HTTPImport", "/filter/rules", "/filter/expression/rules", []any{"equals"})
	try("HTTPImport", "/responseTransform/rules", "/responseTransform/expression/rules", []any{[]any{}})
	return pairs
}

// maskedBySimulator gives the top-level fields of the fixtures that the simulator does not show.
func maskedBySimulator(t *testing.T) []string {
	t.Helper()
	var masked []string
	for _, fixture := range seed.Fixtures() {
		doc, err := document.DecodeObject(fixture.Document)
		if err != nil {
			t.Fatal(err)
		}
		for field, shown := range document.Shown(doc) {
			if !reflect.DeepEqual(shown, doc[field]) {
				masked = append(masked, "/"+field)
			}
		}
	}
	slices.Sort(masked)
	return slices.Compact(masked)
}

// TestCompareByTheTable: what the API makes of a value, by what the table says of its field, is no
// difference. Elsewhere it is one.
func TestCompareByTheTable(t *testing.T) {
	const upper, lower = "5E8C00000000000000000ABC", "5e8c00000000000000000abc"
	cases := map[string]struct {
		reason           string
		declared, remote string
		want             []string // path declared remote
	}{
		"LowerCase": {
			reason:   "fields that are stored in lower case",
			declared: `{"s3": {"region": "US-EAST-1"}, "dynamodb": {"region": "EU-West-1"}, "netsuite_da": {"restletVersion": "SuiteApp2.0", "operation": "ADD"}}`,
			remote:   `{"s3": {"region": "us-east-1"}, "dynamodb": {"region": "eu-west-1"}, "netsuite_da": {"restletVersion": "suiteapp2.0", "operation": "add"}}`,
		},
		"OtherCase": {
			reason:   "no others",
			declared: `{"mongodb": {"method": "InsertMany"}, "name": "A", "settings": {"region": "A"}}`,
			remote:   `{"mongodb": {"method": "insertMany"}, "name": "a", "settings": {"region": "a"}}`,
			want:     []string{`/mongodb/method "InsertMany" "insertMany"`, `/name "A" "a"`, `/settings/region "A" "a"`},
		},
		"IDs": {
			reason:   "ids are hexadecimal numbers, wherever they are",
			declared: `{"_connectionId": "` + upper + `", "hooks": {"preMap": {"_scriptId": "` + upper + `"}}, "custom": {"_fileIds": ["` + upper + `"]}}`,
			remote:   `{"_connectionId": "` + lower + `", "hooks": {"preMap": {"_scriptId": "` + lower + `"}}, "custom": {"_fileIds": ["` + lower + `"]}}`,
		},
		"NotIDs": {
			reason:   "a text that is no id is a text, and so is an id in another field",
			declared: `{"_connectionId": "ABC", "externalId": "` + upper + `"}`,
			remote:   `{"_connectionId": "abc", "externalId": "` + lower + `"}`,
			want:     []string{`/_connectionId "ABC" "abc"`, `/externalId "` + upper + `" "` + lower + `"`},
		},
		"ElementIDs": {
			reason:   "the _id that the server gives to elements, also to nested ones",
			declared: `{"netsuite_da": {"lookups": [{"name": "a"}], "mapping": {"lists": [{"fields": [{"generate": "x"}]}]}}, "custom": [{"a": 1}]}`,
			remote:   `{"netsuite_da": {"lookups": [{"name": "a", "_id": "1"}], "mapping": {"lists": [{"_id": "2", "fields": [{"generate": "x", "_id": "3"}]}]}}, "custom": [{"a": 1, "_id": "4"}]}`,
		},
		"OwnData": {
			reason:   "an _id in the user's own data is the user's own",
			declared: `{"settings": {"rows": [{"a": 1}]}}`,
			remote:   `{"settings": {"rows": [{"a": 1, "_id": "1"}]}}`,
			want:     []string{`/settings/rows/0/_id null "1"`},
		},
		"Types": {
			reason:   "text for a number, a boolean and an array of one element, and a number for a text",
			declared: `{"oneToMany": "false", "distributed": "true", "http": {"batchSize": " 10 ", "method": "POST", "relativeURI": "/a"}, "rdbms": {"bulkInsert": {"batchSize": 500.0}}, "mappings": {"generate": "a"}}`,
			remote:   `{"oneToMany": false, "distributed": true, "http": {"batchSize": 10, "method": ["POST"], "relativeURI": ["/a"]}, "rdbms": {"bulkInsert": {"batchSize": "500"}}, "mappings": [{"generate": "a"}]}`,
		},
		"TypesBack": {
			reason:   "and the other way round, as an older document of the API may have it",
			declared: `{"oneToMany": false, "http": {"batchSize": 10, "method": ["POST"]}, "rdbms": {"bulkInsert": {"batchSize": "500"}}}`,
			remote:   `{"oneToMany": "false", "http": {"batchSize": "10", "method": "POST"}, "rdbms": {"bulkInsert": {"batchSize": 500}}}`,
		},
		"EmptyObject": {
			reason:   "an empty object for an array of one empty object, and for none",
			declared: `{"lookups": {}, "mappings": [{"buildArrayHelper": {}}], "parsers": {}}`,
			remote:   `{"lookups": [{}], "mappings": [{"buildArrayHelper": [{}]}]}`,
		},
		"OtherTypes": {
			reason:   "another value is another value, and in the user's own data so is another type",
			declared: `{"oneToMany": "true", "http": {"batchSize": "ten", "method": "POST"}, "settings": {"a": "1", "b": "true", "c": "x"}}`,
			remote:   `{"oneToMany": false, "http": {"batchSize": 10, "method": ["PUT"]}, "settings": {"a": 1, "b": true, "c": ["x"]}}`,
			want: []string{
				`/http/batchSize "ten" 10`, `/http/method/0 "POST" "PUT"`, `/oneToMany "true" false`,
				`/settings/a "1" 1`, `/settings/b "true" true`, `/settings/c "x" ["x"]`,
			},
		},
		"WhiteSpace": {
			reason:   "white space around a text, where the API drops it",
			declared: `{"name": " n\t", "http": {"body": ["{}\n"]}, "aiAgent": {"openai": {"instructions": "a\r\n"}}}`,
			remote:   `{"name": "n", "http": {"body": ["{}"]}, "aiAgent": {"openai": {"instructions": "a"}}}`,
		},
		"OtherWhiteSpace": {
			reason:   "not where it has a meaning, not inside, not where the API adds some, and not in the user's own data",
			declared: `{"file": {"csv": {"columnDelimiter": "\t"}}, "name": "a  b", "description": "a", "settings": {"a": "x "}}`,
			remote:   `{"file": {"csv": {"columnDelimiter": ""}}, "name": "a b", "description": "a ", "settings": {"a": "x"}}`,
			want: []string{
				`/description "a" "a "`, `/file/csv/columnDelimiter "\t" ""`, `/name "a  b" "a b"`, `/settings/a "x " "x"`,
			},
		},
		"Twins": {
			reason:   "a value that the API has in the twin of the field alone",
			declared: `{"responseTransform": {"rules": [[{"extract": "a"}]], "expression": {"rules": [[{"extract": "a"}]]}}, "filter": {"rules": ["a"]}, "http": {"lookups": [{"name": "x"}]}}`,
			remote:   `{"responseTransform": {"expression": {"rules": [[{"extract": "a"}]]}}, "filter": {"expression": {"rules": ["a"]}}, "http": {}, "lookups": [{"name": "x"}]}`,
		},
		"OtherTwins": {
			reason:   "a twin with another value is none, and that the copy has another value is a difference too",
			declared: `{"filter": {"rules": ["a"]}, "responseTransform": {"expression": {"rules": [["x"]]}}, "http": {"lookups": [{"name": "x"}]}}`,
			remote:   `{"filter": {"expression": {"rules": ["b"]}}, "responseTransform": {"expression": {"rules": [["x"]]}, "rules": [["y"]]}, "lookups": []}`,
			want: []string{
				`/filter/expression/rules ["a"] ["b"]`, `/filter/rules ["a"] null`, `/http/lookups [{"name":"x"}] null`, `/responseTransform/rules [["x"]] [["y"]]`,
			},
		},
		"NoTwins": {
			reason:   "a field that is in neither place is missing",
			declared: `{"filter": {"rules": ["a"]}, "responseTransform": {"expression": {"rules": [["x"]]}}}`,
			remote:   `{"filter": {"expression": {"rules": []}}}`,
			want:     []string{`/filter/rules ["a"] null`, `/responseTransform/expression/rules [["x"]] null`},
		},
		"BothTwins": {
			reason:   "where both are declared, each is compared with its own",
			declared: `{"filter": {"rules": ["a"], "expression": {"rules": ["b"]}}}`,
			remote:   `{"filter": {"rules": ["a"], "expression": {"rules": ["c"]}}}`,
			want:     []string{`/filter/expression/rules/0 "b" "c"`},
		},
		"Server": {
			reason:   "what the server sets is not compared",
			declared: `{"sandbox": true, "http": {"isRest": true, "_httpConnectorVersionId": "1"}}`,
			remote:   `{"sandbox": false, "http": {}}`,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, difference := range Compare(parse(t, tc.declared), parse(t, tc.remote), nil) {
				got = append(got, difference.Path+" "+Text(difference.Declared, 200)+" "+Text(difference.Remote, 200))
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}

// TestMergeKeepsElementIDs: a write of an array does not take the ids from its elements.
func TestMergeKeepsElementIDs(t *testing.T) {
	cases := map[string]struct{ reason, declared, remote, want string }{
		"Same": {
			reason:   "also from nested ones",
			declared: `{"netsuite_da": {"lookups": [{"name": "b"}, {"name": "new"}], "mapping": {"lists": [{"fields": [{"generate": "y"}]}]}}}`,
			remote:   `{"netsuite_da": {"lookups": [{"_id": "1", "name": "a"}], "mapping": {"lists": [{"_id": "2", "fields": [{"_id": "3", "generate": "x"}]}]}}}`,
			want:     `{"netsuite_da": {"lookups": [{"_id": "1", "name": "b"}, {"name": "new"}], "mapping": {"lists": [{"_id": "2", "fields": [{"_id": "3", "generate": "y"}]}]}}}`,
		},
		"Declared": {
			reason:   "a declared one stays, and so does an element that is no object",
			declared: `{"custom": [{"_id": "x"}, 1]}`,
			remote:   `{"custom": [{"_id": "1"}, {"_id": "2"}]}`,
			want:     `{"custom": [{"_id": "x"}, 1]}`,
		},
		"OwnData": {
			reason:   "the user's own data is as declared",
			declared: `{"settings": {"rows": [{"a": 1}]}}`,
			remote:   `{"settings": {"rows": [{"_id": "1"}]}}`,
			want:     `{"settings": {"rows": [{"a": 1}]}}`,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(parse(t, tc.want), Merge(nil, parse(t, tc.declared), parse(t, tc.remote), nil)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}

// TestTwinsOfWrites: what is declared wins over its undeclared copy, and what is no longer declared is in
// neither place.
func TestTwinsOfWrites(t *testing.T) {
	cases := map[string]struct {
		reason, declared, remote, want string
		owned, ignore                  []string
	}{
		"StaleCopy": {
			reason:   "an earlier value that the API has only in the copy",
			declared: `{"filter": {"rules": ["new"]}}`, remote: `{"filter": {"type": "expression", "expression": {"version": "1", "rules": ["old"]}}}`,
			want: `{"filter": {"type": "expression", "expression": {"version": "1"}, "rules": ["new"]}}`,
		},
		"OtherCopy": {
			reason:   "and one that somebody put into the copy, the other way round",
			declared: `{"filter": {"expression": {"rules": ["new"]}}}`, remote: `{"filter": {"rules": ["theirs"], "expression": {"rules": ["old"]}}}`,
			want: `{"filter": {"expression": {"rules": ["new"]}}}`,
		},
		"Released": {
			reason:   "a field that is no longer declared, where the API has it only in the copy",
			declared: `{"name": "n"}`, remote: `{"name": "n", "filter": {"expression": {"version": "1", "rules": ["old"]}}}`, owned: []string{"/filter/rules", "/name"},
			want: `{"name": "n", "filter": {"expression": {"version": "1"}}}`,
		},
		"Moved": {
			reason:   "one that is declared in the other place now",
			declared: `{"filter": {"expression": {"rules": ["a"]}}}`, remote: `{"filter": {"rules": ["a"], "expression": {"rules": ["a"]}}}`, owned: []string{"/filter/rules"},
			want: `{"filter": {"expression": {"rules": ["a"]}}}`,
		},
		"Ignored": {
			reason:   "a copy that is ignored stays",
			declared: `{"filter": {"rules": ["new"]}}`, remote: `{"filter": {"rules": ["old"], "expression": {"rules": ["old"]}}}`, ignore: []string{"/filter/expression"},
			want: `{"filter": {"rules": ["new"], "expression": {"rules": ["old"]}}}`,
		},
		"Lookups": {
			reason:   "lookups at the top that are no copy count as well",
			declared: `{"http": {"lookups": [{"name": "a"}]}}`, remote: `{"http": {}, "lookups": [{"name": "theirs"}]}`,
			want: `{"http": {"lookups": [{"name": "a"}]}, "lookups": [{"name": "theirs"}]}`,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			declared, remote := parse(t, tc.declared), parse(t, tc.remote)
			released := Released(tc.owned, declared, remote, tc.ignore)
			document := Merge(released, declared, remote, tc.ignore)
			DropEchoes(document, declared, remote, released, tc.ignore)
			if diff := cmp.Diff(parse(t, tc.want), document); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}
