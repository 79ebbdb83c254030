// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/integrator-operator/integrator-operator/internal/simulator/document"
	"github.com/integrator-operator/integrator-operator/internal/simulator/wire"
)

const (
	testToken  = "token-of-acme"
	connFTP    = "56f000000000000000000001"
	connHTTP   = "56f000000000000000000002"
	connAbsent = "56f0000000000000000000ff"
	noSuchID   = "0123456789abcdef01234567"
)

var startOfTime = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// harness is a simulator with one account, served over loopback.
type harness struct {
	*testing.T
	*Server
	clock *clocktesting.FakeClock
	base  string
	http  *http.Client
}

func newHarness(t *testing.T, change ...func(*Options)) *harness {
	t.Helper()
	fake := clocktesting.NewFakeClock(startOfTime)
	opts := Options{Clock: fake}
	for _, c := range change {
		c(&opts)
	}
	sim := New(opts)
	must(t, sim.AddAccount(AccountSpec{
		Name:        "acme",
		Tokens:      []Token{{Token: testToken, User: User{Email: "robot@acme.example.com", Name: "Robot"}}},
		Connections: []Connection{{ID: connFTP, Name: "FTP"}, {ID: connHTTP, Name: "Shop"}},
	}))
	web := httptest.NewServer(sim.Handler())
	t.Cleanup(web.Close)
	t.Cleanup(sim.Close) // first: ends the delays of rules
	transport := &http.Transport{DisableCompression: true}
	t.Cleanup(transport.CloseIdleConnections)
	client := &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return &harness{T: t, Server: sim, clock: fake, base: web.URL, http: client}
}

// in is the harness of a subtest.
func (h *harness) in(t *testing.T) *harness {
	sub := *h
	sub.T = t
	return &sub
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// reply is an answer read to its end.
type reply struct {
	status int
	header http.Header
	body   string
}

// call sends a request as the account's robot. headers are pairs; a value ""
// takes a header away.
func (h *harness) call(method, path, body string, headers ...string) reply {
	h.Helper()
	r, err := h.try(method, path, body, headers...)
	must(h.T, err)
	return r
}

func (h *harness) try(method, path, body string, headers ...string) (reply, error) {
	var reader io.Reader
	if body != "" {
		reader = strings.NewReader(body)
	}
	if !strings.HasPrefix(path, "http") {
		path = h.base + path
	}
	req, err := http.NewRequest(method, path, reader)
	if err != nil {
		return reply{}, err
	}
	req.Header.Set("Authorization", "Bearer "+testToken)
	req.Header.Set("Content-Type", "application/json")
	for i := 0; i+1 < len(headers); i += 2 {
		if headers[i+1] == "" {
			req.Header.Del(headers[i])
		} else {
			req.Header.Set(headers[i], headers[i+1])
		}
	}
	resp, err := h.http.Do(req)
	if err != nil {
		return reply{}, err
	}
	data, err := io.ReadAll(resp.Body)
	if closeErr := resp.Body.Close(); err == nil {
		err = closeErr
	}
	return reply{status: resp.StatusCode, header: resp.Header, body: string(data)}, err
}

// expect is call with a check of the status.
func (h *harness) expect(status int, method, path, body string, headers ...string) reply {
	h.Helper()
	r := h.call(method, path, body, headers...)
	if r.status != status {
		h.Fatalf("%s %s: status %d, want %d: %s", method, path, r.status, status, r.body)
	}
	return r
}

// doc decodes a body that is an object.
func (h *harness) doc(r reply) Document {
	h.Helper()
	doc, err := document.DecodeObject([]byte(r.body))
	if err != nil {
		h.Fatalf("%v: %s", err, r.body)
	}
	return doc
}

func (h *harness) docs(r reply) []Document {
	h.Helper()
	var docs []Document
	dec := json.NewDecoder(bytes.NewReader([]byte(r.body)))
	dec.UseNumber()
	must(h.T, dec.Decode(&docs))
	return docs
}

func (h *harness) errors(r reply) []ErrorDetail {
	h.Helper()
	var body wire.ErrorBody
	must(h.T, document.DecodeStrict([]byte(r.body), &body))
	return body.Errors
}

// codes are the errors of an answer as `code field`.
func (h *harness) codes(r reply) []string {
	h.Helper()
	var out []string
	for _, e := range h.errors(r) {
		if e.Message == "" {
			h.Errorf("error without message: %s", r.body)
		}
		out = append(out, strings.TrimSpace(e.Code+" "+e.Field))
	}
	return out
}

// create posts a document and returns its id.
func (h *harness) create(body string) string {
	h.Helper()
	return document.Text(h.doc(h.expect(http.StatusCreated, http.MethodPost, "/v1/imports", body)), "_id")
}

func (h *harness) same(want, got any) {
	h.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		h.Errorf("(-want +got)\n%s", diff)
	}
}

const ftpImport = `{"name":"Upload","_connectionId":"` + connFTP + `","externalId":"x-1","ftp":{"directoryPath":"/test"},"file":{"type":"csv","lookups":[]}}`

const httpImport = `{"name":"Shop","_connectionId":"` + connHTTP + `","http":{"method":["POST"],"relativeURI":["/orders"],"body":[null]}}`
