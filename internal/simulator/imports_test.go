// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/integrator-operator/integrator-operator/internal/simulator/document"
)

func TestCreate(t *testing.T) {
	h := newHarness(t)
	body := `{"_id":"` + noSuchID + `","createdAt":"2001-01-01T00:00:00.000Z","apiIdentifier":"i000000000","debugUntil":"2001-01-01T00:00:00.000Z",` +
		`"_connectorId":"` + noSuchID + `","_sourceId":"` + noSuchID + `",` + ftpImport[1:]
	doc := h.doc(h.expect(http.StatusCreated, http.MethodPost, "/v1/imports", body))
	for key, pattern := range map[string]string{
		"_id": `^[0-9a-f]{24}$`, "apiIdentifier": `^i[0-9a-f]{9}$`, "createdAt": `^2026-03-01T12:00:00\.000Z$`, "lastModified": `^2026-03-01T12:00:00\.000Z$`,
		"lastModifiedBy": "^" + userID("robot@acme.example.com") + "$", "externalId": "^x-1$",
	} {
		if !regexp.MustCompile(pattern).MatchString(document.Text(doc, key)) || document.Text(doc, key) == noSuchID || document.Text(doc, key) == "i000000000" {
			t.Errorf("%s is %q", key, doc[key])
		}
	}
	for _, key := range []string{"debugUntil", "_connectorId", "_sourceId"} {
		if _, ok := doc[key]; ok {
			t.Errorf("%s was taken from the body", key)
		}
	}
	// Names and external ids are not unique, and time never stands still.
	second := h.doc(h.expect(http.StatusCreated, http.MethodPost, "/v1/imports", body))
	h.same("2026-03-01T12:00:00.001Z", second["createdAt"])
	if doc["_id"] == second["_id"] || doc["apiIdentifier"] == second["apiIdentifier"] {
		t.Error("two imports, one id")
	}
}

func TestGetIgnoresProjection(t *testing.T) {
	h := newHarness(t)
	path := "/v1/imports/" + h.create(ftpImport)
	h.same(h.expect(200, http.MethodGet, path, "").body, h.expect(200, http.MethodGet, path+"?include=name&exclude=ftp", "").body)
}

func TestPutReplacesAll(t *testing.T) {
	h := newHarness(t)
	id := h.create(`{"name":"n","description":"d","externalId":"e","oneToMany":true,"_connectionId":"` + connFTP + `","ftp":{"directoryPath":"/a","fileName":"f"},` +
		`"file":{"type":"csv","csv":{"includeHeader":false}},"assistantMetadata":{"a":1}}`)
	before, _ := h.Import("acme", id)
	h.clock.Step(time.Minute)
	body := `{"_id":"` + noSuchID + `","lastModified":"2017-06-23T17:31:04.446Z","createdAt":"2017-06-23T17:31:04.446Z","apiIdentifier":"i1","name":"m","_connectionId":"` + connFTP + `","ftp":{"directoryPath":"/b"},"file":{"type":"csv","lookups":[]}}`
	got := h.doc(h.expect(http.StatusOK, http.MethodPut, "/v1/imports/"+id, body))
	h.same(Document{
		"_id": id, "createdAt": before["createdAt"], "apiIdentifier": before["apiIdentifier"], "lastModifiedBy": before["lastModifiedBy"],
		"lastModified": "2026-03-01T12:01:00.000Z",
		"adaptorType":  "FTPImport", "name": "m", "_connectionId": connFTP, "oneToMany": false, "ftp": Document{"directoryPath": "/b"},
		"file": Document{
			"type": "csv", "encoding": "utf8", "skipAggregation": false, "delete": false, "encrypt": false, "purgeInternalBackup": false,
			"csv": Document{
				"rowDelimiter": "\n", "columnDelimiter": ",", "includeHeader": true, "wrapWithQuotes": false, "replaceTabWithSpace": false,
				"replaceNewlineWithSpace": false, "truncateLastRowDelimiter": false,
			},
		},
	}, got)
	stored, _ := h.Import("acme", id)
	h.same(stored, got)
}

// TestTextsAreKept: texts that are no Unicode are answered as they were sent, also after a restart.
func TestTextsAreKept(t *testing.T) {
	state := filepath.Join(t.TempDir(), "state.json")
	h := newHarness(t)
	if _, err := h.KeepState(state); err != nil {
		t.Fatal(err)
	}
	sent := `"assistantMetadata":{"a":"\\ud83d"},"settings":{"a":["` + "\xff\xed\xa0\xbd" + `","\ud83d\ude00\ufdd0` + "\uFDD1" + `","\\ud83d\\\ud83d\ud83d"]},`
	id := h.create(`{` + sent + ftpImport[1:])
	h.expect(http.StatusOK, http.MethodPut, "/v1/imports/"+id, `{`+sent+ftpImport[1:])
	h.expect(http.StatusNoContent, http.MethodPatch, "/v1/imports/"+id, `[{"op":"add","path":"/assistantMetadata","value":{"\ude00":"\ud83d"}}]`)
	again := newHarness(t)
	if loaded, err := again.KeepState(state); err != nil || !loaded {
		t.Fatal(loaded, err)
	}
	for _, h := range []*harness{h, again} {
		body := h.expect(http.StatusOK, http.MethodGet, "/v1/imports/"+id, "").body
		for _, want := range []string{`"assistantMetadata":{"\ude00":"\ud83d"}`, `"settings":{"a":["` + "\xff\xed\xa0\xbd" + `","😀\ufdd0\ufdd1","\\ud83d\\\ud83d\ud83d"]}`} {
			if !strings.Contains(body, want) {
				t.Errorf("%s is not in %s", want, body)
			}
		}
	}
}

