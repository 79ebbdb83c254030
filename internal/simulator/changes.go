// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"encoding/hex"
	"fmt"
	"io"
	"strings"

	"github.com/integrator-operator/integrator-operator/internal/simulator/document"
	"github.com/integrator-operator/integrator-operator/internal/simulator/wire"
)

// prepare brings a document into the form in which it is stored, and returns what is wrong with it.
func (s *Server) prepare(acct *account, doc Document, storedType string) []ErrorDetail {
	if problems := document.Prepare(doc, storedType, s.choices, acct.hasConnection); len(problems) > 0 {
		return problems
	}
	if s.choices.ElementIDs {
		document.AddElementIDs(doc, s.newID)
	}
	return nil
}

// storedID returns an id as the API stores it.
func (s *Server) storedID(id string) string {
	if s.choices.LowerCaseIDs {
		return document.ID(id)
	}
	return id
}

// insert stores a new import. Fields that the server owns are added if they are absent.
func (s *Server) insert(acct *account, doc Document, by actor) (*record, []ErrorDetail) {
	if problems := s.prepare(acct, doc, ""); len(problems) > 0 {
		return nil, problems
	}
	now := s.stamp(acct)
	document.SetDefault(doc, "_id", s.newID())
	document.SetDefault(doc, "apiIdentifier", "i"+s.randomHex(9))
	document.SetDefault(doc, "createdAt", formatTime(now))
	document.SetDefault(doc, "lastModified", formatTime(now))
	document.SetDefault(doc, "lastModifiedBy", by.user.ID)
	acct.lastPlace++
	rec := &record{Position: acct.lastPlace, CreatedAt: now, Doc: doc}
	acct.put(rec)
	s.log(acct, rec.id(), "create", by, nil)
	return rec, nil
}

// replace replaces the stored document. Only the fields that the server owns are kept.
func (s *Server) replace(acct *account, rec *record, doc Document, by actor) []ErrorDetail {
	document.KeepServerMade(doc, rec.Doc)
	switch s.choices.AssistantMetadataOnPut {
	case AssistantMetadataIgnore:
		delete(doc, "assistantMetadata")
		if value, ok := rec.Doc["assistantMetadata"]; ok {
			doc["assistantMetadata"] = document.DeepCopy(value)
		}
	case AssistantMetadataErase:
		delete(doc, "assistantMetadata")
	}
	if secret, ok := doc["encrypted"]; ok && s.choices.MaskedSecretKept {
		doc["encrypted"] = document.Unmask(secret, rec.Doc["encrypted"])
	}
	if problems := s.prepare(acct, doc, document.Text(rec.Doc, "adaptorType")); len(problems) > 0 {
		return problems
	}
	s.store(acct, rec, doc, by, s.choices.UnchangedPutTouchesLastModified)
	return nil
}

// store makes doc the document of an import and writes the audit entry. touch changes lastModified
// even if nothing else changed.
func (s *Server) store(acct *account, rec *record, doc Document, by actor, touch bool) {
	changes := document.Compare(document.Shown(rec.Doc), document.Shown(doc))
	secretChanged := !document.Equal(rec.Doc["encrypted"], doc["encrypted"])
	if secretChanged && len(changes) == 0 {
		changes = []FieldChange{{FieldPath: "encrypted", OldValue: document.Mask, NewValue: document.Mask}}
	}
	if touch || len(changes) > 0 {
		doc["lastModified"] = formatTime(s.stamp(acct))
		doc["lastModifiedBy"] = by.user.ID
	}
	rec.Doc = doc
	if len(changes) > 0 {
		s.log(acct, rec.id(), "update", by, changes)
	}
}

// remove moves an import to the recycle bin, unless a flow uses it.
func (s *Server) remove(acct *account, rec *record, by actor) *ErrorDetail {
	if flows := acct.flowsUsing(rec.id()); len(flows) > 0 {
		names := make([]string, len(flows))
		for i, f := range flows {
			names[i] = f.Name
		}
		return &ErrorDetail{Code: wire.CodeInUse, Message: "the import is used by: " + strings.Join(names, ", ")}
	}
	acct.take(rec)
	acct.bin[rec.id()] = rec
	s.log(acct, rec.id(), "delete", by, nil)
	return nil
}

// newID returns an id of 24 hex characters. The first eight are the time.
func (s *Server) newID() string {
	return fmt.Sprintf("%08x%s", s.clock.Now().Unix()&0xffffffff, s.randomHex(16))
}

func (s *Server) randomHex(digits int) string {
	buf := make([]byte, (digits+1)/2)
	if _, err := io.ReadFull(s.random, buf); err != nil {
		panic(fmt.Sprintf("simulator: no random bytes: %v", err))
	}
	return hex.EncodeToString(buf)[:digits]
}
