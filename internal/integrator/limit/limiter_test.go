// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package limit

import (
	"context"
	"errors"
	"math"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(10, 2, 100)
		start := time.Now()
		for range 12 {
			release, err := l.Acquire(t.Context(), Request{})
			if err != nil {
				t.Fatal(err)
			}
			release()
		}
		if got := time.Since(start).Round(time.Millisecond); got != time.Second {
			t.Errorf("12 requests at 10 a second and a burst of 2 took %s, want 1s", got)
		}
		l.SetLimits(1, 1, 100)
		start = time.Now()
		for range 3 {
			release, err := l.Acquire(t.Context(), Request{})
			if err != nil {
				t.Fatal(err)
			}
			release()
		}
		if got := time.Since(start).Round(time.Millisecond); got != 3*time.Second {
			t.Errorf("3 requests at 1 a second took %s, want 3s", got)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second/2)
		defer cancel()
		if _, err := l.Acquire(ctx, Request{}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want context.DeadlineExceeded", err)
		}
		if held(l).taken != 0 || held(l).waiting != 0 {
			t.Errorf("%d places were not released, %d wait", held(l).taken, held(l).waiting)
		}
	})
}

func TestLimiterDefaults(t *testing.T) {
	for _, rps := range []float64{0, -1, math.NaN(), math.Inf(-1)} {
		l := New(rps, 0, -3)
		if l.bucket.Limit() != DefaultRequestsPerSecond || l.bucket.Burst() != DefaultBurst || l.size != DefaultMaxInFlight {
			t.Errorf("New(%v, 0, -3): %v, %d, %d, want the defaults", rps, l.bucket.Limit(), l.bucket.Burst(), l.size)
		}
	}
	if l := New(math.Inf(1), 1, 1); l.bucket.Limit() != maxRequestsPerSecond {
		t.Errorf("an infinite rate becomes %v, want %v", l.bucket.Limit(), float64(maxRequestsPerSecond))
	}
}

// TestInFlight counts the requests that are in flight at once.
func TestInFlight(t *testing.T) {
	tests := []struct {
		name   string
		max    int
		invoke bool
		want   int
	}{
		{name: "short requests take all places", max: 8, want: 8},
		{name: "invocations leave a quarter", max: 8, invoke: true, want: 6},
		{name: "invocations leave at least one", max: 2, invoke: true, want: 1},
		{name: "the only place is theirs too", max: 1, invoke: true, want: 1},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := New(1000, 1000, tc.max)
				var entered atomic.Int32
				done := make(chan struct{})
				for range 20 {
					go func() {
						release, err := l.Acquire(t.Context(), Request{Invocation: tc.invoke})
						if err != nil {
							t.Error(err)
							return
						}
						entered.Add(1)
						<-done
						release()
					}()
				}
				synctest.Wait()
				if got := int(entered.Load()); got != tc.want {
					t.Errorf("%d of 20 are in flight, want %d", got, tc.want)
				}
				if tc.invoke && tc.max > 1 {
					release, err := l.Acquire(t.Context(), Request{})
					if err != nil {
						t.Errorf("a short call beside the invocations: %v", err)
					}
					release()
				}
				close(done)
				synctest.Wait()
				if got := int(entered.Load()); got != 20 {
					t.Errorf("%d of 20 came through, want all", got)
				}
				if held(l).taken != 0 || held(l).invoking != 0 {
					t.Errorf("%d and %d places were not released", held(l).taken, held(l).invoking)
				}
			})
		})
	}
}

func TestPauseNeverGetsShorter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(0, 0, 0)
		l.Pause(time.Minute)
		l.Pause(time.Second)
		if got := l.PausedFor(); got != time.Minute {
			t.Errorf("paused for %s, want 1m", got)
		}
	})
}

