// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package limit keeps the requests to one account within the platform's rate limit, and grants
// permits: within an account by class, and among accounts by shares.
//
// A request of its own waits in Limiter.Acquire. An object that is reconciled takes a permit before its
// first request (Permits.Take), and does not wait: without a permit its reconcile ends, and the object is
// notified when it is granted one.
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
	// windowAge is how long after the last answer the next ones are no longer expected.
	windowAge = 20 * time.Second
	// NoMaxWait is the MaxWait of a request that waits as long as its context allows.
	NoMaxWait = time.Duration(math.MaxInt64)
)

// ErrPaused is the cause of a RejectedError while the account is paused.
var ErrPaused = errors.New("the account is paused after an earlier 429")

// ErrBusy is the cause of a RejectedError when other requests take all places.
var ErrBusy = errors.New("the account has too many requests in flight")

// ErrUnanswered is the cause of a RejectedError when several calls in a row had no answer.
var ErrUnanswered = errors.New("the last calls had no answer: no other is made until a check of the token has one")

// RejectedError reports that a request got no permission, and was not sent.
type RejectedError struct {
	// RetryAfter is how long to wait before the next attempt.
	RetryAfter time.Duration
	// Cause is ErrPaused, ErrBusy or ErrUnanswered.
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
	// Check marks the check of a token. It is made also while the API is taken for unreachable, one at a
	// time: its answer ends that.
	Check bool
	// MaxWait is the longest pause of the account that the request waits for. With NoMaxWait it
	// also waits for a place as long as its context allows. Any other that has none after PlaceWait is
	// rejected. For the rate each waits as long as its context allows.
	MaxWait time.Duration
	// Further marks a request for a further page of a list. It waits for the rate also with a permit.
	Further bool
}

func (r Request) class() Class {
	switch {
	case r.Invocation:
		return ClassRun
	case r.MaxWait == NoMaxWait:
		return ClassScan
	case r.Check:
		return ClassCheck
	default:
		return ClassOther
	}
}

// Limiter bounds the requests to one account: by a token bucket, by a number of requests in
// flight, and by the pause that the API asks for with a 429. All clients of the account share
// one Limiter, so that a 429 to one of them stops all. What waits for it goes by class: see Class.
//
// Invocations can last for minutes. A quarter of the places (at least one, if there are two) is
// reserved for other requests, so that invocations never block the short ones.
type Limiter struct {
	bucket *rate.Limiter

	mu sync.Mutex
	// size is how many places there are, invocable how many of them invocations may take.
	size, invocable int
	// taken are the places of requests and permits, invoking those of invocations among them.
	taken, invoking int
	// granted are the permits that were granted, unspent the tokens that are spoken for by them. perPermit is how many
	// requests are made with one, on average.
	granted   map[*Permit]bool
	unspent   int
	perPermit float64
	// window is how many permits there may be at once. It begins with one, and grows with each answer:
	// of an API that does not answer, few calls have to reach their deadline to show that.
	window      int
	answered    time.Time
	waiting     queue
	pausedUntil time.Time
	circuit     circuit
	// probe has one request go first when a pause ends, and pace the others follow more slowly. burst is how
	// many may be made at once at the full rate.
	probe probe
	pace  pace
	burst int
	// byObject are the permits that objects wait for or have.
	byObject map[Object]*waiter
	// timer admits what waits for time to pass.
	timer *time.Timer
}

// New returns a limiter that allows requestsPerSecond on average, burst at once, and maxInFlight
// in flight at a time. Values that are not positive mean the defaults.
func New(requestsPerSecond float64, burst, maxInFlight int) *Limiter {
	l := &Limiter{bucket: rate.NewLimiter(DefaultRequestsPerSecond, DefaultBurst), byObject: map[Object]*waiter{}, granted: map[*Permit]bool{}, window: 1}
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
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pace.full, l.burst = min(requestsPerSecond, maxRequestsPerSecond), burst
	l.setRate(time.Now())
	l.size, l.invocable = maxInFlight, max(1, maxInFlight-max(1, maxInFlight/4))
	l.admit()
}

