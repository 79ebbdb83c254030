// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package scenario

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/hack/demo/runner"
	"github.com/integrator-operator/integrator-operator/hack/internal/local"
)

// pricesImport is one of the exported Imports.
const pricesImport = "price-list-for-dealers"

// export exports the imports that nobody declares yet, and applies the manifests: all of these
// imports are adopted, and nothing is written to any of them.
func export(ctx context.Context, r *runner.Runner) error {
	production := r.Platform.Production
	last, err := production.LastRequest(ctx)
	if err != nil {
		return err
	}
	before, err := production.Stored(ctx)
	if err != nil {
		return err
	}
	file := filepath.Join(r.Dir, "imports.yaml")
	manifests, notes, err := runExport(ctx, r, file)
	if err != nil {
		return err
	}
	r.Terminal.Output(notes)
	if err := showManifest(r, manifests, pricesImport, "@warehouse-ftp"); err != nil {
		return err
	}
	if err := r.Kubectl.Show(ctx, "apply", "--server-side", "--validate=strict", "-f", file); err != nil {
		return err
	}
	if err := local.Await(ctx, local.Patience, "every import of the account to be managed", func(ctx context.Context) error { return checkAllManaged(ctx, r, before) }); err != nil {
		return err
	}
	if err := r.Kubectl.Show(ctx, "get", "imports"); err != nil {
		return err
	}
	if err := production.CheckUntouched(ctx, last, before); err != nil {
		return err
	}
	r.Terminal.Explain("all are as declared, and nothing was written to any of them; nothing is left to export")
	return checkNothingLeft(ctx, r, file)
}

// checkNothingLeft checks that the export no longer finds an import that nobody declares.
func checkNothingLeft(ctx context.Context, r *runner.Runner, file string) error {
	manifests, notes, err := runExport(ctx, r, file)
	if err != nil {
		return err
	}
	if manifests != "" || !strings.Contains(notes, "note: exported 0 of ") {
		return fmt.Errorf("expected nothing to be left to export; found\n%s%s", manifests, notes)
	}
	return nil
}

// runExport runs the export, writes the manifests to file, and returns them and the notes.
func runExport(ctx context.Context, r *runner.Runner, file string) (manifests, notes string, err error) {
	args := append([]string{"export", "--account=default", "--adopt"}, r.Platform.Flags()...)
	r.Terminal.CommandToFile(file, r.Options.Manager, args...)
	manifests, notes, err = local.RunApart(ctx, r.Options.Manager, append(os.Environ(), "KUBECONFIG="+r.Plane.Kubeconfig), args...)
	if err != nil {
		return "", "", fmt.Errorf("%s export: %w\n%s", r.Options.Manager, err, notes)
	}
	return manifests, notes, os.WriteFile(file, []byte(manifests), 0o600)
}

// showManifest shows the manifest of that name. It returns an error if there is none, or if it does
// not name its connection by the Account's alias.
func showManifest(r *runner.Runner, manifests, name, alias string) error {
	for manifest := range strings.SplitSeq(manifests, "---\n") {
		if strings.Contains(manifest, "\n  name: "+name+"\n") && strings.Contains(manifest, "\n    _connectionId: \""+alias+"\"\n") {
			r.Terminal.Explain("one of its manifests:")
			r.Terminal.Output(manifest)
			return nil
		}
	}
	return fmt.Errorf("expected a manifest with the name %s and the connection %s; found\n%s", name, alias, manifests)
}

// checkAllManaged checks that every import, except for those of an integration app, is managed by
// an Import that is Ready and has no drift.
func checkAllManaged(ctx context.Context, r *runner.Runner, imports map[string]map[string]any) error {
	var list v1alpha1.ImportList
	if err := r.Objects.List(ctx, &list); err != nil {
		return err
	}
	managed := map[string]v1alpha1.Import{}
	for _, object := range list.Items {
		managed[object.Status.ID] = object
	}
	for id, document := range imports {
		object, found := managed[id]
		if app := document["_connectorId"] != nil; app == found {
			return fmt.Errorf("the import %s (%v) of an integration app: %t, managed: %t", id, document["name"], app, found)
		}
		if !found {
			continue
		}
		if err := errors.Join(r.CheckImport(ctx, runner.Key(object.Name), "True", v1alpha1.ReasonSynced, "the remote import is as declared"), runner.CheckDifferences(object.Status.Drift)); err != nil {
			return fmt.Errorf("the Import %s: %w", object.Name, err)
		}
	}
	return nil
}
