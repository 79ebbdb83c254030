// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package plugin is the command line for people: kubectl integrator.
package plugin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/go-logr/logr"
	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/internal/command"
)

// Exit codes. A plan exits as "terraform plan -detailed-exitcode" does.
const (
	ExitOK      = 0
	ExitError   = 1
	ExitChanges = 2
)

// exit is an error that only decides the exit code: what is to be said was said.
type exit int

func (e exit) Error() string { return fmt.Sprintf("exit code %d", int(e)) }

// exitOf is the end of a command that has said what there is to say.
func exitOf(failed, changes bool) error {
	switch {
	case failed:
		return exit(ExitError)
	case changes:
		return exit(ExitChanges)
	default:
		return nil
	}
}

// Run runs kubectl integrator with its arguments, and returns the exit code.
func Run(ctx context.Context, args []string, in io.Reader, out, errOut io.Writer) int {
	// Nothing but notes and errors belongs on standard error.
	ctrl.SetLogger(logr.Discard())
	root := newRoot(genericiooptions.IOStreams{In: in, Out: out, ErrOut: errOut})
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	var code exit
	switch {
	case err == nil:
		return ExitOK
	case errors.As(err, &code):
		return int(code)
	default:
		fmt.Fprintf(errOut, "error: %v\n", err)
		return ExitError
	}
}

// interrupted is the error of a command that its user has ended with Ctrl-C: it says what becomes of what it
// began. Another error stays as it is.
func interrupted(ctx context.Context, err error, left string) error {
	if err == nil || ctx.Err() == nil {
		return err
	}
	return errors.New("interrupted: " + left)
}

// cmd has what every command needs.
type cmd struct {
	genericiooptions.IOStreams
	config *genericclioptions.ConfigFlags
	color  string
}

func newRoot(streams genericiooptions.IOStreams) *cobra.Command {
	c := &cmd{IOStreams: streams, config: genericclioptions.NewConfigFlags(true)}
	root := &cobra.Command{
		Use:           "kubectl integrator",
		Short:         "Plan, check and look after imports of integrator.io",
		Annotations:   map[string]string{cobra.CommandDisplayNameAnnotation: "kubectl integrator"},
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.SetIn(streams.In)
	root.SetOut(streams.Out)
	root.SetErr(streams.ErrOut)
	c.config.AddFlags(root.PersistentFlags())
	root.PersistentFlags().StringVar(&c.color, "color", "auto", "Use colors: auto, always or never. auto uses them on a terminal, unless NO_COLOR is set.")
	root.AddCommand(newPlan(c), newDiff(c), newHistory(c), newReport(c), newDoctor(c), newAdopt(c), newTakeover(c), newRun(c), newLint(c), newStatus(c), newReconcile(c), newSuspend(c, true), newSuspend(c, false),
		newOfManager(c, "export", "Print the imports of an account as Import manifests"), newOfManager(c, "version", "Print the version of this program"))
	return root
}

// newOfManager makes a command that the manager has too, with flags of its own.
func newOfManager(c *cmd, name, short string) *cobra.Command {
	return &cobra.Command{
		Use: name, Short: short, DisableFlagParsing: true,
		RunE: func(cobraCommand *cobra.Command, args []string) error {
			if code := command.RunAs(cobraCommand.Context(), "kubectl integrator", name, args, c.Out, c.ErrOut); code != ExitOK {
				return exit(code)
			}
			return nil
		},
	}
}

// cluster connects to the cluster as kubectl does. namespace is that of the flag or of the context.
func (c *cmd) cluster() (cluster client.Client, namespace string, err error) {
	return command.Cluster(c.config.ToRawKubeConfigLoader())
}

// clusterOf is cluster for the flag --all-namespaces: with it, namespace is "".
func (c *cmd) clusterOf(everywhere bool) (cluster client.Client, namespace string, err error) {
	cluster, namespace, err = c.cluster()
	if everywhere {
		namespace = ""
	}
	return cluster, namespace, err
}

// namespaceWithoutCluster is that of the flag, else of the kubeconfig if there is one.
func (c *cmd) namespaceWithoutCluster() string {
	if namespace, _, err := c.config.ToRawKubeConfigLoader().Namespace(); err == nil {
		return namespace
	}
	return "default"
}

// palette has the codes that switch colors, empty where none are used.
type palette struct{ red, green, yellow, bold, reset string }

func (c *cmd) palette() (palette, error) {
	colors := palette{red: "\x1b[31m", green: "\x1b[32m", yellow: "\x1b[33m", bold: "\x1b[1m", reset: "\x1b[0m"}
	switch c.color {
	case "always":
		return colors, nil
	case "never":
		return palette{}, nil
	case "auto":
		if os.Getenv("NO_COLOR") == "" && isTerminal(c.Out) {
			return colors, nil
		}
		return palette{}, nil
	default:
		return palette{}, fmt.Errorf("--color %s: it is auto, always or never", c.color)
	}
}
