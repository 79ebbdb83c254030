// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package shared

import (
	"context"
	"crypto/sha256"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/utils/clock"

	"github.com/integrator-operator/integrator-operator/internal/integrator"
	"github.com/integrator-operator/integrator-operator/internal/integrator/limit"
)

var errNoAnswer = errors.New("no answer")

// world is a pool whose lists a test answers.
type world struct {
	t    *testing.T
	pool *Pool
	// lists are when lists were requested. Each takes takes, has so many pages, and fails if fails. reads are the
	// imports that were read one by one instead, and unreadable is whether that gave the list.
	mu         sync.Mutex
	lists      []time.Time
	reads      [][]string
	takes      time.Duration
	pages      int
	fails      atomic.Bool
	unreadable atomic.Bool
}

// newWorld returns a world whose scanners end with ctx.
func newWorld(ctx context.Context, t *testing.T) *world {
	t.Helper()
	w := &world{t: t, pool: NewPool(ctx, clock.RealClock{})}
	w.pool.read = func(ctx context.Context, _ *integrator.Client, ids []string) (List, error) {
		list := List{Pages: w.pages}
		w.mu.Lock()
		if len(ids) > 0 && !w.unreadable.Load() {
			w.reads = append(w.reads, ids)
			list = List{Singles: map[string]bool{}}
		} else {
			w.lists = append(w.lists, time.Now())
		}
		w.mu.Unlock()
		select {
		case <-time.After(w.takes):
			if w.fails.Load() {
				return List{}, errNoAnswer
			}
			return list, nil
		case <-ctx.Done():
			return List{}, ctx.Err()
		}
	}
	return w
}

// requested are the times at which lists were requested.
func (w *world) requested() []time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.lists)
}

// alone are the imports that were read one by one.
func (w *world) alone() [][]string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.reads)
}

// counter counts what a scanner tells.
type counter struct{ atomic.Int64 }

func (c *counter) get() int { return int(c.Load()) }

// inWorld runs a test at a clock of its own. The scanners end with the process when it has ended, and
// synctest fails if one of their goroutines is left.
func inWorld(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, end := context.WithCancel(context.Background())
		defer end()
		test(t, newWorld(ctx, t))
	})
}

// pass lets time pass, at the clock of synctest.
func pass(d time.Duration) { <-time.After(d) }

// account is an Account that records what it is told.
type account struct {
	*Member
	begins, ends, failures counter
	mu                     sync.Mutex
	overdue                []time.Duration
	// ending is called at the end of a scan.
	ending func()
	wants  Wants
}

func (a *account) Wants(context.Context, int) Wants { return a.wants }

func (a *account) Begin() { a.begins.Add(1) }

func (a *account) Overdue(after time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.overdue = append(a.overdue, after)
}

// told is what Overdue was called with.
func (a *account) told() []time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.overdue)
}

func (a *account) End(_ context.Context, _ List, _ time.Duration, err error) bool {
	if a.ending != nil {
		a.ending()
	}
	if err != nil {
		a.failures.Add(1)
		return false
	}
	a.ends.Add(1)
	return true
}

var limits = Limits{RequestsPerSecond: 100, MaxInFlight: 16}

func (w *world) join(token string, limits Limits, former *Member) *account {
	w.t.Helper()
	m, err := w.pool.Join(Key{BaseURL: "https://api.integrator.io", Token: sha256.Sum256([]byte(token))}, limits, former, nil, func(limiter *limit.Limiter) (*integrator.Client, error) {
		return integrator.New(integrator.Config{BaseURL: "https://api.integrator.io", Token: token, Limiter: limiter})
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return &account{Member: m}
}

// watch joins, and watches at an interval.
func (w *world) watch(token string, interval time.Duration) *account {
	w.t.Helper()
	a := w.join(token, limits, nil)
	a.Watch(a, Pace{Interval: interval, Patience: 3 * interval})
	synctest.Wait()
	return a
}

func TestOneListForAll(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, b, other := w.watch("t1", 10*time.Minute), w.watch("t1", time.Minute), w.watch("t2", time.Hour)
		pass(30 * time.Minute)
		synctest.Wait()
		// The first of each, the first of b, and then one a minute at most.
		if n := len(w.requested()); n < 29 || n > 3+30 {
			t.Errorf("%d lists were requested in 30 minutes", n)
		}
		if a.ends.get() != b.ends.get()+1 || b.ends.get() != len(w.requested())-2 {
			t.Errorf("of %d lists, %d and %d came to those that share them", len(w.requested()), a.ends.get(), b.ends.get())
		}
		if other.ends.get() != 1 {
			t.Errorf("%d lists came to an Account with another token", other.ends.get())
		}
	})
}

