// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package standing

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/hack/bench/bench"
	"github.com/integrator-operator/integrator-operator/hack/bench/environment"
	"github.com/integrator-operator/integrator-operator/hack/bench/report"
	"github.com/integrator-operator/integrator-operator/hack/internal/local"
)

const (
	// edits are made at steady times within one interval of the scans, so that each part of it has as many.
	edits        = 100
	editInterval = 30 * time.Second
	// asked are the edits that the operator is asked to look at, one after the other.
	asked = 20
)

var errNotBack = errors.New("not all edits are taken back")

// drift edits imports on the platform, and measures how long it takes until they are as declared again.
func (s *standing) drift(ctx context.Context) error {
	if err := s.ScanEvery(ctx, editInterval); err != nil {
		return err
	}
	n := min(edits, len(s.imports))
	ids, err := s.RemoteIDs(ctx, s.imports[:n])
	if err != nil {
		return err
	}
	if err := quiet(ctx, s.Environment); err != nil {
		return err
	}
	lasted, err := editAndAwait(ctx, s.Environment, ids, editInterval/time.Duration(n))
	if err != nil {
		return err
	}
	scan := time.Duration(pagesOf(len(s.imports))) * s.b.Latency
	row := fmt.Sprintf("%d edits, scans every %s", n, editInterval)
	s.add(row, "p50 until put back", "s", report.Value{
		Value: report.Quantile(lasted, 0.5), Bound: editInterval.Seconds() / 2, BoundOf: "half the interval", Target: report.RatioAtMost(target),
	})
	s.add(row, "p99 until put back", "s", report.Value{
		Value: report.Quantile(lasted, 0.99), Bound: editInterval.Seconds() + scan.Seconds(), BoundOf: "the interval and a scan", Target: report.RatioAtMost(target),
	})
	return s.ScanEvery(ctx, scanInterval)
}

// target is how much more than its bound something may take.
const target = 1.3

// onDemand edits imports one after the other, and asks for a look at each.
func (s *standing) onDemand(ctx context.Context) error {
	var all []float64
	for _, object := range s.imports[:min(asked, len(s.imports))] {
		ids, err := s.RemoteIDs(ctx, []*v1alpha1.Import{object})
		if err != nil {
			return err
		}
		lasted, err := editAndAwait(ctx, s.Environment, ids, 0, func() error { return s.Ask(ctx, []*v1alpha1.Import{object}) })
		if err != nil {
			return err
		}
		all = append(all, lasted...)
	}
	row := fmt.Sprintf("%d edits, asked to look", len(all))
	s.add(row, "p50 until put back", "s", report.Value{Value: report.Quantile(all, 0.5), Target: report.AtMost(1)})
	s.add(row, "slowest until put back", "s", report.Value{Value: slices.Max(all)})
	return nil
}

// editAndAwait edits imports, one after each pause, and returns for how many seconds each was not as declared:
// from the answer to the edit to the answer to the next write of anybody else.
func editAndAwait(ctx context.Context, e *environment.Environment, ids []string, pause time.Duration, then ...func() error) ([]float64, error) {
	last, err := lastRequest(ctx, e)
	if err != nil {
		return nil, err
	}
	other := e.Other()
	for i, id := range ids {
		if err := other.Rename(ctx, id, fmt.Sprintf("edited %d", i)); err != nil {
			return nil, err
		}
		for _, do := range then {
			if err := do(); err != nil {
				return nil, err
			}
		}
		if err := bench.Pause(ctx, pause); err != nil {
			return nil, err
		}
	}
	var lasted []float64
	err = local.Await(ctx, settling, "all edits to be taken back", func(ctx context.Context) error {
		lasted, err = putBack(ctx, e, last)
		if err == nil && len(lasted) < len(ids) {
			err = fmt.Errorf("%w: %d of %d", errNotBack, len(lasted), len(ids))
		}
		return err
	})
	return lasted, err
}

// putBack is for how many seconds each edit after a request lasted that was taken back.
func putBack(ctx context.Context, e *environment.Environment, after int64) (lasted []float64, err error) {
	entries, err := e.Ledger(ctx, after)
	if err != nil {
		return nil, err
	}
	edited := map[string]time.Time{}
	for _, entry := range entries {
		began, found := edited[entry.AppliedID]
		switch {
		case !entry.Applied || entry.Answered == nil:
		case entry.Source == "ui":
			edited[entry.AppliedID] = *entry.Answered
		case found:
			lasted = append(lasted, entry.Answered.Sub(began).Seconds())
			delete(edited, entry.AppliedID)
		}
	}
	return lasted, nil
}
