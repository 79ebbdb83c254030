// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package limit

import (
	"math"
	"time"
)

// What the platform permits is shared with others, who may use most of it. A 429 says that more was sent than
// is left: from then on less is, and slowly more again. What is left is used so, with few more 429s.
const (
	// slower is the part of the rate at which is gone on after a 429, muchSlower that after the first one, or
	// one that comes within soon of the pause of the last: then the rate is far from what is left.
	slower, muchSlower = 0.85, 0.5
	soon               = 3 * time.Second
	// growth is the part of the rate by which it grows in a second, at first. After steady without a 429 the
	// others may have stopped: from then on it grows by laterGrowth of what it is.
	growth, laterGrowth = 0.04, 0.15
	steady              = 10 * time.Second
	// leastRate is what is tried at least, in requests a second.
	leastRate = 1
)

// pace is the rate at which requests are made: what the Account names, or less after a 429.
type pace struct {
	// full is what the Account names, in requests a second.
	full float64
	// base is the rate with which it was gone on after the last 429, since then; 0 when all of it may be used.
	base  float64
	since time.Time
}

// at returns the rate of now, in requests a second.
func (p *pace) at(now time.Time) float64 {
	if p.base == 0 {
		return p.full
	}
	passed := max(0, now.Sub(p.since))
	rate := p.base * (1 + growth*min(passed, steady).Seconds()) * math.Pow(1+laterGrowth, max(0, passed-steady).Seconds())
	if rate >= p.full {
		p.base = 0
		return p.full
	}
	return rate
}

// refused slows down because of a 429, after which it is gone on at a time. Those that come before that time
// are of requests that were on their way.
func (p *pace) refused(now, resumes time.Time) {
	if p.base != 0 && now.Before(p.since) {
		p.since = resumes
		return
	}
	part := slower
	if p.base == 0 || now.Sub(p.since) < soon {
		part = muchSlower
	}
	p.base, p.since = max(min(leastRate, p.full), p.at(now)*part), resumes
}
