// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package integrator

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// everyText prints a value in all the ways that a log may.
func everyText(v any) string {
	var b strings.Builder
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
		_, _ = fmt.Fprintf(&b, verb+"\n", v)
	}
	return b.String()
}

// chain returns an error and all that it wraps.
func chain(err error) []error {
	if err == nil {
		return nil
	}
	out := []error{err}
	switch e := err.(type) { //nolint:errorlint // walks the chain itself
	case interface{ Unwrap() []error }:
		for _, inner := range e.Unwrap() {
			out = append(out, chain(inner)...)
		}
	default:
		out = append(out, chain(errors.Unwrap(err))...)
	}
	return out
}

// mustNotLeak looks for the token, as it is and in the ways it may be written.
func mustNotLeak(t *testing.T, where, text string) {
	t.Helper()
	most := testToken[:8] // what a cut may leave is as bad
	for _, form := range []string{most, url.QueryEscape(testToken), url.PathEscape(testToken), fmt.Sprintf("%x", most)} {
		if strings.Contains(text, form) {
			t.Errorf("%s shows the token: %s", where, text)
		}
	}
}

// TestTokenNeverInErrors answers every call in every bad way, with the token in the answer.
func TestTokenNeverInErrors(t *testing.T) {
	auth := "Bearer " + testToken
	quoted, err := json.Marshal(auth)
	if err != nil {
		t.Fatal(err)
	}
	pad := strings.Repeat("x", maxText-len(auth)) // the cut takes the end of the token only
	raw := func(text string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			conn, _, err := w.(http.Hijacker).Hijack()
			if err != nil {
				panic(err)
			}
			_, _ = io.WriteString(conn, text)
			_ = conn.Close()
		}
	}
	tests := map[string]http.HandlerFunc{
		"message":            answer(401, `{"message":`+string(quoted)+`}`),
		"message, cut":       answer(401, `{"message":"`+pad+auth+`, and more"}`),
		"all of a detail":    answer(422, `{"errors":[{"code":`+string(quoted)+`,"message":`+string(quoted)+`,"field":`+string(quoted)+`,"source":`+string(quoted)+`}]}`),
		"percent-encoded":    answer(422, `{"message":"`+url.QueryEscape(testToken)+" "+url.PathEscape(testToken)+`"}`),
		"HTML":               answer(502, "<html>"+auth+"</html>"),
		"plain text, 200":    answer(200, auth),
		"JSON string, 200":   answer(200, string(quoted)),
		"as a key, 200":      answer(200, `{`+string(quoted)+`:1}`),
		"as _id, 200":        answer(200, `{"_id":`+string(quoted)+`}`),
		"as a link":          answer(200, "[]", "Link", "<https://"+testToken+"@evil.test/>; rel=next"),
		"as a broken link":   answer(200, "[]", "Link", testToken),
		"refusal with 200":   answer(200, `{"errors":[{"code":`+string(quoted)+`}]}`),
		"redirect":           answer(307, "", "Location", "https://evil.test/"+testToken),
		"Retry-After":        answer(503, "", "Retry-After", testToken),
		"status line":        raw("HTTP/1.1 200 " + auth + "\r\nContent-Length: 1\r\n\r\nx"),
		"broken status line": raw(auth + "\r\n\r\n"),
		"status no number":   raw("HTTP/1.1 " + testToken + " OK\r\n\r\n"),
		"broken header":      raw("HTTP/1.1 200 OK\r\n" + auth + "\r\n\r\n"),
		"content length":     raw("HTTP/1.1 200 OK\r\nContent-Length: " + testToken + "\r\n\r\n"),
		"transfer encoding":  raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: " + testToken + "\r\n\r\n"),
		"chunk size":         raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + testToken + "\r\n"),
		"no gzip": func(w http.ResponseWriter, r *http.Request) {
			answer(200, auth, "Content-Encoding", "gzip")(w, r)
		},
		"gzip name": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			z.Name = auth
			_, _ = z.Write([]byte(auth))
			_ = z.Close()
		},
	}
	for name, handler := range tests {
		t.Run(name, func(t *testing.T) {
			c, _ := serve(t, handler)
			failed := 0
			for op, call := range calls(c) {
				for _, err := range chain(call(t.Context())) {
					failed++
					mustNotLeak(t, op, everyText(err))
				}
				for _, err := range chain(call(t.Context())) {
					if e, ok := err.(*APIError); ok { //nolint:errorlint // walks the chain itself
						for _, d := range e.Errors {
							mustNotLeak(t, op, everyText(d))
							mustNotLeak(t, op, everyText(&d))
						}
					}
				}
			}
			if failed == 0 {
				t.Error("no call failed: nothing was tested")
			}
		})
	}
}

