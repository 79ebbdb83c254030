// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package drift

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// JSON texts that are no Unicode text are read and written without loss. encoding/json replaces them by
// U+FFFD, and that would be written to fields that nobody declared. In a Go string that was parsed,
//
//   - an unpaired surrogate, as in "\ud83d", is the three bytes that UTF-8 would have for it;
//   - a byte that is not valid UTF-8 follows the byte rawByte, so that three such bytes are no surrogate.
//
// Texts from elsewhere are valid UTF-8, and have neither.
const rawByte = 0xFF

// Parse reads a JSON object. Numbers keep their digits (json.Number), and texts and names every
// character, so that nothing is lost when Encode writes them back.
func Parse(raw []byte) (map[string]any, error) {
	value, err := ParseValue(raw)
	if err != nil {
		return nil, fmt.Errorf("not a JSON document: %w", err)
	}
	document, ok := value.(map[string]any)
	if !ok {
		return nil, errors.New("not a JSON object")
	}
	return document, nil
}

// ParseValue reads any JSON value, as Parse does.
func ParseValue(raw []byte) (any, error) {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	var valid json.RawMessage
	if err := decoder.Decode(&valid); err != nil {
		return nil, err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows its end")
	}
	parser := parser{text: valid}
	return parser.value(), nil
}

// parser reads valid JSON.
type parser struct {
	text []byte
	at   int
}

// next skips white space, commas and colons, and returns the byte that begins or ends a value.
func (p *parser) next() byte {
	for {
		switch c := p.text[p.at]; c {
		case ' ', '\t', '\r', '\n', ',', ':':
			p.at++
		default:
			return c
		}
	}
}

func (p *parser) value() any {
	switch p.next() {
	case '{':
		object := map[string]any{}
		for p.at++; p.next() != '}'; {
			name := p.string()
			object[name] = p.value()
		}
		p.at++
		return object
	case '[':
		array := []any{}
		for p.at++; p.next() != ']'; {
			array = append(array, p.value())
		}
		p.at++
		return array
	case '"':
		return p.string()
	default:
		return p.literal()
	}
}

// literal reads a number, true, false or null.
func (p *parser) literal() any {
	end := len(p.text)
	if length := bytes.IndexAny(p.text[p.at:], " \t\r\n,]}"); length >= 0 {
		end = p.at + length
	}
	literal := string(p.text[p.at:end])
	p.at = end
	switch literal {
	case "true":
		return true
	case "false":
		return false
	case "null":
		return nil
	default:
		return json.Number(literal)
	}
}

// string reads a text or a name.
func (p *parser) string() string {
	p.at++
	start, plain := p.at, true
	for ; p.text[p.at] != '"'; p.at++ {
		if p.text[p.at] == '\\' {
			plain = false
			p.at++
		}
	}
	quoted := p.text[start:p.at]
	p.at++
	if plain && utf8.Valid(quoted) {
		return string(quoted)
	}
	text := make([]byte, 0, len(quoted))
	for len(quoted) > 0 {
		text, quoted = unquote(text, quoted)
	}
	return string(text)
}

// unquote appends the first character of a quoted text, and returns what follows it.
func unquote(text, quoted []byte) (appended, rest []byte) {
	switch {
	case quoted[0] == '\\' && quoted[1] == 'u':
		unit := codeUnit(quoted)
		if pair := utf16.DecodeRune(unit, codeUnit(quoted[6:])); pair != utf8.RuneError {
			return utf8.AppendRune(text, pair), quoted[12:]
		}
		if utf16.IsSurrogate(unit) {
			return append(text, byte(0xE0|unit>>12), byte(0x80|unit>>6&0x3F), byte(0x80|unit&0x3F)), quoted[6:] //nolint:gosec // 16 bits
		}
		return utf8.AppendRune(text, unit), quoted[6:]
	case quoted[0] == '\\':
		if i := strings.IndexByte("bfnrt", quoted[1]); i >= 0 {
			return append(text, "\b\f\n\r\t"[i]), quoted[2:]
		}
		return append(text, quoted[1]), quoted[2:]
	}
	if r, size := utf8.DecodeRune(quoted); r != utf8.RuneError || size > 1 {
		return append(text, quoted[:size]...), quoted[size:]
	}
	return append(text, rawByte, quoted[0]), quoted[1:]
}

