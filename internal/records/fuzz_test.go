// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package records

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/integrator-operator/integrator-operator/internal/integrator"
)

// FuzzParse: the records are those that encoding/json reads, to the byte, and nothing is
// accepted that it refuses.
func FuzzParse(f *testing.F) {
	f.Fuzz(func(t *testing.T, source []byte) {
		if bytes.Contains(source, []byte(byteOrderMark)) {
			t.Skip("encoding/json refuses a byte order mark")
		}
		before := bytes.Clone(source)
		got, err := Parse(source, len(source))
		want, wrong := recordsByTheBook(source)
		if (err != nil) != (wrong != nil) {
			t.Fatalf("got error %v, encoding/json says %v", err, wrong)
		}
		if err != nil {
			if got != nil {
				t.Errorf("%d records beside the error %v", len(got), err)
			}
			return
		}
		if len(got) != len(want) {
			t.Fatalf("%d records, want %d", len(got), len(want))
		}
		for i := range want {
			if !bytes.Equal(want[i], got[i]) {
				t.Errorf("record %d is %q, want %q", i, got[i], want[i])
			}
		}
		joined := slices.Concat([]byte("["), bytes.Join(asBytes(got), []byte(",")), []byte("]"))
		if diff := cmp.Diff(valuesOf(t, asBytes(want)...), valueOf(t, joined)); diff != "" {
			t.Errorf("the records joined again: -want, +got:\n%s", diff)
		}
		if !bytes.Equal(before, source) {
			t.Error("the source was changed")
		}
	})
}

// recordsByTheBook reads records as Parse promises, by copies.
func recordsByTheBook(source []byte) (records []json.RawMessage, err error) {
	if bytes.HasPrefix(bytes.TrimLeft(source, "\t\n\r "), []byte("[")) {
		return records, json.Unmarshal(source, &records)
	}
	decoder := json.NewDecoder(bytes.NewReader(source))
	for {
		var record json.RawMessage
		switch err := decoder.Decode(&record); {
		case errors.Is(err, io.EOF):
			return records, refuseRequest(records)
		case err != nil:
			return nil, err
		}
		records = append(records, record)
	}
}

func asBytes(records []json.RawMessage) [][]byte {
	texts := make([][]byte, len(records))
	for i, record := range records {
		texts[i] = record
	}
	return texts
}

// valueOf is JSON as a value that keeps the spelling of numbers.
func valueOf(t *testing.T, text []byte) (value any) {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(&value); err != nil {
		t.Fatalf("%q is not JSON: %v", text, err)
	}
	return value
}

func valuesOf(t *testing.T, texts ...[]byte) any {
	t.Helper()
	values := []any{}
	for _, text := range texts {
		values = append(values, valueOf(t, text))
	}
	return values
}

// FuzzDivide: the batches cover all records, in order and without a gap, no call is larger
// than the API takes, and none could have had the next record as well.
func FuzzDivide(f *testing.F) {
	blanks := bytes.Repeat([]byte(" "), maxPage+8)
	blanks[0] = '1'
	f.Fuzz(func(t *testing.T, lengths, settings []byte, size uint8) {
		if !json.Valid(settings) {
			settings = nil
		}
		request := integrator.InvokeRequest{Settings: settings}
		envelope := request.Size()
		if envelope > maxPage {
			t.Skip("the settings alone are too large")
		}
		// Three bytes a record: any length up to a little more than a page.
		var records []json.RawMessage
		tooLarge := false
		for part := range slices.Chunk(lengths[:min(len(lengths), 90)], 3) {
			length := 0
			for _, digit := range part {
				length = length<<8 | int(digit)
			}
			length = length%len(blanks) + 1
			records = append(records, blanks[:length])
			tooLarge = tooLarge || envelope+length > maxPage
		}
		batches, err := Divide(records, settings, int(size))
		if (err != nil) != tooLarge {
			t.Fatalf("a record that is too large: %t, error: %v", tooLarge, err)
		}
		if err != nil {
			return
		}
		at := 0
		for i, part := range batches {
			if part.From != at || part.To < part.From || part.To == part.From && len(records) > 0 {
				t.Fatalf("batch %d is %+v, and the one before ends at %d", i, part, at)
			}
			at = part.To
			request.Data = records[part.From:part.To]
			if got := request.Size(); got > maxPage || size > 0 && len(request.Data) > int(size) {
				t.Errorf("batch %d has %d bytes and %d records", i, got, len(request.Data))
			}
			if part.To == len(records) {
				continue
			}
			request.Data = records[part.From : part.To+1]
			if got := request.Size(); got <= maxPage && (size == 0 || len(request.Data) <= int(size)) {
				t.Errorf("batch %d could have one record more: %d bytes, %d records", i, got, len(request.Data))
			}
		}
		if at != len(records) {
			t.Errorf("the batches end at %d of %d records", at, len(records))
		}
	})
}

// FuzzDecompress: never more than the limit, what is not compressed comes as it is, and what
// was compressed comes back.
func FuzzDecompress(f *testing.F) {
	f.Fuzz(func(t *testing.T, content []byte, room uint16) {
		limit := int(room)
		got, err := Decompress(content, limit)
		if len(got) > limit || err != nil && got != nil {
			t.Errorf("%d bytes with a limit of %d, error: %v", len(got), limit, err)
		}
		if !bytes.HasPrefix(content, []byte{0x1f, 0x8b}) {
			if errors.Is(err, ErrTooMuch) != (len(content) > limit) || err == nil && !bytes.Equal(content, got) {
				t.Errorf("%d plain bytes with a limit of %d: %d bytes, %v", len(content), limit, len(got), err)
			}
		}
		var zipped bytes.Buffer
		writer := gzip.NewWriter(&zipped)
		_, _ = writer.Write(content)
		_ = writer.Close()
		if got, err := Decompress(zipped.Bytes(), len(content)); err != nil || !bytes.Equal(content, got) {
			t.Errorf("%d bytes compressed: %d bytes, %v", len(content), len(got), err)
		}
		if len(content) == 0 {
			return
		}
		if _, err := Decompress(zipped.Bytes(), len(content)-1); !errors.Is(err, ErrTooMuch) {
			t.Errorf("one byte more than the limit: %v", err)
		}
	})
}
