// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package environment

import (
	"context"
	"errors"
	"fmt"
	"sync"
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

var errNotReady = errors.New("not all Imports became Ready in time")

// ApplyUntilReady creates Imports, and returns how long it took until all of them were Ready.
func (e *Environment) ApplyUntilReady(ctx context.Context, imports []*v1alpha1.Import) (time.Duration, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, errNotReady)
	defer cancel()
	waiting := make(map[string]bool, len(imports))
	for _, object := range imports {
		waiting[object.Name] = true
	}
	began := time.Now()
	failed := make(chan error, 1)
	go func() {
		if err := e.create(ctx, imports); err != nil {
			failed <- err
		}
	}()
	for len(waiting) > 0 {
		if err := e.watchReady(ctx, waiting, failed); err != nil {
			return 0, fmt.Errorf("%d of %d Imports are not Ready: %w", len(waiting), len(imports), err)
		}
	}
	return time.Since(began), nil
}

// watchReady takes out those that are Ready, until all are, or the watch ends: the API server ends one
// that is too slow for it. The next begins with all Imports that there are.
func (e *Environment) watchReady(ctx context.Context, waiting map[string]bool, failed <-chan error) error {
	events, err := e.Objects.Watch(ctx, &v1alpha1.ImportList{}, client.InNamespace(Namespace))
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
			if object, ok := event.Object.(*v1alpha1.Import); ok && ready(object.Status.Conditions, object.Generation) {
				delete(waiting, object.Name)
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

// create creates Imports, some at a time.
func (e *Environment) create(ctx context.Context, imports []*v1alpha1.Import) error {
	next := make(chan *v1alpha1.Import)
	failed := make([]error, writers)
	var all sync.WaitGroup
	for i := range writers {
		all.Go(func() {
			for object := range next {
				if err := e.Objects.Create(ctx, object); err != nil {
					failed[i] = errors.Join(failed[i], err)
				}
			}
		})
	}
	for _, object := range imports {
		next <- object
	}
	close(next)
	all.Wait()
	return errors.Join(failed...)
}

// ready reports whether an object is Ready at its generation.
func ready(conditions []metav1.Condition, generation int64) bool {
	c := apimeta.FindStatusCondition(conditions, v1alpha1.ConditionReady)
	return c != nil && c.Status == metav1.ConditionTrue && c.ObservedGeneration == generation
}

func clientKey(name string) types.NamespacedName {
	return types.NamespacedName{Namespace: Namespace, Name: name}
}
