// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// fill writes an executable file for each name.
func fill(t *testing.T, dir string, names ...string) {
	t.Helper()
	for _, name := range names {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
}

func TestGivenAssetsAreUsedAsTheyAre(t *testing.T) {
	dir := t.TempDir()
	fill(t, dir, "kube-apiserver", "etcd", "kubectl")
	for name, set := range map[string]string{"absolute": dir, "relative": filepath.Base(dir)} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(assetsVariable, set)
			got, err := assets(t.Context(), filepath.Dir(dir))
			if err != nil || got != dir {
				t.Errorf("assets() = %q, %v; want %q", got, err, dir)
			}
		})
	}
}

func TestGivenAssetsThatLackAProgramAreRefused(t *testing.T) {
	dir := t.TempDir()
	fill(t, dir, "kube-apiserver", "kubectl")
	if err := os.WriteFile(filepath.Join(dir, "etcd"), nil, 0o600); err != nil { // not executable
		t.Fatal(err)
	}
	t.Setenv(assetsVariable, dir)
	if _, err := assets(t.Context(), "."); err == nil || !strings.Contains(err.Error(), "has no etcd:") {
		t.Errorf("assets() error = %v; want one that names etcd alone", err)
	}
}

func TestCacheRoot(t *testing.T) {
	t.Setenv("HOME", "/home/somebody")
	for set, want := range map[string]string{
		"":         "/home/somebody/.cache/integrator-operator/controlplane",
		"relative": "/home/somebody/.cache/integrator-operator/controlplane",
		"/cache":   "/cache/integrator-operator/controlplane",
	} {
		t.Setenv("XDG_CACHE_HOME", set)
		if got, err := cacheRoot(); err != nil || got != want {
			t.Errorf("with XDG_CACHE_HOME=%q cacheRoot() = %q, %v; want %q", set, got, err, want)
		}
	}
}

func TestVersionsComeFromTheModuleFile(t *testing.T) {
	v, err := readVersions(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	module, err := os.ReadFile("go.mod")
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{kubernetesModule + " " + v.kubernetes, etcdModule + " " + v.etcd} {
		if !strings.Contains(string(module), "\t"+line) {
			t.Errorf("go.mod has no %q", line)
		}
	}
	if key := v.key(); strings.ContainsAny(key, "/ ") || !strings.Contains(key, v.kubernetes) {
		t.Errorf("key() = %q; want one path element that names the version", key)
	}
}

func TestBuildArgsStampTheVersion(t *testing.T) {
	args := strings.Join(buildArgs("v1.37.2"), " ")
	for _, want := range []string{
		"-X k8s.io/component-base/version.gitVersion=v1.37.2 ",
		"-X k8s.io/component-base/version.gitMajor=1 ",
		"-X k8s.io/component-base/version.gitMinor=37 ",
		"-X k8s.io/client-go/pkg/version.gitVersion=v1.37.2 ",
	} {
		if !strings.Contains(args, want) {
			t.Errorf("build arguments have no %q: %s", want, args)
		}
	}
}

func TestLockIsExclusive(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	unlock, err := lock(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}

	given, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := lock(given, path); !errors.Is(err, context.Canceled) {
		t.Fatalf("lock() while held: %v; want it to wait until it is cancelled", err)
	}

	unlock()
	again, err := lock(t.Context(), path)
	if err != nil {
		t.Fatalf("lock() after it was released: %v", err)
	}
	again()
}

func TestLeftoversAreOfThisVersionOnly(t *testing.T) {
	root := t.TempDir()
	for _, name := range []string{"a" + workSuffix + "1", "ab", "ab" + workSuffix + "1"} {
		if err := os.Mkdir(filepath.Join(root, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	got := leftovers(filepath.Join(root, "a"))
	want := []string{filepath.Join(root, "a"+workSuffix+"1"), filepath.Join(root, "a")}
	if !slices.Equal(got, want) {
		t.Errorf("leftovers() = %q; want %q", got, want)
	}
}

func TestInterruptedBuildLeavesNothing(t *testing.T) {
	root := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := buildInto(ctx, filepath.Join(root, "key"), versions{kubernetes: "v1.37.2"})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("buildInto() error = %v; want the cancellation", err)
	}
	left, err := os.ReadDir(root)
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v (%v)", left, err)
	}
}

func TestProgressCountsAndKeepsMessages(t *testing.T) {
	out, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = out.Close() }()

	p := newProgress(out, "[1/4] etcd")
	for _, chunk := range []string{
		"go: downloading a v1\ngo: down", "loading b v1\n", "k8s.io/a\n", "# k8s.io/b\nb.go:1:2: undefined: x\n", "no newline at the end",
	} {
		if n, err := p.Write([]byte(chunk)); n != len(chunk) || err != nil {
			t.Fatalf("Write() = %d, %v", n, err)
		}
	}
	p.finish(false)
	p.showOutput()

	text, err := os.ReadFile(out.Name())
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"2 modules fetched, 1 packages compiled, failed\n", "# k8s.io/b\nb.go:1:2: undefined: x\nno newline at the end\n",
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("output has no %q:\n%s", want, text)
		}
	}
}
