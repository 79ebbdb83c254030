// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/integrator-operator/integrator-operator/internal/simulator/document"
)

// TestServerMadeInBlocks: what the server sets inside a block is not taken from a body, and a PUT keeps it.
func TestServerMadeInBlocks(t *testing.T) {
	h := newHarness(t)
	const body = `{"name":"n","_connectionId":"` + connHTTP + `","http":{"isRest":true,"_httpConnectorVersionId":"` + noSuchID + `","_httpConnectorEndpointIds":["` + noSuchID + `"]},` +
		`"mapping":{"fields":[{"_id":"x","generate":"a"}]},"settings":{"_id":"own"}}`
	created := h.doc(h.expect(http.StatusCreated, http.MethodPost, "/v1/imports", body))
	h.same(Document{"sendPostMappedData": true}, created["http"])
	h.same(Document{"fields": []any{Document{"generate": "a"}}}, created["mapping"])
	h.same(Document{"_id": "own"}, created["settings"])

	id, err := h.SeedImport("acme", json.RawMessage(body))
	must(t, err)
	put := h.doc(h.expect(http.StatusOK, http.MethodPut, "/v1/imports/"+id,
		`{"name":"m","_connectionId":"`+connHTTP+`","http":{"method":["GET"],"isRest":false,"_httpConnectorVersionId":"`+connFTP+`"}}`))
	h.same(Document{
		"method": []any{"GET"}, "sendPostMappedData": true, "isRest": true, "_httpConnectorVersionId": noSuchID, "_httpConnectorEndpointIds": []any{noSuchID},
	}, put["http"])
}

// TestElementIDs: the lookups and subrecords of a NetSuite import get ids. An element that is sent with
// its id keeps it.
func TestElementIDs(t *testing.T) {
	h := newHarness(t)
	const subrecord = `{"recordType":"address","lookups":[{"name":"s"}]`
	body := func(lookups string) string {
		return `{"name":"n","_connectionId":"` + connHTTP + `","netsuite_da":{"operation":"add","recordType":"customer","lookups":` + lookups + `,` +
			`"mapping":{"lists":[{"fields":[{"generate":"x","subRecordMapping":` + subrecord + `,"mapping":{"fields":[{"subRecordMapping":` + subrecord + `}}]}}}]}]}}}`
	}
	ids := func(doc Document) (lookups []string, all int) {
		block := document.Object(doc, "netsuite_da")
		for _, lookup := range block["lookups"].([]any) {
			lookups = append(lookups, document.Text(lookup.(Document), "_id"))
		}
		encoded, err := json.Marshal(block)
		must(t, err)
		return lookups, strings.Count(string(encoded), `"_id":"`)
	}
	created := h.doc(h.expect(http.StatusCreated, http.MethodPost, "/v1/imports", body(`[{"name":"a","_id":"`+noSuchID+`"},{"name":"b"}]`)))
	first, all := ids(created)
	h.same(6, all)
	if !document.IsID(first[0]) || first[0] == noSuchID || first[0] == first[1] {
		t.Errorf("ids %q", first)
	}
	h.same([]any{Document{"name": "a"}, Document{"name": "b"}}, created["lookups"])

	put := h.doc(h.expect(http.StatusOK, http.MethodPut, "/v1/imports/"+document.Text(created, "_id"),
		body(`[{"name":"c"},{"name":"b2","_id":"`+strings.ToUpper(first[1])+`"},{"name":"d","_id":"`+noSuchID+`"}]`)))
	second, _ := ids(put)
	h.same(first[1], second[1])
	if second[0] == first[0] || second[2] == noSuchID {
		t.Errorf("ids %q, before %q", second, first)
	}

	must(t, h.SetChoices(func(c *Choices) { c.ElementIDs = false }))
	_, all = ids(h.doc(h.expect(http.StatusCreated, http.MethodPost, "/v1/imports", body(`[{"name":"a"}]`))))
	h.same(0, all)
}

// TestIDsInAnyCase: an id is the same in upper case and in lower case, wherever it is, and is answered in
// lower case.
func TestIDsInAnyCase(t *testing.T) {
	const lower, upper, other = "5e8c41d29a7f3b0012ab77e1", "5E8C41D29A7F3B0012AB77E1", "5e8c41d29a7f3b0012ab77E2"
	h := newHarness(t)
	must(t, h.AddConnection("acme", Connection{ID: upper}))
	must(t, h.AddConnection("acme", Connection{ID: other}))
	doc := h.doc(h.expect(http.StatusCreated, http.MethodPost, "/v1/imports", `{"name":"n","_connectionId":"`+upper+`","_integrationId":"`+upper+`",`+
		`"http":{"_futureIds":["`+upper+`"]},"hooks":{"preMap":{"_scriptId":"`+upper+`"},"postMap":{"_scriptId":""}},"settings":{"_scriptId":"`+upper+`"}}`))
	h.same([]any{lower, lower}, []any{doc["_connectionId"], doc["_integrationId"]})
	h.same([]any{lower}, document.Object(doc, "http")["_futureIds"])
	h.same(Document{"preMap": Document{"_scriptId": lower}, "postMap": Document{"_scriptId": ""}}, doc["hooks"])
	h.same(Document{"_scriptId": upper}, doc["settings"])

	path := "/v1/imports/" + strings.ToUpper(document.Text(doc, "_id"))
	h.same(doc, h.doc(h.expect(http.StatusOK, http.MethodGet, path, "")))
	clone := h.doc(h.expect(http.StatusCreated, http.MethodPost, path+"/clone", `{"connectionMap":{"`+upper+`":"`+strings.ToUpper(other)+`"}}`))
	h.same([]any{strings.ToLower(other), doc["_id"]}, []any{clone["_connectionId"], clone["_sourceId"]})
	h.expect(http.StatusOK, http.MethodPut, path+"/replaceConnection", `{"_newConnectionId":"`+strings.ToUpper(other)+`"}`)
	h.same(strings.ToLower(other), h.doc(h.expect(http.StatusOK, http.MethodGet, path, ""))["_connectionId"])
	seeded, err := h.SeedImport("acme", Document{"_id": upper, "name": "s", "_connectionId": connHTTP, "http": Document{}})
	must(t, err)
	h.same(lower, seeded)

	must(t, h.SetChoices(func(c *Choices) { c.LowerCaseIDs = false }))
	doc = h.doc(h.expect(http.StatusCreated, http.MethodPost, "/v1/imports", `{"name":"n","_connectionId":"`+upper+`","http":{}}`))
	h.same(upper, doc["_connectionId"])
}

