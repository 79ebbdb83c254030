// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package imports

import (
	"slices"
	"strings"

	"github.com/integrator-operator/integrator-operator/internal/drift"
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

// callsFor lists the calls that end the differences: the smallest call that can. rewrite asks for
// a PUT also when nothing is seen to differ.
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

// isAssistant reports whether a difference is in the field that PATCH writes.
func isAssistant(difference drift.Difference) bool {
	return difference.Path == pathAssistant || strings.HasPrefix(difference.Path, pathAssistant+"/")
}
