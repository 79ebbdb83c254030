// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package watch_test

import (
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/event"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/watch"
)

func TestAppeared(t *testing.T) {
	bare := anImport(func(o *v1alpha1.Import) { o.UID = "a" })
	touched := anImport(func(o *v1alpha1.Import) { o.UID, o.Finalizers = "a", []string{v1alpha1.Finalizer} })
	created := func(inList bool) func(*watch.Appeared) {
		return func(a *watch.Appeared) {
			a.Predicate().Create(event.CreateEvent{Object: bare, IsInInitialList: inList})
		}
	}
	updated := func(before, after *v1alpha1.Import) func(*watch.Appeared) {
		return func(a *watch.Appeared) { a.Predicate().Update(event.UpdateEvent{ObjectOld: before, ObjectNew: after}) }
	}
	deleted := func(a *watch.Appeared) { a.Predicate().Delete(event.DeleteEvent{Object: bare}) }
	for name, tc := range map[string]struct {
		reason string
		events []func(*watch.Appeared)
		object *v1alpha1.Import
		want   bool
	}{
		"Appeared":      {"it was seen from the beginning", []func(*watch.Appeared){created(false)}, bare, true},
		"InInitialList": {"an earlier process may have begun something", []func(*watch.Appeared){created(true)}, bare, false},
		"Unknown":       {"its event did not come yet", nil, bare, false},
		"Labeled":       {"a write of somebody else changes nothing", []func(*watch.Appeared){created(false), updated(bare, bare)}, bare, true},
		"TakenAway":     {"what the operator wrote was taken away", []func(*watch.Appeared){created(false), updated(bare, touched), updated(touched, bare)}, bare, false},
		"Touched":       {"the event of the write did not come yet", []func(*watch.Appeared){created(false)}, touched, false},
		"Deleted":       {"nothing is kept of it", []func(*watch.Appeared){created(false), deleted}, bare, false},
	} {
		t.Run(name, func(t *testing.T) {
			var a watch.Appeared
			for _, happens := range tc.events {
				happens(&a)
			}
			if got := a.Untouched(tc.object); got != tc.want {
				t.Errorf("%s: %t", tc.reason, got)
			}
		})
	}
	var a watch.Appeared
	if p := a.Predicate(); p.Create(event.CreateEvent{Object: bare}) || p.Update(event.UpdateEvent{ObjectOld: bare, ObjectNew: bare}) {
		t.Error("it lets an event through")
	}
}
