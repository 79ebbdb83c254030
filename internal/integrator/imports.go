// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package integrator

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"

	"github.com/integrator-operator/integrator-operator/internal/integrator/jsonscan"
	"github.com/integrator-operator/integrator-operator/internal/integrator/limit"
)

// TokenInfo is what the API answers about the token itself.
type TokenInfo struct {
	UserID string // _userId, the account
}

// Import is one import document as the API answered it. Strings are "" when the field is absent or
// not a string. All but Name, ExternalID and ConnectorID are one line of at most 64 bytes.
type Import struct {
	ID            string // _id
	Name          string // name
	AdaptorType   string // adaptorType
	ConnectionID  string // _connectionId
	ExternalID    string // externalId
	APIIdentifier string // apiIdentifier
	CreatedAt     string // createdAt, as the API wrote it
	LastModified  string // lastModified, as the API wrote it
	ConnectorID   string // _connectorId; set when an integration app owns the import
	SourceID      string // _sourceId; set when the import is a clone of the import of this id

	// Raw is the whole document, byte for byte.
	Raw json.RawMessage
}

var (
	errNoID    = errors.New("the answer has no _id")
	errBadID   = errors.New("the answer has an _id that cannot be one")
	errOtherID = errors.New("the answer is another import than the requested one")
)

// parseImport reads the fields that the operator uses. The result refers to raw, which must not
// change.
func parseImport(raw json.RawMessage) (Import, error) {
	doc := Import{Raw: raw}
	err := jsonscan.Fields(raw, func(name []byte, value json.RawMessage) error {
		switch string(name) {
		case "_id":
			doc.ID = jsonscan.String(value)
		case "name":
			doc.Name = jsonscan.String(value)
		case "adaptorType":
			doc.AdaptorType = shortText(value)
		case "_connectionId":
			doc.ConnectionID = shortText(value)
		case "externalId":
			doc.ExternalID = jsonscan.String(value)
		case "apiIdentifier":
			doc.APIIdentifier = shortText(value)
		case "createdAt":
			doc.CreatedAt = shortText(value)
		case "lastModified":
			doc.LastModified = shortText(value)
		case "_connectorId":
			doc.ConnectorID = jsonscan.String(value)
		case "_sourceId":
			doc.SourceID = shortText(value)
		}
		return nil
	})
	if err == nil {
		err = checkID(doc.ID)
	}
	return doc, err
}

// checkID rejects an id of an answer with which no call would be possible.
func checkID(id string) error {
	switch {
	case id == "":
		return errNoID
	case !validID(id):
		return errBadID
	}
	return nil
}

// TokenInfo returns whose token it is. It is the check of a credential.
func (c *Client) TokenInfo(ctx context.Context) (TokenInfo, error) {
	var info TokenInfo
	err := c.call(ctx, tokenInfo, "", nil, func(_ *http.Response, body io.Reader) error {
		raw, err := jsonscan.ReadDocument(body)
		if err != nil {
			return err
		}
		err = jsonscan.Fields(raw, func(name []byte, value json.RawMessage) error {
			if string(name) == "_userId" {
				info.UserID = shortText(value)
			}
			return nil
		})
		if err == nil && info.UserID == "" {
			err = errors.New("the answer has no _userId")
		}
		return err
	})
	if err != nil {
		return TokenInfo{}, err
	}
	return info, nil
}

// document sends a request whose answer is one import, with the given id unless that is "".
func (c *Client) document(ctx context.Context, e endpoint, id string, body json.RawMessage) (Import, error) {
	if e.method != http.MethodGet && !jsonscan.IsObject(body) {
		return Import{}, invalidArgument(e, "the document is not a JSON object")
	}
	var doc Import
	err := c.call(ctx, e, id, body, func(_ *http.Response, body io.Reader) error {
		raw, err := jsonscan.ReadDocument(body)
		if err != nil {
			return err
		}
		if doc, err = parseImport(raw); err != nil {
			return err
		}
		if id != "" && doc.ID != id {
			return errOtherID
		}
		return nil
	})
	if err != nil {
		return Import{}, err
	}
	return doc, nil
}

// CreateImport creates an import and returns the stored document. Names are not unique and there is
// no idempotency key: after OutcomeUnknown the import may exist.
func (c *Client) CreateImport(ctx context.Context, body json.RawMessage) (Import, error) {
	return c.document(ctx, createImport, "", body)
}

// GetImport reads one import. An answer with another _id than the requested one is an error.
func (c *Client) GetImport(ctx context.Context, id string) (Import, error) {
	return c.document(ctx, getImport, id, nil)
}

// ReadForScan is GetImport for a scan. Like a list with UnlimitedWait, it waits as long as the account is paused or
// has no place for the call, and makes it again when the answer is 429, five times in all.
func ReadForScan(ctx context.Context, c *Client, id string) (doc Import, err error) {
	e := getImport
	e.maxWait = limit.NoMaxWait
	for range maxPageAttempts {
		if doc, err = c.document(ctx, e, id, nil); StatusCode(err) != http.StatusTooManyRequests {
			break
		}
	}
	return doc, err
}

// PutImport replaces the whole document and returns the stored one. What body leaves out is erased.
func (c *Client) PutImport(ctx context.Context, id string, body json.RawMessage) (Import, error) {
	return c.document(ctx, putImport, id, body)
}

// DeleteImport moves an import to the account's recycle bin.
func (c *Client) DeleteImport(ctx context.Context, id string) error {
	return c.call(ctx, deleteImport, id, nil, rejectWebPage)
}