func TestRules(t *testing.T) {
	h := newHarness(t)
	stored := func(filter string) (any, any) {
		doc, _ := h.Import("acme", h.create(`{"name":"n","_connectionId":"`+connHTTP+`","http":{},"filter":`+filter+`,"responseTransform":`+filter+`}`))
		return doc["filter"], doc["responseTransform"]
	}
	same := func(filter string, want Document) {
		t.Helper()
		one, other := stored(filter)
		h.same([]any{want, want}, []any{one, other})
	}
	a, b := []any{[]any{Document{"extract": "a"}}}, []any{[]any{Document{"extract": "b"}}}
	const rulesA, rulesB = `"rules":[[{"extract":"a"}]]`, `"rules":[[{"extract":"b"}]]`
	same(`{`+rulesA+`}`, Document{"type": "expression", "rules": a, "expression": Document{"version": "1", "rules": a}})
	same(`{"expression":{`+rulesA+`}}`, Document{"expression": Document{"rules": a}})
	same(`{`+rulesA+`,"expression":{`+rulesA+`}}`, Document{"expression": Document{"rules": a}})
	same(`{`+rulesA+`,"expression":{`+rulesB+`}}`, Document{"rules": a, "expression": Document{"rules": b}})
	must(t, h.SetChoices(func(c *Choices) { c.EchoRules, c.DropRulesOfExpression = false, false }))
	same(`{`+rulesA+`}`, Document{"rules": a})
	same(`{`+rulesA+`,"expression":{`+rulesA+`}}`, Document{"rules": a, "expression": Document{"rules": a}})
}

func TestRESTOfHTTP(t *testing.T) {
	h := newHarness(t)
	const body = `{"name":"n","adaptorType":"HTTPImport","_connectionId":"` + connHTTP + `","http":{"method":["GET"]},"rest":{"method":["GET"]}}`
	stored := func() any {
		doc, _ := h.Import("acme", h.create(body))
		return doc["rest"]
	}
	h.same(nil, stored())
	must(t, h.SetChoices(func(c *Choices) { c.KeepRESTOfHTTP = true }))
	h.same(any(Document{"method": []any{"GET"}}), stored())
}

// TestLeniencyCanBeTurnedOff: each thing that the table says of values, without it.
func TestLeniencyCanBeTurnedOff(t *testing.T) {
	h := newHarness(t)
	create := func(fields string) Document {
		doc, _ := h.Import("acme", h.create(`{"name":"n","_connectionId":"`+connHTTP+`","http":{},`+fields+`}`))
		return doc
	}
	must(t, h.SetChoices(func(c *Choices) { c.TrimTexts, c.LowerCase = false, false }))
	h.same(" a\n", create(`"description":" a\n"`)["description"])
	h.same("GZIP", document.Object(create(`"file":{"compressionFormat":"GZIP"}`), "file")["compressionFormat"])

	must(t, h.SetChoices(func(c *Choices) { c.CastTypes, c.AlsoLowerCased = false, []string{"description"} }))
	h.same("loud", create(`"description":"LOUD"`)["description"])
	h.same("false", create(`"oneToMany":"false"`)["oneToMany"]) // the table has the type
	r := h.expect(http.StatusUnprocessableEntity, http.MethodPost, "/v1/imports", `{"name":5,"_connectionId":"`+connHTTP+`","http":{"batchSize":"5"},"distributed":"true"}`)
	h.same([]string{"invalid_field distributed", "invalid_field http.batchSize", "invalid_field name"}, h.codes(r))
}

func TestFormsThatAreNotDocumented(t *testing.T) {
	h := newHarness(t)
	doc := h.doc(h.expect(http.StatusCreated, http.MethodPost, "/v1/imports", `{"name":"n","_connectionId":"`+connHTTP+`","http":{},"mapping":[{"fields":[]}],"mappings":{"generate":"a"}}`))
	h.same([]any{[]any{Document{"fields": []any{}}}, []any{Document{"generate": "a"}}}, []any{doc["mapping"], doc["mappings"]})
}
