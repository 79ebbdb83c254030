// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/integrator-operator/integrator-operator/internal/simulator/destination"
	"github.com/integrator-operator/integrator-operator/internal/simulator/document"
	"github.com/integrator-operator/integrator-operator/internal/simulator/wire"
)

// state is what is kept across a restart: everything except the ledger, the rules and the buckets.
type state struct {
	Choices  Choices        `json:"choices"`
	Accounts []accountState `json:"accounts"`
}

type accountState struct {
	Name        string                      `json:"name"`
	Tokens      []Token                     `json:"tokens"`
	Connections []Connection                `json:"connections"`
	Flows       []Flow                      `json:"flows"`
	Imports     []*record                   `json:"imports"`
	RecycleBin  []*record                   `json:"recycleBin"`
	Audit       map[string][]AuditEntry     `json:"audit"`
	Written     map[string]*destination.Log `json:"written"`
	LastStamp   time.Time                   `json:"lastStamp"`
	LastPlace   int64                       `json:"lastPosition"`
}

// KeepState loads the state from a file, if that exists, and writes it there from now on. The state
// replaces all accounts and choices. loaded reports whether there was one.
//
// The file is replaced as a whole before a change is answered. It holds tokens and secrets, so only
// its owner can read it. Every change writes the whole state: this is for demos, not for large
// accounts.
func (s *Server) KeepState(file string) (loaded bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	data, err := os.ReadFile(file) //nolint:gosec // the file is the user's choice
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return false, fmt.Errorf("state: %w", err)
	default:
		if err := s.loadLocked(data); err != nil {
			return false, fmt.Errorf("state: %s: %w", file, err)
		}
		loaded = true
	}
	s.stateFile = file
	return loaded, s.saveLocked()
}

func (s *Server) loadLocked(data []byte) error {
	saved := state{Choices: DefaultChoices()}
	if err := document.DecodeState(data, &saved); err != nil {
		return err
	}
	if err := saved.Choices.Validate(); err != nil {
		return err
	}
	accounts := map[string]*account{}
	for _, from := range saved.Accounts {
		acct := s.newAccount(from.Name)
		acct.connections, acct.flows = from.Connections, from.Flows
		acct.lastStamp, acct.lastPlace = from.LastStamp, from.LastPlace
		for _, t := range from.Tokens {
			acct.tokens[t.Token] = t.User
		}
		for _, rec := range from.Imports {
			acct.put(rec)
		}
		for _, rec := range from.RecycleBin {
			acct.bin[rec.id()] = rec
		}
		for id, entries := range from.Audit {
			acct.audit[id] = entries
		}
		for id, log := range from.Written {
			for _, record := range log.Records {
				log.Bytes += len(record)
			}
			acct.written[id] = log
		}
		accounts[from.Name] = acct
	}
	s.accounts, s.choices = accounts, saved.Choices
	return nil
}

// saveLocked writes the state, if KeepState was called.
func (s *Server) saveLocked() error {
	if s.stateFile == "" {
		return nil
	}
	out := state{Choices: s.choices}
	for _, name := range document.SortedKeys(s.accounts) {
		acct := s.accounts[name]
		saved := accountState{
			Name: name, Connections: acct.connections, Flows: acct.flows,
			Imports: acct.listed(), RecycleBin: inOrder(acct.bin),
			Audit: acct.audit, Written: acct.written, LastStamp: acct.lastStamp, LastPlace: acct.lastPlace,
		}
		for _, token := range document.SortedKeys(acct.tokens) {
			saved.Tokens = append(saved.Tokens, Token{Token: token, User: acct.tokens[token]})
		}
		out.Accounts = append(out.Accounts, saved)
	}
	data, err := wire.Encode(out)
	if err == nil {
		err = replaceFile(s.stateFile, data)
	}
	if err != nil {
		return fmt.Errorf("state: %w", err)
	}
	return nil
}

// replaceFile replaces a file. Whenever the process ends, the file has the old content or the new.
func replaceFile(name string, data []byte) (err error) {
	temp, err := os.CreateTemp(filepath.Dir(name), filepath.Base(name)+".*") // mode 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(temp.Name())
		}
	}()
	_, err = temp.Write(data)
	if err == nil {
		err = temp.Sync()
	}
	if closeErr := temp.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return err
	}
	return os.Rename(temp.Name(), name)
}