// setRate has the bucket follow the pace. Where it can hold no more tokens than those that permits have, none are kept
// for their further requests: nothing else would be let through until these were made.
func (l *Limiter) setRate(now time.Time) {
	l.bucket.SetLimitAt(now, rate.Limit(l.pace.at(now)))
	l.bucket.SetBurstAt(now, l.pace.burst(now, l.burst))
	if l.unspent < l.bucket.Burst() {
		return
	}
	for permit := range l.granted {
		permit.keepNone(l)
	}
}

// Invocations returns how many invocations can be in flight at a time.
func (l *Limiter) Invocations() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.invocable
}

// PausedFor returns how much longer the account is paused because of a 429; 0 when it is not.
func (l *Limiter) PausedFor() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.pausedFor()
}

func (l *Limiter) pausedFor() time.Duration { return max(0, time.Until(l.pausedUntil)) }

// Pause stops the account for d. It never shortens a pause. When it ends, one request goes first. Requests
// that wait are rejected, unless they wait for so long a pause; objects that wait for a permit go on to.
func (l *Limiter) Pause(d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.probe.expect()
	now := time.Now()
	if until := now.Add(d); until.After(l.pausedUntil) {
		l.pausedUntil = until
	}
	l.pace.refused(now, l.pausedUntil)
	l.rejectWaiting()
	l.admit()
}

// Report counts a call that had an answer, or had none. After several calls in a row that had none, the
// API is taken for unreachable. It reports whether that is so.
func (l *Limiter) Report(answered bool) (unreachable bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if l.circuit.report(answered, now) {
		l.rejectWaiting()
	}
	if answered {
		l.window, l.answered = min(l.windowAt(now)+1, l.size), now
		l.admit()
	}
	return l.circuit.open
}

// windowAt is the window, which begins anew after a time without an answer.
func (l *Limiter) windowAt(now time.Time) int {
	if now.Sub(l.answered) > windowAge {
		return 1
	}
	return l.window
}

// refusal says why a request is not even to wait, nil if it may.
func (l *Limiter) refusal(class Class, maxWait time.Duration) *RejectedError {
	if ok, _ := l.circuit.allows(class, time.Now()); !ok {
		return &RejectedError{RetryAfter: busyRetryAfter, Cause: ErrUnanswered}
	}
	if rest := l.pausedFor(); rest > maxWait {
		return &RejectedError{RetryAfter: rest, Cause: ErrPaused}
	}
	return nil
}

// rejectWaiting rejects the requests that wait although they would be refused by now. Permits need no
// answer while the account is paused; while no calls are made, their objects are to find out why.
func (l *Limiter) rejectWaiting() {
	for _, w := range l.waiting.all() {
		switch {
		case w.permit == nil:
			if refused := l.refusal(w.class, w.request.MaxWait); refused != nil {
				l.waiting.remove(w)
				w.ready <- refused
			}
		case l.circuit.open:
			l.forget(w)
			w.permit.permits.send(w.permit.object)
		}
	}
}

// admit lets everything through that may go now, and sets the timer for what time alone lets through.
// The caller holds the lock.
func (l *Limiter) admit() {
	full := len(l.granted) >= l.windowAt(time.Now()) // there is no further permit for now
	for l.taken < l.size {
		w := l.waiting.next(func(w *waiter) bool {
			return (w.class != ClassRun || l.invoking < l.invocable) && (w.permit == nil || !full)
		})
		if w == nil {
			return
		}
		l.setRate(time.Now())
		tokens := 1
		if w.permit != nil {
			tokens = l.tokensOfPermit()
		}
		if wait, timed := l.wait(tokens); wait > 0 {
			if timed {
				l.admitIn(wait)
			}
			return
		}
		if w.permit != nil && !w.permit.permits.grant(l, w.permit) {
			full = true
			continue
		}
		l.waiting.take(w)
		l.taken++
		if w.permit != nil {
			l.grantPermit(w, tokens)
			full = len(l.granted) >= l.windowAt(time.Now())
			continue
		}
		l.grantRequest(w)
	}
}

func (l *Limiter) grantRequest(w *waiter) {
	ok, probe := l.circuit.allows(w.class, time.Now())
	if !ok { // another one became the probe meanwhile
		l.taken--
		w.ready <- &RejectedError{RetryAfter: busyRetryAfter, Cause: ErrUnanswered}
		return
	}
	l.circuit.probing, w.probe = l.circuit.probing || probe, probe
	w.first = l.probe.begin(time.Now())
	if w.class == ClassRun {
		l.invoking++
	}
	l.spend()
	w.ready <- nil
}

