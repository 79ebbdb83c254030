// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
)

// ScriptKey is the key of a record, or of the settings, under which the caller
// says how the destination shall answer. See RecordScript and CallScript.
const ScriptKey = "_simulate"

// RecordScript is the outcome of one record, for example
//
//	{"sku": "A-1", "_simulate": {"statusCode": 422, "code": "invalid", "message": "no such sku"}}
//
// A record counts as written when its statusCode is below 300 and it is not
// ignored. A record that is an array of rows is scripted by its first row.
type RecordScript struct {
	StatusCode int             `json:"statusCode,omitempty"` // default 200
	Code       string          `json:"code,omitempty"`       // with Message: an entry in errors
	Message    string          `json:"message,omitempty"`
	Source     string          `json:"source,omitempty"`
	Ignored    bool            `json:"ignored,omitempty"`
	ID         json.RawMessage `json:"id,omitempty"` // string or number; default the record's own id, or a new one
	JSON       json.RawMessage `json:"json,omitempty"`
	Headers    json.RawMessage `json:"headers,omitempty"`
	DataURI    string          `json:"dataURI,omitempty"`
}

// CallScript stands under ScriptKey in the settings. It makes the call fail as a
// whole, after the first Written records have reached the destination.
type CallScript struct {
	StatusCode int           `json:"statusCode,omitempty"` // default 200
	Errors     []ErrorDetail `json:"errors"`
	Written    int           `json:"written,omitempty"`
}

// recordResult is one item of the answer.
type recordResult struct {
	StatusCode int             `json:"statusCode"`
	ID         json.RawMessage `json:"id,omitempty"`
	JSON       json.RawMessage `json:"_json,omitempty"`
	Headers    json.RawMessage `json:"_headers,omitempty"`
	Errors     []ErrorDetail   `json:"errors,omitempty"`
	Ignored    bool            `json:"ignored,omitempty"`
	DataURI    string          `json:"dataURI,omitempty"`
}

// writtenBytes bounds what is kept of the records of one import.
const writtenBytes = 64 << 20

// writtenLog is what reached the destination through one import.
type writtenLog struct {
	Count   int               `json:"count"`
	Bytes   int               `json:"-"`
	Records []json.RawMessage `json:"records"` // the first ones, up to writtenBytes
}

func (w *writtenLog) add(record json.RawMessage) {
	w.Count++
	if w.Bytes+len(record) <= writtenBytes {
		w.Bytes += len(record)
		w.Records = append(w.Records, slices.Clone(record))
	}
}

// invokeImport is POST /v1/imports/{id}/invoke.
func (s *Server) invokeImport(c *call) response {
	rec, refusal := s.find(c)
	if refusal != nil {
		return *refusal
	}
	data, script, refusal := readInvocation(c.body)
	if refusal != nil {
		return *refusal
	}
	c.records = len(data)
	destination := c.account.written[rec.id()]
	if destination == nil {
		destination = &writtenLog{}
		c.account.written[rec.id()] = destination
	}
	if script != nil {
		written := min(max(script.Written, 0), len(data))
		for _, record := range data[:written] {
			destination.add(record)
		}
		if written > 0 {
			c.applied(rec.id())
		}
		return fail(or(script.StatusCode, http.StatusOK), script.Errors...)
	}
	c.applied(rec.id())
	results := make([]recordResult, len(data))
	for i, record := range data {
		var written bool
		if results[i], written = s.outcome(record); written {
			destination.add(record)
		}
	}
	return answer(http.StatusOK, results)
}

