// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package simulator

import "net/http"

// cloneImport is POST /v1/imports/{id}/clone. Nothing but the name and the
// connection of the copy can be chosen: other fields of the body are ignored.
func (s *Server) cloneImport(c *call) response {
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
		return fail(http.StatusUnprocessableEntity, castError("String", body["name"], "name"))
	}
	if name == "" {
		name = "Clone - " + text(source.Doc, "name")
	}
	connection, refusal := mapConnection(c.account, body["connectionMap"], text(source.Doc, "_connectionId"))
	if refusal != nil {
		return *refusal
	}

	doc := copyDocument(source.Doc)
	for _, key := range serverOwned {
		delete(doc, key)
	}
	delete(doc, "encrypted") // secrets have to be typed again after a copy
	if !s.choices.CloneKeepsExternalID {
		delete(doc, "externalId")
	}
	doc["name"] = name
	if connection != "" {
		doc["_connectionId"] = connection
	}
	doc["_sourceId"] = source.id()
	rec, problems := s.insert(c.account, doc, c.actor)
	if len(problems) > 0 {
		return fail(http.StatusUnprocessableEntity, problems...)
	}
	c.applied(rec.id())
	return answer(http.StatusCreated, s.cloneAnswer(rec))
}

func (s *Server) cloneAnswer(rec *record) any {
	switch s.choices.CloneAnswer {
	case CloneAnswerReference:
		return []any{Document{"model": "Import", "_id": rec.id(), "name": rec.Doc["name"]}}
	case CloneAnswerBare:
		return []any{Document{"model": "Import", "_id": rec.id()}}
	default:
		return shown(rec.Doc)
	}
}

// mapConnection looks the connection of the copy up in a connectionMap. Every
// entry of the map must lead to a connection of the account; a connection that
// the map does not name stays.
func mapConnection(acct *account, value any, current string) (string, *response) {
	invalid := func(format string, args ...any) (string, *response) {
		refusal := failf(http.StatusBadRequest, codeInvalidConnectionMap, "connectionMap", format, args...)
		return "", &refusal
	}
	if value == nil {
		return current, nil
	}
	connections, ok := value.(Document)
	if !ok {
		return invalid("connectionMap must be an object of old to new connection ids")
	}
	for _, from := range sortedKeys(connections) {
		to, _ := connections[from].(string)
		switch {
		case !objectID.MatchString(from):
			return invalid("%q is not a connection id", brief(from))
		case !objectID.MatchString(to):
			return invalid("%q is not a connection id", brief(connections[from]))
		case !acct.hasConnection(to):
			return invalid("connection %s does not exist", to)
		}
	}
	if to, mapped := connections[current].(string); mapped {
		return to, nil
	}
	return current, nil
}
