// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Command corpus holds the operator against many import documents, as people have them. It starts a
// control plane, the simulator and the manager, and brings every document under the operator in each way
// that there is:
//
//   - adopted: the account has the import; it is exported with "manager export --adopt", and applied.
//   - copied: the same import is exported without --adopt, and applied for another account.
//   - pasted: the document itself is applied as spec.definition, without its _id and _connectorId.
//
// Then somebody changes a declared and an undeclared field of each import on the platform. In the end
// the declared field must be back, nothing else may be lost, and every Import must be Ready, without
// drift and without anything that was not accepted.
//
// It is run from the top of the checkout: make corpus, or make corpus DIR=… for documents of your own.
// No value of a document is printed, only paths.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/go-logr/logr"
	ctrl "sigs.k8s.io/controller-runtime"
)

type options struct {
	// assets is the directory of etcd, kube-apiserver and kubectl. manager and simulator are programs.
	assets, manager, simulator string
	dir                        string
	short                      bool
	limit, parallel            int
	patience                   time.Duration
}

func main() {
	var o options
	flag.StringVar(&o.assets, "assets", os.Getenv("KUBEBUILDER_ASSETS"), "directory of etcd, kube-apiserver and kubectl")
	flag.StringVar(&o.manager, "manager", "bin/manager", "program of the manager")
	flag.StringVar(&o.simulator, "simulator", "bin/simulator", "program of the simulator")
	flag.StringVar(&o.dir, "dir", "", "directory of *.json files, each with an import document or an array of them; by default the documents are generated from the table of fields")
	flag.BoolVar(&o.short, "short", false, "take about 100 of the documents")
	flag.IntVar(&o.limit, "limit", 0, "take at most so many of the documents; 0 takes all")
	flag.IntVar(&o.parallel, "parallel", 8, "objects that are applied, and imports that are changed, at a time")
	flag.DurationVar(&o.patience, "patience", 90*time.Second, "how long nothing may happen before what is not in step counts as such")
	flag.Parse()
	ctrl.SetLogger(logr.Discard())

	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	inStep, err := run(ctx, o)
	if err != nil {
		fmt.Fprintln(os.Stderr, "corpus:", err)
	}
	if err != nil || !inStep {
		stop()
		os.Exit(1) //nolint:gocritic // stop is called
	}
}

// run reports whether every document is in step.
func run(ctx context.Context, o options) (inStep bool, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	samples, unread, err := read(o)
	if err != nil {
		return false, err
	}
	e, err := start(ctx, o, func(err error) { cancel(err) })
	if e != nil {
		defer func() { err = firstOf(err, e.stop()) }()
	}
	if err != nil {
		return false, err
	}
	r := &report{read: len(samples) + len(unread), apart: unread, changed: map[string]int{}}
	c := &campaign{environment: e, options: o, report: r, samples: samples}
	for _, step := range []struct {
		name string
		run  func(context.Context) error
	}{
		{"store the documents in an account", c.store},
		{"export", c.export},
		{"adopt", c.adopt},
		{"copy to another account", c.copy},
		{"apply the documents as they are", c.paste},
		{"change all on the platform", c.change},
		{"wait for corrections", c.awaitCorrections},
		{"check", c.check},
	} {
		began := time.Now()
		if err := step.run(ctx); err != nil {
			return false, fmt.Errorf("%s: %w\n%s", step.name, err, e.log())
		}
		r.times = append(r.times, spent{step.name, time.Since(began)})
		fmt.Printf("%s: %s\n", step.name, time.Since(began).Round(100*time.Millisecond))
	}
	r.print(os.Stdout)
	return len(r.causes) == 0, nil
}

func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
