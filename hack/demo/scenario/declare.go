// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package scenario

import (
	"context"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/hack/demo/runner"
	"github.com/integrator-operator/integrator-operator/hack/internal/local"
)

// declare applies the samples and waits until everything is as declared.
func declare(ctx context.Context, r *runner.Runner) error {
	production := r.Platform.Production
	r.Terminal.Explain("config/samples, with the simulator's address and token, and a scan every 2 s")
	if err := r.ApplyFor(ctx, production, runner.Samples); err != nil {
		return err
	}
	for _, name := range sampleImports {
		if err := r.AwaitSynced(ctx, runner.Key(name)); err != nil {
			return err
		}
	}
	for _, name := range sampleRuns {
		if err := local.Await(ctx, local.Patience, "ImportRun "+name+" to succeed", func(ctx context.Context) error { return r.CheckRunPhase(ctx, name, v1alpha1.RunSucceeded) }); err != nil {
			return err
		}
	}
	if err := local.Await(ctx, local.Patience, "Account default to be Ready and to count its imports", r.CheckAccountCounts(production.Imports+len(sampleImports), len(sampleImports))); err != nil {
		return err
	}
	r.Terminal.Explain("the account has more imports than these; the operator leaves those alone")
	if err := r.Kubectl.Show(ctx, "get", "accounts,imports"); err != nil {
		return err
	}
	r.Terminal.Explain("the samples' runs waited for their imports, and were sent once")
	return r.Kubectl.Show(ctx, "get", "importruns")
}
