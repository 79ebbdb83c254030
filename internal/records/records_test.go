// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package records

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/integrator-operator/integrator-operator/internal/integrator"
)

func TestParse(t *testing.T) {
	cases := map[string]struct {
		source string
		want   []string
		fails  string
	}{
		"Array":         {source: ` [{"a": 1}, [2], "x"] `, want: []string{`{"a": 1}`, `[2]`, `"x"`}},
		"Lines":         {source: "{\"a\": 1}\n\n{\"a\": 2}\r\n", want: []string{`{"a": 1}`, `{"a": 2}`}},
		"NoLastNewline": {source: `{"a": 9007199254740993}`, want: []string{`{"a": 9007199254740993}`}},
		"Empty":         {source: " \n", want: nil},
		"EmptyArray":    {source: "[]", want: nil},
		"CutArray":      {source: `[{"secret": 1}`, fails: "not a JSON array: it ends too early"},
		"CutLine":       {source: "{}\n{\"secret\": ", fails: "not JSON Lines: record 1: it ends too early"},
		"BadLine":       {source: "{}\nsecret", fails: "not JSON Lines: record 1: syntax error at line 2, column 1"},
		"FormFeed":      {source: "\f[1]", fails: "not JSON Lines: record 0: syntax error at line 1, column 1"},
		"LinesCount":    {source: "\n\n[1, secret]", fails: "not a JSON array: syntax error at line 3, column 5"},
		"Characters":    {source: "[\r\n\"äöü😀\", secret]", fails: "not a JSON array: syntax error at line 2, column 9"},
		"ArrayOfLines":  {source: "[\n{\"a\": 1}\n{\"secret\": 2}\n]", fails: "not a JSON array: syntax error at line 3, column 1"},
		"LineOfArrays":  {source: "[1]\n[2]", fails: "not a JSON array: something follows its end at line 2, column 1"},
		"LateLine":      {source: strings.Repeat("{}\n", 2) + "[1, secret]", fails: "not JSON Lines: record 2: syntax error at line 3, column 5"},
		"Commas":        {source: "{},\n{}", fails: "not JSON Lines: record 1: syntax error at line 1, column 3, a comma; put [ and ] around records with commas between them"},
		"JoinedFiles":   {source: "{\"a\": 1}\n\ufeff{\"a\": 2}\n\ufeff\ufeff3", want: []string{`{"a": 1}`, `{"a": 2}`, `3`}},
		"AfterMark":     {source: "{}\n\ufeff{}\n{,", fails: "not JSON Lines: record 2: syntax error at line 3, column 2"},
		"MarkedArray":   {source: "\n\ufeff[1, 2]", want: []string{`1`, `2`}},
		"BadMarked":     {source: "\n\ufeff[1, secret]", fails: "not a JSON array: syntax error at line 2, column 6"},
		"Mark":          {source: "\ufeff{}\ufeff", want: []string{`{}`}},
		"MarkInRecord":  {source: "{\ufeff}", fails: "not JSON Lines: record 0: syntax error at line 1, column 2"},
		"TooMany":       {source: "1 2 3 4", fails: ErrTooMuch.Error()},
		"TooManyInOne":  {source: "[1, 2, 3, 4]", fails: ErrTooMuch.Error()},
		"AfterArray":    {source: "[1] secret", fails: "not a JSON array: something follows its end at line 1, column 5"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			records, err := Parse([]byte(tc.source), 3)
			if tc.fails != "" {
				if err == nil || err.Error() != tc.fails {
					t.Fatalf("got %v, want %q", err, tc.fails)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, record := range records {
				got = append(got, string(record))
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("-want, +got:\n%s", diff)
			}
		})
	}
}

// The body of a request to the API is not a record, unless it is in an array.
func TestParseRefusesRequests(t *testing.T) {
	for name, tc := range map[string]struct {
		reason, source string
		refused        bool
	}{
		"Request":        {reason: "somebody pasted the body of a call", source: `{"data": [{"a": 1}], "settings": {"b": 2}}`, refused: true},
		"Order":          {reason: "the order of fields means nothing", source: `{"settings": {}, "data": []}`, refused: true},
		"OtherTypes":     {reason: "the names alone say it", source: `{"data": {"a": 1}, "settings": null}`, refused: true},
		"NoSettings":     {reason: "the usual body of a call", source: ` {"data": [{"a": 1}]}` + "\n", refused: true},
		"Several":        {reason: "several bodies are no records either", source: "{\"data\": [1], \"settings\": {}}\n{\"data\": [2], \"settings\": {}}", refused: true},
		"InArray":        {reason: "whoever writes an array means records", source: `[{"data": [{"a": 1}], "settings": {"b": 2}}]`},
		"DataInLines":    {reason: "records may have one field, and it may be called data", source: "{\"data\": [1]}\n{\"data\": [2]}"},
		"DataAsObject":   {reason: "no request has an object as its data", source: `{"data": {"a": 1}}`},
		"MoreFields":     {reason: "a request has no other fields", source: `{"data": [1], "settings": {}, "id": 1}`},
		"OnlySettings":   {reason: "there are no records in it that would be lost", source: `{"settings": {}}`},
		"OtherFields":    {reason: "two fields of other names", source: `{"data": [1], "setting": {}}`},
		"Case":           {reason: "the API's names are in lower case", source: `{"Data": [1], "Settings": {}}`},
		"Empty":          {reason: "an empty record is one", source: `{}`},
		"NoObject":       {reason: "a text is a record", source: `"data"`},
		"SameNameTwice":  {reason: "the last of two fields of a name counts", source: `{"data": 1, "data": [1]}`, refused: true},
		"EscapedName":    {reason: "names are compared as they are read", source: `{"d\u0061ta": [1]}`, refused: true},
		"NestedRequests": {reason: "what is inside a record is the record's", source: `{"body": {"data": [1], "settings": {}}}`},
	} {
		t.Run(name, func(t *testing.T) {
			records, err := Parse([]byte(tc.source), 10)
			if refused := err != nil; refused != tc.refused {
				t.Fatalf("%s: %d records, %v", tc.reason, len(records), err)
			}
			if err != nil && !strings.Contains(err.Error(), "put the array into spec.data or alone into the key, and the settings into spec.settings; if the object is one record, put it into an array") {
				t.Errorf("%s: %v", tc.reason, err)
			}
		})
	}
}

func TestDivide(t *testing.T) {
	record := func(n int) json.RawMessage { return json.RawMessage(`"` + strings.Repeat("x", n-2) + `"`) }
	settings := json.RawMessage(`{"a": 1}`)
	envelope := integrator.InvokeRequest{Settings: settings}.Size()
	cases := map[string]struct {
		reason   string
		records  []json.RawMessage
		settings json.RawMessage
		size     int
		want     []Batch
		fails    string
	}{
		"One call":      {reason: "without a size all go together", records: []json.RawMessage{record(9), record(9), record(9)}, want: []Batch{{0, 3}}},
		"By number":     {reason: "the last may be smaller", records: []json.RawMessage{record(9), record(9), record(9)}, size: 2, want: []Batch{{0, 2}, {2, 3}}},
		"Exactly":       {reason: "there is no empty batch", records: []json.RawMessage{record(9), record(9)}, size: 2, want: []Batch{{0, 2}}},
		"By bytes":      {reason: "commas and brackets count", records: []json.RawMessage{record(2_500_000), record(2_500_000 - len("[,]")), record(2)}, want: []Batch{{0, 2}, {2, 3}}},
		"One too many":  {reason: "a byte more goes into the next call", records: []json.RawMessage{record(2_500_000), record(2_500_001 - len("[,]")), record(2)}, want: []Batch{{0, 1}, {1, 3}}},
		"With settings": {reason: "settings go with each call", settings: settings, records: []json.RawMessage{record(maxPage - envelope), record(2)}, want: []Batch{{0, 1}, {1, 2}}},
		"Too large":     {reason: "no call can have it", settings: settings, records: []json.RawMessage{record(2), record(maxPage - envelope + 1)}, fails: "record 1 makes a call of 5000001 bytes, more than the 5000000 that the API takes; create another ImportRun with a smaller record, or with smaller settings"},
		"Both bounds":   {reason: "whichever comes first", records: []json.RawMessage{record(2_000_000), record(2_000_000), record(2_000_000), record(2), record(2), record(2)}, size: 3, want: []Batch{{0, 2}, {2, 5}, {5, 6}}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := Divide(tc.records, tc.settings, tc.size)
			if tc.fails != "" {
				if err == nil || err.Error() != tc.fails {
					t.Fatalf("%s: %v", tc.reason, err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
			for _, part := range got {
				request := integrator.InvokeRequest{Data: tc.records[part.From:part.To], Settings: tc.settings}
				if size := request.Size(); size > maxPage {
					t.Errorf("%s: a call of %d bytes", tc.reason, size)
				}
			}
		})
	}
}

// The records of a large run are parts of their source: beside it there is only where they
// begin and end, and the batches.
func TestRecordsTakeNoMoreThanTheirSource(t *testing.T) {
	const count, wide = 100_000, 300
	var text bytes.Buffer
	for i := range count {
		fmt.Fprintf(&text, `{"n":%d,"text":"%s"}`+"\n", i, strings.Repeat("x", wide))
	}
	for name, source := range map[string][]byte{
		"lines": text.Bytes(),
		"array": []byte("[" + strings.Join(strings.Split(strings.TrimSpace(text.String()), "\n"), ",") + "]"),
	} {
		t.Run(name, func(t *testing.T) {
			before := heap()
			records, err := Parse(source, len(source))
			if err != nil {
				t.Fatal(err)
			}
			batches, err := Divide(records, nil, 500)
			if err != nil {
				t.Fatal(err)
			}
			grown := heap() - before
			if len(records) != count || len(batches) != 200 {
				t.Errorf("%d records in %d batches", len(records), len(batches))
			}
			if grown > int64(len(source))/4 {
				t.Errorf("%d bytes of records take %d bytes beside their source", len(source), grown)
			}
			runtime.KeepAlive(records)
			runtime.KeepAlive(source)
		})
	}
}

// heap is what is in use, in bytes.
func heap() int64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc) //nolint:gosec // far below 2^63
}

func TestDecompress(t *testing.T) {
	zip := func(text string) []byte {
		var buffer bytes.Buffer
		writer := gzip.NewWriter(&buffer)
		_, _ = writer.Write([]byte(text))
		_ = writer.Close()
		return buffer.Bytes()
	}
	for name, tc := range map[string]struct {
		content []byte
		want    string
		fails   error
	}{
		"plain":      {[]byte("[1]"), "[1]", nil},
		"empty":      {nil, "", nil},
		"compressed": {zip("[1]"), "[1]", nil},
		"at limit":   {zip("0123456789"), "0123456789", nil},
		"bomb":       {zip(strings.Repeat("0", 1<<20)), "", ErrTooMuch},
		"too long":   {[]byte("0123456789a"), "", ErrTooMuch},
		"cut":        {zip("[1]")[:12], "", errors.New("compressed with gzip, and cannot be decompressed")},
	} {
		got, err := Decompress(tc.content, 10)
		if string(got) != tc.want || fmt.Sprint(err) != fmt.Sprint(tc.fails) {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}
