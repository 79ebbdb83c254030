// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package integrator

import "time"

// Limiter is one account's share of the platform's rate limit.
type Limiter struct{}

// NewLimiter makes a limiter. Values that are not positive mean the defaults.
func NewLimiter(requestsPerSecond float64, burst, maxInFlight int) *Limiter { return &Limiter{} }

// SetLimits changes the limits while the limiter is in use.
func (l *Limiter) SetLimits(requestsPerSecond float64, burst, maxInFlight int) {}

// PausedFor says how long the account still has to wait after a 429; 0 when it does not.
func (l *Limiter) PausedFor() time.Duration { return 0 }
