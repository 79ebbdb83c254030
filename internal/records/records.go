// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package records parses the data of a run into records, and divides records into batches. It is pure.
package records

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/integrator-operator/integrator-operator/internal/integrator"
)

// maxPage is the API's limit for the body of one call, in bytes.
const maxPage = 5_000_000

// ErrTooMuch is the error for data above the caller's limit.
var ErrTooMuch = errors.New("more data than there is room for")

// Batch is the range of the records of one call, by index: From is included, To is not.
type Batch struct{ From, To int }

// Divide divides records into batches of at most size records (0: no limit), whose bodies, with the
// settings, have at most maxPage bytes.
func Divide(records []json.RawMessage, settings json.RawMessage, size int) ([]Batch, error) {
	envelope := integrator.InvokeRequest{Settings: settings}.Size()
	var batches []Batch
	from, bytes := 0, envelope
	for i, record := range records {
		if envelope+len(record) > maxPage {
			return nil, fmt.Errorf("record %d makes a call of %d bytes, more than the %d that the API takes; create another ImportRun with a smaller record, or with smaller settings", i, envelope+len(record), maxPage)
		}
		full := size > 0 && i-from == size
		if more := len(record) + 1; i > from && (full || bytes+more > maxPage) {
			batches = append(batches, Batch{from, i})
			from, bytes = i, envelope
		}
		bytes += len(record)
		if i > from {
			bytes++ // the comma
		}
	}
	return append(batches, Batch{from, len(records)}), nil
}

// Decompress returns content, decompressed if it is compressed with gzip. A result of more than limit
// bytes is ErrTooMuch.
func Decompress(content []byte, limit int) ([]byte, error) {
	if bytes.HasPrefix(content, []byte{0x1f, 0x8b}) {
		reader, err := gzip.NewReader(bytes.NewReader(content))
		if err == nil {
			content, err = io.ReadAll(io.LimitReader(reader, int64(limit)+1))
		}
		if err != nil {
			return nil, errors.New("compressed with gzip, and cannot be decompressed")
		}
	}
	if len(content) > limit {
		return nil, ErrTooMuch
	}
	return content, nil
}

// whiteSpace is the white space of JSON, which has fewer characters than that of Unicode.
const whiteSpace = " \t\r\n"

// Parse reads one source of records: a JSON array, or JSON Lines. The records are parts of source, not
// copies. More than limit records are ErrTooMuch.
func Parse(source []byte, limit int) ([]json.RawMessage, error) {
	decoder := json.NewDecoder(bytes.NewReader(source))
	isArray := bytes.HasPrefix(bytes.TrimLeft(source, whiteSpace), []byte{'['})
	if isArray {
		if err := json.Unmarshal(source, new(skipped)); err != nil {
			return nil, fmt.Errorf("not a JSON array: %s", Position(err))
		}
		// The array is valid, so nothing below can fail.
		_, _ = decoder.Token()
	}
	var records []json.RawMessage
	for !isArray || decoder.More() {
		before := decoder.InputOffset()
		err := decoder.Decode(new(skipped))
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("not JSON Lines: record %d: %s", len(records), Position(err))
		}
		if len(records) == limit {
			return nil, ErrTooMuch
		}
		end := decoder.InputOffset()
		records = append(records, bytes.TrimLeft(source[before:end:end], whiteSpace+","))
	}
	return records, nil
}

// skipped accepts any JSON value and keeps nothing of it.
type skipped struct{}

func (*skipped) UnmarshalJSON([]byte) error { return nil }

// Position describes where JSON is malformed, without quoting any of it.
func Position(err error) string {
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		return fmt.Sprintf("syntax error near byte %d", syntax.Offset)
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return "it ends too early"
	}
	return "it cannot be read"
}
