// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
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

func TestCheckPinned(t *testing.T) {
	const digest = "@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	for name, tc := range map[string]struct {
		dockerfile string
		want       bool
	}{
		"pinned":              {"# syntax=docker/dockerfile:1" + digest + "\nFROM golang:1.26" + digest + " AS builder\nFROM builder AS again\nFROM scratch\n", true},
		"no digest":           {"FROM golang:1.26\n", false},
		"the second has none": {"FROM golang:1.26" + digest + " AS builder\nFROM gcr.io/distroless/static:nonroot\n", false},
		"the frontend":        {"# syntax=docker/dockerfile:1\nFROM golang:1.26" + digest + "\n", false},
		"half a digest":       {"FROM golang:1.26@sha256:0123\n", false},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "Dockerfile")
			if err := os.WriteFile(path, []byte(tc.dockerfile), 0o600); err != nil {
				t.Fatal(err)
			}
			if got, err := checkPinned(t.Context(), path); got != tc.want {
				t.Errorf("%t, want %t (%v)", got, tc.want, err)
			}
		})
	}
}

// TestPinImages runs the script with a program that answers as the registry's client does.
func TestPinImages(t *testing.T) {
	directory := t.TempDir()
	path, tool := filepath.Join(directory, "Dockerfile"), filepath.Join(directory, "docker")
	shipped, err := os.ReadFile(filepath.Join("..", "..", "..", "..", "Dockerfile"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, shipped, 0o600); err != nil {
		t.Fatal(err)
	}
	pin := func(answer string) error {
		script := "#!/bin/sh\necho '" + answer + "'\n"
		if err := os.WriteFile(tool, []byte(script), 0o700); err != nil {
			t.Fatal(err)
		}
		command := exec.CommandContext(t.Context(), filepath.Join("..", "..", "..", "pin-images.sh"), path)
		command.Env = append(os.Environ(), "CONTAINER_TOOL="+tool)
		output, err := command.CombinedOutput()
		t.Logf("%s", output)
		return err
	}
	if err := pin("no such image"); err == nil {
		t.Error("an answer that is no digest is taken")
	}
	for _, digit := range []string{"a", "b"} {
		if err := pin("sha256:" + strings.Repeat(digit, 64)); err != nil {
			t.Fatal(err)
		}
		if ok, err := checkPinned(t.Context(), path); !ok || err != nil {
			t.Errorf("not all images are pinned: %v", err)
		}
		if ok, err := check(t.Context(), path); !ok || err != nil {
			t.Errorf("it is no Dockerfile any more: %v", err)
		}
		if pinned, _ := os.ReadFile(path); strings.Count(string(pinned), "@sha256:"+digit) != 3 { // it was written
			t.Errorf("three images are expected to have the digest:\n%s", pinned)
		}
	}
}
