// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/hack/internal/local"
)

// tolerate has Jane change an import whose driftPolicy is Report. It stays as she made it, and
// declaring the same ends the drift.
func (d *demo) tolerate(ctx context.Context) error {
	production := d.platform.production
	last, err := production.last(ctx)
	if err != nil {
		return err
	}
	id, err := d.importID(ctx, named(customersImport))
	if err != nil {
		return err
	}
	d.screen.say("Jane changes salesforce.operation of %q to update; its driftPolicy is Report", customersImport)
	if err := production.edit(ctx, id, func(document map[string]any) {
		document["salesforce"].(map[string]any)["operation"] = "update"
	}); err != nil {
		return err
	}
	if err := local.Await(ctx, local.Patience, "Import "+customersImport+" to report the drift", func(ctx context.Context) error {
		object, err := d.imported(ctx, named(customersImport))
		if err != nil {
			return err
		}
		return differ(object.Status.Drift, v1alpha1.Difference{Path: "/salesforce/operation", Declared: `"upsert"`, Remote: `"update"`})
	}); err != nil {
		return err
	}
	if err := d.showWide(ctx, customersImport, "/salesforce/operation", janeEmail); err != nil {
		return err
	}
	d.screen.say("it is right as she made it: so it is declared, and nothing has to be written")
	if err := d.kubectl.show(ctx, "patch", "import", customersImport, "--type=merge", "-p",
		`{"spec":{"definition":{"salesforce":{"operation":"update"}}}}`); err != nil {
		return err
	}
	if err := d.synced(ctx, named(customersImport)); err != nil {
		return err
	}
	if err := d.showWide(ctx, customersImport, "", janeEmail); err != nil {
		return err
	}
	return production.wrote(ctx, last, map[call]int{})
}

// showWide shows an Import with all its columns, and complains unless the table says what
// drifted, and who changed it last.
func (d *demo) showWide(ctx context.Context, name, drift, author string) error {
	output, err := d.kubectl.shown(ctx, "get", "import", name, "-o", "wide")
	if err != nil {
		return err
	}
	for header, expected := range map[string]string{"DRIFT": drift, "LAST-CHANGED-BY": author} {
		if found := cell(output, name, header); found != expected {
			return fmt.Errorf("expected the column %s of the Import %s to say %q; it says %q", header, name, expected, found)
		}
	}
	return nil
}
