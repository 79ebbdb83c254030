// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package integrator

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestSentOnTheWire breaks the connection at every point of an exchange. From the moment there
// is a connection the request counts as sent, and a POST is on the wire at most once.
func TestSentOnTheWire(t *testing.T) {
	half := "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n[{\"statusCode\":2"
	tests := []struct {
		name   string
		serve  func(w *wire, n int, conn *net.TCPConn)
		status int
		text   string // in the error, "" for what depends on the moment
		is     error
	}{
		{
			name:  "reset before reading",
			serve: func(_ *wire, _ int, conn *net.TCPConn) { reset(conn) },
		},
		{
			name:  "closed before reading",
			serve: func(_ *wire, _ int, conn *net.TCPConn) { _ = conn.Close() },
		},
		{
			name: "reset after the headers",
			serve: func(_ *wire, _ int, conn *net.TCPConn) {
				_, _ = http.ReadRequest(bufio.NewReader(conn)) // stops at the body
				reset(conn)
			},
		},
		{
			name: "reset after the whole request",
			serve: func(w *wire, n int, conn *net.TCPConn) {
				w.read(n, bufio.NewReader(conn))
				reset(conn)
			},
			text: "connection reset by peer",
			is:   syscall.ECONNRESET,
		},
		{
			name: "closed after the whole request",
			serve: func(w *wire, n int, conn *net.TCPConn) {
				w.read(n, bufio.NewReader(conn))
			},
			text: "the connection or the answer ended too early",
			is:   io.EOF,
		},
		{
			name: "closed in the middle of the status line",
			serve: func(w *wire, n int, conn *net.TCPConn) {
				w.read(n, bufio.NewReader(conn))
				_, _ = io.WriteString(conn, "HTTP/1.")
			},
			text: "malformed HTTP response",
		},
		{
			name: "closed after half an answer",
			serve: func(w *wire, n int, conn *net.TCPConn) {
				w.read(n, bufio.NewReader(conn))
				_, _ = io.WriteString(conn, half)
			},
			status: 200,
			text:   "the connection or the answer ended too early",
			is:     io.ErrUnexpectedEOF,
		},
		{
			name: "half of a chunked answer",
			serve: func(w *wire, n int, conn *net.TCPConn) {
				w.read(n, bufio.NewReader(conn))
				_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n[{\r\n")
			},
			status: 200,
			text:   "the connection or the answer ended too early",
			is:     io.ErrUnexpectedEOF,
		},
		{
			name: "half an answer of no declared length",
			serve: func(w *wire, n int, conn *net.TCPConn) {
				w.read(n, bufio.NewReader(conn))
				_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\n\r\n[{\"statusCode\":2")
			},
			status: 200,
			text:   "the answer", // too early, or an array where an object is expected
		},
		{
			name: "no HTTP at all",
			serve: func(w *wire, n int, conn *net.TCPConn) {
				w.read(n, bufio.NewReader(conn))
				_, _ = io.WriteString(conn, "SSH-2.0-OpenSSH_9.9\r\n")
			},
			text: "malformed HTTP",
		},
		{
			name: "a malformed header",
			serve: func(w *wire, n int, conn *net.TCPConn) {
				w.read(n, bufio.NewReader(conn))
				_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nno colon here\r\n\r\n")
			},
			text: "malformed header in the answer",
		},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			w := newWire(t, tc.serve)
			for op, call := range calls(clientOf(t, w.url)) {
				method, _, _ := strings.Cut(op, " ")
				connsBefore, requestsBefore := w.seen()
				err := call(t.Context())
				if tc.status == 200 && strings.HasSuffix(op, "replaceConnection") || tc.status == 200 && (method == "DELETE" || method == "PATCH") {
					// The status alone is the answer to these.
					if err != nil {
						t.Errorf("%s: %v, want success: nobody needs the body", op, err)
					}
					continue
				}
				e := apiError(t, err)
				if dial, ok := errors.AsType[*net.OpError](err); ok && dial.Op == "dial" && !e.Sent {
					continue // the reset was faster than the end of connect(2)
				}
				if !e.Sent || e.StatusCode != tc.status || e.Err == nil {
					t.Errorf("%s: Sent %t, status %d, cause %v; want true, %d and a cause", op, e.Sent, e.StatusCode, e.Err, tc.status)
				}
				if e.NotUnderstood() != (tc.status == 200) {
					t.Errorf("%s: NotUnderstood is %t", op, e.NotUnderstood())
				}
				if !strings.Contains(e.Error(), tc.text) {
					t.Errorf("%s: error %q does not say %q", op, e, tc.text)
				}
				if tc.is != nil && !errors.Is(err, tc.is) {
					t.Errorf("%s: error %v is not %v", op, err, tc.is)
				}
				if strings.Contains(e.Error(), "127.0.0.1") || strings.Contains(e.Error(), "SSH") {
					t.Errorf("%s: error %q holds an address or what the server sent", op, e)
				}
				conns, requests := w.seen()
				if conns-connsBefore != 1 || len(requests)-len(requestsBefore) > 1 {
					t.Errorf("%s: %d connections and %d requests, want one", op, conns-connsBefore, len(requests)-len(requestsBefore))
				}
			}
		})
	}
}

// TestNotSent makes it impossible to get a connection: nothing was sent, for certain.
func TestNotSent(t *testing.T) {
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	refusing := "http://" + closed.Addr().String()
	if err := closed.Close(); err != nil {
		t.Fatal(err)
	}
	noTLS := newWire(t, func(_ *wire, _ int, conn *net.TCPConn) {
		_, _ = conn.Read(make([]byte, 1))
		_, _ = io.WriteString(conn, "HTTP/1.1 400 Bad Request\r\n\r\n")
	})
	secure := func(change func(*httptest.Server)) *httptest.Server {
		srv := httptest.NewUnstartedServer(answer(200, "{}"))
		srv.Config.ErrorLog = quiet
		change(srv)
		srv.StartTLS()
		t.Cleanup(srv.Close)
		return srv
	}
	unknownCA := secure(func(*httptest.Server) {})
	oldTLS := secure(func(s *httptest.Server) {
		s.TLS = &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11} //nolint:gosec // to be refused
	})
	trusted := x509.NewCertPool()
	trusted.AddCert(unknownCA.Certificate())

	tests := []struct {
		name    string
		baseURL string
		change  func(*Config)
		dial    func(context.Context, string, string) (net.Conn, error)
		text    string
		is      error
	}{
		{name: "connection refused", baseURL: refusing, text: "dial: connection refused", is: syscall.ECONNREFUSED},
		{name: "certificate of an unknown authority", baseURL: unknownCA.URL, text: "signed by an unknown authority"},
		{
			name: "certificate of another host", baseURL: strings.Replace(unknownCA.URL, "127.0.0.1", "localhost", 1),
			change: func(c *Config) { c.RootCAs = trusted }, text: "certificate",
		},
		{
			name: "TLS 1.1", baseURL: oldTLS.URL,
			change: func(c *Config) { c.RootCAs = trusted }, text: "protocol version",
		},
		{name: "no TLS on the other side", baseURL: strings.Replace(noTLS.url, "http://", "https://", 1), text: "does not look like a TLS handshake"},
		{
			name: "unknown host", baseURL: "http://nosuch.invalid",
			dial: func(context.Context, string, string) (net.Conn, error) {
				return nil, &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "no such host", Name: "nosuch.invalid", IsNotFound: true}}
			},
			text: "look up nosuch.invalid: no such host",
		},
		{
			name: "name server out of reach", baseURL: "http://nosuch.invalid",
			dial: (&net.Dialer{Resolver: &net.Resolver{
				PreferGo: true,
				Dial: func(context.Context, string, string) (net.Conn, error) {
					return nil, errors.New("network is unreachable")
				},
			}}).DialContext,
			text: "look up nosuch.invalid: the name server failed",
		},
		{
			name: "no answer to the connect", baseURL: "http://api.test",
			change: func(c *Config) { c.Timeout = time.Millisecond },
			dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
				<-ctx.Done()
				return nil, ctx.Err()
			},
			text: "no complete answer in time", is: context.DeadlineExceeded,
		},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			if tc.change == nil {
				tc.change = func(*Config) {}
			}
			c := clientOf(t, tc.baseURL, tc.change)
			if tc.dial != nil {
				c.kept.DialContext, c.fresh.DialContext = tc.dial, tc.dial
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			for op, call := range calls(c) {
				ctx := ctx
				if op == invokeImport.op() && tc.is == context.DeadlineExceeded { //nolint:errorlint // the table's own value
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, time.Millisecond) // invoke has no timeout of its own
					defer cancel()
				}
				err := call(ctx)
				e := apiError(t, err)
				if e.Sent || e.StatusCode != 0 {
					t.Errorf("%s: Sent %t, status %d; want false and 0", op, e.Sent, e.StatusCode)
				}
				if !strings.Contains(e.Error(), tc.text) {
					t.Errorf("%s: error %q does not say %q", op, e, tc.text)
				}
				if tc.is != nil && !errors.Is(err, tc.is) {
					t.Errorf("%s: error %v is not %v", op, err, tc.is)
				}
			}
		})
	}

	t.Run("with the right authority it works", func(t *testing.T) {
		c := clientOf(t, unknownCA.URL, func(c *Config) { c.RootCAs = trusted })
		if err := c.DeleteImport(t.Context(), testID); err != nil {
			t.Error(err)
		}
	})
}

