// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package destination

import (
	"bytes"
	"encoding/json"

	"github.com/integrator-operator/integrator-operator/internal/simulator/document"
	"github.com/integrator-operator/integrator-operator/internal/simulator/wire"
)

// ScriptKey is the key in a record, or in the settings, whose value says how the destination answers.
// See RecordScript and CallScript.
const ScriptKey = "_simulate"

// RecordScript is the outcome of one record, for example
//
//	{"sku": "A-1", "_simulate": {"statusCode": 422, "code": "invalid", "message": "no such sku"}}
//
// A record is written if its statusCode is below 300 and it is not ignored. For a record that is an
// array of rows, the script is in the first row.
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

// CallScript is the value of ScriptKey in the settings. It makes the call fail as a whole, after the
// first Written records have reached the destination.
type CallScript struct {
	StatusCode int                `json:"statusCode,omitempty"` // default 200
	Errors     []wire.ErrorDetail `json:"errors"`
	Written    int                `json:"written,omitempty"`
}

// scriptOf reads the script in an object, nil if there is none.
func scriptOf[T any](value json.RawMessage) (*T, error) {
	if !bytes.Contains(value, []byte(ScriptKey)) {
		return nil, nil
	}
	var object map[string]json.RawMessage
	if json.Unmarshal(value, &object) != nil || object[ScriptKey] == nil {
		return nil, nil
	}
	script := new(T)
	if err := document.DecodeStrict(object[ScriptKey], script); err != nil {
		return nil, err
	}
	return script, nil
}
