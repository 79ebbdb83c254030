// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package local

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"
)

const (
	// Patience is how long a thing may take that takes a second on an idle machine.
	Patience = time.Minute
	// interval between two looks.
	interval = 100 * time.Millisecond
)

// Await looks until check has no complaint any more. When time is up, the last complaint
// is part of the error: what was expected, and what was there instead.
func Await(ctx context.Context, timeout time.Duration, expected string, check func(context.Context) error) error {
	var complaint error
	err := wait.PollUntilContextTimeout(ctx, interval, timeout, true, func(ctx context.Context) (bool, error) {
		found := check(ctx)
		if found == nil || ctx.Err() == nil {
			complaint = found
		}
		return found == nil, nil
	})
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return context.Cause(ctx)
	default:
		return fmt.Errorf("expected %s within %s; found: %w", expected, timeout, complaint)
	}
}
