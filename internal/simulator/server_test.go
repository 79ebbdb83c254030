// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"compress/gzip"
	"io"
	"net/http"
	"strings"
	"testing"
)

func TestAuthentication(t *testing.T) {
	h := newHarness(t)
	for _, test := range []struct{ name, authorization, want string }{
		{"no header", "", `{"message":"Unauthorized"}`},
		{"another scheme", "Basic " + testToken, `{"message":"Unauthorized"}`},
		{"wrong token", "Bearer nobody", `{"message":"Bearer Authentication Failed"}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			h := h.in(t)
			r := h.expect(http.StatusUnauthorized, http.MethodGet, "/v1/imports", "", "Authorization", test.authorization)
			h.same(test.want, r.body)
		})
	}

	robot := userID("robot@acme.example.com")
	h.same(`{"_userId":"`+robot+`","scope":"*"}`, h.expect(http.StatusOK, http.MethodGet, "/v1/tokenInfo", "").body)

	must(t, h.AddToken("acme", Token{Token: "second"}))
	must(t, h.RevokeToken("acme", testToken))
	h.expect(http.StatusUnauthorized, http.MethodGet, "/v1/tokenInfo", "")
	h.expect(http.StatusOK, http.MethodGet, "/v1/tokenInfo", "", "Authorization", "Bearer second")
	if err := h.AddAccount(AccountSpec{Name: "other", Tokens: []Token{{Token: "second"}}}); err == nil {
		t.Error("one token opens two accounts")
	}
}

func TestAccountsAreApart(t *testing.T) {
	h := newHarness(t)
	must(t, h.AddAccount(AccountSpec{Name: "other", Tokens: []Token{{Token: "t2"}}}))
	id := h.create(ftpImport)
	h.expect(http.StatusNotFound, http.MethodGet, "/v1/imports/"+id, "", "Authorization", "Bearer t2")
	h.expect(http.StatusNoContent, http.MethodGet, "/v1/imports", "", "Authorization", "Bearer t2")
	r := h.expect(http.StatusUnprocessableEntity, http.MethodPost, "/v1/imports", ftpImport, "Authorization", "Bearer t2")
	h.same([]string{"invalid_ref _connectionId"}, h.codes(r))
}

func TestRequestsThatReachNoEndpoint(t *testing.T) {
	small := DefaultChoices()
	small.MaxDocumentBytes, small.MaxInvokeBytes = 2000, 500
	h := newHarness(t, func(o *Options) { o.Choices = &small })
	id := h.create(ftpImport)
	long := func(n int) string { return `["` + strings.Repeat("x", n-4) + `"]` }

	for _, test := range []struct {
		name, method, path, body string
		headers                  []string
		status                   int
		code                     string
	}{
		{"no such path", http.MethodGet, "/v1/exports", "", nil, 404, "not_found"},
		{"the vendor page's slip", http.MethodPost, "/v1/import/" + id + "/invoke", "[]", nil, 404, "not_found"},
		{"doubled slash", http.MethodPost, "/v1//imports", ftpImport, nil, 404, "not_found"},
		{"method of a list", http.MethodDelete, "/v1/imports", "", nil, 405, "method_not_allowed"},
		{"method of an action", http.MethodGet, "/v1/imports/" + id + "/invoke", "", nil, 405, "method_not_allowed"},
		{"no content type", http.MethodPost, "/v1/imports", ftpImport, []string{"Content-Type", ""}, 415, "unsupported_media_type"},
		{"JSON Patch content type", http.MethodPatch, "/v1/imports/" + id, "[]", []string{"Content-Type", "application/json-patch+json"}, 415, "unsupported_media_type"},
		{"charset is fine", http.MethodPatch, "/v1/imports/" + id, "[]", []string{"Content-Type", "application/json; charset=utf-8"}, 204, ""},
		{"page of the limit", http.MethodPost, "/v1/imports/" + id + "/invoke", long(500), nil, 200, ""},
		{"page above the limit", http.MethodPost, "/v1/imports/" + id + "/invoke", long(501), nil, 413, "request_too_large"},
		{"body above the limit", http.MethodPut, "/v1/imports/" + id, long(2001), nil, 413, "request_too_large"},
		{"no JSON", http.MethodPost, "/v1/imports", "{", nil, 400, "invalid_json"},
		{"two JSON values", http.MethodPost, "/v1/imports", "{}{}", nil, 400, "invalid_json"},
		{"no object", http.MethodPost, "/v1/imports", "[]", nil, 400, "invalid_json"},
		{"malformed id", http.MethodGet, "/v1/imports/abc", "", nil, 422, "invalid_field _id"},
		{"malformed user header", http.MethodGet, "/v1/imports", "", []string{UserHeader, "ui; nobody"}, 400, "invalid_simulator_header"},
		{"unknown source", http.MethodGet, "/v1/imports", "", []string{UserHeader, "web; A <a@example.com>"}, 400, "invalid_simulator_header"},
	} {
		t.Run(test.name, func(t *testing.T) {
			h := h.in(t)
			r := h.expect(test.status, test.method, test.path, test.body, test.headers...)
			if test.code != "" {
				h.same([]string{test.code}, h.codes(r))
			}
		})
	}
	h.same([]string{"GET", "POST"}, h.call(http.MethodDelete, "/v1/imports", "").header.Values("Allow"))
	if n := len(h.Imports("acme")); n != 1 {
		t.Errorf("%d imports, want the one", n)
	}
}

func TestEveryEndpointKnowsAbsentImports(t *testing.T) {
	h := newHarness(t)
	for _, test := range []struct{ method, action, body string }{
		{http.MethodGet, "", ""},
		{http.MethodPut, "", ftpImport},
		{http.MethodPatch, "", "[]"},
		{http.MethodDelete, "", ""},
		{http.MethodPost, "/clone", "{}"},
		{http.MethodGet, "/audit", ""},
		{http.MethodPost, "/invoke", "[]"},
		{http.MethodPut, "/replaceConnection", "{}"},
		{http.MethodGet, "/dependencies", ""},
	} {
		r := h.expect(http.StatusNotFound, test.method, "/v1/imports/"+noSuchID+test.action, test.body)
		h.same([]string{"not_found"}, h.codes(r))
	}
	applied := true
	if got := h.Ledger(Filter{Applied: &applied}); got != nil {
		t.Errorf("something was applied: %+v", got)
	}
}

func TestGzip(t *testing.T) {
	h := newHarness(t)
	id := h.create(ftpImport)
	plain := h.expect(http.StatusOK, http.MethodGet, "/v1/imports/"+id, "")
	packed := h.expect(http.StatusOK, http.MethodGet, "/v1/imports/"+id, "", "Accept-Encoding", "br, gzip;q=0.8")
	h.same("gzip", packed.header.Get("Content-Encoding"))
	zip, err := gzip.NewReader(strings.NewReader(packed.body))
	must(t, err)
	data, err := io.ReadAll(zip)
	must(t, err)
	h.same(plain.body, string(data))
	h.same("", h.call(http.MethodGet, "/v1/imports/"+id, "", "Accept-Encoding", "gzip;q=0").header.Get("Content-Encoding"))
}
