// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package page

import (
	"regexp"
	"strings"
)

// The parts of a shown output that stand for others of their kind.
var kinds = []struct{ shown, stands *regexp.Regexp }{
	{regexp.MustCompile(`…`), regexp.MustCompile(`.*`)},
	// A time, a date, then an id of integrator.io, an age as kubectl prints it, and the uid of an object.
	{regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z`), regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z`)},
	{regexp.MustCompile(`\b\d{4}-\d\d-\d\d\b`), regexp.MustCompile(`\d{4}-\d\d-\d\d`)},
	{regexp.MustCompile(`\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b`), regexp.MustCompile(`[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}`)},
	{regexp.MustCompile(`\b[0-9a-f]{24}\b`), regexp.MustCompile(`[0-9a-f]{24}`)},
	{regexp.MustCompile(`\b(?:\d+[dhm])*\d+[dhms]\b`), regexp.MustCompile(`(?:(?:\d+[dhm])*\d+[dhms]|<unknown>|<invalid>)`)},
}

var anyKind = func() *regexp.Regexp {
	all := make([]string, len(kinds))
	for i, kind := range kinds {
		all[i] = "(" + kind.shown.String() + ")"
	}
	return regexp.MustCompile(strings.Join(all, "|"))
}()

// Matches says whether an output is what a page shows. "…" stands for any text of a line, and alone in
// a line for any number of lines. An id, a time, a date, an age and a uid stand for any other. Runs of spaces
// and empty lines do not count, because the widths of columns depend on what is in them.
func Matches(shown, output string) bool {
	var pattern strings.Builder
	pattern.WriteString(`\A`)
	for _, line := range linesOf(shown) {
		if line == "…" {
			pattern.WriteString(`(?:.*\n)*?`)
			continue
		}
		pattern.WriteString(linePattern(line) + `\n`)
	}
	pattern.WriteString(`\z`)
	text := ""
	for _, line := range linesOf(output) {
		text += line + "\n"
	}
	return regexp.MustCompile(pattern.String()).MatchString(text)
}

// linePattern is the regular expression of a line.
func linePattern(line string) string {
	var pattern strings.Builder
	end := 0
	for _, match := range anyKind.FindAllStringSubmatchIndex(line, -1) {
		pattern.WriteString(regexp.QuoteMeta(line[end:match[0]]))
		for i, kind := range kinds {
			if match[2+2*i] >= 0 {
				pattern.WriteString(kind.stands.String())
			}
		}
		end = match[1]
	}
	return pattern.String() + regexp.QuoteMeta(line[end:])
}

// linesOf are the lines that are not empty, with one space for each run of spaces.
func linesOf(text string) (lines []string) {
	for line := range strings.Lines(text) {
		if line = strings.Join(strings.Fields(line), " "); line != "" {
			lines = append(lines, line)
		}
	}
	return lines
}
