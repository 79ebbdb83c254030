// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package integrator

import (
	"encoding/json"
	"errors"
)

// AuditEntry is one event of an import's audit log.
type AuditEntry struct {
	ID           string        `json:"_id"`
	Source       string        `json:"source"` // ui, api, connector, stack, system, sso
	Event        string        `json:"event"`  // create, update, delete …
	Time         string        `json:"time"`   // as the API wrote it
	ByUser       AuditUser     `json:"byUser"`
	FieldChanges []FieldChange `json:"fieldChanges"`
}

// AuditUser is who made a change.
type AuditUser struct {
	ID    string `json:"_id"`
	Email string `json:"email"`
	Name  string `json:"name"`
}

// FieldChange is one field of a change. A value that the API leaves out is nil.
type FieldChange struct {
	FieldPath string          `json:"fieldPath"`
	OldValue  json.RawMessage `json:"oldValue"`
	NewValue  json.RawMessage `json:"newValue"`
}

func parseAuditEntry(raw json.RawMessage) (AuditEntry, error) {
	var e AuditEntry
	if !isObject(raw) {
		return e, errors.New("an audit entry is not a JSON object")
	}
	return e, json.Unmarshal(raw, &e)
}
