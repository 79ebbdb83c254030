// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package jsonscan

import (
	"bytes"
	"encoding/json"
	"errors"
)

// The functions of this file walk the outermost level of valid JSON. Unlike the structs of
// encoding/json they match names exactly, and one field of a wrong type can be skipped without
// losing the document. They are also faster.

var (
	// ErrNotObject reports that the answer has something else where an object is expected.
	ErrNotObject = errors.New("the answer is not a JSON object where there should be one")
	// ErrNotArray reports that the answer has something else where an array is expected.
	ErrNotArray = errors.New("the answer is not a JSON array where there should be one")
	// ErrStop is what a visitor returns to end the visit; the visiting function returns it.
	ErrStop = errors.New("stop")

	errBroken = errors.New("the JSON of the answer is broken")
)

// Fields visits the fields of an object in their order, duplicates included. The visitor gets
// parts of raw, not copies.
func Fields(raw []byte, visit func(name []byte, value json.RawMessage) error) error {
	i := skipSpace(raw, 0)
	if i == len(raw) || raw[i] != '{' {
		return ErrNotObject
	}
	for i = skipSpace(raw, i+1); i < len(raw) && raw[i] != '}'; {
		nameEnd := skipValue(raw, i)
		colon := skipSpace(raw, nameEnd)
		start := skipSpace(raw, colon+1)
		end := skipValue(raw, start)
		if start >= end || raw[colon] != ':' || raw[i] != '"' {
			return errBroken
		}
		if err := visit(fieldName(raw[i:nameEnd]), raw[start:end:end]); err != nil {
			return err
		}
		if i = skipSpace(raw, end); i < len(raw) && raw[i] == ',' {
			i = skipSpace(raw, i+1)
		}
	}
	return nil
}

// Elements visits the elements of an array in their order. The visitor gets parts of raw, not
// copies.
func Elements(raw []byte, visit func(element json.RawMessage) error) error {
	i := skipSpace(raw, 0)
	if i == len(raw) || raw[i] != '[' {
		return ErrNotArray
	}
	for i = skipSpace(raw, i+1); i < len(raw) && raw[i] != ']'; {
		end := skipValue(raw, i)
		if i >= end {
			return errBroken
		}
		if err := visit(raw[i:end:end]); err != nil {
			return err
		}
		if i = skipSpace(raw, end); i < len(raw) && raw[i] == ',' {
			i = skipSpace(raw, i+1)
		}
	}
	return nil
}

// skipSpace returns the index of the next byte that is not white space.
func skipSpace(raw []byte, i int) int {
	for i < len(raw) && (raw[i] == ' ' || raw[i] == '\n' || raw[i] == '\r' || raw[i] == '\t') {
		i++
	}
	return min(i, len(raw))
}

// skipValue returns the index after the value that starts at i.
func skipValue(raw []byte, i int) int {
	if i >= len(raw) {
		return i
	}
	switch raw[i] {
	case '"':
		return skipString(raw, i)
	case '{', '[':
		for depth := 0; i < len(raw); {
			switch raw[i] {
			case '"':
				i = skipString(raw, i)
				continue
			case '{', '[':
				depth++
			case '}', ']':
				depth--
			}
			if i++; depth == 0 {
				return i
			}
		}
		return i
	}
	end := bytes.IndexAny(raw[i:], ",:]} \n\r\t")
	if end < 0 {
		return len(raw)
	}
	return i + end
}

// skipString returns the index after the string that starts at i.
func skipString(raw []byte, i int) int {
	for i++; i < len(raw); i++ {
		switch raw[i] {
		case '"':
			return i + 1
		case '\\':
			i++
		}
	}
	return len(raw)
}

// fieldName removes the quotes of a name, and decodes its escapes if there are any.
func fieldName(quoted []byte) []byte {
	if bytes.IndexByte(quoted, '\\') < 0 {
		return quoted[1 : len(quoted)-1]
	}
	return []byte(String(quoted))
}

// Text returns the text of a JSON string, or a number or boolean as written; "" for anything else.
func Text(raw json.RawMessage) string {
	if len(raw) == 0 {
		return ""
	}
	switch raw[0] {
	case '{', '[', 'n':
		return ""
	case '"':
		return String(raw)
	}
	return string(raw)
}

// String returns the text of a JSON string; "" for anything else.
func String(raw json.RawMessage) string {
	if isPlain(raw) {
		return string(raw[1 : len(raw)-1])
	}
	var s string
	if len(raw) == 0 || raw[0] != '"' || json.Unmarshal(raw, &s) != nil {
		return ""
	}
	return s
}

// isPlain reports whether raw is a string of printable ASCII characters without escapes, as nearly all are. To
// unmarshal it would take many times its size.
func isPlain(raw json.RawMessage) bool {
	end := len(raw) - 1
	return end > 0 && raw[0] == '"' && raw[end] == '"' &&
		!bytes.ContainsFunc(raw[1:end], func(r rune) bool { return r < ' ' || r > '~' || r == '"' || r == '\\' })
}

// IsObject reports whether raw is one valid JSON object.
func IsObject(raw json.RawMessage) bool {
	i := skipSpace(raw, 0)
	return i < len(raw) && raw[i] == '{' && json.Valid(raw)
}
