// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package command

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/ownership"
)

// inCluster is which imports the cluster's Imports manage.
type inCluster struct {
	// byID names the Import that manages or wants to adopt the import of an id, byMarker the one
	// that an ownership marker is of.
	byID, byMarker map[string]types.NamespacedName
	// names are those of the Imports in the Account's namespace; named has them by the id of the
	// remote import.
	names []string
	named map[string]string
}

// readCluster finds out which imports are managed already. A caller who may not list all namespaces
// sees the Imports of the Account's namespace.
func (e *exporter) readCluster(ctx context.Context, s *scope) error {
	s.known = inCluster{byID: map[string]types.NamespacedName{}, byMarker: map[string]types.NamespacedName{}, named: map[string]string{}}
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
	k.byMarker[ownership.Marker(object)] = key
	ids := []string{object.Status.ID, object.Annotations[v1alpha1.AnnotationID]}
	if object.Spec.Adopt != nil {
		ids = append(ids, string(object.Spec.Adopt.ID))
	}
	for _, id := range ids {
		if _, known := k.byID[id]; id != "" && !known {
			k.byID[id] = key
		}
	}
	if object.Namespace != namespace {
		return
	}
	k.names = append(k.names, object.Name)
	if id := ownership.RemoteID(object); id != "" {
		k.named[id] = object.Name
	}
}
