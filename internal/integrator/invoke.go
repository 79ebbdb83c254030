// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package integrator

import (
	"context"
	"encoding/json"
)

// InvokeRequest is the data of one invocation.
type InvokeRequest struct {
	// Data is the records, in order; each is one JSON value.
	Data []json.RawMessage
	// Settings is passed beside the data; empty means none.
	Settings json.RawMessage
}

// InvokeResponse is the answer to an invocation.
type InvokeResponse struct {
	// Records is one result per record, in the order of the request.
	Records []RecordResult
	// Raw is the whole answer, byte for byte.
	Raw json.RawMessage
}

// RecordResult is what became of one record.
type RecordResult struct {
	StatusCode int    // status of this record; 0 when the API gave none, which is no success
	ID         string // id at the destination; a number is given as text
	Ignored    bool
	Errors     []ErrorDetail
	JSON       json.RawMessage // the destination's answer (_json); nil when absent
	DataURI    string
}

// Invoke runs the import on the given records. It really writes to the destination.
func (c *Client) Invoke(ctx context.Context, id string, req InvokeRequest) (InvokeResponse, error) {
	return InvokeResponse{}, errIncomplete
}
