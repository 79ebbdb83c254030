// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// campaign plays plans, many at a time, and keeps what came of them.
type campaign struct {
	cluster *cluster
	seed    uint64
	lanes   int
	report  *report
	// program, if any, is played in the place of the manager: one with a seeded fault.
	program string
}

// result is what came of one plan.
type result struct {
	plan       plan
	reached    bool
	violations []string
	took       time.Duration
	// writes are those of the scenario after its prelude, and from what the plan did first.
	writes, rest []write
	ending       *ending
	log          string
}

// references is how often something is played to learn what it writes: what it wrote every
// time can be struck.
const references = 3

// attempts is how often a plan is played until its strikes were reached: what the manager
// writes depends on what it sees first.
const attempts = 5

// course is what a scenario does when nothing goes wrong.
type course struct {
	scenario *scenario
	writes   []write
	ending   *ending
}

// learn plays every scenario undisturbed.
func (c *campaign) learn(ctx context.Context, chosen []*scenario) ([]course, error) {
	var plans []plan
	for _, sc := range chosen {
		for range references {
			plans = append(plans, plan{scenario: sc.name, must: true, program: c.program})
		}
	}
	results := c.play(ctx, plans, nil)
	var courses []course
	for i, sc := range chosen {
		mine := results[i*references : (i+1)*references]
		for _, r := range mine {
			if len(r.violations) > 0 {
				return nil, &violated{r}
			}
		}
		var seen [][]write
		for _, r := range mine {
			seen = append(seen, r.writes)
		}
		courses = append(courses, course{sc, inAll(seen), mine[0].ending})
	}
	return courses, nil
}

// learnPairs plays again each of the plans that a pair begins with, and returns the pairs of
// those that hold.
func (c *campaign) learnPairs(ctx context.Context, done []result, endings map[string]*ending) (plans []plan) {
	done = slices.DeleteFunc(slices.Clone(done), func(r result) bool { return !r.beginsPair() })
	var again []plan
	for _, r := range done {
		again = append(again, slices.Repeat([]plan{r.plan}, references-1)...)
	}
	more := c.play(ctx, again, endings)
	for i, r := range done {
		seen := [][]write{r.followed()}
		for _, other := range more[i*(references-1) : (i+1)*(references-1)] {
			seen = append(seen, other.followed())
		}
		plans = append(plans, pairs(r.plan, inAll(seen))...)
	}
	return plans
}

// inAll are the writes of the first list that are in all others too.
func inAll(seen [][]write) []write {
	return slices.DeleteFunc(slices.Clone(seen[0]), func(w write) bool {
		return slices.ContainsFunc(seen[1:], func(other []write) bool {
			return !slices.ContainsFunc(other, func(o write) bool { return o.ID() == w.ID() })
		})
	})
}

// violated is the error of a plan that shows a fault.
type violated struct{ result }

func (v *violated) Error() string {
	return fmt.Sprintf("%s: %s", v.plan, strings.Join(v.violations, "; "))
}

// play plays plans in lanes and returns their results in order.
func (c *campaign) play(ctx context.Context, plans []plan, endings map[string]*ending) []result {
	c.report.expect(len(plans))
	results := make([]result, len(plans))
	inLanes(ctx, c.lanes, len(plans), func(i int) {
		results[i] = c.try(ctx, plans[i], endings[plans[i].scenario])
		c.report.add(results[i])
	})
	return results
}

// inLanes does something for each of n, so many at a time.
func inLanes(ctx context.Context, lanes, n int, do func(i int)) {
	next := make(chan int)
	var all sync.WaitGroup
	for range min(lanes, n) {
		all.Go(func() {
			for i := range next {
				do(i)
			}
		})
	}
	for i := 0; i < n && ctx.Err() == nil; i++ {
		next <- i
	}
	close(next)
	all.Wait()
}

// try plays a plan until it was reached, or violates something.
func (c *campaign) try(ctx context.Context, p plan, reference *ending) (r result) {
	for range attempts {
		if r = c.perform(ctx, p, reference); r.reached || len(r.violations) > 0 || ctx.Err() != nil {
			return r
		}
	}
	return r
}

// perform plays one plan from an empty namespace to rest.
func (c *campaign) perform(ctx context.Context, p plan, reference *ending) result {
	return c.performOn(ctx, c.cluster, p, reference, func(*stage) {})
}

