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

// WriteTwice makes the two writes of a creation to each of some Imports, as a client that does nothing else, and
// returns how long it took: the finalizer and an annotation, and then the status. No manager may run.
func (e *Environment) WriteTwice(ctx context.Context, imports []*v1alpha1.Import, workers int) (time.Duration, error) {
	metadata := `{"metadata":{"finalizers":["bench.integrator.io/held"],"annotations":{"bench.integrator.io/intent":"` + Connection + `"}}}`
	status := fmt.Sprintf(`{"status":{"id":%q,"observedGeneration":1,"desiredHash":"%064d","lastModified":"2026-01-02T03:04:05.678Z",`+
		`"ownedFields":["/name","/adaptorType","/_connectionId","/http"],`+
		`"conditions":[{"type":"Ready","status":"True","reason":"Synced","message":"the import is as declared","observedGeneration":1,"lastTransitionTime":%q}]}}`,
		Connection, 0, time.Now().UTC().Format(time.RFC3339))
	began := time.Now()
	err := parallel(ctx, workers, imports, func(object *v1alpha1.Import) error {
		target := &v1alpha1.Import{ObjectMeta: Meta(object.Name)}
		if err := e.Objects.Patch(ctx, target, client.RawPatch(types.MergePatchType, []byte(metadata))); err != nil {
			return err
		}
		return e.Objects.Status().Patch(ctx, target, client.RawPatch(types.MergePatchType, []byte(status)))
	})
	return time.Since(began), err
}

// Release takes the finalizers off Imports that WriteTwice has written to.
func (e *Environment) Release(ctx context.Context, imports []*v1alpha1.Import) error {
	return parallel(ctx, writers, imports, func(object *v1alpha1.Import) error {
		return e.Objects.Patch(ctx, &v1alpha1.Import{ObjectMeta: Meta(object.Name)}, client.RawPatch(types.MergePatchType, []byte(`{"metadata":{"finalizers":null}}`)))
	})
}

// Rename changes the name that each of some Imports declares, as a user does.
func (e *Environment) Rename(ctx context.Context, imports []*v1alpha1.Import, suffix string) error {
	return parallel(ctx, writers, imports, func(object *v1alpha1.Import) error {
		patch := fmt.Sprintf(`{"spec":{"definition":{"name":%q}}}`, object.Name+suffix)
		target := &v1alpha1.Import{ObjectMeta: Meta(object.Name)}
		return e.Objects.Patch(ctx, target, client.RawPatch(types.MergePatchType, []byte(patch)))
	})
}

// DeleteImports asks for the deletion of all Imports of the namespace.
func (e *Environment) DeleteImports(ctx context.Context) error {
	return e.Objects.DeleteAllOf(ctx, &v1alpha1.Import{}, client.InNamespace(Namespace))
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
