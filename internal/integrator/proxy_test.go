// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package integrator

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

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

// selfSigned makes a certificate for example.com and this machine that nobody trusts, and the pool that does.
func selfSigned(t *testing.T) (certificate tls.Certificate, roots *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		DNSNames: []string{"example.com"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots = x509.NewCertPool()
	roots.AddCert(parsed)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, roots
}

// withCertificate starts a server with TLS.
func withCertificate(t *testing.T, certificate tls.Certificate, handler http.Handler) *httptest.Server {
	t.Helper()
	server := httptest.NewUnstartedServer(handler)
	server.Config.ErrorLog = quiet
	server.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
	server.StartTLS()
	t.Cleanup(server.Close)
	return server
}

// TestAccountCAs: what an account trusts takes the place of what the program trusts, for the API and not
// for the proxy.
func TestAccountCAs(t *testing.T) {
	apiCertificate, apiRoots := selfSigned(t)
	proxyCertificate, proxyRoots := selfSigned(t)
	api := withCertificate(t, apiCertificate, answer(http.StatusOK, `{"_userId":"u"}`))
	proxy := withCertificate(t, proxyCertificate, &connectProxy{server: api.Listener.Addr().String()})
	through, err := ParseProxy(proxy.URL)
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		reason         string
		roots, account *x509.CertPool
		proxy          *url.URL
		fails          string
	}{
		"Program":          {reason: "an account without its own", roots: apiRoots},
		"Account":          {reason: "an account with its own", account: apiRoots},
		"Replaced":         {reason: "the program's are not trusted besides", roots: apiRoots, account: proxyRoots, fails: "unknown authority"},
		"Proxy":            {reason: "each of the two for its own", roots: proxyRoots, account: apiRoots, proxy: through},
		"ProxyOfAccount":   {reason: "an account does not decide which proxy is trusted", roots: apiRoots, account: proxyRoots, proxy: through, fails: "the proxy's certificate"},
		"ReplacedAtProxy":  {reason: "beyond the proxy, the account's count", roots: proxyRoots, account: proxyRoots, proxy: through, fails: "unknown authority"},
		"ProgramsForBoth":  {reason: "an account without its own, beyond the proxy", roots: proxyRoots, proxy: through, fails: "unknown authority"},
		"NobodyInTheWorld": {reason: "the system trusts neither", fails: "unknown authority"},
	} {
		t.Run(name, func(t *testing.T) {
			base := api.URL
			if tc.proxy != nil {
				base = "https://example.com"
			}
			c := clientOf(t, base, func(c *Config) { c.RootCAs, c.AccountCAs, c.Proxy = tc.roots, tc.account, tc.proxy })
			for range 2 { // with a new connection, and with whatever was kept of it
				_, err := c.TokenInfo(t.Context())
				if tc.fails == "" && err != nil || tc.fails != "" && (err == nil || !strings.Contains(everyText(apiError(t, err)), tc.fails)) {
					t.Fatalf("%s: %v, want %q", tc.reason, err, tc.fails)
				}
			}
		})
	}
}