// PatchOperation is one operation of a JSON Patch (RFC 6902).
type PatchOperation struct {
	Op    string          `json:"op"`              // add, replace or remove
	Path  string          `json:"path"`            // /debugUntil or /assistantMetadata
	Value json.RawMessage `json:"value,omitempty"` // absent for remove
}

// PatchImport changes debugUntil or assistantMetadata, the only fields that the API can patch.
func (c *Client) PatchImport(ctx context.Context, id string, ops []PatchOperation) error {
	if len(ops) == 0 {
		return invalidArgument(patchImport, "the patch has no operation")
	}
	for i, op := range ops {
		if op.Path != "/debugUntil" && op.Path != "/assistantMetadata" {
			return invalidArgument(patchImport, "operation %d: only /debugUntil and /assistantMetadata can be patched", i)
		}
		switch op.Op {
		case "add", "replace":
			if !json.Valid(op.Value) {
				return invalidArgument(patchImport, "operation %d: the value is not JSON", i)
			}
		case "remove":
			if len(op.Value) > 0 {
				return invalidArgument(patchImport, "operation %d: remove takes no value", i)
			}
		default:
			return invalidArgument(patchImport, "operation %d: only add, replace and remove are possible", i)
		}
	}
	body, err := json.Marshal(ops)
	if err != nil {
		return invalidArgument(patchImport, "the patch cannot be written as JSON")
	}
	return c.call(ctx, patchImport, id, body, rejectWebPage)
}

// ReplaceConnection moves an import to another connection. The answer is not documented, so the
// caller reads the import afterwards.
func (c *Client) ReplaceConnection(ctx context.Context, id, newConnectionID string) error {
	if !validID(newConnectionID) {
		return invalidArgument(replaceConnection, "the id of the new connection must be letters, digits, \"-\" and \"_\", at most 64")
	}
	body := []byte(`{"_newConnectionId":"` + newConnectionID + `"}`)
	return c.call(ctx, replaceConnection, id, body, rejectWebPage)
}

// CloneRequest is how the copy differs from the original.
type CloneRequest struct {
	// Name of the copy; when empty, the API takes "Clone - " and the original's name.
	Name string `json:"name,omitempty"`
	// ConnectionMap maps the ids of the original's connections to those of the copy.
	ConnectionMap map[string]string `json:"connectionMap,omitempty"`
}

// CloneImport copies an import and returns the id of the copy. As with CreateImport, the copy may
// exist after OutcomeUnknown.
func (c *Client) CloneImport(ctx context.Context, id string, req CloneRequest) (string, error) {
	body, err := json.Marshal(req)
	if err != nil {
		return "", invalidArgument(cloneImport, "the request cannot be written as JSON")
	}
	var copyID string
	err = c.call(ctx, cloneImport, id, body, func(_ *http.Response, body io.Reader) error {
		raw, err := jsonscan.ReadDocument(body)
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

// clonedID reads the new id from both forms of the answer: the import itself, or a list of what was
// created, [{"model":"Import","_id":"…"}], with exactly one import.
func clonedID(raw json.RawMessage) (string, error) {
	if !bytes.HasPrefix(raw, []byte("[")) {
		doc, err := parseImport(raw)
		return doc.ID, err
	}
	var ids []string
	err := jsonscan.Elements(raw, func(element json.RawMessage) error {
		model, id := "", ""
		err := jsonscan.Fields(element, func(name []byte, value json.RawMessage) error {
			switch string(name) {
			case "model":
				model = jsonscan.String(value)
			case "_id":
				id = jsonscan.String(value)
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

// Dependency is a resource that uses the import or is used by it. Each string is one line of at
// most 512 bytes.
type Dependency struct {
	Kind string // plural, as in the answer, such as "flows"
	ID   string // "" when the answer has none
	Name string
}

// Dependencies returns what uses the import or is used by it, sorted by kind and id. An entry that
// is not understood is an error, and never left out: a deletion relies on the list.
func (c *Client) Dependencies(ctx context.Context, id string) ([]Dependency, error) {
	var deps []Dependency
	err := c.call(ctx, dependencies, id, nil, func(resp *http.Response, body io.Reader) error {
		if resp.StatusCode == http.StatusNoContent {
			return nil
		}
		raw, err := jsonscan.ReadDocument(body)
		if err != nil {
			return err
		}
		return jsonscan.Fields(raw, func(kind []byte, list json.RawMessage) error {
			if string(list) == "null" {
				return nil
			}
			return jsonscan.Elements(list, func(element json.RawMessage) error {
				if len(deps) == jsonscan.MaxElements {
					return jsonscan.ErrTooMany
				}
				d, err := parseDependency(sanitize(string(kind)), element)
				deps = append(deps, d)
				return err
			})
		})
	})
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(deps, func(a, b Dependency) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.ID, b.ID))
	})
	return deps, nil
}

func parseDependency(kind string, raw json.RawMessage) (Dependency, error) {
	d := Dependency{Kind: kind}
	err := jsonscan.Fields(raw, func(name []byte, value json.RawMessage) error {
		switch string(name) {
		case "_id":
			d.ID = sanitize(jsonscan.Text(value))
		case "id":
			d.ID = cmp.Or(d.ID, sanitize(jsonscan.Text(value)))
		case "name":
			d.Name = sanitize(jsonscan.Text(value))
		}
		return nil
	})
	return d, err
}
