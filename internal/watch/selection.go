// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package watch

import (
	"sync"

	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
)

// Several operators may share the objects of the same namespaces by a label. Each has all of them in its
// cache, because which import belongs to which Import is decided from all, and reconciles those that it
// selects. The events of the others reach no reconciler, and a reconciler asks Has once more before anything
// else: many things enqueue an object.

// Selection is which objects this operator reconciles. It may be used from several goroutines; a nil one
// selects all.
type Selection struct {
	selector labels.Selector

	mu sync.Mutex
	// others are the Imports that another operator had when the cache got them last.
	others map[types.UID]struct{}
}

// Select is the Selection of those objects whose labels a selector selects.
func Select(selector labels.Selector) *Selection {
	if selector == nil || selector.Empty() {
		return nil
	}
	return &Selection{selector: selector, others: map[types.UID]struct{}{}}
}

// Has reports whether the object is this operator's to reconcile.
func (s *Selection) Has(object client.Object) bool {
	return s == nil || s.selector.Matches(labels.Set(object.GetLabels()))
}

// Labels are those of an object's labels on which it depends whether it is selected.
func (s *Selection) Labels(of map[string]string) map[string]string {
	if s == nil {
		return nil
	}
	kept := map[string]string{}
	requirements, _ := s.selector.Requirements()
	for _, requirement := range requirements {
		if value, ok := of[requirement.Key()]; ok {
			kept[requirement.Key()] = value
		}
	}
	return kept
}

// Cached notes, before the cache has a version of an Import, whose it is, and reports whether it is this
// operator's. Whatever leads to a reconcile of that version comes later.
func (s *Selection) Cached(object *v1alpha1.Import) bool {
	if s.Has(object) {
		return true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.others[object.UID] = struct{}{}
	return false
}

// Arrived reports, once, that another operator had the Import since this process knows of it.
func (s *Selection) Arrived(object *v1alpha1.Import) bool {
	if s == nil {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	_, was := s.others[object.UID]
	delete(s.others, object.UID)
	return was
}

// Moved lets an update through with which an object becomes this operator's, or another's.
func (s *Selection) Moved() predicate.Predicate {
	return predicate.Funcs{
		CreateFunc: func(event.CreateEvent) bool { return false },
		UpdateFunc: func(e event.UpdateEvent) bool { return s.Has(e.ObjectOld) != s.Has(e.ObjectNew) },
		DeleteFunc: func(e event.DeleteEvent) bool {
			s.forget(e.Object.GetUID())
			return false
		},
		GenericFunc: func(event.GenericEvent) bool { return false },
	}
}

func (s *Selection) forget(uid types.UID) {
	if s != nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.others, uid)
	}
}

// Own lets those events through that another predicate lets through and that are about an object of this
// operator, and those of Moved.
func (s *Selection) Own(others ...predicate.Predicate) predicate.Predicate {
	if s == nil {
		return predicate.Or(others...)
	}
	own := predicate.NewPredicateFuncs(s.Has)
	return predicate.Or(s.Moved(), predicate.And(own, predicate.Or(others...)))
}
