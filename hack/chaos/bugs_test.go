// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import "testing"

// A seeded bug that does not fit the code any more would seed nothing.
func TestBugsFitTheCode(t *testing.T) {
	if len(bugs) < 10 {
		t.Errorf("%d bugs, at least 10 are wanted", len(bugs))
	}
	for i := range bugs {
		t.Run(bugs[i].name, func(t *testing.T) {
			files, err := bugs[i].applied("../..")
			if err != nil {
				t.Fatal(err)
			}
			if len(files) == 0 {
				t.Error("the bug changes nothing")
			}
			for _, name := range bugs[i].scenarios {
				if _, err := scenarioNamed(name); err != nil {
					t.Error(err)
				}
			}
		})
	}
}
