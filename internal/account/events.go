// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package account

import (
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	ctrlevent "sigs.k8s.io/controller-runtime/pkg/event"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
)

// AccountEvents has the Accounts that have to be reconciled because of their scan or a call.
func (r *Registry) AccountEvents() <-chan ctrlevent.GenericEvent { return r.accountEvents }

// ImportEvents has, for the Import controller, the Accounts that changed and the Imports whose
// remote import did.
func (r *Registry) ImportEvents() <-chan ctrlevent.GenericEvent { return r.importEvents }

// RunEvents has, for the ImportRun controller, the Accounts that changed.
func (r *Registry) RunEvents() <-chan ctrlevent.GenericEvent { return r.runEvents }

// PermitEvents has, for the Import controller, the Imports that were granted a permit after they waited.
func (r *Registry) PermitEvents() <-chan ctrlevent.GenericEvent { return r.permitEvents }

// notify sends the events that follow from a transition. The lock must not be held: a controller
// that has not started yet takes no event.
func (r *Registry) notify(key types.NamespacedName, observations *Observations, do actions) {
	if do.notifyDependents {
		r.send(r.importEvents, accountObject(key))
		r.send(r.runEvents, accountObject(key))
	}
	if do.notifyWaiting {
		for _, waiting := range observations.takeAwaiting() {
			r.send(r.importEvents, importObject(waiting))
		}
	}
	if do.notifyAccount {
		r.send(r.accountEvents, accountObject(key))
	}
}

func (r *Registry) send(events chan<- ctrlevent.GenericEvent, object client.Object) {
	select {
	case events <- ctrlevent.GenericEvent{Object: object}:
	case <-r.ctx.Done():
	}
}

func accountObject(key types.NamespacedName) *v1alpha1.Account {
	object := &v1alpha1.Account{}
	object.Namespace, object.Name = key.Namespace, key.Name
	return object
}

func importObject(key types.NamespacedName) *v1alpha1.Import {
	object := &v1alpha1.Import{}
	object.Namespace, object.Name = key.Namespace, key.Name
	return object
}
