// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package integrator

import (
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// connectProxy is a proxy that connects to one server, whatever is asked for, or refuses.
type connectProxy struct {
	server  string
	refuses int

	mu    sync.Mutex
	asked []string // what is connected to, and the credentials
}

func (p *connectProxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	p.asked = append(p.asked, r.Method+" "+r.Host+" "+r.Header.Get("Proxy-Authorization"))
	if r.Header.Get("Authorization") != "" {
		p.asked = append(p.asked, "the token")
	}
	p.mu.Unlock()
	if p.refuses != 0 {
		w.WriteHeader(p.refuses)
		return
	}
	server, err := net.Dial("tcp", p.server)
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	defer func() { _ = server.Close() }()
	w.WriteHeader(http.StatusOK)
	client, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer func() { _ = client.Close() }()
	go func() { _, _ = io.Copy(server, buffered) }()
	_, _ = io.Copy(client, server)
}

// proxied starts a gateway with TLS, named example.com, and a proxy to it. The client is as it is
// shipped: neither http nor private addresses are allowed.
func proxied(t *testing.T, proxy *connectProxy, secure bool, credentials *url.Userinfo) (c *Client, arrived func() []string) {
	t.Helper()
	var mu sync.Mutex
	var calls []string
	gateway := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		calls = append(calls, r.Method+" "+r.Host+r.URL.Path+" "+r.Header.Get("Authorization"))
		mu.Unlock()
		answer(http.StatusOK, `{"_id":"`+testID+`"}`)(w, r)
	}))
	t.Cleanup(gateway.Close)
	proxy.server = gateway.Listener.Addr().String()
	server := httptest.NewUnstartedServer(proxy)
	server.Config.ErrorLog = quiet
	roots := x509.NewCertPool()
	roots.AddCert(gateway.Certificate())
	if secure {
		server.StartTLS()
		roots.AddCert(server.Certificate())
	} else {
		server.Start()
	}
	t.Cleanup(server.Close)
	through, err := ParseProxy(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	through.User = credentials
	c, err = New(Config{BaseURL: "https://example.com/celigo", Token: testToken, RootCAs: roots, Proxy: through})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c, func() []string {
		mu.Lock()
		defer mu.Unlock()
		return calls
	}
}

// TestProxy: the proxy learns the name of the host, and the gateway gets the calls.
func TestProxy(t *testing.T) {
	for name, secure := range map[string]bool{"plain": false, "with TLS": true} {
		t.Run(name, func(t *testing.T) {
			proxy := &connectProxy{}
			c, arrived := proxied(t, proxy, secure, url.UserPassword("operator", "s3cret"))
			if _, err := c.GetImport(t.Context(), testID); err != nil {
				t.Fatal(err)
			}
			if _, err := c.CreateImport(t.Context(), json.RawMessage(`{}`)); err != nil {
				t.Fatal(err)
			}
			want := []string{"GET example.com/celigo/v1/imports/" + testID + " Bearer " + testToken, "POST example.com/celigo/v1/imports Bearer " + testToken}
			if diff := cmp.Diff(want, arrived()); diff != "" {
				t.Errorf("at the gateway (-want +got):\n%s", diff)
			}
			connect := "CONNECT example.com:443 Basic b3BlcmF0b3I6czNjcmV0"
			if diff := cmp.Diff([]string{connect, connect}, proxy.asked); diff != "" {
				t.Errorf("at the proxy (-want +got):\n%s", diff)
			}
		})
	}
}

// TestProxyFails: nothing was sent to the API, and the error says that it is the proxy.
func TestProxyFails(t *testing.T) {
	for status, want := range map[int]string{
		http.StatusProxyAuthRequired: "the proxy refuses to connect to the API (407)",
		http.StatusForbidden:         "the proxy refuses to connect to the API (403)",
		http.StatusBadGateway:        "the proxy refuses to connect to the API (502)",
	} {
		c, arrived := proxied(t, &connectProxy{refuses: status}, false, url.UserPassword("operator", "s3cret"))
		for op, call := range calls(c) {
			e := apiError(t, call(t.Context()))
			if refused, ok := errors.AsType[*ProxyError](e.Err); !ok || refused.StatusCode != status || e.StatusCode != 0 || e.Sent || !strings.Contains(e.Error(), want) {
				t.Errorf("%s: %+v, want %s", op, e, want)
			}
			if strings.Contains(everyText(e), "s3cret") {
				t.Errorf("%s: the proxy's password is repeated: %s", op, everyText(e))
			}
		}
		if got := arrived(); len(got) != 0 {
			t.Errorf("the gateway got %v", got)
		}
	}
	nobody, err := ParseProxy("http://127.0.0.1:1")
	if err != nil {
		t.Fatal(err)
	}
	c, err := New(Config{BaseURL: DefaultBaseURL, Token: testToken, Proxy: nobody})
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.TokenInfo(t.Context())
	if e := apiError(t, err); e.Sent || !strings.Contains(e.Error(), "proxyconnect: connection refused") {
		t.Errorf("nobody listens: %v", err)
	}
}

// TestProxyIsForTLS: a call without TLS would show the token to the proxy, and does not go there. The
// rules of addresses hold for it as before.
func TestProxyIsForTLS(t *testing.T) {
	proxy := &connectProxy{}
	server := httptest.NewServer(proxy)
	t.Cleanup(server.Close)
	through, err := ParseProxy(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	_, api := serve(t, answer(http.StatusOK, `{"_userId":"u"}`))
	c := clientOf(t, api.URL, func(c *Config) { c.Proxy = through })
	if _, err := c.TokenInfo(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := c.kept.DialContext(t.Context(), "tcp", "10.0.0.1:443"); !errors.Is(err, ErrAddressNotAllowed) {
		t.Errorf("another address than the proxy's: %v", err)
	}
	if len(proxy.asked) != 0 {
		t.Errorf("the proxy was asked for %v", proxy.asked)
	}
}

func TestParseProxy(t *testing.T) {
	for raw, want := range map[string]string{
		"http://proxy.example.com:3128":      "proxy.example.com:3128",
		"http://proxy.example.com/":          "proxy.example.com:80",
		"https://u:s3cret@proxy.example.com": "proxy.example.com:443",
		"http://10.0.0.7:3128":               "10.0.0.7:3128",
		"http://[fd00::7]:3128":              "[fd00::7]:3128",
		"proxy.example.com:3128":             "",
		"socks5://proxy.example.com":         "",
		"http://":                            "",
		"http://:3128":                       "",
		"http://u:s3cret@":                   "",
		"http://proxy.example.com/path":      "",
		"http://proxy.example.com?a=s3cret":  "",
		"http://proxy.example.com#s3cret":    "",
		"http://u:s3cret@proxy:port":         "",
		"":                                   "",
	} {
		proxy, err := ParseProxy(raw)
		switch {
		case err != nil && want != "" || err == nil && want == "":
			t.Errorf("%q: %v, %v", raw, proxy, err)
		case err != nil && strings.Contains(err.Error(), "s3cret"):
			t.Errorf("%q: %v", raw, err)
		case err == nil && proxyAddress(proxy) != want:
			t.Errorf("%q is at %s, want %s", raw, proxyAddress(proxy), want)
		}
	}
}
