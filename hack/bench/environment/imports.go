// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package environment

import (
	"context"
	"errors"
	"fmt"
	"time"

	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
)

const (
	// writers is how many objects are created at a time, as kubectl apply and GitOps tools do.
	writers = 8
	// patience is how long all of it may take.
	patience = 20 * time.Minute
)

var errNotReady = errors.New("not all objects became Ready, or ended, in time")

// ApplyUntilReady creates Imports, and returns how long it took until all of them were Ready.
func (e *Environment) ApplyUntilReady(ctx context.Context, imports []*v1alpha1.Import) (time.Duration, error) {
	return e.UntilReady(ctx, imports, func() error { return e.Apply(ctx, imports) })
}

// UntilReady does something, and returns how long it took from its beginning until all Imports were Ready.
func (e *Environment) UntilReady(ctx context.Context, imports []*v1alpha1.Import, do func() error) (time.Duration, error) {
	return e.until(ctx, do, names(imports), &v1alpha1.ImportList{}, func(object client.Object) bool {
		of, ok := object.(*v1alpha1.Import)
		return ok && ready(of.Status.Conditions, of.Generation)
	})
}

// Apply creates objects, as many at a time as kubectl apply and GitOps tools do.
func (e *Environment) Apply(ctx context.Context, imports []*v1alpha1.Import) error {
	return parallel(ctx, writers, imports, func(object *v1alpha1.Import) error { return e.Objects.Create(ctx, object) })
}

// until does something, and returns how long it took until objects of one kind were done.
func (e *Environment) until(ctx context.Context, do func() error, names []string, list client.ObjectList, done func(client.Object) bool) (time.Duration, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, errNotReady)
	defer cancel()
	waiting := make(map[string]bool, len(names))
	for _, name := range names {
		waiting[name] = true
	}
	began := time.Now()
	failed := make(chan error, 1)
	go func() {
		if err := do(); err != nil {
			failed <- err
		}
	}()
	for len(waiting) > 0 {
		if err := e.watch(ctx, list, done, waiting, failed); err != nil {
			return 0, fmt.Errorf("%d of %d objects are not done: %w", len(waiting), len(names), err)
		}
	}
	return time.Since(began), nil
}

// watch takes out those that are done, until all are, or the watch ends: the API server ends one that is
// too slow for it. The next begins with all objects that there are.
func (e *Environment) watch(ctx context.Context, list client.ObjectList, done func(client.Object) bool, waiting map[string]bool, failed <-chan error) error {
	events, err := e.Objects.Watch(ctx, list, client.InNamespace(Namespace))
	if err != nil {
		return err
	}
	defer events.Stop()
	for len(waiting) > 0 {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case err := <-failed:
			return err
		case event, open := <-events.ResultChan():
			if !open {
				return nil
			}
			if object, ok := event.Object.(client.Object); ok && done(object) {
				delete(waiting, object.GetName())
			}
		}
	}
	return nil
}

// Ask asks for a look at each Import, as with kubectl annotate.
func (e *Environment) Ask(ctx context.Context, imports []*v1alpha1.Import) error {
	patch := fmt.Sprintf(`{"metadata":{"annotations":{%q:%q}}}`, v1alpha1.AnnotationReconcileRequestedAt, time.Now().Format(time.RFC3339Nano))
	for _, object := range imports {
		if err := e.Objects.Patch(ctx, object, client.RawPatch(types.MergePatchType, []byte(patch))); err != nil {
			return err
		}
	}
	return nil
}

// names are those of Imports.
func names(imports []*v1alpha1.Import) (all []string) {
	for _, object := range imports {
		all = append(all, object.Name)
	}
	return all
}

// ready reports whether an object is Ready at its generation.
func ready(conditions []metav1.Condition, generation int64) bool {
	c := apimeta.FindStatusCondition(conditions, v1alpha1.ConditionReady)
	return c != nil && c.Status == metav1.ConditionTrue && c.ObservedGeneration == generation
}

func clientKey(name string) types.NamespacedName {
	return types.NamespacedName{Namespace: Namespace, Name: name}
}
