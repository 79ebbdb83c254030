// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package admin

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/integrator-operator/integrator-operator/internal/simulator"
)

const (
	testToken = "token-of-acme"
	connFTP   = "56f000000000000000000001"
	connHTTP  = "56f000000000000000000002"
	noSuchID  = "0123456789abcdef01234567"

	ftpImport  = `{"name":"Upload","_connectionId":"` + connFTP + `","externalId":"x-1","ftp":{"directoryPath":"/test"},"file":{"type":"csv","lookups":[]}}`
	httpImport = `{"name":"Shop","_connectionId":"` + connHTTP + `","http":{"method":["POST"],"relativeURI":["/orders"],"body":[null]}}`
)

// harness is a simulator with one account, with both of its sides served over loopback.
type harness struct {
	*testing.T
	*simulator.Server
	base, admin string
}

func newHarness(t *testing.T) *harness {
	t.Helper()
	fake := clocktesting.NewFakeClock(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))
	sim := simulator.New(simulator.Options{Clock: fake})
	must(t, sim.AddAccount(simulator.AccountSpec{
		Name:        "acme",
		Tokens:      []simulator.Token{{Token: testToken}},
		Connections: []simulator.Connection{{ID: connFTP, Name: "FTP"}, {ID: connHTTP, Name: "Shop"}},
	}))
	api, admin := httptest.NewServer(sim.Handler()), httptest.NewServer(Handler(sim))
	t.Cleanup(api.Close)
	t.Cleanup(admin.Close)
	t.Cleanup(sim.Close) // first: ends the delays of rules
	return &harness{T: t, Server: sim, base: api.URL, admin: admin.URL}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// reply is an answer that was read to its end.
type reply struct {
	status int
	body   string
}

// expect sends a request and checks the status. headers are pairs. A value "" removes a header.
func (h *harness) expect(status int, method, path, body string, headers ...string) reply {
	h.Helper()
	if !strings.HasPrefix(path, "http") {
		path = h.base + path
	}
	req, err := http.NewRequest(method, path, strings.NewReader(body))
	must(h.T, err)
	req.Header.Set("Authorization", "Bearer "+testToken)
	req.Header.Set("Content-Type", "application/json")
	for i := 0; i+1 < len(headers); i += 2 {
		if req.Header.Del(headers[i]); headers[i+1] != "" {
			req.Header.Set(headers[i], headers[i+1])
		}
	}
	resp, err := http.DefaultClient.Do(req)
	must(h.T, err)
	data, err := io.ReadAll(resp.Body)
	must(h.T, err)
	must(h.T, resp.Body.Close())
	if resp.StatusCode != status {
		h.Fatalf("%s %s: status %d, want %d: %s", method, path, resp.StatusCode, status, data)
	}
	return reply{status: resp.StatusCode, body: string(data)}
}

func (h *harness) same(want, got any) {
	h.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		h.Errorf("(-want +got)\n%s", diff)
	}
}

func TestAdmin(t *testing.T) {
	h := newHarness(t)
	admin := func(status int, method, path, body string) string {
		t.Helper()
		return h.expect(status, method, h.admin+path, body, "Authorization", "").body
	}
	var created struct {
		ID string `json:"_id"`
	}
	must(t, json.Unmarshal([]byte(h.expect(http.StatusCreated, http.MethodPost, "/v1/imports", `{"encrypted":{"k":"secret-value"},`+ftpImport[1:]).body), &created))
	id := created.ID

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
	h.same([]any{409, []string{"parsers"}, simulator.UnknownFieldsKeep}, []any{choices.DeleteInUseStatus, choices.DroppedEmptyArrays, choices.UnknownFields})
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

	var entries []simulator.Entry
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
	h.same(simulator.DefaultChoices(), h.Choices())
}

func TestStart(t *testing.T) {
	h := newHarness(t)
	base, stop, err := Start(h.Server, "127.0.0.1:0")
	must(t, err)
	h.expect(http.StatusNoContent, http.MethodGet, base+"/healthz", "")
	must(t, stop())
	if resp, err := http.Get(base + "/healthz"); err == nil {
		_ = resp.Body.Close()
		t.Error("still serving")
	}
}
