// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package report

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/drift"
	"github.com/integrator-operator/integrator-operator/internal/integrator"
	"github.com/integrator-operator/integrator-operator/internal/ownership"
	"github.com/integrator-operator/integrator-operator/internal/problem"
)

// concurrent is how many audit logs are read at once.
const concurrent = 8

// Where a change was read.
const (
	fromLog    = "audit log"
	fromStatus = "status.audit"
)

// accountKeys are the Accounts that exist, or that an Import names.
func (c *collector) accountKeys() []client.ObjectKey {
	var keys []client.ObjectKey
	for key := range c.accounts {
		keys = append(keys, key)
	}
	for _, object := range c.imports {
		keys = append(keys, accountOf(object))
	}
	slices.SortFunc(keys, func(a, b client.ObjectKey) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
	})
	return slices.Compact(keys)
}

func accountOf(object *v1alpha1.Import) client.ObjectKey {
	return client.ObjectKey{Namespace: object.Namespace, Name: object.Spec.AccountRef.Name}
}

// log is the audit log of one Import's remote import.
type log struct {
	object  *v1alpha1.Import
	entries []integrator.AuditEntry
	err     error
	read    bool
}

// audit reads the audit logs of the Imports of an Account. Where one cannot be read, the extract in
// the Import's status stands for it.
func (c *collector) audit(ctx context.Context, key client.ObjectKey) {
	var logs []*log
	for _, object := range c.imports {
		if accountOf(object) == key && ownership.RemoteID(object) != "" {
			logs = append(logs, &log{object: object})
		}
	}
	name := fmt.Sprintf("Account %s/%s", key.Namespace, key.Name)
	userID, failed := readLogs(ctx, c.Connect, key, logs)
	if failed != nil {
		c.problem(name, failed.Error())
	}
	read, extracts, oldest := 0, 0, c.Now
	for _, l := range logs {
		if !l.read {
			extracts++
			c.extract(l.object)
			if l.err != nil {
				c.problem(fmt.Sprintf("Import %s/%s", l.object.Namespace, l.object.Name), "the audit log cannot be read: "+plain(l.err))
			}
			continue
		}
		for _, entry := range l.entries {
			read, oldest = read+1, earlier(oldest, entry.At())
			if at := entry.At(); at.IsZero() || !at.Before(c.Since) {
				c.report.Changes = append(c.report.Changes, c.change(l.object, entry, userID))
			}
		}
	}
	c.source("audit log of the platform, "+name, fmt.Sprintf("the logs of %d of the imports that Imports have now, as long as the platform keeps them; those of imports that were deleted on the platform are not in it",
		len(logs)-extracts), read, oldest)
	if extracts > 0 {
		c.source("status.audit, "+name, fmt.Sprintf("an extract, 5 changes at most, for %d Imports whose log was not read; it is as old as the last look of the operator", extracts), extracts, time.Time{})
	}
}

// readLogs reads the logs with the token of the Account. The error is that the account cannot be used
// at all: the remaining logs are then not asked for.
func readLogs(ctx context.Context, connect func(context.Context, client.ObjectKey) (*integrator.Client, *v1alpha1.Account, error), key client.ObjectKey, logs []*log) (userID string, err error) {
	remote, account, err := connect(ctx, key)
	if err != nil {
		return "", fmt.Errorf("%s", plain(err))
	}
	defer remote.Close()
	userID = account.Status.UserID
	if len(logs) == 0 {
		return userID, nil
	}
	var mu sync.Mutex
	var fatal error
	group := errgroup.Group{}
	group.SetLimit(concurrent)
	for _, l := range logs {
		group.Go(func() error {
			mu.Lock()
			stop := fatal != nil
			mu.Unlock()
			if stop {
				return nil
			}
			l.entries, l.err = readLog(ctx, remote, ownership.RemoteID(l.object))
			l.read = l.err == nil
			if l.err != nil && !integrator.IsNotFound(l.err) {
				mu.Lock()
				if fatal == nil {
					fatal = l.err
				}
				mu.Unlock()
				l.err = nil
			}
			return nil
		})
	}
	_ = group.Wait() // no function of the group returns an error
	if fatal != nil {
		return userID, fmt.Errorf("the audit logs cannot be read: %s", plain(fatal))
	}
	return userID, nil
}

