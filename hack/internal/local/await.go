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
	// Patience is the timeout for things that take about a second on an idle machine.
	Patience = time.Minute
	// interval between two checks.
	interval = 100 * time.Millisecond
)

// Await repeats check until it returns nil. After the timeout it returns an error that says what
// was expected and, with the last error of check, what was found instead.
func Await(ctx context.Context, timeout time.Duration, expected string, check func(context.Context) error) error {
	var last error
	err := wait.PollUntilContextTimeout(ctx, interval, timeout, true, func(ctx context.Context) (bool, error) {
		found := check(ctx)
		if found == nil || ctx.Err() == nil {
			last = found
		}
		return found == nil, nil
	})
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return context.Cause(ctx)
	default:
		return fmt.Errorf("expected %s within %s; found: %w", expected, timeout, last)
	}
}
