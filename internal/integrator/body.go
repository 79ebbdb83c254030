// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package integrator

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
)

const (
	// maxBody is how much of an answer is read, after decompression, in bytes.
	maxBody = 16 << 20
	// maxPageItems bounds one page of a list, whose documented sizes are 100 and 1000. The
	// smallest elements take far more memory as structs than as bytes.
	maxPageItems = 20_000
	// maxValues bounds one document. Each value, be it two bytes long, takes 16 to 100 bytes once
	// a document is taken apart: 16 MiB of `{},` would take 360.
	maxValues = 250_000
)

var (
	errTooMany       = errors.New("the answer has more elements than any account can have")
	errTooManyValues = &failure{text: "the answer has more than 250,000 values", err: ErrTooLarge}
)

// limitedBody reads at most left bytes, then fails with ErrTooLarge. It remembers the error that
// ended the reading, so that a lost connection is not taken for bad JSON. And it fills whatever
// it is given: json.Decoder looks at all blanks again after every read, and with small reads a
// body of blanks would take quadratic time.
type limitedBody struct {
	r    io.Reader
	left int64
	err  error
}

func (b *limitedBody) Read(p []byte) (n int, err error) {
	for n < len(p) && b.err == nil {
		free := p[n:]
		if int64(len(free)) > b.left+1 { // one more, to tell "at the limit" from "beyond it"
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

// broken gives the error that ended the reading before the end of the body, nil if there is none.
func (b *limitedBody) broken() error {
	if b.err == nil || b.err == io.EOF { //nolint:errorlint // io.Reader's contract is the bare io.EOF
		return nil
	}
	return b.err
}

// readJSON reads a body that is one JSON value, and makes sure that it is.
func readJSON(body io.Reader) (json.RawMessage, error) {
	raw, err := io.ReadAll(body)
	if err != nil {
		return nil, err
	}
	raw = trimJSON(raw)
	return raw, checkJSON(raw)
}

// trimJSON takes away the white space of JSON (RFC 8259, section 2), which is less than that of
// bytes.TrimSpace: a form feed makes of a document something else.
func trimJSON(raw []byte) []byte { return bytes.Trim(raw, " \t\r\n") }

// readDocument is readJSON for what is going to be taken apart, value by value.
func readDocument(body io.Reader) (json.RawMessage, error) {
	raw, err := readJSON(body)
	if err == nil && countValues(raw) > maxValues {
		return nil, errTooManyValues
	}
	return raw, err
}

// countValues counts the values of valid JSON, those that hold others included: there is one more
// than there are commas and brackets, if none of these is empty.
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

// checkJSON tells whether raw is one JSON value, at most 10,000 deep as encoding/json has it.
// What is cut short gives io.ErrUnexpectedEOF, as it does with json.Decoder.
func checkJSON(raw []byte) error {
	err := json.Unmarshal(raw, new(nothing))
	if _, ok := errors.AsType[*json.SyntaxError](err); ok && strings.HasPrefix(err.Error(), "unexpected end") {
		return io.ErrUnexpectedEOF
	}
	return err
}

// nothing takes any JSON value and keeps none of it.
type nothing struct{}

func (*nothing) UnmarshalJSON([]byte) error { return nil }

// streamArray walks the elements of an array as they arrive, so that it is never held as a
// whole. Each element is a copy of its own.
func streamArray(r io.Reader, visit func(json.RawMessage) error) error {
	dec := json.NewDecoder(r)
	if token, err := dec.Token(); err != nil {
		return err
	} else if token != json.Delim('[') {
		return errNotArray
	}
	for n := 0; dec.More(); n++ {
		if n == maxPageItems {
			return errTooMany
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
