// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package importruns

import "testing"

func TestDigest(t *testing.T) {
	sum := func(parts ...string) string {
		made := newDigest()
		for _, part := range parts {
			made.add([]byte(part))
		}
		return made.sum()
	}
	if once, again := sum("a"), sum("a"); sum("ab", "c") == sum("a", "bc") || once != again || len(sum()) != 32 {
		t.Errorf("%s, %s", sum("ab", "c"), sum("a", "bc"))
	}
}
