// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"fmt"
	"strings"
)

// seeder is who made the imports that were there from the start.
var seeder = actor{source: "ui", user: User{ID: userID("owner@example.com"), Email: "owner@example.com", Name: "Account Owner"}}

// SeedImport puts an import into an account without a request and returns its
// id. doc may be a Document, raw JSON or a struct; fields that the server owns
// are kept, the rest is checked and completed as in a POST.
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
	doc, err := toDocument(source)
	if err != nil {
		return "", fmt.Errorf("account %s: import: %w", acct.name, err)
	}
	if id, given := doc["_id"]; given {
		if asText, _ := id.(string); !objectID.MatchString(asText) || acct.imports[asText] != nil || acct.bin[asText] != nil {
			return "", fmt.Errorf("account %s: import _id %v is malformed or taken", acct.name, id)
		}
	}
	rec, problems := s.insert(acct, doc, seeder)
	if len(problems) > 0 {
		return "", fmt.Errorf("account %s: import %q: %w", acct.name, text(doc, "name"), asError(problems))
	}
	return rec.id(), nil
}

func asError(problems []ErrorDetail) error {
	messages := make([]string, len(problems))
	for i, p := range problems {
		messages[i] = p.Code + ": " + p.Message
	}
	return fmt.Errorf("%s", strings.Join(messages, "; "))
}

// Import returns a copy of an import as it is stored, with its secrets. ok is
// false when there is none.
func (s *Server) Import(accountName, id string) (doc Document, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	acct := s.accounts[accountName]
	if acct == nil || acct.imports[id] == nil {
		return nil, false
	}
	return copyDocument(acct.imports[id].Doc), true
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
		out = append(out, copyDocument(rec.Doc))
	}
	return out
}

// EditAs changes an import as a user does in the UI: edit gets the stored
// document, and what it makes of it replaces the import as a PUT would.
func (s *Server) EditAs(user User, accountName, id string, edit func(Document)) error {
	return s.onImport(accountName, id, func(acct *account, rec *record) error {
		doc := copyDocument(rec.Doc)
		edit(doc)
		doc, err := toDocument(doc) // the editor may have used any Go type
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
			return fmt.Errorf("account %s: import %s %w in the recycle bin", accountName, id, errNotExist)
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
			return fmt.Errorf("account %s: import %s %w", accountName, id, errNotExist)
		}
		if err := change(acct, rec); err != nil {
			return fmt.Errorf("account %s: import %s: %w", accountName, id, err)
		}
		return nil
	})
}

func inUI(user User) actor {
	if user.ID == "" {
		user.ID = userID(user.Email)
	}
	return actor{user: user, source: "ui"}
}
