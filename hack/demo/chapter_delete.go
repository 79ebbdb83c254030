// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"slices"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/hack/internal/local"
)

const stockFlow = "Nightly stock upload"

// delete deletes an Import whose remote import a flow uses.
func (d *demo) delete(ctx context.Context) error {
	production := d.platform.production
	id, err := d.importID(ctx, named(ftpImport))
	if err != nil {
		return err
	}
	flow, err := production.flow(ctx, stockFlow)
	if err != nil {
		return err
	}
	users := flow.Imports
	d.screen.say("in the UI, somebody lets the flow %q use the import; then its Import is deleted", stockFlow)
	flow.Imports = append(slices.Clone(users), id)
	if err := production.setFlow(ctx, flow); err != nil {
		return err
	}
	if err := d.kubectl.show(ctx, "delete", "import", ftpImport, "--wait=false"); err != nil {
		return err
	}
	if err := d.blocked(ctx, id); err != nil {
		return err
	}
	d.screen.say("the flow lets go; the operator looks again within 30 s, or when asked to")
	flow.Imports = users
	if err := production.setFlow(ctx, flow); err != nil {
		return err
	}
	if err := d.kubectl.show(ctx, "annotate", "import", ftpImport, v1alpha1.AnnotationReconcileRequestedAt+"=now"); err != nil {
		return err
	}
	return d.gone(ctx, id)
}

// blocked waits until the Import says what uses it, and checks that its remote import is
// still there.
func (d *demo) blocked(ctx context.Context, id string) error {
	if err := local.Await(ctx, local.Patience, "Import "+ftpImport+" to say what uses it", func(ctx context.Context) error {
		return d.importIs(ctx, named(ftpImport), "False", "DeletionBlocked", `flow "`+stockFlow+`"`)
	}); err != nil {
		return err
	}
	if err := d.kubectl.show(ctx, "get", "import", ftpImport); err != nil {
		return err
	}
	if err := d.kubectl.show(ctx, "get", "import", ftpImport, "-o", `jsonpath={.status.conditions[?(@.type=="Ready")].message}`); err != nil {
		return err
	}
	stored, err := d.platform.production.stored(ctx)
	if err != nil {
		return err
	}
	if stored[id] == nil {
		return fmt.Errorf("expected the platform to have the import %s that a flow uses; it has not", id)
	}
	return nil
}

// gone waits until the Import is gone, and checks that its remote import is, too.
func (d *demo) gone(ctx context.Context, id string) error {
	if err := local.Await(ctx, local.Patience, "Import "+ftpImport+" to be gone", func(ctx context.Context) error {
		_, err := d.imported(ctx, named(ftpImport))
		if err == nil {
			return fmt.Errorf("it is still there")
		}
		return client.IgnoreNotFound(err)
	}); err != nil {
		return err
	}
	binned, err := d.platform.production.deleted(ctx)
	if err != nil {
		return err
	}
	if binned[id] == nil {
		return fmt.Errorf("expected the import %s in the platform's recycle bin; it is not there", id)
	}
	d.screen.say("it is deleted on the platform, which keeps it in its recycle bin for 30 days")
	return d.kubectl.show(ctx, "get", "imports", "--field-selector=metadata.name="+ftpImport)
}
