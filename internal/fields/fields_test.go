// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package fields

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func document(t *testing.T, text string) map[string]any {
	t.Helper()
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	var made map[string]any
	if err := decoder.Decode(&made); err != nil {
		t.Fatal(err)
	}
	return made
}

// TestTable: every line says what it has to.
func TestTable(t *testing.T) {
	known := []Type{Text, Number, Boolean, Object, Array, ID, Null, Any}
	lines := 0
	for field := range All() {
		lines++
		if field.Meaning == "" || strings.ContainsAny(field.Meaning, "\t\n") {
			t.Errorf("%s: the meaning is %q", field.Path, field.Meaning)
		}
		for _, one := range field.Types {
			if !slices.Contains(known, one) {
				t.Errorf("%s: there is no type %q", field.Path, one)
			}
		}
		if at := Lookup(field.Path); at != field {
			t.Errorf("%s is not where its path says", field.Path)
		}
		if len(field.Names()) > 0 && !field.Is(Object) && field.Same() == "" {
			t.Errorf("%s has members, and is no object", field.Path)
		}
		if field.Lower && slices.ContainsFunc(field.Enum, func(value string) bool { return value != strings.ToLower(value) }) {
			t.Errorf("%s is stored in lower case, but its values are not", field.Path)
		}
		if field.Default != nil && len(field.Enum) > 0 && !field.has(field.Default.(string)) {
			t.Errorf("%s: the default %v is not one of its values", field.Path, field.Default)
		}
	}
	if lines < 550 {
		t.Errorf("the table has %d fields", lines)
	}
}

