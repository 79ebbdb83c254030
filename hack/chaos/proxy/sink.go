// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package proxy

import (
	"net"
	"sync/atomic"
)

// Sink counts the connections that are made to it. Injected redirects lead to it: a manager that
// connects has followed one.
type Sink struct {
	listener    net.Listener
	connections atomic.Int64
}

// NewSink starts a sink.
func NewSink() (*Sink, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &Sink{listener: listener}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			s.connections.Add(1)
			_ = conn.Close()
		}
	}()
	return s, nil
}

// Address is where the sink listens, as host:port.
func (s *Sink) Address() string { return s.listener.Addr().String() }

// Connections is how many connections were made.
func (s *Sink) Connections() int64 { return s.connections.Load() }

// Close ends the sink.
func (s *Sink) Close() { _ = s.listener.Close() }
