// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/integrator-operator/integrator-operator/internal/simulator/document"
)

// AccountReport is an account without its secrets.
type AccountReport struct {
	Name        string       `json:"name"`
	Tokens      int          `json:"tokens"`
	Connections []Connection `json:"connections"`
	Flows       []Flow       `json:"flows"`
	Imports     int          `json:"imports"`
	RecycleBin  int          `json:"recycleBin"`
}

// Accounts returns all accounts, by name.
func (s *Server) Accounts() []AccountReport {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := []AccountReport{}
	for _, name := range document.SortedKeys(s.accounts) {
		acct := s.accounts[name]
		out = append(out, AccountReport{
			Name: name, Tokens: len(acct.tokens), Imports: len(acct.imports), RecycleBin: len(acct.bin),
			Connections: append([]Connection{}, acct.connections...), Flows: append([]Flow{}, acct.flows...),
		})
	}
	return out
}

// seeder is the author of seeded imports.
var seeder = actor{source: "ui", user: User{ID: userID("owner@example.com"), Email: "owner@example.com", Name: "Account Owner"}}

// SeedImport adds an import to an account without a request and returns its id. doc may be a
// Document, raw JSON or a struct. Fields that the server owns are kept, and everything else is checked
// and completed as in a POST.
func (s *Server) SeedImport(accountName string, doc any) (string, error) {
	var id string
	err := s.inAccount(accountName, func(acct *account) error {
		var err error
		id, err = s.seedLocked(acct, doc)
		return err
	})
	return id, err
}

func (s *Server) seedLocked(acct *account, source any) (string, error) {
	doc, err := document.From(source)
	if err != nil {
		return "", fmt.Errorf("account %s: import: %w", acct.name, err)
	}
	if id, given := doc["_id"]; given {
		text, _ := id.(string)
		if text = document.ID(text); !document.IsID(text) || acct.imports[text] != nil || acct.bin[text] != nil {
			return "", fmt.Errorf("account %s: import _id %v is malformed or taken", acct.name, id)
		}
		doc["_id"] = text
	}
	rec, problems := s.insert(acct, doc, seeder)
	if len(problems) > 0 {
		return "", fmt.Errorf("account %s: import %q: %w", acct.name, document.Text(doc, "name"), asError(problems))
	}
	return rec.id(), nil
}

// asError returns the problems of a document as one error.
func asError(problems []ErrorDetail) error {
	messages := make([]string, len(problems))
	for i, p := range problems {
		messages[i] = p.Code + ": " + p.Message
	}
	return fmt.Errorf("%s", strings.Join(messages, "; "))
}

// Import returns a copy of an import as it is stored, with its secrets. ok is false if it does not
// exist.
func (s *Server) Import(accountName, id string) (doc Document, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	acct := s.accounts[accountName]
	if acct == nil || acct.imports[id] == nil {
		return nil, false
	}
	return document.Copy(acct.imports[id].Doc), true
}

// Imports returns copies of all imports of an account, oldest first.
func (s *Server) Imports(accountName string) []Document { return s.documents(accountName, false) }

// RecycleBin returns copies of the deleted imports of an account.
func (s *Server) RecycleBin(accountName string) []Document { return s.documents(accountName, true) }

func (s *Server) documents(accountName string, deleted bool) []Document {
	s.mu.Lock()
	defer s.mu.Unlock()
	acct := s.accounts[accountName]
	if acct == nil {
		return nil
	}
	records := acct.imports
	if deleted {
		records = acct.bin
	}
	var out []Document
	for _, rec := range inOrder(records) {
		out = append(out, document.Copy(rec.Doc))
	}
	return out
}

// EditAs changes an import as a user does in the UI: edit changes the stored document, and the result
// replaces the import as in a PUT.
func (s *Server) EditAs(user User, accountName, id string, edit func(Document)) error {
	return s.onImport(accountName, id, func(acct *account, rec *record) error {
		doc := document.Copy(rec.Doc)
		edit(doc)
		doc, err := document.From(doc) // edit may have used any Go type
		if err != nil {
			return err
		}
		if problems := s.replace(acct, rec, doc, inUI(user)); len(problems) > 0 {
			return asError(problems)
		}
		return nil
	})
}

// DeleteAs deletes an import as a user does in the UI.
func (s *Server) DeleteAs(user User, accountName, id string) error {
	return s.onImport(accountName, id, func(acct *account, rec *record) error {
		if problem := s.remove(acct, rec, inUI(user)); problem != nil {
			return asError([]ErrorDetail{*problem})
		}
		return nil
	})
}

// Restore brings an import back from the recycle bin, with its `_id`.
func (s *Server) Restore(accountName, id string) error {
	return s.inAccount(accountName, func(acct *account) error {
		rec := acct.bin[id]
		if rec == nil {
			return fmt.Errorf("account %s: import %s %w in the recycle bin", accountName, id, ErrNotExist)
		}
		delete(acct.bin, id)
		acct.put(rec)
		s.log(acct, id, "restore", seeder, nil)
		return nil
	})
}

func (s *Server) onImport(accountName, id string, change func(*account, *record) error) error {
	return s.inAccount(accountName, func(acct *account) error {
		rec := acct.imports[id]
		if rec == nil {
			return fmt.Errorf("account %s: import %s %w", accountName, id, ErrNotExist)
		}
		if err := change(acct, rec); err != nil {
			return fmt.Errorf("account %s: import %s: %w", accountName, id, err)
		}
		return nil
	})
}

// inUI returns a user as the author of a change in the UI.
func inUI(user User) actor {
	if user.ID == "" {
		user.ID = userID(user.Email)
	}
	return actor{user: user, source: "ui"}
}

// Written returns the records that reached the destination through an import, in order, and their
// number. If there are very many, only the first ones are returned.
func (s *Server) Written(accountName, importID string) (records []json.RawMessage, count int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	acct := s.accounts[accountName]
	if acct == nil || acct.written[importID] == nil {
		return nil, 0
	}
	return slices.Clone(acct.written[importID].Records), acct.written[importID].Count
}
