// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"errors"
	"io"
	"io/fs"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var (
	at      = time.Date(2026, 1, 2, 3, 4, 5, 678, time.FixedZone("", 7200))
	entries = []Entry{{Name: "b/c/program", Mode: 0o755, Data: []byte("run")}, File("b/a.txt", []byte("text")), File("z", nil)}
)

// TestTar: the order, the directories above, and nothing of who made it.
func TestTar(t *testing.T) {
	var out bytes.Buffer
	if err := Tar(&out, at, entries); err != nil {
		t.Fatal(err)
	}
	var got []string
	for reader := tar.NewReader(bytes.NewReader(out.Bytes())); ; {
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
		got = append(got, header.FileInfo().Mode().String()+" "+header.Name+" "+string(content))
		if !header.ModTime.Equal(at.Truncate(time.Second)) || header.Uid != 0 || header.Uname != "" {
			t.Errorf("%s: of %s, uid %d %q", header.Name, header.ModTime, header.Uid, header.Uname)
		}
	}
	want := []string{"drwxr-xr-x b/ ", "-rw-r--r-- b/a.txt text", "drwxr-xr-x b/c/ ", "-rwxr-xr-x b/c/program run", "-rw-r--r-- z "}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestZip: the plug-in for Windows.
func TestZip(t *testing.T) {
	var out bytes.Buffer
	if err := Zip(&out, at, entries); err != nil {
		t.Fatal(err)
	}
	reader, err := zip.NewReader(bytes.NewReader(out.Bytes()), int64(out.Len()))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, file := range reader.File {
		got = append(got, file.Mode().String()+" "+file.Name)
		if !file.Modified.Equal(at.Truncate(time.Second)) {
			t.Errorf("%s: of %s", file.Name, file.Modified)
		}
	}
	if diff := cmp.Diff([]string{"-rw-r--r-- b/a.txt", "-rwxr-xr-x b/c/program", "-rw-r--r-- z"}, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestTheSame: neither the order of the entries nor the zone of the time changes an archive.
func TestTheSame(t *testing.T) {
	for name, write := range map[string]func(io.Writer, time.Time, []Entry) error{"tar": Tar, "tar.gz": TarGz, "zip": Zip} {
		var first, second bytes.Buffer
		turned := slices.Clone(entries)
		slices.Reverse(turned)
		if err := errors.Join(write(&first, at, entries), write(&second, at.UTC(), turned)); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(first.Bytes(), second.Bytes()) {
			t.Errorf("%s differs", name)
		}
	}
}

// TestRefuses: names that lead elsewhere, or are there twice.
func TestRefuses(t *testing.T) {
	for _, names := range [][]string{{"/etc/passwd"}, {"../x"}, {"a", "a"}, {"a/"}, {""}} {
		var wrong []Entry
		for _, name := range names {
			wrong = append(wrong, File(name, nil))
		}
		if err := errors.Join(Tar(io.Discard, at, wrong)); err == nil {
			t.Errorf("%q was taken", names)
		}
	}
	if err := Tar(io.Discard, at, []Entry{{Name: "x", Path: "/nowhere"}}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file that there is not: %v", err)
	}
}
