// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package scenario

import (
	"context"
	"fmt"
	"slices"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/hack/demo/runner"
	"github.com/integrator-operator/integrator-operator/hack/internal/local"
)

const stockFlow = "Nightly stock upload"

// deleteUsedImport deletes an Import whose remote import a flow uses: it is deleted only after the
// flow no longer uses it.
func deleteUsedImport(ctx context.Context, r *runner.Runner) error {
	production := r.Platform.Production
	id, err := r.ImportID(ctx, runner.Key(ftpImport))
	if err != nil {
		return err
	}
	flow, err := production.Flow(ctx, stockFlow)
	if err != nil {
		return err
	}
	users := flow.Imports
	r.Terminal.Explain("in the UI, the import is added to the flow %q; then its Import is deleted", stockFlow)
	flow.Imports = append(slices.Clone(users), id)
	if err := production.SetFlow(ctx, flow); err != nil {
		return err
	}
	if err := r.Kubectl.Show(ctx, "delete", "import", ftpImport, "--wait=false"); err != nil {
		return err
	}
	if err := awaitBlocked(ctx, r, id); err != nil {
		return err
	}
	r.Terminal.Explain("it is removed from the flow; the operator checks again within 30 s, or when asked to")
	flow.Imports = users
	if err := production.SetFlow(ctx, flow); err != nil {
		return err
	}
	if err := r.Kubectl.Show(ctx, "annotate", "import", ftpImport, v1alpha1.AnnotationReconcileRequestedAt+"=now"); err != nil {
		return err
	}
	return awaitDeleted(ctx, r, id)
}

// awaitBlocked waits until the Import reports what uses it, and checks that its remote import
// still exists.
func awaitBlocked(ctx context.Context, r *runner.Runner, id string) error {
	if err := local.Await(ctx, local.Patience, "Import "+ftpImport+" to report what uses it", func(ctx context.Context) error {
		return r.CheckImport(ctx, runner.Key(ftpImport), "False", v1alpha1.ReasonDeletionBlocked, `flow "`+stockFlow+`"`)
	}); err != nil {
		return err
	}
	if err := r.Kubectl.Show(ctx, "get", "import", ftpImport); err != nil {
		return err
	}
	if err := r.Kubectl.Show(ctx, "get", "import", ftpImport, "-o", `jsonpath={.status.conditions[?(@.type=="Ready")].message}`); err != nil {
		return err
	}
	stored, err := r.Platform.Production.Stored(ctx)
	if err != nil {
		return err
	}
	if stored[id] == nil {
		return fmt.Errorf("expected the import %s, which a flow uses, to exist on the platform; it was deleted", id)
	}
	return nil
}

// awaitDeleted waits until the Import is deleted, and checks that its remote import is too.
func awaitDeleted(ctx context.Context, r *runner.Runner, id string) error {
	if err := local.Await(ctx, local.Patience, "Import "+ftpImport+" to be deleted", func(ctx context.Context) error {
		_, err := r.Import(ctx, runner.Key(ftpImport))
		if err == nil {
			return fmt.Errorf("it still exists")
		}
		return client.IgnoreNotFound(err)
	}); err != nil {
		return err
	}
	deleted, err := r.Platform.Production.Deleted(ctx)
	if err != nil {
		return err
	}
	if deleted[id] == nil {
		return fmt.Errorf("expected the import %s in the platform's recycle bin; not found", id)
	}
	r.Terminal.Explain("it is deleted on the platform, which keeps it in its recycle bin for 30 days")
	return r.Kubectl.Show(ctx, "get", "imports", "--field-selector=metadata.name="+ftpImport)
}
