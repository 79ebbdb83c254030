// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/integrator-operator/integrator-operator/internal/simulator/destination"
	"github.com/integrator-operator/integrator-operator/internal/simulator/document"
	"github.com/integrator-operator/integrator-operator/internal/simulator/wire"
)

// find returns the import with the id in the path, or the refusal.
func (s *Server) find(c *call) (*record, *wire.Response) {
	id := document.ID(c.id())
	if !document.IsID(id) {
		refusal := wire.Fail(s.choices.MalformedIDStatus, wire.CastError("ObjectId", id, "_id"))
		return nil, &refusal
	}
	rec := c.account.imports[id]
	if rec == nil {
		refusal := wire.Failf(http.StatusNotFound, wire.CodeNotFound, "", "import %s does not exist", id)
		return nil, &refusal
	}
	return rec, nil
}

// readObject decodes a body that must be a JSON object.
func readObject(c *call) (Document, *wire.Response) {
	doc, err := document.DecodeObject(c.body)
	if err != nil {
		refusal := wire.Failf(http.StatusBadRequest, wire.CodeInvalidJSON, "", "%v", err)
		return nil, &refusal
	}
	return doc, nil
}

// createImport is POST /v1/imports.
func (s *Server) createImport(c *call) wire.Response {
	doc, refusal := readObject(c)
	if refusal != nil {
		return *refusal
	}
	document.KeepServerMade(doc, nil)
	rec, problems := s.insert(c.account, doc, c.actor)
	if len(problems) > 0 {
		return wire.Fail(http.StatusUnprocessableEntity, problems...)
	}
	c.applied(rec.id())
	return wire.Answer(http.StatusCreated, document.Shown(rec.Doc))
}

// listImports is GET /v1/imports.
func (s *Server) listImports(c *call) wire.Response {
	query, refusal := wire.ReadQuery(c.request)
	if refusal != nil {
		return *refusal
	}
	project, err := document.Projection(query.Get("include"), query.Get("exclude"))
	if err != nil {
		return *wire.InvalidQuery("%v", err)
	}
	page, refusal := s.readPage(query)
	if refusal != nil {
		return *refusal
	}
	records := c.account.listed()
	if lag := time.Duration(s.choices.ListLagMillis) * time.Millisecond; lag > 0 {
		horizon := s.clock.Now().Add(-lag)
		for len(records) > 0 && records[len(records)-1].CreatedAt.After(horizon) {
			records = records[:len(records)-1]
		}
	}
	resp := wire.AnswerPage(c.request, s.choices.LinkURL, page, len(records), func(i int) any { return project(document.Shown(records[i].Doc)) })
	if most := s.choices.MaxPageBytes; most > 0 {
		if body, err := wire.Encode(resp.Body); err != nil || int64(len(body)) > most {
			return wire.Failf(http.StatusRequestEntityTooLarge, wire.CodeTooLarge, "", "the answer is longer than %d bytes", most)
		}
	}
	return resp
}

func (s *Server) readPage(query url.Values) (wire.Page, *wire.Response) {
	return wire.ReadPage(query, s.pageSize, s.choices.MaxPageSize)
}

// getImport is GET /v1/imports/{id}. The API ignores include and exclude here.
func (s *Server) getImport(c *call) wire.Response {
	rec, refusal := s.find(c)
	if refusal != nil {
		return *refusal
	}
	return wire.Answer(http.StatusOK, document.Shown(rec.Doc))
}

// putImport is PUT /v1/imports/{id}. Fields that are not in the body are removed.
func (s *Server) putImport(c *call) wire.Response {
	rec, refusal := s.find(c)
	if refusal != nil {
		return *refusal
	}
	doc, refusal := readObject(c)
	if refusal != nil {
		return *refusal
	}
	if problems := s.replace(c.account, rec, doc, c.actor); len(problems) > 0 {
		return wire.Fail(http.StatusUnprocessableEntity, problems...)
	}
	c.applied(rec.id())
	return wire.Answer(http.StatusOK, document.Shown(rec.Doc))
}

// deleteImport is DELETE /v1/imports/{id}. It moves the import to the recycle bin, unless a flow uses
// it.
func (s *Server) deleteImport(c *call) wire.Response {
	rec, refusal := s.find(c)
	if refusal != nil {
		return *refusal
	}
	if problem := s.remove(c.account, rec, c.actor); problem != nil {
		return wire.Fail(s.choices.DeleteInUseStatus, *problem)
	}
	c.applied(rec.id())
	return wire.Answer(http.StatusNoContent, nil)
}

// dependencies is GET /v1/imports/{id}/dependencies.
func (s *Server) dependencies(c *call) wire.Response {
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
			if strings.EqualFold(connection.ID, document.Text(rec.Doc, "_connectionId")) {
				out["connections"] = []any{Document{key: connection.ID, "name": connection.Name}}
			}
		}
	}
	return wire.Answer(http.StatusOK, out)
}

// replaceConnection is PUT /v1/imports/{id}/replaceConnection.
func (s *Server) replaceConnection(c *call) wire.Response {
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
	case document.IsBlank(body[field]):
		return wire.Fail(http.StatusUnprocessableEntity, wire.RequiredError(field))
	case !isText || !document.IsID(id):
		return wire.Fail(http.StatusUnprocessableEntity, wire.CastError("ObjectId", body[field], field))
	case !c.account.hasConnection(id):
		return wire.Fail(http.StatusUnprocessableEntity, document.UnknownConnection(field, id))
	}
	if kind := document.Text(rec.Doc, "adaptorType"); !document.HasConnection(kind) {
		return wire.Failf(http.StatusUnprocessableEntity, wire.CodeUpdateNotAllowed, field, "%s has no connection", kind)
	}
	doc := document.Copy(rec.Doc)
	doc["_connectionId"] = s.storedID(id)
	s.store(c.account, rec, doc, c.actor, true)
	c.applied(rec.id())
	if s.choices.ReplaceConnectionAnswer == AnswerEmpty {
		return wire.Answer(http.StatusOK, nil)
	}
	return wire.Answer(http.StatusOK, document.Shown(rec.Doc))
}

// invokeImport is POST /v1/imports/{id}/invoke.
func (s *Server) invokeImport(c *call) wire.Response {
	rec, refusal := s.find(c)
	if refusal != nil {
		return *refusal
	}
	data, script, refusal := destination.ReadInvocation(c.body)
	if refusal != nil {
		return *refusal
	}
	c.records = len(data)
	log := c.account.written[rec.id()]
	if log == nil {
		log = &destination.Log{}
		c.account.written[rec.id()] = log
	}
	if script != nil {
		written := min(max(script.Written, 0), len(data))
		for _, record := range data[:written] {
			log.Add(record)
		}
		if written > 0 {
			c.applied(rec.id())
		}
		return wire.Fail(destination.Or(script.StatusCode, http.StatusOK), script.Errors...)
	}
	c.applied(rec.id())
	results := make([]destination.Result, len(data))
	for i, record := range data {
		var written bool
		if results[i], written = destination.Deliver(record, s.newID); written {
			log.Add(record)
		}
	}
	return wire.Answer(http.StatusOK, results)
}
