// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"fmt"
	"net/http"

	"github.com/integrator-operator/integrator-operator/internal/simulator/fault"
	"github.com/integrator-operator/integrator-operator/internal/simulator/wire"
)

// AddRule puts a fault rule into force and returns its id.
func (s *Server) AddRule(r Rule) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.rules.Add(r)
}

// Rules returns the fault rules in force with how often they matched and fired.
func (s *Server) Rules() []Rule {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.rules.List()
}

// ReleaseRule lets the requests that a rule delays continue, and those to come.
func (s *Server) ReleaseRule(id string) error { return s.onRule(id, s.rules.Release) }

// RemoveRule removes a rule and lets the requests that it delays continue.
func (s *Server) RemoveRule(id string) error { return s.onRule(id, s.rules.Remove) }

func (s *Server) onRule(id string, change func(id string) bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !change(id) {
		return fmt.Errorf("rule %s %w", id, ErrNotExist)
	}
	return nil
}

// ClearRules removes all rules and lets the requests that they delay continue.
func (s *Server) ClearRules() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rules.Clear()
}

// matchRule returns the rule that fires for a request in this phase, nil if there is none, and notes
// it in the ledger.
func (s *Server) matchRule(phase Phase, c *call) *fault.Active {
	s.mu.Lock()
	defer s.mu.Unlock()
	request := fault.Request{Method: c.request.Method, Path: c.request.URL.Path, Route: c.route, Source: c.actor.source}
	if c.account != nil {
		request.Account = c.account.name
	}
	fired := s.rules.Match(phase, request)
	if fired != nil {
		s.ledger.Update(c.seq, func(e *Entry) {
			if e.Fault != "" {
				e.Fault += ","
			}
			e.Fault += string(phase) + ":" + fired.ID
		})
	}
	return fired
}

// inject carries out the action of a rule, and reports whether it answered the request. resp is the
// answer that would be sent, nil before the request was applied.
func (s *Server) inject(w http.ResponseWriter, c *call, rule *fault.Active, resp *wire.Response) bool {
	return s.faults.Inject(fault.Exchange{
		Writer: w, Request: c.request, Response: resp, Finished: func(status int) { s.finish(c, status) },
	}, rule)
}

// Ledger returns the requests that match, oldest first, including those that are still being served.
func (s *Server) Ledger(filter Filter) []Entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ledger.Select(filter)
}

// ClearLedger forgets all requests. Their numbers continue from where they were.
func (s *Server) ClearLedger() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ledger.Clear()
}

// finish notes the status with which a request was answered, 0 if it was not.
func (s *Server) finish(c *call, status int) {
	now := s.clock.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ledger.Update(c.seq, func(e *Entry) { e.Status, e.Answered = status, &now })
}
