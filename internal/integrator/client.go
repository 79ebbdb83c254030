// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package integrator is a client of the integrator.io REST API for imports.
//
// Documents stay raw JSON, so that nothing of an answer is lost. Every error of a call is an
// [*APIError]: it has the status, the API's own words, and whether the request may have been sent.
// outcome.go holds the one table of what statuses mean.
//
// # Retries
//
// The client never retries a call, with one exception: a page of a list that is answered with 429
// is requested again after the pause, five times in all. A retry is the caller's decision, by
// [OutcomeOf]: only after OutcomeNotApplied may the same call be sent again without a check.
//
// net/http must not retry either. It resends a request that failed on a reused connection when
// its method is GET, or when the body can be rewound. Therefore POST (create, clone, invoke)
// always gets a new connection, no request has GetBody or an Idempotency-Key, and redirects are
// not followed. What remains: net/http may resend a GET, and a DELETE before its first byte was
// written.
//
// A 429 pauses the account's [limit.Limiter], and with it all clients of the account. Until the
// pause is over, calls fail at once with a 429 of the client's own that has Sent false. Lists
// wait for short pauses, invocations do not. Then one request goes first, and the others follow.
//
// # Packages below
//
// limit keeps the account within its request limits. jsonscan reads JSON within bounds.
package integrator

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"time"

	"github.com/integrator-operator/integrator-operator/internal/integrator/limit"
)

// DefaultBaseURL is the API's server in the US region.
const DefaultBaseURL = "https://api.integrator.io"

// DefaultTimeout bounds one request (headers and body) when Config.Timeout is not set.
const DefaultTimeout = 30 * time.Second

// userAgent is the User-Agent header of every request.
const userAgent = "integrator-operator"

// apiPrefix is the path under the base URL that all endpoints share.
const apiPrefix = "/v1"

// Config names the account that a client calls, and how. Printing a Config never shows the token.
type Config struct {
	// BaseURL has scheme, host and, if the API is behind a gateway, a path; without "/v1". The
	// host is a name, and must resolve to public addresses.
	BaseURL string
	// Token is the bearer token of the account.
	Token string
	// Limiter is shared by all clients of one account. With nil the client gets its own with the
	// default limits.
	Limiter *limit.Limiter
	// AllowHTTP permits a BaseURL without TLS and loopback addresses; for tests and demos on one
	// machine.
	AllowHTTP bool
	// AllowPrivate permits addresses of private networks, where a gateway may be.
	AllowPrivate bool
	// Timeout bounds one request, headers and body, from the moment the limiter permits it. It
	// does not apply to invocations: only the context bounds these. 0 means DefaultTimeout.
	Timeout time.Duration
	// Observer, when set, is called once for each HTTP request that was tried.
	Observer func(Observation)
	// RootCAs, when set, replaces the system's certificate authorities.
	RootCAs *x509.CertPool
	// AccountCAs, when set, replaces RootCAs for the API of this account, and not for the proxy.
	AccountCAs *x509.CertPool
	// Proxy, when set, is what https goes through: see [ParseProxy]. It has to make sure itself that
	// the host's name does not lead to where it must not.
	Proxy *url.URL
	// NoProxy names the hosts that are called without the proxy: see [CheckNoProxy].
	NoProxy string
	// NAT64 are the prefixes of the network's own for addresses that contain an IPv4 address: see
	// [ParseNAT64].
	NAT64 []netip.Prefix
	// ReadOnly refuses every call that is not a GET, before it is sent.
	ReadOnly bool
}

// Observation describes one request for metrics.
type Observation struct {
	// Method is the HTTP method.
	Method string
	// Route is the path as a template, such as "/v1/imports/{id}"; it never contains an id.
	Route string
	// StatusCode is the status of the answer, 0 when there was no answer.
	StatusCode int
	// Duration is the time from the limiter's permission to the end of the body.
	Duration time.Duration
	// Pause is how long the API asks not to be called, with status 429.
	Pause time.Duration
	// Unknown: the request writes, and it is unknown whether it was applied.
	Unknown bool
}

// Format prints the configuration without the token, whatever the verb.
func (c Config) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, c.String()) }

