// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package proxy

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"
)

// Exchange is one write on its way through a proxy. A fault is made of its methods.
type Exchange struct {
	Proxy   *Proxy
	Request *http.Request
	Write   *Write

	w    http.ResponseWriter
	body []byte
}

// Apply takes the write to its side, also when the manager does not live to see the answer.
func (x *Exchange) Apply() *Answer {
	forwarded := x.Request.Clone(context.WithoutCancel(x.Request.Context()))
	forwarded.Body = io.NopCloser(bytes.NewReader(x.body))
	forwarded.ContentLength = int64(len(x.body))
	// The answer may be cut or replaced: it must not be compressed.
	forwarded.Header.Set("Accept-Encoding", "identity")
	got, err := x.Proxy.forward(forwarded)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	x.Proxy.recorder.answered(x.Write, got.Status)
	return got
}

// Send gives the manager an answer, to the last byte.
func (x *Exchange) Send(a *Answer) {
	x.head(a)
	_, _ = x.w.Write(a.Body)
	_ = http.NewResponseController(x.w).Flush()
}

// Cut gives the manager the first half of an answer whose header promises all of it.
func (x *Exchange) Cut(a *Answer) {
	x.head(a)
	_, _ = x.w.Write(a.Body[:len(a.Body)/2])
	_ = http.NewResponseController(x.w).Flush()
	panic(http.ErrAbortHandler)
}

func (x *Exchange) head(a *Answer) {
	for name, values := range a.Header {
		switch name {
		case "Connection", "Transfer-Encoding", "Content-Length", "Date":
		default:
			x.w.Header()[name] = values
		}
	}
	if a.Status != http.StatusNoContent {
		x.w.Header().Set("Content-Length", strconv.Itoa(len(a.Body)))
	}
	x.w.WriteHeader(a.Status)
}

// Refuse answers with an error in the format of the side that is asked.
func (x *Exchange) Refuse(status int, header http.Header) {
	a := APIError(status)
	if x.Proxy.Kubernetes {
		a = KubernetesError(status)
	}
	for name, values := range header {
		a.Header[name] = values
	}
	x.Send(a)
}

// Reset ends the connection with a TCP reset.
func (x *Exchange) Reset() {
	if conn, _, err := http.NewResponseController(x.w).Hijack(); err == nil {
		if tcp, ok := conn.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0) // if that fails, the connection still ends
		}
		_ = conn.Close()
		return
	}
	panic(http.ErrAbortHandler)
}

// Hang sends nothing until the manager gives up, or for limit.
func (x *Exchange) Hang(limit time.Duration) {
	select {
	case <-x.Request.Context().Done():
	case <-time.After(limit):
	}
}
