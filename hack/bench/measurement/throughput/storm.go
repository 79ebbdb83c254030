// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package throughput

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
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
	stormBegins = 20 * time.Second
	// stormLasts is for how long it is counted in each repetition: some pauses after a 429. stormWindow is a part
	// of it that is looked at alone.
	stormLasts, stormWindow = time.Minute, 10 * time.Second
	// stormPerSecond are the imports that there are to adopt for each second: more than can be.
	stormPerSecond = 15
)

// stormImports are adopted meanwhile.
func stormImports(repetitions int) int {
	return stormPerSecond * int((stormBegins + time.Duration(repetitions)*stormLasts).Seconds())
}

// othersLeast is which part of the requests that others are to make they have to make.
const othersLeast = 0.95

var (
	errNoWork   = errors.New("all Imports were adopted before the end: nothing waited for the API")
	errNoOthers = errors.New("the others made fewer requests than they should have")
)

// measureStorm has others use nine tenths of the account's bucket while many Imports are adopted. Adoptions make
// three requests each, so that the API is what they wait for.
func measureStorm(ctx context.Context, b *bench.Bench) error {
	existing, imports := bench.Adoptions("adopted", stormImports(b.Repeat))
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
			windows, err := sharesOf(ctx, e)
			if err != nil {
				return err
			}
			all := sum(windows)
			if all.tried < othersLeast*byOthers*stormLasts.Seconds() {
				return fmt.Errorf("%w: %.0f in %s", errNoOthers, all.tried, stormLasts)
			}
			b.Record.Add(all.values(windows)...)
			b.Progress("storm, repetition %d: %.0f requests, %.0f of them answered 429, others %.0f of %.0f; used in each window: %s",
				repetition+1, all.admitted+all.refused, all.refused, all.others, all.tried, percents(windows))
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

// sharesOf counts the requests of each window of a while.
func sharesOf(ctx context.Context, e *environment.Environment) ([]share, error) {
	began := time.Now()
	if err := bench.Pause(ctx, stormLasts); err != nil {
		return nil, err
	}
	entries, err := e.Ledger(ctx, 0)
	if err != nil {
		return nil, err
	}
	windows := make([]share, stormLasts/stormWindow)
	for i := range windows {
		windows[i].took = stormWindow
	}
	for _, entry := range entries {
		if passed := entry.Received.Sub(began); passed >= 0 && passed < stormLasts {
			windows[passed/stormWindow].count(entry)
		}
	}
	if left, err := e.Unready(ctx); err != nil || left == 0 {
		return nil, cmp.Or(err, errNoWork)
	}
	return windows, nil
}

func sum(windows []share) (all share) {
	for _, s := range windows {
		all.took += s.took
		all.admitted += s.admitted
		all.refused += s.refused
		all.others += s.others
		all.tried += s.tried
	}
	return all
}

// used is which part of what others leave was used, in percent.
func (s share) used() float64 {
	return 100 * s.admitted / (environment.RequestsPerSecond*s.took.Seconds() - s.others)
}

func percents(windows []share) string {
	var all []string
	for _, s := range windows {
		all = append(all, fmt.Sprintf("%.0f %%", s.used()))
	}
	return strings.Join(all, ", ")
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

func (s share) values(windows []share) []report.Value {
	key := report.Key{Table: "storm", Row: fmt.Sprintf("others make %d of 300 requests a second", byOthers), System: "operator", Unit: "%"}
	used, least, refused := key, key, key
	used.Name, least.Name, refused.Name = "of what they leave, used", "in the ten seconds in which least is", "of its own requests, answered 429"
	return []report.Value{
		{Key: used, Value: s.used(), Target: report.AtLeast(95)},
		{Key: least, Value: slices.MinFunc(windows, func(a, b share) int { return cmp.Compare(a.used(), b.used()) }).used()},
		{Key: refused, Value: 100 * s.refused / max(s.admitted+s.refused, 1), Target: report.AtMost(1)},
	}
}
