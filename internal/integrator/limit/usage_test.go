// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package limit

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
)

// TestUsage: what is used and what waits is counted, for requests and for invocations.
func TestUsage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(1000, 1000, 4)
		ctx, cancel := context.WithCancel(t.Context())
		var held []func()
		for range 3 {
			release, err := l.Acquire(ctx, Request{Invocation: true})
			if err != nil {
				t.Fatal(err)
			}
			held = append(held, release)
		}
		for _, waiting := range []Request{{Invocation: true}, {MaxWait: NoMaxWait}, {MaxWait: NoMaxWait}} {
			go func() {
				if release, err := l.Acquire(ctx, waiting); err == nil {
					<-ctx.Done()
					release()
				}
			}()
		}
		synctest.Wait()
		if diff := cmp.Diff(Usage{Used: 4, Waiting: 2, Limit: 4}, l.Usage()); diff != "" {
			t.Errorf("three invocations run, one waits for the share, and of two requests one has a permit (-want +got):\n%s", diff)
		}
		for _, release := range held {
			release()
		}
		cancel()
		synctest.Wait()
		if diff := cmp.Diff(Usage{Limit: 4}, l.Usage()); diff != "" {
			t.Errorf("all have ended (-want +got):\n%s", diff)
		}
	})
}