// TestTrustIsNotShared: a connection that one account has made with its own certificates serves no
// other account.
func TestTrustIsNotShared(t *testing.T) {
	certificate, roots := selfSigned(t)
	api := withCertificate(t, certificate, answer(http.StatusOK, `{"_userId":"u"}`))
	trusting := clientOf(t, api.URL, func(c *Config) { c.AccountCAs = roots })
	if _, err := trusting.TokenInfo(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, others := selfSigned(t)
	for name, pool := range map[string]*x509.CertPool{"none": nil, "others": others} {
		c := clientOf(t, api.URL, func(c *Config) { c.AccountCAs = pool })
		if _, err := c.TokenInfo(t.Context()); err == nil {
			t.Errorf("an account with %s is served", name)
		}
	}
	if _, err := trusting.TokenInfo(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestNoProxy: what the list names is called directly, and the rules of addresses hold for it.
func TestNoProxy(t *testing.T) {
	proxy := &connectProxy{}
	server := httptest.NewServer(proxy)
	t.Cleanup(server.Close)
	through, err := ParseProxy(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	certificate, roots := selfSigned(t)
	api := withCertificate(t, certificate, answer(http.StatusOK, `{"_userId":"u"}`))
	proxy.server = api.Listener.Addr().String()
	_, port, err := net.SplitHostPort(proxy.server)
	if err != nil {
		t.Fatal(err)
	}
	names := &nameServer{answer: netip.MustParseAddr("127.0.0.1")}
	names.install(t)
	call := func(change func(*Config)) error {
		c := clientOf(t, "https://example.com:"+port, func(c *Config) { c.RootCAs, c.Proxy, c.NoProxy = roots, through, "example.com" }, change)
		_, err := c.TokenInfo(t.Context())
		return err
	}
	if err := call(func(*Config) {}); err != nil || len(proxy.asked) != 0 || names.asked.Load() == 0 {
		t.Errorf("directly: %v; the proxy was asked for %v", err, proxy.asked)
	}
	if err := call(func(c *Config) { c.AllowHTTP = false }); !errors.Is(err, ErrAddressNotAllowed) || len(proxy.asked) != 0 {
		t.Errorf("directly, to this machine: %v; the proxy was asked for %v", err, proxy.asked)
	}
	// The proxy's own address is free for the proxy alone.
	if err := call(func(c *Config) {
		c.AllowHTTP, c.Proxy = false, &url.URL{Scheme: "http", Host: "example.com:" + port}
	}); !errors.Is(err, ErrAddressNotAllowed) {
		t.Errorf("directly, to the address of the proxy: %v", err)
	}
	if err := call(func(c *Config) { c.AllowHTTP, c.NoProxy = false, "other.example.com" }); err != nil {
		t.Errorf("through the proxy: %v", err)
	}
	if diff := cmp.Diff([]string{"CONNECT example.com:" + port + " "}, proxy.asked); diff != "" {
		t.Errorf("at the proxy (-want +got):\n%s", diff)
	}
}

// TestProxyFor: the list is read as golang.org/x/net/http/httpproxy reads it.
func TestProxyFor(t *testing.T) {
	t.Setenv("NO_PROXY", "*")
	t.Setenv("HTTPS_PROXY", "http://environment.example.com:3128")
	for _, tc := range []struct {
		reason, base, list string
		direct             bool
	}{
		{reason: "without a list", base: "https://api.integrator.io"},
		{reason: "a name", base: "https://gw.example.com", list: "gw.example.com", direct: true},
		{reason: "a name, and what is below it", base: "https://gw.example.com", list: "example.com", direct: true},
		{reason: "what is below alone", base: "https://gw.example.com", list: ".example.com", direct: true},
		{reason: "not the name itself", base: "https://example.com", list: ".example.com"},
		{reason: "as with a star", base: "https://gw.example.com", list: "*.example.com", direct: true},
		{reason: "another name that ends alike", base: "https://badexample.com", list: "example.com"},
		{reason: "names have no case", base: "https://GW.example.com", list: "gw.EXAMPLE.com", direct: true},
		{reason: "one of several", base: "https://gw.example.com", list: "a.example, gw.example.com ,b.example", direct: true},
		{reason: "with the port", base: "https://gw.example.com:8443", list: "gw.example.com:8443", direct: true},
		{reason: "with the port of https", base: "https://gw.example.com", list: "gw.example.com:443", direct: true},
		{reason: "with another port", base: "https://gw.example.com", list: "gw.example.com:8443"},
		{reason: "everything", base: "https://api.integrator.io", list: "*", direct: true},
		{reason: "an address", base: "https://[2600:1f18::1]:8443", list: "2600:1f18::1", direct: true},
		{reason: "a range", base: "https://10.1.2.3", list: "10.0.0.0/8", direct: true},
		{reason: "names are not resolved for it", base: "https://gw.example.com", list: "0.0.0.0/0"},
		{reason: "this machine, as httpproxy has it", base: "https://localhost:8443", direct: true},
		{reason: "this machine, as httpproxy has it", base: "https://[::1]:8443", direct: true},
		{reason: "http shows the token to the proxy", base: "http://gw.example.com:8080", direct: true},
	} {
		base, err := url.Parse(tc.base)
		if err != nil {
			t.Fatal(err)
		}
		proxy := &url.URL{Scheme: "http", User: url.UserPassword("u", "p"), Host: "proxy.example.com:3128"}
		got, err := proxyFor(base, proxy, tc.list)
		if err != nil || (got == nil) != tc.direct || got != nil && got != proxy {
			t.Errorf("%s: %s with %q: %v, %v", tc.reason, tc.base, tc.list, got, err)
		}
		if err := CheckNoProxy(tc.list); err != nil {
			t.Errorf("%s: %v", tc.reason, err)
		}
	}
	for list, want := range map[string]string{
		"https://gw.example.com":         "neither a host",
		"https://u:s3cret@gw.example":    "neither a host",
		"gw.example.com/path":            "neither a host",
		"10.0.0.0/33":                    "neither a host",
		"a.example b.example":            "neither a host",
		"a.example;b.example":            "neither a host",
		"gw.*.com":                       "neither a host",
		"10.0.0.":                        "neither a host",
		"gw.example.com:https":           "the port of",
		"a.example,gw.example.com:99999": "the port of",
	} {
		err := CheckNoProxy(list)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%q: %v, want %s", list, err, want)
		}
	}
}

func TestParseCertificates(t *testing.T) {
	certificate, _ := selfSigned(t)
	der := certificate.Certificate[0]
	block := func(kind string, content []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: content}))
	}
	good := block("CERTIFICATE", der)
	for name, tc := range map[string]struct {
		reason, content string
		count           int
		fails           string
	}{
		"One":            {reason: "the usual file", content: good, count: 1},
		"Two":            {reason: "a bundle, with text between", content: "# s3cret\n" + good + "\n# two\n" + good + "\n", count: 2},
		"Mark":           {reason: "a byte order mark would hide the first", content: "\xef\xbb\xbf" + good + good, count: 2},
		"CRLF":           {reason: "lines as Windows has them", content: strings.ReplaceAll(good, "\n", "\r\n"), count: 1},
		"Empty":          {reason: "never filled", fails: "has no certificate in PEM"},
		"Garbage":        {reason: "something else", content: "s3cret", fails: "has no certificate in PEM"},
		"DER":            {reason: "the other encoding", content: string(der), fails: "has a certificate in DER: convert it to PEM"},
		"Key":            {reason: "a private key does not belong there", content: good + block("PRIVATE KEY", []byte("s3cret")), fails: "has a private key, as block 2"},
		"ECKey":          {reason: "nor does another kind of it", content: block("EC PRIVATE KEY", []byte("s3cret")), fails: "has a private key, as block 1"},
		"EncryptedKey":   {reason: "nor one that is encrypted", content: block("ENCRYPTED PRIVATE KEY", []byte("s3cret")), fails: "has a private key, as block 1"},
		"Request":        {reason: "a request for a certificate is none", content: block("CERTIFICATE REQUEST", der), fails: "has a block that is not a certificate, number 1"},
		"SecretKind":     {reason: "the kind of a block may be anything", content: block("S3CRET s3cret", der), fails: "has a block that is not a certificate, number 1"},
		"Unreadable":     {reason: "a certificate that is none", content: good + block("CERTIFICATE", []byte("s3cret")), fails: "has a certificate that cannot be read, number 2"},
		"CutShort":       {reason: "the second one would be missed later", content: good + good[:len(good)/2], fails: "1 of its 2 blocks cannot be read"},
		"BrokenInside":   {reason: "the second of three would be missed too", content: good + strings.Replace(good, "-----END CERTIFICATE-----", "-----END", 1) + good, fails: "of its 3 blocks cannot be read"},
		"Indented":       {reason: "as pasted into YAML", content: good + strings.ReplaceAll(good, "-----BEGIN", "  -----BEGIN"), fails: "1 of its 2 blocks cannot be read"},
		"OneLine":        {reason: "line breaks got lost", content: strings.ReplaceAll(good, "\n", " "), fails: "1 of its 1 blocks cannot be read"},
		"AlmostTooLarge": {reason: "512 KiB", content: good + strings.Repeat("#", maxCertificates-len(good)), count: 1},
		"TooLarge":       {reason: "a byte more", content: good + strings.Repeat("#", maxCertificates-len(good)+1), fails: "is larger than 512 KiB"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := ParseCertificates([]byte(tc.content))
			if tc.fails != "" {
				if got != nil || err == nil || !strings.Contains(err.Error(), tc.fails) || strings.Contains(strings.ToLower(err.Error()), "s3cret") {
					t.Errorf("%s: %d certificates, %v, want %q", tc.reason, len(got), err, tc.fails)
				}
				return
			}
			if err != nil || len(got) != tc.count || !bytes.Equal(got[len(got)-1].Raw, der) {
				t.Errorf("%s: %d certificates, %v, want %d", tc.reason, len(got), err, tc.count)
			}
		})
	}
}

