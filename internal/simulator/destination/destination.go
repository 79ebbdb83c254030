// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package destination is what the simulated imports write to. The data of an invocation says what
// happens to its records.
package destination

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"

	"github.com/integrator-operator/integrator-operator/internal/simulator/wire"
)

// Result is one item of the answer to an invocation.
type Result struct {
	StatusCode int                `json:"statusCode"`
	ID         json.RawMessage    `json:"id,omitempty"`
	JSON       json.RawMessage    `json:"_json,omitempty"`
	Headers    json.RawMessage    `json:"_headers,omitempty"`
	Errors     []wire.ErrorDetail `json:"errors,omitempty"`
	Ignored    bool               `json:"ignored,omitempty"`
	DataURI    string             `json:"dataURI,omitempty"`
}

// maxBytes limits what is kept of the records of one import.
const maxBytes = 64 << 20

// Log is what reached the destination through one import.
type Log struct {
	Count   int               `json:"count"`
	Bytes   int               `json:"-"`
	Records []json.RawMessage `json:"records"` // the first ones, up to maxBytes
}

// Add adds a record.
func (w *Log) Add(record json.RawMessage) {
	w.Count++
	if w.Bytes+len(record) <= maxBytes {
		w.Bytes += len(record)
		w.Records = append(w.Records, slices.Clone(record))
	}
}

// ReadInvocation reads both forms of the body: an array of records, or an object of data and
// settings.
func ReadInvocation(body []byte) ([]json.RawMessage, *CallScript, *wire.Response) {
	refuse := func(status int, code, field, format string, args ...any) ([]json.RawMessage, *CallScript, *wire.Response) {
		refusal := wire.Failf(status, code, field, format, args...)
		return nil, nil, &refusal
	}
	trimmed := bytes.TrimLeft(body, " \t\r\n")
	if !json.Valid(trimmed) {
		return refuse(http.StatusBadRequest, wire.CodeInvalidJSON, "", "the body is not JSON")
	}
	var data []json.RawMessage
	switch trimmed[0] {
	case '[':
		if err := json.Unmarshal(trimmed, &data); err != nil {
			return refuse(http.StatusBadRequest, wire.CodeInvalidJSON, "", "%v", err)
		}
		return data, nil, nil
	case '{':
	default:
		return refuse(http.StatusUnprocessableEntity, wire.CodeInvalidField, "", "the body must be an array of records, or an object of data and settings")
	}
	var wrapped struct {
		Data     json.RawMessage `json:"data"`
		Settings json.RawMessage `json:"settings"`
	}
	if err := json.Unmarshal(trimmed, &wrapped); err != nil {
		return refuse(http.StatusBadRequest, wire.CodeInvalidJSON, "", "%v", err)
	}
	if len(wrapped.Data) == 0 {
		return refuse(http.StatusUnprocessableEntity, wire.CodeMissingField, "data", "data is missing")
	}
	if err := json.Unmarshal(wrapped.Data, &data); err != nil || data == nil {
		return refuse(http.StatusUnprocessableEntity, wire.CodeInvalidField, "data", "data must be an array")
	}
	script, err := scriptOf[CallScript](wrapped.Settings)
	if err != nil {
		return refuse(http.StatusUnprocessableEntity, wire.CodeInvalidField, "settings", "%s: %v", ScriptKey, err)
	}
	return data, script, nil
}

// Deliver returns the result of a record, and whether it was written. newID makes the id of a record
// that has none.
func Deliver(record json.RawMessage, newID func() string) (Result, bool) {
	row := record
	var rows []json.RawMessage
	if json.Unmarshal(record, &rows) == nil && len(rows) > 0 {
		row = rows[0]
	}
	script, err := scriptOf[RecordScript](row)
	if err != nil {
		script = &RecordScript{StatusCode: http.StatusUnprocessableEntity, Code: wire.CodeInvalidField, Message: fmt.Sprintf("%s: %v", ScriptKey, err)}
	}
	if script == nil {
		script = &RecordScript{}
	}
	result := Result{
		StatusCode: Or(script.StatusCode, http.StatusOK),
		ID:         script.ID, JSON: script.JSON, Headers: script.Headers, Ignored: script.Ignored, DataURI: script.DataURI,
	}
	if script.Code != "" || script.Message != "" {
		result.Errors = []wire.ErrorDetail{{Code: script.Code, Message: script.Message, Source: script.Source}}
	}
	written := result.StatusCode < http.StatusMultipleChoices && !result.Ignored
	if result.JSON == nil {
		result.JSON = json.RawMessage(`{}`)
	}
	if result.ID == nil && written {
		result.ID = recordID(row, newID)
	}
	return result, written
}

// recordID returns the record's own id as it is written, or a new one.
func recordID(row json.RawMessage, newID func() string) json.RawMessage {
	var own struct {
		ID json.RawMessage `json:"id"`
	}
	if json.Unmarshal(row, &own) == nil && len(own.ID) > 0 && bytes.ContainsAny(own.ID[:1], `"-0123456789`) {
		return own.ID
	}
	return json.RawMessage(`"` + newID() + `"`)
}

// Or returns status, or fallback if it is 0.
func Or(status, fallback int) int {
	if status == 0 {
		return fallback
	}
	return status
}
