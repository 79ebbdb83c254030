// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package integrator_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/integrator-operator/integrator-operator/internal/integrator"
	"github.com/integrator-operator/integrator-operator/internal/simulator"
)

const (
	account     = "acme"
	token       = "token-of-acme"
	connFTP     = "56f000000000000000000001"
	connOther   = "56f000000000000000000002"
	flowID      = "56f0000000000000000000f1"
	noSuchID    = "0123456789abcdef01234567"
	ftpDocument = `{"name":"Upload File to FTP Site","_connectionId":"` + connFTP + `","externalId":"x-1",
		"ftp":{"directoryPath":"/test","fileName":"file-{{timestamp}}.csv"},
		"file":{"type":"csv","skipAggregation":false,"lookups":[],"csv":{"rowDelimiter":"\n","includeHeader":false}},
		"mapping":{"fields":[{"extract":"internal_id","generate":"id"}]},"settings":{"big":12345678901234567890,"rate":1.50}}`
)

// world is a simulator with one account, and a client of that account.
type world struct {
	*testing.T
	*integrator.Client
	sim   *simulator.Server
	after int64 // ledger entries up to here are checked already
}

func newWorld(t *testing.T) *world {
	t.Helper()
	sim := simulator.New(simulator.Options{}) // pages of 3
	err := sim.AddAccount(simulator.AccountSpec{
		Name:        account,
		Tokens:      []simulator.Token{{Token: token, User: simulator.User{ID: "u1", Email: "robot@acme.example.com", Name: "Robot"}}},
		Connections: []simulator.Connection{{ID: connFTP, Name: "FTP"}, {ID: connOther, Name: "Other"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(sim.Handler())
	t.Cleanup(web.Close)
	t.Cleanup(sim.Close)
	w := &world{T: t, sim: sim}
	w.Client = w.clientOf(web.URL, token)
	return w
}

func (w *world) clientOf(baseURL, token string) *integrator.Client {
	w.Helper()
	c, err := integrator.New(integrator.Config{BaseURL: baseURL, Token: token, AllowHTTP: true})
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(c.Close)
	return c
}

// Invoke runs an import with a permit of its own.
func (w *world) Invoke(ctx context.Context, id string, req integrator.InvokeRequest) (integrator.InvokeResponse, error) {
	permit, err := w.AcquireInvoke(ctx)
	w.must(err)
	defer permit.Release()
	return permit.Invoke(ctx, id, req)
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) same(want, got any) {
	w.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		w.Errorf("(-want +got):\n%s", diff)
	}
}

// refused checks an error that the API answered.
func (w *world) refused(err error, status int, details ...integrator.ErrorDetail) {
	w.Helper()
	e, ok := errors.AsType[*integrator.APIError](err)
	if !ok || e.StatusCode != status || !e.Sent || e.Err != nil {
		w.Errorf("got %T %v, want an *APIError of status %d", err, err, status)
		return
	}
	for i := range e.Errors { // the wording is the simulator's own
		if e.Errors[i].Message == "" {
			w.Errorf("an error without a message: %+v", e.Errors[i])
		}
		e.Errors[i].Message = ""
	}
	w.same(details, e.Errors)
}

// request is what the ledger records of one request.
type request struct {
	Line    string // method, route, query
	Status  int
	Applied bool
}

// ledger checks the requests since the last check.
func (w *world) ledger(want ...request) {
	w.Helper()
	var got []request
	for _, e := range w.sim.Ledger(simulator.Filter{AfterSeq: w.after}) {
		w.after = e.Seq
		line := e.Method + " " + e.Route
		if e.Query != "" {
			line += "?" + e.Query
		}
		got = append(got, request{line, e.Status, e.Applied})
		if e.Account != account && e.Status != 401 {
			w.Errorf("%s went to account %q", line, e.Account)
		}
	}
	w.same(want, got)
}

// served checks that the simulator has a route for this endpoint, and answered it with success.
func (w *world) served(op string) {
	w.Helper()
	for _, e := range w.sim.Ledger(simulator.Filter{}) {
		if e.Method+" "+e.Route == op && e.Status < 300 {
			return
		}
	}
	w.Errorf("the simulator never served %s", op)
}

// seed puts an import into the account without a request.
func (w *world) seed() string {
	w.Helper()
	id, err := w.sim.SeedImport(account, json.RawMessage(ftpDocument))
	w.must(err)
	return id
}

// fields decodes a document for comparison, numbers as written.
func (w *world) fields(raw json.RawMessage) map[string]any {
	w.Helper()
	dec := json.NewDecoder(strings.NewReader(string(raw)))
	dec.UseNumber()
	var doc map[string]any
	w.must(dec.Decode(&doc))
	return doc
}
