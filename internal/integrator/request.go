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

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/integrator-operator/integrator-operator/internal/integrator/jsonscan"
	"github.com/integrator-operator/integrator-operator/internal/integrator/limit"
)

// endpoint is one call of the API: its method, its route, and how it is sent.
type endpoint struct {
	method string
	route  string // template, "{id}" stands for the import's id
	accept []int  // the statuses of success
	fresh  bool   // on a new connection
	check  bool   // shows whether the API can be reached
	invoke bool   // bounded by the caller's context alone, and by the limiter's share for invocations
	// maxWait is the longest pause of the account that the call waits for.
	maxWait time.Duration
	// page is the URL of a list's page, instead of the route's own; further, that it is not the first.
	page    *url.URL
	further bool
	// pages, if any, counts the pages of a list.
	pages *int
}

func (e endpoint) op() string { return e.method + " " + e.route }

var (
	tokenInfo         = endpoint{method: http.MethodGet, route: "/v1/tokenInfo", accept: []int{200}, check: true}
	listImports       = endpoint{method: http.MethodGet, route: "/v1/imports", accept: []int{200, 204}, maxWait: limit.PlaceWait}
	createImport      = endpoint{method: http.MethodPost, route: "/v1/imports", accept: []int{200, 201}, fresh: true}
	getImport         = endpoint{method: http.MethodGet, route: "/v1/imports/{id}", accept: []int{200}}
	putImport         = endpoint{method: http.MethodPut, route: "/v1/imports/{id}", accept: []int{200}}
	patchImport       = endpoint{method: http.MethodPatch, route: "/v1/imports/{id}", accept: []int{200, 204}}
	deleteImport      = endpoint{method: http.MethodDelete, route: "/v1/imports/{id}", accept: []int{200, 204}}
	cloneImport       = endpoint{method: http.MethodPost, route: "/v1/imports/{id}/clone", accept: []int{200, 201}, fresh: true}
	listAudit         = endpoint{method: http.MethodGet, route: "/v1/imports/{id}/audit", accept: []int{200, 204}, maxWait: limit.PlaceWait}
	invokeImport      = endpoint{method: http.MethodPost, route: "/v1/imports/{id}/invoke", accept: []int{200}, fresh: true, invoke: true}
	replaceConnection = endpoint{method: http.MethodPut, route: "/v1/imports/{id}/replaceConnection", accept: []int{200, 204}}
	dependencies      = endpoint{method: http.MethodGet, route: "/v1/imports/{id}/dependencies", accept: []int{200, 204}}
)

// maxDrain is how much of an unread body is read so that its connection can be reused, in bytes.
const maxDrain = 64 << 10

// readFunc reads the body of a successful answer.
type readFunc func(resp *http.Response, body io.Reader) error

// rejectWebPage is the readFunc of calls whose body does not matter. A web page with status 200
// comes from a proxy in between that did not forward the call.
func rejectWebPage(resp *http.Response, _ io.Reader) error {
	if media, _, err := mime.ParseMediaType(resp.Header.Get("Content-Type")); err == nil && media == "text/html" {
		return errors.New("the body is a web page")
	}
	return nil
}

// invalidArgument is the error of a call that is rejected before anything is sent. The format must
// not quote what the caller gave: it may be a payload.
func invalidArgument(e endpoint, format string, args ...any) error {
	return &APIError{Op: e.op(), Err: fmt.Errorf("%w: "+format, append([]any{ErrInvalidArgument}, args...)...)}
}

// target returns the URL of an endpoint. An id goes into the path only if it needs no escaping.
func (c *Client) target(e endpoint, id string) (*url.URL, error) {
	if e.page != nil {
		return e.page, nil
	}
	route := e.route
	if strings.Contains(route, "{id}") {
		if !validID(id) {
			return nil, invalidArgument(e, "the id must be letters, digits, \"-\" and \"_\", at most 64")
		}
		route = strings.Replace(route, "{id}", id, 1)
	}
	return &url.URL{Scheme: c.base.Scheme, Host: c.base.Host, Path: c.base.Path + route}, nil
}

