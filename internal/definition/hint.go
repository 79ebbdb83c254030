// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package definition

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/integrator-operator/integrator-operator/internal/drift"
)

// HowDiffers says how two values of a field differ where that cannot be seen, such as in white space, in
// letter case, in the Unicode form or in the type. It is empty where it can be seen, where a value is
// missing, and where one is redacted.
func HowDiffers(declared, remote any) string {
	if declared == nil || remote == nil || declared == drift.Redacted || remote == drift.Redacted {
		return ""
	}
	one, other := typeOf(declared), typeOf(remote)
	if one != other {
		return fmt.Sprintf("%s is declared, the remote value is %s", one, other)
	}
	switch typed := declared.(type) {
	case string:
		return howTextsDiffer(typed, remote.(string))
	case json.Number:
		return howNumbersDiffer(typed.String(), remote.(json.Number).String())
	case []any:
		if array := remote.([]any); len(array) != len(typed) {
			return fmt.Sprintf("%d elements are declared, the remote value has %d", len(typed), len(array))
		}
	}
	return ""
}

func typeOf(value any) string {
	switch value.(type) {
	case string:
		return "a text"
	case json.Number:
		return "a number"
	case bool:
		return "a boolean"
	case []any:
		return "an array"
	default:
		return "an object"
	}
}

func howNumbersDiffer(declared, remote string) string {
	one, _ := strconv.ParseFloat(declared, 64)
	other, _ := strconv.ParseFloat(remote, 64)
	if one == other && !drift.EqualNumbers(declared, remote) {
		return "digits were lost: 64-bit floating point does not tell the two numbers apart"
	}
	return ""
}

// An aspect is one way in which texts differ that cannot be seen.
type aspect struct {
	what string
	// without returns a text that is the same for all that differ in this way only.
	without func(string) string
}

const (
	aspectEnds = "ends"
	aspectCase = "letter case"
)

var aspects = []aspect{
	{"invisible characters", removeInvisible},
	{aspectEnds, strings.TrimSpace},
	{"Unicode form", norm.NFC.String},
	{"white space", collapseSpaces},
	{aspectCase, foldCase},
}

func howTextsDiffer(declared, remote string) string {
	if declared == remote {
		return ""
	}
	if fold(declared, "") != fold(remote, "") {
		return howLongTextsDiffer(declared, remote)
	}
	var parts []string
	for _, a := range aspects {
		one, other := fold(declared, a.what), fold(remote, a.what)
		switch {
		case a.what == aspectEnds:
			parts = append(parts, describeEnds(removeInvisible(declared), removeInvisible(remote))...)
		case one == other:
		case a.what == aspectCase:
			parts = append(parts, a.what)
		default:
			parts = append(parts, describeFirst(a.what, []rune(one), []rune(other)))
		}
	}
	if len(parts) == 0 {
		// Two aspects take the difference away, each alone: the sign of Kelvin is a K in another form.
		parts = []string{describeFirst("Unicode form", []rune(declared), []rune(remote))}
	}
	return "they differ only in " + strings.Join(parts, " and ")
}

// fold returns a text without what cannot be seen, apart from one aspect.
func fold(text, except string) string {
	for _, a := range aspects {
		if a.what != except {
			text = a.without(text)
		}
	}
	return text
}

// describeFirst names the first characters that differ.
func describeFirst(what string, declared, remote []rune) string {
	at := firstDifference(declared, remote)
	return fmt.Sprintf("%s (declared %s, remote %s)", what, codePoints(declared, at), codePoints(remote, at))
}

// longText is how long a text is, in characters, of which a message does not show the end.
const longText = 60

// howLongTextsDiffer says where texts differ whose difference a message may not show, and which
// characters differ that may look alike.
func howLongTextsDiffer(declared, remote string) string {
	one, other := []rune(declared), []rune(remote)
	at := firstDifference(one, other)
	switch {
	case at == len(other) && at >= longText:
		return fmt.Sprintf("the remote value ends after %d of %d characters", len(other), len(one))
	case at == len(one) && at >= longText:
		return fmt.Sprintf("the remote value goes on after the %d declared characters", len(one))
	case at >= longText, lookAlike(one, other):
		return fmt.Sprintf("they differ from character %d on (declared %s, remote %s)", at+1, codePoints(one, at), codePoints(other, at))
	default:
		return ""
	}
}

// lookAlike reports whether two texts have the same length, and wherever they differ just one of them
// has a letter of ASCII: such letters of two alphabets often look the same.
func lookAlike(one, other []rune) bool {
	if len(one) != len(other) {
		return false
	}
	for i := range one {
		if one[i] != other[i] && (one[i] < utf8.RuneSelf) == (other[i] < utf8.RuneSelf) {
			return false
		}
	}
	return true
}

func firstDifference(one, other []rune) int {
	at := 0
	for at < len(one) && at < len(other) && one[at] == other[at] {
		at++
	}
	return at
}

// codePoints gives the character at an index with its combining marks, such as "U+0065 U+0301".
func codePoints(text []rune, at int) string {
	if at >= len(text) {
		return "none"
	}
	end := at + 1
	for end < len(text) && end < at+4 && unicode.Is(unicode.Mn, text[end]) {
		end++
	}
	return named(text[at:end])
}

// named gives code points, the first four.
func named(text []rune) string {
	const most = 4
	if len(text) == 0 {
		return "none"
	}
	var points []string
	for _, r := range text[:min(len(text), most)] {
		points = append(points, fmt.Sprintf("%U", r))
	}
	if len(text) > most {
		points = append(points, "…")
	}
	return strings.Join(points, " ")
}

// describeEnds describes the white space around two texts.
func describeEnds(declared, remote string) (parts []string) {
	for _, end := range []struct {
		where string
		of    func(string) string
	}{
		{"beginning", func(text string) string { return text[:len(text)-len(strings.TrimLeftFunc(text, unicode.IsSpace))] }},
		{"end", func(text string) string { return text[len(strings.TrimRightFunc(text, unicode.IsSpace)):] }},
	} {
		if one, other := end.of(declared), end.of(remote); one != other {
			parts = append(parts, fmt.Sprintf("white space at the %s (declared %s, remote %s)", end.where, named([]rune(one)), named([]rune(other))))
		}
	}
	return parts
}

// isInvisible reports whether a character has no width: formats such as the zero-width space and the byte
// order mark, and controls.
func isInvisible(r rune) bool {
	return unicode.Is(unicode.Cf, r) || unicode.IsControl(r) && !unicode.IsSpace(r) || slices.Contains([]rune{'\u034f', '\u115f', '\u1160', '\u3164'}, r)
}

func removeInvisible(text string) string {
	return strings.Map(func(r rune) rune {
		if isInvisible(r) {
			return -1
		}
		return r
	}, text)
}

// collapseSpaces makes one blank of all white space in a row.
func collapseSpaces(text string) string {
	var folded strings.Builder
	inSpace := false
	for _, r := range text {
		if space := unicode.IsSpace(r); !space {
			folded.WriteRune(r)
			inSpace = false
		} else if !inSpace {
			folded.WriteByte(' ')
			inSpace = true
		}
	}
	return folded.String()
}

func foldCase(text string) string { return strings.ToLower(strings.ToUpper(text)) }
