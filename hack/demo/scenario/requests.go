// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package scenario

import (
	"context"
	"fmt"
	"reflect"

	"github.com/integrator-operator/integrator-operator/hack/demo/platform"
	"github.com/integrator-operator/integrator-operator/hack/demo/runner"
	"github.com/integrator-operator/integrator-operator/hack/internal/local"
)

// summarise checks that every write was made once, and that the imports whose declaration nobody
// changed are the same as before. It shows the requests of all scenarios.
func summarise(ctx context.Context, r *runner.Runner, before map[string]map[string]any) error {
	production := r.Platform.Production
	imports := production.Imports + len(sampleImports) + 1 - 1 // the clone, the deleted one
	managed := imports - 1                                     // one belongs to an integration app
	if err := local.Await(ctx, local.Patience, "Account default to have counted its imports", r.CheckAccountCounts(imports, managed)); err != nil {
		return err
	}
	if err := r.Kubectl.Show(ctx, "get", "imports,importruns,accounts"); err != nil {
		return err
	}
	if err := production.CheckWrites(ctx, 0, map[platform.Endpoint]int{
		platform.Create: len(sampleImports),
		platform.Clone:  1,
		platform.Update: 4, // drift, dry run, adopted import, clone
		platform.Delete: 1,
		platform.Invoke: len(sampleRuns) + 1 + batchedBatches + 1, // failing, batches, of a file
	}); err != nil {
		return err
	}
	if err := r.Platform.Staging.CheckWrites(ctx, 0, map[platform.Endpoint]int{platform.Create: 1}); err != nil {
		return err
	}
	after, err := production.Stored(ctx)
	if err != nil {
		return err
	}
	for id, document := range before {
		if id != refundsID && !reflect.DeepEqual(document, after[id]) {
			return fmt.Errorf("expected the import %s, whose declaration nobody changed, to be as before: %v; found %v", id, document, after[id])
		}
	}
	r.Terminal.Explain("the operator's requests to the API, from the simulator's ledger: every write was\n" +
		"made once, and the account's other imports are unchanged")
	for _, remote := range []*platform.Account{production, r.Platform.Staging} {
		if err := showRequests(ctx, r, remote); err != nil {
			return err
		}
	}
	return r.CheckRights()
}

// showRequests shows the operator's requests in an account, and returns an error if one of them
// was not answered with success.
func showRequests(ctx context.Context, r *runner.Runner, remote *platform.Account) error {
	entries, err := remote.Requests(ctx, 0)
	if err != nil {
		return err
	}
	r.Terminal.Explain("in the account %s:", remote.Name)
	r.Terminal.Output(platform.FormatCounts(platform.CountByEndpoint(entries)))
	return platform.CheckAnswers(entries)
}
