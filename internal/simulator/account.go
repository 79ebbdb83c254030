// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/time/rate"

	"github.com/integrator-operator/integrator-operator/internal/simulator/destination"
	"github.com/integrator-operator/integrator-operator/internal/simulator/document"
)

// ErrNotExist is the error for an account, import, rule or other thing that does not exist.
var ErrNotExist = errors.New("does not exist")

// record is one import. Records in the recycle bin are complete.
type record struct {
	Position  int64     `json:"position"` // order of creation, which is the order of lists
	CreatedAt time.Time `json:"createdAt"`
	Doc       Document  `json:"document"` // with secrets
}

func (r *record) id() string { return document.Text(r.Doc, "_id") }

// account is guarded by the server's mutex.
type account struct {
	name        string
	tokens      map[string]User
	connections []Connection
	flows       []Flow
	imports     map[string]*record
	bin         map[string]*record
	listing     []*record                   // imports in order, nil if it has to be computed again
	audit       map[string][]AuditEntry     // by import, oldest first
	written     map[string]*destination.Log // by import
	limiter     *rate.Limiter
	lastStamp   time.Time
	lastPlace   int64
}

// AddAccount adds an account. Its imports may have fields that the server owns (`_id`, `createdAt`,
// `_connectorId`, …), which are kept. Everything else is checked and completed as in a POST.
func (s *Server) AddAccount(spec AccountSpec) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if spec.Name == "" {
		return fmt.Errorf("account: name is missing")
	}
	if _, exists := s.accounts[spec.Name]; exists {
		return fmt.Errorf("account %s exists already", spec.Name)
	}
	acct := s.newAccount(spec.Name)
	for _, c := range spec.Connections {
		if err := acct.addConnection(c); err != nil {
			return err
		}
	}
	for _, doc := range spec.Imports {
		if _, err := s.seedLocked(acct, doc); err != nil {
			return err
		}
	}
	for _, f := range spec.Flows {
		if err := acct.addFlow(f); err != nil {
			return err
		}
	}
	s.accounts[spec.Name] = acct
	for _, t := range spec.Tokens {
		if err := s.addTokenLocked(acct, t); err != nil {
			delete(s.accounts, spec.Name)
			return err
		}
	}
	return s.saveLocked()
}

// RemoveAccount removes an account and everything in it.
func (s *Server) RemoveAccount(name string) error {
	return s.inAccount(name, func(*account) error {
		delete(s.accounts, name)
		return nil
	})
}

// Reset removes all accounts, rules and ledger entries, and restores the default choices.
func (s *Server) Reset() error {
	s.ClearRules()
	s.ClearLedger()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.accounts = map[string]*account{}
	s.choices = DefaultChoices()
	return s.saveLocked()
}

func (s *Server) newAccount(name string) *account {
	return &account{
		name:    name,
		tokens:  map[string]User{},
		imports: map[string]*record{},
		bin:     map[string]*record{},
		audit:   map[string][]AuditEntry{},
		written: map[string]*destination.Log{},
		limiter: s.newLimiter(),
	}
}

// inAccount runs change on an account, and saves the state if it succeeds.
func (s *Server) inAccount(name string, change func(*account) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	acct, ok := s.accounts[name]
	if !ok {
		return fmt.Errorf("account %s %w", name, ErrNotExist)
	}
	if err := change(acct); err != nil {
		return err
	}
	return s.saveLocked()
}

// AddToken makes a token valid for an account.
func (s *Server) AddToken(accountName string, token Token) error {
	return s.inAccount(accountName, func(acct *account) error { return s.addTokenLocked(acct, token) })
}

func (s *Server) addTokenLocked(acct *account, token Token) error {
	if token.Token == "" {
		return fmt.Errorf("account %s: a token is empty", acct.name)
	}
	for _, other := range s.accounts {
		if _, taken := other.tokens[token.Token]; taken {
			return fmt.Errorf("account %s: a token is in use already", acct.name)
		}
	}
	user := token.User
	if user.Name == "" {
		user.Name = acct.name + " API"
	}
	if user.Email == "" {
		user.Email = "api@" + acct.name + ".example.com"
	}
	if user.ID == "" {
		user.ID = userID(user.Email)
	}
	acct.tokens[token.Token] = user
	return nil
}

// RevokeToken makes a token invalid: requests with it are answered with 401.
func (s *Server) RevokeToken(accountName, token string) error {
	return s.inAccount(accountName, func(acct *account) error {
		if _, ok := acct.tokens[token]; !ok {
			return fmt.Errorf("account %s: the token %w", accountName, ErrNotExist)
		}
		delete(acct.tokens, token)
		return nil
	})
}

