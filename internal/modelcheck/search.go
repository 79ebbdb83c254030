// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package modelcheck searches every reachable state of a model. Only tests import it.
package modelcheck

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// maxStates ends a search that would not end otherwise.
const maxStates = 2_000_000

// Step is one step of a model.
type Step[S comparable] struct {
	// To is the state that it leads to.
	To S
	// Fault is set for a step that nobody can count on: a fault, or somebody's change of mind.
	Fault bool
}

// Search visits every reachable state of a model, the nearest first. Then it makes sure that each
// state can still come to rest without another fault.
type Search[S comparable] struct {
	// Next lists the steps from a state.
	Next func(S) []Step[S]
	// Inspect checks the invariants of a state.
	Inspect func(S, func(violation string))
	// Transition checks the invariants of a step. It may be nil.
	Transition func(from, to S, violated func(string))
	// Rests reports whether a state is one to come to. Stuck is the violation when no such state
	// is within reach.
	Rests func(S) bool
	Stuck string
	// StopAt ends the search as soon as this violation is found.
	StopAt string

	known  map[S]int32
	states []S
	// leads has the states that each state leads to without a fault, from the state that led to it
	// first.
	leads [][]int32
	from  []int32
	// violations counts the states of each violation, first is where it was found first.
	violations, first map[string]int
}

// Run searches from a state.
func (m *Search[S]) Run(start S) {
	m.known, m.violations, m.first = map[S]int32{}, map[string]int{}, map[string]int{}
	m.states, m.leads, m.from = nil, nil, nil
	m.number(start, -1)
	for i := 0; i < len(m.states) && !m.stopped(); i++ {
		if i == maxStates {
			m.violated(i, "the search does not end")
			return
		}
		m.visit(i)
	}
	if !m.stopped() {
		m.checkRest()
	}
}

func (m *Search[S]) stopped() bool { return m.StopAt != "" && m.violations[m.StopAt] > 0 }

func (m *Search[S]) visit(i int) {
	state := m.states[i]
	violated := func(what string) { m.violated(i, what) }
	for _, step := range m.Next(state) {
		to := m.number(step.To, int32(i)) //nolint:gosec // no more than maxStates
		if !step.Fault {
			m.leads[i] = append(m.leads[i], to)
		}
		if m.Transition != nil {
			m.Transition(state, step.To, violated)
		}
	}
	m.Inspect(state, violated)
}

// checkRest looks for states that cannot come to rest.
func (m *Search[S]) checkRest() {
	back := make([][]int32, len(m.states))
	var ends []int32
	for i, leads := range m.leads {
		for _, next := range leads {
			back[next] = append(back[next], int32(i))
		}
		if m.Rests(m.states[i]) {
			ends = append(ends, int32(i))
		}
	}
	reaches := make([]bool, len(m.states))
	for len(ends) > 0 {
		i := ends[len(ends)-1]
		ends = ends[:len(ends)-1]
		if !reaches[i] {
			reaches[i] = true
			ends = append(ends, back[i]...)
		}
	}
	for i, ok := range reaches {
		if !ok {
			m.violated(i, m.Stuck)
		}
	}
}

func (m *Search[S]) violated(state int, what string) {
	if m.violations[what]++; m.violations[what] == 1 {
		m.first[what] = state
	}
}

func (m *Search[S]) number(state S, from int32) int32 {
	if i, ok := m.known[state]; ok {
		return i
	}
	i := int32(len(m.states)) //nolint:gosec // no more than maxStates and its next
	m.known[state] = i
	m.states = append(m.states, state)
	m.leads = append(m.leads, nil)
	m.from = append(m.from, from)
	return i
}

// trace is the shortest path to a state, one state a line.
func (m *Search[S]) trace(state int) string {
	var lines []string
	for i := int32(state); i >= 0; i = m.from[i] { //nolint:gosec // a number of a state
		lines = append(lines, fmt.Sprintf("%+v", m.states[i]))
	}
	slices.Reverse(lines)
	return strings.Join(lines, "\n")
}

// Sound fails the test for each violation that was found.
func (m *Search[S]) Sound(t *testing.T) {
	t.Helper()
	for violation, count := range m.violations {
		t.Errorf("%s (in %d of %d states), first so:\n%s", violation, count, len(m.states), m.trace(m.first[violation]))
	}
	t.Logf("%d states", len(m.states))
}

// Finds fails the test unless the violation was found.
func (m *Search[S]) Finds(t *testing.T, violation string) {
	t.Helper()
	if m.violations[violation] == 0 {
		t.Errorf("%q is not found in %d states; found: %v", violation, len(m.states), m.violations)
		return
	}
	t.Logf("found among %d states, so:\n%s", len(m.states), m.trace(m.first[violation]))
}
