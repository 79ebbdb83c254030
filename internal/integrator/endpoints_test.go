// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package integrator_test

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/integrator-operator/integrator-operator/internal/integrator"
	"github.com/integrator-operator/integrator-operator/internal/simulator"
)

// TestEndpoints calls every endpoint of the client, and checks the typed answer and what the server
// recorded.
func TestEndpoints(t *testing.T) {
	tests := map[string]func(*world){
		"GET /v1/tokenInfo":                      testTokenInfo,
		"GET /v1/imports":                        testListImports,
		"POST /v1/imports":                       testCreateImport,
		"GET /v1/imports/{id}":                   testGetImport,
		"PUT /v1/imports/{id}":                   testPutImport,
		"PATCH /v1/imports/{id}":                 testPatchImport,
		"DELETE /v1/imports/{id}":                testDeleteImport,
		"POST /v1/imports/{id}/clone":            testCloneImport,
		"GET /v1/imports/{id}/audit":             testListAudit,
		"POST /v1/imports/{id}/invoke":           testInvoke,
		"PUT /v1/imports/{id}/replaceConnection": testReplaceConnection,
		"GET /v1/imports/{id}/dependencies":      testDependencies,
	}
	if diff := cmp.Diff(integrator.Ops(), slices.Sorted(maps.Keys(tests))); diff != "" {
		t.Errorf("the endpoints of the client and those tested here differ (-client +tested):\n%s", diff)
	}
	for op, test := range tests {
		t.Run(op, func(t *testing.T) {
			w := newWorld(t)
			test(w)
			w.served(op)
		})
	}
}

func testTokenInfo(w *world) {
	got, err := w.TokenInfo(w.Context())
	w.must(err)
	if got.UserID == "" {
		w.Error("no user id")
	}
	w.ledger(request{"GET /v1/tokenInfo", 200, false})

	w.must(w.sim.RevokeToken(account, token))
	_, err = w.TokenInfo(w.Context())
	w.refused(err, 401, integrator.ErrorDetail{})
	w.ledger(request{"GET /v1/tokenInfo", 401, false})
}

func testListImports(w *world) {
	list := func(opts integrator.ListOptions) (docs []integrator.Import) {
		w.Helper()
		for doc, err := range w.ListImports(w.Context(), opts) {
			w.must(err)
			docs = append(docs, doc)
		}
		return docs
	}
	w.must(w.sim.SetChoices(func(c *simulator.Choices) { c.MaxPageSize = 3 }))
	w.same(0, len(list(integrator.ListOptions{})))
	w.ledger(request{"GET /v1/imports?limit=100", 204, false})

	var ids []string
	for range 7 {
		ids = append(ids, w.seed())
	}
	var got []string
	for _, doc := range list(integrator.ListOptions{}) {
		got = append(got, doc.ID)
		w.same("FTPImport", doc.AdaptorType)
		if w.fields(doc.Raw)["ftp"] == nil {
			w.Errorf("not the whole document: %s", doc.Raw)
		}
	}
	w.same(ids, got)
	w.ledger(
		request{"GET /v1/imports?limit=100", 200, false},
		request{"GET /v1/imports?limit=3&skip=3", 200, false},
		request{"GET /v1/imports?limit=3&skip=6", 200, false},
	)

	docs := list(integrator.ListOptions{Include: []string{"lastModified", "file.type"}})
	w.same(7, len(docs))
	for _, doc := range docs {
		w.same("", doc.ExternalID)
		if doc.LastModified == "" || doc.Raw != nil {
			w.Errorf("the import has lastModified %q and the text %q", doc.LastModified, doc.Raw)
		}
	}
	w.ledger(
		request{"GET /v1/imports?include=lastModified,file.type", 200, false},
		request{"GET /v1/imports?include=lastModified%2Cfile.type&limit=3&skip=3", 200, false},
		request{"GET /v1/imports?include=lastModified%2Cfile.type&limit=3&skip=6", 200, false},
	)
}

