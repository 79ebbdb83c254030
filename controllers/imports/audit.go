// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package imports

import (
	"context"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/drift"
	"github.com/integrator-operator/integrator-operator/internal/integrator"
)

// The platform's audit log says who changed an import. It is read when a change was found, when an
// import is adopted, and when somebody asks for a look. It says more than the comparison, and never
// decides anything.

const (
	// maxAudit is how many entries are read: far more than anybody makes between two reads.
	maxAudit           = 200
	maxExternalChanges = 5
	maxAuditFields     = 8
	// auditSlack is how far the log may date a write of ours after the import's lastModified.
	auditSlack = 5 * time.Second
)

// showLog shows the audit log of the remote import in status. A failure to read it fails nothing else. A log that
// begins with its oldest entry, and has further pages, does not show the last change: then status stays as it is.
func (a *answers) showLog(ctx context.Context, s *scope) {
	s.auditedID, s.changedBy = a.id, ""
	if a.logErr != nil {
		auditUnreadable(ctx, a.id, a.logErr)
		return
	}
	if !a.more || newestFirst(a.log) {
		s.changedBy = showAudit(s, a.log)
	}
}

// lastChangedBy reads the audit log into status and says who made the last change, as in
// " by jane@example.com (ui)". It is empty when the log does not say. A log that this reconcile has
// read already is not read again.
func lastChangedBy(ctx context.Context, s *scope, id string) string {
	if s.auditedID == id {
		return s.changedBy
	}
	var entries []integrator.AuditEntry
	for entry, err := range s.session.Client.ListAudit(ctx, id) {
		if err != nil {
			auditUnreadable(ctx, id, err)
			return ""
		}
		if entries = append(entries, entry); len(entries) == maxAudit {
			break
		}
	}
	return showAudit(s, entries)
}

func auditUnreadable(ctx context.Context, id string, err error) {
	log.FromContext(ctx).V(1).Info("cannot read the audit log", "id", id, "status", integrator.StatusCode(err))
}

// newestFirst reports whether the log is known to begin with its newest entry.
func newestFirst(entries []integrator.AuditEntry) bool {
	return len(entries) > 0 && entries[0].At().After(entries[len(entries)-1].At())
}

// showAudit puts an extract of the log into status and says who made the last change.
func showAudit(s *scope, entries []integrator.AuditEntry) string {
	audit := digestAudit(entries, s.session.UserID, s.before.Status.LastModified)
	if audit == nil {
		return ""
	}
	s.object.Status.Audit = audit
	if len(audit.ExternalChanges) == 0 || audit.ExternalChanges[0].Time != audit.LastEvent.Time {
		return ""
	}
	last := audit.ExternalChanges[0]
	return " by " + last.User + " (" + last.Source + ")"
}

// digestAudit extracts what status keeps of the log, in whatever order it came. An entry of
// the API by the token's own user, no later than the last known write, is the operator's own.
func digestAudit(entries []integrator.AuditEntry, userID, seenUntil string) *v1alpha1.ImportAudit {
	if len(entries) == 0 {
		return nil
	}
	integrator.SortAudit(entries)
	// Without a time, none of the changes was seen.
	seen, _ := time.Parse(time.RFC3339, seenUntil)
	last := auditEvent(entries[0])
	audit := &v1alpha1.ImportAudit{LastEvent: &last}
	for _, entry := range entries {
		ours := entry.ByToken(userID) && !entry.At().After(seen.Add(auditSlack))
		if !ours && len(audit.ExternalChanges) < maxExternalChanges {
			audit.ExternalChanges = append(audit.ExternalChanges, auditEvent(entry))
		}
	}
	return audit
}

func auditEvent(entry integrator.AuditEntry) v1alpha1.AuditEvent {
	event := v1alpha1.AuditEvent{
		Time: drift.Cut(entry.Time, 64), Event: drift.Cut(entry.Event, 64), Source: drift.Cut(entry.Source, 64),
		User: drift.Cut(entry.ByUser.Label(), 256),
	}
	for _, change := range entry.FieldChanges[:min(len(entry.FieldChanges), maxAuditFields)] {
		event.Fields = append(event.Fields, drift.Cut(change.FieldPath, 256))
	}
	return event
}
