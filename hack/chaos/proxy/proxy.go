// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package proxy stands between the manager and the two sides that it writes to: the API server
// of Kubernetes, and the integrator API. It records every write and lets a fault be injected
// before the write is forwarded.
package proxy

import (
	"context"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// Controller decides what happens to the writes that reach a proxy.
type Controller interface {
	// Discard reports whether a write that was just read comes from a process that is dying. It
	// returns once that process is dead.
	Discard() bool
	// Intercept returns what happens to a write instead of its being forwarded; nil for nothing.
	Intercept(*Proxy, *Write) func(*Exchange)
}

// Proxy is the way of a manager to one side.
type Proxy struct {
	// Kubernetes is true for a proxy to the API server. Manager is then the number of the only
	// manager that uses it; the proxy to the API is shared by all managers of a sandbox.
	Kubernetes bool
	Manager    int

	controller Controller
	recorder   *Recorder
	// name returns the key of a write, "" for any other request.
	name func(*http.Request) string
	// forward takes a write to its side and returns the whole answer.
	forward func(*http.Request) (*Answer, error)
	// rest serves every request that is not a write.
	rest http.Handler

	listener net.Listener
	server   *http.Server
	// generation counts the processes that have been killed behind this proxy.
	generation atomic.Int64
	// silence is closed when the side answers again; nil while it does.
	silence atomic.Pointer[chan struct{}]
}

// generationKey is the key of the generation in which a connection was made, in the context of
// its requests.
type generationKey struct{}

// listen serves the proxy at an address of its own.
func (p *Proxy) listen() error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	p.listener = listener
	p.server = &http.Server{Handler: p, ReadHeaderTimeout: 10 * time.Second,
		ConnContext: func(ctx context.Context, _ net.Conn) context.Context {
			return context.WithValue(ctx, generationKey{}, p.generation.Load())
		}}
	go func() { _ = p.server.Serve(listener) }() // it ends with Close
	return nil
}

// Close ends the proxy and its connections.
func (p *Proxy) Close() { _ = p.server.Close() } // there is nothing to be done about an error

// Address is where the proxy listens, as host:port.
func (p *Proxy) Address() string { return p.listener.Addr().String() }

// Killed is called when the process behind the proxy was killed: what its connections still
// bring is discarded.
func (p *Proxy) Killed() { p.generation.Add(1) }

// Silence has the side answer nothing until the returned function is called. What was asked meanwhile
// does not reach it.
func (p *Proxy) Silence() (speak func()) {
	silence := make(chan struct{})
	p.silence.Store(&silence)
	return sync.OnceFunc(func() {
		p.silence.Store(nil)
		close(silence)
	})
}

// ServeHTTP forwards a request, or does to it what the controller says.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if silence := p.silence.Load(); silence != nil {
		select {
		case <-*silence:
		case <-r.Context().Done():
		}
		panic(http.ErrAbortHandler)
	}
	key := p.name(r)
	if key == "" {
		p.rest.ServeHTTP(w, r)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil || p.controller.Discard() || r.Context().Value(generationKey{}) != p.generation.Load() {
		// The process is dead or dying: its write is read too late.
		panic(http.ErrAbortHandler)
	}
	x := &Exchange{Proxy: p, Request: r, Write: p.recorder.begin(key), w: w, body: body}
	if inject := p.controller.Intercept(p, x.Write); inject != nil {
		inject(x)
		return
	}
	x.Send(x.Apply())
}
