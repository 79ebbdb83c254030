// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package problem

import (
	"strings"
	"testing"
)

func TestSomeOf(t *testing.T) {
	for names, want := range map[string]string{
		"a":             "a",
		"a b c d e":     "a, b, c, d, e",
		"a b c d e f g": "a, b, c, d, e and 2 more",
	} {
		if got := SomeOf(strings.Fields(names), 5); got != want {
			t.Errorf("SomeOf(%s) = %s, want %s", names, got, want)
		}
	}
}
