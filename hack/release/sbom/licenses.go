// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package sbom

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/integrator-operator/integrator-operator/hack/release/source"
)

var licenseFile = regexp.MustCompile(`(?i)^(licen[cs]e|copying|notice|patents)([-_.].*)?$`)

// Licenses gives the texts of the licences and notices of everything that the program of a platform
// has: who passes it on has to pass them on too. A module without any is an error.
func Licenses(ctx context.Context, dir string, p source.Platform) ([]byte, error) {
	used, err := source.Packages(ctx, dir, p)
	if err != nil {
		return nil, err
	}
	root, err := source.GoRoot(ctx, dir)
	if err != nil {
		return nil, err
	}
	// Who has each text, by the text.
	owners := map[string][]string{}
	seen := map[string]int{}
	read := func(name, directory, top string) error {
		for ; ; directory = filepath.Dir(directory) {
			count, known := seen[directory]
			if !known {
				if count, err = readTexts(directory, name, owners); err != nil {
					return err
				}
				seen[directory] = count
			}
			if directory != top {
				continue
			}
			if count == 0 {
				return fmt.Errorf("%s has no file with its licence in %s", name, top)
			}
			return nil
		}
	}
	if err := read("Go", root, root); err != nil {
		return nil, err
	}
	for _, part := range used {
		if err := read(part.Module+" "+part.Version, part.Dir, part.ModuleDir); err != nil {
			return nil, err
		}
	}
	return render(owners), nil
}

// readTexts notes the licences of a directory, and counts them.
func readTexts(directory, name string, owners map[string][]string) (count int, err error) {
	entries, err := os.ReadDir(directory)
	if err != nil {
		return 0, err
	}
	for _, entry := range entries {
		// A file such as license.go is code.
		if entry.IsDir() || filepath.Ext(entry.Name()) == ".go" || !licenseFile.MatchString(entry.Name()) {
			continue
		}
		text, err := os.ReadFile(filepath.Join(directory, entry.Name()))
		if err != nil {
			return 0, err
		}
		count++
		key := strings.TrimSpace(strings.ReplaceAll(string(text), "\r\n", "\n"))
		if !slices.Contains(owners[key], name) {
			owners[key] = append(owners[key], name)
		}
	}
	return count, nil
}

// render writes each text once, below the names of those that have it.
func render(owners map[string][]string) []byte {
	blocks := slices.SortedFunc(maps.Keys(owners), func(a, b string) int {
		return cmp.Or(slices.Compare(owners[a], owners[b]), strings.Compare(a, b))
	})
	var out bytes.Buffer
	fmt.Fprintln(&out, "The licences and notices of what this program is made of.")
	for _, text := range blocks {
		fmt.Fprintf(&out, "\n%s\n%s\n\n%s\n", strings.Repeat("=", 80), strings.Join(owners[text], "\n"), text)
	}
	return out.Bytes()
}
