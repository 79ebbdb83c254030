// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package integrator

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// ErrTooLarge says that an answer was longer than the client reads (16 MiB after decompression).
var ErrTooLarge = errors.New("the answer is longer than 16 MiB")

// ErrInvalidArgument says that a call was refused for its arguments, before anything was sent.
var ErrInvalidArgument = errors.New("invalid argument")

const (
	maxDetails      = 20   // kept of one answer
	maxDetailsShown = 3    // in APIError.Error
	maxErrorText    = 1024 // of APIError.Error, in bytes
)

// ErrorDetail is one error as the API words it. Each string is at most 512 bytes, in one line.
type ErrorDetail struct {
	Code    string // such as "missing_required_field"; a number is given as text
	Message string
	Field   string // path in the document, "" when the API names none
	Source  string
}

// String gives code, field and message in one line.
func (d ErrorDetail) String() string {
	var b strings.Builder
	b.WriteString(d.Code)
	if d.Field != "" {
		fmt.Fprintf(&b, " (field %s)", d.Field)
	}
	if d.Message != "" {
		if b.Len() > 0 {
			b.WriteString(": ")
		}
		b.WriteString(d.Message)
	}
	return strings.TrimSpace(b.String())
}

// APIError is the error of every call of this package that did not succeed.
//
//   - StatusCode 0: no answer. Err is the cause: [ErrInvalidArgument], context.Canceled,
//     context.DeadlineExceeded or a network error.
//   - StatusCode 2xx with Err: see NotUnderstood.
//   - StatusCode 2xx without Err: an invocation that failed as a whole; Errors says why.
//   - StatusCode 429 without Sent: the account is paused, or, with [ErrBusy], had no place for
//     the call; nothing was tried.
//   - any other: what the API answered. Redirects are not followed and end here too.
type APIError struct {
	// Op is method and route, such as "POST /v1/imports/{id}/invoke"; it never holds an id.
	Op string
	// StatusCode is the HTTP status, 0 when there was no answer (network, timeout, cancelled).
	StatusCode int
	// Errors is what the API said; empty when its body was not understood. At most 20.
	Errors []ErrorDetail
	// RetryAfter is how long to wait as the Retry-After header says, at most one hour; 0 when
	// it says nothing. For status 429 it is never 0: without the header it is 1 s.
	RetryAfter time.Duration
	// Sent is false only when it is certain that not one byte of the request was written,
	// because no connection was obtained for it.
	Sent bool
	// Err is the cause when there is no answer or it was not understood.
	Err error
}

// Error says what was called, what came back, and the first few errors that the API named. It
// holds no id, address, time or other text that differs between two equal failures.
func (e *APIError) Error() string {
	var b strings.Builder
	b.WriteString(e.Op)
	if e.StatusCode != 0 {
		b.WriteString(strings.TrimRight(fmt.Sprintf(": %d %s", e.StatusCode, http.StatusText(e.StatusCode)), " "))
	}
	for i, d := range e.Errors {
		if i == maxDetailsShown {
			fmt.Fprintf(&b, "; and %d more", len(e.Errors)-i)
			break
		}
		sep := ": "
		if i > 0 {
			sep = "; "
		}
		b.WriteString(sep + d.String())
	}
	if e.Err != nil {
		fmt.Fprintf(&b, ": %v", e.Err)
	}
	return cut(b.String(), maxErrorText)
}

// Unwrap gives the cause.
func (e *APIError) Unwrap() error { return e.Err }

// NotUnderstood reports whether the API answered with success, but with a status or a body that
// makes no sense to this client: cut short, too long, no JSON, another document than the one
// asked for. The request was most likely applied.
func (e *APIError) NotUnderstood() bool {
	return e.StatusCode >= 200 && e.StatusCode < 300 && e.Err != nil
}

// StatusCode gives the HTTP status of the *APIError in err's chain, 0 when there is none.
func StatusCode(err error) int {
	if e, ok := errors.AsType[*APIError](err); ok {
		return e.StatusCode
	}
	return 0
}
