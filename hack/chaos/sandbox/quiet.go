// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package sandbox

import (
	"context"
	"fmt"
	"time"

	"github.com/integrator-operator/integrator-operator/hack/chaos/proxy"
)

const (
	// QuietScans is for how many scans nothing may be written at the end.
	QuietScans = 3
	// quietTimeout is how long it may take until that is so, from the first scan on. scanTimeout is how long that
	// may take.
	quietTimeout = 30 * time.Second
	scanTimeout  = 2 * time.Minute
)

// quietWithin is how long it may take from the first scan on until nothing is written any more. It is longer where
// the managers of all scenarios have started at once, after an outage: none of them gets much of the processors.
func (s *Sandbox) quietWithin() time.Duration {
	if s.Outage {
		return 3 * quietTimeout
	}
	return quietTimeout
}

// AwaitQuiet waits until nothing was written for some scans. It is the second half of I8: what has
// converged stays as it is.
func (s *Sandbox) AwaitQuiet(ctx context.Context, scans int) error {
	counts := func() (writes, scans int) {
		writes, scans = s.recorder.Counts()
		return writes, scans + s.recorder.Singles()
	}
	writes, since := counts()
	before, began, deadline, wrote := since, false, time.Now().Add(scanTimeout), time.Now()
	for {
		Pause(ctx, 100*time.Millisecond)
		nowWrites, nowScans := counts()
		if !began && nowScans > before {
			began, deadline = true, time.Now().Add(s.quietWithin())
		}
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case nowWrites == writes && nowScans >= since+scans:
			return nil
		case nowWrites > writes:
			writes, since, wrote = nowWrites, nowScans, time.Now()
		}
		if time.Now().After(deadline) {
			if nowScans == since {
				return fmt.Errorf("I8: the account was not scanned again: %d scans", nowScans)
			}
			return fmt.Errorf("I8: the manager does not stop writing: %v, the last %s and %d scans ago",
				ids(s.recorder.Since(max(0, nowWrites-4))), time.Since(wrote).Round(100*time.Millisecond), nowScans-since)
		}
	}
}

func ids(writes []proxy.Write) (ids []string) {
	for _, w := range writes {
		ids = append(ids, w.ID())
	}
	return ids
}
