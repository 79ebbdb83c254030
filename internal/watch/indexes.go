// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package watch says which events wake which objects: the indexes of the cache, the predicates,
// and the options of the controllers.
package watch

import (
	"context"
	"hash/fnv"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/ownership"
	"github.com/integrator-operator/integrator-operator/internal/runstate"
)

// Indexes of the cache: from what an object refers to, to the object. IndexImportID has all ids of
// ownership.NamedIDs, IndexImportMarker all that counts as its ownership marker. Of both, nearly every value
// is of one Import, and a set for each would take more memory than the rest of the Import: what is indexed
// are the buckets of the values. ImportsWithID and ImportsWithMarker list those that really have one.
const (
	IndexAccountSecret    = "secrets" // of spec.tokenSecretRef and spec.caBundleRef
	IndexAccountConfigMap = "spec.caBundleRef.name"

	IndexImportID     = "status.id"
	IndexImportAdopts = "spec.adopt.id"
	IndexImportMarker = "ownershipMarker"
	IndexImportOrigin = "spec.cloneFrom.importRef.name"

	IndexImportConfigMap = "spec.valuesFrom.configMapKeyRef.name"
	IndexImportSecret    = "spec.valuesFrom.secretKeyRef.name"

	IndexRunImport    = "spec.importRef.name"
	IndexRunAccount   = "spec.accountRef.name"
	IndexRunKey       = "spec.idempotencyKey"
	IndexRunRetryOf   = "spec.retryOf.name"
	IndexRunConfigMap = "spec.dataFrom.configMapKeyRef.name"
	IndexRunSecret    = "spec.dataFrom.secretKeyRef.name" //nolint:gosec // the path of a field, not a credential
)

// SetupIndexes registers all indexes with the cache.
func SetupIndexes(ctx context.Context, indexer client.FieldIndexer, owner ownership.Owner) error {
	markers := func(object client.Object) []string { return bucketsOf(owner.Markers(object.(*v1alpha1.Import))) }
	if err := indexer.IndexField(ctx, &v1alpha1.Import{}, IndexImportMarker, markers); err != nil {
		return err
	}
	for _, index := range indexes {
		if err := indexer.IndexField(ctx, index.object, index.field, index.values); err != nil {
			return err
		}
	}
	return nil
}

var indexes = []struct {
	object client.Object
	field  string
	values func(client.Object) []string
}{
	{&v1alpha1.Account{}, IndexAccountSecret, func(object client.Object) []string {
		spec := object.(*v1alpha1.Account).Spec
		names := []string{spec.TokenSecretRef.Name}
		if ref := spec.CABundleRef; ref != nil && ref.Kind == v1alpha1.CABundleKindSecret && ref.Name != names[0] {
			names = append(names, ref.Name)
		}
		return names
	}},
	{&v1alpha1.Account{}, IndexAccountConfigMap, func(object client.Object) []string {
		if ref := object.(*v1alpha1.Account).Spec.CABundleRef; ref != nil && ref.Kind == v1alpha1.CABundleKindConfigMap {
			return []string{ref.Name}
		}
		return nil
	}},
	{&v1alpha1.Import{}, IndexImportID, func(object client.Object) []string {
		return bucketsOf(ownership.NamedIDs(object.(*v1alpha1.Import)))
	}},
	{&v1alpha1.Import{}, IndexImportAdopts, func(object client.Object) []string {
		if adopt := object.(*v1alpha1.Import).Spec.Adopt; adopt != nil {
			return notEmpty(strings.ToLower(string(adopt.ID)))
		}
		return nil
	}},
	{&v1alpha1.Import{}, IndexImportOrigin, func(object client.Object) []string {
		if clone := object.(*v1alpha1.Import).Spec.CloneFrom; clone != nil {
			return nameOf(clone.ImportRef)
		}
		return nil
	}},
	{&v1alpha1.Import{}, IndexImportConfigMap, func(object client.Object) []string {
		return keyNames(object.(*v1alpha1.Import).Spec.ValuesFrom, func(s v1alpha1.ValueSource) *v1alpha1.KeyReference { return s.ConfigMapKeyRef })
	}},
	{&v1alpha1.Import{}, IndexImportSecret, func(object client.Object) []string {
		return keyNames(object.(*v1alpha1.Import).Spec.ValuesFrom, func(s v1alpha1.ValueSource) *v1alpha1.KeyReference { return s.SecretKeyRef })
	}},
	{&v1alpha1.ImportRun{}, IndexRunImport, func(object client.Object) []string {
		return unfinished(object, func(run *v1alpha1.ImportRun) []string { return nameOf(run.Spec.ImportRef) })
	}},
	{&v1alpha1.ImportRun{}, IndexRunAccount, func(object client.Object) []string {
		return unfinished(object, func(run *v1alpha1.ImportRun) []string { return nameOf(run.Spec.AccountRef) })
	}},
	{&v1alpha1.ImportRun{}, IndexRunKey, func(object client.Object) []string {
		return unfinished(object, func(run *v1alpha1.ImportRun) []string { return notEmpty(run.Spec.IdempotencyKey) })
	}},
	{&v1alpha1.ImportRun{}, IndexRunRetryOf, func(object client.Object) []string {
		return unfinished(object, func(run *v1alpha1.ImportRun) []string { return nameOf(run.Spec.RetryOf) })
	}},
	{&v1alpha1.ImportRun{}, IndexRunConfigMap, func(object client.Object) []string {
		return unfinished(object, func(run *v1alpha1.ImportRun) []string {
			return keyNames(run.Spec.DataFrom, func(s v1alpha1.DataSource) *v1alpha1.KeyReference { return s.ConfigMapKeyRef })
		})
	}},
	{&v1alpha1.ImportRun{}, IndexRunSecret, func(object client.Object) []string {
		return unfinished(object, func(run *v1alpha1.ImportRun) []string {
			return keyNames(run.Spec.DataFrom, func(s v1alpha1.DataSource) *v1alpha1.KeyReference { return s.SecretKeyRef })
		})
	}},
}

