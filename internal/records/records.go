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
	"strings"
	"unicode/utf8"

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

// byteOrderMark may be in front of the first record of a file, also if the file was appended to another.
const byteOrderMark = "\ufeff"

// Parse reads one source of records: a JSON array, or JSON Lines. The records are parts of source, not
// copies. More than limit records are ErrTooMuch. A source whose first character is "[" is an array.
func Parse(source []byte, limit int) ([]json.RawMessage, error) {
	if text := trimLeft(source); bytes.HasPrefix(text, []byte{'['}) {
		return parseArray(source, len(source)-len(text), limit)
	}
	records, err := parseLines(source, limit)
	if err != nil {
		return nil, err
	}
	return records, refuseRequest(records)
}

// trimLeft returns text without the white space and byte order marks at its beginning.
func trimLeft(text []byte) []byte {
	for {
		text = bytes.TrimLeft(text, whiteSpace)
		if !bytes.HasPrefix(text, []byte(byteOrderMark)) {
			return text
		}
		text = text[len(byteOrderMark):]
	}
}

// parseArray reads the array that begins at from.
func parseArray(source []byte, from, limit int) ([]json.RawMessage, error) {
	array := source[from:]
	if err := json.Unmarshal(array, new(skipped)); err != nil {
		return nil, fmt.Errorf("not a JSON array: %s", position(source, int64(from), err))
	}
	// The array is valid, so nothing below can fail.
	decoder := json.NewDecoder(bytes.NewReader(array))
	_, _ = decoder.Token()
	var records []json.RawMessage
	for decoder.More() {
		if len(records) == limit {
			return nil, ErrTooMuch
		}
		before := decoder.InputOffset()
		_ = decoder.Decode(new(skipped))
		end := decoder.InputOffset()
		records = append(records, bytes.TrimLeft(array[before:end:end], whiteSpace+","))
	}
	return records, nil
}

func parseLines(source []byte, limit int) ([]json.RawMessage, error) {
	var records []json.RawMessage
	decoder, from := json.NewDecoder(bytes.NewReader(source)), int64(0)
	for {
		before := from + decoder.InputOffset()
		err := decoder.Decode(new(skipped))
		if errors.Is(err, io.EOF) {
			return records, nil
		}
		if err != nil {
			rest := bytes.TrimLeft(source[before:], whiteSpace)
			switch {
			case bytes.HasPrefix(rest, []byte(byteOrderMark)):
				from = int64(len(source) - len(trimLeft(rest)))
				decoder = json.NewDecoder(bytes.NewReader(source[from:]))
				continue
			case bytes.HasPrefix(rest, []byte{','}):
				return nil, fmt.Errorf("not JSON Lines: record %d: %s, a comma; put [ and ] around records with commas between them", len(records), position(source, from, err))
			default:
				return nil, fmt.Errorf("not JSON Lines: record %d: %s", len(records), position(source, from, err))
			}
		}
		if len(records) == limit {
			return nil, ErrTooMuch
		}
		end := from + decoder.InputOffset()
		records = append(records, bytes.TrimLeft(source[before:end:end], whiteSpace))
	}
}

// refuseRequest refuses the body of an API request in the place of records: one object of just data
// and settings, or of data alone. As a record it would be sent whole, and its records would not be.
// Inside an array everything is a record.
func refuseRequest(records []json.RawMessage) error {
	if len(records) == 0 || records[0][0] != '{' {
		return nil
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(records[0], &fields); err != nil {
		return nil //nolint:nilerr // it is valid, so it is an object
	}
	data, hasData := fields["data"]
	_, hasSettings := fields["settings"]
	only := hasData && (len(fields) == 1 || hasSettings && len(fields) == 2)
	if isArray := len(data) > 0 && data[0] == '['; !only || !hasSettings && (!isArray || len(records) > 1) {
		return nil
	}
	return errors.New(`an object of just "data" and "settings", as in a request to the API: put the array into spec.data or alone into the key, and the settings into spec.settings; if the object is one record, put it into an array, [{…}]`)
}

// skipped accepts any JSON value and keeps nothing of it.
type skipped struct{}

func (*skipped) UnmarshalJSON([]byte) error { return nil }

// Position describes where source is malformed as JSON, by the error of encoding/json, without quoting
// any of it.
func Position(source []byte, err error) string { return position(source, 0, err) }

// position is Position for an error of a decoder that began at from.
func position(source []byte, from int64, err error) string {
	syntax, ok := errors.AsType[*json.SyntaxError](err)
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF), ok && syntax.Error() == "unexpected end of JSON input":
		return "it ends too early"
	case !ok:
		return "it cannot be read"
	}
	// The offset is behind the character that does not fit.
	before := source[:min(max(from+syntax.Offset-1, 0), int64(len(source)))]
	what := "syntax error"
	if strings.HasSuffix(syntax.Error(), "after top-level value") {
		what = "something follows its end"
	}
	line := bytes.Count(before, []byte{'\n'}) + 1
	column := utf8.RuneCount(before[bytes.LastIndexByte(before, '\n')+1:]) + 1
	return fmt.Sprintf("%s at line %d, column %d", what, line, column)
}
