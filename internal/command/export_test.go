// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package command

import (
	"bytes"
	"strings"
	"testing"
)

// TestTerminal: a person sees the progress, and notes on lines of their own; a file or a pipe gets
// only the notes.
func TestTerminal(t *testing.T) {
	for _, shows := range []bool{true, false} {
		var seen bytes.Buffer
		terminal := terminal{stderr: &seen, shows: shows}
		terminal.progress(1, 3)
		terminal.note("skipped\nsomething")
		terminal.progress(2, 3)
		terminal.progress(3, 3)
		terminal.clear()

		lines := strings.Split(seen.String(), "\n")
		if shows != strings.Contains(seen.String(), "exporting") || shows != strings.Contains(seen.String(), "1/3") {
			t.Errorf("shows %t: %q", shows, seen.String())
		}
		if len(lines) != 2 || !strings.HasSuffix(lines[0], "note: skipped something") {
			t.Errorf("shows %t: the note is not on a line of its own: %q", shows, seen.String())
		}
		before, _, _ := strings.Cut(lines[0], "note:")
		if shows && !strings.HasSuffix(before, "\r") {
			t.Errorf("the bar was not removed from the line before the note: %q", before)
		}
		if last := lines[len(lines)-1]; shows && strings.TrimSpace(last[strings.LastIndexByte(strings.TrimSuffix(last, "\r"), '\r')+1:]) != "" {
			t.Errorf("the bar stays behind: %q", last)
		}
		if !shows && before != "" {
			t.Errorf("something besides the notes: %q", before)
		}
	}
}
