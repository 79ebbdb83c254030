// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseRecords(t *testing.T) {
	cases := map[string]struct {
		source string
		want   []string
		fails  string
	}{
		"Array":         {source: ` [{"a": 1}, [2], "x"] `, want: []string{`{"a": 1}`, `[2]`, `"x"`}},
		"Lines":         {source: "{\"a\": 1}\n\n{\"a\": 2}\r\n", want: []string{`{"a": 1}`, `{"a": 2}`}},
		"NoLastNewline": {source: `{"a": 9007199254740993}`, want: []string{`{"a": 9007199254740993}`}},
		"Empty":         {source: " \n", want: nil},
		"EmptyArray":    {source: "[]", want: nil},
		"CutArray":      {source: `[{"secret": 1}`, fails: "not a JSON array: syntax error near byte 14"},
		"CutLine":       {source: "{}\n{\"secret\": ", fails: "not JSON Lines: record 1: it ends too early"},
		"BadLine":       {source: "{}\nsecret", fails: "not JSON Lines: record 1: syntax error near byte 4"},
		"AfterArray":    {source: "[1] secret", fails: "not a JSON array: syntax error near byte 5"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			records, err := parseRecords([]byte(tc.source))
			if tc.fails != "" {
				if err == nil || err.Error() != tc.fails {
					t.Fatalf("got %v, want %q", err, tc.fails)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, record := range records {
				got = append(got, string(record))
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("-want, +got:\n%s", diff)
			}
		})
	}
}
