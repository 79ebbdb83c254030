// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package integrator

import "encoding/json"

// maxFieldChanges is how many changes of one audit entry are kept.
const maxFieldChanges = 1000

// AuditEntry is one event of an import's audit log. Strings are "" when absent, and one line of at
// most 512 bytes.
type AuditEntry struct {
	ID           string // _id
	Source       string // ui, api, connector, stack, system, sso
	Event        string // create, update, delete …
	Time         string // as the API wrote it
	ByUser       AuditUser
	FieldChanges []FieldChange // at most 1000
}

// AuditUser is who made a change.
type AuditUser struct {
	ID    string // _id
	Email string
	Name  string
}

// FieldChange is one field of a change. A value that the API leaves out is nil.
type FieldChange struct {
	FieldPath string
	OldValue  json.RawMessage
	NewValue  json.RawMessage
}

// parseAuditEntry reads an entry. It keeps parts of raw, which must not change.
func parseAuditEntry(raw json.RawMessage) (AuditEntry, error) {
	var e AuditEntry
	err := objectFields(raw, func(name []byte, value json.RawMessage) error {
		switch string(name) {
		case "_id":
			e.ID = shown(stringOnly(value))
		case "source":
			e.Source = shown(stringOnly(value))
		case "event":
			e.Event = shown(stringOnly(value))
		case "time":
			e.Time = shown(stringOnly(value))
		case "byUser":
			e.ByUser = parseAuditUser(value)
		case "fieldChanges":
			e.FieldChanges = parseFieldChanges(value)
		}
		return nil
	})
	return e, err
}

func parseAuditUser(raw json.RawMessage) AuditUser {
	var u AuditUser
	_ = objectFields(raw, func(name []byte, value json.RawMessage) error { // no object: nobody
		switch string(name) {
		case "_id":
			u.ID = shown(stringOnly(value))
		case "email":
			u.Email = shown(stringOnly(value))
		case "name":
			u.Name = shown(stringOnly(value))
		}
		return nil
	})
	return u
}

func parseFieldChanges(raw json.RawMessage) []FieldChange {
	var changes []FieldChange
	_ = arrayElements(raw, func(element json.RawMessage) error { // no array: no changes
		if len(changes) == maxFieldChanges {
			return errStop
		}
		var f FieldChange
		err := objectFields(element, func(name []byte, value json.RawMessage) error {
			switch string(name) {
			case "fieldPath":
				f.FieldPath = shown(stringOnly(value))
			case "oldValue":
				f.OldValue = value
			case "newValue":
				f.NewValue = value
			}
			return nil
		})
		if err == nil {
			changes = append(changes, f)
		}
		return nil
	})
	return changes
}
