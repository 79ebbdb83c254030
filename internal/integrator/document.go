// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package integrator

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// maxBody is how much of an answer is read, after decompression, in bytes.
const maxBody = 16 << 20

// errStop ends a walk early.
var errStop = errors.New("stop")

// limitedBody reads at most limit bytes, then fails with ErrTooLarge. It remembers the error
// that ended the reading, so that a lost connection is not taken for bad JSON.
type limitedBody struct {
	r    io.Reader
	left int64
	err  error
}

func (b *limitedBody) Read(p []byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	if len(p) == 0 {
		return 0, nil
	}
	if int64(len(p)) > b.left+1 { // one more, to tell "exactly at the limit" from "beyond it"
		p = p[:b.left+1]
	}
	n, err := b.r.Read(p)
	if int64(n) > b.left {
		n, err = int(b.left), ErrTooLarge
	}
	b.left -= int64(n)
	b.err = err
	return n, err
}

// broken gives the error that ended the reading before the end of the body, nil if there is none.
func (b *limitedBody) broken() error {
	if b.err == nil || b.err == io.EOF { //nolint:errorlint // io.Reader's contract is the bare io.EOF
		return nil
	}
	return b.err
}

// objectFields walks the fields of one JSON object, names exactly as written (encoding/json's
// structs ignore case). The value is valid during the call only.
func objectFields(raw []byte, visit func(key string, value json.RawMessage) error) error {
	dec := json.NewDecoder(bytes.NewReader(raw))
	if err := expect(dec, '{'); err != nil {
		return err
	}
	var value json.RawMessage
	for dec.More() {
		token, err := dec.Token()
		if err != nil {
			return err
		}
		key, ok := token.(string)
		if !ok {
			return fmt.Errorf("a field's name is not a string")
		}
		if err := dec.Decode(&value); err != nil {
			return err
		}
		if err := visit(key, value); err != nil {
			return err
		}
	}
	return finish(dec, '}')
}

// arrayElements walks the elements of one JSON array as they arrive, so that the array is never
// held as a whole. Each element is a copy of its own.
func arrayElements(r io.Reader, visit func(json.RawMessage) error) error {
	dec := json.NewDecoder(r)
	if err := expect(dec, '['); err != nil {
		return err
	}
	for dec.More() {
		var element json.RawMessage
		if err := dec.Decode(&element); err != nil {
			return err
		}
		if err := visit(element); err != nil {
			return err
		}
	}
	return finish(dec, ']')
}

func expect(dec *json.Decoder, delim json.Delim) error {
	token, err := dec.Token()
	if err != nil {
		return err
	}
	if token != delim {
		return fmt.Errorf("the answer is not %s", map[json.Delim]string{'{': "a JSON object", '[': "a JSON array"}[delim])
	}
	return nil
}

// finish reads the closing delimiter and makes sure that nothing follows it.
func finish(dec *json.Decoder, delim json.Delim) error {
	token, err := dec.Token()
	if err != nil {
		return err
	}
	if token != delim {
		return fmt.Errorf("the JSON of the answer ends with the wrong bracket")
	}
	switch _, err := dec.Token(); {
	case errors.Is(err, io.EOF):
		return nil
	case err != nil:
		return err
	}
	return fmt.Errorf("something follows the JSON of the answer")
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
	if json.Unmarshal(raw, &s) != nil {
		return ""
	}
	return s
}

// isObject reports whether raw is one valid JSON object.
func isObject(raw json.RawMessage) bool {
	trimmed := bytes.TrimSpace(raw)
	return len(trimmed) > 0 && trimmed[0] == '{' && json.Valid(trimmed)
}
