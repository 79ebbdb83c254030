// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package accounts

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
		if got := someOf(strings.Fields(names)); got != want {
			t.Errorf("someOf(%s) = %s, want %s", names, got, want)
		}
	}
}
