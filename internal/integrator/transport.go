// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package integrator

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/http/httpproxy"

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
// With a proxy, everything goes through it: the proxy gets a CONNECT with the host's name, and neither
// the token nor anything else of what is sent. The proxy resolves the name, so that the rules cannot be
// applied here; they do not apply to the proxy's own address, which whoever starts the program has
// chosen. With TLS, its certificate is one of proxyRoots: the roots may be those of one account alone.
func newTransports(roots *x509.CertPool, rules addressRules, proxy *url.URL, proxyRoots *x509.CertPool) (kept, fresh *http.Transport) {
	sessions := tls.NewLRUClientSessionCache(0) // so that a fresh connection needs no full handshake
	guarded := &net.Dialer{Timeout: dialTimeout, KeepAlive: 15 * time.Second, Control: rules.control}
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
			goThrough(transport, proxy, proxyRoots)
		}
		return transport
	}
	kept, fresh = build(), build()
	fresh.DisableKeepAlives = true
	return kept, fresh
}

// goThrough has all calls of a transport go through a proxy.
func goThrough(transport *http.Transport, proxy *url.URL, roots *x509.CertPool) {
	free := &net.Dialer{Timeout: dialTimeout, KeepAlive: 15 * time.Second}
	guarded := transport.DialContext
	transport.Proxy = http.ProxyURL(proxy)
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
		return guarded(ctx, network, address)
	}
	if proxy.Scheme == "https" {
		secure := &tls.Dialer{NetDialer: free, Config: &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots}}
		transport.DialTLSContext = func(ctx context.Context, network, address string) (net.Conn, error) {
			if address != proxyAddress(proxy) {
				return nil, ErrAddressNotAllowed // nothing but the proxy is connected to
			}
			return secure.DialContext(ctx, network, address)
		}
	}
}

// proxyFor returns the proxy that the API at base is called through, nil if it is called directly: with
// http, which would show the token to the proxy, and where noProxy names the host. It is decided once,
// because a client calls one host, so that what is called directly keeps to the rules of addresses.
func proxyFor(base, proxy *url.URL, noProxy string) (*url.URL, error) {
	if proxy == nil || base.Scheme != "https" {
		return nil, nil //nolint:nilnil // as in http.Transport, nil stands for no proxy
	}
	rules := httpproxy.Config{HTTPSProxy: proxy.String(), NoProxy: noProxy}
	through, err := rules.ProxyFunc()(base)
	if err != nil || through == nil {
		return nil, err
	}
	return proxy, nil
}

// CheckNoProxy says which of the hosts that are called without the proxy would never match. The form is
// that of golang.org/x/net/http/httpproxy, which passes over what it does not understand.
func CheckNoProxy(list string) error {
	for entry := range strings.SplitSeq(list, ",") {
		entry = strings.TrimSpace(entry)
		if entry == "" || entry == "*" {
			continue
		}
		if _, err := netip.ParsePrefix(entry); err == nil {
			continue
		}
		if _, err := netip.ParseAddr(strings.Trim(entry, "[]")); err == nil {
			continue
		}
		host := entry
		if name, port, err := net.SplitHostPort(entry); err == nil && !strings.Contains(port, "/") {
			if _, err := strconv.ParseUint(port, 10, 16); err != nil {
				return fmt.Errorf("the port of %q is not a number", drop(entry))
			}
			host = name
		}
		if _, err := netip.ParseAddr(host); err == nil {
			continue
		}
		if !hostName.MatchString(strings.ToLower(strings.TrimPrefix(strings.TrimPrefix(host, "*"), "."))) {
			return fmt.Errorf("%q is neither a host, a domain, an address nor a range such as 10.0.0.0/8; separate them by commas", drop(entry))
		}
	}
	return nil
}

// drop leaves out what may be a credential in a URL.
func drop(entry string) string {
	if at := strings.LastIndex(entry, "@"); at >= 0 {
		return "…" + entry[at:]
	}
	return entry
}

// maxCertificates bounds what is read as certificates, in bytes: twice what systems trust.
const maxCertificates = 512 << 10

// ParseCertificates reads a PEM file that has certificates and nothing else but text between them. A
// certificate that is skipped would be missed only when a call fails. Its errors repeat nothing of the
// content.
func ParseCertificates(content []byte) ([]*x509.Certificate, error) {
	if len(content) > maxCertificates {
		return nil, fmt.Errorf("is larger than %d KiB: leave out authorities that the API does not need", maxCertificates>>10)
	}
	content = bytes.TrimPrefix(content, []byte("\xef\xbb\xbf")) // a byte order mark would hide the first block
	begun := len(beginLine.FindAllIndex(content, -1))
	var certificates []*x509.Certificate
	for rest := content; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		number := len(certificates) + 1
		switch {
		case strings.HasSuffix(block.Type, "PRIVATE KEY"):
			return nil, fmt.Errorf("has a private key, as block %d: put certificates there alone", number)
		case block.Type != "CERTIFICATE":
			return nil, fmt.Errorf("has a block that is not a certificate, number %d: put certificates there alone", number)
		}
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("has a certificate that cannot be read, number %d: copy it again", number)
		}
		certificates = append(certificates, certificate)
	}
	switch _, err := x509.ParseCertificates(content); {
	case len(certificates) < begun:
		return nil, fmt.Errorf("%d of its %d blocks cannot be read: copy the certificates again, as a whole, with every BEGIN at the start of a line", begun-len(certificates), begun)
	case len(certificates) > 0:
		return certificates, nil
	case err == nil && len(content) > 0:
		return nil, errors.New("has a certificate in DER: convert it to PEM, as with openssl x509 -inform der")
	default:
		return nil, errors.New("has no certificate in PEM: put it there, from BEGIN CERTIFICATE to END CERTIFICATE")
	}
}

// beginLine begins a block of a PEM file.
var beginLine = regexp.MustCompile(`(?m)^[ \t]*-----BEGIN`)

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
