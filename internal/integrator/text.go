// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package integrator

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/textproto"
	"net/url"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/integrator-operator/integrator-operator/internal/integrator/jsonscan"
)

// This file makes text that comes from outside (answers, network errors) fit for logs and
// conditions: without the token, in one line, and bounded.

const (
	maxText      = 512 // of a string that an answer contains, in bytes
	maxShortText = 64  // of a string that is a date, a type or an id, in bytes
)

// tokenMasker returns a function that replaces the token in a text, in every form in which an
// answer may echo it. Only the closure holds the token.
func tokenMasker(token string) func(string) string {
	quoted := strconv.Quote(token)
	const mask = "[redacted]"
	return strings.NewReplacer(
		token, mask,
		quoted[1:len(quoted)-1], mask,
		url.QueryEscape(token), mask,
		url.PathEscape(token), mask,
	).Replace
}

// redact makes text of an answer fit for an error: without the token, then as sanitize does.
func (c *Client) redact(s string) string { return sanitize(c.maskToken(cut(s, maxErrorBody))) }

// sanitize returns one line of at most maxText bytes.
func sanitize(s string) string { return cut(strings.TrimSpace(OneLine(cut(s, maxErrorBody))), maxText) }

// shortText returns the text of a JSON string that is a date, a type or an id, in one line of at
// most maxShortText bytes; "" for anything else.
func shortText(raw json.RawMessage) string {
	return cut(sanitize(jsonscan.String(raw)), maxShortText)
}

// OneLine makes text fit for one line of a log or a condition: it is valid UTF-8, with spaces in
// place of control characters and invisible formatting characters.
func OneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
}

// cut shortens s to at most n bytes, between characters. An ellipsis shows that it did.
func cut(s string, n int) string {
	const ellipsis = "…"
	if len(s) <= n {
		return s
	}
	end := n - len(ellipsis)
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + ellipsis
}

// describedError replaces the text of an error by one of ours. Texts of the standard library
// contain local ports and the time of day, which makes equal failures look different, and quote
// what the server sent, which may be anything. The chain stays for errors.Is and errors.As.
type describedError struct {
	text string
	err  error
}

func (e *describedError) Error() string { return e.text }
func (e *describedError) Unwrap() error { return e.err }

// describe replaces the text of an error of sending a request or reading its answer. When the
// context has ended, that is the cause, whatever the error is.
func (c *Client) describe(ctx context.Context, err error) error {
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return &describedError{text: "the call was cancelled", err: context.Canceled}
	case ctx.Err() != nil:
		return &describedError{text: "no complete answer in time", err: context.DeadlineExceeded}
	}
	described := &describedError{text: c.redact(errorText(err))}
	if raw := err.Error(); c.maskToken(raw) == raw { // otherwise the chain contains the token
		described.err = err
	}
	return described
}

// errorText describes an error without addresses, times and quotes of the answer.
func errorText(err error) string {
	if e, ok := errors.AsType[*ProxyError](err); ok {
		return e.Error()
	}
	if e, ok := errors.AsType[*net.DNSError](err); ok {
		switch {
		case e.IsNotFound:
			return "look up " + e.Name + ": no such host"
		case e.IsTimeout:
			return "look up " + e.Name + ": no answer in time"
		}
		return "look up " + e.Name + ": the name server failed"
	}
	if errors.Is(err, ErrAddressNotAllowed) {
		return ErrAddressNotAllowed.Error()
	}
	if e, ok := errors.AsType[*LinkError](err); ok {
		return e.Error()
	}
	whose := "the server's"
	if e, ok := errors.AsType[*net.OpError](err); ok && e.Op == "proxyconnect" {
		whose = "the proxy's"
	}
	if e, ok := errors.AsType[x509.CertificateInvalidError](err); ok && e.Reason == x509.Expired {
		return whose + " certificate has expired or is not yet valid"
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return whose + " certificate is signed by an unknown authority"
	}
	if e, ok := errors.AsType[*net.OpError](err); ok {
		if e.Timeout() {
			return e.Op + ": no answer in time"
		}
		return e.Op + ": " + innermost(e.Err).Error()
	}
	if _, ok := errors.AsType[textproto.ProtocolError](err); ok {
		return "malformed header in the answer"
	}
	if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return "the answer has a value of the wrong type at " + e.Field
	}
	if e, ok := errors.AsType[*json.SyntaxError](err); ok {
		return "the answer is not JSON: " + e.Error()
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return "the connection or the answer ended too early"
	}
	text, _, _ := strings.Cut(err.Error(), `"`) // what follows is quoted from the answer
	return strings.TrimSpace(text)
}

// innermost returns the last error of the chain: of a network error, that of the operating system.
func innermost(err error) error {
	for {
		next := errors.Unwrap(err)
		if next == nil {
			return err
		}
		err = next
	}
}
