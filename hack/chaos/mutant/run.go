// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package mutant

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/integrator-operator/integrator-operator/hack/chaos/campaign"
	"github.com/integrator-operator/integrator-operator/hack/chaos/scenario"
)

// concurrent is how many mutants are tested at a time: most of it is waiting.
const concurrent = 4

// detection is how a mutant was detected.
type detection struct {
	mutant *Mutant
	// plans is how many were played until then, by is the name of the one that was violated, ""
	// when none was, and violation what it violated.
	plans         int
	by, violation string
	took          time.Duration
}

// Run has every mutant detected, or the one that is named, and prints by which plan it was.
func Run(ctx context.Context, c *campaign.Campaign, only, dir string) error {
	chosen, err := choose(only)
	if err != nil {
		return err
	}
	detections, failed := make([]detection, len(chosen)), make([]error, len(chosen))
	campaign.InParallel(ctx, concurrent, len(chosen), func(i int) {
		detections[i], failed[i] = detect(ctx, c, chosen[i], dir)
		fmt.Fprintf(c.Report.Out, "%s: %s: %s\n", chosen[i].Name, detections[i].by, detections[i].violation)
	})
	if err := errors.Join(failed...); err != nil {
		return err
	}
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	survived := printDetections(c.Report.Out, detections)
	fmt.Fprintf(c.Report.Out, "\n%d of %d mutants were detected; seed %d\n", len(detections)-survived, len(detections), c.Seed)
	if survived > 0 {
		return errors.New("a mutant was not detected")
	}
	return nil
}

// choose returns the mutant with a name, or all of them.
func choose(only string) (chosen []*Mutant, err error) {
	for i := range All {
		if only == "all" || All[i].Name == only {
			chosen = append(chosen, &All[i])
		}
	}
	if len(chosen) == 0 {
		return nil, fmt.Errorf("unknown mutant %q", only)
	}
	return chosen, nil
}

func printDetections(out io.Writer, detections []detection) (survived int) {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "\nmutant\tbelief\tdetected by\tinvariant\tplans\ttime\t\n")
	for _, d := range detections {
		if d.by == "" {
			survived++
			d.by = "NOT DETECTED"
		}
		invariant, _, _ := strings.Cut(d.violation, ":")
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%d\t%s\t\n", d.mutant.Name, d.mutant.Belief, d.by, invariant, d.plans, d.took.Round(time.Second))
	}
	_ = table.Flush() // nothing can be done if the output is closed
	return survived
}

// detect builds a mutant and plays plans until one violates an invariant.
func detect(ctx context.Context, c *campaign.Campaign, m *Mutant, dir string) (detection, error) {
	began := time.Now()
	d := detection{mutant: m}
	program, err := m.build(ctx, dir)
	if err != nil {
		return d, err
	}
	chosen, err := m.scenarios()
	if err != nil {
		return d, err
	}
	silent := &campaign.Campaign{Cluster: c.Cluster, Seed: c.Seed, Parallel: max(1, c.Parallel/concurrent), Program: program, Report: campaign.NewReport(io.Discard, c.Seed)}
	baselines, err := silent.Learn(ctx, chosen)
	if violated, ok := errors.AsType[*campaign.ViolatedError](err); ok {
		d.note(violated.Result)
		d.plans = 1
	} else if err != nil {
		return d, err
	}
	var plans []campaign.Plan
	for _, b := range baselines {
		plans = append(plans, append(b.Singles(), b.Around()...)...)
	}
	// The plans in the order of the report, as many at a time as are played in parallel.
	for ends := campaign.EndStatesOf(baselines); len(plans) > 0 && d.by == "" && ctx.Err() == nil; {
		n := min(len(plans), silent.Parallel)
		d.plans += n
		for _, r := range silent.Play(ctx, plans[:n], ends) {
			d.note(r)
		}
		plans = plans[n:]
	}
	d.took = time.Since(began)
	return d, context.Cause(ctx)
}

// note keeps the first result with a violation.
func (d *detection) note(r campaign.Result) {
	if len(r.Violations) > 0 && d.by == "" {
		d.by, d.violation = r.Plan.String(), r.Violations[0]
	}
}

func (m *Mutant) scenarios() (chosen []*scenario.Scenario, err error) {
	for _, name := range m.Scenarios {
		sc, err := scenario.Named(name)
		if err != nil {
			return nil, err
		}
		chosen = append(chosen, sc)
	}
	return chosen, nil
}
