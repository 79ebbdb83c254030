// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package shared

import (
	"math/rand/v2"
	"time"
)

// Pace is how an Account wants to be scanned.
type Pace struct {
	// Interval is the longest time from the end of a scan to the next one.
	Interval time.Duration
	// Patience is how long no scan may reach its end before that is reported.
	Patience time.Duration
}

// scanJitter spreads the scans: an interval is up to a tenth longer.
const scanJitter = 0.1

// seen is what one watcher has had of the scans.
type seen struct {
	pace Pace
	// begun: a scan began since it watches, or demanded the list. What began before says nothing about it.
	begun bool
	// quiet is since when no scan has reached its end for it, and told that this was reported.
	quiet time.Time
	told  bool
}

// schedule is what decides when the next scan begins.
type schedule struct {
	// running: a scan has begun and not ended. ended is when the last one did.
	running bool
	ended   time.Time
	// jitter is between 0 and scanJitter, another one for every scan.
	jitter   float64
	watchers []seen
}

// next returns whether a scan has to begin now, which of the watchers have to be told that no scan has
// reached its end, and how long nothing else is to be done: 0 if only an event changes that.
//
// A watcher that has seen no scan, or that demands the list, gets one at once. The others get one after the shortest interval.
func (s schedule) next(now time.Time) (begin bool, overdue []int, wait time.Duration) {
	var shortest time.Duration
	fresh := false
	sooner := func(rest time.Duration) {
		if rest > 0 && (wait == 0 || rest < wait) {
			wait = rest
		}
	}
	for i, w := range s.watchers {
		fresh = fresh || !w.begun
		if shortest == 0 || w.pace.Interval < shortest {
			shortest = w.pace.Interval
		}
		switch rest := w.quiet.Add(w.pace.Patience).Sub(now); {
		case w.told:
		case rest <= 0:
			overdue = append(overdue, i)
		default:
			sooner(rest)
		}
	}
	if s.running || len(s.watchers) == 0 {
		return false, overdue, wait
	}
	rest := s.ended.Add(shortest + time.Duration(s.jitter*float64(shortest))).Sub(now)
	if fresh || rest <= 0 {
		return true, overdue, wait
	}
	sooner(rest)
	return false, overdue, wait
}

// jittered returns the jitter of the next scan.
func jittered() float64 {
	return rand.Float64() * scanJitter //nolint:gosec // nobody gains from foreseeing the time of a scan
}
