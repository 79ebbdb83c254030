// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package command has the commands of the manager besides running the operator.
package command

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/go-logr/logr"
	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/internal/scheme"
)

const exportUsage = `Usage: %[1]s export [flags] > imports.yaml
       %[1]s export [flags] --output-dir=DIR

Prints the imports that exist in an Account's account as Import manifests: YAML documents on
standard output, or files of a folder with the Account and a kustomization; notes on standard error. Applied as they are, they make copies, for example in
another account; with --adopt they take over the imports that they were made of. The Account and
its Secret are read with your own kubeconfig. Nothing is written anywhere.

Ids become @aliases where the Account's spec.aliases has them. The API does not show secrets; a
comment above each manifest says which are missing.

Flags:
`

type exportFlags struct {
	account, namespace      string
	adopt, byExternalID     bool
	outputDir               string
	kubeconfig, kubeContext string
	network                 Network
}

func (f *exportFlags) register(set *flag.FlagSet) {
	set.StringVar(&f.account, "account", "default", "Name of the Account.")
	set.StringVar(&f.namespace, "namespace", "", "Namespace of the Account; by default that of the kubeconfig's context.")
	set.StringVar(&f.namespace, "n", "", "Short for --namespace.")
	set.BoolVar(&f.adopt, "adopt", false, "Print manifests that take over the imports (spec.adopt, mode Match, deletionPolicy Orphan) instead of copies.")
	set.BoolVar(&f.byExternalID, "adopt-by-external-id", false, "As --adopt, but name the imports by their externalId where it is unique, for accounts that have imports with the same externalIds.")
	set.StringVar(&f.outputDir, "output-dir", "", "A folder, empty or not there yet, for a file of each Import, the Account with its aliases, and a kustomization of them; by default all Imports are printed.")
	set.StringVar(&f.kubeconfig, "kubeconfig", "", "The kubeconfig file; by default the one that kubectl uses.")
	set.StringVar(&f.kubeContext, "context", "", "The kubeconfig's context; by default the current one.")
	f.network.Register(set)
}

// runExportCommand is the command "manager export".
func runExportCommand(ctx context.Context, c call) int {
	// Nothing but notes and errors belongs on standard error.
	ctrl.SetLogger(logr.Discard())
	var f exportFlags
	set := flag.NewFlagSet("export", flag.ContinueOnError)
	set.SetOutput(io.Discard)
	f.register(set)
	err := set.Parse(c.args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprintf(c.stdout, exportUsage, c.program)
		set.SetOutput(c.stdout)
		set.PrintDefaults()
		return 0
	case err == nil && set.NArg() > 0:
		err = fmt.Errorf("unexpected argument %q", set.Arg(0))
	}
	if err != nil {
		fmt.Fprintf(c.stderr, "error: %v; see %s export --help\n", err, c.program)
		return 1
	}
	if err := runExport(ctx, f, c.stdout, c.stderr); err != nil {
		fmt.Fprintf(c.stderr, "error: %v\n", err)
		return 1
	}
	return 0
}

func runExport(ctx context.Context, f exportFlags, stdout, stderr io.Writer) error {
	network, err := f.network.Config()
	if err != nil {
		return err
	}
	reader, namespace, err := f.connect()
	if err != nil {
		return err
	}
	out := output(stream{stdout})
	if f.outputDir != "" {
		if out, err = newFolder(f.outputDir); err != nil {
			return err
		}
	}
	terminal := newTerminal(stdout, stderr, f.outputDir != "")
	defer terminal.clear()
	e := exporter{
		reader:       reader,
		account:      types.NamespacedName{Namespace: namespace, Name: f.account},
		adopt:        f.adopt || f.byExternalID,
		byExternalID: f.byExternalID,
		allowedHosts: List(f.network.AllowedHosts),
		network:      network,
		out:          out,
		note:         terminal.note,
		progress:     terminal.progress,
	}
	if err := e.run(ctx); err != nil {
		return out.broken(err)
	}
	return nil
}

// connect finds the cluster as kubectl does.
func (f *exportFlags) connect() (cluster client.Client, namespace string, err error) {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = f.kubeconfig
	overrides := &clientcmd.ConfigOverrides{CurrentContext: f.kubeContext}
	overrides.Context.Namespace = f.namespace
	return Cluster(clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, overrides))
}

// Cluster connects to the cluster of a kubeconfig. namespace is that of its context.
func Cluster(kubeconfig clientcmd.ClientConfig) (cluster client.Client, namespace string, err error) {
	config, err := kubeconfig.ClientConfig()
	if err != nil {
		return nil, "", fmt.Errorf("read the kubeconfig: %w", err)
	}
	config.WarningHandler = rest.NoWarnings{}
	config.QPS = -1 // the API server limits its clients itself
	if namespace, _, err = kubeconfig.Namespace(); err != nil {
		return nil, "", fmt.Errorf("read the kubeconfig: %w", err)
	}
	cluster, err = client.New(config, client.Options{Scheme: scheme.All()})
	return cluster, namespace, err
}

// terminal shows notes, and a progress bar where a person sees it and manifests are not printed to
// the same terminal.
type terminal struct {
	stderr io.Writer
	shows  bool
	bar    *progressbar.ProgressBar
}

// silent: nothing is printed to stdout.
func newTerminal(stdout, stderr io.Writer, silent bool) *terminal {
	return &terminal{stderr: stderr, shows: isTerminal(stderr) && (silent || !isTerminal(stdout))}
}

func isTerminal(stream io.Writer) bool {
	file, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

func (t *terminal) note(text string) {
	t.clear()
	fmt.Fprintln(t.stderr, "note: "+strings.ReplaceAll(text, "\n", " "))
}

func (t *terminal) progress(done, total int) {
	if !t.shows {
		return
	}
	if t.bar == nil {
		t.bar = progressbar.NewOptions(total, progressbar.OptionSetWriter(t.stderr), progressbar.OptionSetDescription("exporting"),
			progressbar.OptionShowCount(), progressbar.OptionClearOnFinish())
	}
	t.bar.ChangeMax(total)
	_ = t.bar.Set(done)
}

// clear removes the bar from the line; the next progress draws it again.
func (t *terminal) clear() {
	if t.bar != nil {
		_ = t.bar.Clear()
	}
}
