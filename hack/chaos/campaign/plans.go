// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package campaign

import (
	"slices"
	"strings"

	"github.com/integrator-operator/integrator-operator/hack/chaos/fault"
	"github.com/integrator-operator/integrator-operator/hack/chaos/proxy"
	"github.com/integrator-operator/integrator-operator/hack/chaos/scenario"
)

// Which plans there are.

// Singles are the plans with one injection: every fault at every write of a baseline.
func (b Baseline) Singles() (plans []Plan) {
	if b.scenario.Races {
		return nil
	}
	for i, w := range b.writes {
		if !injectable(b.scenario, w) {
			continue
		}
		for _, f := range fault.All {
			if b.scenario.OnlyKills && !f.Kills {
				continue
			}
			ofAccount := w.Key == "patch.accounts.default.status"
			if f.Possible(w) && (!ofAccount || !f.Election && (!b.scenario.KeepsToken || f.Name != fault.TokenRotated)) {
				plans = append(plans, Plan{Scenario: b.scenario.Name, injections: []fault.Injection{{Write: w.ID(), Fault: f}}, mustSucceed: b.mustSucceed(i, f)})
			}
		}
	}
	return plans
}

// injectable reports whether faults are injected at a write. How often the status of an Account changes
// differs each time while many Imports become Ready, and in some other scenarios.
func injectable(sc *scenario.Scenario, w proxy.Write) bool {
	return (!sc.OnlyKills && !sc.AccountVaries || !strings.HasPrefix(w.Key, "patch.accounts.")) &&
		!slices.ContainsFunc(sc.Rivals, func(name string) bool { return strings.HasPrefix(w.Key+".", "patch.imports."+name+".") })
}

// mustSucceed reports whether a fault at the i-th write of a baseline leaves nothing unknown of a
// run: the process lives and Kubernetes comes back, or it dies before there is a claim.
func (b Baseline) mustSucceed(i int, f fault.Fault) bool {
	if f.Election {
		return false
	}
	if !f.Kills {
		// A run whose token was revoked is refused.
		return !b.writes[i].Remote() && f.Name != fault.TokenRotated
	}
	claim := b.claim()
	return claim < 0 || i < claim || i == claim && f.Name == fault.KillBefore
}

// claim is the place of a run's first claim among the writes, -1 when there is no run.
func (b Baseline) claim() int {
	return slices.IndexFunc(b.writes, func(w proxy.Write) bool { return strings.HasPrefix(w.Key, "patch.importruns.") })
}

// Around are the plans of all conditions and follow-ups.
func (b Baseline) Around() (plans []Plan) {
	for i, conditions := range scenario.AllConditions {
		if b.scenario.OnlyKills && conditions.Noise.Expired > 0 {
			// Of many Imports a watch shows a few before it ends, and the next waits up to 30 seconds.
			continue
		}
		if conditions.Watches && !b.scenario.Watches {
			continue
		}
		plans = append(plans, Plan{Scenario: b.scenario.Name, conditions: &scenario.AllConditions[i], mustSucceed: true})
	}
	for i := range scenario.FollowUps {
		if b.scenario.Replicas || b.scenario.Shards {
			// They are about a single manager.
			break
		}
		plans = append(plans, Plan{Scenario: b.scenario.Name, followUp: &scenario.FollowUps[i], mustSucceed: i == 0})
	}
	return plans
}

// firsts and seconds are the faults that make up a pair.
var (
	firsts  = []string{fault.KillBefore, "kill-unanswered", "kill-after", fault.Lost, "500", "504-applied"}
	seconds = []string{fault.KillBefore, "kill-unanswered", fault.Lost}
)

// beginsPair reports whether a result is of a plan that a pair begins with, and in order.
func (r Result) beginsPair() bool {
	return r.Plan.Scenario == "run" && len(r.Plan.injections) == 1 && r.Reached && len(r.Violations) == 0 &&
		slices.Contains(firsts, r.Plan.injections[0].Fault.Name)
}

// followed are the writes after the one at which the first fault was injected.
func (r Result) followed() []proxy.Write { return r.rest[min(1, len(r.rest)):] }

// pairs are the plans with a second injection at every write that followed the one of first.
func pairs(first Plan, followed []proxy.Write) (plans []Plan) {
	for _, w := range followed {
		for _, name := range seconds {
			f, err := fault.Named(name)
			if err != nil || !f.Possible(w) || strings.HasPrefix(w.Key, "patch.accounts.") {
				continue
			}
			plans = append(plans, Plan{Scenario: first.Scenario, injections: []fault.Injection{first.injections[0], {Write: w.ID(), Fault: f}}})
		}
	}
	return plans
}

// shortened keeps the plans that need no long wait.
func shortened(plans []Plan) (short []Plan) {
	for _, p := range plans {
		if len(p.injections) != 1 {
			continue
		}
		if f := p.injections[0].Fault; f.Kills || f.Name == fault.Lost || f.Name == fault.Conflict {
			short = append(short, p)
		}
	}
	return short
}
