// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"fmt"
	"math"
	"net/http"
	"strconv"
	"time"

	"golang.org/x/time/rate"
)

// newLimiter makes an account's bucket. A leaky bucket that is filled by
// requests and a token bucket that is emptied by them admit the same requests.
func (s *Server) newLimiter() *rate.Limiter {
	return rate.NewLimiter(rate.Limit(s.perSecond), s.burst)
}

// SetRate changes the bucket of every account, those to come included.
func (s *Server) SetRate(requestsPerSecond float64, burst int) error {
	if requestsPerSecond <= 0 || burst <= 0 {
		return fmt.Errorf("rate: requests per second and burst must be above 0")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.perSecond, s.burst = requestsPerSecond, burst
	for _, acct := range s.accounts {
		acct.limiter = s.newLimiter()
	}
	return nil
}

// take admits a request, or tells how long the account has to wait. A request
// that is refused takes nothing.
func (s *Server) take(acct *account) time.Duration {
	now := s.clock.Now()
	reservation := acct.limiter.ReserveN(now, 1)
	wait := reservation.DelayFrom(now)
	if wait > 0 {
		reservation.CancelAt(now)
	}
	return wait
}

func rateLimited(wait time.Duration) response {
	seconds := int(math.Ceil(wait.Seconds()))
	unit := "seconds"
	if seconds == 1 {
		unit = "second"
	}
	resp := failf(http.StatusTooManyRequests, codeRateLimited, "", "Too many requests. Retry after %d %s.", seconds, unit)
	resp.header = http.Header{"Retry-After": {strconv.Itoa(seconds)}}
	return resp
}
