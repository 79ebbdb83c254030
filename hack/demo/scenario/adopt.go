// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package scenario

import (
	"context"
	"fmt"
	"reflect"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/hack/demo/platform"
	"github.com/integrator-operator/integrator-operator/hack/demo/runner"
	"github.com/integrator-operator/integrator-operator/hack/internal/local"
)

const (
	refundsImport = "refunds-to-shop"
	// refundsID is the remote import that hack/demo/manifests/import_match.yaml and
	// import_override.yaml adopt.
	refundsID = "62a9d3e1c7048b0015e6f210"
)

// adopt adopts an import that people made in the UI: first with mode Match, which refuses it
// because it differs from what is declared, then with mode Override.
func adopt(ctx context.Context, r *runner.Runner) error {
	production := r.Platform.Production
	last, err := production.LastRequest(ctx)
	if err != nil {
		return err
	}
	before, err := production.Stored(ctx)
	if err != nil {
		return err
	}
	if err := adoptMatching(ctx, r); err != nil {
		return err
	}
	r.Terminal.Explain("nothing was written to it, and it is not deleted with this Import, which never adopted it")
	if err := r.Kubectl.Show(ctx, "delete", "import", refundsImport); err != nil {
		return err
	}
	if err := production.CheckUntouched(ctx, last, before); err != nil {
		return err
	}
	if err := adoptOverriding(ctx, r, before[refundsID]); err != nil {
		return err
	}
	return production.CheckWrites(ctx, last, map[platform.Endpoint]int{platform.Update: 1})
}

// adoptMatching applies an Import in mode Match that differs from the remote import.
func adoptMatching(ctx context.Context, r *runner.Runner) error {
	r.Terminal.Explain("mode Match adopts an import only if it is as declared, and this one is not")
	if err := r.Kubectl.Show(ctx, "apply", "--validate=strict", "-f", "hack/demo/manifests/import_match.yaml"); err != nil {
		return err
	}
	if err := local.Await(ctx, local.Patience, "Import "+refundsImport+" to report that the import differs", func(ctx context.Context) error {
		return r.CheckImport(ctx, runner.Key(refundsImport), "False", v1alpha1.ReasonAdoptionMismatch, refundsID, "nothing was written")
	}); err != nil {
		return err
	}
	object, err := r.Import(ctx, runner.Key(refundsImport))
	if err != nil {
		return err
	}
	if err := runner.CheckDifferences(object.Status.Drift,
		v1alpha1.Difference{Path: "/http/relativeURI/0", Declared: `"/v2/refunds"`, Remote: `"/api/refunds"`},
		v1alpha1.Difference{Path: "/name", Declared: `"Refunds to the shop"`, Remote: `"Refunds to the web shop (old)"`},
	); err != nil {
		return err
	}
	if err := r.Kubectl.Show(ctx, "get", "import", refundsImport); err != nil {
		return err
	}
	return r.Kubectl.Show(ctx, "get", "import", refundsImport, "-o", "jsonpath-as-json={.status.drift[*]}")
}

// adoptOverriding applies an Import in mode Override, which adopts the import and writes what is
// declared.
func adoptOverriding(ctx context.Context, r *runner.Runner, expected map[string]any) error {
	r.Terminal.Explain("mode Override adopts it and writes what is declared, and no other field")
	if err := r.Kubectl.Show(ctx, "apply", "--validate=strict", "-f", "hack/demo/manifests/import_override.yaml"); err != nil {
		return err
	}
	if err := r.AwaitSynced(ctx, runner.Key(refundsImport)); err != nil {
		return err
	}
	object, err := r.Import(ctx, runner.Key(refundsImport))
	if err != nil {
		return err
	}
	stored, err := r.Platform.Production.Stored(ctx)
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
		return fmt.Errorf("expected the import to be %v; found %v", expected, found)
	}
	return r.Kubectl.Show(ctx, "get", "import", refundsImport)
}
