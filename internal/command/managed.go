// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package command

import (
	"context"
	"fmt"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/ownership"
)

// inCluster is what the cluster's Imports manage.
type inCluster struct {
	// managed names the Import that manages the import of an id, wanted the one that adopts or
	// observes it.
	managed, wanted map[string]types.NamespacedName
	// uids are the Imports by uid, ids the remote import of each.
	uids map[types.UID]types.NamespacedName
	ids  map[types.NamespacedName]string
	// names are those of the Imports in the Account's namespace; named has them by the id of the
	// remote import.
	names []string
	named map[string]string
}

func newInCluster() inCluster {
	return inCluster{
		managed: map[string]types.NamespacedName{}, wanted: map[string]types.NamespacedName{},
		uids: map[types.UID]types.NamespacedName{}, ids: map[types.NamespacedName]string{}, named: map[string]string{},
	}
}

// markedFor is the Import whose ownership marker an import has, and the id of its own remote import.
func (k *inCluster) markedFor(externalID string) (key types.NamespacedName, id string, ok bool) {
	uid, key := ownership.ParseMarker(externalID)
	if uid != "" {
		key = k.uids[uid]
	}
	id, ok = k.ids[key]
	return key, id, ok
}

// readCluster finds out which imports are managed already. A caller who may not list all namespaces
// sees the Imports of the Account's namespace.
func (e *exporter) readCluster(ctx context.Context, s *scope) error {
	s.known = newInCluster()
	err := e.listImports(ctx, s)
	if apierrors.IsForbidden(err) {
		e.note("Imports of other namespaces cannot be listed; those that are managed from there are not recognised")
		err = e.listImports(ctx, s, client.InNamespace(e.account.Namespace))
	}
	if err != nil {
		return fmt.Errorf("list the Imports: %w", err)
	}
	return nil
}

func (e *exporter) listImports(ctx context.Context, s *scope, options ...client.ListOption) error {
	var page v1alpha1.ImportList
	for {
		if err := e.reader.List(ctx, &page, append(options, client.Limit(200), client.Continue(page.Continue))...); err != nil {
			return err
		}
		for i := range page.Items {
			s.known.add(&page.Items[i], e.account.Namespace)
		}
		if page.Continue == "" {
			return nil
		}
	}
}

func (k *inCluster) add(object *v1alpha1.Import, namespace string) {
	key := client.ObjectKeyFromObject(object)
	id := ownership.RemoteID(object)
	k.uids[object.UID], k.ids[key] = key, id
	if id != "" && ownership.ManagesByStatus(object, id) {
		k.managed[id] = key
	} else if id != "" {
		k.wanted[id] = key
	}
	if adopt := object.Spec.Adopt; adopt != nil && adopt.ID != "" {
		k.wanted[strings.ToLower(string(adopt.ID))] = key
	}
	if object.Namespace != namespace {
		return
	}
	k.names = append(k.names, object.Name)
	if id != "" {
		k.named[id] = object.Name
	}
}
