// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"slices"
	"strings"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/drift"
)

// Which calls a pass would make, and whether it may. These decisions are pure functions of
// the object and the comparison.

const (
	reasonDryRun           = "DryRun"
	reasonNothingToObserve = "NothingToObserve"
	reasonRemoteDeleted    = "RemoteDeleted"
)

// The calls that write, as status.plan shows them.
const (
	callCreate            = "POST /v1/imports"
	callClone             = "POST /v1/imports/{id}/clone"
	callPut               = "PUT /v1/imports/{id}"
	callReplaceConnection = "PUT /v1/imports/{id}/replaceConnection"
	callPatch             = "PATCH /v1/imports/{id}"
	callDelete            = "DELETE /v1/imports/{id}"
)

const (
	pathConnection = "/_connectionId"
	pathAssistant  = "/assistantMetadata"
)

// callsFor lists the calls that end the differences: the smallest call that can. rewrite
// asks for a PUT also when nothing is seen to differ.
func callsFor(found []drift.Difference, released []string, rewrite bool) []string {
	switch {
	case len(released) > 0 || rewrite:
		return []string{callPut}
	case len(found) == 0:
		return nil
	case len(found) == 1 && found[0].Path == pathConnection:
		return []string{callReplaceConnection}
	case !slices.ContainsFunc(found, func(d drift.Difference) bool { return !isAssistant(d) }):
		return []string{callPatch}
	default:
		return []string{callPut}
	}
}

// isAssistant tells that a difference is in the field that PATCH writes.
func isAssistant(difference drift.Difference) bool {
	return difference.Path == pathAssistant || strings.HasPrefix(difference.Path, pathAssistant+"/")
}

// observes tells that nothing may be written to the remote import.
func (s *importScope) observes() bool { return observing(s.object) }

func (s *importScope) dryRun() bool {
	return s.object.Annotations[v1alpha1.AnnotationDryRun] == "true"
}

// permit tells whether calls that write may be made. In a dry run they go to the plan.
func (s *importScope) permit(calls ...string) bool {
	if !s.dryRun() {
		return true
	}
	s.calls = append(s.calls, calls...)
	return false
}

// planned ends the pass of a dry run.
func (s *importScope) planned() error {
	what := "call " + strings.Join(s.calls, ", ")
	if len(s.calls) == 0 {
		what = "take the import over, and write nothing to it"
	}
	return waitingf(reasonDryRun, "dry run: would %s; see status.plan, and take the annotation %s away to have it done", what, v1alpha1.AnnotationDryRun)
}
