// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"sync"

	"k8s.io/utils/clock"

	"github.com/integrator-operator/integrator-operator/internal/simulator/fault"
	"github.com/integrator-operator/integrator-operator/internal/simulator/ledger"
	"github.com/integrator-operator/integrator-operator/internal/simulator/wire"
)

// Options of a Server. The zero value is ready for use.
type Options struct {
	// Clock is used for dates, the rate limit and the delays of fault rules. Default: the real clock.
	Clock clock.Clock
	// Random is the source of ids. Default: crypto/rand.
	Random io.Reader
	// PageSize is the number of items in a page of a list if the request has no `limit`. Default 3, so
	// that clients have to follow links.
	PageSize int
	// RequestsPerSecond and Burst are the refill and the capacity of each
	// account's bucket. Default 300 and 1,000.
	RequestsPerSecond float64
	Burst             int
	// Choices to start with. Default: DefaultChoices.
	Choices *Choices
	// LedgerSize is the number of requests that the ledger remembers. Default 200,000.
	LedgerSize int
}

// Server is the simulated API. All its methods are safe for concurrent use.
type Server struct {
	clock    clock.Clock
	random   io.Reader
	pageSize int
	handler  http.Handler
	faults   fault.Injector
	closed   chan struct{} // ends the delays of fault rules
	close    sync.Once

	mu        sync.Mutex // guards all below
	choices   Choices
	accounts  map[string]*account
	ledger    ledger.Ledger
	rules     fault.Rules
	perSecond float64
	burst     int
	stateFile string
}

// New returns a simulator without accounts. It panics if opts.Choices is invalid.
func New(opts Options) *Server {
	s := &Server{
		clock:     opts.Clock,
		random:    opts.Random,
		pageSize:  opts.PageSize,
		closed:    make(chan struct{}),
		choices:   DefaultChoices(),
		accounts:  map[string]*account{},
		ledger:    ledger.Ledger{Limit: opts.LedgerSize},
		perSecond: opts.RequestsPerSecond,
		burst:     opts.Burst,
	}
	if s.clock == nil {
		s.clock = clock.RealClock{}
	}
	if s.random == nil {
		s.random = rand.Reader
	}
	if s.pageSize <= 0 {
		s.pageSize = 3
	}
	if s.perSecond <= 0 {
		s.perSecond = 300
	}
	if s.burst <= 0 {
		s.burst = 1000
	}
	if s.ledger.Limit <= 0 {
		s.ledger.Limit = 200_000
	}
	if opts.Choices != nil {
		if err := opts.Choices.Validate(); err != nil {
			panic(fmt.Sprintf("simulator: choices: %v", err))
		}
		s.choices = opts.Choices.Clone()
	}
	s.faults = fault.Injector{Clock: s.clock, Closed: s.closed}
	s.handler = s.routes()
	return s
}

// Handler is the API, to be served at the root of a host.
func (s *Server) Handler() http.Handler { return s.handler }

// Close ends the delays of all fault rules, also of requests that are received later.
func (s *Server) Close() { s.close.Do(func() { close(s.closed) }) }

// Start serves the API on an address, for example 127.0.0.1:0. It returns the base URL, and a function
// that stops serving and ends the requests in progress.
func (s *Server) Start(address string) (baseURL string, stop func() error, err error) {
	return wire.Serve(address, s.Handler())
}

// Choices returns the choices in force.
func (s *Server) Choices() Choices {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.choices.Clone()
}

// SetChoices lets change edit the choices in force. If the result is invalid, it returns an error and
// changes nothing.
func (s *Server) SetChoices(change func(*Choices)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	next := s.choices.Clone()
	change(&next)
	if err := next.Validate(); err != nil {
		return fmt.Errorf("choices: %w", err)
	}
	s.choices = next
	return s.saveLocked()
}