// TestUpgrade: after 101 the connection belongs to the client, and its deadline no longer ends a
// read. The server here says nothing more and waits.
func TestUpgrade(t *testing.T) {
	over := make(chan struct{})
	w := newWire(t, func(w *wire, n int, conn *net.TCPConn) {
		w.read(n, bufio.NewReader(conn))
		_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n")
		<-over
	})
	t.Cleanup(func() { close(over) })
	for op, call := range calls(clientOf(t, w.url)) {
		if e := apiError(t, call(t.Context())); e.StatusCode != 101 || !e.Sent {
			t.Errorf("%s: %+v", op, e)
		}
	}
}

func TestCancelled(t *testing.T) {
	arrived := make(chan struct{})
	over := make(chan struct{})
	c, _ := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		arrived <- struct{}{}
		<-over
	})
	t.Cleanup(func() { close(over) })
	for op, call := range calls(c) {
		t.Run(op, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			err := call(ctx)
			if e := apiError(t, err); e.Sent || e.StatusCode != 0 || !errors.Is(err, context.Canceled) {
				t.Errorf("before: Sent %t, status %d, %v; want nothing sent and context.Canceled", e.Sent, e.StatusCode, err)
			}

			ctx, cancel = context.WithCancel(t.Context())
			go func() {
				<-arrived
				cancel()
			}()
			err = call(ctx)
			if e := apiError(t, err); !e.Sent || e.StatusCode != 0 || !errors.Is(err, context.Canceled) {
				t.Errorf("after: Sent %t, status %d, %v; want sent and context.Canceled", e.Sent, e.StatusCode, err)
			}
		})
	}
}

