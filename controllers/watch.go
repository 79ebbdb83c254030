// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
)

// Indexes of the cache: from what an object refers to, to the object.
const (
	indexAccountSecret = "spec.tokenSecretRef.name"
	indexImportAccount = "spec.accountRef.name"
	indexImportID      = "status.id"
	indexImportOrigin  = "spec.cloneFrom.importRef.name"

	indexImportConfigMap = "spec.valuesFrom.configMapKeyRef.name"
	indexImportSecret    = "spec.valuesFrom.secretKeyRef.name"

	indexRunImport    = "spec.importRef.name"
	indexRunAccount   = "spec.accountRef.name"
	indexRunKey       = "spec.idempotencyKey"
	indexRunConfigMap = "spec.dataFrom.configMapKeyRef.name"
	indexRunSecret    = "spec.dataFrom.secretKeyRef.name" //nolint:gosec // the path of a field, not a credential
)

// SetupIndexes registers the indexes that the controllers look objects up by.
func SetupIndexes(ctx context.Context, indexer client.FieldIndexer) error {
	for _, index := range []struct {
		object client.Object
		field  string
		values func(client.Object) []string
	}{
		{&v1alpha1.Account{}, indexAccountSecret, func(object client.Object) []string {
			return []string{object.(*v1alpha1.Account).Spec.TokenSecretRef.Name}
		}},
		{&v1alpha1.Import{}, indexImportAccount, func(object client.Object) []string {
			return []string{object.(*v1alpha1.Import).Spec.AccountRef.Name}
		}},
		{&v1alpha1.Import{}, indexImportID, func(object client.Object) []string {
			return namedIDs(object.(*v1alpha1.Import))
		}},
		{&v1alpha1.Import{}, indexImportOrigin, func(object client.Object) []string {
			if clone := object.(*v1alpha1.Import).Spec.CloneFrom; clone != nil {
				return nameOf(clone.ImportRef)
			}
			return nil
		}},
		{&v1alpha1.Import{}, indexImportConfigMap, func(object client.Object) []string {
			return keyNames(object.(*v1alpha1.Import).Spec.ValuesFrom, func(s v1alpha1.ValueSource) *v1alpha1.KeyReference { return s.ConfigMapKeyRef })
		}},
		{&v1alpha1.Import{}, indexImportSecret, func(object client.Object) []string {
			return keyNames(object.(*v1alpha1.Import).Spec.ValuesFrom, func(s v1alpha1.ValueSource) *v1alpha1.KeyReference { return s.SecretKeyRef })
		}},
		{&v1alpha1.ImportRun{}, indexRunImport, func(object client.Object) []string {
			return unfinished(object, func(run *v1alpha1.ImportRun) []string { return nameOf(run.Spec.ImportRef) })
		}},
		{&v1alpha1.ImportRun{}, indexRunAccount, func(object client.Object) []string {
			return unfinished(object, func(run *v1alpha1.ImportRun) []string { return nameOf(run.Spec.AccountRef) })
		}},
		{&v1alpha1.ImportRun{}, indexRunKey, func(object client.Object) []string {
			return unfinished(object, func(run *v1alpha1.ImportRun) []string { return notEmpty(run.Spec.IdempotencyKey) })
		}},
		{&v1alpha1.ImportRun{}, indexRunConfigMap, func(object client.Object) []string {
			return unfinished(object, func(run *v1alpha1.ImportRun) []string {
				return keyNames(run.Spec.DataFrom, func(s v1alpha1.DataSource) *v1alpha1.KeyReference { return s.ConfigMapKeyRef })
			})
		}},
		{&v1alpha1.ImportRun{}, indexRunSecret, func(object client.Object) []string {
			return unfinished(object, func(run *v1alpha1.ImportRun) []string {
				return keyNames(run.Spec.DataFrom, func(s v1alpha1.DataSource) *v1alpha1.KeyReference { return s.SecretKeyRef })
			})
		}},
	} {
		if err := indexer.IndexField(ctx, index.object, index.field, index.values); err != nil {
			return err
		}
	}
	return nil
}