// buckets is how many there are: with 10,000 Imports, each has five.
const buckets = 2048

// BucketOf is the bucket of a value.
func BucketOf(value string) string {
	hash := fnv.New32a()
	_, _ = hash.Write([]byte(value))
	return strconv.FormatUint(uint64(hash.Sum32()%buckets), 36)
}

func bucketsOf(values []string) []string {
	var found []string
	for _, value := range values {
		if bucket := BucketOf(value); !slices.Contains(found, bucket) {
			found = append(found, bucket)
		}
	}
	return found
}

// ImportsWithID lists the Imports, of any namespace, that remember or claim a remote import. They are those
// of the cache, and must not be changed.
func ImportsWithID(ctx context.Context, reader client.Reader, id string) ([]v1alpha1.Import, error) {
	return importsInBucket(ctx, reader, IndexImportID, id, ownership.NamedIDs)
}

// ImportsWithMarker does the same with what counts as an ownership marker.
func ImportsWithMarker(ctx context.Context, reader client.Reader, owner ownership.Owner, marker string) ([]v1alpha1.Import, error) {
	return importsInBucket(ctx, reader, IndexImportMarker, marker, owner.Markers)
}

func importsInBucket(ctx context.Context, reader client.Reader, index, value string, valuesOf func(*v1alpha1.Import) []string) ([]v1alpha1.Import, error) {
	var list v1alpha1.ImportList
	if err := reader.List(ctx, &list, client.MatchingFields{index: BucketOf(value)}, client.UnsafeDisableDeepCopy); err != nil {
		return nil, err
	}
	return slices.DeleteFunc(list.Items, func(item v1alpha1.Import) bool { return !slices.Contains(valuesOf(&item), value) }), nil
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

// unfinished gives the values of a run only while what it refers to can still wake it.
func unfinished(object client.Object, values func(*v1alpha1.ImportRun) []string) []string {
	run := object.(*v1alpha1.ImportRun)
	if runstate.Finished(run) {
		return nil
	}
	return values(run)
}

// keyNames are the names of the objects whose keys the sources refer to, each once.
func keyNames[T any](sources []T, ref func(T) *v1alpha1.KeyReference) []string {
	var names []string
	for _, source := range sources {
		if key := ref(source); key != nil && !slices.Contains(names, key.Name) {
			names = append(names, key.Name)
		}
	}
	return names
}

// RequestsByIndex lists the objects of one namespace whose index has value, as requests. An
// error is logged: the caller is an event handler, which cannot return one. It does not wait until the cache
// has this process's own writes: these are not about what the indexes of references have, and all later
// events would wait in memory, with the objects of each.
func RequestsByIndex(ctx context.Context, reader client.Reader, list client.ObjectList, namespace, index, value string) []ctrl.Request {
	if err := reader.List(ctx, list, client.InNamespace(namespace), client.MatchingFields{index: value}, client.UnsafeDisableDeepCopy, client.DisableReadYourWritesConsistency); err != nil {
		log.FromContext(ctx).Error(err, "cannot list what depends on a changed object", "index", index, "value", value)
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
