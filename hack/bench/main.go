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
	"debug/buildinfo"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/go-logr/logr"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/integrator-operator/integrator-operator/hack/bench/bench"
	"github.com/integrator-operator/integrator-operator/hack/bench/environment"
	"github.com/integrator-operator/integrator-operator/hack/bench/measurement"
	"github.com/integrator-operator/integrator-operator/hack/bench/report"
)

// options are the flags.
type options struct {
	environment             environment.Options
	before, only, json      string
	renew                   bool
	sizes, standing, polled numbers
	amounts                 bench.Amounts
	repeat, kneeUntil       int
	latency                 time.Duration
}

func main() {
	o := options{
		sizes: numbers{200, 1000}, standing: numbers{1000}, polled: numbers{200},
		amounts: bench.Amounts{{Imports: 2_000, Bytes: 1_000}, {Imports: 300, Bytes: 200_000}},
	}
	flag.StringVar(&o.environment.Assets, "assets", os.Getenv("KUBEBUILDER_ASSETS"), "directory of etcd, kube-apiserver and kubectl")
	flag.StringVar(&o.environment.Manager, "manager", "bin/manager", "program of the manager")
	flag.StringVar(&o.environment.Simulator, "simulator", "bin/simulator", "program of the simulator")
	flag.StringVar(&o.environment.Poller, "poller", "", "program of hack/poller; without it, the poller is not measured")
	flag.StringVar(&o.before, "before", "", "program of an earlier manager, for the measurements of how long others wait")
	flag.StringVar(&o.only, "only", "", "measure only this: names separated by commas")
	flag.StringVar(&o.json, "json", "", "file to write all figures to, with their bounds and targets")
	flag.BoolVar(&o.renew, "renew", false, "replace in the file of --json what is measured, and keep all else")
	flag.Var(&o.sizes, "sizes", "numbers of objects to measure, separated by commas")
	flag.Var(&o.standing, "standing", "numbers of Imports that stand as they are, separated by commas")
	flag.Var(&o.polled, "polled", "numbers of objects of the poller, separated by commas")
	flag.Var(&o.amounts, "memory", "numbers of Imports to measure the memory with, and the size of their definitions in bytes, separated by commas")
	flag.IntVar(&o.repeat, "repeat", 1, "how often each figure is measured")
	flag.IntVar(&o.kneeUntil, "knee", 1600, "the largest number of creations with which the knee is looked for")
	flag.DurationVar(&o.latency, "latency", 50*time.Millisecond, "how long the API takes for an answer, where times are held against bounds")
	flag.Parse()
	ctrl.SetLogger(logr.Discard())

	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// run makes the measurements that are asked for, one after the other. One that fails does not keep the others from
// being made, printed and written. When they are interrupted, nothing is written: the file may have more.
func run(ctx context.Context, o options) (err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	if o.repeat < 1 {
		return fmt.Errorf("--repeat has to be 1 or more")
	}
	chosen, err := choose(list(o.only), o.environment.Poller != "")
	if err != nil {
		return err
	}
	b := &bench.Bench{
		Environment: o.environment, Before: o.before, Sizes: o.sizes, Standing: o.standing, Polled: o.polled, Amounts: o.amounts,
		Repeat: o.repeat, KneeUntil: o.kneeUntil, Latency: o.latency, Record: newRecord(ctx, o.environment), Out: os.Stdout,
		Ended: func(err error) { cancel(err) },
	}
	fmt.Printf("%s\n%s\n", b.Record.Machine, b.Record.Versions)
	defer func() {
		b.Record.Print(os.Stdout)
		if o.json != "" && ctx.Err() == nil {
			err = errors.Join(err, write(b.Record, o.json, o.renew))
		}
	}()
	for _, m := range chosen {
		fmt.Printf("\n# %s: %s\n\n", m.Name, m.About)
		if failed := m.Run(ctx, b); failed != nil {
			err = errors.Join(err, fmt.Errorf("%s: %w", m.Name, failed))
		}
		if ctx.Err() != nil {
			break
		}
	}
	return err
}

// write writes a record into a file, or renews the one that is there.
func write(r *report.Record, file string, renew bool) error {
	if !renew {
		return r.Write(file)
	}
	earlier, err := report.Read(file)
	if err != nil {
		return err
	}
	earlier.Renew(r)
	return earlier.Write(file)
}

// newRecord is the head of a record.
func newRecord(ctx context.Context, o environment.Options) *report.Record {
	r := &report.Record{Run: report.Run{
		Date: time.Now().UTC().Format(time.DateOnly), Command: "bench " + strings.Join(flagsOf(os.Args[1:]), " "), Machine: report.ThisMachine(),
		Versions: report.Versions{Go: runtime.Version(), Kubernetes: environment.Kubernetes(o.Assets), Commit: report.Commit(ctx)},
	}}
	if info, err := buildinfo.ReadFile(o.Poller); err == nil {
		for _, module := range info.Deps {
			if strings.HasPrefix(module.Path, "github.com/crossplane/crossplane-runtime") {
				r.Versions.Poller = module.Version
			}
		}
	}
	return r
}

// flagsOf are the flags that say what was measured, without those that say where programs are.
func flagsOf(args []string) []string {
	return slices.DeleteFunc(slices.Clone(args), func(arg string) bool {
		name, _, _ := strings.Cut(strings.TrimLeft(arg, "-"), "=")
		return slices.Contains([]string{"assets", "manager", "simulator", "poller", "before", "json", "renew"}, name)
	})
}

// choose returns the measurements with these names. Without any, it returns all of them, that of the poller only
// if there is one.
func choose(names []string, poller bool) ([]bench.Measurement, error) {
	if len(names) == 0 {
		return slices.DeleteFunc(slices.Clone(measurement.All), func(m bench.Measurement) bool { return m.Name == "poller" && !poller }), nil
	}
	var chosen []bench.Measurement
	for _, name := range names {
		i := slices.IndexFunc(measurement.All, func(m bench.Measurement) bool { return m.Name == name })
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

// numbers are numbers of objects as a flag has them, smallest first.
type numbers []int

func (n *numbers) String() string {
	var parts []string
	for _, one := range *n {
		parts = append(parts, strconv.Itoa(one))
	}
	return strings.Join(parts, ",")
}

// Set reads the value of a flag.
func (n *numbers) Set(text string) error {
	*n = nil
	for _, part := range list(text) {
		one, err := strconv.Atoi(part)
		if err != nil || one <= 0 {
			return fmt.Errorf("%q is no number of objects", part)
		}
		*n = append(*n, one)
	}
	slices.Sort(*n)
	return nil
}
