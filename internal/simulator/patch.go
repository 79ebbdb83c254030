// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// patchOperation is one step of a JSON Patch.
type patchOperation struct {
	Op    string          `json:"op"`
	Path  string          `json:"path"`
	Value json.RawMessage `json:"value"`
}

// patchImport is PATCH /v1/imports/{id}: a JSON Patch of debugUntil and
// assistantMetadata as wholes. Removing what is not there succeeds.
func (s *Server) patchImport(c *call) response {
	rec, refusal := s.find(c)
	if refusal != nil {
		return *refusal
	}
	if _, err := decode(c.body); err != nil {
		return failf(http.StatusBadRequest, codeInvalidJSON, "", "%v", err)
	}
	var operations []patchOperation
	if err := json.Unmarshal(c.body, &operations); err != nil {
		return failf(s.choices.PatchRefusedStatus, codeInvalidField, "", "the body must be an array of JSON Patch operations")
	}
	doc := copyDocument(rec.Doc)
	var problems []ErrorDetail
	for i, op := range operations {
		if problem := s.patch(doc, op); problem != nil {
			problem.Message = fmt.Sprintf("operation %d: %s", i, problem.Message)
			problems = append(problems, *problem)
		}
	}
	if len(problems) > 0 {
		return fail(s.choices.PatchRefusedStatus, problems...)
	}
	s.storePatched(c.account, rec, doc, c.actor)
	c.applied(rec.id())
	return answer(http.StatusNoContent, nil)
}

func (s *Server) patch(doc Document, op patchOperation) *ErrorDetail {
	var field string
	switch op.Path {
	case "/debugUntil", "/assistantMetadata":
		field = op.Path[1:]
	default:
		return &ErrorDetail{Code: codeUpdateNotAllowed, Field: op.Path, Message: "only /debugUntil and /assistantMetadata can be patched"}
	}
	switch op.Op {
	case "remove":
		delete(doc, field)
		return nil
	case "add", "replace":
	default:
		return &ErrorDetail{Code: codeInvalidField, Field: field, Message: fmt.Sprintf("op %q is not one of add, replace, remove", brief(op.Op))}
	}
	if op.Value == nil {
		return &ErrorDetail{Code: codeMissingField, Field: field, Message: "value is missing"}
	}
	value, err := decode(op.Value)
	if err != nil {
		return &ErrorDetail{Code: codeInvalidField, Field: field, Message: err.Error()}
	}
	if field == "debugUntil" {
		if value, err = s.debugUntil(value); err != nil {
			return &ErrorDetail{Code: codeInvalidField, Field: field, Message: err.Error()}
		}
	}
	doc[field] = value
	return nil
}

// debugUntil checks a date and brings it into the API's own form.
func (s *Server) debugUntil(value any) (any, error) {
	written, _ := value.(string)
	until, err := time.Parse(time.RFC3339, written)
	if err != nil {
		return nil, fmt.Errorf("Cast to date failed for value %q at path \"debugUntil\"", brief(value)) //nolint:staticcheck // the API's own wording
	}
	if limit := time.Duration(s.choices.DebugMinutes) * time.Minute; limit > 0 && until.After(s.clock.Now().Add(limit)) {
		return nil, fmt.Errorf("debugUntil cannot be more than %d minutes ahead", s.choices.DebugMinutes)
	}
	return formatTime(until), nil
}

func (s *Server) storePatched(acct *account, rec *record, doc Document, by actor) {
	modified, modifiedBy := rec.Doc["lastModified"], rec.Doc["lastModifiedBy"]
	s.store(acct, rec, doc, by, false)
	if !s.choices.PatchTouchesLastModified {
		rec.Doc["lastModified"], rec.Doc["lastModifiedBy"] = modified, modifiedBy
	}
}