func TestListThatHadBegunDoesNotCount(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.takes = 10 * time.Second
		a := w.watch("t1", time.Hour)
		pass(time.Second)
		b, c := w.watch("t1", time.Hour), w.watch("t1", time.Hour)
		pass(10 * time.Second)
		synctest.Wait()
		if len(w.requested()) != 2 || a.ends.get() != 1 || b.ends.get() != 0 || b.begins.get() != 1 {
			t.Errorf("%d lists, %d ends and %d: the second list begins when the first ends", len(w.requested()), a.ends.get(), b.ends.get())
		}
		pass(10 * time.Second)
		synctest.Wait()
		if len(w.requested()) != 2 || b.ends.get() != 1 || c.ends.get() != 1 {
			t.Errorf("%d lists, %d ends and %d: one list is enough for those that came meanwhile", len(w.requested()), b.ends.get(), c.ends.get())
		}
	})
}

func TestOneGoes(t *testing.T) {
	for name, goes := range map[string]func(*account){"suspended": func(a *account) { a.Unwatch() }, "deleted": func(a *account) { a.Leave() }} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				w.takes = 10 * time.Second
				a, b := w.watch("t1", time.Minute), w.watch("t1", 2*time.Minute)
				pass(15 * time.Second) // the first list has ended, and the second, which is for both, has begun
				goes(a)
				pass(time.Minute)
				synctest.Wait()
				if a.begins.get() != 2 || a.ends.get() != 1 {
					t.Errorf("the one that is gone is told: %d, %d", a.begins.get(), a.ends.get())
				}
				if b.ends.get() != 1 || b.failures.get() != 0 || len(w.requested()) != 2 {
					t.Errorf("the other had %d ends and %d failures of %d lists", b.ends.get(), b.failures.get(), len(w.requested()))
				}
				// The interval is now its own.
				pass(2 * time.Minute)
				synctest.Wait()
				if b.ends.get() != 2 || len(w.requested()) != 3 {
					t.Errorf("the other had %d ends of %d lists", b.ends.get(), len(w.requested()))
				}
			})
		})
	}
}

// TestLastGoes: nothing is left of the scanner, although the process goes on.
func TestLastGoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(context.Background(), t)
		w.takes = time.Minute
		a, b := w.watch("t1", time.Minute), w.watch("t1", time.Minute)
		a.Leave()
		b.Unwatch()
		pass(time.Hour)
		if len(w.requested()) != 1 || a.ends.get()+b.ends.get()+a.failures.get()+b.failures.get() != 0 {
			t.Errorf("%d lists are requested for nobody", len(w.requested()))
		}
		b.Watch(b, Pace{Interval: time.Minute, Patience: time.Hour})
		pass(61 * time.Second)
		synctest.Wait()
		if b.ends.get() != 1 {
			t.Errorf("%d lists once it watches again", b.ends.get())
		}
		b.Leave()
		b.Leave()
		if len(w.pool.byKey) != 0 {
			t.Errorf("%d groups are left", len(w.pool.byKey))
		}
	})
}

// TestEndBlocks: an Account that is blocked by what a scan shows goes while it is told, and so do the
// others by what it is told.
func TestEndBlocks(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.takes = time.Second
		a, b := w.join("t1", limits, nil), w.join("t1", limits, nil)
		a.ending = func() { a.Unwatch(); b.Unwatch() }
		watchHourly(a, b)
		pass(5 * time.Hour)
		synctest.Wait()
		if len(w.requested()) > 2 || a.ends.get() != 1 || b.ends.get() != 0 {
			t.Errorf("%d lists, %d and %d ends", len(w.requested()), a.ends.get(), b.ends.get())
		}
	})
}

func TestOverdue(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.fails.Store(true)
		a, b := w.watch("t1", time.Minute), w.watch("t1", time.Hour)
		pass(4 * time.Hour)
		synctest.Wait()
		if diff := cmp.Diff([][]time.Duration{{3 * time.Minute}, {3 * time.Hour}}, [][]time.Duration{a.told(), b.told()}); diff != "" {
			t.Errorf("each is told once, by its own interval (-want +got)\n%s", diff)
		}
		w.fails.Store(false)
		pass(2 * time.Minute)
		w.fails.Store(true)
		pass(10 * time.Minute)
		synctest.Wait()
		if len(a.told()) != 2 || len(b.told()) != 1 {
			t.Errorf("after a scan that reached its end: %v, %v", a.told(), b.told())
		}
	})
}

