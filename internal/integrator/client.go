// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package integrator is a client of the integrator.io REST API, as far as imports go.
//
// Documents stay raw JSON, so that nothing the API says is lost on the way. Every error of a
// call is an [*APIError]: it tells the status, what the API said, and whether the request can
// have reached the API at all. This package sends nothing a second time, except the GET of a
// page that was answered with 429.
package integrator

import (
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

// DefaultBaseURL is the API's server in the US region.
const DefaultBaseURL = "https://api.integrator.io"

// DefaultTimeout bounds one request (headers and body) when Config.Timeout is not set.
const DefaultTimeout = 30 * time.Second

// DefaultUserAgent is sent when Config.UserAgent is not set.
const DefaultUserAgent = "integrator-operator"

// apiPrefix is the path under the base URL that all endpoints share.
const apiPrefix = "/v1"

// Config says which account a client works for and how. Printing a Config never shows the token.
type Config struct {
	// BaseURL is scheme, host and, if the API is behind a gateway, a path; without "/v1". The
	// host is a name, and has to lead to addresses on the internet.
	BaseURL string
	// Token is the bearer token of the account.
	Token string
	// Limiter is shared by all clients of one account. Nil gives the client one of its own
	// with the default limits.
	Limiter *Limiter
	// AllowHTTP permits a BaseURL without TLS and the machine's own addresses (loopback); for
	// tests and demos on one machine.
	AllowHTTP bool
	// AllowPrivate permits a host with addresses of private networks: a gateway.
	AllowPrivate bool
	// Timeout bounds one request, headers and body, from the moment the limiter let it go.
	// It does not apply to Invoke, which has only its context's deadline. 0 means DefaultTimeout.
	Timeout time.Duration
	// UserAgent is the User-Agent header; empty means DefaultUserAgent.
	UserAgent string
	// Observer, when set, is called once for each HTTP request that was tried.
	Observer func(Observation)
	// RootCAs, when set, replaces the system's certificate authorities.
	RootCAs *x509.CertPool
}

// Observation is what a metric may know of one request.
type Observation struct {
	// Method is the HTTP method.
	Method string
	// Route is the path as a template, such as "/v1/imports/{id}"; it never holds an id.
	Route string
	// StatusCode is the answer's status, 0 when there was no answer.
	StatusCode int
	// Duration is the time from the limiter's permission to the end of the body.
	Duration time.Duration
}

// Format prints the configuration without the token, whatever the verb.
func (c Config) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, c.String()) }

// String describes the configuration without the token.
func (c Config) String() string {
	return fmt.Sprintf("integrator.Config{BaseURL: %q, AllowHTTP: %t, AllowPrivate: %t, Timeout: %s, Token: [redacted]}",
		redactedURL(c.BaseURL), c.AllowHTTP, c.AllowPrivate, c.Timeout)
}

// redactedURL drops all of a URL that may hold a credential.
func redactedURL(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return "[invalid URL]"
	}
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
}

// Client calls the API for one account. It is safe for concurrent use.
type Client struct {
	base      *url.URL // scheme, host, path that ends without a slash
	timeout   time.Duration
	userAgent string
	limiter   *Limiter
	observer  func(Observation)

	// authorize and scrub hold the token in a closure, so that no way of printing
	// a Client, or a struct that has one, can show it.
	authorize func(*http.Request)
	scrub     func(string) string

	kept  *http.Transport
	fresh *http.Transport
}

// New checks the configuration and makes a client. It does not call the API.
func New(cfg Config) (*Client, error) {
	base, err := parseBaseURL(cfg.BaseURL, cfg.AllowHTTP)
	if err != nil {
		return nil, err
	}
	if err := checkToken(cfg.Token); err != nil {
		return nil, err
	}
	if cfg.Timeout < 0 {
		return nil, fmt.Errorf("integrator: timeout %s is negative", cfg.Timeout)
	}
	kept, fresh := newTransports(cfg.RootCAs, reach{loopback: cfg.AllowHTTP, private: cfg.AllowPrivate})
	c := &Client{
		base:      base,
		timeout:   cfg.Timeout,
		userAgent: cfg.UserAgent,
		limiter:   cfg.Limiter,
		observer:  cfg.Observer,
		authorize: authorizer(cfg.Token),
		scrub:     scrubber(cfg.Token),
		kept:      kept,
		fresh:     fresh,
	}
	if c.timeout == 0 {
		c.timeout = DefaultTimeout
	}
	if c.userAgent == "" {
		c.userAgent = DefaultUserAgent
	}
	if c.limiter == nil {
		c.limiter = NewLimiter(0, 0, 0)
	}
	return c, nil
}

// Close closes the connections that are kept for later requests. Requests under way go on.
func (c *Client) Close() {
	c.kept.CloseIdleConnections()
	c.fresh.CloseIdleConnections()
}

// Format prints where the client calls, and nothing else, whatever the verb.
func (c *Client) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, c.String()) }

// String says where the client calls.
func (c *Client) String() string {
	if c == nil {
		return "integrator.Client(nil)"
	}
	return "integrator.Client(" + c.base.String() + ")"
}

// checkToken refuses what cannot stand in an Authorization header. Its errors do not repeat it.
func checkToken(token string) error {
	if token == "" {
		return fmt.Errorf("integrator: the token is empty")
	}
	for i := range len(token) {
		if token[i] <= ' ' || token[i] > '~' {
			return fmt.Errorf("integrator: the token holds a space, a line break or another character that a bearer token cannot have")
		}
	}
	return nil
}

func authorizer(token string) func(*http.Request) {
	value := "Bearer " + token
	return func(r *http.Request) { r.Header.Set("Authorization", value) }
}
