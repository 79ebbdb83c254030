// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package structure

import (
	"go/ast"
	"go/token"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
)

// The project once had a vocabulary of its own, which only its authors could read. These lists
// keep it away. A word is listed where it stood for a term that the field has.

// thisFile lists the words, and so has them.
const thisFile = "hack/tools/structure/words_test.go"

// nameParts may not be a part of an identifier or of a file's name, whatever its case.
var nameParts = map[string]string{
	"aftermath": "after, restart",
	"chapter":   "scene, scenario",
	"culprit":   "author, lastChangedBy",
	"doubt":     "unverified",
	"doubted":   "unverified",
	"fate":      "outcome",
	"intend":    "writeCreateIntent",
	"leaving":   "deleting",
	"meddle":    "edit, interfere",
	"oracle":    "invariant",
	"robbed":    "lost, taken over",
	"said":      "LastStatus, or what was written",
	"stranger":  "other, unknown",
	"tellable":  "canRecord",
	"weather":   "network conditions",
}

// names may not be a whole identifier.
var names = map[string]string{
	"gone":      "remoteDeleted, deleted, released",
	"lane":      "worker",
	"lanes":     "workers, parallel",
	"making":    "creation",
	"turn":      "permit",
	"writeDown": "persistID",
	"takeBack":  "removeIntent",
}

// constantsOfSteps: steps are nouns or verbs of the field, as StepCreate.
var constantsOfSteps = regexp.MustCompile(`^do[A-Z]`)

// phrase is a pattern, and what to write instead.
type phrase struct {
	pattern *regexp.Regexp
	instead string
}

// phrases may stand in no comment, message, name of a test or page.
var phrases = []phrase{
	{words(`tells? (that|whether|of)`), "reports whether, is set when, says"},
	{words(`of which (the API|nothing|nobody|no event|no one|it|one|somebody)`), "a clause of its own"},
	{words(`by (itself|themselves)`), "drop it, or: automatically"},
	{words(`no such thing`), "not found (404)"},
	{words(`(is|are|was|were) no more`), "no longer exists"},
	{words(`(anything|any|it|them|this|that|declared|managed|needed|wanted|status|cost) no more`), "no longer"},
	{words(`knows? nothing (of|about)`), "does not know"},
	{words(`tried again`), "retried"},
	{words(`tries again`), "retries"},
	{words(`(our|the|a|its|your|his|their|Import's|whose|other's) marks?`), "ownership marker"},
	{words(`marks? of (an|another|the|this|that|other) (Import|cluster|cluster's Import)s?`), "ownership marker"},
	{words(`tellable`), "can be recorded"},
	{words(`fate`), "outcome"},
	{words(`weathers?`), "network conditions"},
	{words(`chapters?`), "scene, scenario"},
	{words(`culprits?`), "author"},
	// The company of this name is written with a capital.
	{regexp.MustCompile(`\boracles?\b`), "invariant"},
	{words(`aftermath`), "restart"},
	{words(`strangers?`), "somebody else"},
	{words(`robbed`), "taken over"},
	{words(`meddl(e|es|ed|ing|er|ers)`), "edit, interfere"},
	{words(`doubted`), "unverified"},
	{words(`doubts?`), "unverified credential"},
	{words(`(write|writes|written|writing) (?:(?:it|them|the id|an id|that|this) )?down`), "persist, record"},
	{words(`(takes?|took|taken|taking) back (?:(?:the|its|an|a|that|this) )?(?:intents?|claims?)`), "remove, withdraw"},
	{words(`waits? for (its|their|the) turn`), "waits for a permit"},
	{words(`goes? round and round`), "loops"},
	{words(`what (it|they|each|the call|a call|calls|the calls) came to`), "its outcome"},
	{words(`bear(s)? out`), "confirm"},
	{regexp.MustCompile(`--(prove|rights|lanes|create-grace)\b`), "--mutants, --rbac, --parallel, --create-unconfirmed-timeout"},
}

// words makes a pattern of whole words. They may be wrapped, also in a comment or a quotation.
func words(pattern string) *regexp.Regexp {
	const gap = `(?:[ \t]+|[ \t]*\n[ \t]*(?:(?://|#|>|\*)[ \t]*)?)`
	return regexp.MustCompile(`(?i)\b(?:` + strings.ReplaceAll(pattern, " ", gap) + `)\b`)
}

// pages are the files that are read as text: documentation, and what configures the project.
var pages = []string{".md", ".yaml", ".yml", ".sh", ".cue", ".lua"}

