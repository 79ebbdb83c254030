// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/integrator-operator/integrator-operator/internal/simulator/document"
	"github.com/integrator-operator/integrator-operator/internal/simulator/wire"
)

// volatile fields differ with every run.
var volatile = []string{"_id", "createdAt", "lastModified", "lastModifiedBy", "apiIdentifier"}

// flags that the server adds.
var (
	echoed      = any("(echo)")
	ignoreFlags = map[string]any{"oneToMany": false, "ignoreExisting": false, "ignoreMissing": false}
	pgpFlags    = map[string]any{"file.encrypt": false, "file.purgeInternalBackup": false}
	fileFlags   = with(pgpFlags, map[string]any{"oneToMany": false, "file.skipAggregation": false, "file.encoding": "utf8", "file.delete": false})
)

func with(base, more map[string]any) map[string]any {
	out := map[string]any{}
	for _, m := range []map[string]any{base, more} {
		for k, v := range m {
			out[k] = v
		}
	}
	return out
}

// TestNormalisation creates every fixture and compares what the API made of it:
// nil stands for a field that was dropped.
func TestNormalisation(t *testing.T) {
	want := map[string]map[string]any{
		"HTTPImport": {
			"ignoreExisting": false, "ignoreMissing": false, "http.sendPostMappedData": true,
			"http.requestMediaType": "json", "http.lookups": echoed, "filter.expression": echoed, "mappings": echoed,
		},
		"HTTPImport-file": with(ignoreFlags, map[string]any{
			"adaptorType": "HTTPImport", "http.sendPostMappedData": true, "file.encrypt": false, "file.purgeInternalBackup": false,
			"file.skipAggregation": false, "file.encoding": "utf8", "file.delete": false, "file.lookups": nil,
		}),
		"RESTImport": with(ignoreFlags, map[string]any{"http": echoed, "mapping.lists": nil}),
		"FTPImport": {
			"file.encrypt": false, "file.purgeInternalBackup": false,
			"adaptorType": "FTPImport", "oneToMany": false, "file.encoding": "utf8", "file.delete": false, "file.lookups": nil, "file.type": "csv",
			"file.csv.wrapWithQuotes": false, "file.csv.replaceTabWithSpace": false,
			"file.csv.replaceNewlineWithSpace": false, "file.csv.truncateLastRowDelimiter": false,
		},
		"S3Import":  with(fileFlags, map[string]any{"s3.region": "us-east-1"}),
		"AS2Import": with(fileFlags, map[string]any{"as2.maxRetries": json.Number("0")}),
		"FileSystemImport": with(pgpFlags, map[string]any{
			"adaptorType": "FileSystemImport", "oneToMany": false, "file.skipAggregation": false, "file.encoding": "utf8",
		}),
		"NetSuiteDistributedImport": with(ignoreFlags, map[string]any{
			"distributed": true, "netsuite_da.operation": "addupdate", "lookups": echoed, "netsuite_da.lookups": echoed,
		}),
		"NetSuiteImport": {
			"adaptorType": "NetSuiteImport", "oneToMany": false, "ignoreExisting": false, "netsuite.operation": "update",
		},
		"SalesforceImport": with(ignoreFlags, map[string]any{
			"salesforce.operation": "upsert", "salesforce.api": "soap", "mapping.lists": nil,
		}),
		"RDBMSImport":    with(ignoreFlags, map[string]any{"adaptorType": "RDBMSImport"}),
		"JDBCImport":     {"oneToMany": false},
		"MongodbImport":  {"oneToMany": false},
		"DynamodbImport": {"adaptorType": "DynamodbImport", "oneToMany": false},
		"WrapperImport":  {"oneToMany": false, "encrypted.apiKey": document.Mask, "parsers": nil},
		"AiAgentImport": {
			"oneToMany": false, "aiAgent.openai.maxOutputTokens": json.Number("5000"), "aiAgent.openai.serviceTier": "default",
		},
		"GuardrailImport": {"oneToMany": false},
		"ToolImport":      {"oneToMany": false},

		"HTTPImport-rich": {
			"http.requestMediaType": "json", "http.successMediaType": "xml", "http.errorMediaType": "plaintext",
			"lookups": echoed, "mapping.lists": nil, "filter.rules": nil, "http.body": echoed,
		},
		"HTTPImport-expression": ignoreFlags,
		"RESTImport-rich": {
			"rest.requestMediaType": "json", "http": echoed, "lookups": echoed, "ignoreMissing": false, "oneToMany": false,
		},
		"RESTImport-http": with(ignoreFlags, map[string]any{"http.requestMediaType": "json", "rest": echoed}),
		"FTPImport-json": with(pgpFlags, map[string]any{
			"file.type": "json", "file.compressionFormat": "gzip", "file.pgp.symmetricKeyAlgorithm": "aes256", "lookups": echoed, "oneToMany": false,
		}),
		"FTPImport-csv": {
			"file.encrypt": false, "file.purgeInternalBackup": false,
			"file.type": "csv", "file.skipAggregation": false, "file.encoding": "utf8", "file.delete": false, "file.lookups": nil,
		},
		"FTPImport-blob": {"oneToMany": false},
		"S3Import-rich": {
			"file.encrypt": false, "file.purgeInternalBackup": false,
			"file.type": "xlsx", "file.skipAggregation": false, "file.delete": false, "file.lookups": nil, "oneToMany": false,
		},
		"AS2Import-rich":                 with(fileFlags, map[string]any{"file.type": "filedefinition", "lookups": echoed}),
		"FileSystemImport-rich":          with(pgpFlags, map[string]any{"file.type": "xml", "file.encoding": "utf8", "oneToMany": false}),
		"NetSuiteDistributedImport-rich": {"netsuite_da.operation": "addupdate", "lookups": echoed, "netsuite_da.lookups": echoed, "ignoreMissing": false, "oneToMany": false},
		"NetSuiteImport-rich":            with(ignoreFlags, map[string]any{"netsuite.operation": "add", "netsuite.lookups": echoed}),
		"SalesforceImport-rich": with(ignoreFlags, map[string]any{
			"salesforce.operation": "addupdate", "salesforce.api": "compositerecord", "lookups": echoed,
		}),
		"RDBMSImport-bulk":      with(ignoreFlags, map[string]any{"rdbms.bulkInsert.batchSize": "500", "lookups": echoed}),
		"RDBMSImport-text":      ignoreFlags,
		"JDBCImport-query":      {"oneToMany": false},
		"MongodbImport-insert":  {"oneToMany": false},
		"DynamodbImport-update": {"oneToMany": false},
		"WrapperImport-rich":    {"oneToMany": false, "lookups": echoed},
		"AiAgentImport-rich":    {"oneToMany": false, "aiAgent.litellm.maxCompletionTokens": json.Number("1000")},
		"GuardrailImport-rich":  {"oneToMany": false},
		"ToolImport-rich":       {"oneToMany": false},
	}

	h := newHarness(t)
	for _, c := range FixtureConnections() {
		must(t, h.AddConnection("acme", c))
	}
	seen := map[string]bool{}
	for _, fixture := range Fixtures() {
		t.Run(fixture.Name, func(t *testing.T) {
			h := h.in(t)
			seen[fixture.AdaptorType] = true
			sent, err := document.DecodeObject(fixture.Document)
			must(t, err)
			stored := h.doc(h.expect(http.StatusCreated, http.MethodPost, "/v1/imports", string(fixture.Document)))
			id := document.Text(stored, "_id")
			h.same(fixture.AdaptorType, stored["adaptorType"])
			h.same(stored, h.doc(h.expect(http.StatusOK, http.MethodGet, "/v1/imports/"+id, "")))
			bare := document.Copy(stored)
			for _, key := range volatile {
				if document.Text(bare, key) == "" {
					t.Errorf("%s is missing", key)
				}
				delete(bare, key)
			}
			got := map[string]any{}
			for _, change := range document.Compare(sent, bare) {
				got[change.FieldPath] = change.NewValue
				if want[fixture.Name][change.FieldPath] == echoed {
					got[change.FieldPath] = echoed
				}
			}
			h.same(want[fixture.Name], got)

			// What was read can be sent back, and nothing changes but the date: rules that are there twice
			// are then there once.
			body, err := wire.Encode(stored)
			must(t, err)
			again := h.doc(h.expect(http.StatusOK, http.MethodPut, "/v1/imports/"+id, string(body)))
			if fixture.Name == "HTTPImport" {
				delete(document.Object(stored, "filter"), "rules")
			}
			h.same(0, len(document.Compare(stored, again)))
		})
	}
	for _, adaptorType := range document.AdaptorTypes() {
		if !seen[adaptorType] {
			t.Errorf("no fixture of %s", adaptorType)
		}
	}
}

