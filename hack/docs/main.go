// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Command docs runs the commands of the documentation, page by page, against a cluster, the simulator and
// the operator, and compares what they print with what the page shows. The package page describes the
// comments of a page that say how.
//
// Run it from the top of the checkout: make docs-test.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/integrator-operator/integrator-operator/hack/docs/stack"
)

// last are the pages that install and remove the operator, in this order. The others need it.
var last = []string{"install", "upgrade", "uninstall"}

func main() {
	if filepath.Base(os.Args[0]) == platformName {
		os.Exit(platform(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
	}
	var options stack.Options
	flag.StringVar(&options.Assets, "assets", os.Getenv("KUBEBUILDER_ASSETS"), "directory of etcd, kube-apiserver, kube-controller-manager and kubectl")
	flag.StringVar(&options.Manager, "manager", "bin/manager", "the manager's program")
	flag.StringVar(&options.Helm, "helm", "bin/helm", "helm's program")
	flag.StringVar(&options.Seed, "seed", "hack/simulator/demo.json", "what each page's simulated account holds at the start")
	only := flag.String("pages", "", "the names of the pages to run, separated by commas, such as README,plan; all by default")
	verbose := flag.Bool("v", false, "print each block before it is run")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, options, *only, *verbose, os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "docs:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, options stack.Options, only string, verbose bool, out io.Writer) (err error) {
	files, err := pagesToRun(only)
	if err != nil {
		return err
	}
	if options.Assets == "" {
		return errors.New("--assets is missing: make docs-test builds a control plane and passes its directory")
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	s, err := stack.Start(ctx, options, cancel)
	if s != nil {
		defer func() { err = errors.Join(err, s.Stop()) }()
	}
	if err != nil {
		return err
	}
	report := &report{out: out, verbose: verbose}
	for _, file := range files {
		if err := report.page(ctx, s, file); err != nil {
			return err
		}
	}
	return report.end()
}

// pagesToRun are the files of the pages, in the order in which they are run.
func pagesToRun(only string) ([]string, error) {
	docs, err := filepath.Glob("docs/*.md")
	if err != nil || len(docs) == 0 {
		return nil, errors.Join(err, errors.New("run it from the top of the checkout, as make docs-test does"))
	}
	slices.SortStableFunc(docs, func(a, b string) int { return slices.Index(last, nameOf(a)) - slices.Index(last, nameOf(b)) })
	files := append([]string{"README.md", "CONTRIBUTING.md"}, docs...)
	if only == "" {
		return files, nil
	}
	wanted := strings.Split(only, ",")
	files = slices.DeleteFunc(files, func(file string) bool { return !slices.Contains(wanted, nameOf(file)) })
	if len(files) != len(wanted) {
		return nil, fmt.Errorf("--pages=%s: not all of these pages exist; found %s", only, strings.Join(files, ", "))
	}
	return files, nil
}

// nameOf is the name of a page.
func nameOf(file string) string { return strings.TrimSuffix(filepath.Base(file), ".md") }
