// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package integrator

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

// endpoint is one call of the API: method, route, and how it has to be sent.
type endpoint struct {
	method string
	route  string // template, "{id}" stands for the id
	accept []int  // the statuses of success
	fresh  bool   // on a connection of its own
	invoke bool   // bounded by the caller's deadline alone, and by the limiter's share for invocations
	// patience is how long a pause of the account may be that the call waits out.
	patience time.Duration
}

func (e endpoint) op() string { return e.method + " " + e.route }

var (
	tokenInfo         = endpoint{method: http.MethodGet, route: "/v1/tokenInfo", accept: []int{200}}
	listImports       = endpoint{method: http.MethodGet, route: "/v1/imports", accept: []int{200, 204}, patience: placeWait}
	createImport      = endpoint{method: http.MethodPost, route: "/v1/imports", accept: []int{200, 201}, fresh: true}
	getImport         = endpoint{method: http.MethodGet, route: "/v1/imports/{id}", accept: []int{200}}
	putImport         = endpoint{method: http.MethodPut, route: "/v1/imports/{id}", accept: []int{200}}
	patchImport       = endpoint{method: http.MethodPatch, route: "/v1/imports/{id}", accept: []int{200, 204}}
	deleteImport      = endpoint{method: http.MethodDelete, route: "/v1/imports/{id}", accept: []int{200, 204}}
	cloneImport       = endpoint{method: http.MethodPost, route: "/v1/imports/{id}/clone", accept: []int{200, 201}, fresh: true}
	listAudit         = endpoint{method: http.MethodGet, route: "/v1/imports/{id}/audit", accept: []int{200, 204}, patience: placeWait}
	invokeImport      = endpoint{method: http.MethodPost, route: "/v1/imports/{id}/invoke", accept: []int{200}, fresh: true, invoke: true}
	replaceConnection = endpoint{method: http.MethodPut, route: "/v1/imports/{id}/replaceConnection", accept: []int{200, 204}}
	dependencies      = endpoint{method: http.MethodGet, route: "/v1/imports/{id}/dependencies", accept: []int{200, 204}}
)

// maxDrain is how much of a body nobody wants is read so that its connection can be used again.
const maxDrain = 64 << 10

// readFunc reads the body of a successful answer.
type readFunc func(resp *http.Response, body io.Reader) error

// ignoreBody takes any body but a web page: whoever stands in between says 200 with one, and
// knows nothing of the call.
func ignoreBody(resp *http.Response, _ io.Reader) error {
	if media, _, err := mime.ParseMediaType(resp.Header.Get("Content-Type")); err == nil && media == "text/html" {
		return errors.New("the body is a web page")
	}
	return nil
}

// invalid is the error of a call that is refused before anything is sent. The format must not
// quote what the caller gave: it may be a payload.
func invalid(e endpoint, format string, args ...any) error {
	return &APIError{Op: e.op(), Err: fmt.Errorf("%w: "+format, append([]any{ErrInvalidArgument}, args...)...)}
}

// target gives the URL of an endpoint. An id goes into the path only if it is plain.
func (c *Client) target(e endpoint, id string) (*url.URL, error) {
	route := e.route
	if strings.Contains(route, "{id}") {
		if !plainID(id) {
			return nil, invalid(e, "the id must be letters, digits, \"-\" and \"_\", at most 64")
		}
		route = strings.Replace(route, "{id}", id, 1)
	}
	return &url.URL{Scheme: c.base.Scheme, Host: c.base.Host, Path: c.base.Path + route}, nil
}

// plainID accepts what can stand in a path without escaping. The API's ids are 24 hex digits.
func plainID(id string) bool {
	if id == "" || len(id) > 64 {
		return false
	}
	for i := range len(id) {
		switch b := id[i]; {
		case 'a' <= b && b <= 'z', 'A' <= b && b <= 'Z', '0' <= b && b <= '9', b == '-', b == '_':
		default:
			return false
		}
	}
	return true
}

// call sends one request to an endpoint of one import (or of none).
func (c *Client) call(ctx context.Context, e endpoint, id string, body []byte, read readFunc) error {
	u, err := c.target(e, id)
	if err != nil {
		return err
	}
	return c.do(ctx, e, u, body, read)
}

// do is a permission of the limiter and one request under it.
func (c *Client) do(ctx context.Context, e endpoint, u *url.URL, body []byte, read readFunc) error {
	release, err := c.permit(ctx, e)
	if err != nil {
		return err
	}
	defer release()
	return c.exchange(ctx, e, u, body, read)
}

