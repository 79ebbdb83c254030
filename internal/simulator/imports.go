// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"net/http"
	"strings"
)

// find looks an import up by the id in the path.
func (s *Server) find(c *call) (*record, *response) {
	id := c.id()
	if !objectID.MatchString(id) {
		refusal := fail(s.choices.MalformedIDStatus, castError("ObjectId", id, "_id"))
		return nil, &refusal
	}
	rec := c.account.imports[id]
	if rec == nil {
		refusal := failf(http.StatusNotFound, codeNotFound, "", "import %s does not exist", id)
		return nil, &refusal
	}
	return rec, nil
}

// readObject decodes a body that has to be a JSON object.
func readObject(c *call) (Document, *response) {
	doc, err := decodeObject(c.body)
	if err != nil {
		refusal := failf(http.StatusBadRequest, codeInvalidJSON, "", "%v", err)
		return nil, &refusal
	}
	return doc, nil
}

// createImport is POST /v1/imports.
func (s *Server) createImport(c *call) response {
	doc, refusal := readObject(c)
	if refusal != nil {
		return *refusal
	}
	for _, key := range serverOwned {
		delete(doc, key)
	}
	rec, problems := s.insert(c.account, doc, c.actor)
	if len(problems) > 0 {
		return fail(http.StatusUnprocessableEntity, problems...)
	}
	c.applied(rec.id())
	return answer(http.StatusCreated, shown(rec.Doc))
}

// prepare brings a document into the form in which it is stored.
func (s *Server) prepare(acct *account, doc Document, storedType string) []ErrorDetail {
	problems := dropUnknown(doc, s.choices.UnknownFields)
	a, unresolved := resolveAdaptor(doc, storedType)
	if len(unresolved) > 0 {
		v := &validation{doc: doc, problems: append(problems, unresolved...)}
		if blank(doc["name"]) {
			v.add(requiredError("name"))
		}
		return v.problems
	}
	normalise(doc, a, s.choices)
	return append(problems, acct.validate(doc, a, s.choices)...)
}

// insert stores a new import. What the server owns is added where it is absent.
func (s *Server) insert(acct *account, doc Document, by actor) (*record, []ErrorDetail) {
	if problems := s.prepare(acct, doc, ""); len(problems) > 0 {
		return nil, problems
	}
	now := s.stamp(acct)
	setDefault(doc, "_id", s.newID())
	setDefault(doc, "apiIdentifier", "i"+s.randomHex(9))
	setDefault(doc, "createdAt", formatTime(now))
	setDefault(doc, "lastModified", formatTime(now))
	setDefault(doc, "lastModifiedBy", by.user.ID)
	acct.lastPlace++
	rec := &record{Position: acct.lastPlace, CreatedAt: now, Doc: doc}
	acct.put(rec)
	s.log(acct, rec.id(), "create", by, nil)
	return rec, nil
}

// getImport is GET /v1/imports/{id}; include and exclude have no meaning here.
func (s *Server) getImport(c *call) response {
	rec, refusal := s.find(c)
	if refusal != nil {
		return *refusal
	}
	return answer(http.StatusOK, shown(rec.Doc))
}

// putImport is PUT /v1/imports/{id}: what the body leaves out is gone.
func (s *Server) putImport(c *call) response {
	rec, refusal := s.find(c)
	if refusal != nil {
		return *refusal
	}
	doc, refusal := readObject(c)
	if refusal != nil {
		return *refusal
	}
	if problems := s.replace(c.account, rec, doc, c.actor); len(problems) > 0 {
		return fail(http.StatusUnprocessableEntity, problems...)
	}
	c.applied(rec.id())
	return answer(http.StatusOK, shown(rec.Doc))
}

