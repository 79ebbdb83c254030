// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"cmp"
	"context"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
)

// memory finds Imports by their indexes. The fake client decodes all objects for each list, which would make a
// plan of a thousand Imports take minutes.
type memory struct {
	indexers cache.Indexers
	imports  cache.Indexer
}

// IndexField is an index of the operator's cache.
func (m *memory) IndexField(_ context.Context, object client.Object, name string, values client.IndexerFunc) error {
	if _, ok := object.(*v1alpha1.Import); ok {
		m.indexers[name] = func(object any) ([]string, error) { return values(object.(client.Object)), nil }
	}
	return nil
}

// client makes a client for the objects of a builder.
func (m *memory) client(builder *fake.ClientBuilder) (client.Client, error) {
	m.imports = cache.NewIndexer(cache.DeletionHandlingMetaNamespaceKeyFunc, m.indexers)
	objects := builder.Build()
	var all v1alpha1.ImportList
	if err := objects.List(context.Background(), &all); err != nil {
		return nil, err
	}
	for i := range all.Items {
		if err := m.imports.Add(&all.Items[i]); err != nil {
			return nil, err
		}
	}
	return interceptor.NewClient(objects, interceptor.Funcs{
		List: m.list,
		Update: func(ctx context.Context, c client.WithWatch, object client.Object, options ...client.UpdateOption) error {
			return m.after(ctx, c, object, c.Update(ctx, object, options...))
		},
		Patch: func(ctx context.Context, c client.WithWatch, object client.Object, patch client.Patch, options ...client.PatchOption) error {
			return m.after(ctx, c, object, c.Patch(ctx, object, patch, options...))
		},
		SubResourcePatch: func(ctx context.Context, c client.Client, name string, object client.Object, patch client.Patch, options ...client.SubResourcePatchOption) error {
			return m.after(ctx, c, object, c.SubResource(name).Patch(ctx, object, patch, options...))
		},
	}), nil
}

// after remembers an Import as it is after a write. failed is why there was none.
func (m *memory) after(ctx context.Context, c client.Client, object client.Object, failed error) error {
	if _, ok := object.(*v1alpha1.Import); !ok || failed != nil {
		return failed
	}
	now := &v1alpha1.Import{}
	err := c.Get(ctx, client.ObjectKeyFromObject(object), now)
	if apierrors.IsNotFound(err) {
		return m.imports.Delete(object)
	}
	if err != nil {
		return err
	}
	return m.imports.Update(now)
}

// list lists Imports by an index, or all of them.
func (m *memory) list(ctx context.Context, c client.WithWatch, into client.ObjectList, options ...client.ListOption) error {
	list, ok := into.(*v1alpha1.ImportList)
	if !ok {
		return c.List(ctx, into, options...)
	}
	wanted := client.ListOptions{}
	wanted.ApplyOptions(options)
	found := m.imports.List()
	if wanted.FieldSelector != nil {
		for _, requirement := range wanted.FieldSelector.Requirements() {
			var err error
			if found, err = m.imports.ByIndex(requirement.Field, requirement.Value); err != nil {
				return err
			}
		}
	}
	list.Items, list.Continue = nil, ""
	for _, one := range found {
		object := one.(*v1alpha1.Import)
		if wanted.Namespace == "" || wanted.Namespace == object.Namespace {
			if wanted.LabelSelector == nil || wanted.LabelSelector.Matches(labels.Set(object.Labels)) {
				list.Items = append(list.Items, *object.DeepCopy())
			}
		}
	}
	slices.SortFunc(list.Items, func(a, b v1alpha1.Import) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
	})
	return nil
}
