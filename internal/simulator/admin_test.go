// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestAdmin(t *testing.T) {
	h := newHarness(t)
	web := httptest.NewServer(h.AdminHandler())
	t.Cleanup(web.Close)
	admin := func(status int, method, path, body string) string {
		t.Helper()
		return h.expect(status, method, web.URL+path, body, "Authorization", "").body
	}
	id := h.create(`{"encrypted":{"k":"secret-value"},` + ftpImport[1:])

	admin(204, "GET", "/healthz", "")
	admin(204, "POST", "/accounts", `{"name":"beta","tokens":[{"token":"tb"}],"connections":[{"id":"`+connHTTP+`"}],"imports":[`+httpImport+`]}`)
	h.expect(http.StatusOK, http.MethodGet, "/v1/imports", "", "Authorization", "Bearer tb")
	h.same(`{"name":"beta","tokens":1,"connections":[{"id":"`+connHTTP+`"}],"flows":[],"imports":1,"recycleBin":0}`, admin(200, "GET", "/accounts/beta", ""))
	admin(204, "POST", "/accounts/beta/tokens", `{"token":"tc"}`)
	admin(204, "POST", "/accounts/beta/tokens/revoke", `{"token":"tb"}`)
	h.expect(http.StatusUnauthorized, http.MethodGet, "/v1/imports", "", "Authorization", "Bearer tb")
	h.expect(http.StatusOK, http.MethodGet, "/v1/imports", "", "Authorization", "Bearer tc")
	admin(204, "POST", "/accounts/beta/connections", `{"id":"`+connFTP+`","name":"x"}`)
	admin(204, "DELETE", "/accounts/beta/connections/"+connHTTP, "")
	var seeded struct {
		ID string `json:"_id"`
	}
	must(t, json.Unmarshal([]byte(admin(200, "POST", "/accounts/beta/imports", ftpImport)), &seeded))
	admin(204, "POST", "/accounts/beta/flows", `{"id":"5f0000000000000000000001","name":"f","imports":["`+seeded.ID+`"]}`)
	if report := admin(200, "GET", "/accounts", ""); strings.Contains(report, `"tc"`) || !strings.Contains(report, `"acme"`) {
		t.Errorf("accounts: %s", report)
	}
	h.expect(http.StatusUnprocessableEntity, http.MethodDelete, "/v1/imports/"+seeded.ID, "", "Authorization", "Bearer tc")
	admin(204, "DELETE", "/accounts/beta/flows/5f0000000000000000000001", "")
	h.expect(http.StatusNoContent, http.MethodDelete, "/v1/imports/"+seeded.ID, "", "Authorization", "Bearer tc")
	if bin := admin(200, "GET", "/accounts/beta/recycle-bin", ""); !strings.Contains(bin, seeded.ID) {
		t.Errorf("recycle bin: %s", bin)
	}
	admin(204, "POST", "/accounts/beta/recycle-bin/"+seeded.ID+"/restore", "")
	if list := admin(200, "GET", "/accounts/acme/imports", ""); strings.Contains(list, "secret-value") || !strings.Contains(list, id) {
		t.Errorf("imports: %s", list)
	}
	admin(204, "DELETE", "/accounts/beta", "")

	h.expect(http.StatusOK, http.MethodPost, "/v1/imports/"+id+"/invoke", `[{"id":1}]`)
	h.same(`{"count":1,"records":[{"id":1}]}`, admin(200, "GET", "/accounts/acme/imports/"+id+"/written", ""))
	h.same(`{"count":0,"records":[]}`, admin(200, "GET", "/accounts/acme/imports/"+noSuchID+"/written", ""))

	admin(204, "PATCH", "/choices", `{"deleteInUseStatus":409,"droppedEmptyArrays":["parsers"]}`)
	choices := h.Choices()
	h.same([]any{409, []string{"parsers"}, UnknownFieldsKeep}, []any{choices.DeleteInUseStatus, choices.DroppedEmptyArrays, choices.UnknownFields})
	if got := admin(200, "GET", "/choices", ""); !strings.Contains(got, `"deleteInUseStatus":409`) {
		t.Errorf("choices: %s", got)
	}

	h.same(`{"id":"rule-1"}`, admin(200, "POST", "/rules", `{"method":"GET","phase":"before","count":1,"action":{"kind":"answer","status":503}}`))
	h.expect(503, http.MethodGet, "/v1/imports", "")
	h.same(`[{"id":"rule-1","method":"GET","nth":1,"every":1,"count":1,"phase":"before","action":{"kind":"answer","status":503},"matched":1,"fired":1}]`,
		admin(200, "GET", "/rules", ""))
	admin(204, "POST", "/rules/rule-1/release", "")
	admin(204, "DELETE", "/rules/rule-1", "")
	admin(204, "DELETE", "/rules", "")
	h.same("[]", admin(200, "GET", "/rules", ""))

	var entries []Entry
	must(t, json.Unmarshal([]byte(admin(200, "GET", "/ledger?account=acme&method=GET&status=503&applied=false&route=/v1/imports&path=/v1/imports&source=api&after=1", "")), &entries))
	h.same(1, len(entries))
	h.same("[]", admin(200, "GET", "/ledger?id="+noSuchID, ""))
	admin(204, "DELETE", "/ledger", "")
	h.same("[]", admin(200, "GET", "/ledger", ""))

	admin(204, "PUT", "/rate", `{"requestsPerSecond":1,"burst":1}`)
	h.expect(http.StatusOK, http.MethodGet, "/v1/tokenInfo", "")
	h.expect(http.StatusTooManyRequests, http.MethodGet, "/v1/tokenInfo", "")

	for _, mistake := range []struct {
		status             int
		method, path, body string
	}{
		{404, "GET", "/accounts/none", ""},
		{404, "DELETE", "/accounts/none", ""},
		{404, "POST", "/accounts/acme/recycle-bin/" + noSuchID + "/restore", ""},
		{404, "POST", "/accounts/acme/tokens/revoke", `{"token":"none"}`},
		{404, "DELETE", "/accounts/acme/connections/" + noSuchID, ""},
		{404, "DELETE", "/accounts/acme/flows/" + noSuchID, ""},
		{404, "DELETE", "/rules/rule-9", ""},
		{404, "GET", "/nowhere", ""},
		{400, "POST", "/accounts", `{"name":"acme"}`},
		{400, "POST", "/accounts", `{"nam":"acme"}`},
		{400, "POST", "/accounts", `{}`},
		{400, "POST", "/accounts", `{"name":"x","connections":[{"id":"x"}]}`},
		{400, "POST", "/accounts", `{"name":"x","imports":[{}]}`},
		{400, "POST", "/accounts", `{"name":"x","flows":[{"id":"5f0000000000000000000001","name":"f","imports":["x"]}]}`},
		{400, "POST", "/accounts", `{"name":"x","tokens":[{"token":""}]}`},
		{400, "POST", "/accounts/acme/connections", `{"id":"` + connFTP + `"}`},
		{400, "POST", "/accounts/acme/flows", `{"id":"5f0000000000000000000001","imports":[]}`},
		{400, "POST", "/accounts/acme/imports", `{"_id":"` + id + `",` + ftpImport[1:]},
		{400, "POST", "/accounts/acme/imports", `{"_id":"x",` + ftpImport[1:]},
		{400, "POST", "/accounts/acme/imports", `[]`},
		{400, "PATCH", "/choices", `{"cloneAnswer":"none"}`},
		{400, "PATCH", "/choices", `{"deleteInUseStatus":200}`},
		{400, "PATCH", "/choices", `{"maxPageSize":0}`},
		{400, "PATCH", "/choices", `{"noSuchChoice":true}`},
		{400, "PUT", "/rate", `{}`},
		{400, "POST", "/rules", `{}`},
		{400, "GET", "/ledger?status=x", ""},
		{400, "GET", "/ledger?nth=1", ""},
	} {
		admin(mistake.status, mistake.method, mistake.path, mistake.body)
	}

	admin(204, "POST", "/reset", "")
	h.same("[]", admin(200, "GET", "/accounts", ""))
	h.same(DefaultChoices(), h.Choices())
}

