// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package page

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// fences are written as ”' here.
func markdown(text string) []byte { return []byte(strings.ReplaceAll(text, "'''", "```")) }

func TestRead(t *testing.T) {
	output := func(text string) *string { return &text }
	for name, tc := range map[string]struct {
		reason, page string
		want         []Block
	}{
		"a block and its output": {
			reason: "a block without a language that follows at once is the output; one after a text is not",
			page:   "'''sh\nkubectl get imports\n'''\n\n'''\nNAME\n'''\n\nText.\n\n'''\nNAME\n'''\n",
			want:   []Block{{Line: 2, Commands: []Command{{Script: "kubectl get imports\n", Output: output("NAME\n"), Again: true}}}},
		},
		"a console": {
			reason: "each prompt is a command, with the lines up to the next one; only what reads is repeated",
			page:   "'''console\n$ kubectl annotate import a b=c\n$ kubectl get import a\nNAME\na\n\n$ kubectl delete import a\ndeleted\n'''\n",
			want: []Block{{Line: 2, Commands: []Command{
				{Script: "kubectl annotate import a b=c\n"},
				{Script: "kubectl get import a\n", Output: output("NAME\na"), Again: true},
				{Script: "kubectl delete import a\n", Output: output("deleted")},
			}}},
		},
		"directives": {
			reason: "comments at once before a block are about it, in their order, also without a line between them",
			page: "<!-- manager: stopped -->\n<!-- before: lost -->\n<!-- manager: --owner-id=prod -->\n\n<!-- a note for the reader of the source -->\n" +
				"<!-- where: NAME=prices\n  RUN=first -->\n<!-- needs: jq gzip -->\n<!-- exit: 2 -->\n<!-- after: synced prices\ntrue -->\n'''bash\nkubectl get import NAME\n'''\n",
			want: []Block{{
				Line: 13, Commands: []Command{{Script: "kubectl get import NAME\n", Again: true}},
				Before: []Step{{Manager: "stopped"}, {Script: "lost"}, {Manager: "--owner-id=prod"}},
				After:  []string{"synced prices\ntrue"}, Needs: []string{"jq", "gzip"}, Exit: 2, Where: [][2]string{{"NAME", "prices"}, {"RUN", "first"}},
			}},
		},
		"a comment that is not at once before it": {
			reason: "a comment before a text is not about the block after the text",
			page:   "<!-- not run: never -->\n\nText.\n\n'''sh\ntrue\n'''\n",
			want:   []Block{{Line: 6, Commands: []Command{{Script: "true\n"}}}},
		},
		"in a list": {
			reason: "a block in a list has no indentation",
			page:   "1. First:\n\n   <!-- not run: it needs\n   a registry -->\n   '''sh\n   for x in a; do\n     echo $x\n   done\n   '''\n",
			want:   []Block{{Line: 6, NotRun: "it needs a registry", Commands: []Command{{Script: "for x in a; do\n  echo $x\ndone\n"}}}},
		},
		"a file, and an output of its own": {
			reason: "yaml is written to a file where a comment names it; an output may name its command",
			page:   "<!-- file: a.yaml -->\n'''yaml\na: b\n'''\n\n'''yaml\nc: d\n'''\n\n<!-- shows: kubectl get events -->\n'''\nUpdated\n'''\n",
			want: []Block{
				{Line: 3, File: "a.yaml"},
				{Line: 12, Commands: []Command{{Script: "kubectl get events", Output: output("Updated\n"), Again: true}}},
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := Read(markdown(tc.page))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, got, cmpopts.IgnoreFields(Block{}, "Content", "shows"), cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("%s: -want, +got\n%s", tc.reason, diff)
			}
		})
	}
}

