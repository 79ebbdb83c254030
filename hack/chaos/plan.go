// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// plan is one scenario with what goes wrong in it: strikes at writes, one after the other;
// or a weather; or something that happens once it is over.
type plan struct {
	scenario string
	strikes  []strike
	sky      *weather
	after    *aftermath
	outage   *outage

	// must tells that no run may end but well: nothing obscures whether it was sent.
	must bool
	// metrics, if any, is where the manager serves its metrics.
	metrics string
	// user, if any, is who the manager is to Kubernetes; program, what is run for it.
	user, program string
}

// strike is a fault at one write.
type strike struct {
	write string
	fault fault
}

// String is the name by which a plan can be repeated: scenario/write/fault, with another
// /write/fault for a second strike, scenario/weather/name or scenario/after/name.
func (p plan) String() string {
	parts := []string{p.scenario}
	for _, s := range p.strikes {
		parts = append(parts, s.write, s.fault.name)
	}
	if p.sky != nil {
		parts = append(parts, "weather", p.sky.name)
	}
	if p.after != nil {
		parts = append(parts, "after", p.after.name)
	}
	if p.outage != nil {
		parts = append(parts, "outage", p.outage.name)
	}
	return strings.Join(parts, "/")
}

// column is where the report counts the plan.
func (p plan) column() string {
	switch {
	case p.sky != nil:
		return p.sky.name
	case p.after != nil:
		return p.after.name
	case p.outage != nil:
		return p.outage.name
	case len(p.strikes) == 1:
		return p.strikes[0].fault.name
	case len(p.strikes) > 1:
		return "pairs"
	default:
		return "reference"
	}
}

// parsePlan reads the name of a plan.
func parsePlan(name string) (plan, error) {
	parts := strings.Split(name, "/")
	p := plan{scenario: parts[0]}
	if len(parts)%2 == 0 {
		return p, fmt.Errorf("plan %q: a scenario is followed by pairs: a write and a fault", name)
	}
	for i := 1; i < len(parts); i += 2 {
		var err error
		switch what := parts[i+1]; parts[i] {
		case "weather":
			p.sky, err = named(weathers, what, func(w *weather) string { return w.name })
		case "after":
			p.after, err = named(aftermaths, what, func(a *aftermath) string { return a.name })
		case "outage":
			err = errors.New("an outage hits all scenarios at once: use --parts=outages")
		default:
			var found *fault
			if found, err = named(faults, what, func(f *fault) string { return f.name }); err == nil {
				p.strikes = append(p.strikes, strike{parts[i], *found})
			}
		}
		if err != nil {
			return p, fmt.Errorf("plan %q: %w", name, err)
		}
	}
	return p, nil
}

// named finds one of a table by its name.
func named[T any](table []T, name string, of func(*T) string) (*T, error) {
	for i := range table {
		if of(&table[i]) == name {
			return &table[i], nil
		}
	}
	return nil, fmt.Errorf("there is no %q", name)
}

// election tells that two managers take part, of which one leads.
func (p plan) election() bool { return p.any(func(f fault) bool { return f.election }) }

// kills tells that a process is killed, or frozen.
func (p plan) kills() bool { return p.any(func(f fault) bool { return f.kills || f.election }) }

func (p plan) any(is func(fault) bool) bool {
	return slices.ContainsFunc(p.strikes, func(s strike) bool { return is(s.fault) })
}

// weather is what the plan's stage has around it.
func (p plan) weather(seed uint64) *weather {
	sky := p.sky
	if sky == nil {
		sky = &weather{}
	}
	w := sky.of(seed)
	if p.any(func(f fault) bool { return f.name == staleLists }) {
		w.record()
	}
	return w
}

// createUnconfirmedTimeout is how long the manager waits for an unanswered creation to turn up: longer than
// a process takes to start again, and than a call is held while etcd is copied.
func (p plan) createUnconfirmedTimeout() time.Duration {
	switch {
	case p.outage != nil && p.outage.rollback:
		return 50 * time.Second
	case p.any(func(f fault) bool { return f.name == killLate }):
		// A call may take half of the grace, and then be late.
		return 2 * latest
	default:
		return 4 * time.Second
	}
}
