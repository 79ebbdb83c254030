// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package limit

// Usage is how many requests have a permit, how many wait for one, and how many may have one. CircuitOpen:
// the API does not answer, and one request at a time shows whether it does again.
type Usage struct {
	Used, Waiting, Limit int
	CircuitOpen          bool
}

// Usage returns the usage at this moment.
func (l *Limiter) Usage() Usage {
	l.mu.Lock()
	defer l.mu.Unlock()
	return Usage{Used: l.taken, Waiting: len(l.waiting.all()), Limit: l.size, CircuitOpen: l.circuit.open}
}
