// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package document

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"

	"github.com/integrator-operator/integrator-operator/internal/simulator/wire"
)

var errNotAnObject = errors.New("the body must be a JSON object")

// Decode reads exactly one JSON value. See wire.Preserve for texts that are no Unicode.
func Decode(data []byte) (any, error) {
	dec := json.NewDecoder(bytes.NewReader(wire.Preserve(data)))
	dec.UseNumber()
	var value any
	if err := dec.Decode(&value); err != nil {
		return nil, err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one JSON value")
	}
	return value, nil
}

// DecodeObject reads exactly one JSON object.
func DecodeObject(data []byte) (Document, error) {
	value, err := Decode(data)
	if err != nil {
		return nil, err
	}
	doc, ok := value.(Document)
	if !ok {
		return nil, errNotAnObject
	}
	return doc, nil
}

// DecodeStrict is for the simulator's own inputs, where a field that does not exist is a mistake.
func DecodeStrict(data []byte, into any) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		return err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return errors.New("more than one JSON value")
	}
	return nil
}

// DecodeState is DecodeStrict for values that contain documents: no digit of a number is lost, and no
// text is changed.
func DecodeState(data []byte, into any) error {
	dec := json.NewDecoder(bytes.NewReader(wire.Preserve(data)))
	dec.UseNumber()
	dec.DisallowUnknownFields()
	return dec.Decode(into)
}

// From makes a new Document of a Document, raw JSON or a struct.
func From(value any) (Document, error) {
	data, err := wire.Encode(value)
	if err != nil {
		return nil, err
	}
	return DecodeObject(data)
}
