// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package integrator

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/integrator-operator/integrator-operator/internal/integrator/jsonscan"
	"github.com/integrator-operator/integrator-operator/internal/integrator/limit"
)

var (
	// ErrTooLarge reports that an answer was longer than the client reads: more than 16 MiB after
	// decompression, or more than 250,000 values in one document.
	ErrTooLarge = jsonscan.ErrTooLarge
	// ErrInvalidArgument reports that the client rejected the arguments; nothing was sent.
	ErrInvalidArgument = errors.New("invalid argument")
	// ErrBusy is the cause of the client's own 429 when other calls take all places of the account.
	ErrBusy = limit.ErrBusy
	// ErrUnanswered is the cause of a call that was not made, or that had no answer, while the API is taken
	// for unreachable.
	ErrUnanswered = limit.ErrUnanswered
)

const (
	maxErrorBody    = 64 << 10 // read of the body of an error, in bytes
	maxDetails      = 20       // of one answer
	maxDetailsShown = 3        // in APIError.Error
	maxErrorText    = 1024     // of APIError.Error, in bytes

	maxRetryAfter = time.Hour
	// defaultPause follows a 429 that does not say how long to wait.
	defaultPause = time.Second
)

// ErrorDetail is one error in the API's words. Each string is one line of at most 512 bytes.
type ErrorDetail struct {
	Code    string // such as "missing_required_field"; a number becomes text
	Message string
	Field   string // path in the document, "" when the API names none
	Source  string
}

// String returns code, field and message in one line.
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

// APIError is the error of every call of this package that does not succeed.
//
//   - StatusCode 0: no answer. Err is the cause: [ErrInvalidArgument], context.Canceled,
//     context.DeadlineExceeded or a network error; also [ErrUnanswered] when so many calls in a row had
//     no answer that no other is made. Then, without Sent, nothing was sent.
//   - StatusCode 2xx with Err: see NotUnderstood.
//   - StatusCode 2xx without Err: an invocation that failed as a whole; Errors says why.
//   - StatusCode 429 without Sent: the client's own answer. The account is paused or, with
//     [ErrBusy], other calls take all its places. Nothing was sent.
//   - any other: the answer of the API. Redirects are not followed, so 3xx is one of these.
type APIError struct {
	// Op is method and route, such as "POST /v1/imports/{id}/invoke"; it never contains an id.
	Op string
	// StatusCode is the HTTP status, 0 when there was no answer (network, timeout, cancelled).
	StatusCode int
	// Errors is what the body of the answer names, at most 20; empty when it was not understood.
	Errors []ErrorDetail
	// RetryAfter is how long to wait according to the Retry-After header, at most one hour; 0
	// without the header. For status 429 it is never 0: without the header it is 1 s.
	RetryAfter time.Duration
	// Sent is false only when it is certain that not one byte of the request was written,
	// because there was no connection for it.
	Sent bool
	// Err is the cause when there is no answer, or when it was not understood.
	Err error
}

// Error returns the call, the status, and the first errors that the API named. It contains no id,
// address, time or other text that differs between two equal failures.
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

// Unwrap returns the cause.
func (e *APIError) Unwrap() error { return e.Err }

// NotUnderstood reports whether the answer is a success whose status or body the client does not
// understand: truncated, too long, not JSON, another document than the requested one. The request
// was most likely applied.
func (e *APIError) NotUnderstood() bool {
	return e.StatusCode >= 200 && e.StatusCode < 300 && e.Err != nil
}

// StatusCode returns the HTTP status of the *APIError in err's chain, 0 when there is none.
func StatusCode(err error) int {
	if e, ok := errors.AsType[*APIError](err); ok {
		return e.StatusCode
	}
	return 0
}

// errorDetails reads the body of an error: {"errors": [...]}, the bare {"message": "..."} of a 401,
// and similar forms. It returns nil for anything else (HTML, nothing, half a document).
func (c *Client) errorDetails(body []byte) []ErrorDetail {
	body = jsonscan.Trim(body)
	if !json.Valid(body) {
		return nil
	}
	if body[0] != '{' {
		return c.detailList(body)
	}
	var nested json.RawMessage
	_ = jsonscan.Fields(body, func(name []byte, value json.RawMessage) error {
		if key := string(name); key == "errors" || key == "error" && nested == nil {
			nested = value
		}
		return nil
	})
	if details := c.detailList(nested); details != nil {
		return details
	}
	return c.detailList(body)
}

// detailList reads the details of an array, or of a single element.
func (c *Client) detailList(raw json.RawMessage) []ErrorDetail {
	var details []ErrorDetail
	add := func(element json.RawMessage) error {
		if d := c.detail(element); d != (ErrorDetail{}) {
			details = append(details, d)
		}
		if len(details) == maxDetails {
			return jsonscan.ErrStop
		}
		return nil
	}
	if len(raw) > 0 && raw[0] == '[' {
		_ = jsonscan.Elements(raw, add)
	} else {
		_ = add(raw)
	}
	return details
}

// detail reads one detail; it is empty when raw has another form.
func (c *Client) detail(raw json.RawMessage) ErrorDetail {
	var d ErrorDetail
	if len(raw) == 0 {
		return d
	}
	if raw[0] == '"' {
		d.Message = c.redact(jsonscan.Text(raw))
	}
	if raw[0] != '{' {
		return d
	}
	_ = jsonscan.Fields(raw, func(name []byte, value json.RawMessage) error {
		switch string(name) {
		case "code":
			d.Code = c.redact(jsonscan.Text(value))
		case "message":
			d.Message = c.redact(jsonscan.Text(value))
		case "field":
			d.Field = c.redact(jsonscan.Text(value))
		case "source":
			d.Source = c.redact(jsonscan.Text(value))
		}
		return nil
	})
	return d
}

// retryAfter reads the Retry-After header (RFC 9110, 10.2.3): seconds, or a date. The date is
// compared with the answer's own Date, so that a wrong clock on either side does no harm. It
// returns 0 when the header is absent, in the past or malformed.
func retryAfter(h http.Header, now time.Time) time.Duration {
	value := strings.TrimSpace(h.Get("Retry-After"))
	if value == "" {
		return 0
	}
	if strings.Trim(value, "0123456789") == "" {
		seconds, err := strconv.ParseInt(value, 10, 64)
		if err != nil || seconds > int64(maxRetryAfter/time.Second) { // err: it does not fit in 64 bits
			return maxRetryAfter
		}
		return time.Duration(seconds) * time.Second
	}
	at, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	if date, err := http.ParseTime(h.Get("Date")); err == nil {
		now = date
	}
	return min(max(0, at.Sub(now)), maxRetryAfter)
}
