// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package account

import (
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/problem"
)

// Whoever may create Accounts has the operator check tokens: as many as there are Accounts, bad ones
// again and again. So a rejected token is checked with growing pauses, and the checks of a namespace
// are bounded. Neither holds a worker of the controller, which serves the other namespaces meanwhile.
//
// A check may take until its deadline, of a server that does not answer. So those under way are bounded
// too, over all namespaces: each has a share. Repeated checks, of tokens whose last check had no answer,
// leave half of them to the others. The controller has more workers than that.

const (
	// checkPauseMax is the longest pause between two checks of a token that is rejected.
	checkPauseMax = time.Hour
	// checkInterval is the time between two checks in a namespace, after as many as checkBurst.
	checkInterval = 500 * time.Millisecond
	checkBurst    = 10

	// MaxChecks is how many checks may be under way at once.
	MaxChecks = 96
	// checkFallback is when an Account asks again that waits for a check to end: the end is an event.
	checkFallback = 30 * time.Second
)

// Check is what a check of the token is about. What is new about it is checked at once.
type Check struct {
	// Version is that of the credential, Generation that of the Account's spec.
	Version    string
	Generation int64
}

// checkPause is how long a token is not checked that was rejected so many times before this one.
func checkPause(interval time.Duration, before int) time.Duration {
	const doublings = 12 // from a second to an hour
	return min(min(interval, problem.BackoffMax)<<min(before, doublings), checkPauseMax)
}

// slots are the checks of a namespace. The next one that nobody has taken is at next.
type slots struct{ next time.Time }

// idle reports whether the slots are as if none had been taken.
func (t slots) idle(now time.Time) bool {
	return !t.next.After(now.Add(-(checkBurst - 1) * checkInterval))
}

// take returns the slots without the next one, and the time of that.
func (t slots) take(now time.Time) (left slots, at time.Time) {
	first := t.next
	if t.idle(now) {
		first = now.Add(-(checkBurst - 1) * checkInterval)
	}
	if at = first; at.Before(now) {
		at = now
	}
	return slots{next: first.Add(checkInterval)}, at
}

// giveBack returns the slots with one more: it was taken and not used.
func (t slots) giveBack() slots { return slots{next: t.next.Add(-checkInterval)} }

// BeginCheck returns why the token is not checked yet, and how long; nil when it is to be checked now.
// Then EndCheck has to follow.
func (r *Registry) BeginCheck(key types.NamespacedName, check Check) *problem.Problem {
	r.mu.Lock()
	defer r.mu.Unlock()
	e, ok := r.byKey[key]
	if !ok {
		return nil
	}
	now := r.clock.Now()
	if rest := e.state.retryAt.Sub(now); rest > 0 && e.state.blocked != nil && e.state.checked == check {
		return e.state.blocked.WithRetryAfter(rest)
	}
	if e.slot.IsZero() {
		e.slot = r.takeSlot(key.Namespace, now)
	}
	if rest := e.slot.Sub(now); rest > 0 {
		if cause := e.state.blocked; cause != nil && cause.Reason() == v1alpha1.ReasonTokenRejected {
			return cause.WithRetryAfter(rest)
		}
		return problem.Waitingf(v1alpha1.ReasonProgressing, "waiting to check the token: other Accounts of the namespace are checked first").WithRetryAfter(rest)
	}
	if !r.checks.Take(key.Namespace, 1, e.checksLeft()) {
		r.waitingChecks = append(slices.DeleteFunc(r.waitingChecks, func(other types.NamespacedName) bool { return other == key }), key)
		return problem.Waitingf(v1alpha1.ReasonProgressing, "waiting to check the token: the checks of other Accounts have to end first").WithRetryAfter(checkFallback)
	}
	e.slot = time.Time{}
	r.advance(key, e, checking{check})
	return nil
}

// checksLeft is how many checks have to stay possible after one of this account.
func (e *entry) checksLeft() int {
	if e.state.unanswered > 0 {
		return MaxChecks / 2
	}
	return 0
}

// checksAsked is how many of the Accounts that wait are asked when a check has ended: the share of the
// first ones may be used up.
const checksAsked = 4

// EndCheck ends a check that BeginCheck permitted, and has those reconciled that have waited longest.
func (r *Registry) EndCheck(key types.NamespacedName) {
	r.mu.Lock()
	r.checks.Give(key.Namespace, 1)
	asked := min(checksAsked, len(r.waitingChecks))
	waiting := slices.Clone(r.waitingChecks[:asked])
	r.waitingChecks = slices.Delete(r.waitingChecks, 0, asked)
	r.mu.Unlock()
	for _, other := range waiting {
		r.send(r.accountEvents, accountObject(other))
	}
}

// CheckUnanswered reports that the check of the token had no answer, because of p, and returns what that
// means for the Account, and when to check it again.
func (r *Registry) CheckUnanswered(key types.NamespacedName, p *problem.Problem) *problem.Problem {
	r.mu.Lock()
	defer r.mu.Unlock()
	e, ok := r.byKey[key]
	if !ok {
		return p
	}
	if e.state.silent {
		p = e.state.unreachable(p.Unwrap())
	}
	now := r.clock.Now()
	r.advance(key, e, checkUnanswered{now: now})
	return p.WithRetryAfter(e.state.retryAt.Sub(now))
}

// takeSlot takes a slot of a namespace. Registry.mu is held.
func (r *Registry) takeSlot(namespace string, now time.Time) (at time.Time) {
	for other, t := range r.slots {
		if t.idle(now) {
			delete(r.slots, other)
		}
	}
	r.slots[namespace], at = r.slots[namespace].take(now)
	return at
}

// CheckRejected reports that the check of the token was answered with 401, and returns how long it
// is not checked again. The other Accounts with the token are blocked too, and check it themselves.
func (r *Registry) CheckRejected(key types.NamespacedName) (pause time.Duration) {
	r.mu.Lock()
	e, ok := r.byKey[key]
	if !ok {
		r.mu.Unlock()
		return problem.BackoffMax
	}
	now := r.clock.Now()
	r.advance(key, e, checkRejected{now: now})
	pause = e.state.retryAt.Sub(now)
	tell := r.rejectShared(key, e)
	r.mu.Unlock()
	tell()
	return pause
}
