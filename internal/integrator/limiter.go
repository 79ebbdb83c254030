// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package integrator

import (
	"context"
	"errors"
	"math"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Defaults of a Limiter: a third of what the platform gives an account (300 requests a second).
const (
	DefaultRequestsPerSecond = 100
	DefaultBurst             = 100
	DefaultMaxInFlight       = 16
)

const (
	// maxRequestsPerSecond keeps the arithmetic of the bucket away from infinity.
	maxRequestsPerSecond = 1e6
	// defaultPause follows a 429 that does not say how long to wait.
	defaultPause = time.Second
)

// errPaused is the cause of the local 429 of a call that came while the account waits.
var errPaused = errors.New("the account waits after an earlier 429")

// ErrBusy is the cause of the local 429 of a call that got no place among those under way.
var ErrBusy = errors.New("other calls of the account take all places")

// Limiter is one account's share of the platform's rate limit: a token bucket, a bound on the
// requests under way, and the pause that the API asked for with a 429. All clients of the
// account share one Limiter, so that a 429 to one of them stops all.
//
// Invocations can last for minutes, so a quarter of the places (at least one, if there are two)
// is kept from them: they never shut out the short calls.
type Limiter struct {
	bucket  *rate.Limiter
	all     gate
	invokes gate

	mu          sync.Mutex
	pausedUntil time.Time
}

// NewLimiter makes a limiter: requestsPerSecond on average, burst at once, maxInFlight under way
// at a time. Values that are not positive mean the defaults.
func NewLimiter(requestsPerSecond float64, burst, maxInFlight int) *Limiter {
	l := &Limiter{bucket: rate.NewLimiter(DefaultRequestsPerSecond, DefaultBurst)}
	l.SetLimits(requestsPerSecond, burst, maxInFlight)
	return l
}

// SetLimits changes the limits while the limiter is in use. Requests under way stay; the next
// ones wait until they fit the new bounds. Values that are not positive mean the defaults.
func (l *Limiter) SetLimits(requestsPerSecond float64, burst, maxInFlight int) {
	if !(requestsPerSecond > 0) { // also catches NaN
		requestsPerSecond = DefaultRequestsPerSecond
	}
	if burst <= 0 {
		burst = DefaultBurst
	}
	if maxInFlight <= 0 {
		maxInFlight = DefaultMaxInFlight
	}
	l.bucket.SetLimit(rate.Limit(min(requestsPerSecond, maxRequestsPerSecond)))
	l.bucket.SetBurst(burst)
	l.all.resize(maxInFlight)
	l.invokes.resize(max(1, maxInFlight-max(1, maxInFlight/4)))
}

// PausedFor says how long the account still waits because of a 429; 0 when it does not.
func (l *Limiter) PausedFor() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return max(0, time.Until(l.pausedUntil))
}

// pause stops the account for d, or for longer if it was already to stop for longer.
func (l *Limiter) pause(d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if until := time.Now().Add(d); until.After(l.pausedUntil) {
		l.pausedUntil = until
	}
}

// pausedError says that nothing was tried, why, and for how long not to try.
type pausedError struct {
	rest time.Duration
	why  error
}

func (e *pausedError) Error() string { return e.why.Error() }

// placeWait bounds how long a short call waits for a place, and placePause is when to try again.
const placeWait, placePause = 10 * time.Second, 5 * time.Second

// forever is the patience of who has nothing else to do.
const forever = time.Duration(math.MaxInt64)

// acquire waits for the permission of one request; release gives its place back. Where the account
// is paused for longer than the caller's patience, that gets a *pausedError at once. So does one
// that is no invocation and does not wait forever when all places stay taken, as the only one may
// be for minutes: who waits has other accounts to see to.
func (l *Limiter) acquire(ctx context.Context, invoke bool, patience time.Duration) (release func(), err error) {
	for {
		if rest := l.PausedFor(); rest > 0 {
			if rest > patience {
				return nil, &pausedError{rest: rest, why: errPaused}
			}
			if err := wait(ctx, rest); err != nil {
				return nil, err
			}
			continue
		}
		release, err := l.enterWithin(ctx, invoke, patience)
		if err != nil {
			return nil, err
		}
		if err := l.bucket.Wait(ctx); err != nil {
			release()
			if ctx.Err() == nil { // the bucket sees that the deadline cannot be met
				err = context.DeadlineExceeded
			}
			return nil, err
		}
		if l.PausedFor() == 0 {
			return release, nil
		}
		release() // paused while waiting: decide again
	}
}

func (l *Limiter) enterWithin(ctx context.Context, invoke bool, patience time.Duration) (leave func(), err error) {
	if invoke || patience == forever {
		return l.enter(ctx, invoke)
	}
	limited, cancel := context.WithTimeout(ctx, placeWait)
	defer cancel()
	leave, err = l.enter(limited, invoke)
	if err != nil && ctx.Err() == nil && limited.Err() != nil {
		return nil, &pausedError{rest: placePause, why: ErrBusy}
	}
	return leave, err
}

// enter takes the places that one request needs. The narrow gate comes first, so that an
// invocation that waits there holds no place that another call could use.
func (l *Limiter) enter(ctx context.Context, invoke bool) (leave func(), err error) {
	if invoke {
		if err := l.invokes.enter(ctx); err != nil {
			return nil, err
		}
	}
	if err := l.all.enter(ctx); err != nil {
		if invoke {
			l.invokes.leave()
		}
		return nil, err
	}
	return func() {
		l.all.leave()
		if invoke {
			l.invokes.leave()
		}
	}, nil
}

func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
