// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package limit keeps the requests to one account within the platform's rate limit.
package limit

import (
	"context"
	"errors"
	"math"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Defaults of a Limiter: a third of what the platform allows one account (300 requests a second).
const (
	DefaultRequestsPerSecond = 100
	DefaultBurst             = 100
	DefaultMaxInFlight       = 16
)

// maxRequestsPerSecond keeps the arithmetic of the token bucket away from infinity.
const maxRequestsPerSecond = 1e6

const (
	// PlaceWait is how long a short request waits for a place among those in flight.
	PlaceWait = 10 * time.Second
	// busyRetryAfter is when a request that got no place may be retried.
	busyRetryAfter = 5 * time.Second
	// NoMaxWait is the MaxWait of a request that waits as long as its context allows.
	NoMaxWait = time.Duration(math.MaxInt64)
)

// ErrPaused is the cause of a RejectedError while the account is paused.
var ErrPaused = errors.New("the account is paused after an earlier 429")

// ErrBusy is the cause of a RejectedError when other requests take all places.
var ErrBusy = errors.New("the account has too many requests in flight")

// RejectedError reports that a request got no permission, and was not sent.
type RejectedError struct {
	// RetryAfter is how long to wait before the next attempt.
	RetryAfter time.Duration
	// Cause is ErrPaused or ErrBusy.
	Cause error
}

func (e *RejectedError) Error() string { return e.Cause.Error() }

// Unwrap returns the cause.
func (e *RejectedError) Unwrap() error { return e.Cause }

// Request is how one request is treated by the limiter.
type Request struct {
	// Invocation marks a request that may take minutes. It waits for a place as long as its
	// context allows, and cannot take the places that are reserved for short requests.
	Invocation bool
	// MaxWait is the longest pause of the account that the request waits for. With NoMaxWait it
	// also waits for a place as long as its context allows, otherwise for PlaceWait at most.
	MaxWait time.Duration
}

// Limiter bounds the requests to one account: by a token bucket, by a number of requests in
// flight, and by the pause that the API asks for with a 429. All clients of the account share
// one Limiter, so that a 429 to one of them stops all.
//
// Invocations can last for minutes. A quarter of the places (at least one, if there are two) is
// reserved for other requests, so that invocations never block the short ones.
type Limiter struct {
	bucket  *rate.Limiter
	all     semaphore
	invokes semaphore

	mu          sync.Mutex
	pausedUntil time.Time
}

// New returns a limiter that allows requestsPerSecond on average, burst at once, and maxInFlight
// in flight at a time. Values that are not positive mean the defaults.
func New(requestsPerSecond float64, burst, maxInFlight int) *Limiter {
	l := &Limiter{bucket: rate.NewLimiter(DefaultRequestsPerSecond, DefaultBurst)}
	l.SetLimits(requestsPerSecond, burst, maxInFlight)
	return l
}

// SetLimits changes the limits while the limiter is in use. Requests in flight continue; the next
// ones wait until they fit the new limits. Values that are not positive mean the defaults.
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

// Invocations returns how many invocations can be in flight at a time.
func (l *Limiter) Invocations() int { return l.invokes.capacity() }

// PausedFor returns how much longer the account is paused because of a 429; 0 when it is not.
func (l *Limiter) PausedFor() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return max(0, time.Until(l.pausedUntil))
}

// Pause stops the account for d. It never shortens a pause.
func (l *Limiter) Pause(d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if until := time.Now().Add(d); until.After(l.pausedUntil) {
		l.pausedUntil = until
	}
}

// Acquire waits for the permission to send one request. The caller calls release when the request
// is done.
//
// It returns a *RejectedError when the account is paused for longer than r.MaxWait, or when a
// short request gets no place within PlaceWait. A reconcile should not wait for minutes: its
// worker has other objects to see to. Any other error is that of ctx.
func (l *Limiter) Acquire(ctx context.Context, r Request) (release func(), err error) {
	for {
		if rest := l.PausedFor(); rest > 0 {
			if rest > r.MaxWait {
				return nil, &RejectedError{RetryAfter: rest, Cause: ErrPaused}
			}
			if err := sleep(ctx, rest); err != nil {
				return nil, err
			}
			continue
		}
		release, err := l.acquirePlace(ctx, r)
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
		release() // paused while it waited: decide again
	}
}

// acquirePlace takes a place among the requests in flight, within the time that r allows.
func (l *Limiter) acquirePlace(ctx context.Context, r Request) (release func(), err error) {
	if r.Invocation {
		return l.acquireInvokePlace(ctx)
	}
	limited := ctx
	if r.MaxWait != NoMaxWait {
		var cancel context.CancelFunc
		limited, cancel = context.WithTimeout(ctx, PlaceWait)
		defer cancel()
	}
	err = l.all.acquire(limited)
	if err != nil && ctx.Err() == nil {
		return nil, &RejectedError{RetryAfter: busyRetryAfter, Cause: ErrBusy}
	}
	if err != nil {
		return nil, err
	}
	return l.all.release, nil
}

// acquireInvokePlace takes both places that an invocation needs. The narrow semaphore comes first:
// an invocation that waits there takes no place that another request could use.
func (l *Limiter) acquireInvokePlace(ctx context.Context) (release func(), err error) {
	if err := l.invokes.acquire(ctx); err != nil {
		return nil, err
	}
	if err := l.all.acquire(ctx); err != nil {
		l.invokes.release()
		return nil, err
	}
	return func() {
		l.all.release()
		l.invokes.release()
	}, nil
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
