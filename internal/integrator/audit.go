// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package integrator

import (
	"cmp"
	"context"
	"encoding/json"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/integrator-operator/integrator-operator/internal/integrator/jsonscan"
)

// maxFieldChanges is how many changes of one audit entry are read.
const maxFieldChanges = 1000

// AuditEntry is one event of an import's audit log. Each string is one line of at most 512 bytes, ""
// when absent.
type AuditEntry struct {
	ID           string // _id
	Source       string // ui, api, connector, stack, system, sso
	Event        string // create, update, delete …
	Time         string // as the API wrote it
	ByUser       AuditUser
	FieldChanges []FieldChange // at most 1000
}

// AuditUser is the author of a change.
type AuditUser struct {
	ID    string // _id
	Email string
	Name  string
}

// Label is what people know the user by: the address, else the name, else the id.
func (u AuditUser) Label() string { return cmp.Or(u.Email, u.Name, u.ID, "unknown") }

// At is the time of the entry; one that cannot be read is the oldest.
func (e AuditEntry) At() time.Time {
	at, _ := time.Parse(time.RFC3339, e.Time)
	return at
}

// ByToken reports whether the change was made through the API by the user whose token has the userID.
func (e AuditEntry) ByToken(userID string) bool {
	return e.Source == "api" && userID != "" && e.ByUser.ID == userID
}

// SortAudit sorts a log that may have come in any order, the newest entry first.
func SortAudit(entries []AuditEntry) {
	slices.SortStableFunc(entries, func(a, b AuditEntry) int {
		return cmp.Or(b.At().Compare(a.At()), strings.Compare(b.ID, a.ID))
	})
}

// FieldChange is one field of a change. Its values are not read: they may be confidential.
type FieldChange struct {
	FieldPath string
}

// ListAudit lists the audit log of one import in the API's order, with the rules of ListImports
// without UnlimitedWait.
func (c *Client) ListAudit(ctx context.Context, id string) iter.Seq2[AuditEntry, error] {
	return pages(ctx, c, listAudit, id, "", parseAuditEntry)
}

// AuditPage reads the first page of the audit log of one import, in the API's order, with one call
// that is not repeated. more reports whether the log has another page.
func (c *Client) AuditPage(ctx context.Context, id string) (entries []AuditEntry, more bool, err error) {
	list, err := c.target(listAudit, id)
	if err != nil {
		return nil, false, err
	}
	entries, next, err := requestPage(ctx, c, listAudit, page{list: list, first: true}, parseAuditEntry)
	if err != nil {
		return nil, false, err
	}
	return entries, next.link != "", nil
}

// parseAuditEntry reads one entry; raw must be an object.
func parseAuditEntry(raw json.RawMessage) (AuditEntry, error) {
	var e AuditEntry
	err := jsonscan.Fields(raw, func(name []byte, value json.RawMessage) error {
		switch string(name) {
		case "_id":
			e.ID = sanitize(jsonscan.String(value))
		case "source":
			e.Source = sanitize(jsonscan.String(value))
		case "event":
			e.Event = sanitize(jsonscan.String(value))
		case "time":
			e.Time = sanitize(jsonscan.String(value))
		case "byUser":
			e.ByUser = parseAuditUser(value)
		case "fieldChanges":
			e.FieldChanges = parseFieldChanges(value)
		}
		return nil
	})
	return e, err
}

// parseAuditUser reads the author; anything but an object is the zero AuditUser.
func parseAuditUser(raw json.RawMessage) AuditUser {
	var u AuditUser
	_ = jsonscan.Fields(raw, func(name []byte, value json.RawMessage) error {
		switch string(name) {
		case "_id":
			u.ID = sanitize(jsonscan.String(value))
		case "email":
			u.Email = sanitize(jsonscan.String(value))
		case "name":
			u.Name = sanitize(jsonscan.String(value))
		}
		return nil
	})
	return u
}

// parseFieldChanges reads the changed fields; what has another form is left out.
func parseFieldChanges(raw json.RawMessage) []FieldChange {
	var changes []FieldChange
	_ = jsonscan.Elements(raw, func(element json.RawMessage) error {
		if len(changes) == maxFieldChanges {
			return jsonscan.ErrStop
		}
		var f FieldChange
		err := jsonscan.Fields(element, func(name []byte, value json.RawMessage) error {
			if string(name) == "fieldPath" {
				f.FieldPath = sanitize(jsonscan.String(value))
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
