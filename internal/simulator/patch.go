// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/integrator-operator/integrator-operator/internal/simulator/document"
	"github.com/integrator-operator/integrator-operator/internal/simulator/wire"
)

// patchOperation is one step of a JSON Patch.
type patchOperation struct {
	Op    string          `json:"op"`
	Path  string          `json:"path"`
	Value json.RawMessage `json:"value"`
}

// patchImport is PATCH /v1/imports/{id}: a JSON Patch of the whole of debugUntil or
// assistantMetadata. Removing an absent field succeeds.
func (s *Server) patchImport(c *call) wire.Response {
	rec, refusal := s.find(c)
	if refusal != nil {
		return *refusal
	}
	if _, err := document.Decode(c.body); err != nil {
		return wire.Failf(http.StatusBadRequest, wire.CodeInvalidJSON, "", "%v", err)
	}
	var operations []patchOperation
	if err := json.Unmarshal(c.body, &operations); err != nil {
		return wire.Failf(s.choices.PatchRefusedStatus, wire.CodeInvalidField, "", "the body must be an array of JSON Patch operations")
	}
	doc := document.Copy(rec.Doc)
	var problems []ErrorDetail
	for i, op := range operations {
		if problem := s.patch(doc, op); problem != nil {
			problem.Message = fmt.Sprintf("operation %d: %s", i, problem.Message)
			problems = append(problems, *problem)
		}
	}
	if len(problems) > 0 {
		return wire.Fail(s.choices.PatchRefusedStatus, problems...)
	}
	s.storePatched(c.account, rec, doc, c.actor)
	c.applied(rec.id())
	return wire.Answer(http.StatusNoContent, nil)
}

// patch applies an operation to a document.
func (s *Server) patch(doc Document, op patchOperation) *ErrorDetail {
	var field string
	switch op.Path {
	case "/debugUntil", "/assistantMetadata":
		field = op.Path[1:]
	default:
		return &ErrorDetail{Code: wire.CodeUpdateNotAllowed, Field: op.Path, Message: "only /debugUntil and /assistantMetadata can be patched"}
	}
	switch op.Op {
	case "remove":
		delete(doc, field)
		return nil
	case "add", "replace":
	default:
		return &ErrorDetail{Code: wire.CodeInvalidField, Field: field, Message: fmt.Sprintf("op %q is not one of add, replace, remove", wire.Brief(op.Op))}
	}
	if op.Value == nil {
		return &ErrorDetail{Code: wire.CodeMissingField, Field: field, Message: "value is missing"}
	}
	value, err := document.Decode(op.Value)
	if err != nil {
		return &ErrorDetail{Code: wire.CodeInvalidField, Field: field, Message: err.Error()}
	}
	if field == "debugUntil" {
		if value, err = s.debugUntil(value); err != nil {
			return &ErrorDetail{Code: wire.CodeInvalidField, Field: field, Message: err.Error()}
		}
	}
	doc[field] = value
	return nil
}

// debugUntil checks a date and returns it in the API's own format.
func (s *Server) debugUntil(value any) (any, error) {
	written, _ := value.(string)
	until, err := time.Parse(time.RFC3339, written)
	if err != nil {
		return nil, fmt.Errorf("Cast to date failed for value %q at path \"debugUntil\"", wire.Brief(value)) //nolint:staticcheck // the API's own wording
	}
	if limit := time.Duration(s.choices.DebugMinutes) * time.Minute; limit > 0 && until.After(s.clock.Now().Add(limit)) {
		return nil, fmt.Errorf("debugUntil cannot be more than %d minutes ahead", s.choices.DebugMinutes)
	}
	return formatTime(until), nil
}

// storePatched stores a patched document, with the lastModified that choices ask for.
func (s *Server) storePatched(acct *account, rec *record, doc Document, by actor) {
	modified, modifiedBy := rec.Doc["lastModified"], rec.Doc["lastModifiedBy"]
	s.store(acct, rec, doc, by, false)
	if !s.choices.PatchTouchesLastModified {
		rec.Doc["lastModified"], rec.Doc["lastModifiedBy"] = modified, modifiedBy
	}
}