// TestTokenNeverInRecordErrors covers the errors inside a successful answer.
func TestTokenNeverInRecordErrors(t *testing.T) {
	c, _ := serve(t, answer(200, `[{"statusCode":401,"errors":[{"code":401,"message":"bad `+testToken+`"}]}]`))
	got, err := invoke(t.Context(), c, testID, InvokeRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if want := (ErrorDetail{Code: "401", Message: "bad [redacted]"}); got.Records[0].Errors[0] != want {
		t.Errorf("got %+v, want %+v", got.Records[0].Errors[0], want)
	}
}

// TestTokenNeverWithoutAnswer covers the errors without an answer.
func TestTokenNeverWithoutAnswer(t *testing.T) {
	w := newWire(t, func(w *wire, n int, conn *net.TCPConn) {
		w.read(n, bufio.NewReader(conn))
		reset(conn)
	})
	for op, call := range calls(clientOf(t, w.url)) {
		for _, err := range chain(call(t.Context())) {
			mustNotLeak(t, op, everyText(err))
		}
	}
	for _, baseURL := range []string{
		"https://" + url.QueryEscape(testToken) + "@api.test", "https://user:" + url.QueryEscape(testToken) + "@api.test", "https://api.test?t=" + testToken,
		"https://api.test#" + testToken, testToken, "https://[" + testToken, "https://api.test:" + testToken, "ftp://" + testToken,
		"https://api.test/%zz" + testToken, "https://api.test/../" + testToken,
	} {
		cfg := Config{BaseURL: baseURL, Token: testToken}
		_, err := New(cfg)
		if err == nil {
			t.Errorf("New accepted %q", baseURL)
		}
		mustNotLeak(t, "New", everyText(err))
	}
	for _, token := range []string{testToken + "\n", "a " + testToken, testToken + "\x00", testToken + "é"} {
		_, err := New(Config{BaseURL: DefaultBaseURL, Token: token})
		if err == nil {
			t.Errorf("New accepted a token that no header can hold")
		}
		mustNotLeak(t, "New", everyText(err))
	}
}

func TestTokenNeverInPrintedValues(t *testing.T) {
	cfg := Config{BaseURL: "https://user:" + url.QueryEscape(testToken) + "@api.test/?q=" + testToken, Token: testToken}
	mustNotLeak(t, "Config", everyText(cfg))
	mustNotLeak(t, "*Config", everyText(&cfg))
	mustNotLeak(t, "Config in a struct", everyText(struct{ C Config }{cfg}))
	mustNotLeak(t, "Config in a slice", everyText([]Config{cfg}))
	mustNotLeak(t, "broken Config", everyText(Config{BaseURL: "://" + testToken, Token: testToken}))
	if _, err := json.Marshal([]any{cfg}); err == nil {
		t.Error("a Config can be marshalled, token and all")
	}

	c := clientOf(t, "http://api.test")
	mustNotLeak(t, "*Client", everyText(c))
	mustNotLeak(t, "*Client in a struct", everyText(struct{ C *Client }{c}))
	mustNotLeak(t, "unexported *Client", everyText(struct{ c *Client }{c}))
	mustNotLeak(t, "Client without its methods", everyText(struct{ c *plainClient }{(*plainClient)(c)}.c))
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%d"} {
		if got, want := fmt.Sprintf(verb, c), "integrator.Client(http://api.test)"; got != want {
			t.Errorf("%s prints a Client as %q, want %q", verb, got, want)
		}
	}
	if got, want := fmt.Sprint((*Client)(nil)), "integrator.Client(nil)"; got != want {
		t.Errorf("a nil Client prints as %q, want %q", got, want)
	}
}

// plainClient has the fields of a Client, and no method that could hide them.
type plainClient Client
