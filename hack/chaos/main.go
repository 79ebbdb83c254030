// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Command chaos injects faults around the manager, as it is shipped, and checks that nothing is
// done twice and nothing is lost. Every scenario is played undisturbed first, which numbers the
// writes of the manager to Kubernetes and to the API; then again for every fault at every one of
// these writes.
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
	"strings"
	"syscall"
	"time"

	"github.com/go-logr/logr"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/integrator-operator/integrator-operator/hack/chaos/campaign"
	"github.com/integrator-operator/integrator-operator/hack/chaos/cluster"
	"github.com/integrator-operator/integrator-operator/hack/chaos/mutant"
	"github.com/integrator-operator/integrator-operator/hack/chaos/rbac"
	"github.com/integrator-operator/integrator-operator/hack/chaos/soak"
)

type options struct {
	assets, manager string
	plan, scenarios string
	parts           string
	seed            uint64
	parallel        int
	short, verbose  bool
	mutants         string
	rbac            bool
	soak            time.Duration
}

func main() {
	var o options
	flag.StringVar(&o.assets, "assets", os.Getenv("KUBEBUILDER_ASSETS"), "directory of etcd, kube-apiserver and kubectl")
	flag.StringVar(&o.manager, "manager", "bin/manager", "program of the manager")
	flag.StringVar(&o.plan, "plan", "", "play only this plan, and print the manager's log")
	flag.StringVar(&o.scenarios, "scenarios", "", "play only these scenarios: names separated by commas")
	flag.Uint64Var(&o.seed, "seed", uint64(time.Now().Unix()), "seed of all random numbers") //nolint:gosec // it is after 1970
	flag.StringVar(&o.parts, "parts", strings.Join(campaign.Parts, ","), "parts of the campaign to play")
	flag.IntVar(&o.parallel, "parallel", 32, "how many plans are played at a time")
	flag.BoolVar(&o.short, "short", false, "play a small part: the kills and lost answers of a creation and a run")
	flag.StringVar(&o.mutants, "mutants", "", "test the campaign instead: build this mutant of the manager, or all one after the other, and detect each")
	flag.DurationVar(&o.soak, "soak", 0, "instead, let users and others act at random for this time, with a fault now and then")
	flag.BoolVar(&o.rbac, "rbac", false, "instead, remove each permission of the manager's role, and check that it is needed")
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

// run starts a cluster, and plays what is asked for.
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
	clusters := cluster.Options{Assets: o.assets, Dir: dir, Manager: o.manager, Ended: func(err error) { cancel(err) }}
	shared, err := cluster.Start(ctx, "shared", clusters)
	if shared != nil {
		defer shared.Processes.Stop(time.Second)
	}
	if err != nil {
		return fmt.Errorf("start a cluster: %w", err)
	}
	c := &campaign.Campaign{Cluster: shared, Seed: o.seed, Parallel: o.parallel, Report: campaign.NewReport(os.Stdout, o.seed)}
	c.Report.Verbose = o.verbose
	switch {
	case o.mutants != "":
		return mutant.Run(ctx, c, o.mutants, dir)
	case o.soak > 0:
		return soak.Run(ctx, soak.Options{Cluster: shared, Duration: o.soak, Seed: o.seed, Out: os.Stdout})
	case o.rbac:
		return rbac.Run(ctx, c)
	case o.plan != "":
		return c.Repeat(ctx, o.plan)
	default:
		return c.Run(ctx, campaign.Selection{Scenarios: names(o.scenarios), Parts: names(o.parts), Short: o.short, Clusters: clusters})
	}
}

// names are those of a list with commas.
func names(list string) []string {
	return strings.FieldsFunc(list, func(r rune) bool { return r == ',' })
}
