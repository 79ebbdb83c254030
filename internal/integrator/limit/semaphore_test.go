// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package limit

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"testing/synctest"
)

func TestSemaphoreResizeAndOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &semaphore{size: 1}
		if err := s.acquire(t.Context()); err != nil {
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
				if err := s.acquire(ctx); err == nil {
					order <- i
				} else if i != 1 || !errors.Is(err, context.Canceled) {
					t.Errorf("acquire %d: %v", i, err)
				}
			}()
			synctest.Wait() // one after the other
		}
		cancel() // 1 gives up
		synctest.Wait()
		s.resize(3) // 0 and 2 get a place
		synctest.Wait()
		if s.taken != 3 || len(order) != 2 || <-order+<-order != 0+2 {
			t.Errorf("after the semaphore grew: %d taken", s.taken)
		}
		s.resize(1) // no place is taken away, and none is given until two were released
		s.release()
		s.release()
		synctest.Wait()
		if s.taken != 1 || len(order) != 0 {
			t.Errorf("after the semaphore shrank: %d taken, %d admitted", s.taken, len(order))
		}
		s.release()
		synctest.Wait()
		if got := <-order; got != 3 {
			t.Errorf("%d got a place, want 3", got)
		}
		s.release()
		synctest.Wait()
		if got := <-order; got != 4 {
			t.Errorf("%d got a place, want 4", got)
		}
	})
}

// TestSemaphoreLosesNoPlace has a waiter give up at the moment when it is given a place, again and again.
func TestSemaphoreLosesNoPlace(t *testing.T) {
	s := &semaphore{size: 1}
	both := 0
	for range 500 {
		if err := s.acquire(t.Context()); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		result := make(chan error)
		go func() { result <- s.acquire(ctx) }()
		for waiting := 0; waiting == 0; {
			runtime.Gosched()
			s.mu.Lock()
			waiting = s.waiting.Len()
			s.mu.Unlock()
		}
		s.mu.Lock() // the waiter gives up, but finds the semaphore locked
		cancel()
		for range 20 {
			runtime.Gosched()
		}
		s.taken-- // release, under the same lock
		s.admit()
		s.mu.Unlock()
		if err := <-result; err == nil {
			s.release()
		} else {
			both++
		}
		if s.taken != 0 || s.waiting.Len() != 0 {
			t.Fatalf("%d taken and %d waiting after all were released", s.taken, s.waiting.Len())
		}
	}
	if both == 0 {
		t.Error("never at the same moment: nothing was tested")
	}
}