// TestPausedWhileQueued pauses the account while a request waits for a place.
func TestPausedWhileQueued(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(0, 0, 1)
		release, err := l.Acquire(t.Context(), Request{})
		if err != nil {
			t.Fatal(err)
		}
		short, unlimited := make(chan error, 1), make(chan time.Duration, 1)
		start := time.Now()
		go func() {
			_, err := l.Acquire(t.Context(), Request{})
			short <- err
		}()
		go func() {
			release, err := l.Acquire(t.Context(), Request{MaxWait: NoMaxWait})
			if err != nil {
				t.Error(err)
				return
			}
			release()
			unlimited <- time.Since(start)
		}()
		synctest.Wait()
		l.Pause(time.Minute)
		release()
		if paused, ok := errors.AsType[*RejectedError](<-short); !ok || paused.RetryAfter != time.Minute {
			t.Error("the waiting request was not rejected because of the pause")
		}
		if got := <-unlimited; got != time.Minute {
			t.Errorf("the call without a limit went after %s, want 1m", got)
		}
	})
}

// TestBusy: an invocation takes the only place for a minute. A short request does not wait for it, a
// scan and another invocation do.
func TestBusy(t *testing.T) {
	tests := map[string]struct {
		request Request
		took    time.Duration
		busy    bool
	}{
		"short":      {took: PlaceWait, busy: true},
		"list":       {request: Request{MaxWait: PlaceWait}, took: PlaceWait, busy: true},
		"scan":       {request: Request{MaxWait: NoMaxWait}, took: time.Minute},
		"invocation": {request: Request{Invocation: true}, took: time.Minute},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := New(0, 0, 1)
				release, err := l.Acquire(t.Context(), Request{Invocation: true})
				if err != nil {
					t.Fatal(err)
				}
				time.AfterFunc(time.Minute, release)
				start := time.Now()
				release, err = l.Acquire(t.Context(), tc.request)
				if took := time.Since(start); took != tc.took {
					t.Errorf("it waited for %s, want %s", took, tc.took)
				}
				if paused, busy := errors.AsType[*RejectedError](err); busy != tc.busy || busy && *paused != (RejectedError{RetryAfter: busyRetryAfter, Cause: ErrBusy}) {
					t.Errorf("got error %v, want busy: %t", err, tc.busy)
				}
				if err == nil {
					release()
				}
				_ = sleep(t.Context(), time.Hour)
				if held(l).taken != 0 || held(l).waiting != 0 {
					t.Errorf("%d places are still taken, %d wait", held(l).taken, held(l).waiting)
				}
			})
		})
	}
}

// TestResize: places beyond a smaller number stay taken until they are released, and a larger number
// admits at once.
func TestResize(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(0, 0, 1)
		var in, done atomic.Int32
		end := make(chan struct{})
		for range 5 {
			go func() {
				release, err := l.Acquire(t.Context(), Request{MaxWait: NoMaxWait})
				if err != nil {
					t.Error(err)
					return
				}
				in.Add(1)
				<-end
				done.Add(1)
				release()
			}()
		}
		for _, step := range []struct {
			size    int
			release int32
			want    int32
		}{{size: 1, want: 1}, {size: 3, want: 3}, {size: 1, want: 3}, {size: 1, release: 2, want: 3}, {size: 1, release: 3, want: 4}, {size: 2, release: 3, want: 5}} {
			l.SetLimits(0, 0, step.size)
			for done.Load() < step.release {
				end <- struct{}{}
				synctest.Wait()
			}
			synctest.Wait()
			if in.Load() != step.want {
				t.Errorf("with %d places and %d released, %d came through, want %d", step.size, step.release, in.Load(), step.want)
			}
		}
		close(end)
	})
}

// TestGiveUp has a request give up at the moment when it is given a place, again and again.
func TestGiveUp(t *testing.T) {
	l := New(1e6, 1e6, 1)
	for range 500 {
		first, err := l.Acquire(t.Context(), Request{})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		go func() { cancel() }()
		go first()
		if release, err := l.Acquire(ctx, Request{}); err == nil {
			release()
		}
	}
	for {
		l.mu.Lock()
		left := l.taken + len(l.waiting.all())
		l.mu.Unlock()
		if left == 0 {
			return
		}
		if t.Context().Err() != nil {
			t.Fatalf("%d places were lost", left)
		}
	}
}

// holding is what is taken of a limiter, and what waits.
type holding struct{ taken, invoking, waiting, permits, unspent, objects int }

// held reads it while requests may be under way.
func held(l *Limiter) holding {
	l.mu.Lock()
	defer l.mu.Unlock()
	return holding{taken: l.taken, invoking: l.invoking, waiting: len(l.waiting.all()), permits: len(l.granted), unspent: l.unspent, objects: len(l.byObject)}
}
