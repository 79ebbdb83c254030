// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package scenario

import (
	"context"
	"encoding/json"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/hack/chaos/sandbox"
)

// Steps in which many Imports in two namespaces adopt what the account has.

const (
	// many is how many imports are adopted.
	many = 12
	// contested is how many of them, from the first on, two Imports of one manager adopt.
	contested = 3
)

// contests is how many imports two Imports adopt. Where two managers share the objects, it is all of them: whichever of
// the two managers comes first, it does so for some.
func (s *Scenario) contests() int {
	if s.Shards {
		return many
	}
	return contested
}

func manyID(n int) string    { return fmt.Sprintf("61d4c0a7f2b95e0014b3d%03x", n) }
func manyName(n int) string  { return fmt.Sprintf("many-%02d", n) }
func rivalName(n int) string { return fmt.Sprintf("rival-%02d", n) }

// contenders are the Imports that have a rival.
func contenders() (names []string) {
	for n := range contested {
		names = append(names, manyName(n), rivalName(n))
	}
	return names
}

// seedMany puts the imports into the account. Every second one is not as it is declared.
func seedMany(x *Execution) error {
	for n := range many {
		uri := "/orders"
		if n%2 == 1 {
			uri = "/old"
		}
		document := fmt.Appendf(nil, `{"_id":%q,"name":%q,"adaptorType":"HTTPImport","_connectionId":%q,
			"description":"made in the UI","http":{"method":["POST"],"relativeURI":[%q],"body":[null],"batchSize":10}}`, manyID(n), manyName(n), sandbox.ShopConnection, uri)
		if _, err := x.API.SeedImport(sandbox.AccountName, json.RawMessage(document)); err != nil {
			return err
		}
		x.HandOn(manyID(n))
	}
	return nil
}

// declareMany creates all Imports before the manager sees one of them, so that it adopts as many at a
// time as it can, and rivals at the same time.
func declareMany(ctx context.Context, x *Execution) error {
	return x.WithoutManager(func() error { return createMany(ctx, x, "") })
}

// observeMany creates all Imports, which observe what they are to adopt.
func observeMany(ctx context.Context, x *Execution) error {
	return createMany(ctx, x, v1alpha1.ManagementPolicyObserve)
}

func createMany(ctx context.Context, x *Execution, policy v1alpha1.ManagementPolicy) error {
	for n := range many {
		namespaces := x.Namespaces()
		if err := adoptMany(ctx, x, namespaces[n%2], manyName(n), n, policy); err != nil {
			return err
		}
		if n >= x.Scenario.contests() {
			continue
		}
		// The first rivals are in one namespace, the others in two.
		if err := adoptMany(ctx, x, namespaces[(n+min(n, 1))%2], rivalName(n), n, policy); err != nil {
			return err
		}
	}
	return nil
}

// manyObserved waits until all Imports are Ready.
func manyObserved(ctx context.Context, x *Execution) error {
	objects, err := x.listImports(ctx)
	for _, object := range objects {
		if err := x.Ready(ctx, object); err != nil {
			return err
		}
	}
	return err
}

// manageMany has all Imports manage what they observed, before the managers see one of them.
func manageMany(ctx context.Context, x *Execution) error {
	return x.WithoutManager(func() error {
		objects, err := x.listImports(ctx)
		for _, object := range objects {
			if err := x.Objects.Patch(ctx, object, client.RawPatch(sandbox.MergePatch, []byte(`{"spec":{"managementPolicy":null}}`))); err != nil {
				return err
			}
			x.Remember(object)
		}
		return err
	})
}

// adoptMany creates an Import that adopts the n-th import: one that is as declared, or whatever it is
// like. Where two managers share the objects, the second has those of the second namespace.
func adoptMany(ctx context.Context, x *Execution, namespace, name string, n int, policy v1alpha1.ManagementPolicy) error {
	mode := v1alpha1.AdoptionModeMatch
	if n%2 == 1 {
		mode = v1alpha1.AdoptionModeOverride
	}
	object := &v1alpha1.Import{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
	if err := json.Unmarshal(fmt.Appendf(nil, `{"adopt":{"id":%q,"mode":%q},"definition":{"name":%q,"adaptorType":"HTTPImport","_connectionId":"@shop",
		"http":{"method":["POST"],"relativeURI":["/orders"],"body":[null],"batchSize":10}}}`, manyID(n), mode, manyName(n)), &object.Spec); err != nil {
		return err
	}
	object.Spec.ManagementPolicy = policy
	if err := x.Create(ctx, object); err != nil || !x.Shards || namespace != x.Other {
		return err
	}
	return x.Relabel(ctx, object)
}

// manyAdopted waits until each import has an Import that is Ready, and every rival has given up.
func manyAdopted(ctx context.Context, x *Execution) error {
	objects, err := x.listImports(ctx)
	if err != nil {
		return err
	}
	ready, stalled := map[string]string{}, 0
	for _, object := range objects {
		err := x.Ready(ctx, object)
		switch {
		case err == nil && ready[object.Status.ID] != "":
			return fmt.Errorf("the Imports %s and %s have the import %s", ready[object.Status.ID], object.Name, object.Status.ID)
		case err == nil:
			ready[object.Status.ID] = object.Name
		case conflicts(object):
			stalled++
		default:
			return err
		}
	}
	if len(ready) != many || stalled != x.Scenario.contests() {
		return fmt.Errorf("%d Imports are Ready and %d Stalled", len(ready), stalled)
	}
	return nil
}
