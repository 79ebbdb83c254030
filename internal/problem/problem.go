// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package problem says what an error means to the user of an object: what failed, which field,
// what to do, and when the object is reconciled again.
package problem

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Class says when an object is reconciled again after a problem.
type Class int

const (
	// Terminal: a person has to act. Nothing is retried until the spec, a Secret, the Account or
	// the remote import changes, or somebody asks; but see WithBackoff.
	Terminal Class = iota
	// Transient: it is retried with growing pauses, from BackoffBase to BackoffMax.
	Transient
	// RateLimited: the account has to wait, and RetryAfter says how long.
	RateLimited
	// Waiting: an event of another object continues the work.
	Waiting
)

// Bounds of the pauses between retries: 1 s, then twice as long each time, up to 5 min.
const (
	BackoffBase = time.Second
	BackoffMax  = 5 * time.Minute
)

// Backoff returns the pause before a retry that so many came before.
func Backoff(before int) time.Duration {
	return min(BackoffBase<<min(before, 10), BackoffMax)
}

// Problem is an error as conditions and events show it. It is a value: the With functions return
// another one. Its message is the same each time the same thing fails, so that a condition does
// not flap.
type Problem struct {
	class      Class
	reason     string
	message    string
	retryAfter time.Duration
	backoff    bool
	cause      error
}

// New makes a problem.
func New(class Class, reason, message string) *Problem {
	return &Problem{class: class, reason: reason, message: message}
}

// Terminalf makes a problem that a person has to solve.
func Terminalf(reason, format string, args ...any) *Problem {
	return New(Terminal, reason, fmt.Sprintf(format, args...))
}

// Transientf makes a problem that is retried.
func Transientf(reason, format string, args ...any) *Problem {
	return New(Transient, reason, fmt.Sprintf(format, args...))
}

// Waitingf makes a problem that an event of another object ends.
func Waitingf(reason, format string, args ...any) *Problem {
	return New(Waiting, reason, fmt.Sprintf(format, args...))
}

// Class says when to reconcile again.
func (p *Problem) Class() Class { return p.class }

// Reason is one of the reasons in api/v1alpha1.
func (p *Problem) Reason() string { return p.reason }

// Message says in one line what failed, which field, and what to do.
func (p *Problem) Message() string { return p.message }

// RetryAfter is when to reconcile again: always set for RateLimited; for Terminal and Waiting
// where time alone can change the situation. 0 means that only an event does.
func (p *Problem) RetryAfter() time.Duration { return p.retryAfter }

// Error gives reason and message.
func (p *Problem) Error() string { return p.reason + ": " + p.message }

// Unwrap gives the cause.
func (p *Problem) Unwrap() error { return p.cause }

// WithRetryAfter returns the problem with another time to reconcile again.
func (p *Problem) WithRetryAfter(after time.Duration) *Problem {
	changed := *p
	changed.retryAfter = after
	return &changed
}

// BacksOff reports whether the object is reconciled again with growing pauses, from BackoffBase to BackoffMax.
func (p *Problem) BacksOff() bool { return p.class == Transient || p.backoff }

// WithBackoff returns a problem that a person has to solve, or that may end without anybody: it is retried with the same
// pauses as a transient one.
func (p *Problem) WithBackoff() *Problem {
	changed := *p
	changed.backoff = true
	return &changed
}

// WithMessage returns the problem with another message.
func (p *Problem) WithMessage(format string, args ...any) *Problem {
	changed := *p
	changed.message = fmt.Sprintf(format, args...)
	return &changed
}

// WithClass returns the problem as one of another class.
func (p *Problem) WithClass(class Class) *Problem {
	changed := *p
	changed.class = class
	return &changed
}

// WithReason returns the problem with another reason.
func (p *Problem) WithReason(reason string) *Problem {
	changed := *p
	changed.reason = reason
	return &changed
}

// WithCause returns the problem with another cause.
func (p *Problem) WithCause(cause error) *Problem {
	changed := *p
	changed.cause = cause
	return &changed
}

// As gives the problem in err's chain, nil when there is none.
func As(err error) *Problem {
	p, _ := errors.AsType[*Problem](err)
	return p
}

// HasReason reports whether err is a problem with this reason.
func HasReason(err error, reason string) bool {
	p := As(err)
	return p != nil && p.reason == reason
}

// AsDependency is the problem's class for objects that wait for the one that has it: they do not
// retry, because the end of the problem is an event to them.
func (p *Problem) AsDependency() Class {
	if p.class == Terminal {
		return Terminal
	}
	return Waiting
}

// SomeOf lists the first of the names for a message, and how many more there are.
func SomeOf(names []string, most int) string {
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}