// replace puts a whole new document in the place of the stored one; only what
// the server owns outlives it.
func (s *Server) replace(acct *account, rec *record, doc Document, by actor) []ErrorDetail {
	for _, key := range serverOwned {
		delete(doc, key)
		if value, ok := rec.Doc[key]; ok {
			doc[key] = deepCopy(value)
		}
	}
	switch s.choices.AssistantMetadataOnPut {
	case AssistantMetadataIgnore:
		delete(doc, "assistantMetadata")
		if value, ok := rec.Doc["assistantMetadata"]; ok {
			doc["assistantMetadata"] = deepCopy(value)
		}
	case AssistantMetadataErase:
		delete(doc, "assistantMetadata")
	}
	if secret, ok := doc["encrypted"]; ok && s.choices.MaskedSecretKept {
		doc["encrypted"] = unmask(secret, rec.Doc["encrypted"])
	}
	if problems := s.prepare(acct, doc, text(rec.Doc, "adaptorType")); len(problems) > 0 {
		return problems
	}
	s.store(acct, rec, doc, by, s.choices.UnchangedPutTouchesLastModified)
	return nil
}

// store makes doc the content of an import and writes the audit entry. touch
// moves lastModified even when nothing changed.
func (s *Server) store(acct *account, rec *record, doc Document, by actor, touch bool) {
	changes := compare(shown(rec.Doc), shown(doc))
	secretChanged := !equal(rec.Doc["encrypted"], doc["encrypted"])
	if secretChanged && len(changes) == 0 {
		changes = []FieldChange{{FieldPath: "encrypted", OldValue: mask, NewValue: mask}}
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

// deleteImport is DELETE /v1/imports/{id}: into the recycle bin, unless a flow
// uses the import.
func (s *Server) deleteImport(c *call) response {
	rec, refusal := s.find(c)
	if refusal != nil {
		return *refusal
	}
	if problem := s.remove(c.account, rec, c.actor); problem != nil {
		return fail(s.choices.DeleteInUseStatus, *problem)
	}
	c.applied(rec.id())
	return answer(http.StatusNoContent, nil)
}

func (s *Server) remove(acct *account, rec *record, by actor) *ErrorDetail {
	if flows := acct.flowsUsing(rec.id()); len(flows) > 0 {
		names := make([]string, len(flows))
		for i, f := range flows {
			names[i] = f.Name
		}
		return &ErrorDetail{Code: codeInUse, Message: "the import is used by: " + strings.Join(names, ", ")}
	}
	acct.take(rec)
	acct.bin[rec.id()] = rec
	s.log(acct, rec.id(), "delete", by, nil)
	return nil
}

// dependencies is GET /v1/imports/{id}/dependencies.
func (s *Server) dependencies(c *call) response {
	rec, refusal := s.find(c)
	if refusal != nil {
		return *refusal
	}
	key := s.choices.DependencyIDKey
	out := Document{}
	for _, f := range c.account.flowsUsing(rec.id()) {
		list, _ := out["flows"].([]any)
		out["flows"] = append(list, Document{key: f.ID, "name": f.Name})
	}
	if s.choices.DependenciesListConnection {
		for _, connection := range c.account.connections {
			if connection.ID == rec.Doc["_connectionId"] {
				out["connections"] = []any{Document{key: connection.ID, "name": connection.Name}}
			}
		}
	}
	return answer(http.StatusOK, out)
}

// replaceConnection is PUT /v1/imports/{id}/replaceConnection.
func (s *Server) replaceConnection(c *call) response {
	const field = "_newConnectionId"
	rec, refusal := s.find(c)
	if refusal != nil {
		return *refusal
	}
	body, refusal := readObject(c)
	if refusal != nil {
		return *refusal
	}
	id, isText := body[field].(string)
	switch {
	case blank(body[field]):
		return fail(http.StatusUnprocessableEntity, requiredError(field))
	case !isText || !objectID.MatchString(id):
		return fail(http.StatusUnprocessableEntity, castError("ObjectId", body[field], field))
	case !c.account.hasConnection(id):
		return fail(http.StatusUnprocessableEntity, unknownConnection(field, id))
	}
	if a, _ := adaptorNamed(text(rec.Doc, "adaptorType")); a.noConnection {
		return failf(http.StatusUnprocessableEntity, codeUpdateNotAllowed, field, "%s has no connection", a.name)
	}
	doc := copyDocument(rec.Doc)
	doc["_connectionId"] = id
	s.store(c.account, rec, doc, c.actor, true)
	c.applied(rec.id())
	if s.choices.ReplaceConnectionAnswer == AnswerEmpty {
		return answer(http.StatusOK, nil)
	}
	return answer(http.StatusOK, shown(rec.Doc))
}
