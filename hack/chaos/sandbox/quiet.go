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
	// quietTimeout is how long it may take until that is so, from the first scan on. That may be late: after an
	// outage, the managers of all scenarios start at once, and have to wait for leases.
	quietTimeout = 30 * time.Second
	scanTimeout  = 2 * time.Minute
)

// AwaitQuiet waits until nothing was written for some scans. It is the second half of I8: what has
// converged stays as it is.
func (s *Sandbox) AwaitQuiet(ctx context.Context, scans int) error {
	counts := func() (writes, scans int) {
		writes, scans = s.recorder.Counts()
		return writes, scans + s.recorder.Singles()
	}
	writes, since := counts()
	before, began, deadline := since, false, time.Now().Add(scanTimeout)
	for {
		Pause(ctx, 100*time.Millisecond)
		nowWrites, nowScans := counts()
		if !began && nowScans > before {
			began, deadline = true, time.Now().Add(quietTimeout)
		}
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case nowWrites == writes && nowScans >= since+scans:
			return nil
		case nowWrites > writes:
			writes, since = nowWrites, nowScans
		}
		if time.Now().After(deadline) {
			if nowScans == since {
				return fmt.Errorf("I8: the account was not scanned again: %d scans", nowScans)
			}
			return fmt.Errorf("I8: the manager does not stop writing: %v", ids(s.recorder.Since(max(0, nowWrites-4))))
		}
	}
}

func ids(writes []proxy.Write) (ids []string) {
	for _, w := range writes {
		ids = append(ids, w.ID())
	}
	return ids
}