// String describes the configuration without the token.
func (c Config) String() string {
	return fmt.Sprintf("integrator.Config{BaseURL: %q, AllowHTTP: %t, AllowPrivate: %t, Timeout: %s, Token: [redacted]}",
		redactedURL(c.BaseURL), c.AllowHTTP, c.AllowPrivate, c.Timeout)
}

// redactedURL drops every part of a URL that may contain a credential.
func redactedURL(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return "[invalid URL]"
	}
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
}

// Client calls the API for one account. It is safe for concurrent use.
type Client struct {
	base     *url.URL // scheme, host, path without a slash at its end
	timeout  time.Duration
	readOnly bool
	limiter  *limit.Limiter
	observer func(Observation)

	// Keys are derived from the token.
	Keys Keys

	// authorize, maskToken and the Keys hold the token in a closure, so that printing a Client, or a
	// struct that contains one, never shows it.
	authorize func(*http.Request)
	maskToken func(string) string

	kept  *http.Transport // reuses connections
	fresh *http.Transport // opens a connection for every request
}

// New checks the configuration and returns a client. It does not call the API.
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
	proxy, err := proxyFor(base, cfg.Proxy, cfg.NoProxy)
	if err != nil {
		return nil, fmt.Errorf("integrator: the proxy cannot be used: %w", err)
	}
	rules := addressRules{loopback: cfg.AllowHTTP, private: cfg.AllowPrivate, nat64: cfg.NAT64}
	kept, fresh := newTransports(cmp.Or(cfg.AccountCAs, cfg.RootCAs), rules, proxy, cfg.RootCAs)
	c := &Client{
		base:      base,
		timeout:   cfg.Timeout,
		readOnly:  cfg.ReadOnly,
		limiter:   cfg.Limiter,
		observer:  cfg.Observer,
		authorize: authorizer(cfg.Token),
		maskToken: tokenMasker(cfg.Token),
		Keys:      keysOf(cfg.Token),
		kept:      kept,
		fresh:     fresh,
	}
	if c.timeout == 0 {
		c.timeout = DefaultTimeout
	}
	if c.limiter == nil {
		c.limiter = limit.New(0, 0, 0)
	}
	return c, nil
}

// WithObserver returns a client of the same account that shares everything with c, its connections
// too, except who observes its requests.
func (c *Client) WithObserver(observer func(Observation)) *Client {
	observed := *c
	observed.observer = observer
	return &observed
}

// Close closes the idle connections, also those of the clients that share them. Requests in flight continue.
func (c *Client) Close() {
	c.kept.CloseIdleConnections()
	c.fresh.CloseIdleConnections()
}

// Format prints the base URL and nothing else, whatever the verb.
func (c *Client) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, c.String()) }

// String returns the base URL.
func (c *Client) String() string {
	if c == nil {
		return "integrator.Client(nil)"
	}
	return "integrator.Client(" + c.base.String() + ")"
}

// Keys are keys that are derived from a token. They do not reveal it, or each other.
type Keys struct{ derive func(purpose string) []byte }

func keysOf(token string) Keys {
	return Keys{func(purpose string) []byte {
		mac := hmac.New(sha256.New, []byte(token))
		_, _ = io.WriteString(mac, purpose)
		return mac.Sum(nil)
	}}
}

// Hash makes a hash for a purpose that reveals nothing of what it is of, also if that can be guessed.
// keyID names its key: with another token it is another one.
func (k Keys) Hash(purpose string) (keyed hash.Hash, keyID string) {
	const idBytes = 4
	return hmac.New(sha256.New, k.derive("hash "+purpose)), hex.EncodeToString(k.derive("id " + purpose)[:idBytes])
}

// checkToken rejects a token that an Authorization header cannot contain. Its errors do not repeat
// the token.
func checkToken(token string) error {
	if token == "" {
		return fmt.Errorf("integrator: the token is empty")
	}
	for i := range len(token) {
		if token[i] <= ' ' || token[i] > '~' {
			return fmt.Errorf("integrator: the token contains a space, a line break or another character that a bearer token cannot have")
		}
	}
	return nil
}

func authorizer(token string) func(*http.Request) {
	value := "Bearer " + token
	return func(r *http.Request) { r.Header.Set("Authorization", value) }
}
