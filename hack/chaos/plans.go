// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"slices"
	"strings"
)

// singles are the plans with one strike: every fault at every write of a course.
func singles(c course) (plans []plan) {
	for i, w := range c.writes {
		for _, f := range faults {
			if f.possible(w) && (!f.election || w.Key != "patch.accounts.default.status") {
				plans = append(plans, plan{scenario: c.scenario.name, strikes: []strike{{w.ID(), f}}, must: c.must(i, f)})
			}
		}
	}
	return plans
}

// possible tells that a fault can happen to a write.
func (f fault) possible(w write) bool {
	if w.remote() {
		return f.remote
	}
	return f.kubernetes
}

// remote tells that a write goes to the API: its key begins with an HTTP method.
func (w *write) remote() bool { return w.Key[0] >= 'A' && w.Key[0] <= 'Z' }

// must tells that a fault at the i-th write of a course leaves nothing unknown of a run: the
// process lives and Kubernetes comes back, or it dies before there was a claim.
func (c course) must(i int, f fault) bool {
	if f.election {
		return false
	}
	if !f.kills {
		// A run that meets a token that was taken back is refused.
		return !c.writes[i].remote() && f.name != tokenRotated
	}
	claim := c.claim()
	return claim < 0 || i < claim || i == claim && f.name == "kill-before"
}

// claim is the place of a run's first claim among the writes, -1 when there is no run.
func (c course) claim() int {
	return slices.IndexFunc(c.writes, func(w write) bool { return strings.HasPrefix(w.Key, "patch.importruns.") })
}

// around are the plans of all weathers and aftermaths.
func around(c course) (plans []plan) {
	for i := range weathers {
		plans = append(plans, plan{scenario: c.scenario.name, sky: &weathers[i], must: true})
	}
	for i := range aftermaths {
		plans = append(plans, plan{scenario: c.scenario.name, after: &aftermaths[i], must: i == 0})
	}
	return plans
}

// firsts and seconds are the faults that make up a pair.
var (
	firsts  = []string{"kill-before", "kill-unanswered", "kill-after", "lost", "500", "504-applied"}
	seconds = []string{"kill-before", "kill-unanswered", "lost"}
)

// beginsPair tells that a result is of a plan that a pair begins with, and that it held.
func (r result) beginsPair() bool {
	return r.plan.scenario == "run" && len(r.plan.strikes) == 1 && r.reached && len(r.violations) == 0 &&
		slices.Contains(firsts, r.plan.strikes[0].fault.name)
}

// followed are the writes after the one that was struck first.
func (r result) followed() []write { return r.rest[min(1, len(r.rest)):] }

// pairs are the plans with a second strike at every write that followed the one of first.
func pairs(first plan, followed []write) (plans []plan) {
	for _, w := range followed {
		for _, name := range seconds {
			f, err := named(faults, name, func(f *fault) string { return f.name })
			if err != nil || !f.possible(w) || strings.HasPrefix(w.Key, "patch.accounts.") {
				continue
			}
			plans = append(plans, plan{scenario: first.scenario, strikes: []strike{first.strikes[0], {w.ID(), *f}}})
		}
	}
	return plans
}