func TestEchoes(t *testing.T) {
	h := newHarness(t)
	id := h.create(`{"name":"n","_connectionId":"` + connHTTP + `","http":{"lookups":[{"name":"a"}]},"filter":{"rules":["x",1.50]}}`)
	doc, _ := h.Import("acme", id)
	h.same([]any{Document{"name": "a"}}, doc["lookups"])
	h.same(Document{
		"type": "expression", "rules": []any{"x", json.Number("1.50")},
		"expression": Document{"version": "1", "rules": []any{"x", json.Number("1.50")}},
	}, doc["filter"])

	rest := h.create(`{"name":"r","_connectionId":"` + connHTTP + `","rest":{"method":["POST"]},"http":{"method":["GET"]}}`)
	doc, _ = h.Import("acme", rest)
	h.same("RESTImport", doc["adaptorType"])
	h.same(Document{"method": []any{"POST"}, "formType": "rest", "sendPostMappedData": true}, doc["http"])

	must(t, h.SetChoices(func(c *Choices) { c.EchoLookups, c.EchoRESTAsHTTP, c.DroppedEmptyArrays = false, false, nil }))
	id = h.create(`{"name":"n","_connectionId":"` + connHTTP + `","http":{"lookups":[{"name":"a"}]},"file":{"lookups":[]}}`)
	doc, _ = h.Import("acme", id)
	if _, ok := doc["lookups"]; ok {
		t.Error("lookups echoed against the choice")
	}
	h.same([]any{}, document.Object(doc, "file")["lookups"])
	rest = h.create(`{"name":"r","_connectionId":"` + connHTTP + `","rest":{"method":["POST"]}}`)
	doc, _ = h.Import("acme", rest)
	if _, ok := doc["http"]; ok {
		t.Error("rest echoed against the choice")
	}
}

