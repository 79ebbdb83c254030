// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"fmt"
	"regexp"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// The API stores texts as they are sent, also those that are no Unicode. encoding/json would replace
// what is none by U+FFFD. Preserve marks it before a body is decoded, and Encode makes it again.

// markers are characters that no text has for itself. The first stands before the four digits of a code
// unit, the second before the two of a byte.
const (
	unitMarker = '\uFDD0'
	byteMarker = '\uFDD1'
)

var marked = regexp.MustCompile(`\x{FDD0}[0-9a-f]{4}|\x{FDD1}[0-9a-f]{2}`)

// Preserve marks the unpaired surrogates of a JSON text, and the bytes that are not valid UTF-8.
func Preserve(text []byte) []byte {
	kept := make([]byte, 0, len(text))
	for len(text) > 0 {
		size := 1
		if character, width := utf8.DecodeRune(text); character == utf8.RuneError && width == 1 {
			kept = fmt.Appendf(kept, "%c%02x", byteMarker, text[0])
		} else if unit, escaped := escapedUnit(text); escaped {
			size = len(`\u0000`)
			next, _ := escapedUnit(text[size:])
			switch {
			case utf16.DecodeRune(unit, next) != utf8.RuneError:
				size *= 2
				kept = append(kept, text[:size]...)
			case utf16.IsSurrogate(unit) || isMarker(unit):
				kept = fmt.Appendf(kept, "%c%04x", unitMarker, unit)
			default:
				kept = append(kept, text[:size]...)
			}
		} else if isMarker(character) {
			size = width
			kept = fmt.Appendf(kept, "%c%04x", unitMarker, character)
		} else {
			if size = width; text[0] == '\\' {
				size = min(2, len(text))
			}
			kept = append(kept, text[:size]...)
		}
		text = text[size:]
	}
	return kept
}

// restore turns what Preserve marked into what it was.
func restore(text []byte) []byte {
	return marked.ReplaceAllFunc(text, func(found []byte) []byte {
		marker, size := utf8.DecodeRune(found)
		if marker == unitMarker {
			return append([]byte(`\u`), found[size:]...)
		}
		value, _ := strconv.ParseUint(string(found[size:]), 16, 8)
		return []byte{byte(value)}
	})
}

func isMarker(character rune) bool { return character == unitMarker || character == byteMarker }

// escapedUnit returns the code unit of the escape that a JSON text begins with.
func escapedUnit(text []byte) (unit rune, ok bool) {
	if len(text) < len(`\u0000`) || text[0] != '\\' || text[1] != 'u' {
		return 0, false
	}
	value, err := strconv.ParseUint(string(text[2:6]), 16, 16)
	return rune(value), err == nil
}
