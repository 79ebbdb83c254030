// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package image makes the image of the manager without a container engine and without a base image:
// the program, certificate authorities, a user, the licences and the list of what it is made of.
package image

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
	digest "github.com/opencontainers/go-digest"
	versions "github.com/opencontainers/image-spec/specs-go"
	specs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/integrator-operator/integrator-operator/hack/release/archive"
	"github.com/integrator-operator/integrator-operator/hack/release/source"
)

const (
	// documents is the directory of the image for what is read and not run.
	documents = "usr/share/doc/integrator-operator"
	sbomFile  = documents + "/sbom.spdx.json"
	user      = "65532"

	passwd = "root:x:0:0:root:/:/sbin/nologin\nnobody:x:65534:65534:nobody:/:/sbin/nologin\nnonroot:x:" + user + ":" + user + ":nonroot:/:/sbin/nologin\n"
	group  = "root:x:0:\nnobody:x:65534:\nnonroot:x:" + user + ":\n"
)

// Part is what differs between the platforms of an image.
type Part struct {
	Platform source.Platform
	// Program is the path of the manager that was built for the platform.
	Program        string
	SBOM, Licenses []byte
	// License is the text of this project's own licence.
	License []byte
}

// Index makes the image of all platforms.
func Index(s source.Stamp, parts []Part) (v1.ImageIndex, error) {
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for _, part := range parts {
		img, err := single(s, part)
		if err != nil {
			return nil, err
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{
			Add: img, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: part.Platform.OS, Architecture: part.Platform.Arch}},
		})
	}
	return canonicalOf(mutate.Annotations(index, labels(s)).(v1.ImageIndex))
}

// canonical is an index in the form in which most tools write one: those that write it anew when they
// copy it then keep its digest, which manifests name.
type canonical struct {
	index
	raw []byte
}

// index has a name that is none of its methods'.
type index = v1.ImageIndex

func (c canonical) RawManifest() ([]byte, error) { return c.raw, nil }
func (c canonical) Digest() (v1.Hash, error)     { return partial.Digest(c) }
func (c canonical) Size() (int64, error)         { return partial.Size(c) }

func canonicalOf(made v1.ImageIndex) (v1.ImageIndex, error) {
	manifest, err := made.IndexManifest()
	if err != nil {
		return nil, err
	}
	written := specs.Index{
		Versioned: versions.Versioned{SchemaVersion: 2}, MediaType: specs.MediaTypeImageIndex, Annotations: manifest.Annotations,
	}
	for _, img := range manifest.Manifests {
		written.Manifests = append(written.Manifests, specs.Descriptor{
			MediaType: string(img.MediaType), Digest: digest.Digest(img.Digest.String()), Size: img.Size,
			Platform: &specs.Platform{Architecture: img.Platform.Architecture, OS: img.Platform.OS},
		})
	}
	raw, err := json.Marshal(written)
	return canonical{made, raw}, err
}

// labels are what OCI has names for.
func labels(s source.Stamp) map[string]string {
	return map[string]string{
		"org.opencontainers.image.title":         "integrator-operator",
		"org.opencontainers.image.description":   "Keeps the imports of Celigo integrator.io accounts as they are declared in Kubernetes",
		"org.opencontainers.image.version":       s.Version,
		"org.opencontainers.image.revision":      s.Commit,
		"org.opencontainers.image.created":       s.RFC3339(),
		"org.opencontainers.image.source":        source.URL,
		"org.opencontainers.image.url":           source.URL,
		"org.opencontainers.image.documentation": source.URL + "/blob/main/README.md",
		"org.opencontainers.image.licenses":      "Apache-2.0",
		"org.opencontainers.image.vendor":        "The integrator-operator Authors",
	}
}

// single makes the image of a platform.
func single(s source.Stamp, part Part) (v1.Image, error) {
	authorities, err := roots()
	if err != nil {
		return nil, err
	}
	img := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	img, err = mutate.ConfigFile(img, &v1.ConfigFile{
		OS: part.Platform.OS, Architecture: part.Platform.Arch, Author: "The integrator-operator Authors", Created: v1.Time{Time: s.Date.UTC()},
		Config: v1.Config{
			User: user + ":" + user, WorkingDir: "/", Entrypoint: []string{"/manager"}, Labels: labels(s),
			// So that "kubectl exec ... -- manager version" finds it.
			Env: []string{"PATH=/"},
		},
		RootFS: v1.RootFS{Type: "layers"},
	})
	if err != nil {
		return nil, err
	}
	// What changes least comes first: registries and nodes keep layers that they have.
	for _, layer := range []struct {
		comment string
		entries []archive.Entry
	}{
		{"a user and certificate authorities", []archive.Entry{
			archive.File("etc/passwd", []byte(passwd)), archive.File("etc/group", []byte(group)),
			archive.File("etc/ssl/certs/ca-certificates.crt", authorities),
		}},
		{"licences and the list of modules", []archive.Entry{
			archive.File(documents+"/LICENSE", part.License), archive.File(documents+"/THIRD_PARTY_LICENSES.txt", part.Licenses), archive.File(sbomFile, part.SBOM),
		}},
		{"the manager", []archive.Entry{{Name: "manager", Mode: 0o755, Path: part.Program}}},
	} {
		if img, err = appendLayer(img, s, layer.comment, layer.entries); err != nil {
			return nil, err
		}
	}
	return mutate.Annotations(img, labels(s)).(v1.Image), nil
}

func appendLayer(img v1.Image, s source.Stamp, comment string, entries []archive.Entry) (v1.Image, error) {
	// Files have the first second that a tar can have: a layer that does not change stays the same in
	// the next release.
	var content bytes.Buffer
	if err := archive.Tar(&content, time.Unix(0, 0), entries); err != nil {
		return nil, err
	}
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(content.Bytes())), nil
	}, tarball.WithMediaType(types.OCILayer), tarball.WithCompressionLevel(6), tarball.WithCompressedCaching)
	if err != nil {
		return nil, err
	}
	return mutate.Append(img, mutate.Addendum{
		Layer: layer, MediaType: types.OCILayer,
		History: v1.History{Created: v1.Time{Time: s.Date.UTC()}, CreatedBy: "hack/release", Comment: comment},
	})
}

// Write writes an image to a file as an OCI archive: the tar of an OCI layout, with the name that it
// has where it is loaded.
func Write(file string, at time.Time, index v1.ImageIndex, name string) (err error) {
	dir, err := os.MkdirTemp("", "integrator-image-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	written, err := layout.Write(dir, empty.Index)
	if err != nil {
		return err
	}
	if err := written.AppendIndex(index, layout.WithAnnotations(map[string]string{
		"org.opencontainers.image.ref.name": tagOf(name), "io.containerd.image.name": name,
	})); err != nil {
		return err
	}
	var entries []archive.Entry
	if err := filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name, err := filepath.Rel(dir, path)
		entries = append(entries, archive.Entry{Name: filepath.ToSlash(name), Mode: 0o644, Path: path})
		return err
	}); err != nil {
		return err
	}
	out, err := os.Create(file)
	if err != nil {
		return err
	}
	if err := archive.Tar(out, at, entries); err != nil {
		_ = out.Close()
		return err
	}
	return out.Close()
}

// tagOf is the tag of a name, which follows the last colon unless that is a port's.
func tagOf(name string) string {
	at := strings.LastIndexByte(name, ':')
	if at < 0 || strings.Contains(name[at:], "/") {
		return "latest"
	}
	return name[at+1:]
}
