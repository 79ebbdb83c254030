// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
)

// TestVulncheck scans modules with a database of one vulnerability, which one of them calls.
func TestVulncheck(t *testing.T) {
	directory, err := filepath.Abs(filepath.Join("testdata", "database"))
	if err != nil {
		t.Fatal(err)
	}
	database := "file://" + filepath.ToSlash(directory)

	broken := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	defer broken.Close()
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()

	for _, test := range []struct {
		name, module, database string
		skip, release          bool
		code                   int
		says                   string
	}{
		{"it is called, whether or not skipping is allowed", "affected", database, true, false, 3, "#1: GO-0000-0001"},
		{"its package is used, but not what is vulnerable", "spared", database, false, false, 0, "No vulnerabilities found."},
		{"nobody there", "affected", closed.URL, false, false, 1, "error: reach the vulnerability database: "},
		{"nobody there, and skipping is allowed", "affected", closed.URL, true, false, 0, "skipped: nothing was checked for known vulnerabilities: "},
		{"no such name", "affected", "https://vuln.invalid", true, false, 0, "skipped: nothing was checked for known vulnerabilities: "},
		{"it answers wrongly", "affected", broken.URL, true, false, 1, "503 Service Unavailable"},
		{"no such directory", "affected", database + "/none", true, false, 1, "error: "},
		{"code that does not build", "none", database, true, false, 1, "error: "},
		{"nobody there, and it is to be released", "affected", closed.URL, true, true, 1, "error: reach the vulnerability database: "},
		{"it is to be released, and there is a copy of the database", "spared", database, true, true, 0, "No vulnerabilities found."},
	} {
		t.Run(test.name, func(t *testing.T) {
			args := []string{"-db", test.database, "-C", filepath.Join("testdata", test.module)}
			if test.skip {
				args = append(args, "--skip-unreachable")
			}
			if test.release {
				args = append(args, "--release")
			}
			var output strings.Builder
			if code := run(t.Context(), append(args, "./..."), &output, &output); code != test.code {
				t.Errorf("exit code %d, want %d: %s", code, test.code, output.String())
			}
			if !strings.Contains(output.String(), test.says) {
				t.Errorf("it does not say %q: %s", test.says, output.String())
			}
		})
	}
}
