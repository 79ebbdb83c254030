// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package throughput

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/integrator-operator/integrator-operator/hack/bench/bench"
	"github.com/integrator-operator/integrator-operator/hack/bench/environment"
	"github.com/integrator-operator/integrator-operator/hack/bench/report"
	"github.com/integrator-operator/integrator-operator/internal/simulator"
)

const (
	// byOthers is how many requests a second others make, of the 300 that the platform permits.
	byOthers = 270
	// emptying is how long others make twice what the platform permits, so that the bucket is empty.
	emptying = 5 * time.Second
	// stormBegins is how long the manager has to find out what is left, before anything is counted.
	stormBegins = 10 * time.Second
	// stormLasts is for how long it is counted in each repetition.
	stormLasts = 10 * time.Second
	// stormImports are adopted meanwhile: more than can be in that time.
	stormImports = 800
)

var errNoWork = errors.New("all Imports were adopted before the end: nothing waited for the API")

// measureStorm has others use nine tenths of the account's bucket while many Imports are adopted. Adoptions make
// three requests each, so that the API is what they wait for.
func measureStorm(ctx context.Context, b *bench.Bench) error {
	existing, imports := bench.Adoptions("adopted", stormImports)
	return b.In(ctx, func(e *environment.Environment) error {
		if err := e.AddAccount(ctx, existing); err != nil {
			return err
		}
		if err := e.SuspendUntilSeen(ctx); err != nil {
			return err
		}
		if err := e.Apply(ctx, imports); err != nil {
			return err
		}
		if err := usedBy(ctx, e, environment.RequestsPerSecond*2, emptying); err != nil {
			return err
		}
		others, end := context.WithCancel(ctx)
		defer end()
		go e.Other().Use(others, byOthers)
		if err := e.Suspend(ctx, false); err != nil {
			return err
		}
		if err := bench.Pause(ctx, stormBegins); err != nil {
			return err
		}
		for repetition := range b.Repeat {
			s, err := shareOf(ctx, e)
			if err != nil {
				return err
			}
			b.Record.Add(s.values()...)
			b.Progress("storm, repetition %d: %.0f requests, %.0f of them answered 429, others %.0f of %.0f", repetition+1, s.admitted+s.refused, s.refused, s.others, s.tried)
		}
		return nil
	})
}

// usedBy has others use the bucket for a while.
func usedBy(ctx context.Context, e *environment.Environment, perSecond int, d time.Duration) error {
	others, end := context.WithCancel(ctx)
	defer end()
	go e.Other().Use(others, perSecond)
	return bench.Pause(ctx, d)
}

// share is what has become of the bucket: of the manager's requests, and of those that others tried.
type share struct {
	took                             time.Duration
	admitted, refused, others, tried float64
}

// shareOf counts the requests of a while.
func shareOf(ctx context.Context, e *environment.Environment) (s share, err error) {
	began := time.Now()
	if err := bench.Pause(ctx, stormLasts); err != nil {
		return s, err
	}
	s.took = time.Since(began)
	entries, err := e.Ledger(ctx, 0)
	if err != nil {
		return s, err
	}
	adopted := 0
	for _, entry := range entries {
		if entry.Received.After(began) && entry.Received.Before(began.Add(s.took)) {
			s.count(entry)
		}
		if entry.Applied && entry.Source == "api" {
			adopted++
		}
	}
	if adopted >= stormImports {
		return s, errNoWork
	}
	return s, nil
}

func (s *share) count(entry simulator.Entry) {
	refused := entry.Status == http.StatusTooManyRequests
	switch {
	case entry.Source == "ui":
		s.tried++
		if !refused {
			s.others++
		}
	case refused:
		s.refused++
	default:
		s.admitted++
	}
}

func (s *share) values() []report.Value {
	key := report.Key{Table: "storm", Row: fmt.Sprintf("others make %d of 300 requests a second", byOthers), System: "operator", Unit: "%"}
	left := environment.RequestsPerSecond*s.took.Seconds() - s.others
	used, refused := key, key
	used.Name, refused.Name = "of what they leave, used", "of its own requests, answered 429"
	return []report.Value{
		{Key: used, Value: 100 * s.admitted / left, Target: report.AtLeast(95)},
		{Key: refused, Value: 100 * s.refused / max(s.admitted+s.refused, 1), Target: report.AtMost(1)},
	}
}
