// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"reflect"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/hack/internal/local"
)

const (
	refundsImport = "refunds-to-shop"
	// refundsID is what hack/demo/import_match.yaml and import_override.yaml take over.
	refundsID = "62a9d3e1c7048b0015e6f210"
)

// adopt takes over an import that people made in the UI: first only if it is as declared,
// which it is not, then as it is.
func (d *demo) adopt(ctx context.Context) error {
	production := d.platform.production
	last, err := production.last(ctx)
	if err != nil {
		return err
	}
	before, err := production.stored(ctx)
	if err != nil {
		return err
	}
	if err := d.mismatch(ctx); err != nil {
		return err
	}
	d.screen.say("nothing was written to it; nor does it go with this Import, whose it never was")
	if err := d.kubectl.show(ctx, "delete", "import", refundsImport); err != nil {
		return err
	}
	if err := production.untouched(ctx, last, before); err != nil {
		return err
	}
	if err := d.override(ctx, before[refundsID]); err != nil {
		return err
	}
	return production.wrote(ctx, last, map[call]int{update: 1})
}

// mismatch applies an Import that is to take over what it does not agree with.
func (d *demo) mismatch(ctx context.Context) error {
	d.screen.say("mode Match takes an import over that is as declared, and this one is not")
	if err := d.kubectl.show(ctx, "apply", "--validate=strict", "-f", "hack/demo/import_match.yaml"); err != nil {
		return err
	}
	if err := local.Await(ctx, local.Patience, "Import "+refundsImport+" to say that the import differs", func(ctx context.Context) error {
		return d.importIs(ctx, named(refundsImport), "False", "AdoptionMismatch", refundsID, "nothing was written")
	}); err != nil {
		return err
	}
	object, err := d.imported(ctx, named(refundsImport))
	if err != nil {
		return err
	}
	if err := differ(object.Status.Drift,
		v1alpha1.Difference{Path: "/http/relativeURI/0", Declared: `"/v2/refunds"`, Remote: `"/api/refunds"`},
		v1alpha1.Difference{Path: "/name", Declared: `"Refunds to the shop"`, Remote: `"Refunds to the web shop (old)"`},
	); err != nil {
		return err
	}
	if err := d.kubectl.show(ctx, "get", "import", refundsImport); err != nil {
		return err
	}
	return d.kubectl.show(ctx, "get", "import", refundsImport, "-o", "jsonpath-as-json={.status.drift[*]}")
}

// override applies an Import that takes the import over and writes what it declares.
func (d *demo) override(ctx context.Context, expected map[string]any) error {
	d.screen.say("mode Override takes it over and writes what is declared, and no other field")
	if err := d.kubectl.show(ctx, "apply", "--validate=strict", "-f", "hack/demo/import_override.yaml"); err != nil {
		return err
	}
	if err := d.synced(ctx, named(refundsImport)); err != nil {
		return err
	}
	object, err := d.imported(ctx, named(refundsImport))
	if err != nil {
		return err
	}
	stored, err := d.platform.production.stored(ctx)
	if err != nil {
		return err
	}
	found := stored[refundsID]
	expected["name"] = "Refunds to the shop"
	expected["http"].(map[string]any)["relativeURI"] = []any{"/v2/refunds"}
	expected["externalId"] = v1alpha1.MarkerPrefix + string(object.UID)
	for _, field := range []string{"lastModified", "lastModifiedBy"} {
		expected[field] = found[field]
	}
	if !reflect.DeepEqual(found, expected) {
		return fmt.Errorf("expected the import to be %v; it is %v", expected, found)
	}
	return d.kubectl.show(ctx, "get", "import", refundsImport)
}
