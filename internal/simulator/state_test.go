// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/integrator-operator/integrator-operator/internal/simulator/document"
)

// restarted is another simulator on the state of the first.
func (h *harness) restarted(file string) *harness {
	h.Helper()
	next := *h
	next.Server = New(Options{Clock: h.clock})
	loaded, err := next.KeepState(file)
	must(h.T, err)
	h.same(true, loaded)
	web := httptest.NewServer(next.Handler())
	h.Cleanup(web.Close)
	next.base = web.URL
	return &next
}

func TestStateSurvivesARestart(t *testing.T) {
	h := newHarness(t)
	file := filepath.Join(t.TempDir(), "state.json")
	loaded, err := h.KeepState(file)
	must(t, err)
	h.same(false, loaded)

	kept := h.create(`{"settings":{"n":12345678901234567890,"d":1.10},"encrypted":{"k":"s"},` + ftpImport[1:])
	deleted := h.create(httpImport)
	h.expect(http.StatusNoContent, http.MethodDelete, "/v1/imports/"+deleted, "")
	h.expect(http.StatusOK, http.MethodPost, "/v1/imports/"+kept+"/invoke", `[{"id":1.0}]`)
	must(t, h.EditAs(User{Email: "jane@example.com"}, "acme", kept, func(d Document) { d["maxAttempts"] = 2 }))
	must(t, h.AddFlow("acme", Flow{ID: "5f0000000000000000000001", Name: "f", Imports: []string{kept}}))
	must(t, h.AddToken("acme", Token{Token: "late"}))
	must(t, h.RevokeToken("acme", testToken))
	must(t, h.SetChoices(func(c *Choices) { c.CloneAnswer = CloneAnswerBare }))

	info, err := os.Stat(file)
	must(t, err)
	h.same(os.FileMode(0o600), info.Mode().Perm())
	left, err := filepath.Glob(file + ".*")
	must(t, err)
	h.same(0, len(left))

	next := h.restarted(file)
	h.same(h.Imports("acme"), next.Imports("acme"))
	h.same(h.RecycleBin("acme"), next.RecycleBin("acme"))
	h.same(h.Audit("acme", kept), next.Audit("acme", kept))
	h.same([]string{`{"id":1.0}`}, next.written(kept))
	h.same(h.Choices(), next.Choices())
	next.expect(http.StatusUnauthorized, http.MethodGet, "/v1/imports", "")
	next.expect(http.StatusUnprocessableEntity, http.MethodDelete, "/v1/imports/"+kept, "", "Authorization", "Bearer late")
	must(t, next.Restore("acme", deleted))
	added := next.doc(next.expect(http.StatusCreated, http.MethodPost, "/v1/imports", ftpImport, "Authorization", "Bearer late"))
	h.same(added["_id"], next.Imports("acme")[2]["_id"]) // at the end of the list, and later than all before
	if edited := next.Imports("acme")[0]; document.Text(added, "createdAt") <= document.Text(edited, "lastModified") {
		t.Errorf("created at %v, after an edit at %v", added["createdAt"], edited["lastModified"])
	}
}

func TestStateFailures(t *testing.T) {
	dir := t.TempDir()
	broken := filepath.Join(dir, "broken.json")
	must(t, os.WriteFile(broken, []byte(`{"accounts":`), 0o600))
	if _, err := New(Options{}).KeepState(broken); err == nil {
		t.Error("a broken state was loaded")
	}
	must(t, os.WriteFile(broken, []byte(`{"choices":{"cloneAnswer":"none"}}`), 0o600))
	if _, err := New(Options{}).KeepState(broken); err == nil {
		t.Error("choices that do not exist were loaded")
	}
	if _, err := New(Options{}).KeepState(dir); err == nil {
		t.Error("a directory was taken for a state")
	}

	// A change that cannot be kept is not answered as if it were.
	h := newHarness(t)
	missing := filepath.Join(dir, "gone")
	must(t, os.Mkdir(missing, 0o700))
	_, err := h.KeepState(filepath.Join(missing, "state.json"))
	must(t, err)
	must(t, os.RemoveAll(missing))
	r := h.expect(http.StatusInternalServerError, http.MethodPost, "/v1/imports", ftpImport)
	h.same([]string{"state_not_saved"}, h.codes(r))
}
