// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"errors"
	"fmt"
	"net/http"
	"path"
	"slices"
	"strconv"
)

// Phase is when a rule strikes.
type Phase string

const (
	// PhaseBefore strikes when the request has been read and nothing of it was
	// done: neither authentication nor the rate limit, let alone the change.
	PhaseBefore Phase = "before"
	// PhaseAfter strikes when the request has been applied and its answer is
	// about to be sent.
	PhaseAfter Phase = "after"
)

// ActionKind is what a rule does to a request.
type ActionKind string

const (
	// ActionAnswer sends Status with Body, or with a body that fits the status.
	ActionAnswer ActionKind = "answer"
	// ActionReset ends the connection with a TCP reset.
	ActionReset ActionKind = "reset"
	// ActionHang sends nothing until DelayMillis are over, the rule is released
	// or the client goes away, then closes the connection.
	ActionHang ActionKind = "hang"
	// ActionLatency waits for DelayMillis, or until the rule is released, and
	// goes on, even if the client has gone away meanwhile: with PhaseBefore it is
	// the request that is applied after its sender has given up.
	ActionLatency ActionKind = "latency"
	// ActionDrip sends the answer slowly: Bytes at a time, DelayMillis between.
	ActionDrip ActionKind = "drip"
	// ActionEndless sends blanks, Bytes at a time, DelayMillis between, for ever,
	// with Status 200: the beginning of JSON that never comes.
	ActionEndless ActionKind = "endless"
	// ActionTruncate announces the whole answer and sends the first Bytes of it.
	ActionTruncate ActionKind = "truncate"
	// ActionGarbage sends bytes that are neither JSON nor text, with Status 200.
	ActionGarbage ActionKind = "garbage"
	// ActionRedirect sends Status (307) with Location.
	ActionRedirect ActionKind = "redirect"
	// ActionOversize sends a JSON object of Bytes, compressed when the client
	// takes that.
	ActionOversize ActionKind = "oversize"
	// ActionOtherID sends the answer with ID in the place of its `_id`.
	ActionOtherID ActionKind = "otherId"
	// ActionFields sends the answer with the fields of Body, a JSON object, in the
	// place of its own, in each document of a list.
	ActionFields ActionKind = "fields"
)

// Action is what a rule does; which fields count depends on Kind.
type Action struct {
	Kind        ActionKind `json:"kind"`
	Status      int        `json:"status,omitempty"`
	Body        string     `json:"body,omitempty"`
	ContentType string     `json:"contentType,omitempty"` // default application/json, or text/html with HTML
	HTML        bool       `json:"html,omitempty"`        // the body that fits the status is a web page
	RetryAfter  string     `json:"retryAfter,omitempty"`  // seconds or an HTTP date, as it is
	DelayMillis int64      `json:"delayMillis,omitempty"` // of the simulator's clock
	Bytes       int64      `json:"bytes,omitempty"`
	Location    string     `json:"location,omitempty"`
	ID          string     `json:"id,omitempty"`
}

// Rule makes requests fail. What is left empty matches every request. Of the
// requests that match, those numbered Nth, Nth+Every, Nth+2·Every, … are
// struck, Count of them at most. One rule strikes per phase: the oldest.
type Rule struct {
	ID      string `json:"id"` // made by the simulator
	Account string `json:"account,omitempty"`
	Method  string `json:"method,omitempty"`
	Path    string `json:"path,omitempty"`  // glob as of path.Match: /v1/imports/*
	Route   string `json:"route,omitempty"` // as in the ledger: /v1/imports/{id}
	Source  string `json:"source,omitempty"`
	Nth     int    `json:"nth,omitempty"`   // default 1
	Every   int    `json:"every,omitempty"` // default 1
	Count   int    `json:"count,omitempty"` // default: no bound
	Phase   Phase  `json:"phase"`
	Action  Action `json:"action"`

	// Told by the simulator.
	Matched int `json:"matched"`
	Fired   int `json:"fired"`
}

// rule is a Rule in force.
type rule struct {
	Rule
	release chan struct{} // closed to let go what the rule holds
}

// faults is guarded by the server's mutex.
type faults struct {
	last  int
	rules []*rule
}

