// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package assets

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/integrator-operator/integrator-operator/hack/release/source"
)

// checkout writes files into a directory.
func checkout(t *testing.T, files map[string]string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	for name, content := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestNotes(t *testing.T) {
	const changelog = "# Changelog\n\nText.\n\n## [Unreleased]\n\n### Added\n\n- New.\n\n## [0.2.0] - 2026-12-01\n\n### Fixed\n\n- Old.\n\n## 0.1.0\n\n## [0.1.0-rc1]\n\n- First.\n"
	for _, tc := range []struct{ reason, version, want, fails string }{
		{"its section", "v0.2.0", "### Fixed\n\n- Old.\n", ""},
		{"one before a release that has its section", "v0.1.0-rc1", "- First.\n", ""},
		{"one that has none", "v0.3.0-rc1", "### Added\n\n- New.\n", ""},
		{"a release that has none", "v0.3.0", "", "CHANGELOG.md has no section [0.3.0]"},
		{"an empty one", "v0.1.0", "", "the section [0.1.0] of CHANGELOG.md is empty"},
		{"a part of another version", "v0.2.00", "", "has no section"},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			got, err := Notes(checkout(t, map[string]string{"CHANGELOG.md": changelog}), source.Stamp{Version: tc.version})
			if tc.fails != "" {
				if err == nil || !strings.Contains(err.Error(), tc.fails) {
					t.Errorf("%v, want %q", err, tc.fails)
				}
				return
			}
			if diff := cmp.Diff(tc.want, string(got)); diff != "" || err != nil {
				t.Errorf("%v (-want +got)\n%s", err, diff)
			}
		})
	}
}

// TestChart packs a chart as Helm expects it, with what the release puts into it.
func TestChart(t *testing.T) {
	files := map[string]string{
		"charts/integrator-operator/Chart.yaml":                "apiVersion: v2\nname: integrator-operator\nversion: 0.0.0\nappVersion: \"0.0.0\"\nkubeVersion: '>=1.30'\n",
		"charts/integrator-operator/values.yaml":               "# The image.\nimage:\n  # Where it is.\n  repository: integrator-operator\n  tag: \"\"\nother:\n  repository: kept\n",
		"charts/integrator-operator/templates/deployment.yaml": "kind: Deployment\n",
		"charts/integrator-operator/templates/old.orig":        "x",
		"charts/integrator-operator/tests/values.yaml":         "x",
		"charts/integrator-operator/ci/a/b":                    "x",
		"charts/integrator-operator/.helmignore":               "# what is not packed\n*.orig\ntests/\nci/a\n\n",
	}
	o := Options{Source: checkout(t, files), Repository: "registry.example.com:5000/op", Stamp: source.Stamp{Version: "v0.1.0-rc1", Date: time.Unix(1000000000, 0)}}
	packed, err := o.chart()
	if err != nil {
		t.Fatal(err)
	}
	unzipped, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for reader := tar.NewReader(unzipped); ; {
		header, err := reader.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(reader)
		if err != nil {
			t.Fatal(err)
		}
		if header.Typeflag == tar.TypeReg {
			got[header.Name] = string(content)
		}
	}
	want := map[string]string{
		"integrator-operator/Chart.yaml":                "apiVersion: v2\nname: integrator-operator\nversion: 0.1.0-rc1\nappVersion: v0.1.0-rc1\nkubeVersion: '>=1.30'\n",
		"integrator-operator/values.yaml":               "# The image.\nimage:\n  # Where it is.\n  repository: registry.example.com:5000/op\n  tag: \"\"\nother:\n  repository: kept\n",
		"integrator-operator/templates/deployment.yaml": "kind: Deployment\n",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestChartRefuses: what cannot be released as it is.
func TestChartRefuses(t *testing.T) {
	const chart, values = "version: 0.0.0\nappVersion: 0.0.0\n", "image:\n  repository: x\n"
	for _, tc := range []struct{ reason, chart, values, ignore, fails string }{
		{"no version", "appVersion: 0.0.0\n", values, "", "charts/integrator-operator/Chart.yaml has no version and appVersion"},
		{"no image", chart, "image:\n  tag: x\nother:\n  repository: y\n", "", "charts/integrator-operator/values.yaml has no image.repository"},
		{"a pattern that is not understood", chart, values, "!templates\n", `charts/integrator-operator/.helmignore: the pattern "!templates" is not understood here`},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			o := Options{Stamp: source.Stamp{Version: "v0.1.0"}, Source: checkout(t, map[string]string{
				"charts/integrator-operator/Chart.yaml": tc.chart, "charts/integrator-operator/values.yaml": tc.values, "charts/integrator-operator/.helmignore": tc.ignore,
			})}
			if _, err := o.chart(); err == nil || !strings.Contains(err.Error(), tc.fails) {
				t.Errorf("%v, want %q", err, tc.fails)
			}
		})
	}
	o := Options{Source: t.TempDir()}
	if packed, err := o.chart(); packed != nil || err != nil {
		t.Errorf("without a chart: %d bytes, %v", len(packed), err)
	}
}

// TestPlugin: the archive for Windows is another one.
func TestPlugin(t *testing.T) {
	dir := checkout(t, map[string]string{"LICENSE": "Apache", "built": "program"})
	o := Options{Source: dir, Stamp: source.Stamp{Version: "v0.1.0", Date: time.Unix(1000000000, 0)}}
	made, err := o.plugin(program{platform: source.Platform{OS: "windows", Arch: "arm64"}, path: filepath.Join(dir, "built"), licenses: []byte("MIT")})
	if err != nil {
		t.Fatal(err)
	}
	if made.name != "kubectl-integrator_v0.1.0_windows_arm64.zip" || made.program != "kubectl-integrator.exe" {
		t.Errorf("%s with %s", made.name, made.program)
	}
	reader, err := zip.NewReader(bytes.NewReader(made.content), int64(len(made.content)))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, file := range reader.File {
		names = append(names, file.Mode().String()+" "+file.Name)
	}
	if diff := cmp.Diff([]string{"-rw-r--r-- LICENSE", "-rw-r--r-- THIRD_PARTY_LICENSES.txt", "-rwxr-xr-x kubectl-integrator.exe"}, names); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	manifest, err := o.krew([]pluginArchive{made})
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"bin: kubectl-integrator.exe\n", "os: windows\n", "sha256: " + checksum(made.content) + "\n"} {
		if !strings.Contains(string(manifest), line) {
			t.Errorf("the manifest for krew lacks %q: %s", line, manifest)
		}
	}
}