// TestNothingIsLost: explicit empty values, unknown fields and every digit come
// back; csv defaults do not override given values.
func TestNothingIsLost(t *testing.T) {
	h := newHarness(t)
	body := `{"name":"ünï <&> \"q\"","_connectionId":"` + connFTP + `","adaptorType":"FTPImport","oneToMany":false,` +
		`"description":"","settings":{"big":12345678901234567890,"dec":0.10,"exp":1E+2,"none":null,"list":[],"map":{}},` +
		`"_futureField":{"deep":[1,null,false]},"maxAttempts":0,"ftp":{"directoryPath":"/x","fileName":null},` +
		`"file":{"type":"csv","encoding":"","encrypt":true,"purgeInternalBackup":null,"skipAggregation":true,"delete":true,"csv":{"rowDelimiter":"","columnDelimiter":"|",` +
		`"includeHeader":false,"wrapWithQuotes":true,"replaceTabWithSpace":true,"replaceNewlineWithSpace":true,"truncateLastRowDelimiter":true}}}`
	sent, err := document.DecodeObject([]byte(body))
	must(t, err)
	got := h.doc(h.expect(http.StatusCreated, http.MethodPost, "/v1/imports", body))
	for _, key := range volatile {
		delete(got, key)
	}
	h.same(sent, got)
}

func TestFixturesAreValidSeeds(t *testing.T) {
	sim := New(Options{})
	must(t, sim.AddAccount(AccountSpec{Name: "a", Connections: FixtureConnections()}))
	for _, fixture := range Fixtures() {
		if _, err := sim.SeedImport("a", fixture.Document); err != nil {
			t.Error(err)
		}
	}
}