// validID reports whether an id can be part of a path without escaping. The API's ids are 24 hex
// digits.
func validID(id string) bool {
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

// call waits for the limiter and sends one request to an endpoint: of the import with this id, or
// of none.
func (c *Client) call(ctx context.Context, e endpoint, id string, body []byte, read readFunc) error {
	target, err := c.target(e, id)
	if err != nil {
		return err
	}
	release, err := c.acquire(ctx, e)
	if err != nil {
		return err
	}
	defer release()
	return c.report(ctx, e, c.send(ctx, e, target, body, read))
}

// acquire waits for the limiter. Its error is that of a call that was not sent.
func (c *Client) acquire(ctx context.Context, e endpoint) (release func(), err error) {
	release, err = c.limiter.Acquire(ctx, limit.Request{Invocation: e.invoke, Check: e.check, MaxWait: e.maxWait, Further: e.further})
	if rejected, ok := errors.AsType[*limit.RejectedError](err); ok {
		return nil, rejectedCall(e, rejected)
	} else if err != nil {
		text := "the call was cancelled before it was sent"
		if errors.Is(err, context.DeadlineExceeded) {
			text = "the deadline left no room within the account's request limits"
		}
		return nil, &APIError{Op: e.op(), Err: &describedError{text: text, err: err}}
	}
	return release, nil
}

// ErrReadOnly is the error of a call that writes, from a client that only reads. Nothing was sent.
var ErrReadOnly = errors.New("this client makes no call that writes")

// rejectedCall is the error of a call that the limiter rejects.
func rejectedCall(e endpoint, rejected *limit.RejectedError) *APIError {
	failed := &APIError{Op: e.op(), RetryAfter: rejected.RetryAfter, Err: rejected.Cause}
	if !errors.Is(rejected, ErrUnanswered) {
		failed.StatusCode = http.StatusTooManyRequests
	}
	return failed
}

// TakePermit takes a permit for an object that is about to make calls with a client: see [limit.Permits.Take].
// Its error is a [*limit.QueuedError], or that of a call that was not sent.
func TakePermit(c *Client, permits *limit.Permits, object limit.Object, class limit.Class, weight int) (*limit.Permit, error) {
	permit, err := permits.Take(c.limiter, object, class, weight)
	if rejected, ok := errors.AsType[*limit.RejectedError](err); ok {
		return nil, rejectedCall(getImport, rejected)
	}
	return permit, err
}

// report tells the limiter whether a call had an answer. Where it had none, and the API is taken for
// unreachable, the error is one of ErrUnanswered.
func (c *Client) report(ctx context.Context, e endpoint, err error) error {
	api, ok := errors.AsType[*APIError](err)
	switch {
	case !ok || api.StatusCode != 0 && !api.timedOut():
		c.limiter.Report(true)
	case errors.Is(api.Err, ErrInvalidArgument), errors.Is(api.Err, ErrAddressNotAllowed), errors.Is(ctx.Err(), context.Canceled):
	case e.invoke && api.Sent: // it may be at work for minutes
	case c.limiter.Report(false):
		api.Err = &describedError{text: fmt.Sprint(api.Err), err: errors.Join(ErrUnanswered, api.Err)}
	}
	return err
}

// timedOut reports whether the answer had begun, and did not end in time.
func (e *APIError) timedOut() bool { return errors.Is(e.Err, context.DeadlineExceeded) }

// send is the only place that sends: one request, never a retry. The caller has the limiter's
// permission.
func (c *Client) send(ctx context.Context, e endpoint, target *url.URL, body []byte, read readFunc) (err error) {
	if c.readOnly && e.method != http.MethodGet {
		return &APIError{Op: e.op(), Err: ErrReadOnly}
	}
	status := 0
	ctx, span := tracer.Start(ctx, e.op(), trace.WithSpanKind(trace.SpanKindClient))
	defer func() { endSpan(span, e, status, err) }()
	if c.observer != nil {
		start := time.Now()
		defer func() {
			c.observer(observation(e, status, time.Since(start), err))
		}()
	}
	if !e.invoke {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, c.timeout)
		defer cancel()
	}

	// The transport reports a connection here before it writes to it. From then on a part of the
	// request may have been sent, whatever happens later.
	var connected atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(httptrace.GotConnInfo) { connected.Store(true) },
	})
	req, err := c.request(ctx, e, target, body)
	if err != nil {
		return &APIError{Op: e.op(), Err: c.describe(ctx, err)}
	}
	// RoundTrip instead of http.Client: no redirects, no cookies, no URL in the errors.
	transport := c.kept
	if e.fresh {
		transport = c.fresh
	}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return &APIError{Op: e.op(), Sent: connected.Load(), Err: c.describe(ctx, err)}
	}
	defer func() { _ = resp.Body.Close() }()
	status = resp.StatusCode
	if failed := c.answer(ctx, e, resp, read); failed != nil {
		return failed
	}
	if !e.fresh {
		_, _ = io.CopyN(io.Discard, resp.Body, maxDrain)
	}
	return nil
}

