// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package environment

import (
	"context"
	"errors"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/hack/internal/local"
)

// Rename changes the name that each of some Imports declares, as a user does.
func (e *Environment) Rename(ctx context.Context, imports []*v1alpha1.Import) error {
	return Each(ctx, Names(imports), e.RenameImport)
}

// RenameImport changes the name that an Import declares.
func (e *Environment) RenameImport(ctx context.Context, name string) error {
	patch := fmt.Sprintf(`{"spec":{"definition":{"name":%q}}}`, name+" renamed")
	return e.Objects.Patch(ctx, &v1alpha1.Import{ObjectMeta: Meta(name)}, client.RawPatch(types.MergePatchType, []byte(patch)))
}

// Delete deletes Imports one by one, as kubectl delete does with files.
func (e *Environment) Delete(ctx context.Context, imports []*v1alpha1.Import) error {
	return Each(ctx, Names(imports), e.DeleteImport)
}

// DeleteImport deletes an Import.
func (e *Environment) DeleteImport(ctx context.Context, name string) error {
	return e.Objects.Delete(ctx, &v1alpha1.Import{ObjectMeta: Meta(name)})
}

// Discard deletes Imports that no operator knows, whatever finalizers they have. No manager may run.
func (e *Environment) Discard(ctx context.Context, imports []*v1alpha1.Import) error {
	return parallel(ctx, writers, Names(imports), func(name string) error {
		target := &v1alpha1.Import{ObjectMeta: Meta(name)}
		err := e.Objects.Patch(ctx, target, client.RawPatch(types.MergePatchType, []byte(`{"metadata":{"finalizers":null}}`)))
		if err == nil {
			err = e.Objects.Delete(ctx, target)
		}
		return client.IgnoreNotFound(err)
	})
}

// DeleteRuns deletes all runs of the namespace.
func (e *Environment) DeleteRuns(ctx context.Context) error {
	return e.Objects.DeleteAllOf(ctx, &v1alpha1.ImportRun{}, client.InNamespace(Namespace))
}

var errThere = errors.New("there are objects")

// UntilGone does something, and returns how long it took until the namespace had no object of a kind.
func (e *Environment) UntilGone(ctx context.Context, kind metav1.TypeMeta, do func() error) (time.Duration, error) {
	began := time.Now()
	if err := do(); err != nil {
		return 0, err
	}
	err := local.Await(ctx, patience, "all objects to be gone", func(ctx context.Context) error {
		list := &metav1.PartialObjectMetadataList{TypeMeta: kind}
		if err := e.Objects.List(ctx, list, client.InNamespace(Namespace), client.Limit(1)); err != nil {
			return err
		}
		if len(list.Items) > 0 {
			return errThere
		}
		return nil
	})
	return time.Since(began), err
}

// Kinds of objects, for UntilGone.
var (
	Imports    = metav1.TypeMeta{APIVersion: v1alpha1.GroupVersion.String(), Kind: "ImportList"}
	ImportRuns = metav1.TypeMeta{APIVersion: v1alpha1.GroupVersion.String(), Kind: "ImportRunList"}
)

// RemoteIDs are the ids of the imports of some Imports.
func (e *Environment) RemoteIDs(ctx context.Context, imports []*v1alpha1.Import) (ids []string, err error) {
	for _, object := range imports {
		if err := e.Objects.Get(ctx, clientKey(object.Name), object); err != nil {
			return nil, err
		}
		ids = append(ids, object.Status.ID)
	}
	return ids, nil
}
