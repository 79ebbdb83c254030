// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package simulator

import "slices"

// auditLimit is the number of entries kept for one import.
const auditLimit = 1000

// AuditEntry is one change of an import.
type AuditEntry struct {
	ID           string        `json:"_id"`
	ResourceType string        `json:"resourceType"`
	ResourceID   string        `json:"_resourceId"`
	Source       string        `json:"source"` // ui, api, connector, stack, system, sso
	Event        string        `json:"event"`  // create, update, delete, restore
	Time         string        `json:"time"`
	ByUser       User          `json:"byUser"`
	FieldChanges []FieldChange `json:"fieldChanges,omitempty"`
}

// FieldChange is one field of an update. A value that is absent from the JSON
// was absent from the document.
type FieldChange struct {
	FieldPath string `json:"fieldPath"`
	OldValue  any    `json:"oldValue,omitempty"`
	NewValue  any    `json:"newValue,omitempty"`
}

// compare lists the fields in which two documents differ: objects by key,
// arrays as wholes, sorted by path.
func compare(before, after Document) []FieldChange {
	changes := compareObjects("", before, after)
	return slices.DeleteFunc(changes, func(c FieldChange) bool {
		return c.FieldPath == "lastModified" || c.FieldPath == "lastModifiedBy"
	})
}

func compareObjects(prefix string, before, after Document) []FieldChange {
	keys := map[string]bool{}
	for key := range before {
		keys[key] = true
	}
	for key := range after {
		keys[key] = true
	}
	var changes []FieldChange
	for _, key := range sortedKeys(keys) {
		path := prefix + key
		was, had := before[key]
		is, has := after[key]
		oldObject, wasObject := was.(Document)
		newObject, isObject := is.(Document)
		switch {
		case wasObject && isObject:
			changes = append(changes, compareObjects(path+".", oldObject, newObject)...)
		case had != has || !equal(was, is):
			changes = append(changes, FieldChange{FieldPath: path, OldValue: was, NewValue: is})
		}
	}
	return changes
}

// log adds an audit entry.
func (s *Server) log(acct *account, importID, event string, by actor, changes []FieldChange) {
	entries := append(acct.audit[importID], AuditEntry{
		ID: s.newID(), ResourceType: "import", ResourceID: importID,
		Source: by.source, Event: event, Time: formatTime(s.clock.Now()), ByUser: by.user, FieldChanges: changes,
	})
	if len(entries) > auditLimit {
		entries = slices.Delete(entries, 0, len(entries)-auditLimit)
	}
	acct.audit[importID] = entries
}

// listAudit is GET /v1/imports/{id}/audit.
func (s *Server) listAudit(c *call) response {
	if _, refusal := s.find(c); refusal != nil {
		_, deleted := c.account.bin[c.id()]
		if !deleted || !s.choices.AuditAfterDelete {
			return *refusal
		}
	}
	query, refusal := c.readQuery()
	if refusal != nil {
		return *refusal
	}
	p, refusal := s.readPage(query)
	if refusal != nil {
		return *refusal
	}
	entries := c.account.audit[c.id()]
	return c.answerPage(p, len(entries), func(i int) any {
		if s.choices.AuditOrder == NewestFirst {
			return entries[len(entries)-1-i]
		}
		return entries[i]
	})
}

// Audit returns the audit log of an import, oldest entry first. It outlives the
// import.
func (s *Server) Audit(accountName, importID string) []AuditEntry {
	s.mu.Lock()
	defer s.mu.Unlock()
	acct := s.accounts[accountName]
	if acct == nil {
		return nil
	}
	return slices.Clone(acct.audit[importID])
}
