// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/drift"
	"github.com/integrator-operator/integrator-operator/internal/integrator"
	"github.com/integrator-operator/integrator-operator/internal/ownership"
	"github.com/integrator-operator/integrator-operator/internal/report"
)

const historyLong = `Lists who changed the remote import of an Import, by the platform's audit log, the newest change first.

A change that was made with the token of the Account is marked "operator": the operator made it, or
another program with the same token. Texts of Secrets and ConfigMaps are redacted, as in a report.`

type historyFlags struct {
	networkFlags
	most int
}

func newHistory(c *cmd) *cobra.Command {
	var f historyFlags
	made := &cobra.Command{
		Use: "history IMPORT", Short: "List who changed an import on the platform", Long: historyLong, Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return c.history(cmd.Context(), &f, args[0]) },
	}
	made.Flags().IntVar(&f.most, "limit", 50, "How many changes to list; 0 lists all that the platform keeps.")
	f.register(made.Flags())
	return made
}

func (c *cmd) history(ctx context.Context, f *historyFlags, name string) error {
	cluster, namespace, err := c.cluster()
	if err != nil {
		return err
	}
	var object v1alpha1.Import
	if err := cluster.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, &object); err != nil {
		return fmt.Errorf("read Import %s: %w", name, err)
	}
	id := ownership.RemoteID(&object)
	if id == "" {
		return fmt.Errorf("Import %q has no remote import yet", name) //nolint:staticcheck // Import is the kind's name
	}
	remote, account, err := f.connect(ctx, cluster, client.ObjectKey{Namespace: namespace, Name: object.Spec.AccountRef.Name})
	if err != nil {
		return err
	}
	defer remote.Close()
	var entries []integrator.AuditEntry
	for entry, err := range remote.ListAudit(ctx, id) {
		if err != nil {
			return errors.New("the audit log cannot be read: " + err.Error())
		}
		entries = append(entries, entry)
	}
	integrator.SortAudit(entries)
	if f.most > 0 {
		entries = entries[:min(len(entries), f.most)]
	}
	return c.printHistory(entries, account.Status.UserID, report.Redactor(ctx, cluster, &object, account))
}

// printHistory prints changes. shown is a text of the platform as it may be shown.
func (c *cmd) printHistory(entries []integrator.AuditEntry, ours string, shown func(string) string) error {
	table := tabwriter.NewWriter(c.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "TIME\tEVENT\tSOURCE\tUSER\tFIELDS")
	for _, entry := range entries {
		user := shown(entry.ByUser.Label())
		if entry.ByToken(ours) {
			user = "operator"
		}
		var fields []string
		for _, change := range entry.FieldChanges {
			fields = append(fields, shown(change.FieldPath))
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", entry.Time, shown(entry.Event), shown(entry.Source), user, drift.Cut(strings.Join(fields, ", "), widest))
	}
	return table.Flush()
}
