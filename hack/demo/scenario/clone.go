// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package scenario

import (
	"context"
	"fmt"
	"reflect"

	"github.com/integrator-operator/integrator-operator/hack/demo/platform"
	"github.com/integrator-operator/integrator-operator/hack/demo/runner"
)

// dealerShop is the connection that config/samples/import_clone.yaml gives the clone.
const dealerShop = "5e8c41d29a7f3b0012ab77e2"

// cloneImport creates a remote import as a clone of another Import's.
func cloneImport(ctx context.Context, r *runner.Runner) error {
	production := r.Platform.Production
	last, err := production.LastRequest(ctx)
	if err != nil {
		return err
	}
	before, err := production.Stored(ctx)
	if err != nil {
		return err
	}
	r.Terminal.Explain("cloneFrom: {importRef: {name: %s}, connectionMap: {\"@shop\": %s}}", shopImport, dealerShop)
	if err := r.Kubectl.Show(ctx, "apply", "--validate=strict", "-f", "config/samples/import_clone.yaml"); err != nil {
		return err
	}
	if err := r.AwaitSynced(ctx, runner.Key(clonedImport)); err != nil {
		return err
	}
	if err := r.Kubectl.Show(ctx, "get", "imports", shopImport, clonedImport); err != nil {
		return err
	}
	if err := checkClone(ctx, r, before); err != nil {
		return err
	}
	return production.CheckWrites(ctx, last, map[platform.Endpoint]int{platform.Clone: 1, platform.Update: 1})
}

// checkClone checks that the clone has what it declares, that its other fields are those of the
// original, and that the original is unchanged.
func checkClone(ctx context.Context, r *runner.Runner, before map[string]map[string]any) error {
	stored, err := r.Platform.Production.Stored(ctx)
	if err != nil {
		return err
	}
	from, err := r.ImportID(ctx, runner.Key(shopImport))
	if err != nil {
		return err
	}
	to, err := r.ImportID(ctx, runner.Key(clonedImport))
	if err != nil {
		return err
	}
	if !reflect.DeepEqual(stored[from], before[from]) {
		return fmt.Errorf("expected the original to be unchanged: %v; found %v", before[from], stored[from])
	}
	for _, field := range []string{"mappings", "lookups", "idLockTemplate"} {
		if found, expected := stored[to][field], stored[from][field]; expected == nil || !reflect.DeepEqual(found, expected) {
			return fmt.Errorf("expected the clone to have %s of the original: %v; it has %v", field, expected, found)
		}
	}
	r.Terminal.Explain("the mapping and Jane's note, which the clone does not declare, were copied")
	if err := r.ShowStoredField(stored[to], "ask Jane first", "description"); err != nil {
		return err
	}
	if err := r.ShowStoredField(stored[to], []any{"/orders"}, "http", "relativeURI"); err != nil {
		return err
	}
	if err := r.ShowStoredField(stored[to], dealerShop, "_connectionId"); err != nil {
		return err
	}
	return checkClonedWithConnection(ctx, r, to)
}

// checkClonedWithConnection checks that the clone was created with its own connection. With a
// later update it would at first have been a second import that writes to the original's shop.
func checkClonedWithConnection(ctx context.Context, r *runner.Runner, id string) error {
	entries, err := r.Platform.Production.Audit(ctx, id)
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
		return fmt.Errorf("expected the update of the clone to change its name, and not its connection; the audit log has changes of %v", changed)
	}
	return nil
}