// TestWebPageIsNotUnderstood: a proxy that answers every request with 200 and a page of its own has
// not deleted anything.
func TestWebPageIsNotUnderstood(t *testing.T) {
	for name, test := range map[string]struct {
		contentType string
		refused     bool
	}{
		"a web page":        {contentType: "text/html; charset=utf-8", refused: true},
		"a page in capital": {contentType: "TEXT/HTML", refused: true},
		"JSON":              {contentType: "application/json"},
		"nothing":           {},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWire(t, func(w *wire, n int, conn *net.TCPConn) {
				w.read(n, bufio.NewReader(conn))
				header := ""
				if test.contentType != "" {
					header = "Content-Type: " + test.contentType + "\r\n"
				}
				_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nConnection: close\r\n"+header+"Content-Length: 2\r\n\r\n{}")
			})
			for op, call := range calls(clientOf(t, w.url)) {
				if !strings.HasPrefix(op, "DELETE") && !strings.HasPrefix(op, "PATCH") && !strings.HasSuffix(op, "replaceConnection") {
					continue
				}
				err := call(t.Context())
				if !test.refused && err != nil {
					t.Errorf("%s: %v", op, err)
				}
				if test.refused && (err == nil || !apiError(t, err).NotUnderstood()) {
					t.Errorf("%s: %v, want NotUnderstood", op, err)
				}
			}
		})
	}
}
