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

func TestRefusedDocuments(t *testing.T) {
	const conn = `"_connectionId":"` + connFTP + `"`
	for _, test := range []struct {
		name, body string
		want       []string
		message    string // of the first error
	}{
		{"no block", `{"name":"n",` + conn + `,"adaptorType":"HTTPImport"}`, []string{"missing_required_field http"}, "http subschema not defined"},
		{"block of another adaptor", `{"name":"n",` + conn + `,"adaptorType":"HTTPImport","ftp":{"directoryPath":"/"}}`, []string{"missing_required_field http"}, ""},
		{"block of the wrong type", `{"name":"n",` + conn + `,"http":[]}`, []string{"invalid_field http"}, `Cast to Object failed for value "[]" at path "http"`},
		{"nothing to infer from", `{"name":"n",` + conn + `}`, []string{"missing_required_field adaptorType"}, ""},
		{"AS2 is not inferred", `{"name":"n",` + conn + `,"as2":{"fileNameTemplate":"f"}}`, []string{"missing_required_field adaptorType"}, ""},
		{"adaptorType is case-sensitive", `{"name":"n",` + conn + `,"adaptorType":"HttpImport","http":{}}`, []string{"invalid_field adaptorType"}, ""},
		{"adaptorType of the wrong type", `{"name":"n",` + conn + `,"adaptorType":1,"http":{}}`, []string{"invalid_field adaptorType"}, `Cast to String failed for value "1" at path "adaptorType"`},
		{"no name", `{` + conn + `,"http":{}}`, []string{"missing_required_field name"}, "Path `name` is required."},
		{"no name, nothing to infer from", `{` + conn + `}`, []string{"missing_required_field adaptorType", "missing_required_field name"}, ""},
		{"empty name", `{"name":"",` + conn + `,"http":{}}`, []string{"missing_required_field name"}, ""},
		{"no connection", `{"name":"n","http":{}}`, []string{"missing_required_field _connectionId"}, ""},
		{"connection null", `{"name":"n","_connectionId":null,"http":{}}`, []string{"missing_required_field _connectionId"}, ""},
		{"malformed connection", `{"name":"n","_connectionId":"@shop","http":{}}`, []string{"invalid_field _connectionId"}, `Cast to ObjectId failed for value "@shop" at path "_connectionId"`},
		{"connection of the wrong type", `{"name":"n","_connectionId":7,"http":{}}`, []string{"invalid_field _connectionId"}, ""},
		{"connection of nobody", `{"name":"n","_connectionId":"` + connAbsent + `","http":{}}`, []string{"invalid_ref _connectionId"}, ""},
		{"malformed ids below", `{"name":"n",` + conn + `,"hooks":{"preMap":{"_scriptId":"x"}},"http":{"_iClientId":"y","list":[{"_userIds":["z"]}]}}`,
			[]string{"invalid_field hooks.preMap._scriptId", "invalid_field http._iClientId", "invalid_field http.list.0._userIds.0"}, ""},
		{"what only looks like ids", `{"name":"n",` + conn + `,"http":{},"settings":{"_xId":"x"},"lookups":[{"map":{"_yId":"y"}}],"_id":"z","_sourceId":"z"}`, nil, ""},
		{"wrong base types", `{"name":["n"],` + conn + `,"distributed":"maybe","maxAttempts":"three","filter":[],"hooks":"x","http":{}}`,
			[]string{"invalid_field distributed", "invalid_field filter", "invalid_field hooks", "invalid_field maxAttempts", "invalid_field name"}, `Cast to Boolean failed for value "maybe" at path "distributed"`},
		{"wrong types below", `{"name":"n",` + conn + `,"http":{"batchSize":true,"headers":["a"],"response":{"successValues":[[{}]]}},"mappings":[{"mappings":[{"generate":{}}]}]}`,
			[]string{"invalid_field http.batchSize", "invalid_field http.headers.0", "invalid_field http.response.successValues.0.0", "invalid_field mappings.0.mappings.0.generate"}, ""},
		{"a name of blanks", `{"name":" \t\n",` + conn + `,"http":{}}`, []string{"missing_required_field name"}, ""},
		{"long description", `{"name":"n",` + conn + `,"http":{},"description":"` + strings.Repeat("ü", 10241) + `"}`, []string{"invalid_field description"}, ""},
		{"longest description", `{"name":"n",` + conn + `,"http":{},"description":"` + strings.Repeat("ü", 10240) + `"}`, nil, ""},
		{"several at once", `{"ftp":{},"file":{"type":"pdf"}}`,
			[]string{"invalid_field file.type", "missing_required_field ftp.directoryPath", "missing_required_field name", "missing_required_field _connectionId"}, ""},
		{"enum", `{"name":"n",` + conn + `,"netsuite_da":{"operation":"merge","recordType":"x"}}`, []string{"invalid_field netsuite_da.operation"}, "`merge` is not a valid enum value for path `netsuite_da.operation`."},
		{"enum of the wrong type", `{"name":"n",` + conn + `,"salesforce":{"operation":"insert","api":1}}`, []string{"invalid_field salesforce.api"}, ""},

		{"ftp", `{"name":"n",` + conn + `,"ftp":{}}`, []string{"missing_required_field ftp.directoryPath"}, ""},
		{"s3", `{"name":"n",` + conn + `,"s3":{}}`, []string{"missing_required_field s3.bucket"}, ""},
		{"as2", `{"name":"n",` + conn + `,"adaptorType":"AS2Import","as2":{}}`, []string{"missing_required_field as2.fileNameTemplate"}, ""},
		{"filesystem", `{"name":"n",` + conn + `,"filesystem":{}}`, []string{"missing_required_field filesystem.directoryPath"}, ""},
		{"netsuite_da", `{"name":"n",` + conn + `,"netsuite_da":{}}`, []string{"missing_required_field netsuite_da.operation", "missing_required_field netsuite_da.recordType"}, ""},
		{"netsuite", `{"name":"n",` + conn + `,"netsuite":{"operation":"add"}}`, []string{"missing_required_field netsuite.recordType"}, ""},
		{"salesforce", `{"name":"n",` + conn + `,"salesforce":{}}`, []string{"missing_required_field salesforce.operation", "missing_required_field salesforce.api"}, ""},
		{"rdbms", `{"name":"n",` + conn + `,"rdbms":{"queryType":[]}}`, []string{"missing_required_field rdbms.queryType"}, ""},
		{"jdbc", `{"name":"n",` + conn + `,"jdbc":{}}`, []string{"missing_required_field jdbc.queryType"}, ""},
		{"mongodb", `{"name":"n",` + conn + `,"mongodb":{"method":"insertmany"}}`, []string{"invalid_field mongodb.method", "missing_required_field mongodb.collection"}, ""},
		{"dynamodb", `{"name":"n",` + conn + `,"dynamodb":{}}`, []string{"missing_required_field dynamodb.method", "missing_required_field dynamodb.tableName"}, ""},
		{"wrapper", `{"name":"n",` + conn + `,"wrapper":{}}`, []string{"missing_required_field wrapper.function"}, ""},
		{"no connection needed", `{"name":"n","aiAgent":{}}`, nil, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			h := newHarness(t)
			if test.want == nil {
				h.expect(http.StatusCreated, http.MethodPost, "/v1/imports", test.body)
				return
			}
			r := h.expect(http.StatusUnprocessableEntity, http.MethodPost, "/v1/imports", test.body)
			h.same(test.want, h.codes(r))
			if test.message != "" {
				h.same(test.message, h.errors(r)[0].Message)
			}
			if len(h.Imports("acme")) != 0 {
				t.Error("stored all the same")
			}
		})
	}
}

