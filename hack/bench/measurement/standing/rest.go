// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package standing

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/integrator-operator/integrator-operator/hack/bench/bench"
	"github.com/integrator-operator/integrator-operator/hack/bench/environment"
	"github.com/integrator-operator/integrator-operator/hack/bench/meter"
	"github.com/integrator-operator/integrator-operator/hack/bench/report"
	"github.com/integrator-operator/integrator-operator/hack/internal/local"
	"github.com/integrator-operator/integrator-operator/internal/simulator"
)

const (
	// minute is how long nothing happens while requests are counted.
	minute = time.Minute
	// settling is how long it may take until nothing happens.
	settling = 3 * time.Minute
	// leaseLasts is how long the lease of a killed manager holds up the next one.
	leaseLasts = 15 * time.Second
	// scanInterval is the default.
	scanInterval = time.Minute
	// atRest is how many percent of a processor the manager may take when there is nothing to do but to scan.
	atRest = 0.5
)

var (
	errNoScan = errors.New("no scan has ended")
	errBusy   = errors.New("it makes requests")
)

// requests are what was asked in some time.
type requests struct {
	kubernetes meter.Kubernetes
	entries    []simulator.Entry
}

func (r requests) pages() int {
	return len(slices.DeleteFunc(slices.Clone(r.entries), func(entry simulator.Entry) bool { return !environment.IsPage(entry) }))
}

func (r requests) single() int { return len(r.entries) - r.pages() }

func (r requests) applied() (n int) {
	for _, entry := range r.entries {
		if entry.Applied {
			n++
		}
	}
	return n
}

// during counts the requests of the operator while something is done.
func during(ctx context.Context, e *environment.Environment, do func() error) (r requests, err error) {
	server := e.Plane.Clients.Discovery().RESTClient()
	before, err := meter.ReadKubernetes(ctx, server)
	if err != nil {
		return r, err
	}
	last, err := lastRequest(ctx, e)
	if err != nil {
		return r, err
	}
	if err := do(); err != nil {
		return r, err
	}
	after, err := meter.ReadKubernetes(ctx, server)
	if err != nil {
		return r, err
	}
	r.kubernetes = after.Minus(before)
	r.entries, err = e.Ledger(ctx, last)
	return r, err
}

// lastRequest is the number of the last request to the account.
func lastRequest(ctx context.Context, e *environment.Environment) (int64, error) {
	entries, err := e.Ledger(ctx, 0)
	if err != nil || len(entries) == 0 {
		return 0, err
	}
	return entries[len(entries)-1].Seq, nil
}

// quiet waits until neither Kubernetes nor single imports were asked for some seconds.
func quiet(ctx context.Context, e *environment.Environment) error {
	return local.Await(ctx, settling, "the manager to have nothing to do", func(ctx context.Context) error {
		r, err := during(ctx, e, func() error { return bench.Pause(ctx, 3*time.Second) })
		if err == nil && (r.kubernetes.Imports.All() > 0 || r.kubernetes.Polled.All() > 0 || r.single() > 0) {
			err = errBusy
		}
		return err
	})
}

// pagesOf is how many pages the list of n imports has.
func pagesOf(n int) int { return (n + environment.PageSize - 1) / environment.PageSize }

// rest counts what is asked in a minute in which nothing happens.
func (s *standing) rest(ctx context.Context) error {
	if err := quiet(ctx, s.Environment); err != nil {
		return err
	}
	before, err := meter.CPU(s.ManagerPID())
	if err != nil {
		return err
	}
	r, err := during(ctx, s.Environment, func() error { return bench.Pause(ctx, minute) })
	if err != nil {
		return err
	}
	after, err := meter.CPU(s.ManagerPID())
	if err != nil {
		return err
	}
	// A minute may have the end of one scan and the beginning of the next.
	s.add("a minute at rest", "requests to the API", "requests", report.Value{
		Value: float64(len(r.entries)), Bound: float64(pagesOf(len(s.imports))), BoundOf: "pages of one scan", Target: report.RatioAtMost(1),
	})
	s.add("a minute at rest", "of one processor", "%", report.Value{Value: 100 * (after - before).Seconds() / minute.Seconds(), Target: report.AtMost(atRest)})
	s.add("a minute at rest", "of them besides pages", "requests", report.Value{Value: float64(r.single()), Target: report.AtMost(0)})
	s.add("a minute at rest", "writes to Kubernetes", "requests", report.Value{Value: r.kubernetes.Imports.Writes + r.kubernetes.Accounts.Writes, Target: report.AtMost(0)})
	s.add("a minute at rest", "reads of Kubernetes", "requests", report.Value{Value: r.kubernetes.Imports.Reads + r.kubernetes.Accounts.Reads, Target: report.AtMost(0)})
	return nil
}
