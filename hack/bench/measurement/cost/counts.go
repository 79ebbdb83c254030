// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package cost

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/integrator-operator/integrator-operator/hack/bench/bench"
	"github.com/integrator-operator/integrator-operator/hack/bench/environment"
	"github.com/integrator-operator/integrator-operator/hack/bench/report"
	"github.com/integrator-operator/integrator-operator/hack/internal/local"
)

var (
	// errMoreRequests: what an object costs in requests has grown.
	errMoreRequests = errors.New("more requests than the bound")
	// errLists: it is not every tenth scan that reads the list.
	errLists = errors.New("the list is read more often than at every tenth scan")
	// errNoScans: nothing was scanned while that was to cost nothing.
	errNoScans = errors.New("the account was not scanned meanwhile")
)

// count is what one object may cost in requests, at most.
type count struct {
	name string
	// writes and reads are those of Imports and runs, reads also those of Accounts, secrets those of Secrets and
	// ConfigMaps, past the cache.
	writes, reads, secrets float64
	events, api            float64
}

// slack is how much more than its bound one object may cost: of 20, a few may need one request more, because another
// write came between.
const slack = 0.2

// The bounds of all counts: what the operator makes today. "make bench-check" fails above them.
var (
	countOfCreation = count{name: "creation", writes: 2, reads: 0, secrets: 0, events: 1, api: 1}
	// What has an externalId of the user's is not found by its marker, so that the id is written into the metadata too.
	countOfDeclared = count{name: "creation, with an externalId", writes: 3, reads: 0, secrets: 0, events: 1, api: 1}
	// A definition that is not kept in the cache was there a moment ago.
	countOfLarger = count{name: "creation, 1 KiB", writes: 2, reads: 0, secrets: 0, events: 1, api: 1}
	// Adoptions share their lists, so that each has a part of one.
	countOfAdoption = count{name: "adoption", writes: 3, reads: 0.6, secrets: 0, events: 1, api: 3}
	countOfRun      = count{name: "run", writes: 3, reads: 0, secrets: 0, events: 1, api: 1}
	// countAtRest is of all objects together, while the account is scanned.
	countAtRest = count{name: "at rest, all together"}
	// countOfScans is of ten scans of a list with four pages, of which two imports have an Import: one reads the
	// list, and nine these imports.
	countOfScans = count{name: "ten scans, 2 Imports, 4 pages", api: 4 + 9*2}
)

// restFor is how long nothing may be asked but the scans.
const restFor = 5 * time.Second

// counted is a part of a count: its name, what was measured for one object, and the bound.
type counted struct {
	name  string
	got   float64
	bound float64
}

func (of count) parts(c cost) []counted {
	imports, runs, accounts := c.kubernetes.Imports, c.kubernetes.Runs, c.kubernetes.Accounts
	writes := imports.Writes + runs.Writes
	// The status of an Account counts its Imports, now and then. At rest there is nothing to count.
	if of.writes == 0 {
		writes += accounts.Writes
	}
	return []counted{
		{"Kubernetes writes", c.per(writes), of.writes},
		{"Kubernetes reads", c.per(imports.Reads + runs.Reads + accounts.Reads), of.reads},
		{"reads of Secrets", c.per(c.kubernetes.Secrets.Reads), of.secrets},
		{"events", c.per(c.kubernetes.Events), of.events},
		{"API requests", c.per(float64(c.single)), of.api},
	}
}

// counts are the rows of a table, and whether one is over its bound.
type counts struct {
	b    *bench.Bench
	rows []string
	over error
}

func (all *counts) add(of count, c cost) {
	row := fmt.Sprintf("%s\t%d\t", of.name, c.objects)
	for _, part := range of.parts(c) {
		if part.got > part.bound+slack {
			all.over = errMoreRequests
		}
		row += fmt.Sprintf("%.2f\t%g\t", part.got, part.bound)
		all.b.Record.Add(report.Value{
			Key:   report.Key{Table: "counts", Row: of.name, System: "operator", Name: part.name, Objects: c.objects, Unit: "requests"},
			Value: math.Round(part.got*10) / 10, Target: report.AtMost(part.bound + slack),
		})
	}
	all.rows = append(all.rows, row)
}

