// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package importruns

import (
	"bytes"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestPack(t *testing.T) {
	// Text that does not compress well, of n bytes.
	noise := func(n int) []byte {
		text, state := make([]byte, n), uint32(1)
		for i := range text {
			state = state*1664525 + 1013904223
			text[i] = byte(state >> 24)
		}
		return text
	}
	for name, tc := range map[string]struct {
		reason string
		free   int
		full   bool
		raw    []byte
		want   []string
	}{
		"small":    {"it is readable as it is", maxResponses, false, []byte(`[{}]`), []string{"batch-00003.json"}},
		"large":    {"it is compressed", maxResponses, false, bytes.Repeat([]byte("x"), 2_000_000), []string{"batch-00003.json.gz"}},
		"tight":    {"compressed it fits", 200, false, bytes.Repeat([]byte("x"), 300), []string{"batch-00003.json.gz"}},
		"cut":      {"what fits is kept, with a note", maxResponses, false, noise(2_000_000), []string{"batch-00003.json.cut", "note"}},
		"no room":  {"only the note has room", 2000, false, noise(50_000), []string{"note"}},
		"all full": {"it is noted already", maxResponses, true, []byte(`[{}]`), nil},
	} {
		t.Run(name, func(t *testing.T) {
			s := &responses{free: tc.free, full: tc.full}
			entries := s.pack(2, tc.raw)
			if diff := cmp.Diff(tc.want, slices.Sorted(maps.Keys(entries))); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
			if s.stored(entries); s.free < 0 {
				t.Errorf("%s: %d bytes too many", tc.reason, -s.free)
			}
			if s.full != (tc.full || entries[noteKey] != nil) {
				t.Errorf("%s: full is %t", tc.reason, s.full)
			}
		})
	}
}