// AddConnection adds a connection that imports may refer to.
func (s *Server) AddConnection(accountName string, c Connection) error {
	return s.inAccount(accountName, func(acct *account) error { return acct.addConnection(c) })
}

// RemoveConnection removes a connection. Imports that refer to it are not changed.
func (s *Server) RemoveConnection(accountName, id string) error {
	return s.inAccount(accountName, func(acct *account) error {
		if !acct.hasConnection(id) {
			return fmt.Errorf("account %s: connection %s %w", accountName, id, ErrNotExist)
		}
		acct.connections = slices.DeleteFunc(acct.connections, func(c Connection) bool { return c.ID == document.ID(id) })
		return nil
	})
}

func (acct *account) addConnection(c Connection) error {
	if !document.IsID(c.ID) {
		return fmt.Errorf("account %s: connection id %q is not 24 hex characters", acct.name, c.ID)
	}
	if acct.hasConnection(c.ID) {
		return fmt.Errorf("account %s: connection %s exists already", acct.name, c.ID)
	}
	c.ID = document.ID(c.ID)
	acct.connections = append(acct.connections, c)
	return nil
}

func (acct *account) hasConnection(id string) bool {
	return slices.ContainsFunc(acct.connections, func(c Connection) bool { return c.ID == document.ID(id) })
}

// AddFlow adds a flow, or replaces the one with its id.
func (s *Server) AddFlow(accountName string, f Flow) error {
	return s.inAccount(accountName, func(acct *account) error { return acct.addFlow(f) })
}

// RemoveFlow removes a flow. The imports that it used can then be deleted.
func (s *Server) RemoveFlow(accountName, id string) error {
	return s.inAccount(accountName, func(acct *account) error {
		before := len(acct.flows)
		acct.flows = slices.DeleteFunc(acct.flows, func(f Flow) bool { return f.ID == id })
		if len(acct.flows) == before {
			return fmt.Errorf("account %s: flow %s %w", accountName, id, ErrNotExist)
		}
		return nil
	})
}

func (acct *account) addFlow(f Flow) error {
	if !document.IsID(f.ID) || f.Name == "" {
		return fmt.Errorf("account %s: flow %q needs a name and an id of 24 hex characters", acct.name, f.ID)
	}
	f.Imports = slices.Clone(f.Imports)
	for i, id := range f.Imports {
		if f.Imports[i] = document.ID(id); acct.imports[f.Imports[i]] == nil {
			return fmt.Errorf("account %s: flow %s: import %s does not exist", acct.name, f.ID, id)
		}
	}
	if i := slices.IndexFunc(acct.flows, func(other Flow) bool { return other.ID == f.ID }); i >= 0 {
		acct.flows[i] = f
		return nil
	}
	acct.flows = append(acct.flows, f)
	return nil
}

func (acct *account) flowsUsing(importID string) []Flow {
	var using []Flow
	for _, f := range acct.flows {
		if slices.Contains(f.Imports, importID) {
			using = append(using, f)
		}
	}
	return using
}

// listed returns the imports in the order of lists. Callers must not change the slice.
func (acct *account) listed() []*record {
	if acct.listing == nil {
		acct.listing = inOrder(acct.imports)
	}
	return acct.listing
}

// put adds a record to the imports, take removes it.
func (acct *account) put(rec *record) {
	acct.imports[rec.id()] = rec
	acct.listing = nil
}

func (acct *account) take(rec *record) {
	delete(acct.imports, rec.id())
	acct.listing = nil
}

// inOrder returns records in the order of their creation.
func inOrder(records map[string]*record) []*record {
	out := make([]*record, 0, len(records))
	for _, r := range records {
		out = append(out, r)
	}
	slices.SortFunc(out, func(a, b *record) int { return int(a.Position - b.Position) })
	return out
}

// stamp returns the time of a change, in milliseconds. No two changes of an account have the same.
func (s *Server) stamp(acct *account) time.Time {
	now := s.clock.Now().UTC().Truncate(time.Millisecond)
	if !now.After(acct.lastStamp) {
		now = acct.lastStamp.Add(time.Millisecond)
	}
	acct.lastStamp = now
	return now
}

const timeFormat = "2006-01-02T15:04:05.000Z"

func formatTime(t time.Time) string { return t.UTC().Format(timeFormat) }

// Plant adds the accounts of a seed.
func (s *Server) Plant(seed Seed) error {
	for _, spec := range seed.Accounts {
		if err := s.AddAccount(spec); err != nil {
			return fmt.Errorf("seed: %w", err)
		}
	}
	return nil
}
