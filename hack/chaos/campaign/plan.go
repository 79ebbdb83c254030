// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package campaign

import (
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
	"time"

	"github.com/integrator-operator/integrator-operator/hack/chaos/cluster"
	"github.com/integrator-operator/integrator-operator/hack/chaos/fault"
	"github.com/integrator-operator/integrator-operator/hack/chaos/scenario"
)

// Plan is one scenario with what goes wrong in it: injections at writes, one after the other; or
// conditions around it; or a follow-up once it is over; or an outage.
type Plan struct {
	Scenario string

	injections []fault.Injection
	conditions *scenario.Conditions
	followUp   *scenario.FollowUp
	outage     *cluster.Outage

	// mustSucceed is true when no run may finish in an unusual way: nothing obscures whether it was
	// sent.
	mustSucceed bool
}

// String is the name by which a plan can be repeated: scenario/write/fault, with another
// /write/fault for a second injection, scenario/conditions/name or scenario/after/name.
func (p Plan) String() string {
	parts := []string{p.Scenario}
	for _, i := range p.injections {
		parts = append(parts, i.Write, i.Fault.Name)
	}
	if p.conditions != nil {
		parts = append(parts, "conditions", p.conditions.Name)
	}
	if p.followUp != nil {
		parts = append(parts, "after", p.followUp.Name)
	}
	if p.outage != nil {
		parts = append(parts, "outage", p.outage.Name)
	}
	return strings.Join(parts, "/")
}

// column is where the report counts the plan.
func (p Plan) column() string {
	switch {
	case p.conditions != nil:
		return p.conditions.Name
	case p.followUp != nil:
		return p.followUp.Name
	case p.outage != nil:
		return p.outage.Name
	case len(p.injections) == 1:
		return p.injections[0].Fault.Name
	case len(p.injections) > 1:
		return "pairs"
	default:
		return "reference"
	}
}

// ParsePlan reads the name of a plan.
func ParsePlan(name string) (Plan, error) {
	parts := strings.Split(name, "/")
	p := Plan{Scenario: parts[0]}
	if len(parts)%2 == 0 {
		return p, fmt.Errorf("plan %q: a scenario is followed by pairs: a write and a fault", name)
	}
	for i := 1; i < len(parts); i += 2 {
		var err error
		switch what := parts[i+1]; parts[i] {
		case "conditions":
			p.conditions, err = scenario.ConditionsNamed(what)
		case "after":
			p.followUp, err = scenario.FollowUpNamed(what)
		case "outage":
			err = errors.New("an outage hits all scenarios at once: use --parts=outages")
		default:
			var f fault.Fault
			f, err = fault.Named(what)
			p.injections = append(p.injections, fault.Injection{Write: parts[i], Fault: f})
		}
		if err != nil {
			return p, fmt.Errorf("plan %q: %w", name, err)
		}
	}
	return p, nil
}

// election reports whether two managers take part and elect a leader.
func (p Plan) election() bool { return p.any(func(f fault.Fault) bool { return f.Election }) }

// kills reports whether a process is killed, or frozen.
func (p Plan) kills() bool {
	return p.any(func(f fault.Fault) bool { return f.Kills || f.Election })
}

func (p Plan) any(is func(fault.Fault) bool) bool {
	return slices.ContainsFunc(p.injections, func(i fault.Injection) bool { return is(i.Fault) })
}

// noise is the noise of the plan's sandbox.
func (p Plan) noise(seed uint64) *fault.Noise {
	var config fault.NoiseConfig
	if p.conditions != nil {
		config = p.conditions.Noise
	}
	hash := fnv.New64a()
	_, _ = hash.Write([]byte(p.String())) // it never fails
	noise := fault.NewNoise(config, seed^hash.Sum64())
	if p.any(func(f fault.Fault) bool { return f.Name == fault.StaleLists }) {
		noise.RecordLists()
	}
	return noise
}

// createUnconfirmedTimeout is how long the manager waits for an unanswered creation to turn up:
// longer than a process takes to start again, and than a call is delayed while etcd is copied.
func (p Plan) createUnconfirmedTimeout() time.Duration {
	switch {
	case p.outage != nil && p.outage.Rollback:
		return 50 * time.Second
	case p.any(func(f fault.Fault) bool { return f.Name == fault.KillLate }):
		// A call may take half of the timeout, and then be late.
		return 2 * fault.Latest
	default:
		return 4 * time.Second
	}
}
