// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package watch_test

import (
	"context"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/watch"
)

// informers are those of a cache. With several namespaces, it has no store of all Imports.
type informers struct {
	cache.Informers
	store toolscache.Indexer
}

type informer struct{ cache.Informer }

type storing struct {
	informer
	store toolscache.Indexer
}

func (s storing) GetIndexer() toolscache.Indexer { return s.store }

func (i informers) GetInformer(context.Context, client.Object, ...cache.InformerGetOption) (cache.Informer, error) {
	if i.store == nil {
		return informer{}, nil
	}
	return storing{store: i.store}, nil
}

// TestImportsOf: the Imports of an Account are the same from a store, and from lists where there is none.
func TestImportsOf(t *testing.T) {
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	store := toolscache.NewIndexer(toolscache.MetaNamespaceKeyFunc, toolscache.Indexers{toolscache.NamespaceIndex: toolscache.MetaNamespaceIndexFunc})
	var objects []client.Object
	for _, key := range []struct{ namespace, name, account string }{{"ns", "a", "default"}, {"ns", "b", "other"}, {"elsewhere", "c", "default"}, {"ns", "d", "default"}} {
		object := &v1alpha1.Import{ObjectMeta: metav1.ObjectMeta{Namespace: key.namespace, Name: key.name}}
		object.Spec.AccountRef.Name = key.account
		objects = append(objects, object)
		if err := store.Add(object); err != nil {
			t.Fatal(err)
		}
	}
	reader := fake.NewClientBuilder().WithScheme(scheme).WithObjects(objects...).
		WithIndex(&v1alpha1.Import{}, watch.IndexImportOrigin, func(client.Object) []string { return nil }).Build()
	stored, err := watch.WithImports(t.Context(), reader, informers{store: store})
	if err != nil {
		t.Fatal(err)
	}
	separate, err := watch.WithImports(t.Context(), reader, informers{})
	if err != nil {
		t.Fatal(err)
	}
	for name, from := range map[string]client.Reader{"Store": stored, "SeveralStores": separate, "OtherReader": reader} {
		t.Run(name, func(t *testing.T) {
			found, err := watch.ImportsOf(t.Context(), from, "ns", "default")
			var names []string
			for _, object := range found {
				names = append(names, object.Name)
			}
			slices.Sort(names)
			if diff := cmp.Diff([]string{"a", "d"}, names); diff != "" || err != nil {
				t.Errorf("%v: -want, +got:\n%s", err, diff)
			}
		})
	}
	if all, err := stored.Imports(t.Context(), ""); len(all) != len(objects) || err != nil {
		t.Errorf("of all namespaces: %d Imports, %v", len(all), err)
	}
}
