// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package image

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	specs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/integrator-operator/integrator-operator/hack/release/source"
)

func TestTagOf(t *testing.T) {
	for name, want := range map[string]string{
		"ghcr.io/a/b:v0.1.0":      "v0.1.0",
		"localhost:5000/b":        "latest",
		"localhost:5000/b:v0.1.0": "v0.1.0",
		"integrator-operator":     "latest",
	} {
		if got := tagOf(name); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}

// TestIndex: an image of two platforms, each with its own program, and a layer that they share.
func TestIndex(t *testing.T) {
	dir := t.TempDir()
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	s := source.Stamp{Version: "v0.1.0", Commit: "abc", Date: at}
	var parts []Part
	for _, arch := range []string{"amd64", "arm64"} {
		program := filepath.Join(dir, arch)
		if err := os.WriteFile(program, []byte("program for "+arch), 0o755); err != nil {
			t.Fatal(err)
		}
		parts = append(parts, Part{Platform: source.Platform{OS: "linux", Arch: arch}, Program: program, SBOM: []byte("{}"), Licenses: []byte("MIT"), License: []byte("Apache")})
	}
	made, err := Index(s, parts)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "image.tar")
	if err := Write(file, at, made, "registry.example.com/op:v0.1.0"); err != nil {
		t.Fatal(err)
	}
	index, err := Read(file, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	// skopeo and others write an index anew when they copy it: it has to stay the same then.
	raw, err := index.RawManifest()
	if err != nil {
		t.Fatal(err)
	}
	var copied specs.Index
	if err := json.Unmarshal(raw, &copied); err != nil {
		t.Fatal(err)
	}
	again, err := json.Marshal(copied)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(raw), string(again)); diff != "" {
		t.Errorf("a copy of the index differs (-want +got)\n%s", diff)
	}
	before, err := made.Digest()
	if err != nil {
		t.Fatal(err)
	}
	if after, err := index.Digest(); after != before || err != nil {
		t.Errorf("it is %s where it was made, and %s where it was read: %v", before, after, err)
	}
	var platforms []string
	layers := map[string]int{}
	for _, descriptor := range manifest.Manifests {
		platforms = append(platforms, descriptor.Platform.String())
		img, err := index.Image(descriptor.Digest)
		if err != nil {
			t.Fatal(err)
		}
		program, err := fileOf(img, "manager")
		if err != nil || string(program) != "program for "+descriptor.Platform.Architecture {
			t.Errorf("%s has %q: %v", descriptor.Platform, program, err)
		}
		single, err := img.Manifest()
		if err != nil {
			t.Fatal(err)
		}
		for _, layer := range single.Layers {
			layers[layer.Digest.String()]++
		}
	}
	if diff := cmp.Diff([]string{"linux/amd64", "linux/arm64"}, platforms); diff != "" {
		t.Errorf("platforms (-want +got)\n%s", diff)
	}
	shared := 0
	for _, count := range layers {
		if count == 2 {
			shared++
		}
	}
	if len(layers) != 4 || shared != 2 {
		t.Errorf("%d layers, %d of them of both platforms", len(layers), shared)
	}
}

// TestReadRefuses: what is no archive with one image, or leads out of its directory.
func TestReadRefuses(t *testing.T) {
	file := filepath.Join(t.TempDir(), "image.tar")
	if err := os.WriteFile(file, []byte(strings.Repeat("no tar ", 200)), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(file, t.TempDir()); err == nil {
		t.Error("a file that is no archive was read")
	}
}

// TestRoots: authorities that many sites have are there.
func TestRoots(t *testing.T) {
	authorities, err := roots()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"CN=Amazon Root CA 1", "CN=ISRG Root X1", "CN=DigiCert Global Root G2"} {
		if !strings.Contains(string(authorities), name) {
			t.Errorf("%s is missing", name)
		}
	}
}
