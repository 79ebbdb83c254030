// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package drift_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/integrator-operator/integrator-operator/internal/drift"
	"github.com/integrator-operator/integrator-operator/internal/fields"
	"github.com/integrator-operator/integrator-operator/internal/simulator"
)

// platform is the simulator with an account that has the fixtures' connections.
type platform struct {
	*testing.T
	url string
}

func newPlatform(t *testing.T) platform {
	t.Helper()
	sim := simulator.New(simulator.Options{})
	if err := sim.AddAccount(simulator.AccountSpec{
		Name: "a", Tokens: []simulator.Token{{Token: "t"}}, Connections: simulator.FixtureConnections(),
	}); err != nil {
		t.Fatal(err)
	}
	// Whether the API keeps a rest block beside the http block of an HTTP import is unknown: it must stay
	// where it does.
	if err := sim.SetChoices(func(c *simulator.Choices) { c.KeepRESTOfHTTP = true }); err != nil {
		t.Fatal(err)
	}
	url, stop, err := sim.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { sim.Close(); _ = stop() })
	return platform{T: t, url: url}
}

// answer sends a document and returns what the API makes of it.
func (p platform) answer(method, path string, document any) map[string]any {
	p.Helper()
	body, err := json.Marshal(document)
	if err != nil {
		p.Fatal(err)
	}
	request, err := http.NewRequestWithContext(p.Context(), method, p.url+"/v1/imports"+path, bytes.NewReader(body))
	if err != nil {
		p.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer t")
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		p.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode > 299 {
		p.Fatalf("%s %s: %d %s %v", method, path, response.StatusCode, text, err)
	}
	return p.parse(text)
}

func (p platform) parse(text []byte) map[string]any {
	p.Helper()
	document, err := drift.Parse(text)
	if err != nil {
		p.Fatal(err)
	}
	return document
}

// write is the PUT that follows a change of what is declared, and its answer.
func (p platform) write(declared, remote map[string]any, owned ...string) map[string]any {
	p.Helper()
	released := drift.Released(owned, declared, remote, nil)
	merged := drift.Merge(released, declared, remote, nil)
	drift.DropEchoes(merged, declared, remote, released, nil)
	return p.answer(http.MethodPut, "/"+remote["_id"].(string), merged)
}

func differences(declared, remote map[string]any) []string {
	var found []string
	for _, difference := range drift.Compare(declared, remote, drift.WriteOnly) {
		found = append(found, difference.Path+" "+drift.Text(difference.Declared, 200)+" "+drift.Text(difference.Remote, 200))
	}
	return found
}

// TestNothingOfWhatTheAPIMakesIsDrift: whatever the kind of import, what the API answers to
// it is not drift: not after the creation, not after a write, and not when it is declared
// again from the answer without what the server owns.
func TestNothingOfWhatTheAPIMakesIsDrift(t *testing.T) {
	p := newPlatform(t)
	for _, fixture := range simulator.Fixtures() {
		t.Run(fixture.Name, func(t *testing.T) {
			p := platform{T: t, url: p.url}
			declared := p.parse(fixture.Document)
			remote := p.answer(http.MethodPost, "", declared)
			if diff := cmp.Diff([]string(nil), differences(declared, remote)); diff != "" {
				t.Errorf("after the creation (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff([]string(nil), differences(declared, p.write(declared, remote))); diff != "" {
				t.Errorf("after a write (-want +got):\n%s", diff)
			}
			short := p.parse([]byte(drift.Text(remote, 1<<20)))
			drift.WithoutEchoes(short)
			fields.LeaveOut(short)
			delete(short, "encrypted")
			again := p.answer(http.MethodPost, "", short)
			for _, document := range []map[string]any{remote, again} {
				delete(document, "encrypted")
				fields.LeaveOut(document)
			}
			if diff := cmp.Diff(remote, again); diff != "" {
				t.Errorf("made of its own answer without the echoes (-want +got):\n%s", diff)
			}
		})
	}
}

// TestChangesReachTheEchoes: a new value of a field that the API copies, or shows in two
// forms, is what the API has afterwards, everywhere; and one that is no longer declared is nowhere.
func TestChangesReachTheEchoes(t *testing.T) {
	const base = `"name": "n", "_connectionId": "64a0000000000000000000a1"`
	cases := map[string]struct {
		reason, before, after string
		// meanwhile is laid over the remote import by somebody else.
		meanwhile string
		want      map[string]string // path: JSON, "null" for what is not there
	}{
		"REST": {
			reason: "the http block of a REST import is made of its rest block",
			before: `{"adaptorType": "RESTImport", "rest": {"method": ["POST"], "relativeURI": ["/a"]}}`,
			after:  `{"adaptorType": "RESTImport", "rest": {"method": ["PUT"], "relativeURI": ["/b"]}}`,
			want:   map[string]string{"rest.method": `["PUT"]`, "http.method": `["PUT"]`, "http.relativeURI": `["/b"]`},
		},
		"RESTAsHTTP": {
			reason: "and the rest block of the http block, where only that is declared",
			before: `{"adaptorType": "RESTImport", "http": {"method": ["POST"], "relativeURI": ["/a"]}}`,
			after:  `{"adaptorType": "RESTImport", "http": {"method": ["PUT"], "relativeURI": ["/b"]}}`,
			want:   map[string]string{"http.method": `["PUT"]`, "rest.method": `["PUT"]`, "rest.relativeURI": `["/b"]`},
		},
		"RESTUndeclared": {
			reason:    "what nobody declared in the rest block survives",
			before:    `{"adaptorType": "RESTImport", "rest": {"method": ["POST"]}}`,
			meanwhile: `{"adaptorType": "RESTImport", "rest": {"method": ["POST"], "batchSize": 7}}`,
			after:     `{"adaptorType": "RESTImport", "rest": {"method": ["PUT"]}}`,
			want:      map[string]string{"rest.method": `["PUT"]`, "rest.batchSize": `7`, "http.batchSize": `7`},
		},
		"RESTLookups": {
			reason: "three copies of one list of lookups",
			before: `{"adaptorType": "RESTImport", "rest": {"lookups": [{"name": "a"}]}}`,
			after:  `{"adaptorType": "RESTImport", "rest": {"lookups": [{"name": "b"}]}}`,
			want:   map[string]string{"rest.lookups": `[{"name":"b"}]`, "http.lookups": `[{"name":"b"}]`, "lookups": `[{"name":"b"}]`},
		},
		"BlockLookups": {
			reason: "the lookups of any block are copied to the top",
			before: `{"jdbc": {"queryType": ["INSERT"], "lookups": [{"name": "a"}]}}`,
			after:  `{"jdbc": {"queryType": ["INSERT"], "lookups": [{"name": "b"}]}}`,
			want:   map[string]string{"jdbc.lookups": `[{"name":"b"}]`, "lookups": `[{"name":"b"}]`},
		},
		"Rules": {
			reason: "the rules of a filter are copied into its expression",
			before: `{"http": {}, "filter": {"rules": ["a"]}}`,
			after:  `{"http": {}, "filter": {"rules": ["b"]}}`,
			want:   map[string]string{"filter.rules": `["b"]`, "filter.expression.rules": `["b"]`},
		},
		"ExpressionAlone": {
			reason:    "rules that somebody put above the declared ones do not win",
			before:    `{"http": {}, "filter": {"expression": {"rules": ["a"]}}}`,
			meanwhile: `{"http": {}, "filter": {"rules": ["x"]}}`,
			after:     `{"http": {}, "filter": {"expression": {"rules": ["b"]}}}`,
			want:      map[string]string{"filter.expression.rules": `["b"]`},
		},
		"LookupsReleased": {
			reason: "the copy at the top does not bring back lookups that are no longer declared",
			before: `{"http": {"method": ["PUT"], "lookups": [{"name": "a"}]}}`,
			after:  `{"http": {"method": ["PUT"]}}`,
			want:   map[string]string{"http.method": `["PUT"]`, "http.lookups": `null`, "lookups": `null`},
		},
		"TopLookupsReleased": {
			reason: "nor does the block bring back those at the top",
			before: `{"http": {"method": ["PUT"]}, "lookups": [{"name": "a"}]}`,
			after:  `{"http": {"method": ["PUT"]}}`,
			want:   map[string]string{"http.lookups": `null`, "lookups": `null`},
		},
		"LookupsMoved": {
			reason: "what is declared at the top now is not a copy of what was declared in the block",
			before: `{"http": {"method": ["PUT"], "lookups": [{"name": "a"}]}}`,
			after:  `{"http": {"method": ["PUT"]}, "lookups": [{"name": "a"}]}`,
			want:   map[string]string{"http.lookups": `[{"name":"a"}]`, "lookups": `[{"name":"a"}]`},
		},
		"LookupsMovedIntoBlock": {
			reason: "nor the other way round",
			before: `{"http": {"method": ["PUT"]}, "lookups": [{"name": "a"}]}`,
			after:  `{"http": {"method": ["PUT"], "lookups": [{"name": "b"}]}}`,
			want:   map[string]string{"http.lookups": `[{"name":"b"}]`, "lookups": `[{"name":"b"}]`},
		},
		"RulesMoved": {
			reason: "nor are rules that moved into the expression",
			before: `{"http": {}, "filter": {"rules": ["a"]}}`,
			after:  `{"http": {}, "filter": {"expression": {"rules": ["a"]}}}`,
			want:   map[string]string{"filter.expression.rules": `["a"]`},
		},
		"RESTMoved": {
			reason: "nor is a field that moved from the rest block to the http block",
			before: `{"adaptorType": "RESTImport", "rest": {"method": ["PUT"], "batchSize": 7}}`,
			after:  `{"adaptorType": "RESTImport", "http": {"method": ["PUT"], "batchSize": 7}}`,
			want:   map[string]string{"http.batchSize": `7`, "rest.batchSize": `7`},
		},
		"LookupsReleasedAndChanged": {
			reason:    "a copy that somebody changed is not removed",
			before:    `{"http": {"method": ["PUT"], "lookups": [{"name": "a"}]}}`,
			meanwhile: `{"http": {"method": ["PUT"], "lookups": [{"name": "a"}]}, "lookups": [{"name": "b"}]}`,
			after:     `{"http": {"method": ["PUT"]}}`,
			want:      map[string]string{"lookups": `[{"name":"b"}]`},
		},
		"RulesReleased": {
			reason: "the expression does not bring back rules that are no longer declared",
			before: `{"http": {}, "filter": {"rules": ["a"]}}`,
			after:  `{"http": {}}`,
			want:   map[string]string{"filter.rules": `null`, "filter.expression.rules": `null`},
		},
		"RESTReleased": {
			reason: "the http block does not bring back a field of the rest block, nor the rest block one of its lookups",
			before: `{"adaptorType": "RESTImport", "rest": {"method": ["PUT"], "batchSize": 7, "lookups": [{"name": "a"}]}}`,
			after:  `{"adaptorType": "RESTImport", "rest": {"method": ["PUT"]}}`,
			want:   map[string]string{"rest.batchSize": `null`, "http.batchSize": `null`, "rest.lookups": `null`, "http.lookups": `null`, "lookups": `null`},
		},
		"RESTReleasedWhole": {
			reason: "also where neither block is declared any more",
			before: `{"adaptorType": "RESTImport", "rest": {"method": ["PUT"], "batchSize": 7}}`,
			after:  `{"adaptorType": "RESTImport"}`,
			want:   map[string]string{"rest.batchSize": `null`, "http.batchSize": `null`},
		},
		"RESTMappedOff": {
			reason:    "the rest block has no word for a switch of the http block, which survives",
			before:    `{"adaptorType": "RESTImport", "rest": {"method": ["POST"]}}`,
			meanwhile: `{"adaptorType": "RESTImport", "rest": {"method": ["POST"]}, "http": {"sendPostMappedData": false}}`,
			after:     `{"adaptorType": "RESTImport", "rest": {"method": ["PUT"]}}`,
			want:      map[string]string{"rest.method": `["PUT"]`, "http.method": `["PUT"]`, "http.sendPostMappedData": `false`},
		},
		"HTTPBesideREST": {
			reason:    "an HTTP import has no second form: a rest block that somebody keeps there stays",
			before:    `{"adaptorType": "HTTPImport", "http": {"method": ["POST"]}}`,
			meanwhile: `{"adaptorType": "HTTPImport", "http": {"method": ["POST"]}, "rest": {"x": 1}}`,
			after:     `{"adaptorType": "HTTPImport", "http": {"method": ["PUT"]}}`,
			want:      map[string]string{"http.method": `["PUT"]`, "rest.x": `1`},
		},
	}
	shared := newPlatform(t)
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			p := platform{T: t, url: shared.url}
			full := func(text string) map[string]any { return p.parse([]byte("{" + base + ", " + text[1:])) }
			remote := p.answer(http.MethodPost, "", full(c.before))
			if c.meanwhile != "" {
				remote = p.answer(http.MethodPut, "/"+remote["_id"].(string), full(c.meanwhile))
			}
			declared := full(c.after)
			got := p.write(declared, remote, drift.Fields(full(c.before))...)
			if diff := cmp.Diff([]string(nil), differences(declared, got)); diff != "" {
				t.Errorf("%s: still differs (-want +got):\n%s", c.reason, diff)
			}
			for path, want := range c.want {
				var value any = got
				for _, key := range strings.Split(path, ".") {
					object, _ := value.(map[string]any)
					value = object[key]
				}
				if diff := cmp.Diff(want, drift.Text(value, 500)); diff != "" {
					t.Errorf("%s: %s (-want +got):\n%s", c.reason, path, diff)
				}
			}
		})
	}
}