// permit waits for the limiter. What it answers is a call that was not sent.
func (c *Client) permit(ctx context.Context, e endpoint) (release func(), err error) {
	release, err = c.limiter.acquire(ctx, e.invoke, e.patience)
	if paused, ok := errors.AsType[*pausedError](err); ok {
		return nil, &APIError{Op: e.op(), StatusCode: http.StatusTooManyRequests, RetryAfter: paused.rest, Err: paused.why}
	} else if err != nil {
		text := "the call was cancelled before it was sent"
		if errors.Is(err, context.DeadlineExceeded) {
			text = "the deadline left no room within the account's request limits"
		}
		return nil, &APIError{Op: e.op(), Err: &failure{text: text, err: err}}
	}
	return release, nil
}

// exchange is the one way out: one request and its answer. It never sends twice.
func (c *Client) exchange(ctx context.Context, e endpoint, u *url.URL, body []byte, read readFunc) error {
	start := time.Now()
	status, failed := c.send(ctx, e, u, body, read)
	if c.observer != nil {
		c.observer(Observation{Method: e.method, Route: e.route, StatusCode: status, Duration: time.Since(start)})
	}
	if failed != nil {
		return failed
	}
	return nil
}

// send does one exchange on the wire.
func (c *Client) send(ctx context.Context, e endpoint, u *url.URL, body []byte, read readFunc) (int, *APIError) {
	if !e.invoke {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, c.timeout)
		defer cancel()
	}

	// The transport writes to a connection only after it has reported it here. Once it has, a
	// part of the request may have left, whatever comes of it.
	var connected atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(httptrace.GotConnInfo) { connected.Store(true) },
	})
	req, err := c.request(ctx, e, u, body)
	if err != nil {
		return 0, &APIError{Op: e.op(), Err: c.cause(ctx, err)}
	}
	// RoundTrip and not http.Client: no redirect, no cookie, no error text with the URL in it.
	transport := c.kept
	if e.fresh {
		transport = c.fresh
	}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return 0, &APIError{Op: e.op(), Sent: connected.Load(), Err: c.cause(ctx, err)}
	}
	defer func() { _ = resp.Body.Close() }()
	failed := c.answer(ctx, e, resp, read)
	if failed == nil && !e.fresh {
		_, _ = io.CopyN(io.Discard, resp.Body, maxDrain)
	}
	return resp.StatusCode, failed
}

func (c *Client) request(ctx context.Context, e endpoint, u *url.URL, body []byte) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, e.method, u.String(), nil)
	if err != nil {
		return nil, err
	}
	if body != nil {
		// Not by NewRequest: that sets GetBody, with which the transport can send a body again.
		req.Body = io.NopCloser(bytes.NewReader(body))
		req.ContentLength = int64(len(body))
		req.Header.Set("Content-Type", "application/json")
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", c.userAgent)
	c.authorize(req)
	return req, nil
}

// answer turns a response into the result or an error.
func (c *Client) answer(ctx context.Context, e endpoint, resp *http.Response, read readFunc) *APIError {
	failed := &APIError{
		Op:         e.op(),
		StatusCode: resp.StatusCode,
		RetryAfter: retryAfter(resp.Header, time.Now()),
		Sent:       true,
	}
	if resp.StatusCode == http.StatusTooManyRequests {
		if failed.RetryAfter == 0 {
			failed.RetryAfter = defaultPause
		}
		c.limiter.pause(failed.RetryAfter) // before the body, which may be slow
	}
	if resp.StatusCode == http.StatusSwitchingProtocols {
		return failed // what follows is no body: no context would end the reading of it
	}
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		// What could be read of the body counts: the status is known already.
		body, _ := io.ReadAll(io.LimitReader(resp.Body, maxErrorBody))
		failed.Errors = c.errorDetails(body)
		return failed
	}
	if !slices.Contains(e.accept, resp.StatusCode) {
		failed.Err = errors.New("this status is not one of the call's")
		return failed
	}
	body := &limitedBody{r: resp.Body, left: maxBody}
	err := read(resp, body)
	if broken := body.broken(); broken != nil && err != nil {
		err = broken
	} else if whole, ok := errors.AsType[*refusal](err); ok {
		failed.Errors = whole.details
		return failed
	} else if err != nil {
		ctx = context.WithoutCancel(ctx) // the body was read: its content is the cause
	}
	if err != nil {
		failed.Err = c.cause(ctx, err)
		return failed
	}
	return nil
}

// refusal is the whole-request failure that comes with status 200.
type refusal struct{ details []ErrorDetail }

func (r *refusal) Error() string { return "the request was refused as a whole" }
