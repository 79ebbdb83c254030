// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package limit

import (
	"context"
	"time"
)

// acquireWithPermit is Acquire with a permit, which has the place. Only what the API or a list asks for
// makes it wait: the next permits wait until what it spends has been made up for.
func (l *Limiter) acquireWithPermit(ctx context.Context, permit *Permit, r Request) (release func(), err error) {
	for {
		e, err := l.enterWithPermit(permit, r)
		if err != nil {
			return nil, err
		}
		if e.wait == 0 {
			return func() { l.leaveWithPermit(e) }, nil
		}
		if err := sleep(ctx, e.wait); err != nil {
			return nil, err
		}
	}
}

// entry is a request with a permit: it has to wait, or is made.
type entry struct {
	wait time.Duration
	// probe: it shows whether the API answers again. first is its number if it goes first after a pause.
	probe bool
	first int
}

// firstPoll is how often a request with a permit asks again whether the one that goes first has ended.
const firstPoll = 100 * time.Millisecond

func (l *Limiter) enterWithPermit(permit *Permit, r Request) (e entry, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if refused := l.refusal(ClassCorrection, r.MaxWait); refused != nil {
		return e, refused
	}
	if rest := l.pausedFor(); rest > 0 {
		return entry{wait: rest}, nil
	}
	if !l.probe.goes(permit.goesFirst) {
		permit.goesFirst = 0 // another pause has begun since
	}
	if rest := l.probe.rest(now); rest > 0 && permit.goesFirst == 0 {
		return entry{wait: min(rest, firstPoll)}, nil
	}
	if r.Further {
		l.setRate(now)
		// Two that read further pages do not wait for the tokens of each other.
		if wait := l.until(min(1+l.unspent-permit.unspent, l.bucket.Burst())); wait > 0 {
			return entry{wait: wait}, nil
		}
	}
	_, e.probe = l.circuit.allows(ClassCorrection, now)
	l.circuit.probing = l.circuit.probing || e.probe
	if e.first, permit.goesFirst = permit.goesFirst, 0; e.first == 0 {
		e.first = l.probe.begin(now)
	}
	permit.spent(l)
	l.spend()
	l.admit() // what waits, waits for another time now
	return e, nil
}

func (l *Limiter) leaveWithPermit(e entry) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if e.probe {
		l.circuit.probing = false
	}
	if e.first != 0 {
		l.probe.end(e.first)
		l.admit()
	}
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