// TestNames looks at every identifier, and at the names of files.
func TestNames(t *testing.T) {
	for _, file := range project(t).code {
		if file.path == thisFile || file.generated {
			continue
		}
		ast.Inspect(file.syntax, func(node ast.Node) bool {
			switch n := node.(type) {
			case *ast.Ident:
				checkName(t, file, n)
			case *ast.GenDecl:
				checkConstants(t, file, n)
			}
			return true
		})
	}
	for _, name := range project(t).paths {
		for _, part := range parts(strings.TrimSuffix(path.Base(name), path.Ext(name))) {
			if instead, ok := nameParts[part]; ok {
				t.Errorf("%s: %q is of the old vocabulary: %s", name, part, instead)
			}
		}
	}
}

func checkName(t *testing.T, file *goFile, name *ast.Ident) {
	t.Helper()
	if instead, ok := names[name.Name]; ok {
		t.Errorf("%s: %s is of the old vocabulary: %s", file.fset.Position(name.Pos()), name.Name, instead)
		return
	}
	for _, part := range parts(name.Name) {
		if instead, ok := nameParts[part]; ok {
			t.Errorf("%s: %s has a word of the old vocabulary: %s", file.fset.Position(name.Pos()), name.Name, instead)
		}
	}
}

func checkConstants(t *testing.T, file *goFile, declaration *ast.GenDecl) {
	t.Helper()
	if declaration.Tok != token.CONST {
		return
	}
	for _, spec := range declaration.Specs {
		for _, name := range spec.(*ast.ValueSpec).Names {
			if constantsOfSteps.MatchString(name.Name) {
				t.Errorf("%s: %s is of the old vocabulary: Step and a verb", file.fset.Position(name.Pos()), name.Name)
			}
		}
	}
}

// parts splits a name at its capitals, underscores and dashes into words in lower case.
func parts(name string) []string {
	var parts []string
	start := 0
	runes := []rune(name)
	flush := func(end int) {
		if end > start {
			parts = append(parts, strings.ToLower(string(runes[start:end])))
		}
		start = end
	}
	for i, r := range runes {
		switch {
		case !unicode.IsLetter(r):
			flush(i)
			start = i + 1
		case unicode.IsUpper(r) && i > 0 && (unicode.IsLower(runes[i-1]) || i+1 < len(runes) && unicode.IsLower(runes[i+1])):
			flush(i)
		}
	}
	flush(len(runes))
	return parts
}

func TestParts(t *testing.T) {
	for name, want := range map[string][]string{
		"doubtedUntil": {"doubted", "until"},
		"HTTPFate":     {"http", "fate"},
		"story_rest-2": {"story", "rest"},
		"unfateful":    {"unfateful"},
		"UID":          {"uid"},
	} {
		if got := parts(name); !slices.Equal(got, want) {
			t.Errorf("the parts of %s are %q, want %q", name, got, want)
		}
	}
}

// TestPhrases reads comments and strings of the code, and the pages.
func TestPhrases(t *testing.T) {
	for _, file := range project(t).code {
		if file.path == thisFile {
			continue
		}
		for _, group := range file.syntax.Comments {
			checkPhrases(t, file.path, file.fset.Position(group.Pos()).Line, string(file.source[file.fset.Position(group.Pos()).Offset:file.fset.Position(group.End()).Offset]))
		}
		ast.Inspect(file.syntax, func(node ast.Node) bool {
			if literal, ok := node.(*ast.BasicLit); ok && literal.Kind == token.STRING {
				checkPhrases(t, file.path, file.fset.Position(literal.Pos()).Line, literal.Value)
			}
			return true
		})
	}
	for _, name := range project(t).paths {
		if slices.Contains(pages, path.Ext(name)) && !strings.Contains(name, "testdata/") || name == "Makefile" {
			checkPhrases(t, name, 1, read(t, name))
		}
	}
}

// checkPhrases fails for each phrase in a text that begins on a line of the file.
func checkPhrases(t *testing.T, name string, line int, text string) {
	t.Helper()
	for _, phrase := range phrases {
		for _, at := range phrase.pattern.FindAllStringIndex(text, -1) {
			t.Errorf("%s:%d: %q is of the old vocabulary: %s", name, line+strings.Count(text[:at[0]], "\n"), text[at[0]:at[1]], phrase.instead)
		}
	}
}

func TestWords(t *testing.T) {
	for text, want := range map[string]bool{
		"it is tried\n// again":              true,
		"it is tried\n> again, and so on":    true,
		"he said that it is retried":         false,
		"the import has our mark":            true,
		"marked as done, mark it, hallmark":  false,
		"writes the id down":                 true,
		"scroll down, and write":             false,
		"make chaos CHAOS_FLAGS=--prove=all": true,
		"no longer, and no more than 5":      false,
		"an Import that is declared no more": true,
	} {
		got := slices.ContainsFunc(phrases, func(p phrase) bool { return p.pattern.MatchString(text) })
		if got != want {
			t.Errorf("%q is of the old vocabulary: %t, want %t", text, got, want)
		}
	}
}
