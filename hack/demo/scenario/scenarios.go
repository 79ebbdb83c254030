// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package scenario holds the scenarios of the demo. Each one acts on the cluster or on the
// platform, shows what the operator does, and checks every result.
package scenario

import (
	"context"
	"errors"
	"fmt"

	"github.com/integrator-operator/integrator-operator/hack/demo/runner"
)

// The Imports of config/samples that the scenarios use.
const (
	shopImport      = "orders-to-shop"
	ftpImport       = "items-to-ftp"
	netsuiteImport  = "salesorders-to-netsuite"
	customersImport = "customers-to-salesforce"
	clonedImport    = "orders-copy"
)

// sampleImports are the Imports of config/samples.
var sampleImports = []string{ftpImport, shopImport, netsuiteImport, customersImport}

// sampleRuns are its ImportRuns.
var sampleRuns = []string{"first-orders", "initial-customers"}

// Run runs the scenarios in order: later ones build on what earlier ones left.
func Run(ctx context.Context, r *runner.Runner) error {
	before, err := r.Platform.Production.Stored(ctx)
	if err != nil {
		return err
	}
	for i, scenario := range []struct {
		title string
		run   func(context.Context, *runner.Runner) error
	}{
		{"Declared imports are created", declare},
		{"Nothing is written while nothing changes", idle},
		{"A change in the UI is corrected, and its author named", correctDrift},
		{"With driftPolicy Report it is only reported", reportDrift},
		{"A plan shows what a pull request would do", plan},
		{"A dry run shows a change before it is made", dryRun},
		{"A run reports which records failed, and why", runWithFailures},
		{"A large run is sent in batches, and only once", runInBatches},
		{"Records of a file are sent, and only once", sendFile},
		{"One command shows what needs somebody", status},
		{"An existing import is adopted", adopt},
		{"A clone writes through another connection", cloneImport},
		{"The same manifest works in another account", environments},
		{"The rest of the account is exported to manifests", export},
		{"An import that a flow uses is not deleted", deleteUsedImport},
		{"Every write was made once", func(ctx context.Context, r *runner.Runner) error { return summarise(ctx, r, before) }},
	} {
		r.Terminal.Heading(i+1, scenario.title)
		if err := scenario.run(ctx, r); err != nil {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			return errors.Join(fmt.Errorf("scenario %d, %q: %w", i+1, scenario.title, err), r.CheckRights())
		}
	}
	return nil
}
