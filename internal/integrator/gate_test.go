// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package integrator

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"testing/synctest"
)

func TestGateResizeAndOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &gate{max: 1}
		if err := g.enter(t.Context()); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		order := make(chan int, 10)
		for i := range 5 {
			go func() {
				ctx := ctx
				if i != 1 {
					ctx = t.Context()
				}
				if err := g.enter(ctx); err == nil {
					order <- i
				} else if i != 1 || !errors.Is(err, context.Canceled) {
					t.Errorf("enter %d: %v", i, err)
				}
			}()
			synctest.Wait() // one after the other
		}
		cancel() // 1 gives up
		synctest.Wait()
		g.resize(3) // 0 and 2 come in
		synctest.Wait()
		if g.held != 3 || len(order) != 2 || <-order+<-order != 0+2 {
			t.Errorf("after the gate got wider: %d held", g.held)
		}
		g.resize(1) // nobody is thrown out, and nobody comes in until two have left
		g.leave()
		g.leave()
		synctest.Wait()
		if g.held != 1 || len(order) != 0 {
			t.Errorf("after the gate got narrower: %d held, %d let in", g.held, len(order))
		}
		g.leave()
		synctest.Wait()
		if got := <-order; got != 3 {
			t.Errorf("%d came in, want 3", got)
		}
		g.leave()
		synctest.Wait()
		if got := <-order; got != 4 {
			t.Errorf("%d came in, want 4", got)
		}
	})
}

// TestGateLosesNoPlace gives up and lets in at the same moment, again and again.
func TestGateLosesNoPlace(t *testing.T) {
	g := &gate{max: 1}
	both := 0
	for range 500 {
		if err := g.enter(t.Context()); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		result := make(chan error)
		go func() { result <- g.enter(ctx) }()
		for waiting := 0; waiting == 0; {
			runtime.Gosched()
			g.mu.Lock()
			waiting = g.waiting.Len()
			g.mu.Unlock()
		}
		g.mu.Lock() // the waiter gives up, but finds the gate locked
		cancel()
		for range 20 {
			runtime.Gosched()
		}
		g.held-- // leave, under the same lock
		g.admit()
		g.mu.Unlock()
		if err := <-result; err == nil {
			g.leave()
		} else {
			both++
		}
		if g.held != 0 || g.waiting.Len() != 0 {
			t.Fatalf("%d held and %d waiting after all have left", g.held, g.waiting.Len())
		}
	}
	if both == 0 {
		t.Error("never at the same moment: nothing was tested")
	}
}
