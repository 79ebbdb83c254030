// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package keyref_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/integrator-operator/integrator-operator/internal/keyref"
)

func TestText(t *testing.T) {
	const utf16, utf32 = "in UTF-16, as some programs of Windows write text: save it as UTF-8", "in UTF-32: save it as UTF-8"
	for name, tc := range map[string]struct {
		reason, content, want, fails string
	}{
		"plain":               {reason: "text without a byte order mark stays as it is", content: " ä\n", want: " ä\n"},
		"empty":               {reason: "nothing has none"},
		"marked":              {reason: "it is no part of the text", content: "\xef\xbb\xbf[1]", want: "[1]"},
		"alone":               {reason: "an empty file that was saved with it", content: "\xef\xbb\xbf"},
		"two":                 {reason: "two programs have each added one", content: "\xef\xbb\xbf\xef\xbb\xbfx", want: "x"},
		"inside":              {reason: "elsewhere it is a character", content: "a\xef\xbb\xbfb", want: "a\xef\xbb\xbfb"},
		"half":                {reason: "it is not text, which others notice", content: "\xef\xbb", want: "\xef\xbb"},
		"UTF-16 LE":           {reason: "as PowerShell redirects", content: "\xff\xfe[\x001\x00]\x00", fails: utf16},
		"UTF-16 BE":           {reason: "the other byte order", content: "\xfe\xff\x00[\x00]", fails: utf16},
		"UTF-16 LE, unmarked": {reason: "every second byte is 0", content: "[\x001\x00]\x00", fails: utf16},
		"UTF-16 BE, unmarked": {reason: "every first byte is 0", content: "\x00[\x00]", fails: utf16},
		"UTF-32 LE":           {reason: "it begins like UTF-16", content: "\xff\xfe\x00\x00[\x00\x00\x00", fails: utf32},
		"UTF-32 BE":           {reason: "the other byte order", content: "\x00\x00\xfe\xff\x00\x00\x00[", fails: utf32},
		"zeros":               {reason: "bytes that are no text are not taken for UTF-16", content: "\x00\x00", want: "\x00\x00"},
		"a zero":              {reason: "one 0 alone says nothing", content: "ab\x00c", want: "ab\x00c"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := keyref.Text([]byte(tc.content))
			if tc.fails != "" {
				if fmt.Sprint(err) != tc.fails || got != nil {
					t.Fatalf("%s: %q, %v", tc.reason, got, err)
				}
				return
			}
			if err != nil {
				t.Fatalf("%s: %v", tc.reason, err)
			}
			if diff := cmp.Diff(tc.want, string(got)); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}
