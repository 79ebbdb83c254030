// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package campaign plays every scenario with every fault at every write, under all conditions and
// through outages, and reports what was violated.
package campaign

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/integrator-operator/integrator-operator/hack/chaos/cluster"
	"github.com/integrator-operator/integrator-operator/hack/chaos/proxy"
	"github.com/integrator-operator/integrator-operator/hack/chaos/scenario"
)

// Campaign plays plans, many at a time, and keeps the results.
type Campaign struct {
	Cluster *cluster.Cluster
	// Seed is that of all random numbers, Parallel how many plans are played at a time.
	Seed     uint64
	Parallel int
	Report   *Report
	// Program, if any, is played instead of the shipped manager: a mutant.
	Program string
}

// Result is what came of one plan.
type Result struct {
	Plan Plan
	// Reached is true when everything that the plan does was done.
	Reached    bool
	Violations []string

	took time.Duration
	// writes are those of the scenario after its prelude, rest those from the first injection on.
	writes, rest []proxy.Write
	end          *scenario.EndState
	log          string
}

const (
	// references is how often something is played to learn what it writes: a fault can be injected
	// at a write that is made every time.
	references = 3
	// attempts is how often a plan is played until its injections were made: what the manager writes
	// depends on what it sees first.
	attempts = 5
)

// Baseline is what a scenario does when nothing goes wrong.
type Baseline struct {
	scenario *scenario.Scenario
	writes   []proxy.Write
	end      *scenario.EndState
}

// EndStates are the end states of baselines by the names of their scenarios.
type EndStates map[string]*scenario.EndState

// EndStatesOf returns the end states of baselines.
func EndStatesOf(baselines []Baseline) EndStates {
	all := EndStates{}
	for _, b := range baselines {
		all[b.scenario.Name] = b.end
	}
	return all
}

// ViolatedError is the error of a scenario that violates an invariant when nothing goes wrong.
type ViolatedError struct{ Result Result }

func (e *ViolatedError) Error() string {
	return fmt.Sprintf("%s: %s", e.Result.Plan, strings.Join(e.Result.Violations, "; "))
}

// Learn plays every scenario undisturbed.
func (c *Campaign) Learn(ctx context.Context, chosen []*scenario.Scenario) ([]Baseline, error) {
	var plans []Plan
	for _, sc := range chosen {
		plans = append(plans, slices.Repeat([]Plan{{Scenario: sc.Name, mustSucceed: true}}, references)...)
	}
	results := c.Play(ctx, plans, nil)
	var baselines []Baseline
	for i, sc := range chosen {
		mine := results[i*references : (i+1)*references]
		var writes [][]proxy.Write
		for _, r := range mine {
			if len(r.Violations) > 0 {
				return nil, &ViolatedError{r}
			}
			writes = append(writes, r.writes)
		}
		baselines = append(baselines, Baseline{sc, inAll(writes), mine[0].end})
	}
	return baselines, nil
}

// learnPairs plays again each of the plans that a pair begins with, and returns the pairs.
func (c *Campaign) learnPairs(ctx context.Context, done []Result, ends EndStates) (plans []Plan) {
	done = slices.DeleteFunc(slices.Clone(done), func(r Result) bool { return !r.beginsPair() })
	var again []Plan
	for _, r := range done {
		again = append(again, slices.Repeat([]Plan{r.Plan}, references-1)...)
	}
	more := c.Play(ctx, again, ends)
	for i, r := range done {
		writes := [][]proxy.Write{r.followed()}
		for _, other := range more[i*(references-1) : (i+1)*(references-1)] {
			writes = append(writes, other.followed())
		}
		plans = append(plans, pairs(r.Plan, inAll(writes))...)
	}
	return plans
}

// inAll are the writes of the first list that are in all others too.
func inAll(lists [][]proxy.Write) []proxy.Write {
	return slices.DeleteFunc(slices.Clone(lists[0]), func(w proxy.Write) bool {
		return slices.ContainsFunc(lists[1:], func(other []proxy.Write) bool {
			return !slices.ContainsFunc(other, func(o proxy.Write) bool { return o.ID() == w.ID() })
		})
	})
}

// Play plays plans in parallel and returns their results in order. ends, if any, are what the
// scenarios have to end with.
func (c *Campaign) Play(ctx context.Context, plans []Plan, ends EndStates) []Result {
	c.Report.expect(len(plans))
	results := make([]Result, len(plans))
	InParallel(ctx, c.Parallel, len(plans), func(i int) {
		results[i] = c.try(ctx, plans[i], ends[plans[i].Scenario])
		c.Report.add(results[i])
	})
	return results
}

// try plays a plan until it is reached, or violates something.
func (c *Campaign) try(ctx context.Context, p Plan, reference *scenario.EndState) (r Result) {
	for range attempts {
		if r = c.Execute(ctx, p, Setup{Reference: reference}); r.Reached || len(r.Violations) > 0 || ctx.Err() != nil {
			return r
		}
	}
	return r
}
