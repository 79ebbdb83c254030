// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package integrator

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
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
//
// With a proxy, https goes through it: the proxy gets a CONNECT with the host's name, and neither the
// token nor anything else of what is sent. The proxy resolves the name, so that the rules cannot be
// applied here; they do not apply to the proxy's own address, which whoever starts the program has
// chosen.
func newTransports(roots *x509.CertPool, rules addressRules, proxy *url.URL) (kept, fresh *http.Transport) {
	sessions := tls.NewLRUClientSessionCache(0) // so that a fresh connection needs no full handshake
	guarded := &net.Dialer{Timeout: dialTimeout, KeepAlive: 15 * time.Second, Control: rules.control}
	free := &net.Dialer{Timeout: dialTimeout, KeepAlive: 15 * time.Second}
	build := func() *http.Transport {
		protocols := new(http.Protocols)
		protocols.SetHTTP1(true)
		transport := &http.Transport{
			DialContext: guarded.DialContext,
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
		if proxy != nil {
			transport.Proxy = func(r *http.Request) (*url.URL, error) {
				if r.URL.Scheme != "https" {
					return nil, nil //nolint:nilnil // no proxy, as http.Transport has it
				}
				return proxy, nil
			}
			transport.OnProxyConnectResponse = func(_ context.Context, _ *url.URL, _ *http.Request, resp *http.Response) error {
				if resp.StatusCode != http.StatusOK {
					return &ProxyError{StatusCode: resp.StatusCode}
				}
				return nil
			}
			transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
				if address == proxyAddress(proxy) {
					return free.DialContext(ctx, network, address)
				}
				return guarded.DialContext(ctx, network, address)
			}
		}
		return transport
	}
	kept, fresh = build(), build()
	fresh.DisableKeepAlives = true
	return kept, fresh
}

// proxyAddress is the address that http.Transport asks for when it connects to the proxy.
func proxyAddress(proxy *url.URL) string {
	port := map[string]string{"http": "80", "https": "443"}[proxy.Scheme]
	return net.JoinHostPort(proxy.Hostname(), cmp.Or(proxy.Port(), port))
}

// ParseProxy reads the URL of a proxy. Its errors do not repeat the URL, which may have a password.
func ParseProxy(raw string) (*url.URL, error) {
	proxy, err := url.Parse(raw)
	switch {
	case err != nil || proxy.Opaque != "" || proxy.Scheme != "http" && proxy.Scheme != "https":
		return nil, errors.New("use a URL such as http://proxy.example.com:3128")
	case proxy.Hostname() == "":
		return nil, errors.New("it has no host")
	case proxy.Path != "" && proxy.Path != "/" || proxy.RawQuery != "" || proxy.ForceQuery || proxy.Fragment != "":
		return nil, errors.New("it must have neither a path nor a query nor a fragment")
	}
	return &url.URL{Scheme: proxy.Scheme, User: proxy.User, Host: proxy.Host}, nil
}

// ProxyError reports that the proxy refused to connect to the API. Nothing was sent to that.
type ProxyError struct {
	// StatusCode is the proxy's answer to CONNECT.
	StatusCode int
}

func (e *ProxyError) Error() string {
	return fmt.Sprintf("the proxy refuses to connect to the API (%d)", e.StatusCode)
}