// performOn is perform on a cluster of its own; set changes the stage before it is used.
func (c *campaign) performOn(ctx context.Context, on *cluster, p plan, reference *ending, set func(*stage)) (r result) {
	began := time.Now()
	r = result{plan: p}
	defer func() { r.took = time.Since(began) }()
	sc, err := scenarioNamed(p.scenario)
	if err != nil {
		r.violations = []string{err.Error()}
		return r
	}
	s, err := newStage(ctx, on, p, sc, c.seed)
	if err != nil {
		r.violations = []string{"the stage cannot be set: " + err.Error()}
		return r
	}
	defer s.close()
	set(s)
	// Others must not wait for a stage that fails.
	defer s.leave(ctx)
	prelude, err := s.perform(ctx)
	r.reached = s.reached()
	r.writes = s.trace.since(prelude)
	r.rest = s.trace.since(max(prelude, s.firstStrike))
	found, unread := s.ending(ctx)
	r.ending = found
	if s.problem != nil {
		r.violations = append(r.violations, "the harness failed: "+s.problem.Error())
	}
	switch {
	case err != nil:
		r.violations = append(r.violations, err.Error())
	case unread != nil:
		r.violations = append(r.violations, "the end cannot be read: "+unread.Error())
	default:
		r.violations = append(r.violations, s.judge(ctx, found, reference)...)
	}
	if len(r.violations) > 0 {
		r.log = s.log()
	}
	return r
}

// linger is how long other people go on when a scenario is over: some scans.
const linger = 2500 * time.Millisecond

// perform plays the stage's scenario, and returns how many writes its prelude took.
func (s *stage) perform(ctx context.Context) (prelude int, err error) {
	if err := s.prepare(ctx); err != nil {
		return 0, err
	}
	if err := s.play(ctx, s.scenario.prelude); err != nil {
		return 0, fmt.Errorf("I8: prelude: %w", err)
	}
	if err := s.rest(ctx, 2); err != nil {
		return 0, err
	}
	if s.meet != nil {
		s.meet(ctx)
	}
	prelude, _ = s.trace.standing()
	s.arm()
	others, stop := context.WithCancel(ctx)
	defer stop()
	if s.weather.others != nil {
		s.pending.Go(func() { s.weather.others(others, s) })
	}
	if err := s.play(ctx, s.scenario.steps); err != nil {
		return prelude, fmt.Errorf("I8: %w", err)
	}
	if s.weather.others != nil {
		pause(ctx, linger)
	}
	stop()
	if s.beforeRest != nil {
		s.beforeRest()
	}
	if err := s.rest(ctx, restScans); err != nil {
		return prelude, err
	}
	if s.held != nil {
		s.held(ctx)
	}
	switch {
	case s.lull != nil:
		return prelude, s.rolledBack(ctx)
	case s.plan.after != nil:
		return prelude, s.aftermath(ctx)
	default:
		return prelude, nil
	}
}

// leave has nobody wait for this stage any more.
func (s *stage) leave(ctx context.Context) {
	for _, arrive := range []func(context.Context){s.meet, s.held, s.lull} {
		if arrive != nil {
			arrive(ctx)
		}
	}
}

// aftermath plays what happens once the scenario is over.
func (s *stage) aftermath(ctx context.Context) error {
	before, _ := s.trace.standing()
	if err := s.plan.after.do(ctx, s); err != nil {
		return err
	}
	if err := s.play(ctx, []step{{until: s.plan.after.until}}); err != nil {
		return fmt.Errorf("I8: after %s: %w", s.plan.after.name, err)
	}
	if err := s.rest(ctx, restScans); err != nil {
		return err
	}
	for _, w := range s.trace.since(before) {
		if w.remote() && (!s.scenario.retakes || !s.plan.after.restores) {
			return fmt.Errorf("I8: %s after %s", w.ID(), s.plan.after.name)
		}
	}
	return nil
}

// prepare fills the account and starts the manager, or both of them.
func (s *stage) prepare(ctx context.Context) error {
	if s.plan.election() {
		if err := s.letLead(ctx); err != nil {
			return err
		}
	}
	if err := seedBystander(s); err != nil {
		return err
	}
	document, _ := s.sim.Import(accountName, bystanderID)
	s.bystander = fmt.Sprint(document)
	if s.weather.seed != nil {
		if err := s.weather.seed(s); err != nil {
			return err
		}
	}
	if s.scenario.seed != nil {
		if err := s.scenario.seed(s); err != nil {
			return err
		}
	}
	if err := s.addManager(); err != nil {
		return err
	}
	if s.plan.election() {
		return s.addManager()
	}
	return nil
}
