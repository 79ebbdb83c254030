// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import "sync"

// maxRunsData bounds what all the runs under way hold of their sources at once.
const maxRunsData = 128 << 20

// memory counts what the runs under way hold, so that many large ones take their turns.
type memory struct {
	mu   sync.Mutex
	held int
}

// take asks for so many bytes more for a run that holds some already. One run alone always
// gets what it needs: see maxRunData.
func (m *memory) take(more, held int) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.held > held && m.held+more > maxRunsData {
		return false
	}
	m.held += more
	return true
}

// give gives bytes back.
func (m *memory) give(held int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.held -= held
}

// hold takes memory for the run; the problem, if any, is that it has to wait for its turn.
func (r *ImportRunReconciler) hold(s *runScope, more int) error {
	if r.memory.take(more, s.held) {
		s.held += more
		return nil
	}
	r.release(s)
	p := waitingf(reasonProgressing, "waiting for other runs with much data to end")
	p.after = memoryPause
	return p
}

// release gives back what the run holds.
func (r *ImportRunReconciler) release(s *runScope) {
	r.memory.give(s.held)
	s.held = 0
}

// memoryPause is how often a run asks for its turn.
const memoryPause = 5 * backoffBase
