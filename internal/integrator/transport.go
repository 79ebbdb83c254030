// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package integrator

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"
)

func newTransport(roots *x509.CertPool) *http.Transport {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return &http.Transport{
		Proxy:                  nil,
		DialContext:            (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 15 * time.Second}).DialContext,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots},
		TLSHandshakeTimeout:    10 * time.Second,
		Protocols:              protocols,
		MaxIdleConnsPerHost:    DefaultMaxInFlight,
		IdleConnTimeout:        30 * time.Second,
		MaxResponseHeaderBytes: 256 << 10,
	}
}

// DefaultMaxInFlight is how many requests an account may have under way.
const DefaultMaxInFlight = 16

func cleanPath(u *url.URL, p string) bool {
	return u.RawPath == "" && (p == "" || path.Clean(p) == p && strings.HasPrefix(p, "/"))
}

func scrubber(token string) func(string) string {
	return func(s string) string { return strings.ReplaceAll(s, token, "[redacted]") }
}
