// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package drift

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRedact(t *testing.T) {
	cases := map[string]struct {
		reason           string
		declared, remote string
		secrets          []string
		want             []string // path declared remote
	}{
		"None": {
			reason:   "without secrets all is shown",
			declared: `{"a": 1}`, remote: `{"a": 2}`,
			want: []string{"/a 1 2"},
		},
		"At": {
			reason:   "the secret itself is hidden on both sides, its namesakes are not",
			declared: `{"a": {"key": "S", "keys": 1}, "key": 1}`, remote: `{"a": {"key": "T", "keys": 2}, "key": 2}`,
			secrets: []string{"/a/key"},
			want:    []string{"/a/key (redacted) (redacted)", "/a/keys 1 2", "/key 1 2"},
		},
		"Absent": {
			reason:   "an absent value is not hidden",
			declared: `{"a": {"key": "S"}}`, remote: `{}`,
			secrets: []string{"/a/key"},
			want:    []string{"/a/key (redacted) null"},
		},
		"Under": {
			reason:   "what lies in a secret object is hidden, its names are not",
			declared: `{"a": {"user": "S", "more": [1]}}`, remote: `{"a": {"user": "T", "more": [1, 2]}}`,
			secrets: []string{"/a"},
			want:    []string{"/a/more (redacted) (redacted)", "/a/user (redacted) (redacted)"},
		},
		"Above": {
			reason:   "a parent of another shape holds the secret",
			declared: `{"a": {"b": {"key": "S"}}}`, remote: `{"a": "T"}`,
			secrets: []string{"/a/b/key"},
			want:    []string{"/a (redacted) (redacted)"},
		},
		"Copied": {
			reason:   "a copy is found without the line break that a file ends in, and line by line",
			declared: `{"key": "hunter2hunter2\n", "pem": "first-line\nsecond-line\n", "a": "", "b": "", "c": ""}`, remote: `{"key": "hunter2hunter2\n", "pem": "first-line\nsecond-line\n", "a": "key is hunter2hunter2", "b": "(second-line)", "c": "none"}`,
			secrets: []string{"/key", "/pem"},
			want:    []string{"/a (redacted) (redacted)", "/b (redacted) (redacted)", "/c \"\" \"none\""},
		},
		"Array": {
			reason:   "an array that holds the secret is hidden whole",
			declared: `{"a": {"headers": [{"value": "S"}], "size": 1}}`, remote: `{"a": {"headers": [], "size": 2}}`,
			secrets: []string{"/a/headers/0/value"},
			want:    []string{"/a/headers (redacted) (redacted)", "/a/size 1 2"},
		},
		"ArrayShifted": {
			reason:   "elements have no names: the secret may stand where another one is declared",
			declared: `{"headers": [{"value": "public"}, {"value": "S"}]}`, remote: `{"headers": [{"value": "S"}, {"value": "public"}]}`,
			secrets: []string{"/headers/1/value"},
			want:    []string{"/headers/0/value (redacted) (redacted)", "/headers/1/value (redacted) (redacted)"},
		},
		"ArrayAdded": {
			reason:   "nor is a field shown that somebody adds to an element",
			declared: `{"headers": [{"value": "S"}, {"name": "x"}]}`, remote: `{"headers": [{"value": "S"}, {"name": "x", "old": "T"}]}`,
			secrets: []string{"/headers/0/value"},
			want:    []string{"/headers/1/old null (redacted)"},
		},
		"OuterArray": {
			reason:   "the outermost array counts",
			declared: `{"a": [{"b": [{"key": "S"}], "c": 1}]}`, remote: `{"a": [{"b": [{"key": "S"}], "c": 2}]}`,
			secrets: []string{"/a/0/b/0/key"},
			want:    []string{"/a/0/c (redacted) (redacted)"},
		},
		"Escaped": {
			reason:   "pointers are compared as they are escaped",
			declared: `{"a/b": {"~": "S"}}`, remote: `{"a/b": {"~": "T"}}`,
			secrets: []string{"/a~1b/~0"},
			want:    []string{"/a~1b/~0 (redacted) (redacted)"},
		},
		"Echo": {
			reason:   "what the API copies elsewhere is hidden there too, either way",
			declared: `{"lookups": [{"map": {"k": "S"}}], "http": {"lookups": [{"map": {"k": "old"}}], "size": 1}}`,
			remote:   `{"lookups": [{"map": {"k": "T"}}], "http": {"lookups": [{"map": {"k": "S"}}], "size": 2}}`,
			secrets:  []string{"/lookups/0/map/k"},
			want:     []string{"/http/lookups/0/map/k (redacted) (redacted)", "/http/size 1 2", "/lookups/0/map/k (redacted) (redacted)"},
		},
		"EchoOfParent": {
			reason:   "a secret object has copies of what is in it",
			declared: `{"filter": {"rules": ["S"]}, "http": {"lookups": [1]}, "lookups": [1]}`,
			remote:   `{"filter": {"rules": ["T"]}, "http": {"lookups": [1]}, "lookups": [2]}`,
			secrets:  []string{"/filter", "/http"},
			want:     []string{"/filter/rules/0 (redacted) (redacted)", "/lookups/0 (redacted) (redacted)"},
		},
		"CopiedElsewhere": {
			reason:   "a text that somebody copied elsewhere is hidden there, a short one is not",
			declared: `{"key": "SECRETTEXT", "more": [{"pin": 12345678, "short": "POST"}], "a": "x", "b": ["x"], "c": "x", "d": "SECRETTEXT", "e": "x"}`,
			remote:   `{"key": "SECRETTEXT", "more": [{"pin": 12345678, "short": "POST"}], "a": "it is SECRETTEXT", "b": [{"c": "12345678"}], "c": "POST", "d": "x", "e": "SECRETTEX"}`,
			secrets:  []string{"/key", "/more/0"},
			want: []string{"/a (redacted) (redacted)", "/b/0 (redacted) (redacted)", `/c "x" "POST"`,
				"/d (redacted) (redacted)", `/e "x" "SECRETTEX"`},
		},
		"OtherForm": {
			reason:   "the two forms of a legacy import say the same in other fields",
			declared: `{"rest": {"headers": {"key": "S"}}, "http": {"auth": "x"}}`, remote: `{"rest": {"headers": {"key": "S"}}, "http": {"auth": "S"}}`,
			secrets: []string{"/rest/headers/key"},
			want:    []string{"/http/auth (redacted) (redacted)"},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			declared := parse(t, tc.declared)
			var got []string
			for _, difference := range Redact(Compare(declared, parse(t, tc.remote), nil), declared, tc.secrets) {
				got = append(got, strings.Join([]string{difference.Path, Text(difference.Declared, 99), Text(difference.Remote, 99)}, " "))
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestRedactLeavesItsArgument(t *testing.T) {
	found := []Difference{{Path: "/a", Declared: "S", Remote: "T"}}
	Redact(found, map[string]any{"a": "S"}, []string{"/a"})
	if diff := cmp.Diff([]Difference{{Path: "/a", Declared: "S", Remote: "T"}}, found); diff != "" {
		t.Errorf("-want, +got:\n%s", diff)
	}
}

func TestTouches(t *testing.T) {
	secrets := []string{"/a/b"}
	for path, want := range map[string]bool{"/a": true, "/a/b": true, "/a/b/c": true, "/a/bc": false, "/b": false, "/a/c": false} {
		if got := Touches(path, secrets); got != want {
			t.Errorf("Touches(%s) = %v", path, got)
		}
	}
}
