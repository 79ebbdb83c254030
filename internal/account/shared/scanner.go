// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package shared

import (
	"context"
	"slices"
	"time"

	"k8s.io/utils/clock"

	"github.com/integrator-operator/integrator-operator/internal/integrator"
)

// Watcher is told of the scans. All of its methods are called by the one goroutine of a scanner.
type Watcher interface {
	// Wants is asked before a scan what it has to read. With more than most imports it may name none, and want
	// the list.
	Wants(ctx context.Context, most int) Wants
	// Begin is called before a list or an import is requested: what is read shows what is there from then on.
	Begin()
	// End is called with the list, and how long it took, or with why it did not reach its end. It
	// returns whether the scan counts as one that did.
	End(ctx context.Context, list List, took time.Duration, err error) bool
	// Overdue is called once when for longer than this no scan has reached its end.
	Overdue(after time.Duration)
}

// watching is a watcher of a scanner.
type watching struct {
	seen
	watcher Watcher
	client  *integrator.Client
}

// scanner scans the imports while somebody watches.
type scanner struct {
	pool   *Pool
	cancel context.CancelFunc
	// changed wakes it: somebody watches, or does not any more, or wants another pace.
	changed chan struct{}

	// Pool.mu guards what follows.

	// watchers in the order in which they came.
	watchers []*watching
	running  bool
	ended    time.Time
	jitter   float64

	// choice is of the goroutine of the scanner alone.
	choice choice
}

// result is how a scan ended, and for whom it counts: those that watched when it began.
type result struct {
	list List
	// single: the imports were to be read one by one.
	single   bool
	took     time.Duration
	err      error
	watchers []*watching
}

// run scans until ctx ends.
func (s *scanner) run(ctx context.Context) {
	results := make(chan result, 1)
	for {
		begin, overdue, wait := s.next()
		for _, w := range overdue {
			w.watcher.Overdue(w.pace.Patience)
		}
		if begin {
			s.begin(ctx, results)
			continue
		}
		var timer clock.Timer
		var expired <-chan time.Time
		if wait > 0 {
			timer = s.pool.clock.NewTimer(wait)
			expired = timer.C()
		}
		select {
		case <-expired:
		case <-s.changed:
		case r := <-results:
			s.end(ctx, r)
		case <-ctx.Done():
		}
		if timer != nil {
			timer.Stop()
		}
		if ctx.Err() != nil {
			return
		}
	}
}

// next asks the schedule, and notes who is told that no scan has reached its end.
func (s *scanner) next() (begin bool, overdue []watching, wait time.Duration) {
	s.pool.mu.Lock()
	defer s.pool.mu.Unlock()
	plan := schedule{running: s.running, ended: s.ended, jitter: s.jitter}
	for _, w := range s.watchers {
		plan.watchers = append(plan.watchers, w.seen)
	}
	begin, late, wait := plan.next(s.pool.clock.Now())
	for _, i := range late {
		s.watchers[i].told = true
		overdue = append(overdue, *s.watchers[i])
	}
	return begin, overdue, wait
}

// begin requests the list, or the imports of those that watch now, with the client of the first. Who has
// seen no scan gets the list.
func (s *scanner) begin(ctx context.Context, results chan<- result) {
	s.pool.mu.Lock()
	watchers := slices.Clone(s.watchers)
	fresh := false
	for _, w := range watchers {
		fresh = fresh || !w.begun
		w.begun = true
	}
	s.running = len(watchers) > 0
	s.pool.mu.Unlock()
	if len(watchers) == 0 {
		return
	}
	var ids []string
	if most := s.choice.most(s.pool.clock.Now()); !fresh && most > 0 {
		ids = single(wantsOf(ctx, watchers, most), most)
	}
	for _, w := range watchers {
		w.watcher.Begin()
	}
	go func() {
		began := s.pool.clock.Now()
		list, err := s.pool.read(ctx, watchers[0].client, ids)
		results <- result{list: list, single: len(ids) > 0, took: s.pool.clock.Since(began), err: err, watchers: watchers}
	}()
}

func wantsOf(ctx context.Context, watchers []*watching, most int) (wants []Wants) {
	for _, w := range watchers {
		wants = append(wants, w.watcher.Wants(ctx, most))
	}
	return wants
}

// end hands the list to those that watched when it began, and still do.
func (s *scanner) end(ctx context.Context, r result) {
	s.choice = s.choice.ended(r.single, r.list, r.err, s.pool.clock.Now())
	for _, w := range r.watchers {
		if ctx.Err() == nil && s.watches(w) && w.watcher.End(ctx, r.list, r.took, r.err) {
			s.pool.mu.Lock()
			w.quiet, w.told = s.pool.clock.Now(), false
			s.pool.mu.Unlock()
		}
	}
	s.pool.mu.Lock()
	defer s.pool.mu.Unlock()
	s.running, s.ended, s.jitter = false, s.pool.clock.Now(), jittered()
}

func (s *scanner) watches(w *watching) bool {
	s.pool.mu.Lock()
	defer s.pool.mu.Unlock()
	return slices.Contains(s.watchers, w)
}

// wake has the scanner look at its watchers again.
func (s *scanner) wake() {
	select {
	case s.changed <- struct{}{}:
	default: // it will
	}
}
