// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package limit

// Usage is how many requests have a permit, how many wait for one, and how many may have one.
type Usage struct{ Used, Waiting, Limit int }

// Usage returns the usage at this moment. An invocation that waits for its share waits for a permit.
func (l *Limiter) Usage() Usage {
	all, invokes := l.all.usage(), l.invokes.usage()
	// An invocation that has its share and waits for a place is in the queue of all.
	all.Waiting += invokes.Waiting
	return all
}

func (s *semaphore) usage() Usage {
	s.mu.Lock()
	defer s.mu.Unlock()
	return Usage{Used: s.taken, Waiting: s.waiting.Len(), Limit: s.size}
}