// FuzzParseCertificates: either every block of the text is trusted, or none; and an error is one of a few
// texts, which have nothing of the content.
func FuzzParseCertificates(f *testing.F) {
	texts := regexp.MustCompile(`^(is larger than 512 KiB: .*|has a private key, as block \d+: put certificates there alone|` +
		`has a block that is not a certificate, number \d+: put certificates there alone|has a certificate that cannot be read, number \d+: copy it again|` +
		`\d+ of its \d+ blocks cannot be read: copy the certificates again, as a whole, with every BEGIN at the start of a line|` +
		`has a certificate in DER: convert it to PEM, as with openssl x509 -inform der|has no certificate in PEM: put it there, from BEGIN CERTIFICATE to END CERTIFICATE)$`)
	f.Fuzz(func(t *testing.T, content []byte) {
		certificates, err := ParseCertificates(content)
		switch {
		case err != nil && (certificates != nil || !texts.MatchString(err.Error())):
			t.Errorf("%d certificates, %v", len(certificates), err)
		case err == nil && len(certificates) != strings.Count("\n"+strings.TrimPrefix(string(content), "\xef\xbb\xbf"), "\n-----BEGIN"):
			t.Errorf("%d certificates in %q", len(certificates), content)
		}
	})
}

// FuzzBaseURL: whatever is accepted has a plain host, and nothing that another parser may read otherwise.
func FuzzBaseURL(f *testing.F) {
	plain := regexp.MustCompile(`^https://[a-z0-9.-]+(:[1-9][0-9]{0,4})?(/[A-Za-z0-9._~-]+)*$`)
	f.Fuzz(func(t *testing.T, raw string) {
		base, err := parseBaseURL(raw, false)
		if (err == nil) != (len(BaseURLFaults(raw, false)) == 0) {
			t.Fatalf("%q: %v, and the faults are %q", raw, err, BaseURLFaults(raw, false))
		}
		if err != nil {
			return
		}
		if !plain.MatchString(base.String()) || strings.Contains(base.Path+"/", "/.") || !strings.EqualFold(strings.TrimSuffix(raw, "/"), base.String()) {
			t.Errorf("%q is used as %q", raw, base)
		}
		if again, err := parseBaseURL(base.String(), false); err != nil || *again != *base {
			t.Errorf("%q is then %v, %v", base, again, err)
		}
	})
}
