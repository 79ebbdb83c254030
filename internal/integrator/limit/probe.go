// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package limit

import "time"

// probePatience is how long the others wait for the request that goes first after a pause. A 429 comes
// at once; an invocation may take minutes.
const probePatience = 5 * time.Second

// probe has one request go first when a pause ends. Everything that waited for that would otherwise be
// sent at once, and be answered with the next 429. The others follow when that request has ended without
// a 429, or has lasted for probePatience. The zero value lets everything through.
type probe struct {
	// due: no request has ended without a 429 since the last pause began.
	due bool
	// number is that of the last request that went first, and until when the others wait for it: zero
	// when they do not.
	number int
	until  time.Time
}

// expect has one request go first after the pause that begins.
func (p *probe) expect() { p.due, p.until = true, time.Time{} }

// rest returns how long another request waits for the one that goes first, 0 if it does not.
func (p *probe) rest(now time.Time) time.Duration {
	if p.until.IsZero() {
		return 0
	}
	return max(0, p.until.Sub(now))
}

// goes reports whether the request with the number is still the one that goes first.
func (p *probe) goes(number int) bool { return number != 0 && number == p.number && !p.until.IsZero() }

// begin is called for a request that is sent, or for a permit for one, which does not have to wait. It returns the number for
// end: 0 for one that does not go first.
func (p *probe) begin(now time.Time) (number int) {
	p.due = p.due && p.until.IsZero() // otherwise the others have waited for long enough
	p.until = time.Time{}
	if !p.due {
		return 0
	}
	p.number++
	p.until = now.Add(probePatience)
	return p.number
}

// end is called when a request has ended, or is not made, after expect if it was answered with a 429.
func (p *probe) end(number int) {
	if p.goes(number) {
		p.due, p.until = false, time.Time{}
	}
}
