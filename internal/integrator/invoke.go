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

	"github.com/integrator-operator/integrator-operator/internal/integrator/jsonscan"
)

// maxRecords bounds the results of an answer, unless more records were sent.
const maxRecords = 100_000

// InvokeRequest is the data of one invocation.
type InvokeRequest struct {
	// Data is the records, in order. Each is one JSON value.
	Data []json.RawMessage
	// Settings is one JSON value that is passed with the data; empty means none.
	Settings json.RawMessage
}

// InvokeResponse is the answer to an invocation.
type InvokeResponse struct {
	// Records has one result per record, in the order of the request. The API may answer with
	// another number of results: the caller compares it with what was sent.
	Records []RecordResult
	// Raw is the whole answer, byte for byte.
	Raw json.RawMessage
}

// RecordResult is the result of one record.
type RecordResult struct {
	StatusCode int // status of this record; 0 when the answer has none, which is not a success
	Ignored    bool
	Errors     []ErrorDetail
}

// Permit is the limiter's permission for one invocation. A caller that must record that it is
// about to invoke acquires the permit first, so that nothing delays the call afterwards.
type Permit struct {
	client  *Client
	release func()
}

// AcquireInvoke waits for the permission for one invocation. Its error is that of an invocation
// that was not sent.
func (c *Client) AcquireInvoke(ctx context.Context) (*Permit, error) {
	release, err := c.acquire(ctx, invokeImport)
	if err != nil {
		return nil, err
	}
	return &Permit{client: c, release: release}, nil
}

// Invocations says how many invocations can be in flight at a time. All clients that share this limit
// have the same budget.
func (c *Client) Invocations() (budget any, most int) { return c.limiter, c.limiter.Invocations() }

// Release returns the permit, used or not. It must be called once.
func (p *Permit) Release() { p.release() }

// Invoke runs the import on the given records. It writes to the destination, and no later call can
// find out whether it did.
//
// It is sent once, on a new connection. Only the deadline of ctx bounds it, however slow the answer
// is. [OutcomeOf] its error is what is known; OutcomeFailed is status 200 with errors for the whole
// request. An answer with status 200 that is JSON is in Raw even then.
func (p *Permit) Invoke(ctx context.Context, id string, req InvokeRequest) (InvokeResponse, error) {
	c := p.client
	body, err := req.body()
	if err != nil {
		return InvokeResponse{}, err
	}
	target, err := c.target(invokeImport, id)
	if err != nil {
		return InvokeResponse{}, err
	}
	var result InvokeResponse
	err = c.report(ctx, invokeImport, c.send(ctx, invokeImport, target, body, func(_ *http.Response, body io.Reader) error {
		raw, err := jsonscan.Read(body)
		if err != nil {
			return err
		}
		result.Raw = raw
		if details := wholeRequestErrors(c, raw); details != nil {
			return &invocationError{details: details}
		}
		return jsonscan.Elements(raw, func(element json.RawMessage) error {
			if len(result.Records) == max(maxRecords, len(req.Data)) {
				return jsonscan.ErrTooMany
			}
			record, err := parseRecord(c, element)
			result.Records = append(result.Records, record)
			return err
		})
	}))
	if err != nil {
		return InvokeResponse{Raw: result.Raw}, err
	}
	return result, nil
}

// invocationError is the failure of an invocation as a whole that comes with status 200.
type invocationError struct{ details []ErrorDetail }

func (*invocationError) Error() string { return "the invocation failed as a whole" }

// The parts of a body with settings, around the array of records and the settings.
const (
	beforeData     = `{"data":`
	beforeSettings = `,"settings":`
	afterSettings  = `}`
)

// Size returns the length of the request's body, in bytes.
func (r InvokeRequest) Size() int {
	size := len("[]") + max(0, len(r.Data)-1)
	for _, record := range r.Data {
		size += len(record)
	}
	if settings := jsonscan.Trim(r.Settings); len(settings) > 0 {
		size += len(beforeData) + len(beforeSettings) + len(settings) + len(afterSettings)
	}
	return size
}

// body returns the records as they are: an array or, with settings, an object of both.
func (r InvokeRequest) body() ([]byte, error) {
	settings := jsonscan.Trim(r.Settings)
	for i, record := range r.Data {
		if !json.Valid(record) {
			return nil, invalidArgument(invokeImport, "record %d is not JSON", i)
		}
	}
	if len(settings) > 0 && !json.Valid(settings) {
		return nil, invalidArgument(invokeImport, "the settings are not JSON")
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

// wholeRequestErrors returns the errors of {"errors": [...]}, nil for any other answer. The other
// forms that errorDetails reads do not count: with status 200, {"message": ...} is not clearly a
// failure.
func wholeRequestErrors(c *Client, raw json.RawMessage) []ErrorDetail {
	var details []ErrorDetail
	_ = jsonscan.Fields(raw, func(name []byte, value json.RawMessage) error {
		if string(name) == "errors" {
			details = c.detailList(value)
		}
		return nil
	})
	return details
}

// parseRecord reads the result of one record.
func parseRecord(c *Client, raw json.RawMessage) (RecordResult, error) {
	var r RecordResult
	err := jsonscan.Fields(raw, func(name []byte, value json.RawMessage) error {
		switch string(name) {
		case "statusCode":
			r.StatusCode = statusNumber(value)
		case "ignored":
			r.Ignored = string(value) == "true"
		case "errors":
			if r.Errors = c.detailList(value); r.Errors == nil && hasElements(value) {
				r.Errors = []ErrorDetail{{Message: "an error in an undocumented form"}}
			}
		}
		return nil
	})
	return r, err
}

// hasElements reports whether a value is an array or an object that is not empty.
func hasElements(value json.RawMessage) bool {
	return (value[0] == '[' || value[0] == '{') && len(jsonscan.Trim(value[1:len(value)-1])) > 0
}

// statusNumber reads a status, which the API writes as a number or as a string. It returns 0 for
// anything that is not an HTTP status.
func statusNumber(raw json.RawMessage) int {
	n, err := strconv.Atoi(jsonscan.Text(raw))
	if err != nil || n < 100 || n > 599 {
		return 0
	}
	return n
}