// TestOverdueWhileAListHangs: a list that neither ends nor fails is seen too.
func TestOverdueWhileAListHangs(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.takes = time.Hour
		a := w.watch("t1", time.Minute)
		pass(3 * time.Minute)
		synctest.Wait()
		if len(a.told()) != 1 || len(w.requested()) != 1 {
			t.Errorf("told %v, %d lists", a.told(), len(w.requested()))
		}
	})
}

// watchAll has accounts watch imports of a large account.
func (w *world) watchAll(accounts ...*account) {
	w.pages = 100
	for _, a := range accounts {
		a.Watch(a, Pace{Interval: time.Minute, Patience: time.Hour})
	}
	pass(time.Second)
	synctest.Wait()
}

// TestSinglesOfAll: what all of them watch is read once, and a list comes from time to time.
func TestSinglesOfAll(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, b := w.join("t1", limits, nil), w.join("t1", limits, nil)
		a.wants, b.wants = Wants{IDs: []string{"1", "2"}}, Wants{IDs: []string{"2", "3"}}
		w.watchAll(a, b)
		before := len(w.requested())
		pass(2 * time.Minute)
		synctest.Wait()
		if n := len(w.requested()) - before; n != 0 || len(w.alone()) == 0 {
			t.Errorf("%d lists, and imports alone %v", n, w.alone())
		}
		for _, ids := range w.alone() {
			if diff := cmp.Diff([]string{"1", "2", "3"}, ids); diff != "" {
				t.Error(diff)
			}
		}
		pass(time.Hour)
		synctest.Wait()
		if lists, singles := len(w.requested())-before, len(w.alone()); lists < 4 || lists > 7 || singles < 8*lists {
			t.Errorf("%d lists in an hour, and %d scans of single imports", lists, singles)
		}
		if a.ends.get() != b.ends.get() || a.ends.get() < 50 {
			t.Errorf("%d and %d scans have reached their end", a.ends.get(), b.ends.get())
		}
	})
}

// TestDemandList: one list for those that demand it, at once, and after the scan that had begun before.
func TestDemandList(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, b := w.join("t1", limits, nil), w.join("t1", limits, nil)
		a.wants, b.wants = Wants{IDs: []string{"1"}}, Wants{IDs: []string{"1"}}
		w.watchAll(a, b)
		pass(70 * time.Second)
		w.takes = 10 * time.Second
		synctest.Wait()
		before := len(w.requested())
		a.DemandList()
		synctest.Wait()
		a.DemandList() // of what is not in the list that has begun
		b.DemandList()
		synctest.Wait()
		if n := len(w.requested()) - before; n != 1 {
			t.Errorf("%d lists at once", n)
		}
		pass(25 * time.Second)
		synctest.Wait()
		if n := len(w.requested()) - before; n != 2 {
			t.Errorf("%d lists for all", n)
		}
		a.Unwatch()
		a.DemandList()
		(*Member)(nil).DemandList()
	})
}

// TestListDemandFails: a list that fails is not demanded again by that.
func TestListDemandFails(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a := w.join("t1", limits, nil)
		w.watchAll(a)
		w.fails.Store(true)
		before := len(w.requested())
		a.DemandList()
		pass(50 * time.Second)
		synctest.Wait()
		if n := len(w.requested()) - before; n != 1 {
			t.Errorf("%d lists", n)
		}
	})
}

// TestSinglesUnreadable: where one of them cannot be read, the list is read for a while.
func TestSinglesUnreadable(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a := w.join("t1", limits, nil)
		a.wants = Wants{IDs: []string{"1"}}
		w.unreadable.Store(true)
		w.watchAll(a)
		pass(2 * time.Minute)
		w.unreadable.Store(false)
		pass(5 * time.Minute)
		synctest.Wait()
		if len(w.alone()) != 0 {
			t.Errorf("imports are read alone again at once: %v", w.alone())
		}
		pass(10 * time.Minute)
		synctest.Wait()
		if len(w.alone()) == 0 {
			t.Error("imports are not read alone again")
		}
	})
}

func TestSetPace(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a := w.watch("t1", time.Hour)
		pass(time.Minute)
		a.SetPace(Pace{Interval: 2 * time.Minute, Patience: time.Hour})
		synctest.Wait()
		if len(w.requested()) != 1 {
			t.Errorf("%d lists at once", len(w.requested()))
		}
		pass(75 * time.Second) // 2 minutes and a tenth since the last
		synctest.Wait()
		if len(w.requested()) != 2 {
			t.Errorf("%d lists at the new interval", len(w.requested()))
		}
	})
}

