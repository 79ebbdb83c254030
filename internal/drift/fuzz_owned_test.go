// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package drift

import (
	"slices"
	"testing"
)

// FuzzTrack: with little room for what is owned, the same fields are released as with the full list, except
// for at most as many as are untracked, and never one that the list does not have.
func FuzzTrack(f *testing.F) {
	f.Fuzz(func(t *testing.T, formerText, laterText, declaredText, remoteText, ignoreText string, pointerRoom, byteRoom, hashRoom uint8) {
		documents := fuzzed(t, formerText, laterText, declaredText, remoteText)
		former, later, declared, remote := Fields(documents[0]), Fields(documents[1]), documents[2], documents[3]
		ignore := pointers(ignoreText)
		little := room{pointers: int(pointerRoom), bytes: int(byteRoom), hashes: int(hashRoom)}

		owned := little.track(nil, former, ignore)
		law := func(what string, owned Owned, full []string) {
			t.Helper()
			if len(owned.Fields) > little.pointers || len(Text(owned.Fields, 1<<30)) > little.bytes+len("null") || len(owned.Hashes) > hashSize*little.hashes {
				t.Errorf("%s: more than %+v: %+v", what, little, owned)
			}
			lost := 0
			for _, path := range full {
				if !owned.Has(path) {
					lost++
				}
			}
			if lost > owned.Untracked || owned.Untracked > len(full) {
				t.Errorf("%s: %d fields are lost, and %d untracked", what, lost, owned.Untracked)
			}
			want, got := Released(full, declared, remote, ignore), Released(owned.Among(remote), declared, remote, ignore)
			if owned.Untracked == 0 && !slices.Equal(got, want) {
				t.Errorf("%s: released %q, want %q", what, got, want)
			}
			for _, path := range got {
				if !slices.Contains(want, path) {
					t.Errorf("%s: released %s, which nobody declared", what, path)
				}
			}
		}
		law("tracked", owned, former)
		law("with more", little.add(owned, later, ignore), slices.Compact(slices.Sorted(slices.Values(slices.Concat(former, later)))))
	})
}