func readLog(ctx context.Context, remote *integrator.Client, id string) (entries []integrator.AuditEntry, err error) {
	for entry, err := range remote.ListAudit(ctx, id) {
		if err != nil {
			return nil, err
		}
		entries = append(entries, entry)
	}
	return entries, nil
}

// plain is an error in one line, as the conditions have it.
func plain(err error) string {
	if p := problem.FromAPI(err, "read the audit log"); p != nil {
		return p.Message()
	}
	return err.Error()
}

func (c *collector) change(object *v1alpha1.Import, entry integrator.AuditEntry, userID string) Change {
	fields := make([]string, 0, len(entry.FieldChanges))
	for _, field := range entry.FieldChanges {
		fields = append(fields, field.FieldPath)
	}
	return Change{
		Time: entry.At().UTC(), Namespace: object.Namespace, Account: object.Spec.AccountRef.Name, Import: object.Name, ID: ownership.RemoteID(object),
		Event: c.guard.text(entry.Event), Via: c.guard.text(entry.Source), User: c.guard.text(entry.ByUser.Label()), Operator: entry.ByToken(userID),
		Fields: c.guard.names(fields), From: fromLog,
	}
}

// extract takes the changes of an Import's status, which are those that the operator did not make.
func (c *collector) extract(object *v1alpha1.Import) {
	if object.Status.Audit == nil {
		return
	}
	for _, event := range object.Status.Audit.ExternalChanges {
		at, _ := time.Parse(time.RFC3339, event.Time)
		if !at.IsZero() && at.Before(c.Since) {
			continue
		}
		c.report.Changes = append(c.report.Changes, Change{
			Time: at.UTC(), Namespace: object.Namespace, Account: object.Spec.AccountRef.Name, Import: object.Name, ID: ownership.RemoteID(object),
			Event: c.guard.text(event.Event), Via: c.guard.text(event.Source), User: c.guard.text(event.User), Fields: c.guard.names(event.Fields), From: fromStatus,
		})
	}
}

// present adds the drift that an Import reports now.
func (c *collector) present(object *v1alpha1.Import) {
	var since *time.Time
	if condition := apimeta.FindStatusCondition(object.Status.Conditions, v1alpha1.ConditionDrifted); condition != nil {
		since = ptr.To(condition.LastTransitionTime.UTC())
	}
	account := c.accounts[accountOf(object)]
	shown := account != nil && account.Spec.ForeignValues == v1alpha1.ForeignValuesShown
	add := func(state string, found []v1alpha1.Difference) {
		for _, difference := range c.guard.differences(object, found, shown) {
			c.report.Drift = append(c.report.Drift, Drift{
				Time: since, Namespace: object.Namespace, Import: object.Name, ID: ownership.RemoteID(object), State: state,
				Fields: []string{difference.Path}, Declared: difference.Declared, Remote: difference.Remote, From: "status",
			})
		}
	}
	add(DriftPresent, object.Status.Drift)
	add(DriftNotAccepted, object.Status.NotAccepted)
}

// corrections finds in the audit logs what the operator reverted: a change by somebody else, followed by
// a write with the token of the Account to one of the same fields.
func (c *collector) corrections() {
	byImport := map[string][]*Change{}
	for i := range c.report.Changes {
		change := &c.report.Changes[i]
		if change.From == fromLog && change.Event == "update" {
			key := change.Namespace + "/" + change.Import
			byImport[key] = append(byImport[key], change)
		}
	}
	for _, changes := range byImport {
		slices.SortStableFunc(changes, func(a, b *Change) int { return a.Time.Compare(b.Time) })
		for i, theirs := range changes {
			if theirs.Operator {
				continue
			}
			for _, ours := range changes[i+1:] {
				if both := common(theirs.Fields, ours.Fields); ours.Operator && len(both) > 0 {
					c.report.Drift = append(c.report.Drift, Drift{
						Time: ptr.To(theirs.Time), Namespace: theirs.Namespace, Import: theirs.Import, ID: theirs.ID, State: DriftCorrected, Fields: both,
						User: theirs.User, Corrected: ptr.To(ours.Time), From: fromLog,
						Message: "concluded from the audit log: the same fields were written with the token of the Account afterwards",
					})
					break
				}
			}
		}
	}
}

// common are the names that both have. What is hidden is no name.
func common(a, b []string) (both []string) {
	for _, name := range a {
		if name != drift.Text(drift.Redacted, 0) && slices.Contains(b, name) {
			both = append(both, name)
		}
	}
	return both
}
