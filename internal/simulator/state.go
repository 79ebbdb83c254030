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
)

// state is what outlives a restart: everything but ledger, rules and buckets.
type state struct {
	Choices  Choices        `json:"choices"`
	Accounts []accountState `json:"accounts"`
}

type accountState struct {
	Name        string                  `json:"name"`
	Tokens      []Token                 `json:"tokens"`
	Connections []Connection            `json:"connections"`
	Flows       []Flow                  `json:"flows"`
	Imports     []*record               `json:"imports"`
	RecycleBin  []*record               `json:"recycleBin"`
	Audit       map[string][]AuditEntry `json:"audit"`
	Written     map[string]*writtenLog  `json:"written"`
	LastStamp   time.Time               `json:"lastStamp"`
	LastPlace   int64                   `json:"lastPosition"`
}

// KeepState loads the state from a file, if it exists, and keeps it there from
// now on: the file is replaced as a whole, before a change is answered. It holds
// tokens and secrets, so only its owner can read it. Each change writes all of
// the state: this is for demos, not for large accounts. It returns whether
// there was a state to load, which replaces all accounts and choices.
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
	if err := decodeState(data, &saved); err != nil {
		return err
	}
	if err := saved.Choices.validate(); err != nil {
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

// saveLocked writes the state, if it is kept.
func (s *Server) saveLocked() error {
	if s.stateFile == "" {
		return nil
	}
	out := state{Choices: s.choices}
	for _, name := range sortedKeys(s.accounts) {
		acct := s.accounts[name]
		saved := accountState{
			Name: name, Connections: acct.connections, Flows: acct.flows,
			Imports: acct.listed(), RecycleBin: inOrder(acct.bin),
			Audit: acct.audit, Written: acct.written, LastStamp: acct.lastStamp, LastPlace: acct.lastPlace,
		}
		for _, token := range sortedKeys(acct.tokens) {
			saved.Tokens = append(saved.Tokens, Token{Token: token, User: acct.tokens[token]})
		}
		out.Accounts = append(out.Accounts, saved)
	}
	data, err := encode(out)
	if err == nil {
		err = replaceFile(s.stateFile, data)
	}
	if err != nil {
		return fmt.Errorf("state: %w", err)
	}
	return nil
}

// replaceFile leaves the old content or the new, whenever the process ends.
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
