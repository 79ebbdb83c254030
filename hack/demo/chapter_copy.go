// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"reflect"
)

// dealerShop is the connection that config/samples/import_clone.yaml gives the copy.
const dealerShop = "5e8c41d29a7f3b0012ab77e2"

// copy makes an import as a copy of another Import's.
func (d *demo) copy(ctx context.Context) error {
	production := d.platform.production
	last, err := production.last(ctx)
	if err != nil {
		return err
	}
	before, err := production.stored(ctx)
	if err != nil {
		return err
	}
	d.screen.say("cloneFrom: {importRef: {name: %s}, connectionMap: {\"@shop\": %s}}", shopImport, dealerShop)
	if err := d.kubectl.show(ctx, "apply", "--validate=strict", "-f", "config/samples/import_clone.yaml"); err != nil {
		return err
	}
	if err := d.synced(ctx, named(copiedImport)); err != nil {
		return err
	}
	if err := d.kubectl.show(ctx, "get", "imports", shopImport, copiedImport); err != nil {
		return err
	}
	if err := d.copied(ctx, before); err != nil {
		return err
	}
	return production.wrote(ctx, last, map[call]int{clone: 1, update: 1})
}

// copied checks that the copy has what it declares and else what it was copied from, which is
// as it was before.
func (d *demo) copied(ctx context.Context, before map[string]map[string]any) error {
	stored, err := d.platform.production.stored(ctx)
	if err != nil {
		return err
	}
	from, err := d.importID(ctx, named(shopImport))
	if err != nil {
		return err
	}
	to, err := d.importID(ctx, named(copiedImport))
	if err != nil {
		return err
	}
	if !reflect.DeepEqual(stored[from], before[from]) {
		return fmt.Errorf("expected the original to be as it was: %v; it is %v", before[from], stored[from])
	}
	for _, field := range []string{"mappings", "lookups", "idLockTemplate"} {
		if found, expected := stored[to][field], stored[from][field]; expected == nil || !reflect.DeepEqual(found, expected) {
			return fmt.Errorf("expected the copy to have %s of the original: %v; it has %v", field, expected, found)
		}
	}
	d.screen.say("the mapping, which the copy does not declare, came with it, and Jane's note, too")
	if err := d.showStored(stored[to], "ask Jane first", "description"); err != nil {
		return err
	}
	if err := d.showStored(stored[to], []any{"/orders"}, "http", "relativeURI"); err != nil {
		return err
	}
	if err := d.showStored(stored[to], dealerShop, "_connectionId"); err != nil {
		return err
	}
	return d.madeWithConnection(ctx, to)
}

// madeWithConnection checks that the copy was made with its connection: in between it would
// have been one more import that writes to the original's shop.
func (d *demo) madeWithConnection(ctx context.Context, id string) error {
	entries, err := d.platform.production.audit(ctx, id)
	if err != nil {
		return err
	}
	changed := map[string]bool{}
	for _, entry := range entries {
		for _, change := range entry.FieldChanges {
			changed[change.FieldPath] = true
		}
	}
	if !changed["name"] || changed["_connectionId"] {
		return fmt.Errorf("expected the update of the copy to change its name, and not its connection; the audit log has changes of %v", changed)
	}
	return nil
}
