// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/hack/internal/local"
)

// declare applies the samples and waits until all is as declared.
func (d *demo) declare(ctx context.Context) error {
	production := d.platform.production
	dir, err := overlay(samples, d.dir, d.connection(production))
	if err != nil {
		return err
	}
	d.screen.say("config/samples, with the simulator's address and token, and a scan every 2 s")
	if err := d.kubectl.show(ctx, "apply", "--validate=strict", "-k", dir); err != nil {
		return err
	}
	for _, name := range sampleImports {
		if err := d.synced(ctx, named(name)); err != nil {
			return err
		}
	}
	for _, name := range sampleRuns {
		if err := local.Await(ctx, local.Patience, "ImportRun "+name+" to succeed", func(ctx context.Context) error { return d.runIs(ctx, name, v1alpha1.RunSucceeded) }); err != nil {
			return err
		}
	}
	if err := local.Await(ctx, local.Patience, "Account default to be Ready and to have counted its imports", d.accountCounts(production.imports+len(sampleImports), len(sampleImports))); err != nil {
		return err
	}
	d.screen.say("the account has more imports than that; those that nobody declares are left alone")
	if err := d.kubectl.show(ctx, "get", "accounts,imports"); err != nil {
		return err
	}
	d.screen.say("the samples' runs have waited for their imports, and were sent once")
	return d.kubectl.show(ctx, "get", "importruns")
}

// connection is the patch that leads the Account of a kustomization to an account of the
// simulator.
func (d *demo) connection(remote *remoteAccount) string {
	return fmt.Sprintf(`patches:
- patch: |-
    apiVersion: integrator.io/v1alpha1
    kind: Account
    metadata: {name: default}
    spec: {baseURL: %q, scanInterval: 2s}
- patch: |-
    apiVersion: v1
    kind: Secret
    metadata: {name: integrator-token}
    stringData: {token: %q}
`, d.platform.api, remote.token)
}
