// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package assets makes the files of a release: manifests, chart, image, plug-in of kubectl, and what
// says how they were made.
package assets

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/integrator-operator/integrator-operator/hack/release/archive"
	"github.com/integrator-operator/integrator-operator/hack/release/image"
	"github.com/integrator-operator/integrator-operator/hack/release/sbom"
	"github.com/integrator-operator/integrator-operator/hack/release/source"
)

// Options say what is released.
type Options struct {
	// Source is the directory of the checkout.
	Source string
	Stamp  source.Stamp
	// Repository is where the image will be, without a tag.
	Repository string
	Platforms  []source.Platform
	// Authorities is the module that the image has its certificate authorities from.
	Authorities debug.Module
	// Log gets a line for each step.
	Log io.Writer
}

// Image is the image's name with the version as its tag.
func (o *Options) Image() string { return o.Repository + ":" + o.Stamp.Version }

// Download is the URL of the release's files.
func (o *Options) Download() string { return source.URL + "/releases/download/" + o.Stamp.Version }

// program is the manager, built for a platform.
type program struct {
	platform       source.Platform
	path           string
	sbom, licenses []byte
}

// build builds the programs into a directory.
func (o *Options) build(ctx context.Context, into string) (programs []program, err error) {
	for _, platform := range o.Platforms {
		fmt.Fprintf(o.Log, "building for %s\n", platform)
		p := program{platform: platform}
		if p.path, err = source.Build(ctx, o.Source, o.Stamp, platform, into); err != nil {
			return nil, err
		}
		if p.sbom, err = sbom.Of(p.path, o.Stamp, platform); err != nil {
			return nil, err
		}
		if p.licenses, err = sbom.Licenses(ctx, o.Source, platform); err != nil {
			return nil, err
		}
		programs = append(programs, p)
	}
	return programs, nil
}

// WriteImage builds the manager for the platforms with Linux, and writes the image of them to a file.
func WriteImage(ctx context.Context, o Options, file string) error {
	work, err := os.MkdirTemp("", "integrator-release-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(work) }()
	programs, err := o.build(ctx, work)
	if err != nil {
		return err
	}
	_, err = o.writeImage(programs, file)
	return err
}

func (o *Options) writeImage(programs []program, file string) (v1.Hash, error) {
	license, err := os.ReadFile(filepath.Join(o.Source, "LICENSE"))
	if err != nil {
		return v1.Hash{}, err
	}
	var parts []image.Part
	for _, p := range programs {
		if p.platform.OS != "linux" {
			continue
		}
		// The image has more than the program.
		document, err := sbom.Of(p.path, o.Stamp, p.platform, o.Authorities)
		if err != nil {
			return v1.Hash{}, err
		}
		parts = append(parts, image.Part{Platform: p.platform, Program: p.path, SBOM: document, Licenses: p.licenses, License: license})
	}
	if len(parts) == 0 {
		return v1.Hash{}, errors.New("an image needs a platform with Linux")
	}
	fmt.Fprintln(o.Log, "making the image")
	index, err := image.Index(o.Stamp, parts)
	if err != nil {
		return v1.Hash{}, err
	}
	if err := image.Write(file, o.Stamp.Date, index, o.Image()); err != nil {
		return v1.Hash{}, err
	}
	return index.Digest()
}

// Release makes all files of a release in an empty directory, or in one that it makes. If it fails,
// the directory stays empty.
func Release(ctx context.Context, o Options, into string) error {
	if err := os.MkdirAll(into, 0o755); err != nil {
		return err
	}
	switch old, err := os.ReadDir(into); {
	case err != nil:
		return err
	case len(old) > 0:
		return fmt.Errorf("%s is not empty: remove what is in it, or name another directory with RELEASE_DIR", into)
	}
	// What fails quickly comes before what takes minutes.
	notes, err := Notes(o.Source, o.Stamp)
	if err != nil {
		return err
	}
	work, err := os.MkdirTemp("", "integrator-release-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(work) }()
	programs, err := o.build(ctx, work)
	if err != nil {
		return err
	}
	made := filepath.Join(work, "files")
	if err := os.Mkdir(made, 0o755); err != nil {
		return err
	}
	if err := o.write(programs, made, notes); err != nil {
		return err
	}
	return os.CopyFS(into, os.DirFS(made))
}

// write writes all files of the release.
func (o *Options) write(programs []program, into string, notes []byte) error {
	save := func(name string, content []byte) error {
		return os.WriteFile(filepath.Join(into, name), content, 0o644)
	}

	digest, err := o.writeImage(programs, filepath.Join(into, "integrator-operator_"+o.Stamp.Version+"_image.tar"))
	if err != nil {
		return err
	}
	install, err := o.manifests(digest)
	if err != nil {
		return err
	}
	chart, err := o.chart()
	if err != nil {
		return err
	}
	var plugins []pluginArchive
	for _, p := range programs {
		if err := save("integrator-operator_"+o.Stamp.Version+"_"+p.platform.OS+"_"+p.platform.Arch+".spdx.json", p.sbom); err != nil {
			return err
		}
		made, err := o.plugin(p)
		if err != nil {
			return err
		}
		plugins = append(plugins, made)
		if err := save(made.name, made.content); err != nil {
			return err
		}
	}
	krew, err := o.krew(plugins)
	if err != nil {
		return err
	}
	files := map[string][]byte{"install.yaml": install, "integrator.yaml": krew, "release-notes.md": notes}
	if chart != nil {
		files["integrator-operator-"+o.Stamp.Bare()+".tgz"] = chart
	}
	for name, content := range files {
		if err := save(name, content); err != nil {
			return err
		}
	}
	return writeChecksums(into)
}

// writeChecksums writes the file that "sha256sum --check" reads, of all files in a directory.
func writeChecksums(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	var sums strings.Builder
	for _, entry := range entries {
		content, err := os.ReadFile(filepath.Join(dir, entry.Name()))
		if err != nil {
			return err
		}
		fmt.Fprintf(&sums, "%s  %s\n", checksum(content), entry.Name())
	}
	return os.WriteFile(filepath.Join(dir, "checksums.txt"), []byte(sums.String()), 0o644)
}

func checksum(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

// pluginArchive is the plug-in of kubectl for a platform: the manager under another name.
type pluginArchive struct {
	platform      source.Platform
	name, program string
	content       []byte
}

func (o *Options) plugin(p program) (pluginArchive, error) {
	made := pluginArchive{platform: p.platform, program: "kubectl-integrator"}
	license, err := os.ReadFile(filepath.Join(o.Source, "LICENSE"))
	if err != nil {
		return made, err
	}
	made.name = "kubectl-integrator_" + o.Stamp.Version + "_" + p.platform.OS + "_" + p.platform.Arch
	var out bytes.Buffer
	write := archive.TarGz
	if p.platform.OS == "windows" {
		made.program += ".exe"
		made.name += ".zip"
		write = archive.Zip
	} else {
		made.name += ".tar.gz"
	}
	err = write(&out, o.Stamp.Date, []archive.Entry{
		{Name: made.program, Mode: 0o755, Path: p.path},
		archive.File("LICENSE", license), archive.File("THIRD_PARTY_LICENSES.txt", p.licenses),
	})
	made.content = out.Bytes()
	return made, err
}
