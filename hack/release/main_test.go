// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"crypto/x509"
	"debug/buildinfo"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	spdxjson "github.com/spdx/tools-golang/json"
	"sigs.k8s.io/yaml"

	"github.com/integrator-operator/integrator-operator/hack/release/image"
)

const (
	version    = "v0.1.0-rc1"
	commit     = "0123456789abcdef0123456789abcdef01234567"
	epoch      = "1764320194"
	at         = "2025-11-28T08:56:34Z"
	repository = "registry.example.com/integrations/integrator-operator"
)

// arch is the machine's, if a release has it: what is built for it also runs.
var arch = runtime.GOARCH

// checkout copies what a release is made of, without the repository.
func checkout(t *testing.T, dir string) {
	t.Helper()
	for _, part := range []string{"api", "controllers", "internal", "config", "charts"} {
		from := filepath.Join("..", "..", part)
		if _, err := os.Stat(from); errors.Is(err, fs.ErrNotExist) && part == "charts" {
			continue
		}
		if err := os.CopyFS(filepath.Join(dir, part), os.DirFS(from)); err != nil {
			t.Fatal(err)
		}
	}
	for _, file := range []string{"main.go", "go.mod", "go.sum", "LICENSE", "CHANGELOG.md"} {
		content, err := os.ReadFile(filepath.Join("..", "..", file))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, file), content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// released makes a release for Linux of a checkout in the directory.
func released(t *testing.T, dir string) (files string) {
	t.Helper()
	checkout(t, dir)
	files = filepath.Join(t.TempDir(), "dist")
	var output bytes.Buffer
	if code := run(t.Context(), []string{"all", "--source", dir, "--version", version, "--commit", commit,
		"--repository", repository, "--platforms", "linux/" + arch, files}, &output, &output); code != 0 {
		t.Fatalf("code %d: %s", code, output.String())
	}
	return files
}

func contents(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for _, entry := range entries {
		if files[entry.Name()], err = os.ReadFile(filepath.Join(dir, entry.Name())); err != nil {
			t.Fatal(err)
		}
	}
	return files
}

// TestRelease makes a release twice, in two directories, and looks at all files of it.
func TestRelease(t *testing.T) {
	t.Setenv("SOURCE_DATE_EPOCH", epoch)
	dir := released(t, t.TempDir())
	files := contents(t, dir)
	imageFile := filepath.Join(dir, "integrator-operator_"+version+"_image.tar")
	index, err := image.Read(imageFile, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}

	t.Run("has its files", func(t *testing.T) {
		want := []string{
			"checksums.txt", "install.yaml", "integrator-operator_" + version + "_image.tar", "integrator-operator_" + version + "_linux_" + arch + ".spdx.json",
			"integrator.yaml", "kubectl-integrator_" + version + "_linux_" + arch + ".tar.gz", "release-notes.md",
		}
		if _, err := os.Stat(filepath.Join("..", "..", "charts")); err == nil {
			want = append(want, "integrator-operator-"+strings.TrimPrefix(version, "v")+".tgz")
		}
		slices.Sort(want)
		var got []string
		for name := range files {
			got = append(got, name)
		}
		slices.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
	})
	t.Run("is the same of another directory", func(t *testing.T) {
		again := contents(t, released(t, filepath.Join(t.TempDir(), "a longer", "path")))
		for name, content := range files {
			if !bytes.Equal(content, again[name]) {
				t.Errorf("%s differs", name)
			}
		}
		if len(again) != len(files) {
			t.Errorf("%d files, and %d again", len(files), len(again))
		}
	})
	t.Run("is never made over another", func(t *testing.T) {
		var output bytes.Buffer
		code := run(t.Context(), []string{"all", "--source", "../..", "--version", version, "--commit", commit, "--repository", repository, dir}, &output, &output)
		if code != 1 || !strings.Contains(output.String(), "is not empty: remove what is in it, or name another directory with RELEASE_DIR") {
			t.Errorf("code %d: %s", code, output.String())
		}
	})
	t.Run("has the checksums of its files", func(t *testing.T) { checkSums(t, files) })
	t.Run("has manifests with the image", func(t *testing.T) { checkManifests(t, files["install.yaml"], index) })
	t.Run("has an image", func(t *testing.T) { checkImage(t, index) })
	t.Run("has an image that can be pushed", func(t *testing.T) { checkPush(t, imageFile, index) })
	t.Run("has the plug-in", func(t *testing.T) { checkPlugin(t, files) })
	t.Run("lists what it is made of", func(t *testing.T) { checkSBOM(t, files) })
	t.Run("has the notes of what is not released yet", func(t *testing.T) {
		if !strings.HasPrefix(string(files["release-notes.md"]), "Nothing has been released yet.") && !strings.HasPrefix(string(files["release-notes.md"]), "### ") {
			t.Errorf("%s", files["release-notes.md"])
		}
	})
}

// checkSums reads checksums.txt as "sha256sum --check" does.
func checkSums(t *testing.T, files map[string][]byte) {
	t.Helper()
	got := map[string]string{}
	for line := range strings.Lines(string(files["checksums.txt"])) {
		sum, name, found := strings.Cut(strings.TrimSuffix(line, "\n"), "  ")
		if !found {
			t.Errorf("%q is no line with a checksum", line)
		}
		got[name] = sum
	}
	want := map[string]string{}
	for name, content := range files {
		if name != "checksums.txt" {
			want[name] = fmt.Sprintf("%x", sha256.Sum256(content))
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func checkManifests(t *testing.T, install []byte, index v1.ImageIndex) {
	t.Helper()
	digest, err := index.Digest()
	if err != nil {
		t.Fatal(err)
	}
	var images, kinds []string
	for document := range strings.SplitSeq(string(install), "\n---\n") {
		var object struct {
			Kind string
			Spec struct {
				Template struct {
					Spec struct{ Containers []struct{ Image string } }
				}
			}
		}
		if err := yaml.Unmarshal([]byte(document), &object); err != nil {
			t.Fatal(err)
		}
		kinds = append(kinds, object.Kind)
		for _, container := range object.Spec.Template.Spec.Containers {
			images = append(images, container.Image)
		}
	}
	if diff := cmp.Diff([]string{repository + ":" + version + "@" + digest.String()}, images); diff != "" {
		t.Errorf("images (-want +got)\n%s", diff)
	}
	for _, kind := range []string{"Namespace", "CustomResourceDefinition", "ServiceAccount", "ClusterRole", "Deployment"} {
		if !slices.Contains(kinds, kind) {
			t.Errorf("there is no %s among %v", kind, kinds)
		}
	}
}

// file is one of an image or an archive.
type file struct {
	mode    string
	content []byte
}

// unpack reads a tar, and fails where an entry does not belong to root or names who made it.
func unpack(t *testing.T, in io.Reader) map[string]file {
	t.Helper()
	files := map[string]file{}
	for reader := tar.NewReader(in); ; {
		header, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		if header.Uid != 0 || header.Gid != 0 || header.Uname != "" || header.Gname != "" {
			t.Errorf("%s belongs to %d:%d", header.Name, header.Uid, header.Gid)
		}
		content, err := io.ReadAll(reader)
		if err != nil {
			t.Fatal(err)
		}
		files[header.Name] = file{header.FileInfo().Mode().String(), content}
	}
}

func modes(files map[string]file) map[string]string {
	found := map[string]string{}
	for name, file := range files {
		found[name] = file.mode
	}
	return found
}

func checkImage(t *testing.T, index v1.ImageIndex) {
	t.Helper()
	manifest, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	if len(manifest.Manifests) != 1 || manifest.Manifests[0].Platform.String() != "linux/"+arch {
		t.Fatalf("platforms: %+v", manifest.Manifests)
	}
	img, err := index.Image(manifest.Manifests[0].Digest)
	if err != nil {
		t.Fatal(err)
	}
	config, err := img.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	labels := map[string]string{
		"org.opencontainers.image.title":         "integrator-operator",
		"org.opencontainers.image.description":   "Keeps the imports of Celigo integrator.io accounts as they are declared in Kubernetes",
		"org.opencontainers.image.version":       version,
		"org.opencontainers.image.revision":      commit,
		"org.opencontainers.image.created":       at,
		"org.opencontainers.image.source":        "https://github.com/integrator-operator/integrator-operator",
		"org.opencontainers.image.url":           "https://github.com/integrator-operator/integrator-operator",
		"org.opencontainers.image.documentation": "https://github.com/integrator-operator/integrator-operator/blob/main/README.md",
		"org.opencontainers.image.licenses":      "Apache-2.0",
		"org.opencontainers.image.vendor":        "The integrator-operator Authors",
	}
	want := v1.Config{User: "65532:65532", WorkingDir: "/", Entrypoint: []string{"/manager"}, Env: []string{"PATH=/"}, Labels: labels}
	if diff := cmp.Diff(want, config.Config); diff != "" {
		t.Errorf("config (-want +got)\n%s", diff)
	}
	if config.OS != "linux" || config.Architecture != arch || config.Created.Format("2006-01-02T15:04:05Z07:00") != at {
		t.Errorf("%s/%s, created %s", config.OS, config.Architecture, config.Created)
	}
	if diff := cmp.Diff(labels, manifest.Annotations); diff != "" {
		t.Errorf("annotations of the index (-want +got)\n%s", diff)
	}

	extracted := mutate.Extract(img)
	defer func() { _ = extracted.Close() }()
	files := unpack(t, extracted)
	const documents = "usr/share/doc/integrator-operator"
	if diff := cmp.Diff(map[string]string{
		"etc": "drwxr-xr-x", "etc/ssl": "drwxr-xr-x", "etc/ssl/certs": "drwxr-xr-x",
		"usr": "drwxr-xr-x", "usr/share": "drwxr-xr-x", "usr/share/doc": "drwxr-xr-x", documents: "drwxr-xr-x",
		"etc/passwd": "-rw-r--r--", "etc/group": "-rw-r--r--", "etc/ssl/certs/ca-certificates.crt": "-rw-r--r--",
		documents + "/LICENSE": "-rw-r--r--", documents + "/THIRD_PARTY_LICENSES.txt": "-rw-r--r--", documents + "/sbom.spdx.json": "-rw-r--r--",
		"manager": "-rwxr-xr-x",
	}, modes(files)); diff != "" {
		t.Errorf("files (-want +got)\n%s", diff)
	}
	if !strings.Contains(string(files["etc/passwd"].content), "nonroot:x:65532:65532:") {
		t.Errorf("/etc/passwd does not have the user: %s", files["etc/passwd"].content)
	}
	pool := x509.NewCertPool()
	roots := files["etc/ssl/certs/ca-certificates.crt"].content
	if !pool.AppendCertsFromPEM(roots) || bytes.Count(roots, []byte("BEGIN CERTIFICATE")) < 100 {
		t.Errorf("only %d certificate authorities", bytes.Count(roots, []byte("BEGIN CERTIFICATE")))
	}
	module, err := authorities()
	if err != nil || !strings.HasPrefix(module.Sum, "h1:") {
		t.Fatalf("%+v: %v", module, err)
	}
	if !strings.Contains(string(files[documents+"/sbom.spdx.json"].content), `"pkg:golang/`+module.Path+"@"+module.Version+`"`) {
		t.Error("the list of what the image has lacks the certificate authorities")
	}
	checkRuns(t, files["manager"].content, "manager")
}

// checkRuns starts a program under a name, and reads its version.
func checkRuns(t *testing.T, program []byte, name string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, program, 0o755); err != nil {
		t.Fatal(err)
	}
	info, err := buildinfo.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, setting := range info.Settings {
		if setting.Key == "CGO_ENABLED" && setting.Value != "0" || strings.HasPrefix(setting.Key, "vcs") {
			t.Errorf("built with %s=%s", setting.Key, setting.Value)
		}
	}
	if runtime.GOOS != "linux" {
		return
	}
	output, err := exec.CommandContext(t.Context(), path, "version", "-o", "json").CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	var got map[string]string
	if err := json.Unmarshal(output, &got); err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	if diff := cmp.Diff(map[string]string{"version": version, "commit": commit, "date": at, "goVersion": info.GoVersion, "platform": "linux/" + arch}, got); diff != "" {
		t.Errorf("version (-want +got)\n%s", diff)
	}
}

// checkPush pushes the image to a registry, and reads it from there.
func checkPush(t *testing.T, file string, index v1.ImageIndex) {
	t.Helper()
	server := httptest.NewServer(registry.New(registry.WithReferrersSupport(true)))
	defer server.Close()
	to := strings.TrimPrefix(server.URL, "http://") + "/team/integrator-operator:" + version
	var stdout, stderr bytes.Buffer
	if code := run(t.Context(), []string{"push", file, to}, &stdout, &stderr); code != 0 {
		t.Fatalf("code %d: %s", code, stderr.String())
	}
	digest, err := index.Digest()
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.TrimSpace(stdout.String()); got != to+"@"+digest.String() {
		t.Errorf("it printed %s, want %s@%s", got, to, digest)
	}
	reference, err := name.ParseReference(to)
	if err != nil {
		t.Fatal(err)
	}
	pulled, err := remote.Image(reference, remote.WithPlatform(v1.Platform{OS: "linux", Architecture: arch}))
	if err != nil {
		t.Fatal(err)
	}
	pulledDigest, err := pulled.Digest()
	if err != nil {
		t.Fatal(err)
	}
	referrers, err := remote.Referrers(reference.Context().Digest(pulledDigest.String()))
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := referrers.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	if len(manifest.Manifests) != 1 || manifest.Manifests[0].ArtifactType != "application/spdx+json" {
		t.Fatalf("what refers to the image: %+v", manifest.Manifests)
	}
	artifact, err := remote.Image(reference.Context().Digest(manifest.Manifests[0].Digest.String()))
	if err != nil {
		t.Fatal(err)
	}
	layers, err := artifact.Layers()
	if err != nil || len(layers) != 1 {
		t.Fatalf("%d layers: %v", len(layers), err)
	}
	content, err := layers[0].Compressed()
	if err != nil {
		t.Fatal(err)
	}
	document, err := spdxjson.Read(content)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(document.DocumentName, "integrator-operator "+version) {
		t.Errorf("what refers to the image is %q", document.DocumentName)
	}
	for _, wrong := range []string{"no tag", server.URL, "localhost:1/x@" + digest.String()} {
		if code := run(t.Context(), []string{"push", file, wrong}, io.Discard, io.Discard); code != 1 {
			t.Errorf("push to %s: code %d", wrong, code)
		}
	}
}

func checkPlugin(t *testing.T, files map[string][]byte) {
	t.Helper()
	archiveName := "kubectl-integrator_" + version + "_linux_" + arch + ".tar.gz"
	unzipped, err := gzip.NewReader(bytes.NewReader(files[archiveName]))
	if err != nil {
		t.Fatal(err)
	}
	packed := unpack(t, unzipped)
	if diff := cmp.Diff(map[string]string{"kubectl-integrator": "-rwxr-xr-x", "LICENSE": "-rw-r--r--", "THIRD_PARTY_LICENSES.txt": "-rw-r--r--"}, modes(packed)); diff != "" {
		t.Errorf("files (-want +got)\n%s", diff)
	}
	for _, module := range []string{"Go\n", "sigs.k8s.io/controller-runtime v", "k8s.io/client-go v"} {
		if !strings.Contains(string(packed["THIRD_PARTY_LICENSES.txt"].content), "\n"+module) {
			t.Errorf("the licence of %s is missing", module)
		}
	}
	checkRuns(t, packed["kubectl-integrator"].content, "kubectl-integrator")

	want := fmt.Sprintf(`apiVersion: krew.googlecontainertools.github.com/v1alpha2
kind: Plugin
metadata:
  name: integrator
spec:
  description: |
    Plans, checks and looks after imports of Celigo integrator.io that
    integrator-operator keeps as objects of Kubernetes: plan, lint, diff, status,
    doctor, history, report, adopt, takeover, export, run and others.
  homepage: https://github.com/integrator-operator/integrator-operator
  platforms:
  - bin: kubectl-integrator
    selector:
      matchLabels:
        arch: %s
        os: linux
    sha256: %s
    uri: https://github.com/integrator-operator/integrator-operator/releases/download/%s/%s
  shortDescription: Declare imports of Celigo integrator.io
  version: %s
`, arch, sumOf(t, files, archiveName), version, archiveName, version)
	if diff := cmp.Diff(want, string(files["integrator.yaml"])); diff != "" {
		t.Errorf("manifest of krew (-want +got)\n%s", diff)
	}
}

// sumOf is the checksum of a file, which checkSums holds against the file.
func sumOf(t *testing.T, files map[string][]byte, name string) string {
	t.Helper()
	for line := range strings.Lines(string(files["checksums.txt"])) {
		if sum, ok := strings.CutSuffix(line, "  "+name+"\n"); ok {
			return sum
		}
	}
	t.Fatalf("%s has no checksum", name)
	return ""
}

// checkSBOM holds the list of what the program is made of against what Go recorded in it.
func checkSBOM(t *testing.T, files map[string][]byte) {
	t.Helper()
	document, err := spdxjson.Read(bytes.NewReader(files["integrator-operator_"+version+"_linux_"+arch+".spdx.json"]))
	if err != nil {
		t.Fatal(err)
	}
	if document.SPDXVersion != "SPDX-2.3" || document.CreationInfo.Created != at {
		t.Errorf("%s, created %s", document.SPDXVersion, document.CreationInfo.Created)
	}
	unzipped, err := gzip.NewReader(bytes.NewReader(files["kubectl-integrator_"+version+"_linux_"+arch+".tar.gz"]))
	if err != nil {
		t.Fatal(err)
	}
	info, err := buildinfo.Read(bytes.NewReader(unpack(t, unzipped)["kubectl-integrator"].content))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{info.Main.Path + "@" + version, "stdlib@" + strings.TrimPrefix(info.GoVersion, "go")}
	for _, dependency := range info.Deps {
		want = append(want, dependency.Path+"@"+dependency.Version)
	}
	var got []string
	ids := map[string]bool{}
	for _, part := range document.Packages {
		got = append(got, strings.TrimPrefix(part.PackageExternalReferences[0].Locator, "pkg:golang/"))
		ids[string(part.PackageSPDXIdentifier)] = true
	}
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("modules (-want +got)\n%s", diff)
	}
	if len(ids) != len(got) || len(got) < 30 {
		t.Errorf("%d ids of %d packages", len(ids), len(got))
	}
	for _, relation := range document.Relationships {
		if from := string(relation.RefA.ElementRefID); from != "DOCUMENT" && !ids[from] || !ids[string(relation.RefB.ElementRefID)] {
			t.Errorf("a relation of what is not in the document: %+v", relation)
		}
	}
}

// TestUsage: what is called wrongly does nothing.
func TestUsage(t *testing.T) {
	for _, tc := range []struct {
		reason string
		args   []string
		code   int
		says   string
	}{
		{"nothing", nil, 2, "Usage:"},
		{"another command", []string{"publish", "x"}, 2, "Usage:"},
		{"no file", []string{"image"}, 2, "Usage:"},
		{"a flag that there is not", []string{"image", "--tag=x", "y"}, 2, "flag provided but not defined: -tag"},
		{"no name of the image", []string{"image", "x"}, 1, "error: --repository has to name the image\n"},
		{"a platform that is not released", []string{"image", "--repository=x", "--platforms=plan9/386", "x"}, 1, `error: "plan9/386" is none of the platforms of a release: [linux/amd64 `},
		{"no version", []string{"all", "--repository=x", "x"}, 1, "error: a release needs a version, such as VERSION=v0.1.0\n"},
		{"no image to push", []string{"push", "none.tar", "localhost:1/x:y"}, 1, "error: none.tar: open none.tar: "},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			var output strings.Builder
			if code := run(t.Context(), tc.args, &output, &output); code != tc.code || !strings.Contains(output.String(), tc.says) {
				t.Errorf("code %d, want %d and %q: %s", code, tc.code, tc.says, output.String())
			}
		})
	}
}
