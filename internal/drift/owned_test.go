// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package drift

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// keys are the pointers of n fields of an object, in order.
func keys(n int, object string) []string {
	var paths []string
	for i := range n {
		paths = append(paths, fmt.Sprintf("%s/k%05d", object, i))
	}
	return paths
}

// documentOf is a document that has the fields.
func documentOf(t *testing.T, paths []string) map[string]any {
	t.Helper()
	document := map[string]any{}
	for _, path := range paths {
		if err := Set(document, path, json.Number("1")); err != nil {
			t.Fatal(err)
		}
	}
	return document
}

func TestTrack(t *testing.T) {
	long := "/" + strings.Repeat("d", MaxPath)
	type tracked struct{ Pointers, Hashes, Untracked int }
	cases := map[string]struct {
		reason         string
		fields, ignore []string
		want           tracked
		pointers       []string
	}{
		"Few": {
			reason: "the usual definition is tracked by its pointers", fields: []string{"/name", "/http/body"},
			want: tracked{Pointers: 2}, pointers: []string{"/http/body", "/name"},
		},
		"TooLong": {
			reason: "a path which is too long for a pointer has a hash", fields: []string{"/name", long},
			want: tracked{Pointers: 1, Hashes: 1}, pointers: []string{"/name"},
		},
		"FiveThousand": {
			reason: "what has no room as a pointer has a hash", fields: append(keys(5000, "/settings"), "/name"),
			want: tracked{Pointers: 3449, Hashes: 1552}, pointers: []string{"/name"},
		},
		"LongPaths": {
			reason: "the length of the pointers counts, not only their number", fields: append(keys(4000, "/"+strings.Repeat("d", 394)), "/name"),
			want: tracked{Pointers: 162, Hashes: 3839}, pointers: []string{"/name"},
		},
		"Escapes": {
			reason: "the length is that of JSON", fields: append(keys(4000, strings.Repeat("/<", 10)), "/name"),
			want: tracked{Pointers: 820, Hashes: 3181}, pointers: []string{"/name"},
		},
		"ShortPaths": {
			reason: "the number of the pointers is bounded", fields: func() (short []string) {
				for i := range 5000 {
					short = append(short, fmt.Sprintf("/%x", i))
				}
				return short
			}(),
			want: tracked{Pointers: 4096, Hashes: 904},
		},
		"TooMany": {
			reason: "what has no room at all is counted, the deepest fields first", fields: slices.Concat(keys(20000, "/settings"), keys(10, "/deeper/than/settings"), []string{"/name"}),
			want: tracked{Pointers: 3449, Hashes: 12288, Untracked: 4274}, pointers: []string{"/name", "/settings/k00000"},
		},
		"IgnoredLast": {
			reason: "fields that are ignored leave the room to the others", fields: slices.Concat(keys(20000, "/settings"), keys(10, "/deeper/than/settings")), ignore: []string{"/settings"},
			want: tracked{Pointers: 3442, Hashes: 12288, Untracked: 4280}, pointers: keys(10, "/deeper/than/settings"),
		},
		"AnyIgnoredLast": {
			reason: "also where a pattern ignores them", fields: slices.Concat(keys(20000, "/settings"), keys(10, "/deeper/than/settings")), ignore: []string{"/settings/*"},
			want: tracked{Pointers: 3442, Hashes: 12288, Untracked: 4280}, pointers: keys(10, "/deeper/than/settings"),
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			owned := Track(tc.fields, tc.ignore)
			got := tracked{len(owned.Fields), len(owned.Hashes) / 8, owned.Untracked}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
			for _, path := range tc.pointers {
				if !slices.Contains(owned.Fields, path) {
					t.Errorf("%s: no pointer %s", tc.reason, path)
				}
			}
			encoded, err := json.Marshal(owned)
			if err != nil {
				t.Fatal(err)
			}
			if len(encoded) > 200<<10 {
				t.Errorf("%s: %d bytes as JSON", tc.reason, len(encoded))
			}
			if again := Track(reversed(tc.fields), tc.ignore); !cmp.Equal(owned, again) {
				t.Errorf("%s: the order of the fields counts", tc.reason)
			}
		})
	}
}

func TestOwnedFieldsAreReleased(t *testing.T) {
	settings := keys(5000, "/settings")
	long := "/" + strings.Repeat("d", 600) + "/inside"
	cases := map[string]struct {
		reason           string
		owned            Owned
		declared, remote []string
		ignore           []string
		want             []string
	}{
		"Pointers": {
			reason: "a status of an earlier version has pointers only",
			owned:  Owned{Fields: []string{"/a", "/b/c"}}, declared: []string{"/a"}, remote: []string{"/a", "/b/c", "/b/others"},
			want: []string{"/b/c"},
		},
		"Hashes": {
			reason: "a field without a pointer is released, and one that others added is not",
			owned:  Track(settings, nil), declared: settings[:4998], remote: append(slices.Clone(settings), "/settings/others"),
			want: settings[4998:],
		},
		"LongPath": {
			reason: "so is a field whose path is too long for a pointer",
			owned:  Track([]string{"/name", long}, nil), declared: []string{"/name"}, remote: []string{"/name", long, long + "2"},
			want: []string{long},
		},
		"Gone": {
			reason: "what the remote import does not have is not released",
			owned:  Track(settings, nil), declared: settings[:4998], remote: settings[:4999],
			want: settings[4998:4999],
		},
		"Ignored": {
			reason: "what is ignored is not released",
			owned:  Track(settings, nil), declared: []string{"/name"}, remote: settings, ignore: []string{"/settings"},
		},
		"Untracked": {
			reason: "what is not tracked stays",
			owned:  Owned{Fields: []string{"/name"}, Untracked: 1}, declared: []string{"/name"}, remote: []string{"/name", "/deep/down"},
		},
		"Added": {
			reason: "what a write added is owned beside what was owned before",
			owned:  Track(settings[:4000], nil).With(settings[3000:], nil), declared: settings[1:], remote: append(slices.Clone(settings), "/settings/others"),
			want: settings[:1],
		},
		"DamagedHashes": {
			reason: "half a hash is none",
			owned:  Owned{Fields: []string{"/a"}, Hashes: []byte{1, 2, 3}}, declared: []string{"/a"}, remote: []string{"/a", "/b"},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			remote := documentOf(t, tc.remote)
			got := Released(tc.owned.Among(remote), documentOf(t, tc.declared), remote, tc.ignore)
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func reversed(paths []string) []string {
	backwards := slices.Clone(paths)
	slices.Reverse(backwards)
	return backwards
}