func TestUnknownFields(t *testing.T) {
	const body = `{"name":"n","_connectionId":"` + connHTTP + `","http":{},"future":1}`
	h := newHarness(t)
	doc, _ := h.Import("acme", h.create(body))
	h.same(json.Number("1"), doc["future"])

	must(t, h.SetChoices(func(c *Choices) { c.UnknownFields = UnknownFieldsDrop }))
	doc, _ = h.Import("acme", h.create(body))
	if _, ok := doc["future"]; ok {
		t.Error("kept against the choice")
	}

	must(t, h.SetChoices(func(c *Choices) { c.UnknownFields = UnknownFieldsReject }))
	r := h.expect(http.StatusUnprocessableEntity, http.MethodPost, "/v1/imports", body)
	h.same([]string{"unknown_field future"}, h.codes(r))
	for _, fixture := range Fixtures() { // all that the reference names is known
		doc, err := document.DecodeObject(fixture.Document)
		must(t, err)
		h.same([]ErrorDetail(nil), document.DropUnknown(doc, UnknownFieldsReject))
	}
}

func TestRequireFileBlock(t *testing.T) {
	const body = `{"name":"n","_connectionId":"` + connFTP + `","ftp":{"directoryPath":"/"}}`
	h := newHarness(t)
	h.create(body)
	must(t, h.SetChoices(func(c *Choices) { c.RequireFileBlock = true }))
	r := h.expect(http.StatusUnprocessableEntity, http.MethodPost, "/v1/imports", body)
	h.same([]ErrorDetail{{Code: "missing_required_field", Field: "file", Message: "file subschema not defined"}}, h.errors(r))
}

func TestRefusedValues(t *testing.T) {
	body := func(kind string) string {
		return `{"name":"n","_connectionId":"` + connHTTP + `","adaptorType":"RDBMSImport","rdbms":{"queryType":[` + kind + `]}}`
	}
	h := newHarness(t)
	id := h.create(body(`"LEGACY"`))
	must(t, h.SetChoices(func(c *Choices) { c.RefusedValues = []string{"rdbms.queryType=LEGACY"} }))
	r := h.expect(http.StatusUnprocessableEntity, http.MethodPut, "/v1/imports/"+id, body(`"INSERT","LEGACY"`))
	h.same([]string{"invalid_field rdbms.queryType"}, h.codes(r))
	h.expect(http.StatusOK, http.MethodGet, "/v1/imports/"+id, "")
	h.expect(http.StatusOK, http.MethodPut, "/v1/imports/"+id, body(`"INSERT"`))
}
