// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package watch

import (
	"sync"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/ownership"
)

// Appeared remembers the Imports that appeared while this process watched, and whose metadata nobody has
// written anything of the operator's into since. Of such an Import it is certain that nothing was made for
// it, also when all metadata is taken away later. Its zero value is ready for use, and it may be used from
// several goroutines.
type Appeared struct{ byUID sync.Map }

// Untouched reports whether the Import is one of those.
func (a *Appeared) Untouched(object *v1alpha1.Import) bool {
	_, known := a.byUID.Load(object.UID)
	return known && ownership.Untouched(object)
}

// Predicate sees each event of an Import, and lets none through.
func (a *Appeared) Predicate() predicate.Predicate {
	return predicate.Funcs{
		CreateFunc: func(e event.CreateEvent) bool {
			if object := e.Object.(*v1alpha1.Import); !e.IsInInitialList && ownership.Untouched(object) {
				a.byUID.Store(object.UID, struct{}{})
			}
			return false
		},
		UpdateFunc: func(e event.UpdateEvent) bool {
			if object := e.ObjectNew.(*v1alpha1.Import); !ownership.Untouched(object) {
				a.forget(object.UID)
			}
			return false
		},
		DeleteFunc:  func(e event.DeleteEvent) bool { a.forget(e.Object.GetUID()); return false },
		GenericFunc: func(event.GenericEvent) bool { return false },
	}
}

func (a *Appeared) forget(uid types.UID) { a.byUID.Delete(uid) }