func TestParse(t *testing.T) {
	const header = "path\ttype\tenum\tdefault\trules\tmeaning\n"
	cases := map[string]struct{ reason, lines, fails string }{
		"Columns": {reason: "a line has six columns", lines: "/a\ttext\t\t\tx", fails: "line 2: 5 columns, not 6"},
		"Pointer": {reason: "a path is a JSON pointer", lines: "a\ttext\t\t\t\tx", fails: `line 2: "a" is not a JSON pointer`},
		"Orphan":  {reason: "a field stands after what contains it", lines: "/a/b\ttext\t\t\t\tx", fails: "line 2: /a/b: what contains it stands nowhere before it"},
		"Twice":   {reason: "a field is there once", lines: "/a\ttext\t\t\t\tx\n/a\ttext\t\t\t\tx", fails: "line 3: /a is there twice"},
		"Rule":    {reason: "a rule exists", lines: "/a\ttext\t\t\tlowr\tx", fails: `line 2: /a: there is no rule "lowr"`},
		"Default": {reason: "a default is JSON", lines: "/a\ttext\t\tx\t\tx", fails: "line 2: /a: default: invalid character 'x' looking for beginning of value"},
		"Same":    {reason: "a reference leads to a field", lines: "/a\ttext\t\t\tsame=/b\tx", fails: "/a: there is no field /b with members of its own"},
		"Twin":    {reason: "so does a twin", lines: "/a\ttext\t\t\ttwin=/b\tx", fails: "/a: there is no field /b"},
		"Good":    {reason: "comments and empty lines are skipped", lines: "# x\n\n/a\tarray\t\t\t\tx\n/a/*\ttext\t\t\t\tx"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := parse(header + tc.lines)
			got := ""
			if err != nil {
				got = err.Error()
			}
			if diff := cmp.Diff(tc.fails, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}

func TestLookup(t *testing.T) {
	cases := map[string]struct{ reason, pointer, want string }{
		"Member":    {reason: "a member of a block", pointer: "/http/response/resourcePath", want: "/http/response/resourcePath"},
		"Element":   {reason: "an element of an array", pointer: "/http/headers/3/value", want: "/http/headers/*/value"},
		"Recursive": {reason: "a mapping in a mapping has the fields of a mapping", pointer: "/mappings/0/mappings/1/buildArrayHelper/0/mappings/2/extract", want: "/mappings/*/extract"},
		"Free":      {reason: "what is in the user's own data is the user's own", pointer: "/settings/a/0/_id", want: "/settings"},
		"Unknown":   {reason: "others are unknown", pointer: "/http/nothing/a"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := ""
			if field := Lookup(tc.pointer); field != nil {
				got = field.Path
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}

func TestLeaveOut(t *testing.T) {
	cases := map[string]struct {
		reason, definition, want string
		removed                  []string
	}{
		"Top": {
			reason:     "what the server sets at the top, whatever its value",
			definition: `{"name": "n", "_id": "1", "sandbox": false, "apiIdentifier": "i1", "lastModified": null}`,
			want:       `{"name": "n"}`,
			removed:    []string{"/_id", "/apiIdentifier", "/lastModified", "/sandbox"},
		},
		"Blocks": {
			reason:     "in blocks, with what is in it",
			definition: `{"http": {"_httpConnectorEndpointIds": ["1"], "isRest": false, "method": ["GET"]}}`,
			want:       `{"http": {"method": ["GET"]}}`,
			removed:    []string{"/http/_httpConnectorEndpointIds", "/http/isRest"},
		},
		"Elements": {
			reason:     "the ids of elements, at any depth",
			definition: `{"netsuite_da": {"lookups": [{"_id": "1", "name": "a"}], "mapping": {"lists": [{"fields": [{"_id": "2", "generate": "x", "subRecordMapping": {"_id": "3", "recordType": "y"}}]}]}}}`,
			want:       `{"netsuite_da": {"lookups": [{"name": "a"}], "mapping": {"lists": [{"fields": [{"generate": "x", "subRecordMapping": {"recordType": "y"}}]}]}}}`,
			removed:    []string{"/netsuite_da/lookups/0/_id", "/netsuite_da/mapping/lists/0/fields/0/_id", "/netsuite_da/mapping/lists/0/fields/0/subRecordMapping/_id"},
		},
		"OwnData": {
			reason:     "nothing in the user's own data, and nothing in what the table does not know",
			definition: `{"settings": {"_id": "1", "sandbox": true}, "sampleData": [{"_id": "2"}], "custom": {"_id": 3}, "hooks": {"preMap": {"configuration": {"_id": 4}}}}`,
			want:       `{"settings": {"_id": "1", "sandbox": true}, "sampleData": [{"_id": "2"}], "custom": {"_id": 3}, "hooks": {"preMap": {"configuration": {"_id": 4}}}}`,
		},
		"LegacyBlock": {
			reason:     "the older form of an HTTP import",
			definition: `{"adaptorType": "HTTPImport", "http": {}, "rest": {"method": ["GET"]}}`,
			want:       `{"adaptorType": "HTTPImport", "http": {}}`,
			removed:    []string{"/rest"},
		},
		"RESTImport": {
			reason:     "but both blocks of a REST import",
			definition: `{"adaptorType": "RESTImport", "http": {}, "rest": {}}`,
			want:       `{"adaptorType": "RESTImport", "http": {}, "rest": {}}`,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := document(t, tc.definition)
			removed := LeaveOut(got)
			if diff := cmp.Diff(document(t, tc.want), got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
			if diff := cmp.Diff(tc.removed, removed); diff != "" {
				t.Errorf("%s, removed (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}

func TestWarnings(t *testing.T) {
	cases := map[string]struct {
		reason, definition string
		want               []string
	}{
		"Good": {
			reason: "types and values as documented, as seen in public documents, and null",
			definition: `{"name": "n", "adaptorType": "HTTPImport", "_connectionId": "@shop", "oneToMany": "false", "filter": null, "netsuite_da": {"operation": "ADD"},
				"hooks": {"preMap": {"_scriptId": ""}}, "http": {"method": "POST", "relativeURI": ["/a"], "body": [null, "x"]}}`,
		},
		"Names": {
			reason:     "names that are near a known one, at any depth",
			definition: `{"adapterType": "HTTPImport", "descripton": "x", "http": {"relativeUri": [], "headres": []}, "mappings": [{"mappings": [{"dataTyp": "string"}]}]}`,
			want: []string{
				"/adapterType: the API documents no field of this name; did you mean adaptorType?",
				"/descripton: the API documents no field of this name; did you mean description?",
				"/http/headres: the API documents no field of this name; did you mean headers?",
				"/http/relativeUri: the API documents no field of this name; did you mean relativeURI?",
				"/mappings/0/mappings/0/dataTyp: the API documents no field of this name; did you mean dataType?",
			},
		},
		"OtherNames": {
			reason:     "names that are near none, and short names",
			definition: `{"newFeature": 1, "s4": {}, "tap": {}, "http": {"retryPolicy": {}}}`,
		},
		"Types": {
			reason:     "types that the API does not take",
			definition: `{"distributed": "yes", "http": {"batchSize": "5", "headers": [{"name": 5}], "response": []}, "_integrationId": 7}`,
			want: []string{
				"/_integrationId: the value is of type number, and the API documents id",
				"/distributed: the value is of type text, and the API documents boolean",
				"/http/batchSize: the value is of type text, and the API documents number",
				"/http/headers/0/name: the value is of type number, and the API documents text",
				"/http/response: the value is of type array, and the API documents object",
			},
		},
		"Values": {
			reason:     "values that are not documented, and ids that are none",
			definition: `{"adaptorType": "httpimport", "_integrationId": "abc", "http": {"method": ["FETCH"]}}`,
			want: []string{
				`/_integrationId: "abc" is neither an id (24 hexadecimal characters) nor @ followed by an alias`,
				`/adaptorType: "httpimport" is not one of the documented values: HTTPImport, RESTImport, FTPImport, S3Import, AS2Import, FileSystemImport, NetSuiteDistributedImport, NetSuiteImport, SalesforceImport, RDBMSImport, JDBCImport, MongodbImport, DynamodbImport, WrapperImport, AiAgentImport, GuardrailImport, ToolImport`,
				`/http/method/0: "FETCH" is not one of the documented values: GET, PUT, POST, PATCH, DELETE`,
			},
		},
		"OwnData": {
			reason:     "nothing in the user's own data",
			definition: `{"settings": {"descripton": 1, "name": 5}}`,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, Warnings(document(t, tc.definition))); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}

func TestNear(t *testing.T) {
	cases := map[string]bool{
		"adaptorType adaptorType": true, "adapterType adaptorType": true, "descripton description": true, "descriptiion description": true,
		"relativeuri relativeuri": true, "mtehod method": true, "http https": true, "htp http": true, "rset rest": false, "s4 s3": false, "ftp sftp": true,
		"name type": false, "filters filter": true, "mapping lookups": false, "xy abcdef": false, "": false,
	}
	for pair, want := range cases {
		name, known, _ := strings.Cut(pair, " ")
		if got := known != "" && isNear(name, known); got != want {
			t.Errorf("%q near %q: %t, want %t", name, known, got, want)
		}
	}
}
