// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package mutant

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const sample = `package sample

import "fmt"

type thing struct{ name string }

func (t *thing) show(n int) string {
	// Why.
	if n == limit {
		return fmt.Sprint(t.name, n)
	}
	other := thing{name: "other"}
	return other.name
}

func show() {}
`

func TestApply(t *testing.T) {
	tests := []struct {
		name string
		edit Edit
		// old and new are what differs; reason is the error.
		old, new, reason string
	}{
		{name: "a call", edit: Edit{Find: Call("Sprint"), With: `$recv.Sprintln($2, $1)`}, old: `fmt.Sprint(t.name, n)`, new: `fmt.Sprintln(n, t.name)`},
		{name: "a call with its function", edit: Edit{Find: Call("Sprint"), With: `$fun($1)`}, old: `fmt.Sprint(t.name, n)`, new: `fmt.Sprint(t.name)`},
		{name: "an argument", edit: Edit{Find: Argument("Sprint", 2), With: `1`}, old: `(t.name, n)`, new: `(t.name, 1)`},
		{name: "a comparison", edit: Edit{Find: Comparison("limit"), With: `false`}, old: `n == limit`, new: `false`},
		{name: "a key", edit: Edit{Find: Key("name"), With: `title`}, old: `{name:`, new: `{title:`},
		{name: "a value", edit: Edit{Find: Value("name"), With: `""`}, old: `{name: "other"}`, new: `{name: ""}`},
		{name: "an assignment", edit: Edit{Find: Assignment("other"), With: `other := *t`}, old: `other := thing{name: "other"}`, new: `other := *t`},
		{name: "a statement that is deleted", edit: Edit{Find: Statement(Call("Sprint"))}, old: "\t\treturn fmt.Sprint(t.name, n)\n", new: "\n"},
		{name: "the first statement", edit: Edit{Find: FirstStatement(), With: "n++\n$0"}, old: "\tif n", new: "\tn++\n\tif n"},
		{name: "an import", edit: Edit{Find: Mention("limit"), With: `os.Getpid()`, Imports: []string{"os"}}, old: "limit", new: "os.Getpid()"},
		{name: "nothing", edit: Edit{Find: Call("Print")}, reason: "there are 0 places with a call of Print, one is wanted"},
		{name: "several places", edit: Edit{Find: Mention("name")}, reason: "there are 3 places with a mention of name, one is wanted"},
		{name: "another function", edit: Edit{Function: "show", Find: Call("Sprint")}, reason: "there are 0 places"},
		{name: "no such function", edit: Edit{Function: "other.show", Find: Call("Sprint")}, reason: "there are 0 such functions, one is wanted"},
		{name: "no Go", edit: Edit{Find: Comparison("limit"), With: `if`}, reason: "the changed file is not Go"},
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "sample.go"), []byte(sample), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.edit.Package = "."
			if tt.edit.Function == "" {
				tt.edit.Function = "thing.show"
			}
			m := Mutant{Name: "one", Edits: []Edit{tt.edit}}
			files, err := m.Apply(dir)
			if tt.reason != "" {
				if err == nil || !strings.Contains(err.Error(), tt.reason) {
					t.Errorf("error %v, want %q", err, tt.reason)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			want := strings.Replace(sample, tt.old, tt.new, 1)
			if len(tt.edit.Imports) > 0 {
				want = strings.Replace(want, "package sample\n", "package sample\n\nimport \"os\"\n", 1)
			}
			if diff := cmp.Diff(want, string(files["sample.go"])); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestEditsOfOneFileAddUp(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "sample.go"), []byte(sample), 0o600); err != nil {
		t.Fatal(err)
	}
	m := Mutant{Edits: []Edit{
		{Package: ".", Function: "thing.show", Find: Comparison("limit"), With: "n == maximum"},
		{Package: ".", Function: "thing.show", Find: Mention("maximum"), With: "1"},
	}}
	files, err := m.Apply(dir)
	if err != nil {
		t.Fatal(err)
	}
	if got := string(files["sample.go"]); !strings.Contains(got, "if n == 1 {") {
		t.Error(got)
	}
}
