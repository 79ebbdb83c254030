// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package integrator

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"
)

var quiet = log.New(io.Discard, "", 0)

const (
	testToken = "tok-3f9c/a+b=canary"
	testID    = "5940a1b2c3d4e5f601234662"
	otherID   = "5940a1b2c3d4e5f601234663"
)

// clientOf makes a client for a plain-HTTP server of the test.
func clientOf(t *testing.T, baseURL string, change ...func(*Config)) *Client {
	t.Helper()
	cfg := Config{BaseURL: baseURL, Token: testToken, AllowHTTP: true}
	for _, f := range change {
		f(&cfg)
	}
	c, err := New(cfg)
	if err != nil {
		t.Fatalf("New: %v", err)
	}
	t.Cleanup(c.Close)
	return c
}

// serve answers with a handler, on loopback.
func serve(t *testing.T, h http.HandlerFunc) (*Client, *httptest.Server) {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	return clientOf(t, srv.URL), srv
}

// answer returns a handler that always answers the same; headers come in pairs.
func answer(status int, body string, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i+1 < len(headers); i += 2 {
			w.Header().Add(headers[i], headers[i+1])
		}
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

// apiError fails the test unless err is an *APIError.
func apiError(t *testing.T, err error) *APIError {
	t.Helper()
	e, ok := errors.AsType[*APIError](err)
	if !ok {
		t.Fatalf("error is %T (%v), want *APIError", err, err)
	}
	return e
}

// invoke runs an import with a permit of its own.
func invoke(ctx context.Context, c *Client, id string, req InvokeRequest) (InvokeResponse, error) {
	permit, err := c.AcquireInvoke(ctx)
	if err != nil {
		return InvokeResponse{}, err
	}
	defer permit.Release()
	return permit.Invoke(ctx, id, req)
}

// wait sleeps for d, or until ctx ends.
func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// wire is a TCP server that the test speaks HTTP with by hand.
type wire struct {
	url string

	mu       sync.Mutex
	conns    int
	requests []string // "<connection> <method>", for each request that was read as a whole
}

// newWire gives each accepted connection to serve, with its number, from 1.
func newWire(t *testing.T, serve func(w *wire, n int, conn *net.TCPConn)) *wire {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{url: "http://" + l.Addr().String()}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			w.mu.Lock()
			w.conns++
			n := w.conns
			w.mu.Unlock()
			running.Go(func() {
				defer func() { _ = conn.Close() }()
				serve(w, n, conn.(*net.TCPConn))
			})
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		running.Wait()
	})
	return w
}

// read reads one whole request and notes it; false when the client went away.
func (w *wire) read(n int, r *bufio.Reader) bool {
	req, err := http.ReadRequest(r)
	if err != nil {
		return false
	}
	if _, err := io.Copy(io.Discard, req.Body); err != nil {
		return false
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.requests = append(w.requests, fmt.Sprintf("%d %s", n, req.Method))
	return true
}

func (w *wire) seen() (conns int, requests []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.conns, append([]string(nil), w.requests...)
}

// reset closes a connection with RST instead of FIN.
func reset(conn *net.TCPConn) {
	_ = conn.SetLinger(0)
	_ = conn.Close()
}

// pipeListener is a network in memory, for tests under a fake clock.
type pipeListener struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error { l.once.Do(func() { close(l.done) }); return nil }

func (l *pipeListener) Addr() net.Addr { return &net.UnixAddr{Name: "memory", Net: "pipe"} }

func (l *pipeListener) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	select {
	case l.conns <- theirs:
		return ours, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// serveInMemory is serve for use inside synctest.Test, where time passes at once.
func serveInMemory(t *testing.T, h http.HandlerFunc, change ...func(*Config)) *Client {
	t.Helper()
	l := &pipeListener{conns: make(chan net.Conn), done: make(chan struct{})}
	srv := &http.Server{Handler: h} //nolint:gosec // in memory, for one test
	go func() { _ = srv.Serve(l) }()
	c := clientOf(t, "http://memory.test", change...)
	c.kept.DialContext, c.fresh.DialContext = l.dial, l.dial
	t.Cleanup(func() {
		c.Close()
		_ = srv.Close()
	})
	return c
}
