// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// maxModelStates ends a search that does not come to its end.
const maxModelStates = 2_000_000

// modelStep is one step of a model: to what state it leads, and whether it is one that nobody can
// count on, as a fault or a change of mind.
type modelStep[S comparable] struct {
	to    S
	fault bool
}

// modelSearch visits every state of a model that can be reached, the nearest first, and then makes
// sure that each can still come to rest without another fault.
type modelSearch[S comparable] struct {
	// next lists the steps from a state.
	next func(S) []modelStep[S]
	// inspect holds a state, and pass a step, against what is promised. pass may be nil.
	inspect func(S, func(violation string))
	pass    func(from, to S, violated func(string))
	// rests tells that a state is one to come to; stuck is the violation if that is out of reach.
	rests func(S) bool
	stuck string
	// stopAt ends the search when this violation is found.
	stopAt string

	known  map[S]int32
	states []S
	// leads has the states that each state leads to without a fault, from the first that led to it.
	leads [][]int32
	from  []int32
	// violations is what is wrong and in how many states, first in which it is seen first.
	violations, first map[string]int
}

func (m *modelSearch[S]) search(start S) {
	m.known, m.violations, m.first = map[S]int32{}, map[string]int{}, map[string]int{}
	m.number(start, -1)
	for i := 0; i < len(m.states) && (m.stopAt == "" || m.violations[m.stopAt] == 0); i++ {
		if i == maxModelStates {
			m.violated(i, "the search does not come to its end")
			return
		}
		state := m.states[i]
		violated := func(what string) { m.violated(i, what) }
		for _, step := range m.next(state) {
			to := m.number(step.to, int32(i)) //nolint:gosec // no more than maxModelStates
			if !step.fault {
				m.leads[i] = append(m.leads[i], to)
			}
			if m.pass != nil {
				m.pass(state, step.to, violated)
			}
		}
		m.inspect(state, violated)
	}
	if m.stopAt == "" || m.violations[m.stopAt] == 0 {
		m.rest()
	}
}

// rest looks for states from which none that rests is within reach.
func (m *modelSearch[S]) rest() {
	back := make([][]int32, len(m.states))
	var ends []int32
	for i, leads := range m.leads {
		for _, next := range leads {
			back[next] = append(back[next], int32(i))
		}
		if m.rests(m.states[i]) {
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
			m.violated(i, m.stuck)
		}
	}
}

func (m *modelSearch[S]) violated(state int, what string) {
	if m.violations[what]++; m.violations[what] == 1 {
		m.first[what] = state
	}
}

func (m *modelSearch[S]) number(state S, from int32) int32 {
	if i, ok := m.known[state]; ok {
		return i
	}
	i := int32(len(m.states)) //nolint:gosec // no more than maxModelStates and its next
	m.known[state] = i
	m.states = append(m.states, state)
	m.leads = append(m.leads, nil)
	m.from = append(m.from, from)
	return i
}

// trace is the shortest way to a state, one state a line.
func (m *modelSearch[S]) trace(state int) string {
	var lines []string
	for i := int32(state); i >= 0; i = m.from[i] { //nolint:gosec // a number of a state
		lines = append(lines, fmt.Sprintf("%+v", m.states[i]))
	}
	slices.Reverse(lines)
	return strings.Join(lines, "\n")
}

// sound fails the test for each violation that was found.
func (m *modelSearch[S]) sound(t *testing.T) {
	t.Helper()
	for violation, count := range m.violations {
		t.Errorf("%s (in %d of %d states), first so:\n%s", violation, count, len(m.states), m.trace(m.first[violation]))
	}
	t.Logf("%d states", len(m.states))
}

// finds fails the test unless the violation was found.
func (m *modelSearch[S]) finds(t *testing.T, violation string) {
	t.Helper()
	if m.violations[violation] == 0 {
		t.Errorf("%q is not found in %d states; found: %v", violation, len(m.states), m.violations)
		return
	}
	t.Logf("found among %d states, so:\n%s", len(m.states), m.trace(m.first[violation]))
}
