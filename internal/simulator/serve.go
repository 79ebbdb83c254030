// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

// Start serves the API on an address, for example 127.0.0.1:0, and returns the
// base URL and a function that ends it, requests under way included.
func (s *Server) Start(address string) (baseURL string, stop func() error, err error) {
	return serve(address, s.Handler())
}

// StartAdmin serves the admin interface; see the package documentation.
func (s *Server) StartAdmin(address string) (baseURL string, stop func() error, err error) {
	return serve(address, s.AdminHandler())
}

func serve(address string, handler http.Handler) (string, func() error, error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return "", nil, fmt.Errorf("listen: %w", err)
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	stop := func() error {
		err := server.Close()
		if serveErr := <-ended; !errors.Is(serveErr, http.ErrServerClosed) {
			err = errors.Join(err, serveErr)
		}
		return err
	}
	return "http://" + listener.Addr().String(), stop, nil
}
