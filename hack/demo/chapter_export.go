// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/hack/internal/local"
)

// pricesImport is one of the Imports that the export makes.
const pricesImport = "price-list-for-dealers"

// export has the manager print what nobody declares yet, and applies it: all is taken over,
// and nothing is written to any of it.
func (d *demo) export(ctx context.Context) error {
	production := d.platform.production
	last, err := production.last(ctx)
	if err != nil {
		return err
	}
	before, err := production.stored(ctx)
	if err != nil {
		return err
	}
	file := filepath.Join(d.dir, "imports.yaml")
	manifests, notes, err := d.printed(ctx, file)
	if err != nil {
		return err
	}
	d.screen.output(notes)
	if err := d.showManifest(manifests, pricesImport, "@warehouse-ftp"); err != nil {
		return err
	}
	if err := d.kubectl.show(ctx, "apply", "--server-side", "--validate=strict", "-f", file); err != nil {
		return err
	}
	if err := local.Await(ctx, local.Patience, "every import of the account to be managed", func(ctx context.Context) error { return d.manages(ctx, before) }); err != nil {
		return err
	}
	if err := d.kubectl.show(ctx, "get", "imports"); err != nil {
		return err
	}
	if err := production.untouched(ctx, last, before); err != nil {
		return err
	}
	d.screen.say("all are as declared, and nothing was written to any of them; nothing is left to export")
	return d.nothingLeft(ctx, file)
}

// nothingLeft checks that the export finds no import any more that nobody declares.
func (d *demo) nothingLeft(ctx context.Context, file string) error {
	manifests, notes, err := d.printed(ctx, file)
	if err != nil {
		return err
	}
	if manifests != "" || !strings.Contains(notes, "note: exported 0 of ") {
		return fmt.Errorf("expected nothing to be left to export; found\n%s%s", manifests, notes)
	}
	return nil
}

// printed runs the export and returns the manifests, which file has then, and the notes.
func (d *demo) printed(ctx context.Context, file string) (manifests, notes string, err error) {
	api, err := url.Parse(d.platform.api)
	if err != nil {
		return "", "", err
	}
	args := []string{"export", "--account=default", "--adopt", "--allow-http", "--allowed-api-hosts=" + api.Host}
	d.screen.redirected(file, d.options.manager, args...)
	manifests, notes, err = local.RunApart(ctx, d.options.manager, append(os.Environ(), "KUBECONFIG="+d.plane.Kubeconfig), args...)
	if err != nil {
		return "", "", fmt.Errorf("%s export: %w\n%s", d.options.manager, err, notes)
	}
	return manifests, notes, os.WriteFile(file, []byte(manifests), 0o600)
}

// showManifest shows the one of the manifests that is of this name, and complains unless it
// calls its connection by the Account's alias.
func (d *demo) showManifest(manifests, name, alias string) error {
	for manifest := range strings.SplitSeq(manifests, "---\n") {
		if strings.Contains(manifest, "\n  name: "+name+"\n") && strings.Contains(manifest, "\n    _connectionId: \""+alias+"\"\n") {
			d.screen.say("one of its manifests:")
			d.screen.output(manifest)
			return nil
		}
	}
	return fmt.Errorf("expected a manifest of the name %s and the connection %s; found\n%s", name, alias, manifests)
}

// manages complains until every import, but for those of an integration app, is that of an
// Import that is Ready and has no drift.
func (d *demo) manages(ctx context.Context, imports map[string]map[string]any) error {
	var list v1alpha1.ImportList
	if err := d.objects.List(ctx, &list); err != nil {
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
		if err := errors.Join(d.importIs(ctx, named(object.Name), "True", "Synced", "the remote import is as declared"), differ(object.Status.Drift)); err != nil {
			return fmt.Errorf("the Import %s: %w", object.Name, err)
		}
	}
	return nil
}
