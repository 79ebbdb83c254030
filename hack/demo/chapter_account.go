// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"reflect"

	"github.com/integrator-operator/integrator-operator/hack/internal/local"
)

// account closes the account: every write was made once, and what nobody declared otherwise
// is as it was before.
func (d *demo) account(ctx context.Context, before map[string]map[string]any) error {
	production := d.platform.production
	imports := production.imports + len(sampleImports) + 1 - 1 // the copy, the one deleted
	managed := imports - 1                                     // that of an integration app
	if err := local.Await(ctx, local.Patience, "Account default to have counted its imports", d.accountCounts(imports, managed)); err != nil {
		return err
	}
	if err := d.kubectl.show(ctx, "get", "imports,importruns,accounts"); err != nil {
		return err
	}
	if err := production.wrote(ctx, 0, map[call]int{
		create: len(sampleImports),
		clone:  1,
		update: 4, // the drift, the plan, the import that was taken over, the copy
		remove: 1,
		invoke: len(sampleRuns) + 1 + batchedBatches,
	}); err != nil {
		return err
	}
	if err := d.platform.staging.wrote(ctx, 0, map[call]int{create: 1}); err != nil {
		return err
	}
	after, err := production.stored(ctx)
	if err != nil {
		return err
	}
	for id, document := range before {
		if id != refundsID && !reflect.DeepEqual(document, after[id]) {
			return fmt.Errorf("expected the import %s, which nobody declares otherwise, to be as it was: %v; it is %v", id, document, after[id])
		}
	}
	d.screen.say("what the operator asked of the API, from the simulator's ledger: every write was\n" +
		"made once, and the account's other imports are as they were")
	for _, remote := range []*remoteAccount{production, d.platform.staging} {
		if err := d.showLedger(ctx, remote); err != nil {
			return err
		}
	}
	return d.forbidden()
}

// showLedger shows what was asked in an account, and complains of what was not answered with
// success.
func (d *demo) showLedger(ctx context.Context, remote *remoteAccount) error {
	entries, err := remote.calls(ctx, 0)
	if err != nil {
		return err
	}
	d.screen.say("in the account %s:", remote.name)
	d.screen.output(table(count(entries)))
	return failures(entries)
}
