// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"slices"
	"time"
)

// Entry is one request in the ledger. It holds no token and no body.
type Entry struct {
	Seq        int64  `json:"seq"` // from 1, in the order of reception
	Account    string `json:"account,omitempty"`
	Method     string `json:"method"`
	Path       string `json:"path"`
	Route      string `json:"route,omitempty"` // e.g. /v1/imports/{id}, "" for a path that does not exist
	Query      string `json:"query,omitempty"`
	User       string `json:"user,omitempty"`   // email
	Source     string `json:"source,omitempty"` // as in the audit log
	RemoteAddr string `json:"remoteAddr,omitempty"`

	BodyBytes  int64  `json:"bodyBytes,omitempty"`
	BodySHA256 string `json:"bodySHA256,omitempty"`
	Records    int    `json:"records,omitempty"` // sent to invoke

	Applied   bool   `json:"applied"` // it changed the account, or wrote to the destination
	AppliedID string `json:"appliedId,omitempty"`
	Status    int    `json:"status"`          // 0: no answer, or none yet
	Fault     string `json:"fault,omitempty"` // rules that struck, as `phase:rule`

	Received time.Time  `json:"received"`
	Answered *time.Time `json:"answered,omitempty"` // nil while it is being served
}

// Filter selects ledger entries; what is left empty matches all.
type Filter struct {
	Account  string
	Method   string
	Route    string // e.g. /v1/imports/{id}/invoke
	Path     string // exact
	ID       string // of the import that was changed
	Source   string
	Applied  *bool
	Status   int
	AfterSeq int64
}

func (f Filter) matches(e *Entry) bool {
	return (f.Account == "" || f.Account == e.Account) &&
		(f.Method == "" || f.Method == e.Method) &&
		(f.Route == "" || f.Route == e.Route) &&
		(f.Path == "" || f.Path == e.Path) &&
		(f.ID == "" || f.ID == e.AppliedID) &&
		(f.Source == "" || f.Source == e.Source) &&
		(f.Applied == nil || *f.Applied == e.Applied) &&
		(f.Status == 0 || f.Status == e.Status) &&
		e.Seq > f.AfterSeq
}

// ledger is guarded by the server's mutex. Entries lie in the order of Seq
// without gaps, so an entry is found by its distance from the first.
type ledger struct {
	limit   int
	last    int64
	entries []Entry
}

func (l *ledger) open(e Entry) int64 {
	l.last++
	e.Seq = l.last
	if len(l.entries) >= l.limit { // forget a tenth at once, moving the rest costs
		l.entries = slices.Delete(l.entries, 0, max(1, l.limit/10))
	}
	l.entries = append(l.entries, e)
	return e.Seq
}

// update edits an entry that is still remembered.
func (l *ledger) update(seq int64, edit func(*Entry)) {
	if len(l.entries) == 0 {
		return
	}
	if i := seq - l.entries[0].Seq; i >= 0 && i < int64(len(l.entries)) {
		edit(&l.entries[i])
	}
}

// Ledger returns the requests that match, oldest first. A request that is still
// being served is among them.
func (s *Server) Ledger(filter Filter) []Entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Entry
	for i := range s.ledger.entries {
		if e := &s.ledger.entries[i]; filter.matches(e) {
			out = append(out, *e)
		}
	}
	return out
}

// ClearLedger forgets all requests; numbers go on from where they were.
func (s *Server) ClearLedger() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ledger.entries = nil
}

// finish notes how a request was answered; 0 stands for no answer.
func (s *Server) finish(c *call, status int) {
	now := s.clock.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ledger.update(c.seq, func(e *Entry) { e.Status, e.Answered = status, &now })
}
