// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"net/http"
	"strings"
	"testing"

	"github.com/integrator-operator/integrator-operator/internal/simulator/document"
)

func TestClone(t *testing.T) {
	h := newHarness(t)
	id := h.create(`{"encrypted":{"k":"s"},` + ftpImport[1:])
	h.expect(http.StatusNoContent, http.MethodPatch, "/v1/imports/"+id, `[{"op":"add","path":"/debugUntil","value":"2026-03-01T12:10:00Z"}]`)
	source, _ := h.Import("acme", id)
	path := "/v1/imports/" + id + "/clone"

	clone := h.doc(h.expect(http.StatusCreated, http.MethodPost, path, `{"externalId":"mine","description":"mine"}`))
	var differs []string
	for _, change := range document.Compare(source, clone) {
		differs = append(differs, change.FieldPath)
	}
	h.same([]string{"_id", "_sourceId", "apiIdentifier", "createdAt", "debugUntil", "encrypted", "name"}, differs)
	h.same("Clone - Upload", clone["name"])
	h.same(id, clone["_sourceId"])
	h.same("x-1", clone["externalId"])

	renamed := h.doc(h.expect(http.StatusCreated, http.MethodPost, path, `{"name":"Copy","connectionMap":{"`+connFTP+`":"`+connHTTP+`"}}`))
	h.same("Copy", renamed["name"])
	h.same(connHTTP, renamed["_connectionId"])
	unmapped := h.doc(h.expect(http.StatusCreated, http.MethodPost, path, `{"connectionMap":{"`+connHTTP+`":"`+connFTP+`"}}`))
	h.same(connFTP, unmapped["_connectionId"])

	must(t, h.SetChoices(func(c *Choices) { c.CloneKeepsExternalID = false }))
	bare := h.doc(h.expect(http.StatusCreated, http.MethodPost, path, `{}`))
	if _, ok := bare["externalId"]; ok {
		t.Error("externalId kept against the choice")
	}
	h.same(1, len(h.Audit("acme", document.Text(bare, "_id"))))
}

func TestCloneAnswers(t *testing.T) {
	h := newHarness(t)
	id := h.create(ftpImport)
	for choice, want := range map[string]string{
		CloneAnswerReference: `[{"_id":"ID","model":"Import","name":"Clone - Upload"}]`,
		CloneAnswerBare:      `[{"_id":"ID","model":"Import"}]`,
	} {
		must(t, h.SetChoices(func(c *Choices) { c.CloneAnswer = choice }))
		r := h.expect(http.StatusCreated, http.MethodPost, "/v1/imports/"+id+"/clone", `{}`)
		all := h.Imports("acme")
		h.same(strings.Replace(want, "ID", document.Text(all[len(all)-1], "_id"), 1), r.body)
	}
}

func TestCloneRefusals(t *testing.T) {
	h := newHarness(t)
	id := h.create(ftpImport)
	for _, test := range []struct {
		name, body string
		status     int
		want       string
	}{
		{"map of no object", `{"connectionMap":[]}`, 400, "invalid_connectionMap connectionMap"},
		{"malformed old id", `{"connectionMap":{"x":"` + connHTTP + `"}}`, 400, "invalid_connectionMap connectionMap"},
		{"malformed new id", `{"connectionMap":{"` + connFTP + `":"x"}}`, 400, "invalid_connectionMap connectionMap"},
		{"new id of no text", `{"connectionMap":{"` + connFTP + `":1}}`, 400, "invalid_connectionMap connectionMap"},
		{"connection of nobody", `{"connectionMap":{"` + connFTP + `":"` + connAbsent + `"}}`, 400, "invalid_connectionMap connectionMap"},
		{"name of no text", `{"name":1}`, 422, "invalid_field name"},
		{"no object", `[]`, 400, "invalid_json"},
	} {
		t.Run(test.name, func(t *testing.T) {
			h := h.in(t)
			h.same([]string{test.want}, h.codes(h.expect(test.status, http.MethodPost, "/v1/imports/"+id+"/clone", test.body)))
			h.same(1, len(h.Imports("acme")))
		})
	}
	// The connection may have been deleted before the copy is made.
	must(t, h.RemoveConnection("acme", connFTP))
	r := h.expect(http.StatusUnprocessableEntity, http.MethodPost, "/v1/imports/"+id+"/clone", `{}`)
	h.same([]string{"invalid_ref _connectionId"}, h.codes(r))
}
