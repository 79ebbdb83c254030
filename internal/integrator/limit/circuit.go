// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package limit

import "time"

const (
	// unansweredMost is how many calls in a row may have no answer before no other is made.
	unansweredMost = 5
	// probePause is how long after the last call without an answer another call than a check may show
	// whether the API answers again.
	probePause = 30 * time.Second
)

// circuit decides whether calls are made at all. It opens when several calls in a row had no answer:
// each of those that follow would hold a place until its deadline. While it is open, one call at a time
// shows whether the API answers again. Any answer closes it. Its zero value is closed.
type circuit struct {
	// unanswered counts the calls in a row that had no answer.
	unanswered int
	open       bool
	// probing: the one call is under way that shows whether the API answers again.
	probing bool
	// due is when that may be another call than a check of the token.
	due time.Time
}

// allows reports whether a call may be made, and whether it is the one that shows whether the API
// answers again. A check of the token may be that at any time, an invocation never: it may last for
// minutes.
func (c *circuit) allows(class Class, now time.Time) (ok, probe bool) {
	switch {
	case !c.open:
		return true, false
	case c.probing || class == ClassRun || class != ClassCheck && now.Before(c.due):
		return false, false
	default:
		return true, true
	}
}

// report counts a call that had an answer or had none. changed reports whether the circuit opened or
// closed.
func (c *circuit) report(answered bool, now time.Time) (changed bool) {
	before := c.open
	if answered {
		*c = circuit{}
		return before
	}
	c.unanswered++
	c.open = c.unanswered >= unansweredMost
	c.due = now.Add(probePause)
	return c.open && !before
}
