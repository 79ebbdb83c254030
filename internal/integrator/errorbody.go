// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package integrator

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// maxErrorBody is how much of an error's body is read, in bytes.
const maxErrorBody = 64 << 10

// maxRetryAfter bounds what a Retry-After header can ask for.
const maxRetryAfter = time.Hour

// errorDetails understands the bodies that errors of the API come with: {"errors": [...]}, the
// bare {"message": "..."} of a 401, and near forms of the two. Anything else (HTML, nothing,
// half a document) gives nil: the status speaks for itself.
func (c *Client) errorDetails(body []byte) []ErrorDetail {
	body = trimJSON(body)
	if !json.Valid(body) {
		return nil
	}
	if body[0] != '{' {
		return c.detailList(body)
	}
	var nested json.RawMessage
	_ = objectFields(body, func(name []byte, value json.RawMessage) error {
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

// detailList reads the details of an array, or of one element that stands alone.
func (c *Client) detailList(raw json.RawMessage) []ErrorDetail {
	var details []ErrorDetail
	add := func(element json.RawMessage) error {
		if d := c.detail(element); d != (ErrorDetail{}) {
			details = append(details, d)
		}
		if len(details) == maxDetails {
			return errStop
		}
		return nil
	}
	if len(raw) > 0 && raw[0] == '[' {
		_ = arrayElements(raw, add)
	} else {
		_ = add(raw)
	}
	return details
}

func (c *Client) detail(raw json.RawMessage) ErrorDetail {
	var d ErrorDetail
	if len(raw) == 0 {
		return d
	}
	if raw[0] == '"' {
		d.Message = c.clean(text(raw))
	}
	if raw[0] != '{' {
		return d
	}
	_ = objectFields(raw, func(name []byte, value json.RawMessage) error {
		switch string(name) {
		case "code":
			d.Code = c.clean(text(value))
		case "message":
			d.Message = c.clean(text(value))
		case "field":
			d.Field = c.clean(text(value))
		case "source":
			d.Source = c.clean(text(value))
		}
		return nil
	})
	return d
}

// retryAfter reads the Retry-After header (RFC 9110, 10.2.3): seconds, or a date, which counts
// from the answer's own Date so that a wrong clock on either side does no harm. It is 0 when the
// header is absent, past or not understood.
func retryAfter(h http.Header, now time.Time) time.Duration {
	value := strings.TrimSpace(h.Get("Retry-After"))
	if value == "" {
		return 0
	}
	if strings.Trim(value, "0123456789") == "" {
		seconds, err := strconv.ParseInt(value, 10, 64)
		if err != nil || seconds > int64(maxRetryAfter/time.Second) { // err: more than 64 bits hold
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
