// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/plan"
)

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
