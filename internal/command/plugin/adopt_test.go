// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"io"
	"os"
	"strings"
	"testing"

	"k8s.io/cli-runtime/pkg/genericiooptions"
)

func TestSaysYes(t *testing.T) {
	cases := map[string]struct {
		reason, typed string
		want          bool
	}{
		"Yes":     {"the word", "yes\n", true},
		"Letter":  {"its letter, in any case", "Y\n", true},
		"NoBreak": {"the end of the input ends the line", "y", true},
		"Return":  {"nothing is no", "\n", false},
		"End":     {"nor is the end", "", false},
		"No":      {"no is no", "no\n", false},
		"Later":   {"only the first line counts", "\nyes\n", false},
		"Word":    {"another word", "yesterday\n", false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := saysYes(strings.NewReader(tc.typed)); got != tc.want {
				t.Errorf("%s: %q is yes: %t", tc.reason, tc.typed, got)
			}
		})
	}
}

// Only a person at a terminal is asked: what comes through a pipe is no answer.
func TestAgreed(t *testing.T) {
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(writer, "yes\n"); err != nil {
		t.Fatal(err)
	}
	var notes strings.Builder
	c := &cmd{IOStreams: genericiooptions.IOStreams{In: reader, Out: io.Discard, ErrOut: &notes}}
	if agreed, err := c.agreed(t.Context(), false, 1); agreed || err != nil {
		t.Errorf("a pipe has agreed: %t, %v", agreed, err)
	}
	if !strings.Contains(notes.String(), "nothing was taken over: standard input is no terminal") {
		t.Errorf("it does not say why nothing was done: %q", notes.String())
	}
	if agreed, err := c.agreed(t.Context(), true, 1); !agreed || err != nil {
		t.Errorf("--yes does not agree: %t, %v", agreed, err)
	}
}
