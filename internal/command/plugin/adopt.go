// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/command"
	"github.com/integrator-operator/integrator-operator/internal/drift"
	"github.com/integrator-operator/integrator-operator/internal/export"
	"github.com/integrator-operator/integrator-operator/internal/integrator"
	"github.com/integrator-operator/integrator-operator/internal/takeover"
)

const adoptLong = `Prints the manifest of an Import that takes over an import of the platform, as it is now. Put it into Git,
or apply it:

  kubectl integrator adopt 64b0000000000000000000c1 | kubectl apply -f -

Nothing is written. The import is taken over with mode Match: if it differs by then, the Import says
so, and changes nothing. For all imports of an account, see kubectl integrator export --adopt.`

type adoptFlags struct {
	networkFlags
	account, name string
}

func newAdopt(c *cmd) *cobra.Command {
	var f adoptFlags
	made := &cobra.Command{
		Use: "adopt ID", Short: "Print the manifest that takes over an import", Long: adoptLong, Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return c.adopt(cmd.Context(), &f, args[0]) },
	}
	set := made.Flags()
	set.StringVar(&f.account, "account", "default", "Name of the Account.")
	set.StringVar(&f.name, "name", "", "Name of the Import; by default one made of the name of the import.")
	f.register(set)
	return made
}

func (c *cmd) adopt(ctx context.Context, f *adoptFlags, id string) error {
	cluster, namespace, err := c.cluster()
	if err != nil {
		return err
	}
	remote, account, err := f.connect(ctx, cluster, client.ObjectKey{Namespace: namespace, Name: f.account})
	if err != nil {
		return err
	}
	defer remote.Close()
	document, err := remote.GetImport(ctx, id)
	if integrator.IsNotFound(err) {
		return fmt.Errorf("the account of Account %q has no import %s", f.account, id)
	}
	if err != nil {
		return fmt.Errorf("read the import %s: %w", id, err)
	}
	name := f.name
	if name == "" {
		name = export.NewNames().Of(document.ID, document.Name)
	}
	manifest, err := export.Make(document.Raw, name, export.Options{Account: f.account, Aliases: account.Spec.Aliases, Adopt: v1alpha1.AdoptionModeMatch})
	if err != nil {
		return err
	}
	_, err = c.Out.Write(manifest.YAML)
	return err
}

const takeoverLong = `Takes over the imports of a cluster that is lost. It lists the Imports that report OwnershipConflict because
their remote imports have the ownership marker of another cluster, or the externalId of the definition and no
owner here, and shows what the operator would do. With --yes, or your answer at a terminal, it then sets
spec.adopt with mode Override in each, empties a status that was restored, and waits until the operator has
the import.

What another owner may still manage is passed over, with the reason: an Import of this cluster, an operator
with an owner id of its own, an import that somebody wrote to through the API a short time ago. An operator
that only reads leaves no trace, so look first whether another cluster manages these imports.

Without --yes and without a terminal, it only shows. Any other answer than y or yes changes nothing.

Exit codes: 0 nothing was to be taken over, or everything was, 2 something would be or was passed over,
1 an error, or you have interrupted it.`

const takeoverExample = `  # What would be taken over in the namespace of the context?
  kubectl integrator takeover

  # In all namespaces, from a lost cluster whose operator had the owner id prod-1
  kubectl integrator takeover -A --from-owner-id prod-1 --yes`

type takeoverFlags struct {
	engineFlags
	everywhere, yes, waits bool
	selector, lost         string
	idle                   time.Duration
}

func newTakeover(c *cmd) *cobra.Command {
	var f takeoverFlags
	made := &cobra.Command{
		Use: "takeover [NAME…]", Short: "Take over the imports of a lost cluster", Long: takeoverLong, Example: takeoverExample,
		RunE: func(cmd *cobra.Command, args []string) error { return c.takeover(cmd.Context(), &f, args) },
	}
	set := made.Flags()
	set.BoolVarP(&f.everywhere, "all-namespaces", "A", false, "Look at all namespaces.")
	set.StringVarP(&f.selector, "selector", "l", "", "Only Imports with these labels, such as app=shop.")
	set.BoolVar(&f.yes, "yes", false, "Take them over without asking.")
	set.BoolVar(&f.waits, "wait", true, "Wait until the operator has each import.")
	set.StringVar(&f.lost, "from-owner-id", "", "Owner ids of operators that are gone, separated by commas. What has their ownership markers is taken over too.")
	set.DurationVar(&f.idle, "idle", time.Hour, "For how long nobody must have written to an import through the API; 0 does not ask.")
	f.register(set)
	return made
}

func (c *cmd) takeover(ctx context.Context, f *takeoverFlags, names []string) error {
	colors, err := c.palette()
	if err != nil {
		return err
	}
	options := takeover.Options{Names: names, Lost: command.List(f.lost), Idle: f.idle, Now: clock.RealClock{}.Now()}
	if options.Selector, err = labels.Parse(f.selector); err != nil {
		return fmt.Errorf("--selector %s: %w", f.selector, err)
	}
	if options.Plan, err = f.options(c.In); err != nil {
		return err
	}
	if options.Cluster, options.Namespace, err = c.clusterOf(f.everywhere); err != nil {
		return err
	}
	options.Connect = f.connector(options.Cluster)
	found, err := takeover.Find(ctx, options)
	if err != nil {
		return err
	}
	if err := c.writeTakeover(found, colors); err != nil {
		return err
	}
	taking := found.ToTake()
	passed := len(taking) < len(found.Candidates)
	if len(taking) == 0 {
		return exitOf(false, passed)
	}
	if agreed, err := c.agreed(ctx, f.yes, len(taking)); err != nil || !agreed {
		return cmp.Or(err, exitOf(false, true))
	}
	return exitOf(!c.takeAll(ctx, options.Cluster, f, taking), passed)
}

