// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package limit

import (
	"container/list"
	"context"
	"sync"
)

// semaphore hands out at most size places at a time, first come, first served. Unlike
// golang.org/x/sync/semaphore it can be resized while places are taken: an Account's maxInFlight
// may be edited at any time.
type semaphore struct {
	mu      sync.Mutex
	size    int
	taken   int
	waiting list.List // of chan struct{}, closed when the waiter is given a place
}

// acquire waits for a place, or for the end of ctx. Without an error the caller must release it.
func (s *semaphore) acquire(ctx context.Context) error {
	s.mu.Lock()
	if s.taken < s.size { // then nobody waits
		s.taken++
		s.mu.Unlock()
		return nil
	}
	ready := make(chan struct{})
	waiter := s.waiting.PushBack(ready)
	s.mu.Unlock()

	select {
	case <-ready:
		return nil
	case <-ctx.Done():
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-ready: // a place was given at the same moment: pass it on
		s.taken--
		s.admit()
	default:
		s.waiting.Remove(waiter)
	}
	return ctx.Err()
}

func (s *semaphore) release() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.taken--
	s.admit()
}

// capacity is the number of places.
func (s *semaphore) capacity() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.size
}

// resize changes the number of places. Places beyond the new size stay taken until released.
func (s *semaphore) resize(size int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.size = size
	s.admit()
}

// admit gives free places to waiters. The caller holds the lock.
func (s *semaphore) admit() {
	for s.taken < s.size {
		first := s.waiting.Front()
		if first == nil {
			return
		}
		s.taken++
		close(s.waiting.Remove(first).(chan struct{}))
	}
}
