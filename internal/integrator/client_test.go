// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package integrator

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestNew(t *testing.T) {
	tests := []struct {
		baseURL string
		http    bool
		want    string // base URL in use, "" = refused
	}{
		{baseURL: "https://api.integrator.io", want: "https://api.integrator.io"},
		{baseURL: "https://api.eu.integrator.io/", want: "https://api.eu.integrator.io"},
		{baseURL: "https://gw.test/celigo/", want: "https://gw.test/celigo"},
		{baseURL: "https://gw.test/v1/celigo-2.0/~api_/", want: "https://gw.test/v1/celigo-2.0/~api_"},
		{baseURL: "https://gw.test:8443", want: "https://gw.test:8443"},
		{baseURL: "HTTPS://GW.Test:8443/Celigo", want: "https://gw.test:8443/Celigo"},
		{baseURL: "http://[::1]:8080", http: true, want: "http://[::1]:8080"},
		{baseURL: "https://[::1]:8443", http: true, want: "https://[::1]:8443"},
		{baseURL: "http://127.0.0.1:8080", http: true, want: "http://127.0.0.1:8080"},
		{baseURL: "http://api.integrator.io"},
		{baseURL: ""},
		{baseURL: "api.integrator.io"},
		{baseURL: "//api.integrator.io"},
		{baseURL: "ftp://api.integrator.io", http: true},
		{baseURL: "https:api.integrator.io"},
		{baseURL: "https://"},
		{baseURL: "https://:443"},
		{baseURL: "https://api.integrator.io/v1"},
		{baseURL: "https://api.integrator.io/v1/"},
		{baseURL: "https://u@api.integrator.io"},
		{baseURL: "https://u:p@api.integrator.io"},
		{baseURL: "https://api.integrator.io?x=1"},
		{baseURL: "https://api.integrator.io?"},
		{baseURL: "https://api.integrator.io#x"},
		{baseURL: "https://api.integrator.io#"},
		{baseURL: "https://gw.test/celigo/v1"},
		{baseURL: "https://gw.test/celigo/v1/"},
		{baseURL: "https://gw.test//"},
		{baseURL: "https://gw.test/celigo//"},
		{baseURL: "https://gw.test//celigo"},
		{baseURL: "https://gw.test/."},
		{baseURL: "https://gw.test/.."},
		{baseURL: "https://gw.test/celigo/.."},
		{baseURL: "https://gw.test/%2e%2e/celigo"},
		{baseURL: "https://gw.test/celigo%2e"},
		{baseURL: "https://gw.test/%63eligo"},
		{baseURL: "https://gw.test/celigo%00"},
		{baseURL: "https://gw.test/celigo%"},
		{baseURL: "https://gw.test/celigo;x"},
		{baseURL: "https://gw.test/celigo@evil.test"},
		{baseURL: "https://gw.test/celigo:x"},
		{baseURL: "https://gw.test/cel igo"},
		{baseURL: "https://gw.test/cel\tigo"},
		{baseURL: "https://gw.test/celigo\n"},
		{baseURL: `https://gw.test/celigo\..`},
		{baseURL: "https://gw.test/céligo"},
		{baseURL: "https://gw.test/celigo?x=1"},
		{baseURL: "https://gw.test/celigo?"},
		{baseURL: "https://gw.test/celigo#x"},
		{baseURL: "https://gw.test/celigo#"},
		{baseURL: "https://u:p@gw.test/celigo"},
		{baseURL: "https://api.integrator.io/a/../b"},
		{baseURL: "https://api.integrator.io/a//b"},
		{baseURL: "https://api.integrator.io/a%2fb"},
		{baseURL: "https://api.integrator.io:port"},
		{baseURL: "https://api integrator.io"},
		{baseURL: "https://api.integrator.io\n"},
	}
	for _, tc := range tests {
		c, err := New(Config{BaseURL: tc.baseURL, Token: "t", AllowHTTP: tc.http})
		switch {
		case tc.want == "" && err == nil:
			t.Errorf("%q was accepted as %s", tc.baseURL, c)
		case tc.want != "" && err != nil:
			t.Errorf("%q: %v", tc.baseURL, err)
		case tc.want != "" && c.base.String() != tc.want:
			t.Errorf("%q became %s, want %s", tc.baseURL, c.base, tc.want)
		}
	}
	for name, cfg := range map[string]Config{
		"no token":         {BaseURL: DefaultBaseURL},
		"line break":       {BaseURL: DefaultBaseURL, Token: "t\n"},
		"negative timeout": {BaseURL: DefaultBaseURL, Token: "t", Timeout: -1},
	} {
		if _, err := New(cfg); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// TestHeaders checks the headers of every request.
func TestHeaders(t *testing.T) {
	var got http.Header
	c, _ := serve(t, func(_ http.ResponseWriter, r *http.Request) { got = r.Header })
	for op, call := range calls(c) {
		got = nil
		_ = call(t.Context())
		if got.Get("Authorization") != "Bearer "+testToken || got.Get("User-Agent") != "integrator-operator" || got.Get("Accept") != "application/json" {
			t.Errorf("%s: %v", op, got)
		}
	}
}

// TestNoAmbientProxy: a proxy of HTTP_PROXY and similar variables would get the token. net/http reads
// them once per process and never uses them for loopback, so the test checks the setting itself.
func TestNoAmbientProxy(t *testing.T) {
	c := clientOf(t, "http://api.test")
	if c.kept.Proxy != nil || c.fresh.Proxy != nil {
		t.Error("a transport has a proxy")
	}
}

// TestObserver: one observation per request on the wire, and none without.
func TestObserver(t *testing.T) {
	var got []Observation
	observe := func(cfg *Config) {
		cfg.Observer = func(o Observation) {
			if o.Duration <= 0 {
				t.Errorf("%s %s took %s", o.Method, o.Route, o.Duration)
			}
			o.Duration = 0
			got = append(got, o)
		}
	}
	status := 200
	_, srv := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v1/imports" && r.URL.RawQuery == "limit=100" {
			w.Header().Set("Link", "<?skip=1>; rel=next")
		}
		body := "[]"
		if strings.HasSuffix(r.URL.Path, testID) {
			body = `{"_id":"` + testID + `"}`
		}
		answer(status, body)(w, r)
	})
	c := clientOf(t, srv.URL, observe)
	check := func(what string, want ...Observation) {
		t.Helper()
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", what, diff)
		}
		got = nil
	}

	var ours []Observation
	shared := c.WithObserver(func(o Observation) { ours = append(ours, o) })
	if _, err := shared.GetImport(t.Context(), testID); err != nil || len(ours) != 1 || shared.kept != c.kept || shared.limiter != c.limiter {
		t.Errorf("a client with another observer: %v, %v", err, ours)
	}
	check("of a client that shares all but the observer")
	_, _ = c.GetImport(t.Context(), testID)
	check("get", Observation{Method: "GET", Route: "/v1/imports/{id}", StatusCode: 200})
	_, _ = listed(c, t, ListOptions{})
	check("two pages",
		Observation{Method: "GET", Route: "/v1/imports", StatusCode: 200}, Observation{Method: "GET", Route: "/v1/imports", StatusCode: 200})
	_, _ = c.TokenInfo(t.Context())
	check("not understood", Observation{Method: "GET", Route: "/v1/tokenInfo", StatusCode: 200})
	_, _ = c.GetImport(t.Context(), "..")
	check("rejected before any call")
	status = 429
	_ = c.DeleteImport(t.Context(), testID)
	check("throttled", Observation{Method: "DELETE", Route: "/v1/imports/{id}", StatusCode: 429, Pause: defaultPause})
	_ = c.DeleteImport(t.Context(), testID)
	check("paused")
	srv.Close()
	c = clientOf(t, srv.URL, observe)
	_ = c.DeleteImport(t.Context(), testID)
	check("no answer", Observation{Method: "DELETE", Route: "/v1/imports/{id}"})
}

