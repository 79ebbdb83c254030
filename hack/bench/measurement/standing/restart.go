// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package standing

import (
	"context"
	"time"

	"github.com/integrator-operator/integrator-operator/hack/bench/environment"
	"github.com/integrator-operator/integrator-operator/hack/bench/report"
	"github.com/integrator-operator/integrator-operator/hack/internal/local"
	"github.com/integrator-operator/integrator-operator/internal/simulator"
)

// How many seconds it may take until the next manager has read the whole account: one that was killed had a lease,
// which lasts longer, and one that is asked to end gives it up.
const (
	withinOfKilled = 5
	withinOfEnded  = 3
)

// restart kills the manager and starts another, which finds all Imports as they should be.
func (s *standing) restart(ctx context.Context) error {
	for range s.b.Repeat {
		if err := s.again(ctx, "killed and started again", leaseLasts, withinOfKilled, func() error {
			s.KillManager()
			return s.StartManager(ctx)
		}); err != nil {
			return err
		}
	}
	return nil
}

// failover ends the manager while the next one waits for the lease.
func (s *standing) failover(ctx context.Context) error {
	for range s.b.Repeat {
		var ended <-chan struct{}
		if err := s.again(ctx, "ended with another waiting", 0, withinOfEnded, func() (err error) {
			ended, err = s.Roll(ctx)
			return err
		}); err != nil {
			return err
		}
		<-ended
	}
	return nil
}

// again measures how long it takes until another manager has scanned the account, and what it asks. lease is how long
// it has to wait for that, within how many seconds the rest may take. Each page says where the next one is, so that
// they are requested one after the other.
func (s *standing) again(ctx context.Context, row string, lease time.Duration, within float64, replace func() error) error {
	if err := quiet(ctx, s.Environment); err != nil {
		return err
	}
	var took time.Duration
	r, err := during(ctx, s.Environment, func() error {
		last, err := lastRequest(ctx, s.Environment)
		if err != nil {
			return err
		}
		if err := replace(); err != nil {
			return err
		}
		began := s.Replaced()
		end, err := scanEnds(ctx, s.Environment, last, began, pagesOf(len(s.imports)))
		if err != nil {
			return err
		}
		took = end.Sub(began)
		return quiet(ctx, s.Environment)
	})
	if err != nil {
		return err
	}
	s.add(row, "first scan has ended after", "s", report.Value{
		Value: took.Seconds(), Bound: (lease + time.Duration(pagesOf(len(s.imports)))*s.b.Latency).Seconds(), BoundOf: boundOf(lease),
		Target: report.AtMost(lease.Seconds() + within),
	})
	s.add(row, "writes to the API", "requests", report.Value{Value: float64(r.applied()), Target: report.AtMost(0)})
	s.add(row, "pages of the list", "requests", report.Value{
		Value: float64(r.pages()), Bound: float64(pagesOf(len(s.imports))), BoundOf: "one scan", Target: report.RatioAtMost(1),
	})
	s.add(row, "requests besides pages", "requests", report.Value{Value: float64(r.single())})
	s.add(row, "writes of Imports to Kubernetes", "requests", report.Value{Value: r.kubernetes.Imports.Writes, Target: report.AtMost(0)})
	s.add(row, "writes of Accounts to Kubernetes", "requests", report.Value{Value: r.kubernetes.Accounts.Writes})
	s.add(row, "live reads of Imports", "requests", report.Value{Value: r.kubernetes.Imports.Reads})
	return nil
}

func boundOf(lease time.Duration) string {
	if lease == 0 {
		return "the pages, one after the other"
	}
	return "the lease, and the pages one after the other"
}

// scanEnds waits for as many pages as a scan has, after a request and a time, and returns when the last was answered.
func scanEnds(ctx context.Context, e *environment.Environment, last int64, after time.Time, pages int) (end time.Time, err error) {
	err = local.Await(ctx, settling, "a scan to end", func(ctx context.Context) error {
		entries, err := e.Ledger(ctx, last)
		if err != nil {
			return err
		}
		var answered []simulator.Entry
		for _, entry := range entries {
			if environment.IsPage(entry) && entry.Answered != nil && entry.Received.After(after) {
				answered = append(answered, entry)
			}
		}
		if len(answered) < pages {
			return errNoScan
		}
		end = *answered[pages-1].Answered
		return nil
	})
	return end, err
}
