// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package watch

import (
	"context"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	toolscache "k8s.io/client-go/tools/cache"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
)

// An [v1alpha1.ImportList] has its Imports one after the other: of 10,000 Imports, each list takes 10 MB for a moment.

// ImportsClient lists the Imports of the cache without copies of them.
type ImportsClient struct {
	client.Client
	// store is that of the cache; nil if there is none for all Imports.
	store toolscache.Indexer
}

// WithImports returns a client that is like another one, which reads from a cache.
func WithImports(ctx context.Context, cached client.Client, informers cache.Informers) (ImportsClient, error) {
	informer, err := informers.GetInformer(ctx, &v1alpha1.Import{}, cache.BlockUntilSynced(false))
	if err != nil {
		return ImportsClient{}, err
	}
	// Where several namespaces are watched, each has a store of its own.
	stored, _ := informer.(interface{ GetIndexer() toolscache.Indexer })
	if stored == nil {
		return ImportsClient{Client: cached}, nil
	}
	return ImportsClient{Client: cached, store: stored.GetIndexer()}, nil
}

// Imports are those of a namespace, "" for all. They are those of the cache, and must not be changed. As with each
// read, the cache has this process's own writes, unless an option says otherwise.
func (c ImportsClient) Imports(ctx context.Context, namespace string, options ...client.ListOption) (all []*v1alpha1.Import, err error) {
	if c.store == nil {
		return ListImports(ctx, c.Client, namespace, options...)
	}
	// No Import has this origin: the list only waits for the cache.
	options = append(options, client.MatchingFields{IndexImportOrigin: ""}, client.UnsafeDisableDeepCopy)
	if err := c.List(ctx, &v1alpha1.ImportList{}, options...); err != nil {
		return nil, err
	}
	objects := c.store.List()
	if namespace != metav1.NamespaceAll {
		if objects, err = c.store.ByIndex(toolscache.NamespaceIndex, namespace); err != nil {
			return nil, err
		}
	}
	all = make([]*v1alpha1.Import, 0, len(objects))
	for _, object := range objects {
		if object, ok := object.(*v1alpha1.Import); ok {
			all = append(all, object)
		}
	}
	return all, nil
}

// ListImports does the same with any reader.
func ListImports(ctx context.Context, reader client.Reader, namespace string, options ...client.ListOption) (all []*v1alpha1.Import, err error) {
	var list v1alpha1.ImportList
	if err := reader.List(ctx, &list, append(options, client.InNamespace(namespace), client.UnsafeDisableDeepCopy)...); err != nil {
		return nil, err
	}
	for i := range list.Items {
		all = append(all, &list.Items[i])
	}
	return all, nil
}

// importsLister is an ImportsClient.
type importsLister interface {
	Imports(ctx context.Context, namespace string, options ...client.ListOption) ([]*v1alpha1.Import, error)
}

// ImportsOf are the Imports of an Account, as a reader has them, which may be an ImportsClient. They must not be
// changed.
func ImportsOf(ctx context.Context, reader client.Reader, namespace, account string, options ...client.ListOption) (of []*v1alpha1.Import, err error) {
	list := func(ctx context.Context, namespace string, options ...client.ListOption) ([]*v1alpha1.Import, error) {
		return ListImports(ctx, reader, namespace, options...)
	}
	if lister, ok := reader.(importsLister); ok {
		list = lister.Imports
	}
	all, err := list(ctx, namespace, options...)
	for _, object := range all {
		if object.Spec.AccountRef.Name == account {
			of = append(of, object)
		}
	}
	return of, err
}

// RequestsOfAccount are the Imports of an Account as requests: see RequestsByIndex.
func RequestsOfAccount(ctx context.Context, reader client.Reader, account client.Object) (requests []ctrl.Request) {
	imports, err := ImportsOf(ctx, reader, account.GetNamespace(), account.GetName(), client.DisableReadYourWritesConsistency)
	if err != nil {
		log.FromContext(ctx).Error(err, "cannot list the Imports of an Account", "account", client.ObjectKeyFromObject(account))
	}
	for _, object := range imports {
		requests = append(requests, ctrl.Request{NamespacedName: client.ObjectKeyFromObject(object)})
	}
	return requests
}
