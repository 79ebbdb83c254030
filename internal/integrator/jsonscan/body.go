// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package jsonscan reads JSON answers that may be hostile: within bounds of size and depth, and
// without decoding more than is needed.
package jsonscan

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
)

const (
	// MaxBody is how much of an answer is read, after decompression, in bytes.
	MaxBody = 16 << 20
	// MaxElements bounds one page of a list, whose documented sizes are 100 and 1000. The
	// smallest elements take far more memory as structs than as bytes.
	MaxElements = 20_000
	// MaxValues bounds one document. Each value, even one of two bytes, takes 16 to 100 bytes once
	// the document is decoded: 16 MiB of `{},` would take 360 MiB.
	MaxValues = 250_000
)

var (
	// ErrTooLarge reports that an answer is larger than the client reads.
	ErrTooLarge = errors.New("the answer is longer than 16 MiB")
	// ErrTooMany reports that an answer has more elements than the client reads.
	ErrTooMany = errors.New("the answer has more elements than any account can have")

	errTooManyValues error = tooManyValuesError{}
)

// tooManyValuesError is an ErrTooLarge that names the bound on values instead of that on bytes.
type tooManyValuesError struct{}

func (tooManyValuesError) Error() string { return "the answer has more than 250,000 values" }
func (tooManyValuesError) Unwrap() error { return ErrTooLarge }

// Body reads at most a given number of bytes, then fails with ErrTooLarge. It remembers the error
// that ended the reading, so that a lost connection is not mistaken for bad JSON. It also fills
// every buffer that it is given: json.Decoder scans all white space again after every read, so
// with small reads a body of white space would take quadratic time.
type Body struct {
	r    io.Reader
	left int64
	err  error
}

// NewBody returns a reader of at most MaxBody bytes of r.
func NewBody(r io.Reader) *Body { return &Body{r: r, left: MaxBody} }

func (b *Body) Read(p []byte) (n int, err error) {
	for n < len(p) && b.err == nil {
		free := p[n:]
		if int64(len(free)) > b.left+1 { // one more, to distinguish "at the limit" from "beyond it"
			free = free[:b.left+1]
		}
		m, err := b.r.Read(free)
		if int64(m) > b.left {
			m, err = int(b.left), ErrTooLarge
		}
		n, b.left, b.err = n+m, b.left-int64(m), err
	}
	if n > 0 {
		return n, nil
	}
	return 0, b.err
}

// Err returns the error that ended the reading before the end of the body, nil if there is none.
func (b *Body) Err() error {
	if b.err == nil || b.err == io.EOF { //nolint:errorlint // io.Reader's contract is the bare io.EOF
		return nil
	}
	return b.err
}

// Read reads a body that must be one valid JSON value.
func Read(body io.Reader) (json.RawMessage, error) {
	raw, err := io.ReadAll(body)
	if err != nil {
		return nil, err
	}
	raw = Trim(raw)
	return raw, checkJSON(raw)
}

// Trim removes the white space of JSON (RFC 8259, section 2) at both ends. That is less than what
// bytes.TrimSpace removes: a document with a form feed is not valid JSON.
func Trim(raw []byte) []byte { return bytes.Trim(raw, " \t\r\n") }

// ReadDocument is Read for what will be decoded, value by value: it bounds the number of values.
func ReadDocument(body io.Reader) (json.RawMessage, error) {
	raw, err := Read(body)
	if err == nil && countValues(raw) > MaxValues {
		return nil, errTooManyValues
	}
	return raw, err
}

// countValues counts the values of valid JSON, arrays and objects included: one more than there are
// commas and opening brackets. It counts one too many for each empty array or object.
func countValues(raw []byte) int {
	count := 1
	for i := 0; i < len(raw); {
		switch raw[i] {
		case '"':
			i = skipString(raw, i)
			continue
		case ',', '[', '{':
			count++
		}
		i++
	}
	return count
}

// checkJSON returns an error unless raw is one JSON value, at most 10,000 levels deep (the limit of
// encoding/json). Truncated JSON gives io.ErrUnexpectedEOF, as it does with json.Decoder.
func checkJSON(raw []byte) error {
	err := json.Unmarshal(raw, new(discard))
	if _, ok := errors.AsType[*json.SyntaxError](err); ok && strings.HasPrefix(err.Error(), "unexpected end") {
		return io.ErrUnexpectedEOF
	}
	return err
}

// discard accepts any JSON value and keeps none of it.
type discard struct{}

func (*discard) UnmarshalJSON([]byte) error { return nil }

// StreamArray visits the elements of an array as they arrive, so that the array is never in memory
// as a whole. Each element is a copy of its own.
func StreamArray(r io.Reader, visit func(json.RawMessage) error) error {
	dec := json.NewDecoder(r)
	if token, err := dec.Token(); err != nil {
		return err
	} else if token != json.Delim('[') {
		return ErrNotArray
	}
	for n := 0; dec.More(); n++ {
		if n == MaxElements {
			return ErrTooMany
		}
		var element json.RawMessage
		if err := dec.Decode(&element); err != nil {
			return err
		}
		if err := visit(element); err != nil {
			return err
		}
	}
	if _, err := dec.Token(); err != nil { // the closing bracket
		return err
	}
	if _, err := dec.Token(); err == nil {
		return errors.New("something follows the JSON of the answer")
	} else if !errors.Is(err, io.EOF) {
		return err
	}
	return nil
}