func TestPutRefusals(t *testing.T) {
	h := newHarness(t)
	id := h.create(ftpImport)
	before, _ := h.Import("acme", id)
	for _, test := range []struct {
		name, body string
		want       []string
	}{
		{"another kind, declared", `{"name":"n","adaptorType":"HTTPImport","_connectionId":"` + connFTP + `","http":{}}`, []string{"update_not_allowed adaptorType"}},
		{"another kind, inferred", httpImport, []string{"update_not_allowed adaptorType"}},
		{"block erased", `{"name":"n","_connectionId":"` + connFTP + `"}`, []string{"missing_required_field ftp"}},
		{"name and connection erased", `{"ftp":{"directoryPath":"/"}}`, []string{"missing_required_field name", "missing_required_field _connectionId"}},
		{"connection of nobody", `{"name":"n","_connectionId":"` + connAbsent + `","ftp":{"directoryPath":"/"}}`, []string{"invalid_ref _connectionId"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			h := h.in(t)
			h.same(test.want, h.codes(h.expect(http.StatusUnprocessableEntity, http.MethodPut, "/v1/imports/"+id, test.body)))
			after, _ := h.Import("acme", id)
			h.same(before, after)
		})
	}
	as2 := h.create(`{"name":"n","adaptorType":"AS2Import","_connectionId":"` + connFTP + `","as2":{"fileNameTemplate":"f"}}`)
	h.expect(http.StatusOK, http.MethodPut, "/v1/imports/"+as2, `{"name":"n","_connectionId":"`+connFTP+`","as2":{"fileNameTemplate":"f"}}`)
}

func TestUnchangedPut(t *testing.T) {
	h := newHarness(t)
	id := h.create(ftpImport)
	before, _ := h.Import("acme", id)
	after := h.doc(h.expect(http.StatusOK, http.MethodPut, "/v1/imports/"+id, ftpImport))
	if after["lastModified"] == before["lastModified"] {
		t.Error("lastModified stands still")
	}
	must(t, h.SetChoices(func(c *Choices) { c.UnchangedPutTouchesLastModified = false }))
	again := h.doc(h.expect(http.StatusOK, http.MethodPut, "/v1/imports/"+id, ftpImport))
	h.same(after, again)
	if n := len(h.Audit("acme", id)); n != 1 {
		t.Errorf("%d audit entries, want that of the creation", n)
	}
}

func TestAssistantMetadataOnPut(t *testing.T) {
	for choice, want := range map[string]any{
		AssistantMetadataReplace: Document{"v": json.Number("2")}, AssistantMetadataIgnore: Document{"v": json.Number("1")}, AssistantMetadataErase: nil,
	} {
		t.Run(choice, func(t *testing.T) {
			h := newHarness(t)
			must(t, h.SetChoices(func(c *Choices) { c.AssistantMetadataOnPut = choice }))
			id := h.create(`{"assistantMetadata":{"v":1},` + ftpImport[1:])
			got := h.doc(h.expect(http.StatusOK, http.MethodPut, "/v1/imports/"+id, `{"assistantMetadata":{"v":2},`+ftpImport[1:]))
			h.same(want, got["assistantMetadata"])
		})
	}
}

func TestSecretsAreMasked(t *testing.T) {
	h := newHarness(t)
	wrapper := `{"name":"w","_connectionId":"` + connHTTP + `","wrapper":{"function":"f"},"encrypted":`
	created := h.doc(h.expect(http.StatusCreated, http.MethodPost, "/v1/imports", wrapper+`{"key":"hunter2","more":["s"]}}`))
	id := document.Text(created, "_id")
	h.same(Document{"key": document.Mask, "more": []any{document.Mask}}, created["encrypted"])

	h.expect(http.StatusOK, http.MethodPut, "/v1/imports/"+id, wrapper+`{"key":"******","more":["t"]}}`)
	stored, _ := h.Import("acme", id)
	h.same(Document{"key": "hunter2", "more": []any{"t"}}, stored["encrypted"])
	for _, entry := range h.Audit("acme", id) {
		for _, change := range entry.FieldChanges {
			h.same(FieldChange{FieldPath: "encrypted", OldValue: document.Mask, NewValue: document.Mask}, change)
		}
	}
	must(t, h.SetChoices(func(c *Choices) { c.MaskedSecretKept = false }))
	h.expect(http.StatusOK, http.MethodPut, "/v1/imports/"+id, wrapper+`{"key":"******"}}`)
	stored, _ = h.Import("acme", id)
	h.same(Document{"key": document.Mask}, stored["encrypted"])
	h.expect(http.StatusOK, http.MethodPut, "/v1/imports/"+id, wrapper+`null}`)
}

