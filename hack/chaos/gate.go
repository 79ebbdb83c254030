// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"time"
)

// gate stands between the manager and one of the two sides that it writes to. It tells the
// stage of every write before it lets it through; the stage's plan may have other ideas.
type gate struct {
	stage *stage
	// manager is who talks through this gate: the number of its process on the stage.
	manager int
	// name names a write, "" for any other request.
	name func(*http.Request) string
	// forward takes a write to its side and returns the whole answer.
	forward func(*http.Request) (*answer, error)
	// pass serves every other request.
	pass http.Handler

	listener net.Listener
	server   *http.Server
	// life counts the processes that have been killed behind this gate.
	life atomic.Int64
}

// lifeOf is the key of the life in which a connection was made, in the context of its requests.
type lifeOf struct{}

// answer is a whole HTTP answer.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// writeTo writes the answer as it is.
func (a *answer) writeTo(w http.ResponseWriter) {
	maps.Copy(w.Header(), a.header)
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body) // who asked may be gone
}

// open serves the gate at an address of its own.
func (g *gate) open() error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	g.listener = listener
	g.server = &http.Server{Handler: g, ReadHeaderTimeout: 10 * time.Second,
		ConnContext: func(ctx context.Context, _ net.Conn) context.Context {
			return context.WithValue(ctx, lifeOf{}, g.life.Load())
		}}
	go func() { _ = g.server.Serve(listener) }() // it ends with close
	return nil
}

func (g *gate) close() { _ = g.server.Close() } // what is left of it is of no interest

func (g *gate) address() string { return g.listener.Addr().String() }

func (g *gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	key := g.name(r)
	if key == "" {
		g.pass.ServeHTTP(w, r)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil || g.stage.tooLate() || r.Context().Value(lifeOf{}) != g.life.Load() {
		// The process is dead, or as good as dead: this is read late.
		panic(http.ErrAbortHandler)
	}
	x := &exchange{gate: g, w: w, r: r, body: body}
	x.write = g.stage.trace.begin(key)
	g.stage.wrote(g)
	if strike := g.stage.due(x.write); strike != nil {
		strike(x)
		return
	}
	x.send(x.apply())
}

// exchange is one write on its way through a gate. A fault is made of its methods.
type exchange struct {
	gate  *gate
	w     http.ResponseWriter
	r     *http.Request
	body  []byte
	write *write
}

// apply takes the write to its side, also when the manager does not live to see the answer.
func (x *exchange) apply() *answer {
	forwarded := x.r.Clone(context.WithoutCancel(x.r.Context()))
	forwarded.Body = io.NopCloser(bytes.NewReader(x.body))
	forwarded.ContentLength = int64(len(x.body))
	// The answer may be cut or replaced: it must not be compressed.
	forwarded.Header.Set("Accept-Encoding", "identity")
	got, err := x.gate.forward(forwarded)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	x.gate.stage.trace.applied(x.write, got.status)
	return got
}

// send gives the manager an answer, to the last byte.
func (x *exchange) send(a *answer) {
	x.head(a)
	_, _ = x.w.Write(a.body)
	_ = http.NewResponseController(x.w).Flush()
}

// cut gives the manager the first half of an answer that promises all of it.
func (x *exchange) cut(a *answer) {
	x.head(a)
	_, _ = x.w.Write(a.body[:len(a.body)/2])
	_ = http.NewResponseController(x.w).Flush()
	panic(http.ErrAbortHandler)
}

func (x *exchange) head(a *answer) {
	for name, values := range a.header {
		switch name {
		case "Connection", "Transfer-Encoding", "Content-Length", "Date":
		default:
			x.w.Header()[name] = values
		}
	}
	if a.status != http.StatusNoContent {
		x.w.Header().Set("Content-Length", itoa(len(a.body)))
	}
	x.w.WriteHeader(a.status)
}

// reset ends the connection with a TCP reset.
func (x *exchange) reset() {
	if conn, _, err := http.NewResponseController(x.w).Hijack(); err == nil {
		if tcp, ok := conn.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0) // without it the end is still an end
		}
		_ = conn.Close()
		return
	}
	panic(http.ErrAbortHandler)
}

// hang says nothing until the manager gives up, or for limit.
func (x *exchange) hang(limit time.Duration) {
	select {
	case <-x.r.Context().Done():
	case <-time.After(limit):
	}
}

var errAborted = errors.New("the connection was ended")

// serveWhole has a handler answer a request, and returns the whole answer.
func serveWhole(handler http.Handler, r *http.Request) (got *answer, err error) {
	defer func() {
		if recover() != nil {
			err = errAborted
		}
	}()
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	return &answer{w.Code, w.Header(), w.Body.Bytes()}, nil
}
