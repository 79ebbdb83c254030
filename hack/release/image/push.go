// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package image

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/integrator-operator/integrator-operator/hack/release/sbom"
)

// Read unpacks an OCI archive into a directory, and returns the image that it has.
func Read(file, into string) (v1.ImageIndex, error) {
	if err := unpack(file, into); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	all, err := layout.ImageIndexFromPath(into)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	manifest, err := all.IndexManifest()
	if err != nil {
		return nil, err
	}
	if len(manifest.Manifests) != 1 {
		return nil, fmt.Errorf("%s has %d images, want one", file, len(manifest.Manifests))
	}
	return all.ImageIndex(manifest.Manifests[0].Digest)
}

func unpack(file, into string) error {
	in, err := os.Open(file)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }() // only read
	root, err := os.OpenRoot(into)
	if err != nil {
		return err
	}
	defer func() { _ = root.Close() }() // a directory
	for reader := tar.NewReader(in); ; {
		header, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if header.Typeflag != tar.TypeReg {
			continue
		}
		if err := root.MkdirAll(filepath.Dir(header.Name), 0o755); err != nil {
			return err
		}
		content, err := io.ReadAll(reader)
		if err != nil {
			return err
		}
		if err := root.WriteFile(header.Name, content, 0o644); err != nil {
			return err
		}
	}
}

// Push writes an image to a registry, and to each of its platforms' images what that is made of, as
// something that refers to it. It returns the image's name with its digest. Who may push is read
// where "docker login" and others keep it.
func Push(ctx context.Context, index v1.ImageIndex, to string) (pushed string, err error) {
	target, err := name.NewTag(to, name.StrictValidation)
	if err != nil {
		return "", err
	}
	options := []remote.Option{remote.WithContext(ctx), remote.WithAuthFromKeychain(authn.DefaultKeychain)}
	if err := remote.WriteIndex(target, index, options...); err != nil {
		return "", err
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		return "", err
	}
	for _, descriptor := range manifest.Manifests {
		img, err := index.Image(descriptor.Digest)
		if err != nil {
			return "", err
		}
		referrer, err := referrerOf(img, descriptor)
		if err != nil {
			return "", err
		}
		digest, err := referrer.Digest()
		if err != nil {
			return "", err
		}
		if err := remote.Write(target.Digest(digest.String()), referrer, options...); err != nil {
			return "", err
		}
	}
	digest, err := index.Digest()
	return target.Name() + "@" + digest.String(), err
}

// referrerOf is an artifact with the list of what an image is made of.
func referrerOf(img v1.Image, subject v1.Descriptor) (v1.Image, error) {
	document, err := fileOf(img, sbomFile)
	if err != nil {
		return nil, err
	}
	artifact := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), sbom.MediaType)
	artifact, err = mutate.Append(artifact, mutate.Addendum{Layer: static.NewLayer(document, sbom.MediaType), MediaType: sbom.MediaType})
	if err != nil {
		return nil, err
	}
	subject.Platform = nil
	made, ok := mutate.Subject(artifact, subject).(v1.Image)
	if !ok {
		return nil, errors.New("an image that refers to another is no image")
	}
	return made, nil
}

// fileOf reads a file of an image.
func fileOf(img v1.Image, path string) ([]byte, error) {
	files := mutate.Extract(img)
	defer func() { _ = files.Close() }() // only read
	for reader := tar.NewReader(files); ; {
		header, err := reader.Next()
		if err != nil {
			return nil, fmt.Errorf("the image has no %s: %w", path, err)
		}
		if header.Name == path {
			return io.ReadAll(reader)
		}
	}
}
