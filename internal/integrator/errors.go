// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package integrator

import (
	"errors"
	"time"
)

// ErrTooLarge says that an answer was longer than the client reads (16 MiB after decompression).
var ErrTooLarge = errors.New("the answer is longer than 16 MiB")

// ErrInvalidArgument says that a call was refused before anything was sent, because of its arguments.
var ErrInvalidArgument = errors.New("invalid argument")

// ErrorDetail is one error as the API words it. The strings are cut to 512 bytes, and control
// characters in them are replaced.
type ErrorDetail struct {
	Code    string // such as "missing_required_field"; a number is given as text
	Message string
	Field   string // path in the document, "" when the API names none
	Source  string
}

// APIError is the error of every call of this package that did not succeed.
type APIError struct {
	// Op is method and route, such as "POST /v1/imports/{id}/invoke"; it never holds an id.
	Op string
	// StatusCode is the HTTP status, 0 when there was no answer (network, timeout, cancelled).
	StatusCode int
	// Errors is what the API said; empty when its body was not understood. At most 20.
	Errors []ErrorDetail
	// RetryAfter is how long the API asks to wait, at most one hour, 0 when it does not ask.
	// It is never 0 for status 429.
	RetryAfter time.Duration
	// Sent is false only when it is certain that not one byte of the request was written:
	// no connection was obtained.
	Sent bool
	// Err is the cause when there is no answer or it was not understood.
	Err error
}

func (e *APIError) Error() string { return e.Op }

// Unwrap gives the cause.
func (e *APIError) Unwrap() error { return e.Err }

// NotUnderstood reports whether the API answered with success, but with a body or a status that
// this client cannot make sense of: the request was most likely applied.
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
