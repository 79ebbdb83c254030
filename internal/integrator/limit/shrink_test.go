// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package limit

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// After a 429, others leave four requests a second. For five seconds the bucket can hold two tokens, because a pause
// is made up for, and then one.
const (
	othersLeave = 4
	madeUp      = 5 * time.Second
)

// afterRefusal is a limiter that goes on after a pause of a second, and whose objects make several requests each.
func afterRefusal() *Limiter {
	l := New(100, 100, 16)
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	l.perPermit, l.window, l.answered = 3, 16, now
	l.pace = pace{full: 100, base: othersLeave, since: now, refusedAt: now.Add(-time.Second)}
	l.setRate(now)
	return l
}

// TestBucketThatShrinks: where the bucket can no longer hold the tokens that were waited for, or kept, nobody waits
// for them.
func TestBucketThatShrinks(t *testing.T) {
	const soon = madeUp + 2*time.Second
	take := func(t *testing.T, permits *Permits, l *Limiter, name string) (context.Context, *Permit) {
		permit, err := permits.Take(l, Object{Name: name}, ClassNew, 1)
		if err != nil {
			t.Fatal(err)
		}
		return permit.In(t.Context()), permit
	}
	acquire := func(t *testing.T, ctx context.Context, l *Limiter, r Request) time.Time {
		release, err := l.Acquire(ctx, r)
		if err != nil {
			t.Fatal(err)
		}
		release()
		return time.Now()
	}
	for name, do := range map[string]func(t *testing.T, l *Limiter, permits *Permits){
		"an object that waits for the tokens of several requests": func(t *testing.T, l *Limiter, permits *Permits) {
			l.mu.Lock()
			for range 24 { // so many that the next ones are there only after the bucket has shrunk
				l.spend()
			}
			l.mu.Unlock()
			if _, err := permits.Take(l, Object{Name: "waits"}, ClassNew, 1); err == nil {
				t.Fatal("there is no token, and it has a permit")
			}
			_ = sleep(t.Context(), soon)
			if held(l).permits != 1 {
				t.Error("it is granted none")
			}
			permits.Leave(Object{Name: "waits"})
		},
		"a further page of the object that has them": func(t *testing.T, l *Limiter, permits *Permits) {
			ctx, permit := take(t, permits, l, "reads")
			defer permit.Release()
			began := acquire(t, ctx, l, Request{})
			_ = sleep(t.Context(), madeUp)
			if took := acquire(t, ctx, l, Request{Further: true, MaxWait: NoMaxWait}).Sub(began); took > soon {
				t.Errorf("it waited for %s", took)
			}
		},
		"another request, while the object that has them is answered": func(t *testing.T, l *Limiter, permits *Permits) {
			ctx, permit := take(t, permits, l, "waits")
			defer permit.Release()
			began := acquire(t, ctx, l, Request{})
			_ = sleep(t.Context(), madeUp)
			if took := acquire(t, t.Context(), l, Request{Check: true}).Sub(began); took > soon {
				t.Errorf("it waited for %s", took)
			}
		},
		"the further pages of two objects": func(t *testing.T, l *Limiter, permits *Permits) {
			l.mu.Lock()
			l.perPermit, l.pace.base = 2, 2*othersLeave // enough for two
			l.setRate(time.Now())
			l.mu.Unlock()
			_ = sleep(t.Context(), time.Second) // until they are there
			ctx, one := take(t, permits, l, "one")
			_, other := take(t, permits, l, "other") // nothing is requested with it yet
			l.mu.Lock()
			l.pace.base = othersLeave
			l.mu.Unlock()
			defer one.Release()
			defer other.Release()
			began := acquire(t, ctx, l, Request{})
			_ = sleep(t.Context(), madeUp)
			var both sync.WaitGroup
			for _, permit := range []*Permit{one, other} {
				both.Go(func() {
					if took := acquire(t, permit.In(t.Context()), l, Request{Further: true, MaxWait: NoMaxWait}).Sub(began); took > soon {
						t.Errorf("%s waited for %s", permit.object.Name, took)
					}
				})
			}
			both.Wait()
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := afterRefusal()
				do(t, l, NewPermits(96, func(Object) {}))
				if got := held(l); got.taken != 0 || got.unspent != 0 || got.permits != 0 {
					t.Errorf("left: %+v", got)
				}
			})
		})
	}
}

// TestFirstOfAnEarlierPause: a permit that was to go first after one pause waits for the one that does after the next.
func TestFirstOfAnEarlierPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(0, 0, 4)
		l.Pause(time.Second)
		var notified sync.WaitGroup
		notified.Add(1)
		permits := NewPermits(8, func(Object) { notified.Done() })
		go permits.Run(t.Context())
		if _, err := permits.Take(l, Object{Name: "a"}, ClassNew, 1); err == nil {
			t.Fatal("it has a permit during the pause")
		}
		notified.Wait()
		permit, err := permits.Take(l, Object{Name: "a"}, ClassNew, 1)
		if err != nil {
			t.Fatal(err)
		}
		l.Pause(time.Second)
		_ = sleep(t.Context(), time.Second)
		first, err := l.Acquire(t.Context(), Request{})
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		time.AfterFunc(2*time.Second, first)
		release, err := l.Acquire(permit.In(t.Context()), Request{})
		if err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took < 2*time.Second {
			t.Errorf("it was made %s after the one that goes first, which had not ended", took)
		}
		release()
		permit.Release()
	})
}
