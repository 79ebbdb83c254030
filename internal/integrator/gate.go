// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package integrator

import (
	"container/list"
	"context"
	"sync"
)

// gate lets at most max holders in at a time, first come, first served. Unlike
// golang.org/x/sync/semaphore its size can change while it is held, which an Account whose
// maxInFlight is edited needs.
type gate struct {
	mu      sync.Mutex
	max     int
	held    int
	waiting list.List // of chan struct{}, closed when the holder is let in
}

// enter waits for a place or for the end of ctx. Who was let in must leave.
func (g *gate) enter(ctx context.Context) error {
	g.mu.Lock()
	if g.held < g.max { // then nobody waits
		g.held++
		g.mu.Unlock()
		return nil
	}
	ready := make(chan struct{})
	place := g.waiting.PushBack(ready)
	g.mu.Unlock()

	select {
	case <-ready:
		return nil
	case <-ctx.Done():
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	select {
	case <-ready: // let in at the same moment: the place goes to the next
		g.held--
		g.admit()
	default:
		g.waiting.Remove(place)
	}
	return ctx.Err()
}

func (g *gate) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.held--
	g.admit()
}

// resize changes the number of places. Holders in excess stay until they leave.
func (g *gate) resize(n int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.max = n
	g.admit()
}

func (g *gate) admit() {
	for g.held < g.max {
		first := g.waiting.Front()
		if first == nil {
			return
		}
		g.held++
		close(g.waiting.Remove(first).(chan struct{}))
	}
}
