// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package archive writes tar and zip files that depend on nothing but their entries and one time: no
// owner, no time of a file, no order of a directory.
package archive

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"cmp"
	"compress/gzip"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"time"
)

// Entry is a file or, with a mode that says so, a directory.
type Entry struct {
	// Name is its path, with slashes, and without one at the end.
	Name string
	Mode fs.FileMode
	// Data is what a file has. Path names the file to read it from instead.
	Data []byte
	Path string
}

// File is an entry that everybody may read.
func File(name string, data []byte) Entry { return Entry{Name: name, Mode: 0o644, Data: data} }

// content reads what the entry has.
func (e *Entry) content() ([]byte, error) {
	if e.Path == "" {
		return e.Data, nil
	}
	return os.ReadFile(e.Path)
}

// complete gives the entries with the directories above them, sorted: parents come first.
func complete(entries []Entry) ([]Entry, error) {
	named := map[string]bool{}
	for _, entry := range entries {
		if named[entry.Name] || !fs.ValidPath(entry.Name) {
			return nil, fmt.Errorf("entry %q is there twice, or is no path", entry.Name)
		}
		named[entry.Name] = true
	}
	all := slices.Clone(entries)
	for _, entry := range entries {
		for dir := path.Dir(entry.Name); dir != "." && !named[dir]; dir = path.Dir(dir) {
			named[dir] = true
			all = append(all, Entry{Name: dir, Mode: fs.ModeDir | 0o755})
		}
	}
	slices.SortFunc(all, func(a, b Entry) int { return strings.Compare(a.Name, b.Name) })
	return all, nil
}

// Tar writes entries, which belong to root, with the directories above them.
func Tar(out io.Writer, at time.Time, entries []Entry) error {
	all, err := complete(entries)
	if err != nil {
		return err
	}
	writer := tar.NewWriter(out)
	for _, entry := range all {
		data, err := entry.content()
		if err != nil {
			return err
		}
		header := &tar.Header{
			Typeflag: tar.TypeReg, Name: entry.Name, Size: int64(len(data)), Mode: int64(entry.Mode.Perm()), ModTime: at.UTC().Truncate(time.Second), Format: tar.FormatUSTAR,
		}
		if entry.Mode.IsDir() {
			header.Typeflag, header.Name = tar.TypeDir, entry.Name+"/"
		}
		if err := writer.WriteHeader(header); err != nil {
			return fmt.Errorf("%s: %w", entry.Name, err)
		}
		if _, err := writer.Write(data); err != nil {
			return fmt.Errorf("%s: %w", entry.Name, err)
		}
	}
	return writer.Close()
}

// TarGz writes entries as Tar does, compressed.
func TarGz(out io.Writer, at time.Time, entries []Entry) error {
	// The writer's header is empty: no name and no time.
	compressed, err := gzip.NewWriterLevel(out, gzip.BestCompression)
	if err != nil {
		return err
	}
	return cmp.Or(Tar(compressed, at, entries), compressed.Close())
}

// Zip writes entries without directories.
func Zip(out io.Writer, at time.Time, entries []Entry) error {
	sorted, err := complete(entries)
	if err != nil {
		return err
	}
	writer := zip.NewWriter(out)
	for _, entry := range sorted {
		if entry.Mode.IsDir() {
			continue
		}
		data, err := entry.content()
		if err != nil {
			return err
		}
		header := &zip.FileHeader{Name: entry.Name, Method: zip.Deflate, Modified: at.UTC()}
		header.SetMode(entry.Mode)
		file, err := writer.CreateHeader(header)
		if err != nil {
			return err
		}
		if _, err := io.Copy(file, bytes.NewReader(data)); err != nil {
			return err
		}
	}
	return writer.Close()
}