func TestReadRefuses(t *testing.T) {
	for name, tc := range map[string]struct{ reason, page, want string }{
		"unknown":        {"a comment that is misspelt would have no effect", "<!-- befor: lost -->\n'''sh\ntrue\n'''\n", "line 3: <!-- befor: --> is not known"},
		"empty":          {"a block that is not run has a reason", "<!-- not run: -->\n'''sh\ntrue\n'''\n", "line 3: <!-- not run: --> says nothing"},
		"no pair":        {"a word without what stands for it", "<!-- where: NAME -->\n'''sh\ntrue\n'''\n", `line 3: <!-- where: --> has "NAME", which is not WORD=text`},
		"not run anyway": {"a comment about a block that nothing runs", "<!-- exit: 2 -->\n'''yaml\na: b\n'''\n", `line 3: a comment says how to run a block of the language "yaml", which is not run`},
		"no prompt":      {"a console without a command", "'''console\nNAME\n'''\n", "line 2: a block of console without a prompt, which is \"$ \""},
		"no language":    {"a command in a block that is not run", "'''\n$ kubectl get imports\n'''\n", "line 2: a block with a prompt has the language console"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Read(markdown(tc.page))
			if err == nil || err.Error() != tc.want {
				t.Errorf("%s: got %v, want %s", tc.reason, err, tc.want)
			}
		})
	}
}

func TestReplace(t *testing.T) {
	output := "NAME is NAMES"
	block := Block{Content: "NAME", Commands: []Command{{Script: "get NAME -n NAMESPACE", Output: &output}}, Where: [][2]string{{"NAME", "$1"}, {"NAMESPACE", "test"}}}
	if err := block.Replace(func(text string) string { return "<" + text + ">" }); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"<$1>", "get <$1> -n <test>", "<$1> is NAMES"}, []string{block.Content, block.Commands[0].Script, output}); diff != "" {
		t.Errorf("words are replaced, and no parts of them: -want, +got\n%s", diff)
	}
	if err := block.Replace(strings.ToLower); err == nil {
		t.Error("a word that the block does not have is not refused")
	}
}

func TestMatches(t *testing.T) {
	for name, tc := range map[string]struct {
		reason, shown, output string
		want                  bool
	}{
		"same":             {"the same text", "a (b) [c]\n", "a (b) [c]\n", true},
		"other":            {"a point is no wildcard", "a.b", "axb", false},
		"more":             {"a line too many", "a", "a\nb\n", false},
		"less":             {"a line that is missing", "a\nb", "a", false},
		"columns":          {"widths of columns and empty lines do not count", "NAME   READY\n\na   True  \n", "NAME        READY\na           True\n", true},
		"no column":        {"spaces do count where there are none", "a b", "ab", false},
		"id":               {"an id stands for any other", "created 64b0000000000000000000c1", "created 6b0acd6eb4c83b1368f6dc11", true},
		"no id":            {"an id does not stand for something else", "created 64b0000000000000000000c1", "created nothing", false},
		"long id":          {"an id has 24 digits", "a 64b0000000000000000000c1", "a 64b0000000000000000000c1ff", false},
		"time":             {"a time stands for any other, with or without a fraction", `"2026-03-01T12:15:00.000Z"`, `"2027-11-28T07:05:59Z"`, true},
		"date":             {"a date stands for any other", "orders-2026-11-28 a", "orders-2027-01-01 a", true},
		"age":              {"an age stands for any other", "a  3s", "a  2m10s", true},
		"no age":           {"a number that is no age has to be the same", "a  3", "a  4", false},
		"age in a word":    {"what looks like an age within a word is no age", "a3s", "a4s", false},
		"uid":              {"a uid stands for any other", "k8s/5e18dbf9-1ae3-4b26-b155-1c1ae328739b", "k8s/e650afd4-2a15-4b56-89c5-ec27999c18ba", true},
		"rest of a line":   {"an ellipsis stands for any text of a line", "UnknownAlias: … it has …", "UnknownAlias: no alias; it has shop", true},
		"not another line": {"an ellipsis in a line stays in it", "a …", "a\nb", false},
		"lines":            {"an ellipsis alone stands for any number of lines", "a\n…\nz", "a\nb\nc\nz", true},
		"no lines":         {"none is a number too", "a\n…\nz", "a\nz", true},
		"wrong end":        {"what comes after the lines counts", "a\n…\nz", "a\nb\ny", false},
		"nothing":          {"no output is not any output", "a", "", false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := Matches(tc.shown, tc.output); got != tc.want {
				t.Errorf("%s: got %t", tc.reason, got)
			}
		})
	}
}