func notEmpty(value string) []string {
	if value == "" {
		return nil
	}
	return []string{value}
}

func nameOf(ref *v1alpha1.LocalReference) []string {
	if ref == nil {
		return nil
	}
	return []string{ref.Name}
}

// unfinished indexes a run only while it can still be woken by what it refers to.
func unfinished(object client.Object, values func(*v1alpha1.ImportRun) []string) []string {
	run := object.(*v1alpha1.ImportRun)
	if finished(run) {
		return nil
	}
	return values(run)
}

// keyNames are the names of the objects whose keys the sources name by ref.
func keyNames[T any](sources []T, ref func(T) *v1alpha1.KeyReference) []string {
	var names []string
	for _, source := range sources {
		if key := ref(source); key != nil && !slices.Contains(names, key.Name) {
			names = append(names, key.Name)
		}
	}
	return names
}

// requestsByIndex lists the objects of one namespace whose index has value.
func requestsByIndex(ctx context.Context, reader client.Reader, list client.ObjectList, namespace, index, value string) []ctrl.Request {
	if err := reader.List(ctx, list, client.InNamespace(namespace), client.MatchingFields{index: value}, client.UnsafeDisableDeepCopy); err != nil {
		log.FromContext(ctx).Error(err, "cannot look up what depends on a changed object", "index", index, "value", value)
		return nil
	}
	var requests []ctrl.Request
	_ = meta.EachListItem(list, func(item runtime.Object) error {
		object := item.(client.Object)
		requests = append(requests, ctrl.Request{NamespacedName: types.NamespacedName{Namespace: object.GetNamespace(), Name: object.GetName()}})
		return nil
	})
	return requests
}

// specOrRequest lets an Import's event through when the spec changed, the object is going,
// somebody asks for a look, or somebody took away what the operator keeps in its metadata.
// Status writes, our own above all, wake nobody.
func specOrRequest() predicate.Predicate {
	return predicate.Or(
		predicate.GenerationChangedPredicate{},
		onUpdate(func(e event.UpdateEvent) bool {
			before, after := e.ObjectOld.GetAnnotations(), e.ObjectNew.GetAnnotations()
			return before[v1alpha1.AnnotationDryRun] != after[v1alpha1.AnnotationDryRun] ||
				before[v1alpha1.AnnotationReconcileRequestedAt] != after[v1alpha1.AnnotationReconcileRequestedAt] ||
				hasFinalizer(e.ObjectOld) && !hasFinalizer(e.ObjectNew) ||
				before[v1alpha1.AnnotationID] != "" && before[v1alpha1.AnnotationID] != after[v1alpha1.AnnotationID] && after[v1alpha1.AnnotationCreatePending] == ""
		}),
	)
}

// gotRemote lets an Import's event through when its remote import came to be.
func gotRemote() predicate.Predicate {
	return onUpdate(func(e event.UpdateEvent) bool {
		before, after := e.ObjectOld.(*v1alpha1.Import), e.ObjectNew.(*v1alpha1.Import)
		return before.Status.ID != after.Status.ID
	})
}

// onUpdate lets those updates through that wake tells of, and no other event.
func onUpdate(wake func(event.UpdateEvent) bool) predicate.Predicate {
	return predicate.Funcs{
		UpdateFunc:  wake,
		CreateFunc:  func(event.CreateEvent) bool { return false },
		DeleteFunc:  func(event.DeleteEvent) bool { return false },
		GenericFunc: func(event.GenericEvent) bool { return false },
	}
}

// controllerOptions are the options of all three controllers: backoff 1 s to 5 min.
func controllerOptions(mgr ctrl.Manager, kind string, concurrent int) controller.Options {
	return controller.Options{
		LogConstructor:          logConstructor(mgr.GetLogger(), kind),
		MaxConcurrentReconciles: concurrent,
		RateLimiter:             workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](backoffBase, backoffMax),
		CacheSyncTimeout:        2 * time.Minute,
	}
}
