// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package sbom

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestReadTexts: which files of a directory are licences, and that a text is there once.
func TestReadTexts(t *testing.T) {
	first, second := t.TempDir(), t.TempDir()
	for path, content := range map[string]string{
		filepath.Join(first, "LICENSE"):      "MIT\r\n",
		filepath.Join(first, "NOTICE.txt"):   "A notice",
		filepath.Join(first, "license.go"):   "package license",
		filepath.Join(first, "licensing"):    "no",
		filepath.Join(first, "README.md"):    "no",
		filepath.Join(second, "COPYING-BSD"): "BSD",
		filepath.Join(second, "License.md"):  "MIT",
	} {
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	owners := map[string][]string{}
	for dir, name := range map[string]string{first: "one v1", second: "two v2"} {
		if count, err := readTexts(dir, name, owners); count != 2 || err != nil {
			t.Errorf("%s: %d licences: %v", name, count, err)
		}
	}
	for _, names := range owners {
		if len(names) == 2 && names[0] == "two v2" { // the order of the map
			names[0], names[1] = names[1], names[0]
		}
	}
	want := map[string][]string{"MIT": {"one v1", "two v2"}, "A notice": {"one v1"}, "BSD": {"two v2"}}
	if diff := cmp.Diff(want, owners); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	const line = "================================================================================\n"
	text := "The licences and notices of what this program is made of.\n\n" + line + "one v1\n\nA notice\n\n" + line + "one v1\ntwo v2\n\nMIT\n\n" + line + "two v2\n\nBSD\n"
	if diff := cmp.Diff(text, string(render(owners))); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