// measureCounts counts the requests of one object of each kind, and fails when one costs more than it may.
// Times play no part, so it says the same on any machine.
func measureCounts(ctx context.Context, b *bench.Bench) error {
	all := &counts{b: b}
	if err := b.In(ctx, func(e *environment.Environment) error { return all.measure(ctx, e, b.Sizes[0]) }); err != nil {
		return err
	}
	if err := b.In(ctx, func(e *environment.Environment) error { return all.measureScans(ctx, e) }); err != nil {
		return err
	}
	b.Table("each\tobjects\tKubernetes writes\tbound\tKubernetes reads\tbound\treads of Secrets\tbound\tevents\tbound\tAPI requests\tbound\t", all.rows)
	return all.over
}

func (all *counts) measure(ctx context.Context, e *environment.Environment, n int) error {
	existing, adopted := bench.Adoptions("adopted", n)
	if err := e.AddAccount(ctx, existing); err != nil {
		return err
	}
	created := bench.Creations("import", n)
	declared := bench.Declare(bench.Creations("declared", n), func(name string) string { return fmt.Sprintf(`"externalId":"erp-%s"`, name) })
	larger := bench.Declare(bench.Creations("larger", n), func(string) string { return fmt.Sprintf(`"description":%q`, strings.Repeat("x", 1<<10)) })
	var runs []string
	for i := range n {
		runs = append(runs, fmt.Sprintf("run-%d", i))
	}
	for _, one := range []struct {
		of      count
		objects int
		do      func() (time.Duration, error)
	}{
		{countOfCreation, n, func() (time.Duration, error) { return e.ApplyUntilReady(ctx, created) }},
		{countOfDeclared, n, func() (time.Duration, error) { return e.ApplyUntilReady(ctx, declared) }},
		{countOfLarger, n, func() (time.Duration, error) { return e.ApplyUntilReady(ctx, larger) }},
		{countOfAdoption, n, func() (time.Duration, error) { return e.ApplyUntilReady(ctx, adopted) }},
		{countOfRun, n, func() (time.Duration, error) { return e.RunUntilEnded(ctx, "import-0", runs...) }},
	} {
		c, err := costOf(ctx, e, one.objects, one.do)
		if err != nil {
			return err
		}
		all.add(one.of, c)
	}
	if err := e.ScanEvery(ctx, time.Second); err != nil {
		return err
	}
	c, err := costOf(ctx, e, 1, func() (time.Duration, error) { return restFor, bench.Pause(ctx, restFor) })
	if err != nil {
		return err
	}
	if c.pages < int(restFor/time.Second)/2 {
		return errNoScans
	}
	all.add(countAtRest, c)
	return nil
}

// measureScans counts the requests from one scan that reads the list to the next, where few imports have an Import.
func (all *counts) measureScans(ctx context.Context, e *environment.Environment) error {
	existing, _ := bench.Adoptions("others", 3*environment.PageSize)
	if err := e.AddAccount(ctx, existing); err != nil {
		return err
	}
	if _, err := e.ApplyUntilReady(ctx, bench.Creations("import", 2)); err != nil {
		return err
	}
	if err := e.ScanEvery(ctx, time.Second); err != nil {
		return err
	}
	if _, err := settled(ctx, e); err != nil {
		return err
	}
	began := time.Now()
	// The first list brings the numbers in the Account's status up to date: what Kubernetes is asked is counted after
	// the two scans that follow it.
	first, err := awaitList(ctx, e, began, 1, 4+2*2)
	if err != nil {
		return err
	}
	before, err := reading(ctx, e)
	if err != nil {
		return err
	}
	second, err := awaitList(ctx, e, began, 2, 1)
	if err != nil {
		return err
	}
	after, err := reading(ctx, e)
	if err != nil {
		return err
	}
	c := cost{objects: 1, kubernetes: after.kubernetes.Minus(before.kubernetes), single: second - first}
	if c.single < int(countOfScans.api) {
		all.over = errLists
	}
	all.add(countOfScans, c)
	return nil
}

// awaitList waits until the list was read for the nth time since a time, and so many requests were made since that
// began. It returns the number of the list's first request.
func awaitList(ctx context.Context, e *environment.Environment, since time.Time, n, requests int) (number int, err error) {
	err = local.Await(ctx, settling, fmt.Sprintf("scan %d that reads the list", n), func(ctx context.Context) error {
		entries, err := e.Ledger(ctx, 0)
		if err != nil {
			return err
		}
		var lists []int
		for i, entry := range entries {
			if entry.Received.After(since) && environment.IsPage(entry) && !strings.Contains(entry.Query, "skip=") {
				lists = append(lists, i)
			}
		}
		if len(lists) < n || len(entries) < lists[n-1]+requests {
			return errBusy
		}
		number = lists[n-1]
		return nil
	})
	return number, err
}
