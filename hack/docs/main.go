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

	"golang.org/x/sync/errgroup"

	"github.com/integrator-operator/integrator-operator/hack/docs/page"
	"github.com/integrator-operator/integrator-operator/hack/docs/stack"
)

// last are the pages that stop, install and remove the operator, in this order. The others need it.
var last = []string{"tutorial-restore-a-cluster", "restore-move-rename", "install", "upgrade", "uninstall"}

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
	pages, err := read(files)
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
	all := &report{}
	for _, batch := range batches(pages) {
		if err := ready(ctx, s); err != nil {
			return fmt.Errorf("install the operator: %w", err)
		}
		reports := make([]*report, len(batch))
		group, ctx := errgroup.WithContext(ctx)
		group.SetLimit(atOnce)
		for i, p := range batch {
			group.Go(func() (err error) {
				reports[i], err = follow(ctx, s, p.file, p.blocks, verbose)
				return err
			})
		}
		if err := group.Wait(); err != nil {
			return err
		}
		for _, report := range reports {
			all.add(out, report)
		}
	}
	return all.end(out)
}

// pageFile is a page with the blocks that are run.
type pageFile struct {
	file   string
	blocks []page.Block
}

// atOnce is how many pages are run at the same time. Most of the time, a page waits.
const atOnce = 3

// batches are the pages that are run at the same time: one that starts, stops or installs the manager is
// alone.
func batches(pages []pageFile) (all [][]pageFile) {
	together := -1
	for _, p := range pages {
		switch {
		case alone(p):
			all, together = append(all, []pageFile{p}), -1
		case together >= 0:
			all[together] = append(all[together], p)
		default:
			all, together = append(all, []pageFile{p}), len(all)
		}
	}
	return all
}

func alone(p pageFile) bool {
	return slices.ContainsFunc(p.blocks, func(block page.Block) bool {
		return slices.ContainsFunc(block.Before, func(step page.Step) bool { return step.Manager != "" })
	})
}

// read reads the pages that have blocks.
func read(files []string) (pages []pageFile, err error) {
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		blocks, err := page.Read(source)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		if len(blocks) > 0 {
			pages = append(pages, pageFile{file, blocks})
		}
	}
	return pages, nil
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