// TestSpellings: case and type count everywhere but where the API is known not to keep them.
func TestSpellings(t *testing.T) {
	cases := map[string]struct {
		reason, declared, remote string
		want                     []string
	}{
		"Enum":       {"a closed list that the API lower-cases", `{"file": {"type": "CSV"}, "salesforce": {"api": "SOAP"}}`, `{"file": {"type": "csv"}, "salesforce": {"api": "soap"}}`, nil},
		"OtherWord":  {"another word is drift", `{"file": {"type": "CSV"}}`, `{"file": {"type": "json"}}`, []string{`/file/type "CSV" "json"`}},
		"MixedCase":  {"values that are mixed case by nature", `{"mongodb": {"method": "insertMany"}}`, `{"mongodb": {"method": "insertmany"}}`, []string{`/mongodb/method "insertMany" "insertmany"`}},
		"OtherField": {"a field of the same name elsewhere", `{"filter": {"type": "Script"}, "list": [{"type": "A"}]}`, `{"filter": {"type": "script"}, "list": [{"type": "a"}]}`, []string{`/filter/type "Script" "script"`, `/list/0/type "A" "a"`}},
		"EnumNumber": {"another number is drift, also as a text", `{"file": {"type": "1"}}`, `{"file": {"type": 2}}`, []string{`/file/type "1" 2`}},
		"Text":       {"a number that is stored as text", `{"rdbms": {"bulkInsert": {"batchSize": 500}}}`, `{"rdbms": {"bulkInsert": {"batchSize": "500"}}}`, nil},
		"OtherText":  {"another number is drift", `{"rdbms": {"bulkInsert": {"batchSize": 500}}}`, `{"rdbms": {"bulkInsert": {"batchSize": "50"}}}`, []string{`/rdbms/bulkInsert/batchSize 500 "50"`}},
		"NoText":     {"numbers in unknown fields are not text", `{"custom": {"batchSize": 5}}`, `{"custom": {"batchSize": "5"}}`, []string{`/custom/batchSize 5 "5"`}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			p := platform{T: t}
			if diff := cmp.Diff(c.want, differences(p.parse([]byte(c.declared)), p.parse([]byte(c.remote)))); diff != "" {
				t.Errorf("%s (-want +got):\n%s", c.reason, diff)
			}
		})
	}
}