// AddRule puts a rule into force and returns its id.
func (s *Server) AddRule(r Rule) (string, error) {
	if err := r.check(); err != nil {
		return "", fmt.Errorf("rule: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults.last++
	r.ID = "rule-" + strconv.Itoa(s.faults.last)
	r.Nth, r.Every = max(r.Nth, 1), max(r.Every, 1)
	r.Matched, r.Fired = 0, 0
	s.faults.rules = append(s.faults.rules, &rule{Rule: r, release: make(chan struct{})})
	return r.ID, nil
}

func (r Rule) check() error {
	if r.Phase != PhaseBefore && r.Phase != PhaseAfter {
		return fmt.Errorf("phase %q is neither before nor after", r.Phase)
	}
	if _, err := path.Match(r.Path, ""); err != nil {
		return fmt.Errorf("path: %w", err)
	}
	if r.Nth < 0 || r.Every < 0 || r.Count < 0 || r.Action.DelayMillis < 0 || r.Action.Bytes < 0 {
		return errors.New("nth, every, count, delayMillis and bytes cannot be negative")
	}
	a := r.Action
	switch a.Kind {
	case ActionAnswer:
		if a.Status < 200 || a.Status > 599 {
			return fmt.Errorf("action answer: status %d is not an answer", a.Status)
		}
	case ActionReset, ActionHang, ActionLatency, ActionGarbage, ActionEndless:
	case ActionRedirect:
		if a.Location == "" {
			return errors.New("action redirect: location is missing")
		}
	case ActionOversize:
		if a.Bytes == 0 {
			return errors.New("action oversize: bytes is missing")
		}
	case ActionDrip, ActionTruncate, ActionOtherID, ActionFields:
		if r.Phase == PhaseBefore {
			return fmt.Errorf("action %s needs an answer: phase must be after", a.Kind)
		}
		if a.Kind == ActionOtherID && a.ID == "" {
			return errors.New("action otherId: id is missing")
		}
		if _, err := decodeObject([]byte(a.Body)); a.Kind == ActionFields && err != nil {
			return fmt.Errorf("action fields: body: %w", err)
		}
	default:
		return fmt.Errorf("action kind %q does not exist", a.Kind)
	}
	return nil
}

// Rules returns the rules in force with how often they matched and fired.
func (s *Server) Rules() []Rule {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]Rule, len(s.faults.rules))
	for i, r := range s.faults.rules {
		out[i] = r.Rule
	}
	return out
}

// ReleaseRule lets go the requests that a rule holds, and those to come.
func (s *Server) ReleaseRule(id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.ruleIndex(id)
	if i < 0 {
		return fmt.Errorf("rule %s %w", id, errNotExist)
	}
	s.faults.rules[i].letGo()
	return nil
}

// RemoveRule ends a rule and lets go the requests that it holds.
func (s *Server) RemoveRule(id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.ruleIndex(id)
	if i < 0 {
		return fmt.Errorf("rule %s %w", id, errNotExist)
	}
	s.faults.rules[i].letGo()
	s.faults.rules = slices.Delete(s.faults.rules, i, i+1)
	return nil
}

// ClearRules ends all rules and lets go the requests that they hold.
func (s *Server) ClearRules() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.faults.rules {
		r.letGo()
	}
	s.faults.rules = nil
}

func (s *Server) ruleIndex(id string) int {
	return slices.IndexFunc(s.faults.rules, func(r *rule) bool { return r.ID == id })
}

// letGo runs under the server's mutex.
func (r *rule) letGo() {
	select {
	case <-r.release:
	default:
		close(r.release)
	}
}

// matchFault counts the request for every rule that it matches, and returns the
// first of them that strikes.
func (s *Server) matchFault(phase Phase, c *call) *rule {
	s.mu.Lock()
	defer s.mu.Unlock()
	var struck *rule
	for _, r := range s.faults.rules {
		if r.Phase != phase || !r.matches(c) {
			continue
		}
		r.Matched++
		due := r.Matched >= r.Nth && (r.Matched-r.Nth)%r.Every == 0 && (r.Count == 0 || r.Fired < r.Count)
		if struck == nil && due {
			r.Fired++
			struck = r
		}
	}
	if struck != nil {
		s.ledger.update(c.seq, func(e *Entry) {
			if e.Fault != "" {
				e.Fault += ","
			}
			e.Fault += string(phase) + ":" + struck.ID
		})
	}
	return struck
}

func (r *rule) matches(c *call) bool {
	if r.Account != "" && (c.account == nil || c.account.name != r.Account) {
		return false
	}
	if r.Path != "" {
		if ok, _ := path.Match(r.Path, c.request.URL.Path); !ok {
			return false
		}
	}
	return (r.Method == "" || r.Method == c.request.Method) &&
		(r.Route == "" || r.Route == c.route) &&
		(r.Source == "" || r.Source == c.actor.source)
}

// body is what an answer of this status has when the rule does not say.
func (a Action) body() (content, contentType string) {
	switch {
	case a.Body != "":
		content = a.Body
	case a.HTML:
		content = fmt.Sprintf("<html><head><title>%d %s</title></head><body><center><h1>%[1]d %[2]s</h1></center></body></html>\n", a.Status, http.StatusText(a.Status))
	case a.Status == http.StatusUnauthorized:
		content = `{"message":"Unauthorized"}`
	case a.Status == http.StatusTooManyRequests:
		content = `{"errors":[{"code":"rate_limited","message":"Too many requests. Retry after ` + a.RetryAfter + ` seconds."}]}`
	default:
		content = fmt.Sprintf(`{"errors":[{"code":"injected","message":"%d %s"}]}`, a.Status, http.StatusText(a.Status))
	}
	contentType = a.ContentType
	switch {
	case contentType != "":
	case a.HTML:
		contentType = "text/html; charset=utf-8"
	default:
		contentType = "application/json; charset=utf-8"
	}
	return content, contentType
}
