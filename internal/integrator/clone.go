// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package integrator

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
)

// CloneRequest says how the copy differs from the original.
type CloneRequest struct {
	// Name of the copy; when empty, the API makes it "Clone - " and the original's name.
	Name string `json:"name,omitempty"`
	// ConnectionMap gives the new connection's id for each old one.
	ConnectionMap map[string]string `json:"connectionMap,omitempty"`
}

// CloneImport copies an import and gives the id of the copy. As with CreateImport, the copy may
// exist after an error with Sent that is not a refusal.
func (c *Client) CloneImport(ctx context.Context, id string, req CloneRequest) (string, error) {
	body, err := json.Marshal(req)
	if err != nil {
		return "", invalid(cloneImport, "the request cannot be written as JSON")
	}
	var copyID string
	err = c.call(ctx, cloneImport, id, body, func(_ *http.Response, body io.Reader) error {
		raw, err := readDocument(body)
		if err != nil {
			return err
		}
		copyID, err = clonedID(raw)
		if err == nil && copyID == id {
			err = errors.New("the answer names the original as its copy")
		}
		return err
	})
	if err != nil {
		return "", err
	}
	return copyID, nil
}

// clonedID finds the new id in both forms of the answer: the import itself, or a list of what
// was made, [{"model":"Import","_id":"…"}], in which exactly one may be an import.
func clonedID(raw json.RawMessage) (string, error) {
	if !bytes.HasPrefix(raw, []byte("[")) {
		doc, err := parseImport(raw)
		return doc.ID, err
	}
	var ids []string
	err := arrayElements(raw, func(element json.RawMessage) error {
		model, id := "", ""
		err := objectFields(element, func(name []byte, value json.RawMessage) error {
			switch string(name) {
			case "model":
				model = stringOnly(value)
			case "_id":
				id = stringOnly(value)
			}
			return nil
		})
		if len(ids) < 2 && model == "Import" {
			ids = append(ids, id)
		}
		return err
	})
	switch {
	case err != nil:
		return "", err
	case len(ids) != 1:
		return "", errors.New("the answer does not name exactly one new import")
	}
	return ids[0], checkID(ids[0])
}
