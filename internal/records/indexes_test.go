// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package records

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestIndexes(t *testing.T) {
	for name, tc := range map[string]struct {
		reason    string
		positions []int
		want      string
	}{
		"None":     {reason: "nothing failed"},
		"One":      {reason: "a single position is no range", positions: []int{7}, want: "7"},
		"Two":      {reason: "two that follow each other are one", positions: []int{0, 1}, want: "0-1"},
		"Several":  {reason: "as in the documentation", positions: []int{0, 1, 2, 3, 4, 7, 9, 10, 11, 12}, want: "0-4,7,9-12"},
		"Far away": {reason: "the last that a run can have", positions: []int{999_998, 999_999}, want: "999998-999999"},
	} {
		t.Run(name, func(t *testing.T) {
			var made Indexes
			for _, position := range tc.positions {
				made = made.Add(position)
			}
			if diff := cmp.Diff(tc.want, made.String()); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
			read, err := ParseIndexes(tc.want)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.positions, slices.Collect(read.All())); diff != "" || read.Count() != len(tc.positions) {
				t.Errorf("%s: %d positions; -want, +got:\n%s", tc.reason, read.Count(), diff)
			}
		})
	}
}

func TestIndexesAddInOrder(t *testing.T) {
	if got := (Indexes{}).Add(3).Add(3).Add(1).Add(4).String(); got != "3-4" {
		t.Errorf("the ranges are %q", got)
	}
}

func TestParseIndexesRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"Word": "x", "Gap": "1,,2", "Open": "3-", "Negative": "-3", "Backwards": "4-2", "Unordered": "7,3", "Twice": "0-4,4",
		"Blank": "1, 2", "Large": "99999999999", "Sign": "+1",
	} {
		if got, err := ParseIndexes(text); err == nil {
			t.Errorf("%s: %q is read as %v", name, text, got)
		}
	}
}

func TestIndexesWithin(t *testing.T) {
	all, err := ParseIndexes("0-4,7,9-12")
	if err != nil {
		t.Fatal(err)
	}
	for size, want := range map[int]string{0: "", 2: "", 3: "0-4", 4: "0-4", 5: "0-4,7", 9: "0-4,7", 10: "0-4,7,9-12", 99: "0-4,7,9-12"} {
		got, fits := all.Within(size)
		if got.String() != want || fits != (want == all.String()) {
			t.Errorf("%d bytes: %q, all: %t, want %q", size, got, fits, want)
		}
	}
	if got, fits := (Indexes{}).Within(0); len(got) != 0 || !fits {
		t.Errorf("nothing does not fit: %v", got)
	}
	if strings.Contains(all.String(), " ") {
		t.Error("there is a blank")
	}
}
