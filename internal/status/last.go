// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package status

import (
	"crypto/sha256"
	"encoding/json"
	"sync"

	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/definition"
	"github.com/integrator-operator/integrator-operator/internal/watch"
)

// A status that is as it should be is not written, and events of a status wake no reconcile. Both
// are right only as long as the cache is: a process that starts with an old list finds nothing to
// write although there is something, and a write of its predecessor may still arrive. So the
// status that the last reconcile of an object came to is remembered, and an event that brings
// another one has the object reconciled again.

// LastStatus remembers the status that this process gave each object last, written or not, as a
// hash. Its zero value is ready for use, and it may be used from several goroutines. A [sync.Map] would take
// twice the memory.
type LastStatus struct {
	mu    sync.Mutex
	byKey map[client.ObjectKey]hash
}

// hash is the beginning of a SHA-256.
type hash [16]byte

// Note remembers the object's status. Call it before the status is written, so that the event of
// that write is no news.
func (s *LastStatus) Note(object client.Object) {
	now := statusHash(object)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.byKey == nil {
		s.byKey = map[client.ObjectKey]hash{}
	}
	s.byKey[client.ObjectKeyFromObject(object)] = now
}

// Forget drops what is remembered of a deleted object.
func (s *LastStatus) Forget(key client.ObjectKey) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.byKey, key)
}

// Contradicted lets an update through that brings another status than the remembered one.
func (s *LastStatus) Contradicted() predicate.Predicate {
	return watch.OnUpdate(s.contradictedBy)
}

func (s *LastStatus) contradictedBy(e event.UpdateEvent) bool {
	s.mu.Lock()
	last, ok := s.byKey[client.ObjectKeyFromObject(e.ObjectNew)]
	s.mu.Unlock()
	if !ok {
		return false
	}
	now := statusHash(e.ObjectNew)
	// An event that is about something else leaves the status as it was.
	return last != now && statusHash(e.ObjectOld) != now
}

func statusHash(object client.Object) (sum hash) {
	var status any
	switch object := object.(type) {
	case *v1alpha1.Account:
		status = object.Status
	case *v1alpha1.Import:
		// The cache may have it stripped.
		state := object.Status
		definition.StripStatus(&state)
		status = state
	}
	text, err := json.Marshal(status)
	if err != nil {
		return sum
	}
	whole := sha256.Sum256(text)
	return hash(whole[:len(sum)])
}
