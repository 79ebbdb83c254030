// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package integrator

import (
	"context"
	"encoding/json"
	"errors"
)

// TokenInfo is what the API says of the token itself.
type TokenInfo struct {
	UserID string // _userId, the account
	Scope  string // such as "*"
}

// Import is one import document as the API answered it. Strings are "" when absent or not a string.
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

// PatchOperation is one operation of a JSON Patch (RFC 6902).
type PatchOperation struct {
	Op    string          `json:"op"`   // add, replace or remove
	Path  string          `json:"path"` // /debugUntil or /assistantMetadata
	Value json.RawMessage `json:"value,omitempty"`
}

// CloneRequest says how the copy differs from the original.
type CloneRequest struct {
	// Name of the copy; the API's default is "Clone - " and the name of the original.
	Name string
	// ConnectionMap gives the new connection id for each old one.
	ConnectionMap map[string]string
}

// Dependency is a resource that uses the import or is used by it.
type Dependency struct {
	Kind string // plural, as the API answers it, such as "flows"
	ID   string
	Name string
}

var errIncomplete = errors.New("not complete")

// TokenInfo asks who the token belongs to: the check of a credential.
func (c *Client) TokenInfo(ctx context.Context) (TokenInfo, error) { return TokenInfo{}, errIncomplete }

// CreateImport creates an import and gives the stored document.
func (c *Client) CreateImport(ctx context.Context, body json.RawMessage) (Import, error) {
	return Import{}, errIncomplete
}

// GetImport reads one import.
func (c *Client) GetImport(ctx context.Context, id string) (Import, error) {
	return Import{}, errIncomplete
}

// PutImport replaces the whole document: what body leaves out is erased.
func (c *Client) PutImport(ctx context.Context, id string, body json.RawMessage) (Import, error) {
	return Import{}, errIncomplete
}

// PatchImport changes debugUntil or assistantMetadata, the only fields that the API patches.
func (c *Client) PatchImport(ctx context.Context, id string, ops []PatchOperation) error {
	return errIncomplete
}

// DeleteImport moves an import to the account's recycle bin.
func (c *Client) DeleteImport(ctx context.Context, id string) error { return errIncomplete }

// CloneImport copies an import and gives the id of the copy.
func (c *Client) CloneImport(ctx context.Context, id string, req CloneRequest) (string, error) {
	return "", errIncomplete
}

// ReplaceConnection moves an import to another connection.
func (c *Client) ReplaceConnection(ctx context.Context, id, newConnectionID string) error {
	return errIncomplete
}

// Dependencies lists what uses the import or is used by it, sorted by kind and id.
func (c *Client) Dependencies(ctx context.Context, id string) ([]Dependency, error) {
	return nil, errIncomplete
}
