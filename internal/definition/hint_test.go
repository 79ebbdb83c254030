// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package definition

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/integrator-operator/integrator-operator/internal/drift"
)

func TestHowDiffers(t *testing.T) {
	long := strings.Repeat("x", 60)
	number := func(text string) json.Number { return json.Number(text) }
	for name, tc := range map[string]struct {
		reason           string
		declared, remote any
		want             string
	}{
		"Same":          {reason: "nothing differs", declared: "a", remote: "a"},
		"Seen":          {reason: "everybody sees it", declared: "orders", remote: "customers"},
		"Dropped":       {reason: "the message says that there is none", declared: "a"},
		"Added":         {reason: "likewise", remote: "a"},
		"Redacted":      {reason: "what is not shown is not described", declared: drift.Redacted, remote: drift.Redacted},
		"HalfRedacted":  {reason: "nor what is shown on one side only", declared: "a ", remote: drift.Redacted},
		"Case":          {reason: "letter case is easily overlooked", declared: "JSON", remote: "json", want: "they differ only in letter case"},
		"CaseOfAll":     {reason: "letters are not only those of ASCII", declared: "STRASSE ÄÖ", remote: "strasse äö", want: "they differ only in letter case"},
		"TrailingBreak": {reason: "a file ended in it", declared: "key\n", remote: "key", want: "they differ only in white space at the end (declared U+000A, remote none)"},
		"CarriageReturn": {reason: "as Windows ends lines", declared: "a\r\nb", remote: "a\nb",
			want: "they differ only in white space (declared U+000D, remote U+000A)"},
		"LeadingBlank": {reason: "at the beginning too", declared: "key", remote: " key", want: "they differ only in white space at the beginning (declared none, remote U+0020)"},
		"BothEnds": {reason: "each end is named", declared: "\t key ", remote: "key",
			want: "they differ only in white space at the beginning (declared U+0009 U+0020, remote none) and white space at the end (declared U+0020, remote none)"},
		"LongEnd":   {reason: "a few code points are enough", declared: "key\n\n\n\n\n", remote: "key", want: "they differ only in white space at the end (declared U+000A U+000A U+000A U+000A …, remote none)"},
		"NoBreak":   {reason: "a no-break space looks like a blank", declared: "a\u00a0b", remote: "a b", want: "they differ only in white space (declared U+00A0, remote U+0020)"},
		"TwoBlanks": {reason: "the console shows one of two", declared: "a  b", remote: "a b", want: "they differ only in white space (declared U+0020, remote U+0062)"},
		"Tab":       {reason: "a tab looks like blanks", declared: "a\tb", remote: "a b", want: "they differ only in white space (declared U+0009, remote U+0020)"},
		"ZeroWidth": {reason: "it cannot be seen at all", declared: "a\u200bb", remote: "ab", want: "they differ only in invisible characters (declared U+200B, remote U+0062)"},
		"SoftHyphen": {reason: "web pages have it in words", declared: "import", remote: "im\u00adport",
			want: "they differ only in invisible characters (declared U+0070, remote U+00AD)"},
		"OrderMark": {reason: "it is at the beginning of a file", declared: "\ufeffkey", remote: "key", want: "they differ only in invisible characters (declared U+FEFF, remote U+006B)"},
		"InvisibleEnds": {reason: "what cannot be seen is around what looks like a blank", declared: "\u200b key\u200b\n", remote: "key",
			want: "they differ only in invisible characters (declared U+200B, remote U+006B) and white space at the beginning (declared U+0020, remote none) and white space at the end (declared U+000A, remote none)"},
		"OtherBlank": {reason: "both begin with white space, with another one", declared: "\tKEY", remote: " key", want: "they differ only in white space at the beginning (declared U+0009, remote U+0020) and letter case"},
		"Kelvin":     {reason: "a sign that is a letter in another form and in another case", declared: "\u212a", remote: "K", want: "they differ only in Unicode form (declared U+212A, remote U+004B)"},
		"EndAndCase": {reason: "both are named", declared: "KEY\u200b", remote: "key", want: "they differ only in invisible characters (declared U+200B, remote none) and letter case"},
		"Composed": {reason: "a Mac takes letters and accents apart", declared: "Cafe\u0301", remote: "Caf\u00e9",
			want: "they differ only in Unicode form (declared U+0065 U+0301, remote U+00E9)"},
		"Decomposed": {reason: "and the other way round", declared: "M\u00fcller", remote: "Mu\u0308ller",
			want: "they differ only in Unicode form (declared U+00FC, remote U+0075 U+0308)"},
		"FormAndCase": {reason: "both are named", declared: "CAFE\u0301 ", remote: "caf\u00e9",
			want: "they differ only in white space at the end (declared U+0020, remote none) and Unicode form (declared U+0065 U+0301, remote U+00E9) and letter case"},
		"Alphabets": {reason: "letters of two alphabets look the same", declared: "p\u0430y", remote: "pay",
			want: "they differ from character 2 on (declared U+0430, remote U+0061)"},
		"CutByAPI":     {reason: "a message shows only the beginning", declared: long + "yz", remote: long, want: "the remote value ends after 60 of 62 characters"},
		"Continued":    {reason: "likewise", declared: long, remote: long + "y", want: "the remote value goes on after the 60 declared characters"},
		"FarBehind":    {reason: "likewise", declared: long + "a", remote: long + "b", want: "they differ from character 61 on (declared U+0061, remote U+0062)"},
		"TextNumber":   {reason: "quotes are easily overlooked", declared: "10", remote: number("10"), want: "a text is declared, the remote value is a number"},
		"NumberText":   {reason: "the other way round", declared: number("10"), remote: "10", want: "a number is declared, the remote value is a text"},
		"TextBoolean":  {reason: "likewise", declared: "true", remote: true, want: "a text is declared, the remote value is a boolean"},
		"OneOfArray":   {reason: "an array of one is not its element", declared: "POST", remote: []any{"POST"}, want: "a text is declared, the remote value is an array"},
		"ObjectArray":  {reason: "likewise", declared: map[string]any{}, remote: []any{true}, want: "an object is declared, the remote value is an array"},
		"Length":       {reason: "a message shows only the beginning of an array", declared: []any{"a", "b"}, remote: []any{"a"}, want: "2 elements are declared, the remote value has 1"},
		"Digits":       {reason: "the API keeps floating point", declared: number("12345678901234567890"), remote: number("12345678901234567000"), want: "digits were lost: 64-bit floating point does not tell the two numbers apart"},
		"FewDigits":    {reason: "everybody sees it", declared: number("1.25"), remote: number("1.3")},
		"NumberForms":  {reason: "they do not differ at all", declared: number("1.0"), remote: number("1")},
		"Booleans":     {reason: "everybody sees it", declared: true, remote: false},
		"EmptyAndText": {reason: "everybody sees it", declared: "", remote: "a"},
		"OnlyBlank":    {reason: "a blank text looks empty", declared: " ", remote: "", want: "they differ only in white space at the beginning (declared U+0020, remote none) and white space at the end (declared U+0020, remote none)"},
	} {
		t.Run(name, func(t *testing.T) {
			got := HowDiffers(tc.declared, tc.remote)
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
			if len(got) > maxHint {
				t.Errorf("%s: a hint of %d bytes", tc.reason, len(got))
			}
		})
	}
}