// allowed is how many requests go at once.
func (a *account) allowed(t *testing.T) (n int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Nanosecond)
	defer cancel()
	for {
		release, err := a.group.limiter.Acquire(ctx, limit.Request{MaxWait: limit.NoMaxWait})
		if err != nil {
			return n
		}
		release()
		n++
	}
}

func TestLimits(t *testing.T) {
	for name, tc := range map[string]struct {
		reason string
		play   func(a, b *account)
		want   int
	}{
		"Largest":       {"the largest share, not the sum", func(*account, *account) {}, 30},
		"Raised":        {"by whom it may be", func(a, _ *account) { a.SetLimits(Limits{RequestsPerSecond: 50, MaxInFlight: 1}) }, 50},
		"Lowered":       {"none lowers that of another", func(a, _ *account) { a.SetLimits(Limits{RequestsPerSecond: 1, MaxInFlight: 1}) }, 30},
		"Suspended":     {"one that is suspended does not count", func(a, b *account) { watchHourly(a, b); b.Unwatch() }, 20},
		"BothSuspended": {"unless all are", func(a, b *account) { watchHourly(a, b); a.Unwatch(); b.Unwatch() }, 30},
		"Gone":          {"nor does one that is gone", func(_, b *account) { b.Leave() }, 20},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				a := w.join("t1", Limits{RequestsPerSecond: 20, MaxInFlight: 8}, nil)
				b := w.join("t1", Limits{RequestsPerSecond: 30, MaxInFlight: 4}, nil)
				tc.play(a, b)
				pass(10 * time.Second) // the bucket is full
				if got := a.allowed(t); got != tc.want {
					t.Errorf("%s: %d go at once, want %d", tc.reason, got, tc.want)
				}
			})
		})
	}
}

func watchHourly(accounts ...*account) {
	for _, a := range accounts {
		a.Watch(a, Pace{Interval: time.Hour, Patience: time.Hour})
	}
}

func TestPauseIsShared(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, b, other := w.join("t1", limits, nil), w.join("t1", limits, nil), w.join("t2", limits, nil)
		a.group.limiter.Pause(time.Minute)
		if b.group.limiter.PausedFor() != time.Minute || other.group.limiter.PausedFor() != 0 {
			t.Error("a pause holds for those with the token")
		}
		for reason, tc := range map[string]struct {
			token string
			want  time.Duration
		}{
			"it goes along with a new token":                {"t3", time.Minute},
			"but never to those that had that token before": {"t2", 0},
		} {
			if got := w.join(tc.token, limits, a.Member).group.limiter.PausedFor(); got != tc.want {
				t.Errorf("%s: paused for %s", reason, got)
			}
		}
	})
}

func TestJoinFails(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		_, err := w.pool.Join(Key{}, limits, nil, nil, func(*limit.Limiter) (*integrator.Client, error) { return nil, errNoAnswer })
		if !errors.Is(err, errNoAnswer) || len(w.pool.byKey) != 0 {
			t.Errorf("%v, %d groups", err, len(w.pool.byKey))
		}
	})
}

func TestShare(t *testing.T) {
	for name, tc := range map[string]struct {
		reason string
		of     Limits
		part   float64
		want   Limits
		burst  int
	}{
		"All":    {"one operator alone", Limits{RequestsPerSecond: 20, MaxInFlight: 8}, 1, Limits{RequestsPerSecond: 20, MaxInFlight: 8}, 20},
		"Half":   {"of both", Limits{RequestsPerSecond: 20, MaxInFlight: 9}, 0.5, Limits{RequestsPerSecond: 10, MaxInFlight: 4}, 10},
		"Slow":   {"less than one a second, and one in flight", Limits{RequestsPerSecond: 1, MaxInFlight: 1}, 0.25, Limits{RequestsPerSecond: 0.25, MaxInFlight: 1}, 1},
		"Absent": {"of the defaults", Limits{}, 0.5, Limits{RequestsPerSecond: 50, MaxInFlight: 8}, 50},
	} {
		t.Run(name, func(t *testing.T) {
			got := tc.of.Share(tc.part)
			if got != tc.want || got.burst() != tc.burst {
				t.Errorf("%s: %+v with a burst of %d", tc.reason, got, got.burst())
			}
		})
	}
}
