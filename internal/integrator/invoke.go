// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package integrator

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
)

// maxRecords bounds the results of an answer, unless more records were sent.
const maxRecords = 100_000

// InvokeRequest is the data of one invocation.
type InvokeRequest struct {
	// Data is the records, in order; each is one JSON value.
	Data []json.RawMessage
	// Settings is one JSON value passed beside the data; empty means none.
	Settings json.RawMessage
}

// InvokeResponse is the answer to an invocation.
type InvokeResponse struct {
	// Records is one result per record, in the order of the request. Their number is the
	// API's word: compare it with what was sent.
	Records []RecordResult
	// Raw is the whole answer, byte for byte.
	Raw json.RawMessage
}

// RecordResult is what became of one record. The JSON is a part of InvokeResponse.Raw in a copy.
type RecordResult struct {
	StatusCode int    // status of this record; 0 when the API gave none, which is no success
	ID         string // id at the destination; a number is given as text
	Ignored    bool
	Errors     []ErrorDetail
	JSON       json.RawMessage // the destination's answer (_json); nil when absent
	DataURI    string
}

// Turn is the limiter's permission of one invocation. Who has to write down that it is about
// to invoke takes a turn first, so that little can come between.
type Turn struct {
	client  *Client
	release func()
}

// Turn waits for a turn. Its error is that of an invocation that was not sent.
func (c *Client) Turn(ctx context.Context) (*Turn, error) {
	release, err := c.permit(ctx, invokeImport)
	if err != nil {
		return nil, err
	}
	return &Turn{client: c, release: release}, nil
}

// Release ends the turn, used or not.
func (t *Turn) Release() { t.release() }

// Invoke runs the import on the given records, in a turn of its own: see [Turn.Invoke].
func (c *Client) Invoke(ctx context.Context, id string, req InvokeRequest) (InvokeResponse, error) {
	turn, err := c.Turn(ctx)
	if err != nil {
		return InvokeResponse{}, err
	}
	defer turn.Release()
	return turn.Invoke(ctx, id, req)
}

// Invoke runs the import on the given records. It really writes to the destination, and there
// is no way to ask later whether it did.
//
// It sends once, on a connection of its own. Only the deadline of ctx bounds it, however slowly
// the answer comes. The error tells what is known: without Sent nothing was done; with Sent and
// no StatusCode, with 5xx, or when NotUnderstood, the outcome is unknown. Status 200 with Errors
// is a failure of the whole request in the API's own words. What was answered with 200 and is
// JSON is in Raw also then.
func (t *Turn) Invoke(ctx context.Context, id string, req InvokeRequest) (InvokeResponse, error) {
	c := t.client
	body, err := req.body()
	if err != nil {
		return InvokeResponse{}, err
	}
	target, err := c.target(invokeImport, id)
	if err != nil {
		return InvokeResponse{}, err
	}
	var result InvokeResponse
	err = c.exchange(ctx, invokeImport, target, body, func(_ *http.Response, body io.Reader) error {
		raw, err := readJSON(body)
		if err != nil {
			return err
		}
		result.Raw = raw
		if details := c.wholeRequestErrors(raw); details != nil {
			return &refusal{details: details}
		}
		return arrayElements(raw, func(element json.RawMessage) error {
			if len(result.Records) == max(maxRecords, len(req.Data)) {
				return errTooMany
			}
			record, err := c.parseRecord(element)
			result.Records = append(result.Records, record)
			return err
		})
	})
	if err != nil {
		return InvokeResponse{Raw: result.Raw}, err
	}
	return result, nil
}

// The parts of a body with settings, beside the array of records and the settings themselves.
const (
	beforeData     = `{"data":`
	beforeSettings = `,"settings":`
	afterSettings  = `}`
)

// Size is the length of the request's body, in bytes.
func (r InvokeRequest) Size() int {
	size := len("[]") + max(0, len(r.Data)-1)
	for _, record := range r.Data {
		size += len(record)
	}
	if settings := trimJSON(r.Settings); len(settings) > 0 {
		size += len(beforeData) + len(beforeSettings) + len(settings) + len(afterSettings)
	}
	return size
}

// body writes the records as they are: an array or, with settings, an object of the two.
func (r InvokeRequest) body() ([]byte, error) {
	settings := trimJSON(r.Settings)
	for i, record := range r.Data {
		if !json.Valid(record) {
			return nil, invalid(invokeImport, "record %d is not JSON", i)
		}
	}
	if len(settings) > 0 && !json.Valid(settings) {
		return nil, invalid(invokeImport, "the settings are not JSON")
	}
	b := bytes.NewBuffer(make([]byte, 0, r.Size()))
	if len(settings) > 0 {
		b.WriteString(beforeData)
	}
	b.WriteByte('[')
	for i, record := range r.Data {
		if i > 0 {
			b.WriteByte(',')
		}
		b.Write(record)
	}
	b.WriteByte(']')
	if len(settings) > 0 {
		b.WriteString(beforeSettings)
		b.Write(settings)
		b.WriteString(afterSettings)
	}
	return b.Bytes(), nil
}

// wholeRequestErrors finds the errors of {"errors": [...]}, nil in any other answer. The other
// forms of errorDetails do not count here: with status 200, {"message": ...} is no clear refusal.
func (c *Client) wholeRequestErrors(raw json.RawMessage) []ErrorDetail {
	var details []ErrorDetail
	_ = objectFields(raw, func(name []byte, value json.RawMessage) error {
		if string(name) == "errors" {
			details = c.detailList(value)
		}
		return nil
	})
	return details
}

func (c *Client) parseRecord(raw json.RawMessage) (RecordResult, error) {
	var r RecordResult
	err := objectFields(raw, func(name []byte, value json.RawMessage) error {
		switch string(name) {
		case "statusCode":
			r.StatusCode = statusNumber(value)
		case "id":
			r.ID = text(value)
		case "ignored":
			r.Ignored = string(value) == "true"
		case "errors":
			if r.Errors = c.detailList(value); r.Errors == nil && hasElements(value) {
				r.Errors = []ErrorDetail{{Message: "an error in a form that is not documented"}}
			}
		case "_json":
			r.JSON = bytes.Clone(value)
		case "dataURI":
			r.DataURI = stringOnly(value)
		}
		return nil
	})
	return r, err
}

// hasElements tells that a value is an array or an object with something in it.
func hasElements(value json.RawMessage) bool {
	return (value[0] == '[' || value[0] == '{') && len(trimJSON(value[1:len(value)-1])) > 0
}

// statusNumber reads a status, which the API writes as a number or as a string; 0 for anything
// that is no HTTP status.
func statusNumber(raw json.RawMessage) int {
	n, err := strconv.Atoi(text(raw))
	if err != nil || n < 100 || n > 599 {
		return 0
	}
	return n
}
