// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package seed describes what simulated accounts start with, and has sample documents of every kind
// of import.
package seed

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/integrator-operator/integrator-operator/internal/simulator/document"
)

// Seed is what a simulator starts with.
type Seed struct {
	Accounts []AccountSpec `json:"accounts"`
}

// AccountSpec describes an account: who may call it and what is in it.
type AccountSpec struct {
	Name        string            `json:"name"`
	Tokens      []Token           `json:"tokens,omitempty"`
	Connections []Connection      `json:"connections,omitempty"`
	Flows       []Flow            `json:"flows,omitempty"`
	Imports     []json.RawMessage `json:"imports,omitempty"`
}

// Token is a bearer token and its user. An empty user is made from the account's name.
type Token struct {
	Token string `json:"token"`
	User  User   `json:"user,omitzero"`
}

// Connection is a connection that imports may refer to by `_connectionId`.
type Connection struct {
	ID   string `json:"id"` // 24 hex characters
	Name string `json:"name,omitempty"`
}

// Flow is a flow. The imports that it uses cannot be deleted.
type Flow struct {
	ID      string   `json:"id"` // 24 hex characters
	Name    string   `json:"name"`
	Imports []string `json:"imports"`
}

// User is the author of a change, as in the audit log.
type User struct {
	ID    string `json:"_id"` // made from the email if it is empty
	Email string `json:"email"`
	Name  string `json:"name"`
}

// Read reads a seed from JSON.
func Read(from io.Reader) (Seed, error) {
	var seed Seed
	data, err := io.ReadAll(from)
	if err == nil {
		err = document.DecodeStrict(data, &seed)
	}
	if err != nil {
		return Seed{}, fmt.Errorf("seed: %w", err)
	}
	return seed, nil
}
