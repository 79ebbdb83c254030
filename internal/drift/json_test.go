// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package drift

import (
	"encoding/json"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestEncode(t *testing.T) {
	cases := map[string]struct{ reason, read, want, shown string }{
		"Unpaired": {
			reason: "an unpaired surrogate is written as its escape, and shown as that",
			read:   `["\ud83d", "\uDE00x"]`, want: `["\ud83d","\ude00x"]`, shown: `["\ud83d","\ude00x"]`,
		},
		"Reversed": {
			reason: "the halves of a pair in the wrong order are no pair",
			read:   `"\ude00\ud83d"`, want: `"\ude00\ud83d"`, shown: `"\ude00\ud83d"`,
		},
		"Paired": {
			reason: "a pair is the character",
			read:   `"\ud83d\uDE00"`, want: `"😀"`, shown: `"😀"`,
		},
		"Names": {
			reason: "a name is a text too",
			read:   `{"\ud83d": {"\udc00": 1}, "a": 2}`, want: `{"a":2,"\ud83d":{"\udc00":1}}`, shown: `{"a":2,"\ud83d":{"\udc00":1}}`,
		},
		"Replacement": {
			reason: "U+FFFD itself is a character like any other",
			read:   `"\ufffd` + "\uFFFD" + `"`, want: "\"\uFFFD\uFFFD\"", shown: "\"\uFFFD\uFFFD\"",
		},
		"Bytes": {
			reason: "bytes that are no UTF-8 are sent back as they came, and never shown",
			read:   "[\"a\xffb\", \"\xe2\x82\"]", want: "[\"a\xffb\",\"\xe2\x82\"]", shown: "[\"a\uFFFDb\",\"\uFFFD\"]",
		},
		"RawSurrogate": {
			reason: "bytes that spell a surrogate are bytes, and two such do not become a pair",
			read:   "\"\xed\xa0\xbd\xed\xb8\x80\"", want: "\"\xed\xa0\xbd\xed\xb8\x80\"", shown: "\"\uFFFD\"",
		},
		"Control": {
			reason: "control characters and ends of lines are escaped",
			read:   `"\u0000\u001f\b\f\n\r\t\"\\\/\u2028\u2029"`, want: `"\u0000\u001f\b\f\n\r\t\"\\/\u2028\u2029"`, shown: `"\u0000\u001f\b\f\n\r\t\"\\/\u2028\u2029"`,
		},
		"Plain": {
			reason: "numbers keep their digits, keys are sorted, and nothing is escaped for HTML",
			read:   ` { "b" : [ 1.0 , -1E+2, true, false, null, "<&>" ] , "a" : { } , "c":[]} `, want: `{"a":{},"b":[1.0,-1E+2,true,false,null,"<&>"],"c":[]}`, shown: `{"a":{},"b":[1.0,-1E+2,true,false,null,"<&>"],"c":[]}`,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			value, err := ParseValue([]byte(tc.read))
			if err != nil {
				t.Fatal(err)
			}
			encoded, err := Encode(value)
			if diff := cmp.Diff(tc.want, string(encoded)); err != nil || diff != "" {
				t.Errorf("%s: %v, -want, +got:\n%s", tc.reason, err, diff)
			}
			if diff := cmp.Diff(tc.shown, Text(value, 1000)); diff != "" {
				t.Errorf("%s: shown: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
	if encoded, err := Encode([]any{map[string]any{"a": math.Inf(1)}}); err == nil {
		t.Errorf("what is no JSON is encoded: %s", encoded)
	}
	if encoded, err := Encode(map[string]any{"a": Redacted, "b": json.Number("1")}); err != nil || string(encoded) != `{"a":"(redacted)","b":1}` {
		t.Errorf("a hidden value: %s, %v", encoded, err)
	}
}

func TestCut(t *testing.T) {
	cases := map[string]struct {
		reason, text, want string
		limit              int
	}{
		"Short":     {reason: "what fits is not cut", text: "abc", limit: 3, want: "abc"},
		"Long":      {reason: "a cut is marked", text: "abcdef", limit: 5, want: "ab…"},
		"Rune":      {reason: "no character is cut", text: "äöü", limit: 5, want: "ä…"},
		"Surrogate": {reason: "a surrogate of a parsed text is shown as its escape", text: "/a\xed\xa0\xbdb", limit: 20, want: `/a\ud83db`},
		"Byte":      {reason: "a byte of a parsed text is shown as U+FFFD", text: "a\xff\xedb", limit: 20, want: "a\uFFFDb"},
		"Foreign":   {reason: "so is a byte of any other text", text: "a\xed", limit: 20, want: "a\uFFFD"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, Cut(tc.text, tc.limit)); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}