// tracer does nothing unless traces are set up.
var tracer = otel.Tracer("integrator-operator")

// endSpan ends the span of a request. What the API answered is not in it.
func endSpan(span trace.Span, e endpoint, status int, err error) {
	if span.IsRecording() {
		span.SetAttributes(attribute.String("http.request.method", e.method), attribute.String("http.route", e.route))
		if status != 0 {
			span.SetAttributes(attribute.Int("http.response.status_code", status))
		}
		if err != nil {
			span.SetStatus(codes.Error, "")
		}
	}
	span.End()
}

// observation describes a request that ended with err.
func observation(e endpoint, status int, took time.Duration, err error) Observation {
	o := Observation{Method: e.method, Route: e.route, StatusCode: status, Duration: took}
	if status == http.StatusTooManyRequests {
		o.Pause = Error(err).RetryAfter
	}
	switch e.method {
	case http.MethodGet:
	case http.MethodDelete:
		// Some statuses say of a deletion alone what it did.
		o.Unknown = OutcomeOf(err) == OutcomeUnknown && DeletionOutcomeOf(err) == OutcomeUnknown
	default:
		o.Unknown = OutcomeOf(err) == OutcomeUnknown
	}
	return o
}

// request builds the HTTP request, such that net/http cannot send its body twice.
func (c *Client) request(ctx context.Context, e endpoint, target *url.URL, body []byte) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, e.method, target.String(), nil)
	if err != nil {
		return nil, err
	}
	if body != nil {
		// Not by NewRequest: it sets GetBody, with which the transport can send a body again.
		req.Body = io.NopCloser(bytes.NewReader(body))
		req.ContentLength = int64(len(body))
		req.Header.Set("Content-Type", "application/json")
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", userAgent)
	c.authorize(req)
	return req, nil
}

// answer reads a response. It returns nil when the call succeeded.
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
		c.limiter.Pause(failed.RetryAfter) // before the body, which may be slow
	}
	if resp.StatusCode == http.StatusSwitchingProtocols {
		return failed // what follows is not a body, and no context would end the reading of it
	}
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		// A body that cannot be read to its end is no error of its own: the status is known.
		body, _ := io.ReadAll(io.LimitReader(resp.Body, maxErrorBody))
		failed.Errors = c.errorDetails(body)
		return failed
	}
	if !slices.Contains(e.accept, resp.StatusCode) {
		failed.Err = errors.New("this call is not documented to answer with this status")
		return failed
	}
	return c.readBody(ctx, resp, read, failed)
}

// readBody reads the body of a successful answer. It returns failed, with what went wrong, or nil.
func (c *Client) readBody(ctx context.Context, resp *http.Response, read readFunc, failed *APIError) *APIError {
	body := jsonscan.NewBody(resp.Body)
	err := read(resp, body)
	if err == nil {
		return nil
	}
	if broken := body.Err(); broken != nil {
		failed.Err = c.describe(ctx, broken)
		return failed
	}
	if whole, ok := errors.AsType[*invocationError](err); ok {
		failed.Errors = whole.details
		return failed
	}
	// The body was read to its end: its content is the cause, even if ctx has ended since.
	failed.Err = c.describe(context.WithoutCancel(ctx), err)
	return failed
}
