// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package integrator

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"time"

	"github.com/integrator-operator/integrator-operator/internal/integrator/limit"
)

const (
	dialTimeout    = 10 * time.Second
	maxHeaderBytes = 256 << 10
	// idleTimeout is below that of common load balancers (60 s), so that this side closes an idle
	// connection first: requests are then seldom sent on a connection that is already dead.
	idleTimeout = 30 * time.Second
)

// newTransports returns the two ways to the API.
//
// kept reuses connections, for GET, PUT, PATCH and DELETE: after a lost answer each of these can be
// checked or repeated. fresh opens a connection for every request, for POST (create, clone,
// invoke). A POST on a reused connection that the server has just closed would have an unknown
// outcome for no good reason. And net/http resends requests only when they fail on a reused
// connection (persistConn.shouldRetryRequest), so on a fresh one it cannot. Besides,
// [Client.request] leaves Request.GetBody nil, without which no body is sent twice.
//
// Both use HTTP/1.1 only. Under HTTP/2 many requests share a connection, so that "there was a
// connection" would say less, and the protocol has retries of its own. The limiter bounds the
// number of connections. Neither takes a proxy from the environment, and neither connects to an
// address that the rules forbid.
func newTransports(roots *x509.CertPool, rules addressRules) (kept, fresh *http.Transport) {
	sessions := tls.NewLRUClientSessionCache(0) // so that a fresh connection needs no full handshake
	build := func() *http.Transport {
		protocols := new(http.Protocols)
		protocols.SetHTTP1(true)
		return &http.Transport{
			DialContext: (&net.Dialer{Timeout: dialTimeout, KeepAlive: 15 * time.Second, Control: rules.control}).DialContext,
			TLSClientConfig: &tls.Config{
				MinVersion:         tls.VersionTLS12,
				RootCAs:            roots,
				ClientSessionCache: sessions,
			},
			TLSHandshakeTimeout:    dialTimeout,
			Protocols:              protocols,
			MaxIdleConnsPerHost:    limit.DefaultMaxInFlight,
			IdleConnTimeout:        idleTimeout,
			MaxResponseHeaderBytes: maxHeaderBytes,
		}
	}
	kept, fresh = build(), build()
	fresh.DisableKeepAlives = true
	return kept, fresh
}
