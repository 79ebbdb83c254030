// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/command"
	"github.com/integrator-operator/integrator-operator/internal/ownership"
	"github.com/integrator-operator/integrator-operator/internal/plan"
)

const planLong = `Shows what applying manifests would do to the platform, without writing anything, neither there nor
in the cluster. It needs the rights get and list.

With a cluster, the Accounts, their tokens and the Imports that exist are read with your kubeconfig.
With --no-cluster, every Import is taken for a new one; name the account with --base-url,
--token-file and --aliases.

Exit codes: 0 nothing would change, 2 something would, 1 something fails or cannot be planned.`

const planExample = `  # What would the manifests of this branch do?
  kubectl integrator plan -f production/

  # As a comment in a pull request, without a cluster
  kubectl integrator plan -k overlays/eu --no-cluster --token-file token --aliases aliases.yaml -o markdown`

// engineFlags are the flags of the commands that compare with the platform.
type engineFlags struct {
	tokenFile               string
	ownerID, formerOwnerIDs string
	timeout                 time.Duration
	networkFlags
}

func (f *engineFlags) register(set *pflag.FlagSet) {
	set.StringVar(&f.tokenFile, "token-file", "", "A file with the API token, for Accounts whose Secret cannot be read; - is standard input.")
	set.StringVar(&f.ownerID, "owner-id", "", "The --owner-id of the operator in the cluster, if it has one.")
	set.StringVar(&f.formerOwnerIDs, "former-owner-ids", "", "The --former-owner-ids of the operator.")
	set.DurationVar(&f.timeout, "timeout", 5*time.Minute, "How long it may take.")
	f.networkFlags.register(set)
}

// options are those of a plan, without a cluster.
func (f *engineFlags) options(in io.Reader) (options plan.Options, err error) {
	options = plan.Options{
		AllowedHosts: f.hosts(), Timeout: f.timeout,
		Owner: ownership.Owner{ID: f.ownerID, Former: command.List(f.formerOwnerIDs)},
	}
	if err := options.Owner.Validate(); err != nil {
		return options, err
	}
	if options.Network, err = f.network.Config(); err != nil || f.tokenFile == "" {
		return options, err
	}
	content, err := readFile(f.tokenFile, in)
	if err != nil {
		return options, fmt.Errorf("--token-file: %w", err)
	}
	if options.Account.Token = strings.TrimSpace(string(content)); options.Account.Token == "" {
		return options, fmt.Errorf("--token-file %s: it is empty", f.tokenFile)
	}
	return options, nil
}

type planFlags struct {
	files
	engineFlags
	noCluster        bool
	baseURL, aliases string
	prune            bool
	selector, output string
}

func newPlan(c *cmd) *cobra.Command {
	var f planFlags
	made := &cobra.Command{
		Use: "plan (-f FILE | -k FOLDER)", Short: "Show what applying manifests would do to the platform",
		Long: planLong, Example: planExample, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd.Context(), c) },
	}
	set := made.Flags()
	f.files.register(set)
	f.engineFlags.register(set)
	set.BoolVar(&f.noCluster, "no-cluster", false, "Read no cluster.")
	set.StringVar(&f.baseURL, "base-url", "https://api.integrator.io", "Base URL of Accounts that are neither among the manifests nor in the cluster.")
	set.StringVar(&f.aliases, "aliases", "", "A YAML file with the aliases of Accounts that are nowhere: a mapping from names to ids.")
	set.BoolVar(&f.prune, "prune", false, "Include the Imports of the cluster that the manifests no longer declare, in their namespaces.")
	set.StringVarP(&f.selector, "selector", "l", "", "With --prune, only Imports with these labels, such as app=shop.")
	set.StringVarP(&f.output, "output", "o", "text", "Format: text, markdown, json or yaml.")
	return made
}

func (f *planFlags) run(ctx context.Context, c *cmd) error {
	write, ok := formats[f.output]
	if !ok {
		return fmt.Errorf("--output %s: it is text, markdown, json or yaml", f.output)
	}
	colors, err := c.palette()
	if err != nil {
		return err
	}
	manifests, err := f.read(c.In)
	if err != nil {
		return err
	}
	options, err := f.options(c)
	if err != nil {
		return err
	}
	made, err := plan.Make(ctx, manifests, options)
	if err != nil {
		return err
	}
	for _, note := range made.Notes {
		fmt.Fprintln(c.ErrOut, "note: "+note)
	}
	if err := write(c.Out, made, colors); err != nil {
		return err
	}
	return exitOf(made.Failed(), made.Changes())
}

