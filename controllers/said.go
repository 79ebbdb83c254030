// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"crypto/sha256"
	"encoding/json"
	"sync"

	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
)

// A status that is as it should be is not written, and its events wake nobody. Both are right
// only as long as the cache is: a process that starts with an old list finds nothing to write
// where there is, and a write of its predecessor may still be on its way. So what an object's
// last pass came to is remembered, and an event that says otherwise has it looked at again.

// said is the status that this process gave each object last, written or not, as a hash.
type said struct{ byKey sync.Map }

// note remembers the status before it is written: the event of that write then is no news.
func (s *said) note(object client.Object) {
	s.byKey.Store(client.ObjectKeyFromObject(object), statusHash(object))
}

// forget drops what is remembered of an object that is gone.
func (s *said) forget(key client.ObjectKey) { s.byKey.Delete(key) }

// contradicted lets an event through that brings another status.
func (s *said) contradicted() predicate.Predicate {
	return onUpdate(func(e event.UpdateEvent) bool {
		last, ok := s.byKey.Load(client.ObjectKeyFromObject(e.ObjectNew))
		if !ok {
			return false
		}
		now := statusHash(e.ObjectNew)
		// An event that is about something else has the status of before.
		return last != now && statusHash(e.ObjectOld) != now
	})
}

func statusHash(object client.Object) (sum [sha256.Size]byte) {
	var status any
	switch object := object.(type) {
	case *v1alpha1.Account:
		status = object.Status
	case *v1alpha1.Import:
		status = object.Status
	}
	text, err := json.Marshal(status)
	if err != nil {
		return sum
	}
	return sha256.Sum256(text)
}
