// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"net"
	"sync/atomic"
)

// trap counts the connections that are made to it: redirects lead here.
type trap struct {
	listener net.Listener
	caught   atomic.Int64
}

func newTrap() (*trap, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	t := &trap{listener: listener}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			t.caught.Add(1)
			_ = conn.Close()
		}
	}()
	return t, nil
}

func (t *trap) address() string { return t.listener.Addr().String() }

func (t *trap) close() { _ = t.listener.Close() }
