// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package problem

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"syscall"

	"github.com/integrator-operator/integrator-operator/internal/integrator"
)

const untrusted = "the server's certificate is not trusted: if it is of an authority of your own, put that into what spec.caBundleRef of the Account names, or, without spec.caBundleRef, start the operator with --ca-file"

// NetworkCause says why there was no answer, without addresses or ports, which differ from call
// to call.
func NetworkCause(err error) string {
	if refused, ok := errors.AsType[*integrator.ProxyError](err); ok {
		return refused.Error()
	}
	if operation, ok := errors.AsType[*net.OpError](err); ok && operation.Op == "proxyconnect" {
		cause := NetworkCause(operation.Err)
		if cause == untrusted { // Accounts have no say in that
			cause = "its certificate is not trusted: if it is of an authority of your own, start the operator with --ca-file"
		}
		return "the proxy (--https-proxy) cannot be reached: " + cause
	}
	if errors.Is(err, integrator.ErrPrivateAddress) {
		return "the host's address is one of a private network: if that is your own, start the operator with --allow-private-addresses"
	}
	if errors.Is(err, integrator.ErrAddressNotAllowed) {
		return "the host's address is not one that may be called: it is one of the machine itself, or a link-local or reserved one"
	}
	if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() || errors.Is(err, context.DeadlineExceeded) {
		return "no answer in time"
	}
	if _, ok := errors.AsType[*net.DNSError](err); ok {
		return "the host name is not known"
	}
	if _, ok := errors.AsType[x509.HostnameError](err); ok { // within the error of the verification
		return "the server's certificate is for another host"
	}
	if invalid, ok := errors.AsType[x509.CertificateInvalidError](err); ok && invalid.Reason == x509.Expired {
		return "the server's certificate, or one that it depends on, has expired or is not valid yet"
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return untrusted
	}
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return "the connection is refused"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "the connection broke"
	case errors.Is(err, context.Canceled):
		return "the call was canceled"
	case errors.Is(err, integrator.ErrUnanswered):
		return "several calls in a row had no answer"
	default:
		return "no answer from the API"
	}
}
