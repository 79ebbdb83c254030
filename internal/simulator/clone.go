// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"net/http"
	"strings"

	"github.com/integrator-operator/integrator-operator/internal/simulator/document"
	"github.com/integrator-operator/integrator-operator/internal/simulator/wire"
)

// cloneImport is POST /v1/imports/{id}/clone. The body sets the name and the connection of the copy.
// Its other fields are ignored.
func (s *Server) cloneImport(c *call) wire.Response {
	source, refusal := s.find(c)
	if refusal != nil {
		return *refusal
	}
	body, refusal := readObject(c)
	if refusal != nil {
		return *refusal
	}
	name, isText := body["name"].(string)
	if body["name"] != nil && !isText {
		return wire.Fail(http.StatusUnprocessableEntity, wire.CastError("String", body["name"], "name"))
	}
	if name == "" {
		name = "Clone - " + document.Text(source.Doc, "name")
	}
	connection, refusal := mapConnection(c.account, body["connectionMap"], document.Text(source.Doc, "_connectionId"))
	if refusal != nil {
		return *refusal
	}

	rec, problems := s.copyImport(c.account, source, name, connection, c.actor)
	if len(problems) > 0 {
		return wire.Fail(http.StatusUnprocessableEntity, problems...)
	}
	c.applied(rec.id())
	return wire.Answer(http.StatusCreated, s.cloneAnswer(rec))
}

// copyImport adds a copy of an import. A connection of "" stays the original's.
func (s *Server) copyImport(acct *account, source *record, name, connection string, by actor) (*record, []ErrorDetail) {
	doc := document.Copy(source.Doc)
	for _, key := range document.ServerOwned {
		delete(doc, key)
	}
	delete(doc, "encrypted") // secrets are not copied
	if !s.choices.CloneKeepsExternalID {
		delete(doc, "externalId")
	}
	doc["name"] = name
	if connection != "" {
		doc["_connectionId"] = connection
	}
	doc["_sourceId"] = source.id()
	return s.insert(acct, doc, by)
}

// CloneAs clones an import as a user does in the UI, and returns the id of the clone.
func (s *Server) CloneAs(user User, accountName, id, name string) (clone string, err error) {
	err = s.onImport(accountName, id, func(acct *account, rec *record) error {
		copied, problems := s.copyImport(acct, rec, name, "", inUI(user))
		if len(problems) > 0 {
			return asError(problems)
		}
		clone = copied.id()
		return nil
	})
	return clone, err
}

func (s *Server) cloneAnswer(rec *record) any {
	switch s.choices.CloneAnswer {
	case CloneAnswerReference:
		return []any{Document{"model": "Import", "_id": rec.id(), "name": rec.Doc["name"]}}
	case CloneAnswerBare:
		return []any{Document{"model": "Import", "_id": rec.id()}}
	default:
		return document.Shown(rec.Doc)
	}
}

// mapConnection finds the connection of the copy in a connectionMap. Every entry of the map must lead
// to a connection of the account. A connection that is not in the map is kept.
func mapConnection(acct *account, value any, current string) (string, *wire.Response) {
	invalid := func(format string, args ...any) (string, *wire.Response) {
		refusal := wire.Failf(http.StatusBadRequest, wire.CodeInvalidConnectionMap, "connectionMap", format, args...)
		return "", &refusal
	}
	if value == nil {
		return current, nil
	}
	connections, ok := value.(Document)
	if !ok {
		return invalid("connectionMap must be an object of old to new connection ids")
	}
	for _, from := range document.SortedKeys(connections) {
		to, _ := connections[from].(string)
		switch {
		case !document.IsID(from):
			return invalid("%q is not a connection id", wire.Brief(from))
		case !document.IsID(to):
			return invalid("%q is not a connection id", wire.Brief(connections[from]))
		case !acct.hasConnection(to):
			return invalid("connection %s does not exist", to)
		}
	}
	for _, from := range document.SortedKeys(connections) {
		if strings.EqualFold(from, current) {
			return connections[from].(string), nil
		}
	}
	return current, nil
}
