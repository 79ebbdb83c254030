// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package integrator

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
)

// TokenInfo is what the API says of the token itself.
type TokenInfo struct {
	UserID string // _userId, the account
	Scope  string // such as "*"
}

// Import is one import document as the API answered it. Strings are "" when absent or not a string,
// and, but for Name, ExternalID and ConnectorID, one line of at most 64 bytes.
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
	IntegrationID string // _integrationId

	// Raw is the whole document, byte for byte.
	Raw json.RawMessage
}

var (
	errNoID    = errors.New("the answer has no _id")
	errOddID   = errors.New("the answer has an _id that cannot be one")
	errOtherID = errors.New("the answer is another import than the one asked for")
)

// parseImport reads the fields that the operator knows. It keeps raw, which must not change.
func parseImport(raw json.RawMessage) (Import, error) {
	doc := Import{Raw: raw}
	err := objectFields(raw, func(name []byte, value json.RawMessage) error {
		switch string(name) {
		case "_id":
			doc.ID = stringOnly(value)
		case "name":
			doc.Name = stringOnly(value)
		case "adaptorType":
			doc.AdaptorType = label(value)
		case "_connectionId":
			doc.ConnectionID = label(value)
		case "externalId":
			doc.ExternalID = stringOnly(value)
		case "apiIdentifier":
			doc.APIIdentifier = label(value)
		case "createdAt":
			doc.CreatedAt = label(value)
		case "lastModified":
			doc.LastModified = label(value)
		case "_connectorId":
			doc.ConnectorID = stringOnly(value)
		case "_integrationId":
			doc.IntegrationID = label(value)
		}
		return nil
	})
	if err == nil {
		err = checkID(doc.ID)
	}
	return doc, err
}

// checkID refuses an id with which nothing could be called.
func checkID(id string) error {
	switch {
	case id == "":
		return errNoID
	case !plainID(id):
		return errOddID
	}
	return nil
}

// TokenInfo asks who the token belongs to: the check of a credential.
func (c *Client) TokenInfo(ctx context.Context) (TokenInfo, error) {
	var info TokenInfo
	err := c.call(ctx, tokenInfo, "", nil, func(_ *http.Response, body io.Reader) error {
		raw, err := readDocument(body)
		if err != nil {
			return err
		}
		err = objectFields(raw, func(name []byte, value json.RawMessage) error {
			switch string(name) {
			case "_userId":
				info.UserID = label(value)
			case "scope":
				info.Scope = label(value)
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

// document sends a request whose answer is one import, of the given id unless that is "".
func (c *Client) document(ctx context.Context, e endpoint, id string, body json.RawMessage) (Import, error) {
	if e.method != http.MethodGet && !isObject(body) {
		return Import{}, invalid(e, "the document is not a JSON object")
	}
	var doc Import
	err := c.call(ctx, e, id, body, func(_ *http.Response, body io.Reader) error {
		raw, err := readDocument(body)
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

// CreateImport creates an import and gives the stored document. Names are not unique and there
// is no idempotency key: after an error with Sent that is not a refusal, the import may exist.
func (c *Client) CreateImport(ctx context.Context, body json.RawMessage) (Import, error) {
	return c.document(ctx, createImport, "", body)
}

// GetImport reads one import. An answer with another _id than asked for is an error.
func (c *Client) GetImport(ctx context.Context, id string) (Import, error) {
	return c.document(ctx, getImport, id, nil)
}

// PutImport replaces the whole document and gives the stored one: what body leaves out is erased.
func (c *Client) PutImport(ctx context.Context, id string, body json.RawMessage) (Import, error) {
	return c.document(ctx, putImport, id, body)
}

// DeleteImport moves an import to the account's recycle bin.
func (c *Client) DeleteImport(ctx context.Context, id string) error {
	return c.call(ctx, deleteImport, id, nil, ignoreBody)
}

// PatchOperation is one operation of a JSON Patch (RFC 6902).
type PatchOperation struct {
	Op    string          `json:"op"`              // add, replace or remove
	Path  string          `json:"path"`            // /debugUntil or /assistantMetadata
	Value json.RawMessage `json:"value,omitempty"` // none for remove
}

// PatchImport changes debugUntil or assistantMetadata, the only fields that the API patches.
func (c *Client) PatchImport(ctx context.Context, id string, ops []PatchOperation) error {
	if len(ops) == 0 {
		return invalid(patchImport, "the patch has no operation")
	}
	for i, op := range ops {
		if op.Path != "/debugUntil" && op.Path != "/assistantMetadata" {
			return invalid(patchImport, "operation %d: only /debugUntil and /assistantMetadata can be patched", i)
		}
		switch op.Op {
		case "add", "replace":
			if !json.Valid(op.Value) {
				return invalid(patchImport, "operation %d: the value is not JSON", i)
			}
		case "remove":
			if len(op.Value) > 0 {
				return invalid(patchImport, "operation %d: remove takes no value", i)
			}
		default:
			return invalid(patchImport, "operation %d: only add, replace and remove are possible", i)
		}
	}
	body, err := json.Marshal(ops)
	if err != nil {
		return invalid(patchImport, "the patch cannot be written as JSON")
	}
	return c.call(ctx, patchImport, id, body, ignoreBody)
}

// ReplaceConnection moves an import to another connection. The API does not document its
// answer: read the import afterwards.
func (c *Client) ReplaceConnection(ctx context.Context, id, newConnectionID string) error {
	if !plainID(newConnectionID) {
		return invalid(replaceConnection, "the id of the new connection must be letters, digits, \"-\" and \"_\", at most 64")
	}
	body := []byte(`{"_newConnectionId":"` + newConnectionID + `"}`)
	return c.call(ctx, replaceConnection, id, body, ignoreBody)
}
