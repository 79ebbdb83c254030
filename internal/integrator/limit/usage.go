// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package limit

// Usage is how many requests have a permit, how many wait for one, and how many may have one.
type Usage struct{ Used, Waiting, Limit int }

// Usage returns the usage at this moment.
func (l *Limiter) Usage() Usage {
	l.mu.Lock()
	defer l.mu.Unlock()
	return Usage{Used: l.taken, Waiting: len(l.waiting.all()), Limit: l.size}
}
