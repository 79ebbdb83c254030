// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/definition"
	"github.com/integrator-operator/integrator-operator/internal/runstate"
	"github.com/integrator-operator/integrator-operator/internal/watch"
)

// CacheOptions keep the cache small: no managed fields, of Imports no large definition, and of runs neither
// records nor settings.
// Of Secrets and ConfigMaps only the metadata is cached, and of that nothing that their authors can
// make large: kubectl, for one, keeps all that it applied in an annotation.
// It has the objects of the namespaces that are watched; of all, if none is named.
// Imports that another operator reconciles have less still.
func CacheOptions(selection *watch.Selection, watched ...string) cache.Options {
	return cache.Options{
		DefaultNamespaces:           watch.CacheIn(watched),
		DefaultTransform:            stripMetadata,
		ReaderFailOnMissingInformer: true,
		ByObject: map[client.Object]cache.ByObject{
			&v1alpha1.Import{}:    {Transform: stripImport(selection)},
			&v1alpha1.ImportRun{}: {Transform: stripRun(selection)},
		},
	}
}

// ClientOptions have Secrets and ConfigMaps read past the cache, and let a read wait until the cache
// has this process's own writes: a reconcile that still saw the status before the last write would
// find nothing to write. Where several namespaces are watched, the library waits only until any of them
// has brought something as new: status.LastStatus and importruns.Calls notice what is still missing then.
func ClientOptions() client.Options {
	readYourWrites := true
	return client.Options{Cache: &client.CacheOptions{
		DisableFor:                      []client.Object{&corev1.Secret{}, &corev1.ConfigMap{}},
		EnableReadYourWritesConsistency: &readYourWrites,
	}}
}

func stripMetadata(object any) (any, error) {
	if bare, ok := object.(*metav1.PartialObjectMetadata); ok {
		bare.Annotations, bare.Labels, bare.OwnerReferences, bare.Finalizers = nil, nil, nil, nil
	}
	return cache.TransformStripManagedFields()(object)
}

func stripImport(selection *watch.Selection) toolscache.TransformFunc {
	return func(object any) (any, error) {
		if imported, ok := object.(*v1alpha1.Import); ok {
			strip := definition.StripOther
			if selection.Cached(imported) {
				strip = definition.Strip
			}
			strip(imported, selection.Labels(imported.Labels))
		}
		return object, nil
	}
}

func stripRun(selection *watch.Selection) toolscache.TransformFunc {
	return func(object any) (any, error) {
		if run, ok := object.(*v1alpha1.ImportRun); ok {
			kept := selection.Labels(run.Labels)
			runstate.Strip(run)
			run.Labels = kept
		}
		return object, nil
	}
}
