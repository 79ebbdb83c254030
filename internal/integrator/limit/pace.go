// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package limit

import (
	"math"
	"time"
)

// What the platform permits is shared with others, who may use most of it. A 429 says that more was sent than is
// left. How much is left is estimated by what succeeded between two 429s, and that is used: a little less at first,
// then more and more, until the next 429 comes or all of the rate is used again.
//
// Where the platform's limit is a bucket, it gains during the pause after a 429 what was not used, and for a while
// a little more than is left is used to make up for that. Where it is a window, nothing is gained: the next 429
// comes at once, and then nothing is made up for, for some pauses.
const (
	// firstPart is the part of the rate at which is gone on after the first 429: nobody knows how much is left.
	// The estimates that follow are leastPart of the one before at least, because little may have been sent only
	// as there was little to do, and mostPart of the rate of the 429 at most.
	firstPart, leastPart, mostPart = 0.5, 0.5, 0.98
	// makingUp is the part of the estimate at which is gone on at first, for maxMakeUp at most. After that it is
	// begin of it, and climbs to all of it until steady has passed without a 429.
	makingUp, begin = 1.1, 0.97
	maxMakeUp       = 10 * time.Second
	steady          = 20 * time.Second
	// From then on the rate grows, slowly at first: the others may have stopped. After growth it is e times as
	// much, after twice that e^4 times.
	growth = 6 * time.Second
	// soon is within what time after a pause a 429 says that nothing was gained by it, if the last one before was
	// longer ago than known, so that what is left was known well. That is believed for windows pauses, and until
	// farMore than the estimate is permitted.
	soon, known = 2 * time.Second, 8 * time.Second
	windows     = 10
	farMore     = 1.5
	// burstTime is for how long requests may be saved up while the rate is less than full.
	burstTime = 500 * time.Millisecond
	// leastRate is what is tried at least, in requests a second.
	leastRate = 1
)

// pace is the rate at which requests are made: what the Account names, or less after a 429.
type pace struct {
	// full is what the Account names, in requests a second.
	full float64
	// base is how much others leave, as estimated at the last 429; 0 when all of full may be used.
	base float64
	// since is when it was gone on after the last 429, at the end of a pause that had begun at refusedAt.
	since, refusedAt time.Time
	// lasted is how long the time between the last two 429s was.
	lasted time.Duration
	// sent are the requests since the last 429.
	sent int
	// window is for how many further pauses it is believed that nothing is gained by them.
	window int
}

// slowed reports whether not all of the rate may be used.
func (p *pace) slowed() bool { return p.base != 0 }

// at returns the rate of now, in requests a second.
func (p *pace) at(now time.Time) float64 {
	if p.base == 0 {
		return p.full
	}
	passed := max(0, now.Sub(p.since))
	part := begin + (1-begin)*min(1, passed.Seconds()/steady.Seconds())
	if passed < p.makeUp() {
		part = makingUp
	}
	grown := max(0, passed-steady).Seconds() / growth.Seconds()
	rate := p.base * part * math.Exp(grown*grown)
	if rate >= p.full {
		if passed > steady {
			p.base, p.window = 0, 0
		}
		return p.full
	}
	return rate
}

// makeUp is how long it takes to make up for the last pause. What is saved up in a burst is not needed.
func (p *pace) makeUp() time.Duration {
	if p.window > 0 {
		return 0
	}
	missed := max(0, p.since.Sub(p.refusedAt)-burstTime)
	return min(maxMakeUp, time.Duration(float64(missed)/(makingUp-1)))
}

// burst returns how many requests may be saved up, of those that full permits.
func (p *pace) burst(now time.Time, full int) int {
	switch {
	case p.base == 0:
		return full
	case p.window > 0:
		return 1
	default:
		return min(full, max(1, int(p.at(now)*burstTime.Seconds())))
	}
}

// spent counts a request.
func (p *pace) spent() { p.sent++ }

// refused slows down because of a 429, after which it is gone on at a time. Those that come before that time
// are of requests that were on their way.
func (p *pace) refused(now, resumes time.Time) {
	if p.base != 0 && now.Before(p.since) {
		p.since = resumes
		return
	}
	first := p.base == 0
	p.base = max(min(leastRate, p.full), p.estimate(now))
	if p.lasted = now.Sub(p.refusedAt); first {
		p.lasted = 0 // nothing is known of what others leave
	}
	p.since, p.refusedAt, p.sent = resumes, now, 0
}

// estimate returns how much others leave, and learns whether pauses gain something.
func (p *pace) estimate(now time.Time) float64 {
	rate := p.at(now)
	if p.base == 0 {
		return rate * firstPart
	}
	if p.window == 0 && now.Sub(p.since) < soon && p.lasted > known {
		p.window = windows
		return p.base
	}
	succeeded := float64(p.sent-1) / now.Sub(p.refusedAt).Seconds()
	if p.window > 0 {
		p.window--
		switch {
		case rate > farMore*p.base:
			p.window = 0 // it was no window that permitted so much more
		case now.Sub(p.since) > known:
			// The average of a rate that has grown is less than it.
			succeeded = max(succeeded, p.at(now.Add(-time.Second)))
		}
	}
	return min(mostPart*rate, max(leastPart*p.base, succeeded))
}
