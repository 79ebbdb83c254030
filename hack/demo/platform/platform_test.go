// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package platform

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/integrator-operator/integrator-operator/internal/simulator"
)

func TestRequests(t *testing.T) {
	entries := []simulator.Entry{
		{Method: "GET", Route: "/v1/imports", Query: "include=lastModified"},
		{Method: "GET", Route: "/v1/imports", Query: "include=lastModified&limit=3&skip=3"},
		{Method: "PUT", Route: "/v1/imports/{id}", Path: "/v1/imports/1", Status: 422},
		{Method: "GET", Route: "/v1/imports", Query: "include=lastModified"},
	}
	want := "GET     /v1/imports                          3\nPUT     /v1/imports/{id}                     1\n"
	if diff := cmp.Diff(want, FormatCounts(CountByEndpoint(entries))); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[Endpoint]int{Update: 1}, writes(CountByEndpoint(entries))); diff != "" {
		t.Error(diff)
	}
	if err := CheckAnswers(entries); err == nil || err.Error() != "PUT /v1/imports/1 was answered with 422" {
		t.Errorf("error %v", err)
	}
	if err := CheckAnswers(entries[:2]); err != nil {
		t.Errorf("error %v", err)
	}
}

func TestReadSeed(t *testing.T) {
	p := &Platform{Seed: "../../simulator/demo.json"}
	if err := p.readSeed(); err != nil {
		t.Fatal(err)
	}
	want := []Account{{p, "acme", "demo-token-acme", 8}, {p, "acme-staging", "demo-token-acme-staging", 0}}
	if got := []Account{*p.Production, *p.Staging}; got[0] != want[0] || got[1] != want[1] {
		t.Errorf("got %+v, want %+v", got, want)
	}
	p.Seed = filepath.Join(t.TempDir(), "seed.json")
	if err := os.WriteFile(p.Seed, []byte(`{"accounts": [{"name": "one", "tokens": [{"token": "t"}]}, {"name": "two"}]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := p.readSeed(); err == nil || !strings.Contains(err.Error(), "two accounts with a token are needed") {
		t.Errorf("error %v", err)
	}
}
