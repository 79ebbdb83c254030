// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Command chaos breaks things around the manager, as it is, and checks that nothing is done
// twice and nothing is lost. Every scenario is played undisturbed first, which numbers the
// writes of the manager to Kubernetes and to the API; then again for every fault at every one
// of these writes.
//
// It is run from the top of the checkout: make chaos.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/go-logr/logr"

	"github.com/integrator-operator/integrator-operator/hack/internal/local"
)

type options struct {
	assets, manager string
	plan, scenarios string
	parts           string
	seed            uint64
	lanes           int
	short, verbose  bool
	prove           string
	rights          bool
	soak            time.Duration
}

func main() {
	var o options
	flag.StringVar(&o.assets, "assets", os.Getenv("KUBEBUILDER_ASSETS"), "directory of etcd, kube-apiserver and kubectl")
	flag.StringVar(&o.manager, "manager", "bin/manager", "the manager's program")
	flag.StringVar(&o.plan, "plan", "", "play this plan alone, and print the manager's log")
	flag.StringVar(&o.scenarios, "scenarios", "", "play these scenarios alone: names with commas")
	flag.Uint64Var(&o.seed, "seed", uint64(time.Now().Unix()), "of all that is random") //nolint:gosec // it is after 1970
	flag.StringVar(&o.parts, "parts", "faults,weather,pairs,outages", "parts of the campaign to play")
	flag.IntVar(&o.lanes, "lanes", 32, "plans that are played at a time")
	flag.BoolVar(&o.short, "short", false, "play a small part: the kills and lost answers of a creation and a run")
	flag.StringVar(&o.prove, "prove", "", "put the campaign to the test instead: build this seeded bug into the manager, or all one after the other, and find them")
	flag.DurationVar(&o.soak, "soak", 0, "let users and others do as they like for this time instead, with a fault now and then")
	flag.BoolVar(&o.rights, "rights", false, "take each right of the manager's role away instead, and see that it is missed")
	flag.BoolVar(&o.verbose, "v", false, "print every plan")
	flag.Parse()
	ctrl.SetLogger(logr.Discard())

	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer cancel()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "chaos:", err)
		os.Exit(1)
	}
}

var errBroken = errors.New("a plan was violated, or not reached")

// run starts a cluster, plays what is asked for, and prints the report.
func run(ctx context.Context, o options) error {
	if o.assets == "" {
		return errors.New("--assets is missing: make chaos builds a control plane and passes its directory")
	}
	dir, err := os.MkdirTemp("", "integrator-chaos-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }() // it is temporary
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	c, err := startCluster(ctx, "shared", dir, o.assets, o.manager, func(err error) { cancel(err) })
	if c != nil {
		defer c.processes.Stop(time.Second)
	}
	if err != nil {
		return fmt.Errorf("start a cluster: %w", err)
	}
	campaign := &campaign{cluster: c, seed: o.seed, lanes: o.lanes, report: newReport(os.Stdout, o.seed)}
	campaign.report.verbose = o.verbose
	if o.prove != "" {
		return campaign.prove(ctx, dir, o.prove)
	}
	if o.soak > 0 {
		return campaign.soak(ctx, o.soak)
	}
	if o.rights {
		return campaign.rights(ctx)
	}
	if o.plan != "" {
		return campaign.repeat(ctx, o.plan)
	}
	if err := campaign.all(ctx, o, dir); err != nil {
		return err
	}
	campaign.report.show()
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	if !campaign.report.held() {
		return errBroken
	}
	return nil
}

// repeat plays one plan and tells all about it.
func (c *campaign) repeat(ctx context.Context, name string) error {
	p, err := parsePlan(name)
	if err != nil {
		return err
	}
	sc, err := scenarioNamed(p.scenario)
	if err != nil {
		return err
	}
	courses, err := c.learn(ctx, []*scenario{sc})
	if err != nil {
		return err
	}
	for _, single := range append(singles(courses[0]), around(courses[0])...) {
		if single.String() == name {
			p.must = single.must
		}
	}
	r := c.try(ctx, p, courses[0].ending)
	for _, w := range r.writes {
		fmt.Printf("%s  %-50s %d\n", w.At.Format("15:04:05.000"), w.ID(), w.Status)
	}
	fmt.Println(r.log)
	if r.ending != nil {
		for _, object := range r.ending.objects() {
			fmt.Println(object.GetName(), object.GetAnnotations(), string(statusOf(object)))
		}
	}
	c.report.add(r)
	if len(r.violations) > 0 || !r.reached {
		return errBroken
	}
	fmt.Println("held")
	return nil
}

// all plays everything, or the parts that are asked for.
func (c *campaign) all(ctx context.Context, o options, dir string) error {
	chosen, err := choose(o)
	if err != nil {
		return err
	}
	courses, err := c.learn(ctx, chosen)
	if err != nil {
		return err
	}
	part := func(name string) bool { return slices.Contains(strings.Split(o.parts, ","), name) }
	endings := map[string]*ending{}
	var plans []plan
	for _, course := range courses {
		endings[course.scenario.name] = course.ending
		if part("faults") {
			plans = append(plans, singles(course)...)
		}
		if part("weather") {
			plans = append(plans, around(course)...)
		}
	}
	if o.short {
		plans = shortened(plans)
	}
	var outages sync.WaitGroup
	if part("outages") && !o.short {
		outages.Go(func() { c.outages(ctx, o, dir, courses) })
	}
	done := c.play(ctx, plans, endings)
	if part("pairs") && !o.short {
		c.play(ctx, c.learnPairs(ctx, done, endings), endings)
	}
	outages.Wait()
	return nil
}

func choose(o options) (chosen []*scenario, err error) {
	names := strings.FieldsFunc(o.scenarios, func(r rune) bool { return r == ',' })
	if o.short && len(names) == 0 {
		names = []string{"create", "run"}
	}
	for i := range scenarios {
		if len(names) == 0 {
			chosen = append(chosen, &scenarios[i])
		}
	}
	for _, name := range names {
		sc, err := scenarioNamed(name)
		if err != nil {
			return nil, err
		}
		chosen = append(chosen, sc)
	}
	return chosen, nil
}

// shortened keeps the plans that need no long wait.
func shortened(plans []plan) (short []plan) {
	for _, p := range plans {
		if len(p.strikes) == 1 && (p.strikes[0].fault.kills || p.strikes[0].fault.name == "lost" || p.strikes[0].fault.name == "409") {
			short = append(short, p)
		}
	}
	return short
}

// endedName is the name of the program that an error is about.
func endedName(err error) string {
	if ended, ok := errors.AsType[*local.EndedError](err); ok {
		return ended.Name
	}
	return ""
}
