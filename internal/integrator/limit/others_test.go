// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package limit

import (
	"context"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// busyPlatform permits so many requests a second, of which others make most. It answers after a while.
type busyPlatform struct {
	bucket   tokens
	byOthers float64
	began    time.Time

	mu sync.Mutex
	// theirs is the part of their next request that is due, last until when theirs are made.
	theirs float64
	last   int
	spans  []span
}

// take reports whether a request of now is permitted.
func (b *busyPlatform) take() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := int(time.Since(b.began) / time.Millisecond)
	for ; b.last < now; b.last++ {
		for b.theirs += b.byOthers / 1000; b.theirs >= 1; b.theirs-- {
			b.bucket.take(b.last)
		}
	}
	second := &b.spans[now/1000]
	if !b.bucket.take(now) {
		second.refused++
		return false
	}
	second.used++
	return true
}

// call makes a request through a limiter, and reports whether it succeeded.
func (b *busyPlatform) call(ctx context.Context, l *Limiter, r Request) bool {
	release, err := l.Acquire(ctx, r)
	if err != nil {
		return false
	}
	defer release()
	halfway := func() error { return sleep(ctx, time.Duration(20+rand.IntN(12))*time.Millisecond) } //nolint:gosec // no secret
	if halfway() != nil {
		return false
	}
	ok := b.take()
	_ = halfway()
	if !ok {
		l.Pause(time.Second)
	}
	l.Report(true)
	return ok
}

// TestObjectsBesideOthers: objects that make several requests each use what others leave, with few 429s. What is saved
// up during a pause is not granted to more objects than it is enough for.
func TestObjectsBesideOthers(t *testing.T) {
	const settles, lasts = 20, 140 // seconds
	writes := func(ctx context.Context) { _ = sleep(ctx, 40*time.Millisecond) }
	for name, tc := range map[string]struct {
		reason string
		work   func(ctx context.Context, call func(Request) bool) bool
	}{
		"Creations": {"one request each", func(_ context.Context, call func(Request) bool) bool { return call(Request{}) }},
		"Updates": {"one after the other", func(_ context.Context, call func(Request) bool) bool {
			read := call(Request{})
			return read && call(Request{})
		}},
		"Adoptions": {"two of three beside writes to Kubernetes", func(ctx context.Context, call func(Request) bool) bool {
			if !call(Request{}) {
				return false
			}
			var look sync.WaitGroup
			look.Go(func() { call(Request{}); call(Request{MaxWait: PlaceWait}) })
			writes(ctx)
			look.Wait()
			return true
		}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				platform := &busyPlatform{bucket: tokens{perSecond: permitted, burst: permitted}, byOthers: 270, began: time.Now(), spans: make([]span, lasts+1)}
				limiter := New(permitted, permitted, 16)
				var r *reconciler
				r = newReconciler(t, 96, func(permit context.Context, l *Limiter, object string) {
					if tc.work(permit, func(request Request) bool { return platform.call(permit, l, request) }) {
						return
					}
					time.AfterFunc(time.Second+l.PausedFor(), func() {
						if ctx.Err() == nil {
							r.reconcile(object)
						}
					})
				})
				r.ask(limiter, ClassNew, numbered("object", 30*lasts*2)...)
				_ = sleep(ctx, lasts*time.Second)
				cancel()
				synctest.Wait()
				spans := platform.spans[settles:lasts]
				for i := range spans {
					spans[i].left = permitted - platform.byOthers
				}
				all, ten := sum(spans), 1.0
				for from := 0; from < len(spans); from += 10 {
					ten = min(ten, sum(spans[from:from+10]).share())
				}
				t.Logf("used %.1f %%, in ten seconds %.0f %% at least; refused %.2f %%", 100*all.share(), 100*ten, 100*all.refusedShare())
				if all.share() < 0.97 || ten < 0.8 || all.refusedShare() > 0.01 {
					t.Errorf("%s: used %.1f %% of what is left, in ten seconds %.0f %% at least; refused %.2f %% of the requests", tc.reason, 100*all.share(), 100*ten, 100*all.refusedShare())
				}
			})
		})
	}
}