// TestFixturesCoverTheReference holds the fixtures to what the tests above claim.
func TestFixturesCoverTheReference(t *testing.T) {
	kinds := map[string]bool{}
	var all strings.Builder
	for _, fixture := range simulator.Fixtures() {
		kinds[fixture.AdaptorType] = true
		all.Write(fixture.Document)
	}
	if len(kinds) != 17 {
		t.Errorf("the fixtures have %d kinds of import, the API 17", len(kinds))
	}
	missing := slices.DeleteFunc(strings.Fields(`
		name description externalId _connectionId _integrationId _ediProfileId distributed maxAttempts ignoreExisting
		ignoreMissing idLockTemplate dataURITemplate traceKeyTemplate oneToMany pathToMany blob blobKeyPath deleteAfterImport
		assistant assistantMetadata unencrypted encrypted sampleData sampleResponseData mockResponse parsers filter
		responseTransform hooks preMap postMap postSubmit postAggregate mapping mappings lookups settings settingsForm preSave
		method relativeURI body requestType requestMediaType successMediaType errorMediaType batchSize sendPostMappedData
		formType headers response resourcePath resourceIdPath successPath successValues failPath failValues errorPath
		file fileName skipAggregation encoding delete compressionFormat backupPath csv rowDelimiter columnDelimiter
		includeHeader wrapWithQuotes replaceTabWithSpace replaceNewlineWithSpace truncateLastRowDelimiter json xml xlsx
		fileDefinition _fileDefinitionId aggregation pgp directoryPath inProgressFileName backupDirectoryPath region bucket
		fileKey backupBucket fileNameTemplate messageIdTemplate maxRetries filesystem operation recordType internalIdLookup
		searchField operator expression restletVersion netsuite netsuite_da api sObjectType idLookup upsert externalIdField
		queryType query bulkInsert tableName bulkLoad primaryKeys collection document update function configuration
		aiAgent guardrail tool wrapper jdbc rdbms mongodb dynamodb salesforce rest http ftp s3 as2`),
		func(field string) bool { return strings.Contains(all.String(), `"`+field+`":`) })
	if diff := cmp.Diff([]string{}, missing); diff != "" {
		t.Errorf("no fixture has (-want +got):\n%s", diff)
	}
}