func TestSeed(t *testing.T) {
	seed, err := ReadSeed(strings.NewReader(`{"accounts":[{"name":"a","tokens":[{"token":"t"}],"connections":[{"id":"` + connFTP + `","name":"FTP"}],
		"imports":[{"_id":"` + noSuchID + `","createdAt":"2017-06-23T17:31:04.446Z","_connectorId":"` + noSuchID + `",` + ftpImport[1:] + `],
		"flows":[{"id":"5f0000000000000000000001","name":"f","imports":["` + noSuchID + `"]}]}]}`))
	must(t, err)
	sim := New(Options{})
	must(t, sim.Plant(seed))
	doc, ok := sim.Import("a", noSuchID)
	if !ok || doc["createdAt"] != "2017-06-23T17:31:04.446Z" || doc["_connectorId"] != noSuchID || doc["adaptorType"] != "FTPImport" || doc["apiIdentifier"] == nil {
		t.Errorf("seeded %v", doc)
	}
	if sim.Plant(seed) == nil {
		t.Error("planted twice")
	}
	if _, err := ReadSeed(strings.NewReader(`{"account":[]}`)); err == nil {
		t.Error("a seed with a misspelt field was read")
	}
}

func TestStart(t *testing.T) {
	h := newHarness(t)
	base, stop, err := h.Start("127.0.0.1:0")
	must(t, err)
	adminBase, stopAdmin, err := h.StartAdmin("127.0.0.1:0")
	must(t, err)
	h.expect(http.StatusOK, http.MethodGet, base+"/v1/tokenInfo", "")
	h.expect(http.StatusNoContent, http.MethodGet, adminBase+"/healthz", "")
	must(t, stop())
	must(t, stopAdmin())
	if _, err := h.try(http.MethodGet, base+"/v1/tokenInfo", ""); err == nil {
		t.Error("still serving")
	}
	if _, _, err := h.Start("127.0.0.1:-1"); err == nil {
		t.Error("served on no port")
	}
}

// TestInvalidOptions: a simulator that could only mislead does not start.
func TestInvalidOptions(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	choices := DefaultChoices()
	choices.UnknownFields = "guess"
	New(Options{Choices: &choices})
}