// wait returns how long the next one has to wait for the end of a pause, for the request that goes first
// after it, or for its tokens, at most as many as the bucket can hold. timed is false if time alone
// does not end it: objects with a permit have to make their requests.
func (l *Limiter) wait(tokens int) (wait time.Duration, timed bool) {
	if rest := l.pausedFor(); rest > 0 {
		return rest, true
	}
	if rest := l.probe.rest(time.Now()); rest > 0 {
		return rest, true
	}
	need := tokens + l.unspent
	return l.until(need), need <= l.bucket.Burst()
}

// until returns how long it takes until there are so many tokens.
func (l *Limiter) until(tokens int) time.Duration {
	missing := float64(tokens) - l.bucket.Tokens()
	if missing <= 0 {
		return 0
	}
	return time.Duration(missing/float64(l.bucket.Limit())*float64(time.Second)) + 1
}

// tokensOfPermit returns how many tokens a permit is granted for: one, and while less than the full rate is used,
// because of a 429, one for each request that it is likely to make. Otherwise what was saved up during the pause would
// be granted to so many objects that their further requests are answered with the next 429.
func (l *Limiter) tokensOfPermit() int {
	if !l.pace.slowed() {
		return 1
	}
	return max(1, min(l.bucket.Burst(), int(math.Round(l.perPermit))))
}

// spend takes a token, also one that is not there yet: then the next ones wait for longer.
func (l *Limiter) spend() {
	l.bucket.ReserveN(time.Now(), 1)
	l.pace.spent()
}

func (l *Limiter) admitIn(wait time.Duration) {
	if l.timer != nil {
		l.timer.Stop()
	}
	l.timer = time.AfterFunc(wait, l.readmit)
}

func (l *Limiter) readmit() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.admit()
}

// Acquire waits for the permission to send one request. The caller calls release when the request
// is done. With a permit of this account, which ctx carries, it waits for no place, and not for the rate unless it
// is for a further page.
//
// It returns a *RejectedError when no calls are made, when the account is paused for longer than
// r.MaxWait, or when a short request gets no place within PlaceWait. Any other error is that of ctx.
func (l *Limiter) Acquire(ctx context.Context, r Request) (release func(), err error) {
	if permit := permitOf(ctx); permit != nil && permit.limiter == l {
		return l.acquireWithPermit(ctx, permit, r)
	}
	w := &waiter{class: r.class(), request: r, ready: make(chan error, 1)}
	l.mu.Lock()
	if refused := l.refusal(w.class, r.MaxWait); refused != nil {
		l.mu.Unlock()
		return nil, refused
	}
	l.waiting.add(w)
	l.admit()
	l.mu.Unlock()

	var late <-chan time.Time
	if !r.Invocation && r.MaxWait != NoMaxWait {
		timer := time.NewTimer(PlaceWait)
		defer timer.Stop()
		late = timer.C
	}
	for {
		select {
		case err := <-w.ready:
			if err != nil {
				return nil, err
			}
			return func() { l.release(w) }, nil
		case <-late:
			if l.giveUp(w, func() bool { return l.taken >= l.size }) {
				return nil, &RejectedError{RetryAfter: busyRetryAfter, Cause: ErrBusy}
			}
			late = nil // it waits for the rate, or has just been answered
		case <-ctx.Done():
			if !l.giveUp(w, func() bool { return true }) && <-w.ready == nil {
				l.release(w)
			}
			return nil, ctx.Err()
		}
	}
}

// giveUp ends the wait of a request if it still waits, and if so is true.
func (l *Limiter) giveUp(w *waiter, so func() bool) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if w.element == nil || !so() {
		return false
	}
	l.waiting.remove(w)
	return true
}

// release gives back the place of a request.
func (l *Limiter) release(w *waiter) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if w.probe {
		l.circuit.probing = false
	}
	l.probe.end(w.first)
	if w.class == ClassRun {
		l.invoking--
	}
	l.taken--
	l.admit()
}
