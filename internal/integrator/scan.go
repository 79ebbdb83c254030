// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package integrator

import (
	"bytes"
	"encoding/json"
	"errors"
)

// The functions of this file walk the outermost level of JSON that is known to be valid. Beside
// being quick, that keeps names exact (the structs of encoding/json ignore case) and lets one
// field of a wrong type be passed over without losing the document.

var (
	errNotObject = errors.New("the answer is not a JSON object where there should be one")
	errNotArray  = errors.New("the answer is not a JSON array where there should be one")
	errBroken    = errors.New("the JSON of the answer is broken")
	errStop      = errors.New("stop") // a visitor has seen enough
)

// objectFields visits the fields of an object in their order, doubles included. The visitor gets
// parts of raw, not copies.
func objectFields(raw []byte, visit func(name []byte, value json.RawMessage) error) error {
	i := skipSpace(raw, 0)
	if i == len(raw) || raw[i] != '{' {
		return errNotObject
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

// arrayElements visits the elements of an array in their order. The visitor gets parts of raw,
// not copies.
func arrayElements(raw []byte, visit func(element json.RawMessage) error) error {
	i := skipSpace(raw, 0)
	if i == len(raw) || raw[i] != '[' {
		return errNotArray
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

// skipSpace gives the index of the next byte that is no white space.
func skipSpace(raw []byte, i int) int {
	for i < len(raw) && (raw[i] == ' ' || raw[i] == '\n' || raw[i] == '\r' || raw[i] == '\t') {
		i++
	}
	return min(i, len(raw))
}

// skipValue gives the index behind the value that starts at i.
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

// fieldName takes the quotes off a name, and decodes it if it has to.
func fieldName(quoted []byte) []byte {
	if bytes.IndexByte(quoted, '\\') < 0 {
		return quoted[1 : len(quoted)-1]
	}
	return []byte(stringOnly(quoted))
}

// text gives a JSON string's text, or a number or boolean as written; "" for anything else.
func text(raw json.RawMessage) string {
	if len(raw) == 0 {
		return ""
	}
	switch raw[0] {
	case '{', '[', 'n':
		return ""
	case '"':
		return stringOnly(raw)
	}
	return string(raw)
}

// stringOnly gives a JSON string's text; "" for anything else.
func stringOnly(raw json.RawMessage) string {
	var s string
	if len(raw) == 0 || raw[0] != '"' || json.Unmarshal(raw, &s) != nil {
		return ""
	}
	return s
}

// isObject reports whether raw is one valid JSON object.
func isObject(raw json.RawMessage) bool {
	i := skipSpace(raw, 0)
	return i < len(raw) && raw[i] == '{' && json.Valid(raw)
}
