// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package limit

import (
	"context"
	"time"
)

// When a pause ends, everything that waited for it would be sent at once, and be answered with the
// next 429. So one request goes first, and the others follow when it ended without a 429.

// probePatience is how long the others wait for it. A 429 comes at once; an invocation may take
// minutes.
const probePatience = 5 * time.Second

// probe is what happens after a pause. Limiter.mu guards it.
type probe struct {
	// due: no request ended without a 429 since the last pause began.
	due bool
	// ended is closed once the request that went first has ended; nil while there is none.
	ended chan struct{}
}

// admit reports whether a request that has its place may be sent now: the account is not paused, and no
// other request goes first. done has to be called when the request has ended.
func (l *Limiter) admit() (done func(), ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case time.Until(l.pausedUntil) > 0 || l.probe.ended != nil:
		return nil, false
	case !l.probe.due:
		return func() {}, true
	}
	ended := make(chan struct{})
	l.probe.ended = ended
	timer := time.AfterFunc(probePatience, func() { l.probed(ended) })
	return func() { timer.Stop(); l.probed(ended) }, true
}

// probed lets the others follow the request that went first, unless it was answered with a 429: then
// another one goes first after the new pause.
func (l *Limiter) probed(ended chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.probe.ended == ended {
		close(ended)
		l.probe = probe{}
	}
}

// expectProbe has one request go first after the pause that begins. Limiter.mu is held.
func (l *Limiter) expectProbe() {
	if l.probe.ended != nil {
		close(l.probe.ended)
	}
	l.probe = probe{due: true}
}

// awaitProbe waits while a request goes first.
func (l *Limiter) awaitProbe(ctx context.Context) error {
	l.mu.Lock()
	ended := l.probe.ended
	l.mu.Unlock()
	if ended == nil {
		return nil
	}
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
