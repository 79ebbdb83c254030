// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/drift"
)

// widest bounds a message in a tree, in bytes.
const widest = 160

func newStatus(c *cmd) *cobra.Command {
	var everywhere, all bool
	made := &cobra.Command{
		Use: "status", Short: "Show Accounts, Imports and runs, and what is wrong with them", Args: cobra.NoArgs,
		Long: "Shows the Accounts, and below each the Imports and runs that are not as declared, or have not ended.\n\n" +
			"Exit codes: 0 all is well, 2 something is not, 1 an error.",
		RunE: func(cmd *cobra.Command, _ []string) error { return c.status(cmd.Context(), everywhere, all) },
	}
	made.Flags().BoolVarP(&everywhere, "all-namespaces", "A", false, "Show all namespaces.")
	made.Flags().BoolVar(&all, "all", false, "Show what is as declared and what has ended, too.")
	return made
}

// tree is what status shows of one namespace's Account.
type tree struct {
	namespace, name string
	account         *v1alpha1.Account
	imports         []*v1alpha1.Import
	runs            []*v1alpha1.ImportRun
}

func (c *cmd) status(ctx context.Context, everywhere, all bool) error {
	colors, err := c.palette()
	if err != nil {
		return err
	}
	cluster, namespace, err := c.clusterOf(everywhere)
	if err != nil {
		return err
	}
	trees, err := readTrees(ctx, cluster, namespace)
	if err != nil {
		return err
	}
	w, healthy := &textWriter{out: c.Out}, true
	if len(trees) == 0 {
		w.line("There are no Accounts and no Imports%s.", map[bool]string{false: " in namespace " + namespace}[everywhere])
	}
	for _, t := range trees {
		healthy = t.write(w, colors, all) && healthy
	}
	if w.err != nil {
		return w.err
	}
	return exitOf(false, !healthy)
}

// readTrees reads the objects of a namespace, or of all.
func readTrees(ctx context.Context, cluster client.Reader, namespace string) ([]*tree, error) {
	var accounts v1alpha1.AccountList
	var imports v1alpha1.ImportList
	var runs v1alpha1.ImportRunList
	for _, list := range []client.ObjectList{&accounts, &imports, &runs} {
		if err := cluster.List(ctx, list, client.InNamespace(namespace)); err != nil {
			return nil, err
		}
	}
	byName := map[client.ObjectKey]*tree{}
	at := func(namespace, name string) *tree {
		key := client.ObjectKey{Namespace: namespace, Name: name}
		if byName[key] == nil {
			byName[key] = &tree{namespace: namespace, name: name}
		}
		return byName[key]
	}
	for i := range accounts.Items {
		at(accounts.Items[i].Namespace, accounts.Items[i].Name).account = &accounts.Items[i]
	}
	accountOf := map[client.ObjectKey]string{}
	for i := range imports.Items {
		object := &imports.Items[i]
		accountOf[client.ObjectKeyFromObject(object)] = object.Spec.AccountRef.Name
		t := at(object.Namespace, object.Spec.AccountRef.Name)
		t.imports = append(t.imports, object)
	}
	for i := range runs.Items {
		run := &runs.Items[i]
		name := "default"
		if run.Spec.AccountRef != nil {
			name = run.Spec.AccountRef.Name
		}
		if run.Spec.ImportRef != nil {
			name = cmp.Or(accountOf[client.ObjectKey{Namespace: run.Namespace, Name: run.Spec.ImportRef.Name}], name)
		}
		t := at(run.Namespace, name)
		t.runs = append(t.runs, run)
	}
	var trees []*tree
	for _, t := range byName {
		trees = append(trees, t)
	}
	slices.SortFunc(trees, func(a, b *tree) int {
		return cmp.Or(cmp.Compare(a.namespace, b.namespace), cmp.Compare(a.name, b.name))
	})
	return trees, nil
}

// managedText says how many imports the last scan found.
func managedText(status *v1alpha1.AccountStatus) string {
	if status.Imports == nil || status.Managed == nil {
		return "not scanned yet"
	}
	return fmt.Sprintf("%d of %d imports managed", *status.Managed, *status.Imports)
}

