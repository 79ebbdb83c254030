// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package integrator

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"time"
)

const (
	dialTimeout    = 10 * time.Second
	maxHeaderBytes = 256 << 10
	// idleTimeout is below that of common load balancers (60 s), so that it is this side
	// that closes a connection nobody uses: a request is then seldom sent into a dead one.
	idleTimeout = 30 * time.Second
)

// newTransports makes the two ways to the API.
//
// kept reuses connections; GET, PUT, PATCH and DELETE go there: each can be looked at or done
// again after a lost answer. (A GET that met a dead connection net/http itself sends again on
// another, and a DELETE of which not a byte was written.) fresh opens a connection for every request; POST (create, clone,
// invoke) goes there. A POST into a connection that the server has just closed would have an
// unknown outcome for no good reason, and net/http resends requests only when they met a used
// connection (persistConn.shouldRetryRequest), so on a fresh one it cannot. The request path
// also leaves Request.GetBody nil, without which no body is ever sent a second time.
//
// Both speak HTTP/1.1 only: under HTTP/2 many requests share a connection, there "a connection
// was obtained" would say less, and the protocol has resends of its own. The limiter bounds the
// number of connections. Neither takes a proxy from the environment, and neither connects to an
// address out of reach.
func newTransports(roots *x509.CertPool, r reach) (kept, fresh *http.Transport) {
	sessions := tls.NewLRUClientSessionCache(0) // a fresh connection resumes instead of a full handshake
	build := func() *http.Transport {
		protocols := new(http.Protocols)
		protocols.SetHTTP1(true)
		return &http.Transport{
			DialContext: (&net.Dialer{Timeout: dialTimeout, KeepAlive: 15 * time.Second, Control: r.control}).DialContext,
			TLSClientConfig: &tls.Config{
				MinVersion:         tls.VersionTLS12,
				RootCAs:            roots,
				ClientSessionCache: sessions,
			},
			TLSHandshakeTimeout:    dialTimeout,
			Protocols:              protocols,
			MaxIdleConnsPerHost:    DefaultMaxInFlight,
			IdleConnTimeout:        idleTimeout,
			MaxResponseHeaderBytes: maxHeaderBytes,
		}
	}
	kept, fresh = build(), build()
	fresh.DisableKeepAlives = true
	return kept, fresh
}