// readInvocation takes both forms of the body: an array of records, or an
// object of data and settings.
func readInvocation(body []byte) ([]json.RawMessage, *CallScript, *response) {
	refuse := func(status int, code, field, format string, args ...any) ([]json.RawMessage, *CallScript, *response) {
		refusal := failf(status, code, field, format, args...)
		return nil, nil, &refusal
	}
	trimmed := bytes.TrimLeft(body, " \t\r\n")
	if !json.Valid(trimmed) {
		return refuse(http.StatusBadRequest, codeInvalidJSON, "", "the body is not JSON")
	}
	var data []json.RawMessage
	switch trimmed[0] {
	case '[':
		if err := json.Unmarshal(trimmed, &data); err != nil {
			return refuse(http.StatusBadRequest, codeInvalidJSON, "", "%v", err)
		}
		return data, nil, nil
	case '{':
	default:
		return refuse(http.StatusUnprocessableEntity, codeInvalidField, "", "the body must be an array of records, or an object of data and settings")
	}
	var wrapped struct {
		Data     json.RawMessage `json:"data"`
		Settings json.RawMessage `json:"settings"`
	}
	if err := json.Unmarshal(trimmed, &wrapped); err != nil {
		return refuse(http.StatusBadRequest, codeInvalidJSON, "", "%v", err)
	}
	if len(wrapped.Data) == 0 {
		return refuse(http.StatusUnprocessableEntity, codeMissingField, "data", "data is missing")
	}
	if err := json.Unmarshal(wrapped.Data, &data); err != nil || data == nil {
		return refuse(http.StatusUnprocessableEntity, codeInvalidField, "data", "data must be an array")
	}
	script, err := scriptOf[CallScript](wrapped.Settings)
	if err != nil {
		return refuse(http.StatusUnprocessableEntity, codeInvalidField, "settings", "%s: %v", ScriptKey, err)
	}
	return data, script, nil
}

// scriptOf reads the script in an object, nil when there is none.
func scriptOf[T any](value json.RawMessage) (*T, error) {
	if !bytes.Contains(value, []byte(ScriptKey)) {
		return nil, nil
	}
	var object map[string]json.RawMessage
	if json.Unmarshal(value, &object) != nil || object[ScriptKey] == nil {
		return nil, nil
	}
	script := new(T)
	if err := decodeStrict(object[ScriptKey], script); err != nil {
		return nil, err
	}
	return script, nil
}

// outcome is what the destination does with a record, and whether it took it.
func (s *Server) outcome(record json.RawMessage) (recordResult, bool) {
	row := record
	var rows []json.RawMessage
	if json.Unmarshal(record, &rows) == nil && len(rows) > 0 {
		row = rows[0]
	}
	script, err := scriptOf[RecordScript](row)
	if err != nil {
		script = &RecordScript{StatusCode: http.StatusUnprocessableEntity, Code: codeInvalidField, Message: fmt.Sprintf("%s: %v", ScriptKey, err)}
	}
	if script == nil {
		script = &RecordScript{}
	}
	result := recordResult{
		StatusCode: or(script.StatusCode, http.StatusOK),
		ID:         script.ID, JSON: script.JSON, Headers: script.Headers, Ignored: script.Ignored, DataURI: script.DataURI,
	}
	if script.Code != "" || script.Message != "" {
		result.Errors = []ErrorDetail{{Code: script.Code, Message: script.Message, Source: script.Source}}
	}
	written := result.StatusCode < http.StatusMultipleChoices && !result.Ignored
	if result.JSON == nil {
		result.JSON = json.RawMessage(`{}`)
	}
	if result.ID == nil && written {
		result.ID = s.recordID(row)
	}
	return result, written
}

// recordID is the record's own id where it has one, as it was written.
func (s *Server) recordID(row json.RawMessage) json.RawMessage {
	var own struct {
		ID json.RawMessage `json:"id"`
	}
	if json.Unmarshal(row, &own) == nil && len(own.ID) > 0 && bytes.ContainsAny(own.ID[:1], `"-0123456789`) {
		return own.ID
	}
	return json.RawMessage(`"` + s.newID() + `"`)
}

func or(status, fallback int) int {
	if status == 0 {
		return fallback
	}
	return status
}

// Written returns the records that reached the destination through an import,
// in order, and their number. Of very many, only the first are returned.
func (s *Server) Written(accountName, importID string) (records []json.RawMessage, count int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	acct := s.accounts[accountName]
	if acct == nil || acct.written[importID] == nil {
		return nil, 0
	}
	return slices.Clone(acct.written[importID].Records), acct.written[importID].Count
}
