// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/export"
	"github.com/integrator-operator/integrator-operator/internal/integrator"
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
