// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"slices"

	"github.com/integrator-operator/integrator-operator/internal/simulator/wire"
)

// auditLimit is the number of entries that are kept for an import.
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
func (s *Server) listAudit(c *call) wire.Response {
	if _, refusal := s.find(c); refusal != nil {
		_, deleted := c.account.bin[c.id()]
		if !deleted || !s.choices.AuditAfterDelete {
			return *refusal
		}
	}
	query, refusal := wire.ReadQuery(c.request)
	if refusal != nil {
		return *refusal
	}
	page, refusal := s.readPage(query)
	if refusal != nil {
		return *refusal
	}
	entries := c.account.audit[c.id()]
	return wire.AnswerPage(c.request, s.choices.LinkURL, page, len(entries), func(i int) any {
		if s.choices.AuditOrder == NewestFirst {
			return entries[len(entries)-1-i]
		}
		return entries[i]
	})
}

// Audit returns the audit log of an import, oldest entry first, even if the import was deleted.
func (s *Server) Audit(accountName, importID string) []AuditEntry {
	s.mu.Lock()
	defer s.mu.Unlock()
	acct := s.accounts[accountName]
	if acct == nil {
		return nil
	}
	return slices.Clone(acct.audit[importID])
}
