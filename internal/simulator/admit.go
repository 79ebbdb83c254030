// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"net/http"
	"net/mail"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/time/rate"

	"github.com/integrator-operator/integrator-operator/internal/simulator/wire"
)

// UserHeader names the person who makes a request, for example
//
//	X-Simulator-User: ui; Jane Doe <jane@example.com>
//
// The audit log and lastModifiedBy then have that person and that source. The request needs a token
// as well.
const UserHeader = "X-Simulator-User"

var auditSources = []string{"ui", "api", "connector", "stack", "system", "sso"}

// actor is a user and the source of a change.
type actor struct {
	user   User
	source string
}

func userID(email string) string {
	sum := sha256.Sum256([]byte(email))
	return hex.EncodeToString(sum[:12])
}

// authenticate finds the account of a request by its token. The API answers differently to a missing
// and to a wrong token.
func (s *Server) authenticate(r *http.Request) (*account, actor, *wire.Response) {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	token = strings.TrimSpace(token)
	if !strings.EqualFold(scheme, "Bearer") || token == "" {
		refusal := wire.Answer(http.StatusUnauthorized, wire.MessageBody{Message: "Unauthorized"})
		return nil, actor{}, &refusal
	}
	for _, acct := range s.accounts {
		if user, ok := acct.tokens[token]; ok {
			return acct, actor{user: user, source: "api"}, nil
		}
	}
	refusal := wire.Answer(http.StatusUnauthorized, wire.MessageBody{Message: "Bearer Authentication Failed"})
	return nil, actor{}, &refusal
}

// parseUserHeader reads the value of UserHeader.
func parseUserHeader(value string) (actor, error) {
	source, address, _ := strings.Cut(value, ";")
	source = strings.TrimSpace(source)
	if !slices.Contains(auditSources, source) {
		return actor{}, fmt.Errorf("%s: source %q is not one of %q", UserHeader, source, auditSources)
	}
	parsed, err := mail.ParseAddress(strings.TrimSpace(address))
	if err != nil {
		return actor{}, fmt.Errorf("%s: want `source; Name <email>`: %w", UserHeader, err)
	}
	return actor{source: source, user: User{ID: userID(parsed.Address), Email: parsed.Address, Name: parsed.Name}}, nil
}

// newLimiter makes an account's bucket. The API documents a leaky bucket that requests fill. A token
// bucket that requests empty admits the same requests.
func (s *Server) newLimiter() *rate.Limiter {
	return rate.NewLimiter(rate.Limit(s.perSecond), s.burst)
}

// SetRate changes the bucket of every account, also of accounts that are added later.
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

// take admits a request, or returns how long the account has to wait. A refused request takes
// nothing from the bucket.
func (s *Server) take(acct *account) time.Duration {
	now := s.clock.Now()
	reservation := acct.limiter.ReserveN(now, 1)
	wait := reservation.DelayFrom(now)
	if wait > 0 {
		reservation.CancelAt(now)
	}
	return wait
}

func rateLimited(wait time.Duration) wire.Response {
	seconds := int(math.Ceil(wait.Seconds()))
	unit := "seconds"
	if seconds == 1 {
		unit = "second"
	}
	resp := wire.Failf(http.StatusTooManyRequests, wire.CodeRateLimited, "", "Too many requests. Retry after %d %s.", seconds, unit)
	resp.Header = http.Header{"Retry-After": {strconv.Itoa(seconds)}}
	return resp
}
