// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package fault

import (
	"fmt"
	"path"
	"slices"
	"strconv"
)

// Request is a request as rules see it. Account and Source are empty if it was not authenticated.
type Request struct{ Account, Method, Path, Route, Source string }

// Active is a rule in force.
type Active struct {
	Rule
	released chan struct{} // closed when the rule is released
}

// Rules are the rules in force, oldest first. They are not safe for concurrent use.
type Rules struct {
	last  int
	rules []*Active
}

// Add adds a rule and returns its id.
func (rs *Rules) Add(r Rule) (string, error) {
	if err := r.check(); err != nil {
		return "", fmt.Errorf("rule: %w", err)
	}
	rs.last++
	r.ID = "rule-" + strconv.Itoa(rs.last)
	r.Nth, r.Every = max(r.Nth, 1), max(r.Every, 1)
	r.Matched, r.Fired = 0, 0
	rs.rules = append(rs.rules, &Active{Rule: r, released: make(chan struct{})})
	return r.ID, nil
}

// List returns the rules with how often they matched and fired.
func (rs *Rules) List() []Rule {
	out := make([]Rule, len(rs.rules))
	for i, r := range rs.rules {
		out[i] = r.Rule
	}
	return out
}

// Release lets the requests that a rule delays continue, and those to come. It reports whether the
// rule exists.
func (rs *Rules) Release(id string) bool {
	i := rs.index(id)
	if i < 0 {
		return false
	}
	rs.rules[i].release()
	return true
}

// Remove releases and removes a rule. It reports whether the rule exists.
func (rs *Rules) Remove(id string) bool {
	i := rs.index(id)
	if i < 0 {
		return false
	}
	rs.rules[i].release()
	rs.rules = slices.Delete(rs.rules, i, i+1)
	return true
}

// Clear releases and removes all rules.
func (rs *Rules) Clear() {
	for _, r := range rs.rules {
		r.release()
	}
	rs.rules = nil
}

// Match counts a request for every rule that matches it, and returns the first of them that is due,
// nil if there is none.
func (rs *Rules) Match(phase Phase, request Request) *Active {
	var fired *Active
	for _, r := range rs.rules {
		if r.Phase != phase || !r.matches(request) {
			continue
		}
		r.Matched++
		due := r.Matched >= r.Nth && (r.Matched-r.Nth)%r.Every == 0 && (r.Count == 0 || r.Fired < r.Count)
		if fired == nil && due {
			r.Fired++
			fired = r
		}
	}
	return fired
}

func (rs *Rules) index(id string) int {
	return slices.IndexFunc(rs.rules, func(r *Active) bool { return r.ID == id })
}

func (r *Active) release() {
	select {
	case <-r.released:
	default:
		close(r.released)
	}
}

func (r *Active) matches(request Request) bool {
	if r.Path != "" {
		if ok, _ := path.Match(r.Path, request.Path); !ok {
			return false
		}
	}
	return (r.Account == "" || r.Account == request.Account) &&
		(r.Method == "" || r.Method == request.Method) &&
		(r.Route == "" || r.Route == request.Route) &&
		(r.Source == "" || r.Source == request.Source)
}