func testCreateImport(w *world) {
	got, err := w.CreateImport(w.Context(), json.RawMessage(ftpDocument))
	w.must(err)
	w.ledger(request{"POST /v1/imports", 201, true})
	stored := w.fields(got.Raw)
	w.same(integrator.Import{
		ID: stored["_id"].(string), Name: "Upload File to FTP Site", AdaptorType: "FTPImport", ConnectionID: connFTP, ExternalID: "x-1",
		APIIdentifier: stored["apiIdentifier"].(string), CreatedAt: stored["createdAt"].(string), LastModified: stored["lastModified"].(string),
		Raw: got.Raw,
	}, got)
	w.same(any(map[string]any{"big": json.Number("12345678901234567890"), "rate": json.Number("1.50")}), stored["settings"])
	w.same(1, len(w.sim.Imports(account)))

	_, err = w.CreateImport(w.Context(), json.RawMessage(`{"name":"n","_connectionId":"`+connFTP+`","adaptorType":"HTTPImport"}`))
	w.refused(err, 422, integrator.ErrorDetail{Code: "missing_required_field", Field: "http"})
	w.ledger(request{"POST /v1/imports", 422, false})
}

func testGetImport(w *world) {
	id := w.seed()
	got, err := w.GetImport(w.Context(), id)
	w.must(err)
	w.ledger(request{"GET /v1/imports/{id}", 200, false})
	w.same(id, got.ID)
	w.same("Upload File to FTP Site", got.Name)
	stored, _ := w.sim.Import(account, id)
	w.same(stored, w.fields(got.Raw))

	_, err = w.GetImport(w.Context(), noSuchID)
	w.refused(err, 404, integrator.ErrorDetail{Code: "not_found"})
	_, err = w.GetImport(w.Context(), "not-an-object-id")
	w.refused(err, 422, integrator.ErrorDetail{Code: "invalid_field", Field: "_id"})
}

func testPutImport(w *world) {
	id := w.seed()
	before, err := w.GetImport(w.Context(), id)
	w.must(err)
	w.ledger(request{"GET /v1/imports/{id}", 200, false})
	// Outdated read-only fields are ignored, and omitted fields are erased.
	got, err := w.PutImport(w.Context(), id, json.RawMessage(`{"_id":"`+id+`","lastModified":"2017-06-23T17:31:04.446Z",
		"name":"(updated!)","_connectionId":"`+connFTP+`","ftp":{"directoryPath":"/test"},"file":{"type":"csv","lookups":[]}}`))
	w.must(err)
	w.ledger(request{"PUT /v1/imports/{id}", 200, true})
	w.same(id, got.ID)
	w.same("(updated!)", got.Name)
	w.same(before.APIIdentifier, got.APIIdentifier)
	w.same("", got.ExternalID)
	if got.LastModified <= before.LastModified {
		w.Errorf("lastModified went from %s to %s", before.LastModified, got.LastModified)
	}
	fields := w.fields(got.Raw)
	if _, there := fields["file"].(map[string]any)["lookups"]; there || fields["mapping"] != nil {
		w.Errorf("the answer still has lookups or mapping: %s", got.Raw)
	}
	_, err = w.PutImport(w.Context(), noSuchID, json.RawMessage(ftpDocument))
	w.refused(err, 404, integrator.ErrorDetail{Code: "not_found"})
}

func testPatchImport(w *world) {
	id := w.seed()
	until := time.Now().Add(30 * time.Minute).UTC().Format("2006-01-02T15:04:05.000Z")
	w.must(w.PatchImport(w.Context(), id, []integrator.PatchOperation{
		{Op: "replace", Path: "/debugUntil", Value: json.RawMessage(`"` + until + `"`)},
		{Op: "add", Path: "/assistantMetadata", Value: json.RawMessage(`{"n":1.0}`)},
	}))
	w.ledger(request{"PATCH /v1/imports/{id}", 204, true})
	stored, _ := w.sim.Import(account, id)
	w.same(any(until), stored["debugUntil"])
	w.must(w.PatchImport(w.Context(), id, []integrator.PatchOperation{{Op: "remove", Path: "/debugUntil"}}))
	stored, _ = w.sim.Import(account, id)
	if _, there := stored["debugUntil"]; there || stored["assistantMetadata"] == nil {
		w.Errorf("after the removal: %v", stored)
	}
	w.ledger(request{"PATCH /v1/imports/{id}", 204, true})

	err := w.PatchImport(w.Context(), id, []integrator.PatchOperation{{Op: "replace", Path: "/debugUntil", Value: json.RawMessage(`"2126-01-01T00:00:00.000Z"`)}})
	w.refused(err, 422, integrator.ErrorDetail{Code: "invalid_field", Field: "debugUntil"})
	w.ledger(request{"PATCH /v1/imports/{id}", 422, false})
	err = w.PatchImport(w.Context(), id, []integrator.PatchOperation{{Op: "replace", Path: "/name", Value: json.RawMessage(`"x"`)}})
	if !errors.Is(err, integrator.ErrInvalidArgument) {
		w.Errorf("a path that the API does not take: %v", err)
	}
	w.ledger()
}

