// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/integrator-operator/integrator-operator/internal/simulator/document"
)

// audit reads the whole log through the API.
func (h *harness) audit(path string) []AuditEntry {
	h.Helper()
	var entries []AuditEntry
	for _, page := range h.pages(path) {
		data, err := json.Marshal(page)
		must(h.T, err)
		var part []AuditEntry
		must(h.T, document.DecodeState(data, &part))
		entries = append(entries, part...)
	}
	return entries
}

func TestAudit(t *testing.T) {
	h := newHarness(t)
	id := h.create(ftpImport)
	path := "/v1/imports/" + id
	jane := User{ID: userID("jane@example.com"), Email: "jane@example.com", Name: "Jane Doe"}
	robot := User{ID: userID("robot@acme.example.com"), Email: "robot@acme.example.com", Name: "Robot"}

	h.expect(http.StatusOK, http.MethodPut, path,
		`{"name":"Upload 2","_connectionId":"`+connFTP+`","ftp":{"directoryPath":"/prod","fileName":"f"},"file":{"type":"csv"},"mapping":{"fields":[{"extract":"a"}]}}`,
		UserHeader, "ui; Jane Doe <jane@example.com>")
	stored, _ := h.Import("acme", id)
	h.same(jane.ID, stored["lastModifiedBy"])
	must(t, h.EditAs(User{Email: "joe@example.com", Name: "Joe"}, "acme", id, func(doc Document) {
		document.Object(doc, "ftp")["directoryPath"] = "/joe"
		doc["maxAttempts"] = 5
	}))
	h.expect(http.StatusOK, http.MethodPut, path+"/replaceConnection", `{"_newConnectionId":"`+connHTTP+`"}`)
	h.expect(http.StatusNoContent, http.MethodPatch, path, `[{"op":"add","path":"/assistantMetadata","value":{"a":1}}]`)

	got := h.audit(path + "/audit")
	for i := range got {
		if !document.IsID(got[i].ID) || got[i].Time == "" || got[i].ResourceID != id || got[i].ResourceType != "import" {
			t.Errorf("entry %d: %+v", i, got[i])
		}
		got[i].ID, got[i].Time, got[i].ResourceID, got[i].ResourceType = "", "", "", ""
	}
	h.same([]AuditEntry{
		{Source: "api", Event: "update", ByUser: robot, FieldChanges: []FieldChange{{FieldPath: "assistantMetadata", NewValue: Document{"a": json.Number("1")}}}},
		{Source: "api", Event: "update", ByUser: robot, FieldChanges: []FieldChange{{FieldPath: "_connectionId", OldValue: connFTP, NewValue: connHTTP}}},
		{Source: "ui", Event: "update", ByUser: User{ID: userID("joe@example.com"), Email: "joe@example.com", Name: "Joe"}, FieldChanges: []FieldChange{
			{FieldPath: "ftp.directoryPath", OldValue: "/prod", NewValue: "/joe"}, {FieldPath: "maxAttempts", NewValue: json.Number("5")},
		}},
		{Source: "ui", Event: "update", ByUser: jane, FieldChanges: []FieldChange{
			{FieldPath: "externalId", OldValue: "x-1"},
			{FieldPath: "ftp.directoryPath", OldValue: "/test", NewValue: "/prod"},
			{FieldPath: "ftp.fileName", NewValue: "f"},
			{FieldPath: "mapping", NewValue: Document{"fields": []any{Document{"extract": "a"}}}},
			{FieldPath: "name", OldValue: "Upload", NewValue: "Upload 2"},
		}},
		{Source: "api", Event: "create", ByUser: robot},
	}, got)

	must(t, h.SetChoices(func(c *Choices) { c.AuditOrder = OldestFirst }))
	h.same("create", h.audit(path + "/audit?limit=1")[0].Event)
	h.expect(http.StatusNoContent, http.MethodGet, path+"/audit?skip=5", "")
	h.expect(http.StatusBadRequest, http.MethodGet, path+"/audit?limit=x", "")

	must(t, h.DeleteAs(jane, "acme", id))
	entries := h.audit(path + "/audit")
	h.same("delete", entries[len(entries)-1].Event)
	h.same(jane, entries[len(entries)-1].ByUser)
	must(t, h.SetChoices(func(c *Choices) { c.AuditAfterDelete = false }))
	h.expect(http.StatusNotFound, http.MethodGet, path+"/audit", "")
	must(t, h.Restore("acme", id))
	last := h.Audit("acme", id)
	h.same("restore", last[len(last)-1].Event)
}

func TestEditAsRefusals(t *testing.T) {
	h := newHarness(t)
	id := h.create(ftpImport)
	before, _ := h.Import("acme", id)
	jane := User{Email: "jane@example.com"}
	for name, err := range map[string]error{
		"invalid":    h.EditAs(jane, "acme", id, func(doc Document) { delete(doc, "name"); document.Object(doc, "ftp")["directoryPath"] = "x" }),
		"no import":  h.EditAs(jane, "acme", noSuchID, func(Document) {}),
		"no account": h.EditAs(jane, "nobody", id, func(Document) {}),
		"no JSON":    h.EditAs(jane, "acme", id, func(doc Document) { doc["settings"] = func() {} }),
	} {
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	after, _ := h.Import("acme", id)
	h.same(before, after)
}

func TestAuditIsBounded(t *testing.T) {
	h := newHarness(t)
	id := h.create(ftpImport)
	for i := range auditLimit {
		must(t, h.EditAs(User{Email: "jane@example.com"}, "acme", id, func(doc Document) { doc["maxAttempts"] = i }))
	}
	entries := h.Audit("acme", id)
	h.same(auditLimit, len(entries))
	h.same("update", entries[0].Event)
}
