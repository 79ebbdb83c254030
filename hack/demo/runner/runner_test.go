// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package runner

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
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

func TestTerminal(t *testing.T) {
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
			terminal := &Terminal{out: &out, colour: test.colour}
			terminal.Heading(1, "Title")
			terminal.Explain("one\n%s", "two")
			terminal.Command("kubectl", "get", "jsonpath={.a[*]}", "", "it's", "a=b/c:1")
			terminal.Output("out\n\n")
			terminal.CommandToFile("a b.yaml", "manager", "export")
			if diff := cmp.Diff(test.want, out.String()); diff != "" {
				t.Error(diff)
			}
		})
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
			if got := Cell(test.table, test.object, test.header); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}
