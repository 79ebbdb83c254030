// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"reflect"

	"k8s.io/apimachinery/pkg/types"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
)

// stagingNamespace is what hack/demo/staging makes.
const stagingNamespace = "staging"

// environments applies a manifest of the first chapter, as it is, in the namespace of another
// account.
func (d *demo) environments(ctx context.Context) error {
	production, staging := d.platform.production, d.platform.staging
	last, err := production.last(ctx)
	if err != nil {
		return err
	}
	if err := d.stage(ctx); err != nil {
		return err
	}
	d.screen.say("the Accounts differ, the manifest does not: @shop is another connection there")
	if err := d.kubectl.show(ctx, "get", "accounts", "-A", "-o",
		"custom-columns=NAMESPACE:.metadata.namespace,NAME:.metadata.name,SHOP:.spec.aliases.shop"); err != nil {
		return err
	}
	if err := d.kubectl.show(ctx, "apply", "--validate=strict", "-n", stagingNamespace, "-f", samples+"/import_http.yaml"); err != nil {
		return err
	}
	there := types.NamespacedName{Namespace: stagingNamespace, Name: shopImport}
	if err := d.synced(ctx, there); err != nil {
		return err
	}
	if err := d.kubectl.show(ctx, "get", "imports", "-A", "--field-selector=metadata.name="+shopImport); err != nil {
		return err
	}
	first, err := d.throughOwnShop(ctx, production, named(shopImport))
	if err != nil {
		return err
	}
	second, err := d.throughOwnShop(ctx, staging, there)
	if err != nil {
		return err
	}
	if err := sameBut(first, second, "_connectionId"); err != nil {
		return err
	}
	if err := production.wrote(ctx, last, map[call]int{}); err != nil {
		return err
	}
	return staging.wrote(ctx, 0, map[call]int{create: 1})
}

// stage makes the namespace of the staging account, with an Account of its own.
func (d *demo) stage(ctx context.Context) error {
	dir, err := overlay("hack/demo/staging", d.dir, d.connection(d.platform.staging))
	if err != nil {
		return err
	}
	return d.kubectl.show(ctx, "apply", "--validate=strict", "-k", dir)
}

// throughOwnShop returns an import as it is stored in its account, and complains unless it
// writes through the connection that the Account of its namespace calls shop.
func (d *demo) throughOwnShop(ctx context.Context, remote *remoteAccount, key types.NamespacedName) (map[string]any, error) {
	object, err := d.imported(ctx, key)
	if err != nil {
		return nil, err
	}
	var account v1alpha1.Account
	if err := d.objects.Get(ctx, types.NamespacedName{Namespace: key.Namespace, Name: "default"}, &account); err != nil {
		return nil, err
	}
	stored, err := remote.stored(ctx)
	if err != nil {
		return nil, err
	}
	document, shop := stored[object.Status.ID], string(account.Spec.Aliases["shop"])
	if document["_connectionId"] != shop || object.Status.ConnectionID != shop {
		return nil, fmt.Errorf("expected the Import %s to write through %s; status says %s, the account %s has %v",
			key, shop, object.Status.ConnectionID, remote.name, document)
	}
	return document, nil
}

// sameBut complains unless two imports agree in what the sample declares, and differ in one
// field.
func sameBut(first, second map[string]any, field string) error {
	if first[field] == second[field] {
		return fmt.Errorf("expected two values of %s; both imports have %v", field, first[field])
	}
	for _, declared := range []string{"name", "adaptorType", "idLockTemplate", "traceKeyTemplate", "http", "mappings", "lookups"} {
		if first[declared] == nil || !reflect.DeepEqual(first[declared], second[declared]) {
			return fmt.Errorf("expected both accounts to have the same %s; they have %v and %v", declared, first[declared], second[declared])
		}
	}
	return nil
}