// codeUnit returns the UTF-16 code unit of the \u escape that a quoted text begins with, -1 if it
// begins with something else.
func codeUnit(quoted []byte) rune {
	if len(quoted) < 6 || quoted[0] != '\\' || quoted[1] != 'u' {
		return -1
	}
	unit, err := strconv.ParseUint(string(quoted[2:6]), 16, 16)
	if err != nil {
		return -1
	}
	return rune(unit)
}

// Encode writes a value as JSON: the texts and numbers of a parsed document as they were read, the
// keys of objects sorted, and <, > and & as they are.
func Encode(value any) ([]byte, error) { return appendValue(nil, value) }

func appendValue(encoded []byte, value any) (_ []byte, err error) {
	switch typed := value.(type) {
	case map[string]any:
		encoded = append(encoded, '{')
		for i, key := range sortedKeys(typed) {
			if i > 0 {
				encoded = append(encoded, ',')
			}
			encoded = append(appendQuoted(encoded, key), ':')
			if encoded, err = appendValue(encoded, typed[key]); err != nil {
				return nil, err
			}
		}
		return append(encoded, '}'), nil
	case []any:
		encoded = append(encoded, '[')
		for i, child := range typed {
			if i > 0 {
				encoded = append(encoded, ',')
			}
			if encoded, err = appendValue(encoded, child); err != nil {
				return nil, err
			}
		}
		return append(encoded, ']'), nil
	case string:
		return appendQuoted(encoded, typed), nil
	case hidden:
		return appendQuoted(encoded, string(typed)), nil
	default:
		literal, err := json.Marshal(value)
		return append(encoded, literal...), err
	}
}

// appendQuoted appends a text as a JSON string.
func appendQuoted(encoded []byte, text string) []byte {
	encoded = append(encoded, '"')
	for text != "" {
		kind, size := firstOf(text)
		switch kind {
		case surrogate:
			encoded = append(encoded, escaped(text)...)
		case invalid:
			encoded = append(encoded, text[size-1])
		case valid:
			encoded = appendEscaped(encoded, text[:size])
		}
		text = text[size:]
	}
	return append(encoded, '"')
}

// appendEscaped appends one valid character as encoding/json does. U+2028 and U+2029 are escaped
// because they end a line where the text is shown.
func appendEscaped(encoded []byte, character string) []byte {
	switch c := character[0]; {
	case c == '"' || c == '\\':
		return append(encoded, '\\', c)
	case c < ' ':
		if i := strings.IndexByte("\b\f\n\r\t", c); i >= 0 {
			return append(encoded, '\\', "bfnrt"[i])
		}
		return fmt.Appendf(encoded, `\u%04x`, c)
	case character == "\u2028":
		return append(encoded, `\u2028`...)
	case character == "\u2029":
		return append(encoded, `\u2029`...)
	default:
		return append(encoded, character...)
	}
}

// character is what a parsed text can begin with.
type character int

const (
	valid character = iota
	// surrogate is an unpaired one.
	surrogate
	// invalid is a byte that is not valid UTF-8.
	invalid
)

// firstOf returns what a text begins with, and the number of its bytes.
func firstOf(text string) (kind character, size int) {
	switch r, size := utf8.DecodeRuneInString(text); {
	case r != utf8.RuneError || size > 1:
		return valid, size
	case text[0] == rawByte && len(text) > 1:
		return invalid, 2
	case len(text) >= 3 && text[0] == 0xED && text[1] >= 0xA0 && text[1] <= 0xBF && text[2] >= 0x80 && text[2] <= 0xBF:
		return surrogate, 3
	default:
		return invalid, 1
	}
}

// escaped is the JSON escape of the surrogate that a text begins with.
func escaped(text string) string {
	return fmt.Sprintf(`\u%04x`, rune(text[0]&0x0F)<<12|rune(text[1]&0x3F)<<6|rune(text[2]&0x3F))
}

// readable makes a text fit to be shown: an unpaired surrogate is its JSON escape, and a byte that is
// not valid UTF-8 is U+FFFD.
func readable(text string) string {
	if utf8.ValidString(text) {
		return text
	}
	var shown strings.Builder
	for text != "" {
		kind, size := firstOf(text)
		switch kind {
		case surrogate:
			shown.WriteString(escaped(text))
		case invalid:
			shown.WriteRune(utf8.RuneError)
		case valid:
			shown.WriteString(text[:size])
		}
		text = text[size:]
	}
	return shown.String()
}
