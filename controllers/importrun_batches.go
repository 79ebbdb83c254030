// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"strconv"

	"github.com/integrator-operator/integrator-operator/internal/integrator"
)

// How sources of data become records, and records batches, as pure functions.

const (
	// maxPage is the API's limit of one page of data, in bytes as sent.
	maxPage = 5_000_000
	// maxRunData bounds what is held of one run: twice what its ConfigMaps can have uncompressed.
	maxRunData = 64 << 20
)

var errTooMuchData = errors.New("more data than a run can have")

// divide cuts the records into batches of at most size records (0: as many as fit) whose
// bodies, with the settings, are at most maxPage bytes.
func divide(records []json.RawMessage, settings json.RawMessage, size int) ([]batch, error) {
	envelope := integrator.InvokeRequest{Settings: settings}.Size()
	var batches []batch
	from, bytes := 0, envelope
	for i, record := range records {
		if envelope+len(record) > maxPage {
			return nil, fmt.Errorf("record %d makes a call of %d bytes, more than the %d that the API takes: make it, or settings, smaller", i, envelope+len(record), maxPage)
		}
		full := size > 0 && i-from == size
		if more := len(record) + 1; i > from && (full || bytes+more > maxPage) {
			batches = append(batches, batch{from, i})
			from, bytes = i, envelope
		}
		bytes += len(record)
		if i > from {
			bytes++ // the comma
		}
	}
	return append(batches, batch{from, len(records)}), nil
}

// decompressed is content, or what it holds if it is compressed with gzip. More than limit
// bytes are errTooMuchData.
func decompressed(content []byte, limit int) ([]byte, error) {
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
		return nil, errTooMuchData
	}
	return content, nil
}

// parseRecords reads one source of records: a JSON array, or JSON Lines. The records are
// parts of the source, not copies.
func parseRecords(source []byte) ([]json.RawMessage, error) {
	source = bytes.TrimSpace(source)
	decoder := json.NewDecoder(bytes.NewReader(source))
	isArray := len(source) > 0 && source[0] == '['
	if isArray {
		if err := json.Unmarshal(source, new(skipped)); err != nil {
			return nil, fmt.Errorf("not a JSON array: %s", positionOf(err))
		}
		// Valid as a whole: nothing below can fail.
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
			return nil, fmt.Errorf("not JSON Lines: record %d: %s", len(records), positionOf(err))
		}
		end := decoder.InputOffset()
		records = append(records, bytes.TrimLeft(source[before:end:end], " \t\r\n,"))
	}
	return records, nil
}

// skipped takes any JSON value and keeps none of it.
type skipped struct{}

func (*skipped) UnmarshalJSON([]byte) error { return nil }

// positionOf tells where JSON is wrong without repeating any of it.
func positionOf(err error) string {
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		return fmt.Sprintf("syntax error near byte %d", syntax.Offset)
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return "it ends too early"
	}
	return "it cannot be read"
}

// digest is a hash of several parts that tells where each ends.
type digest struct{ hash.Hash }

func newDigest() digest { return digest{sha256.New()} }

func (d digest) add(part []byte) {
	_, _ = io.WriteString(d, strconv.Itoa(len(part))+"\n")
	_, _ = d.Write(part)
}

func (d digest) sum() string { return hex.EncodeToString(d.Sum(nil)[:16]) }
