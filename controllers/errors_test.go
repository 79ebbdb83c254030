// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/integrator-operator/integrator-operator/internal/integrator"
)

func TestClassify(t *testing.T) {
	details := []integrator.ErrorDetail{
		{Code: "missing_required_field", Field: "http", Message: "http subschema not defined"},
		{Message: "second"}, {Message: "third"}, {Message: "fourth"},
	}
	said := []integrator.ErrorDetail{{Message: "no"}}
	cases := map[string]struct {
		err   error
		class class
		want  string
		after time.Duration
	}{
		"400": {&integrator.APIError{StatusCode: 400}, terminal, "Rejected: cannot try it: the API rejects it (400); correct the spec", 0},
		"401": {&integrator.APIError{StatusCode: 401}, terminal, "TokenRejected: cannot try it: the API rejects the token (401); put a valid token into the Account's Secret", 0},
		"403": {&integrator.APIError{StatusCode: 403, Errors: said}, terminal,
			"Forbidden: cannot try it: the token is not permitted to (403: no); give it the permission, or put another token into the Account's Secret", backoffMax},
		"404": {&integrator.APIError{StatusCode: 404, Errors: said}, terminal, "NotFound: cannot try it: the API has no such thing (404: no); check the ids in the spec", 0},
		"405": {&integrator.APIError{StatusCode: 405, Errors: said}, terminal, "Rejected: cannot try it: the API rejects it (405: no); correct the spec", 0},
		"403 of a gateway": {&integrator.APIError{StatusCode: 403}, transient,
			"UnexpectedResponse: cannot try it: the answer (403) gives no reason, as one of a gateway in between; check the ids in the spec and the Account's baseURL, it is tried again by itself", 0},
		"404 of a gateway": {&integrator.APIError{StatusCode: 404}, transient,
			"UnexpectedResponse: cannot try it: the answer (404) gives no reason, as one of a gateway in between; check the ids in the spec and the Account's baseURL, it is tried again by itself", 0},
		"405 of a gateway": {&integrator.APIError{StatusCode: 405}, transient,
			"UnexpectedResponse: cannot try it: the answer (405) gives no reason, as one of a gateway in between; check the ids in the spec and the Account's baseURL, it is tried again by itself", 0},
		"409": {&integrator.APIError{StatusCode: 409}, transient, "Conflict: cannot try it: the API reports a conflict (409); it is tried again by itself", 0},
		"413": {&integrator.APIError{StatusCode: 413}, terminal, "TooLarge: cannot try it: the API finds it too large (413); make it smaller", 0},
		"422": {&integrator.APIError{StatusCode: 422, Errors: details}, terminal,
			"Rejected: cannot try it: the API rejects it (422: field http: http subschema not defined [missing_required_field]; second; third; and 1 more); correct the spec", 0},
		"429": {&integrator.APIError{StatusCode: 429, RetryAfter: 7 * time.Second}, throttled,
			"RateLimited: cannot try it yet: the account's rate limit is used up (429); it goes on by itself when the API permits", 7 * time.Second},
		"Busy": {&integrator.APIError{StatusCode: 429, RetryAfter: 5 * time.Second, Err: integrator.ErrBusy}, throttled,
			"RateLimited: cannot try it yet: other calls take all places of the account (maxInFlight); it goes on by itself", 5 * time.Second},
		"503": {&integrator.APIError{StatusCode: 503}, transient, "ServerError: cannot try it: the API failed (503); it is tried again by itself", 0},
		"302": {&integrator.APIError{StatusCode: 302}, transient, "UnexpectedResponse: cannot try it: the API redirects (302) and redirects are not followed; check the Account's baseURL, it is tried again by itself", 0},
		"200": {&integrator.APIError{StatusCode: 200, Err: integrator.ErrTooLarge}, transient,
			"UnexpectedResponse: cannot try it: the answer (200) is not what the API documents, and too long to read; it is tried again by itself", 0},
		"Refused": {&integrator.APIError{Err: &net.OpError{Op: "dial", Addr: &net.TCPAddr{Port: 4711}, Err: syscall.ECONNREFUSED}}, transient,
			"Unreachable: cannot try it: the connection is refused; check the Account's baseURL and the network, it is tried again by itself", 0},
		"Reset":   {&integrator.APIError{Err: &net.OpError{Op: "read", Err: syscall.ECONNRESET}}, transient, "Unreachable: cannot try it: the connection broke; check the Account's baseURL and the network, it is tried again by itself", 0},
		"DNS":     {&integrator.APIError{Err: &net.DNSError{Name: "x"}}, transient, "Unreachable: cannot try it: the host name is not known; check the Account's baseURL and the network, it is tried again by itself", 0},
		"Timeout": {&integrator.APIError{Err: context.DeadlineExceeded}, transient, "Unreachable: cannot try it: no answer in time; check the Account's baseURL and the network, it is tried again by itself", 0},
		"Argument": {&integrator.APIError{Err: fmt.Errorf("%w: the id is empty", integrator.ErrInvalidArgument)}, terminal,
			"Rejected: cannot try it: invalid argument: the id is empty; correct the spec", 0},
		"Wrapped": {fmt.Errorf("outer: %w", &integrator.APIError{StatusCode: 503}), transient, "ServerError: cannot try it: the API failed (503); it is tried again by itself", 0},
		"Problem": {fmt.Errorf("outer: %w", waitingf("ImportNotReady", "not yet")), waiting, "ImportNotReady: not yet", 0},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			p := classify(tc.err, "try it")
			if p == nil {
				t.Fatal("not classified")
			}
			if diff := cmp.Diff(tc.want, p.Error()); diff != "" {
				t.Errorf("-want, +got:\n%s", diff)
			}
			if p.class != tc.class || p.after != tc.after {
				t.Errorf("class %d after %s, want %d after %s", p.class, p.after, tc.class, tc.after)
			}
		})
	}
	if p := classify(errors.New("of Kubernetes"), "try it"); p != nil {
		t.Errorf("an error that is not the API's became %v", p)
	}
}

func TestKnownNotApplied(t *testing.T) {
	for status, want := range map[int]bool{
		400: true, 401: true, 403: true, 404: true, 405: true, 413: true, 415: true, 422: true, 429: true,
		0: false, 200: false, 307: false, 408: false, 409: false, 500: false, 502: false, 503: false, 504: false,
	} {
		if got := knownNotApplied(&integrator.APIError{StatusCode: status, Sent: true}); got != want {
			t.Errorf("status %d: %t, want %t", status, got, want)
		}
	}
	if !knownNotApplied(&integrator.APIError{Sent: false}) {
		t.Error("a request of which no byte was written may have been applied")
	}
}

func TestSayingIsBounded(t *testing.T) {
	text := saying(&integrator.APIError{Errors: []integrator.ErrorDetail{{Message: strings.Repeat("ż", 5000)}}})
	if len(text) > 220 {
		t.Errorf("%d bytes of the API's message are repeated", len(text))
	}
}