func TestDeleteAndRestore(t *testing.T) {
	h := newHarness(t)
	id := h.create(ftpImport)
	h.create(httpImport)
	before, _ := h.Import("acme", id)
	flow := Flow{ID: "5f0000000000000000000001", Name: "Nightly upload", Imports: []string{id}}
	must(t, h.AddFlow("acme", flow))

	r := h.expect(http.StatusUnprocessableEntity, http.MethodDelete, "/v1/imports/"+id, "")
	h.same([]ErrorDetail{{Code: "resource_in_use", Message: "the import is used by: Nightly upload"}}, h.errors(r))
	must(t, h.SetChoices(func(c *Choices) { c.DeleteInUseStatus = http.StatusConflict }))
	h.expect(http.StatusConflict, http.MethodDelete, "/v1/imports/"+id, "")
	if err := h.DeleteAs(User{Email: "jane@example.com"}, "acme", id); err == nil {
		t.Error("the UI deletes what a flow uses")
	}

	must(t, h.RemoveFlow("acme", flow.ID))
	deleted := h.expect(http.StatusNoContent, http.MethodDelete, "/v1/imports/"+id, "", "Content-Type", "")
	h.same("", deleted.body)
	h.expect(http.StatusNotFound, http.MethodGet, "/v1/imports/"+id, "")
	h.expect(http.StatusNotFound, http.MethodDelete, "/v1/imports/"+id, "")
	h.same([]Document{before}, h.RecycleBin("acme"))

	must(t, h.Restore("acme", id))
	after := h.doc(h.expect(http.StatusOK, http.MethodGet, "/v1/imports/"+id, ""))
	h.same(before, after)
	h.same(id, h.docs(h.expect(http.StatusOK, http.MethodGet, "/v1/imports", ""))[0]["_id"])
	if err := h.Restore("acme", id); err == nil {
		t.Error("restored twice")
	}
}

func TestDependencies(t *testing.T) {
	h := newHarness(t)
	id := h.create(ftpImport)
	path := "/v1/imports/" + id + "/dependencies"
	h.same("{}", h.expect(http.StatusOK, http.MethodGet, path, "").body)
	for i := range 2 {
		must(t, h.AddFlow("acme", Flow{ID: fmt.Sprintf("5f000000000000000000000%d", i), Name: fmt.Sprintf("flow %d", i), Imports: []string{id}}))
	}
	h.same(`{"flows":[{"id":"5f0000000000000000000000","name":"flow 0"},{"id":"5f0000000000000000000001","name":"flow 1"}]}`,
		h.expect(http.StatusOK, http.MethodGet, path, "").body)
	must(t, h.SetChoices(func(c *Choices) { c.DependencyIDKey, c.DependenciesListConnection = "_id", true }))
	must(t, h.RemoveFlow("acme", "5f0000000000000000000001"))
	h.same(`{"connections":[{"_id":"`+connFTP+`","name":"FTP"}],"flows":[{"_id":"5f0000000000000000000000","name":"flow 0"}]}`,
		h.expect(http.StatusOK, http.MethodGet, path, "").body)
}

func TestReplaceConnection(t *testing.T) {
	h := newHarness(t)
	id := h.create(ftpImport)
	before, _ := h.Import("acme", id)
	path := "/v1/imports/" + id + "/replaceConnection"
	for body, want := range map[string]string{
		`{}`:                       "missing_required_field _newConnectionId",
		`{"_newConnectionId":"x"}`: "invalid_field _newConnectionId",
		`{"_newConnectionId":5}`:   "invalid_field _newConnectionId",
		`{"_newConnectionId":"` + noSuchID + `"}`: "invalid_ref _newConnectionId",
	} {
		h.same([]string{want}, h.codes(h.expect(http.StatusUnprocessableEntity, http.MethodPut, path, body)))
	}
	body := `{"_newConnectionId":"` + connHTTP + `"}`
	h.same("", h.expect(http.StatusOK, http.MethodPut, path, body).body)
	after, _ := h.Import("acme", id)
	h.same([]FieldChange{{FieldPath: "_connectionId", OldValue: connFTP, NewValue: connHTTP}}, document.Compare(before, after))
	must(t, h.SetChoices(func(c *Choices) { c.ReplaceConnectionAnswer = AnswerDocument }))
	h.same(connHTTP, h.doc(h.expect(http.StatusOK, http.MethodPut, path, body))["_connectionId"])

	agent := h.create(`{"name":"a","aiAgent":{}}`)
	h.same([]string{"update_not_allowed _newConnectionId"},
		h.codes(h.expect(http.StatusUnprocessableEntity, http.MethodPut, "/v1/imports/"+agent+"/replaceConnection", body)))
}
