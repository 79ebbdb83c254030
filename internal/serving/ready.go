// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package serving

import (
	"context"
	"errors"
	"net/http"
	"time"
)

// ErrNotFilled is why a manager is not ready.
var ErrNotFilled = errors.New("the caches are not filled yet")

// readyTimeout is how long a check waits for the caches; a kubelet waits for one second.
const readyTimeout = 500 * time.Millisecond

// syncer is what a check needs of a cache.
type syncer interface {
	WaitForCacheSync(ctx context.Context) bool
}

// Ready is the check of /readyz: the caches are filled. A replica that waits for the lease is ready too.
func Ready(caches syncer) func(*http.Request) error {
	return func(req *http.Request) error {
		ctx, cancel := context.WithTimeout(req.Context(), readyTimeout)
		defer cancel()
		if !caches.WaitForCacheSync(ctx) {
			return ErrNotFilled
		}
		return nil
	}
}