func testDeleteImport(w *world) {
	id := w.seed()
	w.must(w.sim.AddFlow(account, simulator.Flow{ID: flowID, Name: "Orders", Imports: []string{id}}))
	w.refused(w.DeleteImport(w.Context(), id), w.sim.Choices().DeleteInUseStatus, integrator.ErrorDetail{Code: "resource_in_use"})
	w.ledger(request{"DELETE /v1/imports/{id}", w.sim.Choices().DeleteInUseStatus, false})

	w.must(w.sim.RemoveFlow(account, flowID))
	w.must(w.DeleteImport(w.Context(), id))
	w.ledger(request{"DELETE /v1/imports/{id}", 204, true})
	w.same(0, len(w.sim.Imports(account)))
	w.same(1, len(w.sim.RecycleBin(account)))
	w.refused(w.DeleteImport(w.Context(), id), 404, integrator.ErrorDetail{Code: "not_found"})
}

func testCloneImport(w *world) {
	id := w.seed()
	for _, form := range []string{simulator.CloneAnswerDocument, simulator.CloneAnswerReference, simulator.CloneAnswerBare} {
		w.must(w.sim.SetChoices(func(c *simulator.Choices) { c.CloneAnswer = form }))
		copyID, err := w.CloneImport(w.Context(), id, integrator.CloneRequest{Name: "Copy", ConnectionMap: map[string]string{connFTP: connOther}})
		w.must(err)
		w.ledger(request{"POST /v1/imports/{id}/clone", 201, true})
		stored, ok := w.sim.Import(account, copyID)
		if !ok || copyID == id || stored["name"] != "Copy" || stored["_connectionId"] != connOther || stored["_sourceId"] != id {
			w.Errorf("%s: the copy %q is %v", form, copyID, stored)
		}
	}
	copyID, err := w.CloneImport(w.Context(), id, integrator.CloneRequest{})
	w.must(err)
	stored, _ := w.sim.Import(account, copyID)
	w.same(any("Clone - Upload File to FTP Site"), stored["name"])
	w.ledger(request{"POST /v1/imports/{id}/clone", 201, true})

	_, err = w.CloneImport(w.Context(), id, integrator.CloneRequest{ConnectionMap: map[string]string{connFTP: noSuchID}})
	w.refused(err, 400, integrator.ErrorDetail{Code: "invalid_connectionMap", Field: "connectionMap"})
	w.ledger(request{"POST /v1/imports/{id}/clone", 400, false})
}

func testListAudit(w *world) {
	id := w.seed()
	jane := simulator.User{ID: "j1", Email: "jane@example.com", Name: "Jane Doe"}
	for _, name := range []string{"one", "two", "three", "four"} {
		w.must(w.sim.EditAs(jane, account, id, func(doc simulator.Document) { doc["name"] = name }))
	}
	var got []integrator.AuditEntry
	for entry, err := range w.ListAudit(w.Context(), id) {
		w.must(err)
		if entry.ID == "" || entry.Time == "" {
			w.Errorf("an entry without id or time: %+v", entry)
		}
		got = append(got, entry)
	}
	w.ledger(request{"GET /v1/imports/{id}/audit", 200, false}, request{"GET /v1/imports/{id}/audit?limit=3&skip=3", 200, false})
	w.same(5, len(got))
	newest := got[0]
	w.same(integrator.AuditEntry{
		ID: newest.ID, Source: "ui", Event: "update", Time: newest.Time,
		ByUser:       integrator.AuditUser{ID: "j1", Email: "jane@example.com", Name: "Jane Doe"},
		FieldChanges: []integrator.FieldChange{{FieldPath: "name"}},
	}, newest)
	w.same("create", got[4].Event)

	for _, err := range w.ListAudit(w.Context(), noSuchID) {
		w.refused(err, 404, integrator.ErrorDetail{Code: "not_found"})
	}
}