// writeTakeover writes what would be taken over, and what is passed over.
func (c *cmd) writeTakeover(found *takeover.Takeover, colors palette) error {
	for _, note := range found.Notes {
		fmt.Fprintln(c.ErrOut, "note: "+note)
	}
	w := &textWriter{out: c.Out, indent: "    "}
	taking := 0
	for _, candidate := range found.Candidates {
		if candidate.Passed != "" {
			w.line("%sx Import %s%s: passed over%s", colors.yellow, candidate.Name(), inParentheses(candidate.ID), colors.reset)
			w.detail("%s", candidate.Passed)
			continue
		}
		taking++
		w.line("%s> Import %s%s: take over%s", colors.green, candidate.Name(), inParentheses(candidate.ID), colors.reset)
		w.detail("it has the externalId %s", drift.Cut(candidate.ExternalID, 100))
		if candidate.EmptiesStatus() {
			w.detail("the status, which was restored, is emptied")
		}
		if candidate.Item != nil {
			writeDetails(w, candidate.Item, colors)
		}
	}
	w.line("%sTakeover: %d to take over, %d passed over.%s", colors.bold, taking, len(found.Candidates)-taking, colors.reset)
	return w.err
}

// agreed asks at a terminal. Elsewhere only --yes counts. It says so if nothing is done.
func (c *cmd) agreed(ctx context.Context, yes bool, imports int) (bool, error) {
	switch {
	case yes:
		return true, nil
	case !isTerminal(c.In):
		fmt.Fprintln(c.ErrOut, "note: nothing was taken over: standard input is no terminal, so nobody can be asked; repeat the command with --yes to take over what is listed")
		return false, nil
	}
	fmt.Fprintf(c.ErrOut, "Take over %s? No other cluster may manage what is taken over. [y/N] ", count(imports, "import", "imports"))
	answer := make(chan bool, 1)
	go func() { answer <- saysYes(c.In) }() // it ends with the program
	select {
	case <-ctx.Done():
		fmt.Fprintln(c.ErrOut)
		return false, errors.New("interrupted: nothing was taken over")
	case yes = <-answer:
	}
	if !yes {
		fmt.Fprintln(c.ErrOut, "Nothing was taken over.")
	}
	return yes, nil
}

// saysYes reads one line. Anything but yes is no.
func saysYes(in io.Reader) bool {
	answer, _ := bufio.NewReader(in).ReadString('\n')
	answer = strings.ToLower(strings.TrimSpace(answer))
	return answer == "y" || answer == "yes"
}

// takeAll takes one after the other over, and goes on after a failure. It reports whether all went well.
func (c *cmd) takeAll(ctx context.Context, cluster client.Client, f *takeoverFlags, taking []*takeover.Candidate) (well bool) {
	well = true
	for _, candidate := range taking {
		if err := takeover.Take(ctx, cluster, candidate); err != nil {
			well, err = false, interrupted(ctx, err, "it was not taken over")
			fmt.Fprintf(c.ErrOut, "error: Import %s: %v\n", candidate.Name(), err)
			candidate.Passed = "failed"
		}
	}
	for _, candidate := range taking {
		if candidate.Passed != "" {
			continue
		}
		text, err := "requested", error(nil)
		if f.waits {
			text, err = awaitTakeover(ctx, cluster, candidate, f.timeout)
		}
		if err != nil {
			well = false
			fmt.Fprintf(c.ErrOut, "error: Import %s: %v\n", candidate.Name(), err)
			continue
		}
		fmt.Fprintf(c.Out, "Import %s: %s\n", candidate.Name(), text)
	}
	return well
}

// awaitTakeover waits until the operator has the import, or needs a person.
func awaitTakeover(ctx context.Context, cluster client.Client, candidate *takeover.Candidate, timeout time.Duration) (string, error) {
	object, stalled := candidate.Object, false
	err := wait.PollUntilContextTimeout(ctx, 200*time.Millisecond, timeout, true, func(ctx context.Context) (bool, error) {
		if err := cluster.Get(ctx, client.ObjectKeyFromObject(object), object); err != nil {
			return false, err
		}
		current := object.Status.ObservedGeneration == object.Generation
		stalled = apimeta.IsStatusConditionTrue(object.Status.Conditions, v1alpha1.ConditionStalled)
		return current && (stalled || isReady(object.Status.Conditions) && object.Status.ID == candidate.ID), nil
	})
	switch {
	case wait.Interrupted(err) && ctx.Err() == nil:
		return "", fmt.Errorf("the operator has not taken over %s within %s: %s", candidate.ID, timeout, readyText(object.Status.Conditions))
	case err != nil:
		return "", interrupted(ctx, err, "spec.adopt is set, and the operator takes it over")
	case stalled:
		return "", fmt.Errorf("the import was not taken over: %s", readyText(object.Status.Conditions))
	default:
		return "took over " + candidate.ID, nil
	}
}