func (f *planFlags) options(c *cmd) (options plan.Options, err error) {
	if options, err = f.engineFlags.options(c.In); err != nil {
		return options, err
	}
	options.Prune, options.Account.BaseURL = f.prune, f.baseURL
	if options.Account.Aliases, err = readAliases(f.aliases); err != nil {
		return options, err
	}
	if options.PruneLabels, err = labels.ConvertSelectorToLabelsMap(f.selector); err != nil {
		return options, fmt.Errorf("--selector %s: it has to be of the form name=value,…: %w", f.selector, err)
	}
	if f.noCluster {
		options.Namespace = c.namespaceWithoutCluster()
		if f.prune {
			return options, errors.New("--prune needs a cluster: leave out --no-cluster")
		}
		return options, nil
	}
	cluster, namespace, err := c.cluster()
	options.Cluster, options.Namespace = cluster, namespace
	return options, err
}

// readAliases reads a file with the aliases of Accounts that are not there.
func readAliases(file string) (aliases map[string]v1alpha1.ID, err error) {
	if file == "" {
		return nil, nil //nolint:nilnil // no aliases
	}
	content, err := os.ReadFile(file) //nolint:gosec // the user names it
	if err != nil {
		return nil, fmt.Errorf("--aliases: %w", err)
	}
	if err := yaml.UnmarshalStrict(content, &aliases); err != nil {
		return nil, fmt.Errorf("--aliases %s: it has to be a mapping from names to ids", file)
	}
	return aliases, nil
}

func readFile(name string, in io.Reader) ([]byte, error) {
	if name == "-" {
		return io.ReadAll(in)
	}
	return os.ReadFile(name) //nolint:gosec // the user names it
}

// formats write a plan.
var formats = map[string]func(io.Writer, *plan.Plan, palette) error{
	"text":     writeText,
	"markdown": writeMarkdown,
	"json": func(out io.Writer, made *plan.Plan, _ palette) error {
		encoder := json.NewEncoder(out)
		encoder.SetEscapeHTML(false)
		encoder.SetIndent("", "  ")
		return encoder.Encode(made)
	},
	"yaml": func(out io.Writer, made *plan.Plan, _ palette) error {
		text, err := yaml.Marshal(made)
		if err != nil {
			return err
		}
		_, err = out.Write(text)
		return err
	},
}

func newDiff(c *cmd) *cobra.Command {
	var f engineFlags
	made := &cobra.Command{
		Use: "diff NAME…", Short: "Compare Imports with the platform now, and write nothing", Args: cobra.MinimumNArgs(1),
		Long: "Compares Imports of the cluster with their remote imports, as they are now.\n\n" +
			"Exit codes: 0 nothing differs, 2 something does, 1 an error.",
		RunE: func(cmd *cobra.Command, args []string) error { return c.diff(cmd.Context(), &f, args) },
	}
	f.register(made.Flags())
	return made
}

func (c *cmd) diff(ctx context.Context, f *engineFlags, names []string) error {
	colors, err := c.palette()
	if err != nil {
		return err
	}
	options, err := f.options(c.In)
	if err != nil {
		return err
	}
	cluster, namespace, err := c.cluster()
	if err != nil {
		return err
	}
	options.Cluster, options.Namespace = cluster, namespace
	var manifests []plan.Manifest
	for _, name := range names {
		object := &unstructured.Unstructured{}
		object.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("Import"))
		if err := cluster.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, object); err != nil {
			return fmt.Errorf("read Import %s: %w", name, err)
		}
		manifests = append(manifests, plan.Manifest{Object: object, Source: "the cluster"})
	}
	made, err := plan.Make(ctx, manifests, options)
	if err != nil {
		return err
	}
	if err := writeText(c.Out, made, colors); err != nil {
		return err
	}
	differs := made.Changes()
	for i := range made.Items {
		differs = differs || len(made.Items[i].Drift) > 0
	}
	return exitOf(made.Failed(), differs)
}
