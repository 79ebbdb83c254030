// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package campaign

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/integrator-operator/integrator-operator/hack/chaos/cluster"
	"github.com/integrator-operator/integrator-operator/hack/chaos/sandbox"
	"github.com/integrator-operator/integrator-operator/hack/chaos/scenario"
)

// Selection is which plans to play.
type Selection struct {
	// Scenarios are names; none for all.
	Scenarios []string
	// Parts are some of PartFaults and so on.
	Parts []string
	// Short has only the kills and lost answers of few scenarios played.
	Short bool
	// Clusters makes the control plane for outages.
	Clusters cluster.Options
}

// The parts of a campaign.
const (
	PartFaults     = "faults"
	PartConditions = "conditions"
	PartPairs      = "pairs"
	PartOutages    = "outages"
)

// Parts are all parts of a campaign.
var Parts = []string{PartFaults, PartConditions, PartPairs, PartOutages}

// ErrFailed is returned for a plan that violates an invariant, or is not reached.
var ErrFailed = errors.New("a plan violated an invariant, or was not reached")

// scenarios are those that are selected.
func (s Selection) scenarios() (chosen []*scenario.Scenario, err error) {
	names := s.Scenarios
	if s.Short && len(names) == 0 {
		names = []string{"create", "run"}
	}
	if len(names) == 0 {
		for i := range scenario.All {
			chosen = append(chosen, &scenario.All[i])
		}
	}
	for _, name := range names {
		sc, err := scenario.Named(name)
		if err != nil {
			return nil, err
		}
		chosen = append(chosen, sc)
	}
	return chosen, nil
}

func (s Selection) check() error {
	for _, part := range s.Parts {
		if !slices.Contains(Parts, part) {
			return fmt.Errorf("unknown part %q, there are %q", part, Parts)
		}
	}
	return nil
}

// Run plays everything that is selected and prints the report.
func (c *Campaign) Run(ctx context.Context, s Selection) error {
	if err := s.check(); err != nil {
		return err
	}
	chosen, err := s.scenarios()
	if err != nil {
		return err
	}
	baselines, err := c.Learn(ctx, chosen)
	if err != nil {
		return err
	}
	part := func(name string) bool { return slices.Contains(s.Parts, name) }
	var plans []Plan
	for _, b := range baselines {
		if part(PartFaults) {
			plans = append(plans, b.Singles()...)
		}
		if part(PartConditions) {
			plans = append(plans, b.Around()...)
		}
	}
	if s.Short {
		plans = shortened(plans)
	}
	var outages sync.WaitGroup
	if part(PartOutages) && !s.Short {
		outages.Go(func() { c.playOutages(ctx, s.Clusters, baselines) })
	}
	ends := EndStatesOf(baselines)
	done := c.Play(ctx, plans, ends)
	if part(PartPairs) && !s.Short {
		c.Play(ctx, c.learnPairs(ctx, done, ends), ends)
	}
	outages.Wait()
	c.Report.write()
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	if !c.Report.passed() {
		return ErrFailed
	}
	return nil
}

// Repeat plays one plan, and prints its writes, the manager's log and the end state.
func (c *Campaign) Repeat(ctx context.Context, name string) error {
	p, err := ParsePlan(name)
	if err != nil {
		return err
	}
	sc, err := scenario.Named(p.Scenario)
	if err != nil {
		return err
	}
	baselines, err := c.Learn(ctx, []*scenario.Scenario{sc})
	if err != nil {
		return err
	}
	for _, known := range append(baselines[0].Singles(), baselines[0].Around()...) {
		if known.String() == name {
			p.mustSucceed = known.mustSucceed
		}
	}
	r := c.try(ctx, p, baselines[0].end)
	out := c.Report.Out
	for _, w := range r.writes {
		fmt.Fprintf(out, "%s  %-50s %d\n", w.At.Format("15:04:05.000"), w.ID(), w.Status)
	}
	fmt.Fprintln(out, r.log)
	if r.end != nil {
		for _, object := range r.end.Objects() {
			fmt.Fprintln(out, object.GetName(), object.GetAnnotations(), string(sandbox.StatusOf(object)))
		}
	}
	c.Report.add(r)
	if len(r.Violations) > 0 || !r.Reached {
		return ErrFailed
	}
	fmt.Fprintln(out, "passed")
	return nil
}
