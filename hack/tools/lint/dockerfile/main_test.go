// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"testing"
)

func TestCheck(t *testing.T) {
	for name, tc := range map[string]struct {
		content string
		want    bool
	}{
		"clean":                      {"FROM golang:1.26 AS builder\nWORKDIR /w\nFROM scratch\nCOPY --from=builder /w /w\nENTRYPOINT [\"/w\"]\n", true},
		"a rule is broken":           {"FROM scratch\nENTRYPOINT /w\n", false},
		"a rule about the stages":    {"FROM scratch AS Builder\n", false},
		"an unknown instruction":     {"FROM scratch\nCOPPY a b\n", false},
		"a variable nobody declared": {"FROM scratch\nCOPY $what /what\n", false},
		"no stage":                   {"# empty\n", false},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "Dockerfile")
			if err := os.WriteFile(path, []byte(tc.content), 0o600); err != nil {
				t.Fatal(err)
			}
			if ok, err := check(t.Context(), path); ok != tc.want || err != nil {
				t.Errorf("check() = %v, %v; want %v", ok, err, tc.want)
			}
		})
	}
	if _, err := check(t.Context(), filepath.Join(t.TempDir(), "missing")); err == nil {
		t.Error("check() of a file that does not exist succeeds")
	}
}
