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
	"strings"
)

// failure is a cause in words of our own. The words of the standard library name local ports
// and the time of day, which makes equal failures look different, and quote what the server
// sent, which may be anything; the chain below stays for errors.Is and errors.As.
type failure struct {
	text string
	err  error
}

func (f *failure) Error() string { return f.text }
func (f *failure) Unwrap() error { return f.err }

// cause words an error of sending a request or reading its answer. When the context ended, that
// is the cause, whatever error it led to.
func (c *Client) cause(ctx context.Context, err error) error {
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return &failure{text: "the call was cancelled", err: context.Canceled}
	case ctx.Err() != nil:
		return &failure{text: "no complete answer in time", err: context.DeadlineExceeded}
	}
	if raw := err.Error(); c.scrub(raw) != raw {
		return &failure{text: c.clean(describe(err))} // the chain holds the token: drop it
	}
	return &failure{text: c.clean(describe(err)), err: err}
}

func describe(err error) string {
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
	if e, ok := errors.AsType[x509.CertificateInvalidError](err); ok && e.Reason == x509.Expired {
		return "the server's certificate has expired or is not yet valid"
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return "the server's certificate is signed by an unknown authority"
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

// innermost follows the chain to its end: for a network error that is the system's error.
func innermost(err error) error {
	for {
		next := errors.Unwrap(err)
		if next == nil {
			return err
		}
		err = next
	}
}
