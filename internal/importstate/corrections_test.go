// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package importstate

import (
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

func TestCorrections(t *testing.T) {
	at := func(minutes int) time.Time { return modelStart.Add(time.Duration(minutes) * time.Minute) }
	var c Corrections
	correct := func(uid types.UID, hash string, now time.Time) bool {
		permitted := c.Permit(uid, hash, now)
		if permitted {
			c.Note(uid, hash, now)
		}
		return permitted
	}
	for range 2 * MaxCorrections {
		if !c.Permit("a", "one", at(0)) {
			t.Fatal("a correction is refused although none was made: the calls may have failed")
		}
	}
	for i := range MaxCorrections {
		if !correct("a", "one", at(i)) {
			t.Fatalf("correction %d is refused", i)
		}
	}
	steps := []struct {
		reason, uid, hash string
		minute            int
		want              bool
	}{
		{"somebody undoes each of them", "a", "one", 6, false},
		{"another Import has corrections of its own", "b", "one", 6, true},
		{"it is still too often", "a", "one", 9, false},
		{"the first is long ago", "a", "one", 10, true},
		{"but not the second", "a", "one", 10, false},
		{"another drift is no fight", "a", "two", 10, true},
		{"after a rest it begins anew", "a", "two", 60, true},
	}
	for _, step := range steps {
		if got := correct(types.UID(step.uid), step.hash, at(step.minute)); got != step.want {
			t.Errorf("%s: %t", step.reason, got)
		}
	}
}
