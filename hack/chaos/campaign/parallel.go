// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package campaign

import (
	"context"
	"sync"
)

// InParallel calls do for each of n, at most limit at a time. It begins no more once ctx ends.
func InParallel(ctx context.Context, limit, n int, do func(i int)) {
	next := make(chan int)
	var workers sync.WaitGroup
	for range min(limit, n) {
		workers.Go(func() {
			for i := range next {
				do(i)
			}
		})
	}
	for i := 0; i < n && ctx.Err() == nil; i++ {
		next <- i
	}
	close(next)
	workers.Wait()
}
