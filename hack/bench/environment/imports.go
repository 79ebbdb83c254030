// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package environment

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"time"

	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
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
	return e.UntilReadyAt(ctx, imports, 1, do)
}

// UntilReadyAt is UntilReady for Imports that are to be Ready at a generation, or a later one.
func (e *Environment) UntilReadyAt(ctx context.Context, imports []*v1alpha1.Import, generation int64, do func() error) (time.Duration, error) {
	return e.until(ctx, do, Names(imports), &v1alpha1.ImportList{}, func(event watch.Event) bool {
		of, ok := event.Object.(*v1alpha1.Import)
		return ok && of.Generation >= generation && ready(of.Status.Conditions, of.Generation)
	})
}

// Apply creates objects, as many at a time as kubectl apply and GitOps tools do.
func (e *Environment) Apply(ctx context.Context, imports []*v1alpha1.Import) error {
	return parallel(ctx, writers, imports, func(object *v1alpha1.Import) error { return e.Objects.Create(ctx, object) })
}

// Unready is how many Imports there are that are not Ready.
func (e *Environment) Unready(ctx context.Context) (n int, err error) {
	all := &v1alpha1.ImportList{}
	if err := e.Objects.List(ctx, all, client.InNamespace(Namespace)); err != nil {
		return 0, err
	}
	for i := range all.Items {
		if !ready(all.Items[i].Status.Conditions, all.Items[i].Generation) {
			n++
		}
	}
	return n, nil
}

// UntilDeleted does something, and returns how long it took until all Imports were gone.
func (e *Environment) UntilDeleted(ctx context.Context, imports []*v1alpha1.Import, do func() error) (time.Duration, error) {
	w := newWaiting(Names(imports), &v1alpha1.ImportList{}, func(event watch.Event) bool { return event.Type == watch.Deleted })
	w.reopened = func(ctx context.Context) error {
		left := &metav1.PartialObjectMetadataList{TypeMeta: Imports}
		if err := e.Objects.List(ctx, left, client.InNamespace(Namespace)); err != nil {
			return err
		}
		here := map[string]bool{}
		for i := range left.Items {
			here[left.Items[i].Name] = true
		}
		maps.DeleteFunc(w.names, func(name string, _ bool) bool { return !here[name] })
		return nil
	}
	return e.await(ctx, do, w)
}

// until does something, and returns how long it took until objects of one kind were done, as their events say.
func (e *Environment) until(ctx context.Context, do func() error, names []string, list client.ObjectList, done func(watch.Event) bool) (time.Duration, error) {
	return e.await(ctx, do, newWaiting(names, list, done))
}

// waiting are the names of objects of a kind that are not done yet.
type waiting struct {
	names map[string]bool
	list  client.ObjectList
	done  func(watch.Event) bool
	// reopened takes out those whose events a watch that has ended did not bring. The next one begins with all
	// objects that there are; nil where that is enough.
	reopened func(context.Context) error
	// ended has the error of what is done with them, and is closed when that has ended.
	ended chan error
}

func newWaiting(names []string, list client.ObjectList, done func(watch.Event) bool) *waiting {
	w := &waiting{names: make(map[string]bool, len(names)), list: list, done: done, ended: make(chan error, 1)}
	for _, name := range names {
		w.names[name] = true
	}
	return w
}

// await does something, and returns how long it took until all objects were done. It waits for the end of what is
// done as well, but that does not count.
func (e *Environment) await(ctx context.Context, do func() error, w *waiting) (time.Duration, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, errNotReady)
	defer cancel()
	all, began := len(w.names), time.Time{}
	begin := sync.OnceFunc(func() {
		began = time.Now()
		go func() {
			defer close(w.ended)
			if err := do(); err != nil {
				w.ended <- err
			}
		}()
	})
	for again := false; len(w.names) > 0; again = true {
		if err := e.watch(ctx, w, again, begin); err != nil {
			return 0, fmt.Errorf("%d of %d objects are not done: %w", len(w.names), all, err)
		}
	}
	took := time.Since(began)
	return took, <-w.ended
}

// watch takes out those that are done, until all are, or the watch ends: the API server ends one that is
// too slow for it. opened is called when nothing that happens can be missed any more.
func (e *Environment) watch(ctx context.Context, w *waiting, again bool, opened func()) error {
	events, err := e.Objects.Watch(ctx, w.list, client.InNamespace(Namespace))
	if err != nil {
		return err
	}
	defer events.Stop()
	opened()
	if again && w.reopened != nil {
		if err := w.reopened(ctx); err != nil {
			return err
		}
	}
	ended := w.ended
	for len(w.names) > 0 {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case err := <-ended:
			if err != nil {
				return err
			}
			ended = nil
		case event, open := <-events.ResultChan():
			if !open {
				return nil
			}
			if object, ok := event.Object.(client.Object); ok && w.done(event) {
				delete(w.names, object.GetName())
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

// Names are those of Imports.
func Names(imports []*v1alpha1.Import) (all []string) {
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
