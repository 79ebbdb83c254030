// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package integrator

import (
	"encoding/json"
	"net/url"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxText is how much of a foreign string an error keeps, in bytes.
const maxText = 512

// scrubber gives a function that takes the token, in any way of writing it that an answer may
// echo, out of a text. The token lives in the closure only.
func scrubber(token string) func(string) string {
	quoted := strconv.Quote(token)
	const mask = "[redacted]"
	return strings.NewReplacer(
		token, mask,
		quoted[1:len(quoted)-1], mask,
		url.QueryEscape(token), mask,
		url.PathEscape(token), mask,
	).Replace
}

// OneLine makes a foreign text fit for one line of a log or a condition: valid UTF-8, and blanks
// in the place of control and invisible formatting characters.
func OneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
}

// oneLine is OneLine without blanks at the ends.
func oneLine(s string) string { return strings.TrimSpace(OneLine(s)) }

// cut shortens s to at most n bytes, between characters, and shows that it did.
func cut(s string, n int) string {
	const mark = "…"
	if len(s) <= n {
		return s
	}
	end := n - len(mark)
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + mark
}

// maxLabel is how much is kept of a foreign string that is a date, a type or an id, in bytes.
const maxLabel = 64

// shown is a foreign string as it may be shown to people.
func shown(s string) string { return cut(oneLine(cut(s, maxErrorBody)), maxText) }

// label is the text of a JSON string that is a date, a type or an id; "" for anything else.
func label(raw json.RawMessage) string { return cut(shown(stringOnly(raw)), maxLabel) }

// clean is what every foreign string goes through before it may stand in an error.
func (c *Client) clean(s string) string {
	return shown(c.scrub(cut(s, maxErrorBody)))
}
