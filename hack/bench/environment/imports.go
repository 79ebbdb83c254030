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
	events, err := e.Objects.Watch(ctx, &v1alpha1.ImportList{}, client.InNamespace(Namespace))
	if err != nil {
		return 0, err
	}
	defer events.Stop()
	began := time.Now()
	created := make(chan error, 1)
	go func() { created <- e.create(ctx, imports) }()
	done := map[string]bool{}
	for {
		select {
		case <-ctx.Done():
			return 0, fmt.Errorf("%w: %d of %d", context.Cause(ctx), len(done), len(imports))
		case err := <-created:
			if err != nil {
				return 0, err
			}
		case event, open := <-events.ResultChan():
			if !open {
				return 0, errors.New("the watch of Imports ended")
			}
			if object, ok := event.Object.(*v1alpha1.Import); ok && ready(object.Status.Conditions, object.Generation) {
				done[object.Name] = true
			}
			if len(done) == len(imports) {
				return time.Since(began), nil
			}
		}
	}
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
