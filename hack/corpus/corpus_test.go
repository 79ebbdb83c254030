// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/integrator-operator/integrator-operator/internal/simulator/document"
)

func TestRead(t *testing.T) {
	dir := t.TempDir()
	const good = `{"name": "n", "_connectionId": "64a0000000000000000000a1", "http": {}}`
	for name, content := range map[string]string{
		"one.json": good, "below/two.json": "[" + good + ", 5, " + good + "]", "broken.json": "{", "other.txt": good,
		"nameless.json": `{"name": " ", "_connectionId": "x"}`, "loose.json": `{"name": "n", "http": {}}`,
		"agent.json": `{"name": "n", "adaptorType": "AiAgentImport", "aiAgent": {}}`,
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	samples, unread, err := read(options{dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	var files []string
	for _, s := range samples {
		files = append(files, s.file)
	}
	if diff := cmp.Diff([]string{"agent.json", "below/two.json[0]", "below/two.json[2]", "one.json"}, files); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]apart{
		{"below/two.json[1]", "it is no JSON object"}, {"broken.json", "the file is not JSON"},
		{"loose.json", "it has no _connectionId"}, {"nameless.json", "it has no name"},
	}, unread, cmp.AllowUnexported(apart{})); diff != "" {
		t.Error(diff)
	}
	if samples, _, err = read(options{dir: dir, limit: 2}); err != nil || len(samples) != 2 {
		t.Errorf("%d documents of the first 2, %v", len(samples), err)
	}
	if _, _, err = read(options{dir: filepath.Join(dir, "nowhere")}); err == nil {
		t.Error("a directory that does not exist is read")
	}
}

// TestReport: causes are grouped, whatever the values, and no value is printed.
func TestReport(t *testing.T) {
	r := &report{read: 9, changed: map[string]int{pasted: 1}, apart: []apart{{"z.json", "it has no name"}}, times: []spent{{"export", time.Second}}}
	for _, way := range []string{adopted, adopted, pasted} {
		r.checked(way)
	}
	r.add(adopted, "a.json", "AdoptionMismatch", `import 64a0000000000000000000a1 ("Secret name") differs: /a (declared "x", remote "y")`, []string{"/a/3/b", "/a/4/b"})
	r.add(adopted, "b.json", "AdoptionMismatch", `import 64a0000000000000000000a2 ("Other \" name") differs: /a (declared 1, remote 2)`, []string{"/a/0/b"})
	r.add(pasted, "c.json", refusedByKubernetes, "spec.definition: Invalid value: 'x'", nil)
	var out bytes.Buffer
	r.print(&out)
	want := `
9 documents were read, 1 are counted apart.
 adopted: 0 of 2 are in step, 0 were changed on the platform
  copied: 0 of 0 are in step, 0 were changed on the platform
  pasted: 1 of 2 are in step, 1 were changed on the platform

apart, 1: it has no name
  in z.json

Not in step:

2 adopted, AdoptionMismatch: import … (…) differs: /a (…)
    /a/N/b
  in a.json, b.json

1 pasted, refused by Kubernetes: spec.definition: Invalid value: …
  in c.json

Time:
      1s  export
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestTextToChange(t *testing.T) {
	cases := map[string]struct {
		reason           string
		declared, remote document.Document
		want             string
	}{
		"Text":     {"a declared text", document.Document{"name": "n", "description": "d"}, document.Document{"description": "d"}, "/description"},
		"Enum":     {"not one of a closed list, an id, or the user's own data", document.Document{"http": document.Document{"formType": "rest", "_asyncHelperId": "x"}, "settings": document.Document{"a": "b"}}, document.Document{}, ""},
		"Nothing":  {"not one that the import does not have", document.Document{"description": "d"}, document.Document{}, ""},
		"InBlocks": {"one in a block", document.Document{"ftp": document.Document{"directoryPath": "/"}}, document.Document{"ftp": document.Document{"directoryPath": "/"}}, "/ftp/directoryPath"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, textToChange(tc.declared, tc.remote)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}
