// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package problem

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/integrator"
)

func TestFromAPI(t *testing.T) {
	details := []integrator.ErrorDetail{
		{Code: "missing_required_field", Field: "http", Message: "http subschema not defined"},
		{Message: "second"}, {Message: "third"}, {Message: "fourth"},
	}
	words := []integrator.ErrorDetail{{Message: "no"}}
	cases := map[string]struct {
		err   error
		class Class
		want  string
		after time.Duration
	}{
		"400": {&integrator.APIError{StatusCode: 400}, Terminal, "Rejected: cannot try it: the API rejects it (400); correct the spec", 0},
		"401": {&integrator.APIError{StatusCode: 401}, Terminal, "TokenRejected: cannot try it: the API rejects the token (401); put a valid token into the Account's Secret", 0},
		"403": {&integrator.APIError{StatusCode: 403, Errors: words}, Terminal,
			"Forbidden: cannot try it: the token has no permission (403: no); give it the permission, or put another token into the Account's Secret", BackoffMax},
		"404": {&integrator.APIError{StatusCode: 404, Errors: words}, Terminal, "NotFound: cannot try it: resource not found (404: no); check the ids in the spec", 0},
		"405": {&integrator.APIError{StatusCode: 405, Errors: words}, Terminal, "Rejected: cannot try it: the API rejects it (405: no); correct the spec", 0},
		"403 of a gateway": {&integrator.APIError{StatusCode: 403}, Transient,
			"UnexpectedResponse: cannot try it: the response (403) gives no reason, so it may come from a gateway in between; check the ids in the spec and the Account's baseURL; it will be retried", 0},
		"404 of a gateway": {&integrator.APIError{StatusCode: 404}, Transient,
			"UnexpectedResponse: cannot try it: the response (404) gives no reason, so it may come from a gateway in between; check the ids in the spec and the Account's baseURL; it will be retried", 0},
		"405 of a gateway": {&integrator.APIError{StatusCode: 405}, Transient,
			"UnexpectedResponse: cannot try it: the response (405) gives no reason, so it may come from a gateway in between; check the ids in the spec and the Account's baseURL; it will be retried", 0},
		"409": {&integrator.APIError{StatusCode: 409}, Transient, "Conflict: cannot try it: the API reports a conflict (409); it will be retried", 0},
		"413": {&integrator.APIError{StatusCode: 413}, Terminal, "TooLarge: cannot try it: the API finds it too large (413); make it smaller", 0},
		"422": {&integrator.APIError{StatusCode: 422, Errors: details}, Terminal,
			"Rejected: cannot try it: the API rejects it (422: field http: http subschema not defined [missing_required_field]; second; third; and 1 more); correct the spec", 0},
		"429": {&integrator.APIError{StatusCode: 429, RetryAfter: 7 * time.Second}, RateLimited,
			"RateLimited: cannot try it yet: the account's rate limit is used up (429); it will be retried when the API permits", 7 * time.Second},
		"Busy": {&integrator.APIError{StatusCode: 429, RetryAfter: 5 * time.Second, Err: integrator.ErrBusy}, RateLimited,
			"RateLimited: cannot try it yet: other calls take all of the account's maxInFlight; it will be retried", 5 * time.Second},
		"503": {&integrator.APIError{StatusCode: 503}, Transient, "ServerError: cannot try it: the API failed (503); it will be retried", 0},
		"page": {&integrator.APIError{StatusCode: 413, Err: &integrator.PageTooLargeError{ID: "5e8c41d29a7f3b0012ab77e1", Name: "orders"}}, Transient,
			"TooLarge: cannot try it: the import 5e8c41d29a7f3b0012ab77e1 (\"orders\") alone is too large; make it smaller on the platform; it will be retried", 0},
		"link": {&integrator.APIError{StatusCode: 200, Err: &integrator.LinkError{Link: "https://backend.internal/v1/imports", Problem: "leads back to an earlier page"}}, Transient,
			"UnexpectedResponse: cannot try it: the link to the next page (https://backend.internal/v1/imports) leads back to an earlier page; check what is between the operator and the API; it will be retried", 0},
		"302": {&integrator.APIError{StatusCode: 302}, Transient, "UnexpectedResponse: cannot try it: the API redirects (302), and redirects are not followed; check the Account's baseURL; it will be retried", 0},
		"200": {&integrator.APIError{StatusCode: 200, Err: integrator.ErrTooLarge}, Transient,
			"UnexpectedResponse: cannot try it: the response (200) is not one that the API documents, and too long to read; it will be retried", 0},
		"Proxy": {&integrator.APIError{Err: &integrator.ProxyError{StatusCode: 407}}, Transient,
			"Unreachable: cannot try it: the proxy refuses to connect to the API (407); check the Account's baseURL and the network; it will be retried", 0},
		"ProxyRefused": {&integrator.APIError{Err: &net.OpError{Op: "proxyconnect", Err: &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}}}, Transient,
			"Unreachable: cannot try it: the proxy (--https-proxy) cannot be reached: the connection is refused; check the Account's baseURL and the network; it will be retried", 0},
		"Refused": {&integrator.APIError{Err: &net.OpError{Op: "dial", Addr: &net.TCPAddr{Port: 4711}, Err: syscall.ECONNREFUSED}}, Transient,
			"Unreachable: cannot try it: the connection is refused; check the Account's baseURL and the network; it will be retried", 0},
		"Untrusted": {&integrator.APIError{Err: &tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}}, Transient,
			"Unreachable: cannot try it: " + untrusted + "; check the Account's baseURL and the network; it will be retried", 0},
		"OtherHost": {&integrator.APIError{Err: &tls.CertificateVerificationError{Err: x509.HostnameError{Certificate: &x509.Certificate{}}}}, Transient,
			"Unreachable: cannot try it: the server's certificate is for another host; check the Account's baseURL and the network; it will be retried", 0},
		"Expired": {&integrator.APIError{Err: &tls.CertificateVerificationError{Err: x509.CertificateInvalidError{Reason: x509.Expired}}}, Transient,
			"Unreachable: cannot try it: the server's certificate, or one that it depends on, has expired or is not valid yet; check the Account's baseURL and the network; it will be retried", 0},
		"ProxyUntrusted": {&integrator.APIError{Err: &net.OpError{Op: "proxyconnect", Err: &tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}}}, Transient,
			"Unreachable: cannot try it: the proxy (--https-proxy) cannot be reached: its certificate is not trusted: if it is of an authority of your own, start the operator with --ca-file; check the Account's baseURL and the network; it will be retried", 0},
		"Private": {&integrator.APIError{Err: &net.OpError{Op: "dial", Err: integrator.ErrPrivateAddress}}, Transient,
			"Unreachable: cannot try it: the host's address is one of a private network: if that is your own, start the operator with --allow-private-addresses; check the Account's baseURL and the network; it will be retried", 0},
		"LinkLocal": {&integrator.APIError{Err: &net.OpError{Op: "dial", Err: integrator.ErrAddressNotAllowed}}, Transient,
			"Unreachable: cannot try it: the host's address is not one that may be called: it is one of the machine itself, or a link-local or reserved one; check the Account's baseURL and the network; it will be retried", 0},
		"Reset":   {&integrator.APIError{Err: &net.OpError{Op: "read", Err: syscall.ECONNRESET}}, Transient, "Unreachable: cannot try it: the connection broke; check the Account's baseURL and the network; it will be retried", 0},
		"DNS":     {&integrator.APIError{Err: &net.DNSError{Name: "x"}}, Transient, "Unreachable: cannot try it: the host name is not known; check the Account's baseURL and the network; it will be retried", 0},
		"Timeout": {&integrator.APIError{Err: context.DeadlineExceeded}, Transient, "Unreachable: cannot try it: no answer in time; check the Account's baseURL and the network; it will be retried", 0},
		"Argument": {&integrator.APIError{Err: fmt.Errorf("%w: the id is empty", integrator.ErrInvalidArgument)}, Terminal,
			"Rejected: cannot try it: invalid argument: the id is empty; correct the spec", 0},
		"Wrapped": {fmt.Errorf("outer: %w", &integrator.APIError{StatusCode: 503}), Transient, "ServerError: cannot try it: the API failed (503); it will be retried", 0},
		"Problem": {fmt.Errorf("outer: %w", Waitingf("ImportNotReady", "not yet")), Waiting, "ImportNotReady: not yet", 0},
	}
	tested := map[int]bool{}
	for name, tc := range cases {
		if api, ok := errors.AsType[*integrator.APIError](tc.err); ok {
			tested[slices.IndexFunc(meanings, func(row meaning) bool { return row.when(api) })] = true
		}
		t.Run(name, func(t *testing.T) {
			p := FromAPI(tc.err, "try it")
			if p == nil {
				t.Fatal("no problem")
			}
			if diff := cmp.Diff(tc.want, p.Error()); diff != "" {
				t.Errorf("-want, +got:\n%s", diff)
			}
			if p.Class() != tc.class || p.RetryAfter() != tc.after {
				t.Errorf("class %d after %s, want %d after %s", p.Class(), p.RetryAfter(), tc.class, tc.after)
			}
		})
	}
	for i, row := range meanings {
		if !tested[i] {
			t.Errorf("row %d of the table, %q, has no case", i, row.advice)
		}
	}
	if p := FromAPI(errors.New("of Kubernetes"), "try it"); p != nil {
		t.Errorf("an error that is not the API's became %v", p)
	}
}

// TestWrap: a nil problem in an error would not be nil.
func TestWrap(t *testing.T) {
	if err := Wrap(nil, "try it"); err != nil {
		t.Errorf("no error became %v", err)
	}
	kubernetes := errors.New("of Kubernetes")
	if err := Wrap(kubernetes, "try it"); !errors.Is(err, kubernetes) || As(err) != nil {
		t.Errorf("an error that is not the API's became %v", err)
	}
	if err := Wrap(&integrator.APIError{StatusCode: 409}, "try it"); !HasReason(err, v1alpha1.ReasonConflict) {
		t.Errorf("a conflict became %v", err)
	}
}

func TestDetailsAreBounded(t *testing.T) {
	text := Details(&integrator.APIError{Errors: []integrator.ErrorDetail{{Message: strings.Repeat("ż", 5000)}}})
	if len(text) > 220 {
		t.Errorf("%d bytes of the API's message are repeated", len(text))
	}
}
