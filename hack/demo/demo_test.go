// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/integrator-operator/integrator-operator/internal/simulator"
)

func TestOverlay(t *testing.T) {
	root := t.TempDir()
	base, work := filepath.Join(root, "config", "samples"), filepath.Join(root, "work")
	for _, dir := range []string{base, work} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	dir, err := overlay(base, work, "patches: []\n")
	if err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(filepath.Join(dir, "kustomization.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	want := "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources:\n- ../../config/samples\npatches: []\n"
	if diff := cmp.Diff(want, string(content)); diff != "" {
		t.Error(diff)
	}
}

func TestScreen(t *testing.T) {
	for _, test := range []struct {
		name   string
		colour bool
		want   string
	}{
		{"file", false, "\n1. Title\n# one\n# two\n$ kubectl get 'jsonpath={.a[*]}' '' 'it'\\''s' a=b/c:1\nout\n$ manager export > 'a b.yaml'\n"},
		{"terminal", true, "\n\033[1m1. Title\033[0m\n\033[2m# one\033[0m\n\033[2m# two\033[0m\n" +
			"\033[32m$ kubectl get 'jsonpath={.a[*]}' '' 'it'\\''s' a=b/c:1\033[0m\nout\n\033[32m$ manager export > 'a b.yaml'\033[0m\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var out bytes.Buffer
			s := &screen{out: &out, colour: test.colour}
			s.chapter(1, "Title")
			s.say("one\n%s", "two")
			s.command("kubectl", "get", "jsonpath={.a[*]}", "", "it's", "a=b/c:1")
			s.output("out\n\n")
			s.redirected("a b.yaml", "manager", "export")
			if diff := cmp.Diff(test.want, out.String()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestCalls(t *testing.T) {
	entries := []simulator.Entry{
		{Method: "GET", Route: "/v1/imports", Query: "include=lastModified"},
		{Method: "GET", Route: "/v1/imports", Query: "include=lastModified&limit=3&skip=3"},
		{Method: "PUT", Route: "/v1/imports/{id}", Path: "/v1/imports/1", Status: 422},
		{Method: "GET", Route: "/v1/imports", Query: "include=lastModified"},
	}
	if diff := cmp.Diff([]int{0, 3}, starts(entries)); diff != "" {
		t.Error(diff)
	}
	want := "GET     /v1/imports                          3\nPUT     /v1/imports/{id}                     1\n"
	if diff := cmp.Diff(want, table(count(entries))); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[call]int{update: 1}, writes(count(entries))); diff != "" {
		t.Error(diff)
	}
	if err := failures(entries); err == nil || err.Error() != "PUT /v1/imports/1 was answered with 422" {
		t.Errorf("error %v", err)
	}
	if err := failures(entries[:2]); err != nil {
		t.Errorf("error %v", err)
	}
}

func TestCell(t *testing.T) {
	const (
		drifted = "NAME     READY   DRIFT         LAST-CHANGED-BY    MESSAGE\n" +
			"orders   True                  jane@example.com   as declared\n" +
			"orders-copy   x   y   z\n" +
			"prices   True    /name, /csv   ann@example.com    it differs\n"
		nobody = "NAME     READY   LAST-CHANGED-BY\nprices   True    \n"
	)
	for _, test := range []struct{ name, table, object, header, want string }{
		{"says nothing", drifted, "orders", "DRIFT", ""},
		{"beside one that says nothing", drifted, "orders", "LAST-CHANGED-BY", "jane@example.com"},
		{"has spaces", drifted, "prices", "DRIFT", "/name, /csv"},
		{"is the last", drifted, "prices", "MESSAGE", "it differs"},
		{"is the first", drifted, "prices", "NAME", "prices"},
		{"is the last and says nothing", nobody, "prices", "LAST-CHANGED-BY", ""},
		{"no such object", drifted, "order", "DRIFT", ""},
		{"no such column", drifted, "prices", "AGE", ""},
		{"no table", "", "prices", "AGE", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := cell(test.table, test.object, test.header); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestReadSeed(t *testing.T) {
	p := &platform{seed: "../simulator/demo.json"}
	if err := p.readSeed(); err != nil {
		t.Fatal(err)
	}
	want := []remoteAccount{{p, "acme", "demo-token-acme", 8}, {p, "acme-staging", "demo-token-acme-staging", 0}}
	if got := []remoteAccount{*p.production, *p.staging}; got[0] != want[0] || got[1] != want[1] {
		t.Errorf("got %+v, want %+v", got, want)
	}
	p.seed = filepath.Join(t.TempDir(), "seed.json")
	if err := os.WriteFile(p.seed, []byte(`{"accounts": [{"name": "one", "tokens": [{"token": "t"}]}, {"name": "two"}]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := p.readSeed(); err == nil || !strings.Contains(err.Error(), "two accounts with a token are needed") {
		t.Errorf("error %v", err)
	}
}
