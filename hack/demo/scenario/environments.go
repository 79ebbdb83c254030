// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package scenario

import (
	"context"
	"fmt"
	"reflect"

	"k8s.io/apimachinery/pkg/types"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/hack/demo/platform"
	"github.com/integrator-operator/integrator-operator/hack/demo/runner"
)

// stagingNamespace is the namespace of hack/demo/manifests/staging.
const stagingNamespace = "staging"

// environments applies a manifest of the first scenario, unchanged, in the namespace of another
// account.
func environments(ctx context.Context, r *runner.Runner) error {
	production, staging := r.Platform.Production, r.Platform.Staging
	last, err := production.LastRequest(ctx)
	if err != nil {
		return err
	}
	if err := r.ApplyFor(ctx, staging, "hack/demo/manifests/staging"); err != nil {
		return err
	}
	r.Terminal.Explain("the Accounts differ, the manifest does not: @shop is another connection there")
	if err := r.Kubectl.Show(ctx, "get", "accounts", "-A", "-o",
		"custom-columns=NAMESPACE:.metadata.namespace,NAME:.metadata.name,SHOP:.spec.aliases.shop"); err != nil {
		return err
	}
	if err := r.Kubectl.Show(ctx, "apply", "--validate=strict", "-n", stagingNamespace, "-f", runner.Samples+"/import_http.yaml"); err != nil {
		return err
	}
	there := types.NamespacedName{Namespace: stagingNamespace, Name: shopImport}
	if err := r.AwaitSynced(ctx, there); err != nil {
		return err
	}
	if err := r.Kubectl.Show(ctx, "get", "imports", "-A", "--field-selector=metadata.name="+shopImport); err != nil {
		return err
	}
	first, err := checkShopConnection(ctx, r, production, runner.Key(shopImport))
	if err != nil {
		return err
	}
	second, err := checkShopConnection(ctx, r, staging, there)
	if err != nil {
		return err
	}
	if err := checkSameExcept(first, second, "_connectionId"); err != nil {
		return err
	}
	if err := production.CheckWrites(ctx, last, map[platform.Endpoint]int{}); err != nil {
		return err
	}
	return staging.CheckWrites(ctx, 0, map[platform.Endpoint]int{platform.Create: 1})
}

// checkShopConnection returns an import as it is stored in its account. It returns an error unless
// the import's connection is the one that the Account of its namespace calls shop.
func checkShopConnection(ctx context.Context, r *runner.Runner, in *platform.Account, key types.NamespacedName) (map[string]any, error) {
	object, err := r.Import(ctx, key)
	if err != nil {
		return nil, err
	}
	var account v1alpha1.Account
	if err := r.Objects.Get(ctx, types.NamespacedName{Namespace: key.Namespace, Name: "default"}, &account); err != nil {
		return nil, err
	}
	stored, err := in.Stored(ctx)
	if err != nil {
		return nil, err
	}
	document, shop := stored[object.Status.ID], string(account.Spec.Aliases["shop"])
	if document["_connectionId"] != shop || object.Status.ConnectionID != shop {
		return nil, fmt.Errorf("expected the Import %s to write through %s; status says %s, the account %s has %v",
			key, shop, object.Status.ConnectionID, in.Name, document)
	}
	return document, nil
}

// checkSameExcept checks that two imports are equal in the fields that the sample declares, except
// for one field, which must differ.
func checkSameExcept(first, second map[string]any, field string) error {
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
