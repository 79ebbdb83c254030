// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package ledger remembers the requests that the simulator received.
package ledger

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
	Status    int    `json:"status"`          // 0: no answer, or not yet answered
	Fault     string `json:"fault,omitempty"` // rules that fired, as `phase:rule`

	Received time.Time  `json:"received"`
	Answered *time.Time `json:"answered,omitempty"` // nil while it is being served
}

// Filter selects entries. An empty field matches all.
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

// Matches reports whether an entry is selected.
func (f Filter) Matches(e *Entry) bool {
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

// Ledger remembers the latest requests. It is not safe for concurrent use. Entries are in the order
// of Seq without gaps, so an entry is found by its distance from the first.
type Ledger struct {
	Limit   int // the number of entries to remember
	last    int64
	entries []Entry
}

// Open adds an entry and returns its Seq. If the ledger is full, the oldest entries are forgotten.
func (l *Ledger) Open(e Entry) int64 {
	l.last++
	e.Seq = l.last
	if len(l.entries) >= l.Limit { // forget a tenth at once: moving the others is expensive
		l.entries = slices.Delete(l.entries, 0, max(1, l.Limit/10))
	}
	l.entries = append(l.entries, e)
	return e.Seq
}

// Update edits an entry if it is still remembered.
func (l *Ledger) Update(seq int64, edit func(*Entry)) {
	if len(l.entries) == 0 {
		return
	}
	if i := seq - l.entries[0].Seq; i >= 0 && i < int64(len(l.entries)) {
		edit(&l.entries[i])
	}
}

// Select returns the entries that match, oldest first.
func (l *Ledger) Select(filter Filter) []Entry {
	var out []Entry
	for i := range l.entries {
		if e := &l.entries[i]; filter.Matches(e) {
			out = append(out, *e)
		}
	}
	return out
}

// Clear forgets all entries. Numbers continue from where they were.
func (l *Ledger) Clear() { l.entries = nil }