// write writes the tree, and reports whether all in it is well.
func (t *tree) write(w *textWriter, colors palette, all bool) (healthy bool) {
	healthy = true
	switch {
	case t.account == nil:
		healthy = false
		w.line("%sAccount %s/%s: does not exist%s", colors.red, t.namespace, t.name, colors.reset)
	case !isReady(t.account.Status.Conditions):
		healthy = false
		w.line("%sAccount %s/%s: %s%s", colors.red, t.namespace, t.name, readyText(t.account.Status.Conditions), colors.reset)
	default:
		w.line("%sAccount %s/%s%s: %s, %s", colors.bold, t.namespace, t.name, colors.reset, t.account.Spec.BaseURL, managedText(&t.account.Status))
	}
	wellImports := 0
	for _, object := range t.imports {
		color, well, text := importState(object, colors)
		if well {
			wellImports++
		}
		healthy = healthy && well
		if !well || all {
			w.line("  %sImport %s: %s%s", color, object.Name, text, colors.reset)
		}
	}
	if wellImports > 0 && !all {
		w.line("  %s", count(wellImports, "Import as declared", "Imports as declared"))
	}
	return t.writeRuns(w, colors, all) && healthy
}

func (t *tree) writeRuns(w *textWriter, colors palette, all bool) (healthy bool) {
	healthy = true
	succeeded := 0
	for _, run := range t.runs {
		color := colors.yellow
		switch run.Status.Phase {
		case v1alpha1.RunSucceeded:
			succeeded++
			if !all {
				continue
			}
			color = ""
		case v1alpha1.RunFailed, v1alpha1.RunUnknown:
			healthy = false
			color = colors.red
		case v1alpha1.RunPending, v1alpha1.RunWaiting, v1alpha1.RunRunning, v1alpha1.RunCanceled:
		}
		message := ""
		if condition := apimeta.FindStatusCondition(run.Status.Conditions, v1alpha1.ConditionSucceeded); condition != nil && run.Status.Phase != v1alpha1.RunSucceeded {
			message = ": " + drift.Cut(condition.Message, widest)
		}
		w.line("  %sImportRun %s: %s%s%s%s", color, run.Name, cmp.Or(run.Status.Phase, v1alpha1.RunPending), inParentheses(run.Status.Progress), message, colors.reset)
	}
	if succeeded > 0 && !all {
		w.line("  %s", count(succeeded, "run succeeded", "runs succeeded"))
	}
	return healthy
}

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// importState is the state of an Import in a line, whether it is as declared, and its color.
func importState(object *v1alpha1.Import, colors palette) (color string, well bool, text string) {
	conditions := object.Status.Conditions
	switch {
	case !object.DeletionTimestamp.IsZero():
		return colors.yellow, false, "is being deleted: " + readyText(conditions)
	case apimeta.IsStatusConditionTrue(conditions, v1alpha1.ConditionSuspended):
		return colors.yellow, false, readyText(conditions)
	case apimeta.IsStatusConditionTrue(conditions, v1alpha1.ConditionStalled):
		return colors.red, false, readyText(conditions)
	case len(object.Status.Drift) > 0:
		var paths []string
		for _, difference := range object.Status.Drift {
			paths = append(paths, difference.Path)
		}
		return colors.yellow, false, "differs: " + drift.Cut(strings.Join(paths, ", "), widest)
	case !isReady(conditions):
		return colors.yellow, false, readyText(conditions)
	default:
		return "", true, cmp.Or(object.Status.ID, "as declared")
	}
}

func isReady(conditions []metav1.Condition) bool {
	return apimeta.IsStatusConditionTrue(conditions, v1alpha1.ConditionReady)
}

// readyText is the condition Ready in a line.
func readyText(conditions []metav1.Condition) string {
	ready := apimeta.FindStatusCondition(conditions, v1alpha1.ConditionReady)
	if ready == nil {
		return "the operator has not looked at it yet"
	}
	return ready.Reason + ": " + drift.Cut(ready.Message, widest)
}