func testInvoke(w *world) {
	id := w.seed()
	got, err := w.Invoke(w.Context(), id, integrator.InvokeRequest{Data: []json.RawMessage{
		json.RawMessage(`{"sku":"A-1","_simulate":{"id":4711,"json":{"_raw":"done"}}}`),
		json.RawMessage(`{"sku":"A-2","_simulate":{"statusCode":422,"code":"invalid","message":"no such sku","source":"ftp"}}`),
		json.RawMessage(`{"sku":"A-3","_simulate":{"ignored":true}}`),
		json.RawMessage(`{"sku":"A-4","_simulate":{"id":"x-4","dataURI":"https://d.test/4"}}`),
	}})
	w.must(err)
	w.ledger(request{"POST /v1/imports/{id}/invoke", 200, true})
	w.same([]integrator.RecordResult{
		{StatusCode: 200},
		{StatusCode: 422, Errors: []integrator.ErrorDetail{{Code: "invalid", Message: "no such sku", Source: "ftp"}}},
		{StatusCode: 200, Ignored: true},
		{StatusCode: 200},
	}, got.Records)
	for _, part := range []string{`"id":4711`, `{"_raw":"done"}`, `"https://d.test/4"`} { // Raw is the whole answer
		if !strings.Contains(string(got.Raw), part) {
			w.Errorf("the answer lacks %s: %s", part, got.Raw)
		}
	}
	if _, count := w.sim.Written(account, id); count != 2 {
		w.Errorf("%d records reached the destination, want 2", count)
	}

	_, err = w.Invoke(w.Context(), id, integrator.InvokeRequest{
		Data:     []json.RawMessage{json.RawMessage(`{"sku":"A-5"}`)},
		Settings: json.RawMessage(`{"_simulate":{"errors":[{"code":"closed","message":"closed for the day"}]}}`),
	})
	w.refused(err, 200, integrator.ErrorDetail{Code: "closed"})
	w.ledger(request{"POST /v1/imports/{id}/invoke", 200, false})

	_, err = w.Invoke(w.Context(), noSuchID, integrator.InvokeRequest{Data: []json.RawMessage{json.RawMessage(`{}`)}})
	w.refused(err, 404, integrator.ErrorDetail{Code: "not_found"})
	w.ledger(request{"POST /v1/imports/{id}/invoke", 404, false})
}

func testReplaceConnection(w *world) {
	id := w.seed()
	for _, form := range []string{simulator.AnswerEmpty, simulator.AnswerDocument} {
		w.must(w.sim.SetChoices(func(c *simulator.Choices) { c.ReplaceConnectionAnswer = form }))
		for _, connection := range []string{connOther, connFTP} {
			w.must(w.ReplaceConnection(w.Context(), id, connection))
			stored, _ := w.sim.Import(account, id)
			w.same(any(connection), stored["_connectionId"])
			w.ledger(request{"PUT /v1/imports/{id}/replaceConnection", 200, true})
		}
	}
	err := w.ReplaceConnection(w.Context(), id, noSuchID)
	w.refused(err, 422, integrator.ErrorDetail{Code: "invalid_ref", Field: "_newConnectionId"})
	w.ledger(request{"PUT /v1/imports/{id}/replaceConnection", 422, false})
}

func testDependencies(w *world) {
	id := w.seed()
	got, err := w.Dependencies(w.Context(), id)
	w.must(err)
	w.same(0, len(got))
	w.ledger(request{"GET /v1/imports/{id}/dependencies", 200, false})

	w.must(w.sim.AddFlow(account, simulator.Flow{ID: "56f0000000000000000000f2", Name: "Stock", Imports: []string{id}}))
	w.must(w.sim.AddFlow(account, simulator.Flow{ID: flowID, Name: "Orders", Imports: []string{id}}))
	for _, key := range []string{"id", "_id"} {
		w.must(w.sim.SetChoices(func(c *simulator.Choices) { c.DependencyIDKey, c.DependenciesListConnection = key, true }))
		got, err = w.Dependencies(w.Context(), id)
		w.must(err)
		w.same([]integrator.Dependency{
			{Kind: "connections", ID: connFTP, Name: "FTP"},
			{Kind: "flows", ID: flowID, Name: "Orders"},
			{Kind: "flows", ID: "56f0000000000000000000f2", Name: "Stock"},
		}, got)
	}
	_, err = w.Dependencies(w.Context(), noSuchID)
	w.refused(err, 404, integrator.ErrorDetail{Code: "not_found"})
}
