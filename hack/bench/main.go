// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Command bench measures what the manager costs, as it is shipped: time, processors, requests to
// Kubernetes and to the API. The control plane and the simulator are processes on this machine too, so
// the ratios within one run say more than its times.
//
// It is run from the top of the checkout: make bench.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/go-logr/logr"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/integrator-operator/integrator-operator/hack/bench/environment"
	"github.com/integrator-operator/integrator-operator/hack/bench/measurement"
)

func main() {
	var o environment.Options
	flag.StringVar(&o.Assets, "assets", os.Getenv("KUBEBUILDER_ASSETS"), "directory of etcd, kube-apiserver and kubectl")
	flag.StringVar(&o.Manager, "manager", "bin/manager", "program of the manager")
	flag.StringVar(&o.Simulator, "simulator", "bin/simulator", "program of the simulator")
	before := flag.String("before", "", "program of an earlier manager, for the measurements of how long others wait")
	sizes := flag.String("sizes", "300,1200,2400", "numbers of objects to measure, separated by commas")
	only := flag.String("only", "", "measure only this: names separated by commas")
	amounts := measurement.Amounts{{Imports: 2_000, Bytes: 1_000}, {Imports: 300, Bytes: 200_000}}
	flag.Var(&amounts, "memory", "numbers of Imports to measure the memory with, and the size of their definitions in bytes, separated by commas")
	flag.Parse()
	ctrl.SetLogger(logr.Discard())

	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	b := &measurement.Bench{Environment: o, Before: *before, Amounts: amounts, Out: os.Stdout}
	if err := run(ctx, b, *sizes, *only); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// run makes the measurements that are asked for, one after the other.
func run(ctx context.Context, b *measurement.Bench, sizes, only string) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	b.Ended = func(err error) { cancel(err) }
	for _, size := range list(sizes) {
		n, err := strconv.Atoi(size)
		if err != nil || n <= 0 {
			return fmt.Errorf("--sizes: %q is no number of objects", size)
		}
		b.Sizes = append(b.Sizes, n)
	}
	slices.Sort(b.Sizes)
	chosen, err := choose(list(only))
	if err != nil {
		return err
	}
	for _, m := range chosen {
		fmt.Printf("\n# %s: %s\n\n", m.Name, m.About)
		if err := m.Run(ctx, b); err != nil {
			return fmt.Errorf("%s: %w", m.Name, err)
		}
	}
	return nil
}

// choose returns the measurements with these names, all of them without any.
func choose(names []string) ([]measurement.Measurement, error) {
	if len(names) == 0 {
		return measurement.All, nil
	}
	var chosen []measurement.Measurement
	for _, name := range names {
		i := slices.IndexFunc(measurement.All, func(m measurement.Measurement) bool { return m.Name == name })
		if i < 0 {
			return nil, fmt.Errorf("--only: there is no measurement %q", name)
		}
		chosen = append(chosen, measurement.All[i])
	}
	return chosen, nil
}

// list are the parts of a list with commas.
func list(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == ',' })
}
