// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/integrator-operator/integrator-operator/hack/internal/local"
)

// The campaign itself is put to the test: each seeded bug is built into the manager, and has
// to be found.

// find is how a bug was found.
type find struct {
	bug    *bug
	plans  int
	by     string
	broken string
	took   time.Duration
}

// prove has every bug, or the one that is named, looked for, and prints by which plan it was found.
func (c *campaign) prove(ctx context.Context, dir, only string) error {
	finds, err := c.huntAll(ctx, dir, only)
	if err != nil {
		return err
	}
	missed := 0
	for i := range finds {
		if finds[i].by == "" {
			missed++
			finds[i].by = "NOT FOUND"
		}
	}
	table := tabwriter.NewWriter(c.report.out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "\nbug\twhat was thought\tfound by\tinvariant\tplans\ttime\t\n")
	for _, f := range finds {
		invariant, _, _ := strings.Cut(f.broken, ":")
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%d\t%s\t\n", f.bug.name, f.bug.what, f.by, invariant, f.plans, f.took.Round(time.Second))
	}
	_ = table.Flush() // to a terminal or a file that is there or not
	fmt.Fprintf(c.report.out, "\n%d of %d seeded bugs were found; seed %d\n", len(finds)-missed, len(finds), c.seed)
	if missed > 0 || len(finds) == 0 {
		return errors.New("a seeded bug was not found")
	}
	return nil
}

// hunters is how many bugs are looked for at a time: most of it is waiting.
const hunters = 4

// huntAll looks for every bug, or for the one that is named.
func (c *campaign) huntAll(ctx context.Context, dir, only string) ([]find, error) {
	var chosen []*bug
	for i := range bugs {
		if only == "all" || bugs[i].name == only {
			chosen = append(chosen, &bugs[i])
		}
	}
	finds, failed := make([]find, len(chosen)), make([]error, len(chosen))
	inLanes(ctx, hunters, len(chosen), func(i int) {
		finds[i], failed[i] = c.hunt(ctx, dir, chosen[i])
		fmt.Fprintf(c.report.out, "%s: %s: %s\n", chosen[i].name, finds[i].by, finds[i].broken)
	})
	return finds, errors.Join(failed...)
}

// hunt builds a bug into the manager and plays plans until one is violated.
func (c *campaign) hunt(ctx context.Context, dir string, b *bug) (find, error) {
	began := time.Now()
	found := find{bug: b}
	program, err := b.build(ctx, dir)
	if err != nil {
		return found, err
	}
	var chosen []*scenario
	for _, name := range b.scenarios {
		sc, err := scenarioNamed(name)
		if err != nil {
			return found, err
		}
		chosen = append(chosen, sc)
	}
	silent := &campaign{cluster: c.cluster, seed: c.seed, lanes: max(1, c.lanes/hunters), program: program, report: newReport(io.Discard, c.seed)}
	courses, err := silent.learn(ctx, chosen)
	if violated, ok := errors.AsType[*violated](err); ok {
		found.by, found.broken, found.plans = violated.plan.String(), violated.violations[0], 1
	} else if err != nil {
		return found, err
	}
	var plans []plan
	endings := map[string]*ending{}
	for _, course := range courses {
		endings[course.scenario.name] = course.ending
		plans = append(plans, append(singles(course), around(course)...)...)
	}
	// The plans in the order of the report, as many at a time as there are lanes.
	for len(plans) > 0 && found.by == "" && ctx.Err() == nil {
		n := min(len(plans), silent.lanes)
		for i := range plans[:n] {
			plans[i].program = program
		}
		found.plans += n
		for _, r := range silent.play(ctx, plans[:n], endings) {
			if len(r.violations) > 0 && found.by == "" {
				found.by, found.broken = r.plan.String(), r.violations[0]
			}
		}
		plans = plans[n:]
	}
	found.took = time.Since(began)
	return found, context.Cause(ctx)
}

// build builds the manager with the bug in it: the files in the checkout stay as they are.
func (b *bug) build(ctx context.Context, dir string) (program string, err error) {
	dir = filepath.Join(dir, "bug-"+b.name)
	if err := os.Mkdir(dir, 0o700); err != nil {
		return "", err
	}
	files, err := b.applied(".")
	if err != nil {
		return "", err
	}
	replace := map[string]string{}
	for file, content := range files {
		changed := filepath.Join(dir, strings.ReplaceAll(file, "/", "_"))
		if err := os.WriteFile(changed, []byte(content), 0o600); err != nil {
			return "", err
		}
		path, err := filepath.Abs(file)
		if err != nil {
			return "", err
		}
		replace[path] = changed
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	if err := os.WriteFile(filepath.Join(dir, "overlay.json"), overlay, 0o600); err != nil {
		return "", err
	}
	program = filepath.Join(dir, "manager")
	output, err := local.Run(ctx, "go", append(os.Environ(), "CGO_ENABLED=0"), "build", "-trimpath", "-overlay", filepath.Join(dir, "overlay.json"), "-o", program, ".")
	if err != nil {
		return "", fmt.Errorf("build: %w\n%s", err, output)
	}
	return program, nil
}

// applied returns the files of a bug as it changes them.
func (b *bug) applied(root string) (map[string]string, error) {
	files := map[string]string{}
	for _, e := range b.edits {
		content, ok := files[e.file]
		if !ok {
			read, err := os.ReadFile(filepath.Join(root, e.file))
			if err != nil {
				return nil, err
			}
			content = string(read)
		}
		if n := strings.Count(content, e.old); n != 1 {
			return nil, fmt.Errorf("%s has %q %d times", e.file, e.old, n)
		}
		files[e.file] = strings.Replace(content, e.old, e.new, 1)
	}
	return files, nil
}