func TestClose(t *testing.T) {
	remotes := map[string]bool{}
	c, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		remotes[r.RemoteAddr] = true
		answer(200, `{"_userId":"u"}`)(w, r)
	})
	for range 2 {
		if _, err := c.TokenInfo(t.Context()); err != nil {
			t.Fatal(err)
		}
		c.Close()
	}
	if len(remotes) != 2 {
		t.Errorf("%d connections, want one before Close and one after", len(remotes))
	}
}

func TestDefaultTimeout(t *testing.T) {
	if c := clientOf(t, "http://api.test"); c.timeout != 30*time.Second {
		t.Errorf("the default timeout is %s", c.timeout)
	}
}

// Nobody without the token can compute the hash, and it says nothing of the token.
func TestKeyedHash(t *testing.T) {
	sum := func(token, purpose, text string) (string, string) {
		c, err := New(Config{BaseURL: "https://api.integrator.io", Token: token})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(c.Close)
		keyed, id := c.Keys.Hash(purpose)
		_, _ = keyed.Write([]byte(text))
		return hex.EncodeToString(keyed.Sum(nil)), id
	}
	hash, id := sum("secret", "data", "record")
	if again, sameID := sum("secret", "data", "record"); again != hash || sameID != id {
		t.Errorf("the same gives %s %s and %s %s", hash, id, again, sameID)
	}
	plain := sha256.Sum256([]byte("record"))
	for name, other := range map[string][3]string{
		"another token": {"other", "data", "record"}, "another purpose": {"secret", "more", "record"}, "another text": {"secret", "data", "records"},
	} {
		got, otherID := sum(other[0], other[1], other[2])
		if got == hash || got == hex.EncodeToString(plain[:]) {
			t.Errorf("%s has the hash %s", name, got)
		}
		if (otherID == id) != (name == "another text") {
			t.Errorf("%s has the key %s", name, otherID)
		}
	}
}
