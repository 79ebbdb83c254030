// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package invariant

import (
	"bytes"
	"maps"
	"net/http"
	"slices"

	"github.com/integrator-operator/integrator-operator/hack/chaos/sandbox"
	"github.com/integrator-operator/integrator-operator/hack/chaos/scenario"
	"github.com/integrator-operator/integrator-operator/internal/simulator"
)

const (
	collection = "/v1/imports"
	single     = "/v1/imports/{id}"
	copies     = "/v1/imports/{id}/clone"
)

// applied counts the requests of the manager that were applied.
func (c Case) applied(method string, routes ...string) int {
	yes := true
	n := 0
	for _, route := range routes {
		n += len(c.API.Ledger(simulator.Filter{Account: sandbox.AccountName, Method: method, Route: route, Source: "api", Applied: &yes}))
	}
	return n
}

// creations checks I1 and I7: nothing is created or deleted twice.
func (c Case) creations(v *violations) {
	if n := c.applied(http.MethodPost, collection, copies); n != c.Scenario.Creates {
		v.add("I1: %d imports were created, %d expected", n, c.Scenario.Creates)
	}
	if n := c.applied(http.MethodDelete, single); n != c.Scenario.Deletes {
		v.add("I7: %d imports were deleted, %d expected", n, c.Scenario.Deletes)
	}
}

// orphans checks I2: every import that was created, or is adopted, is known to an Import, and at no time
// to two of them.
func (c Case) orphans(v *violations) {
	for _, shared := range slices.Compact(c.History.Shared()) {
		v.add("I2: %s", shared)
	}
	known := c.Found.IDs()
	for i, id := range known {
		if slices.Contains(known[:i], id) {
			v.add("I2: two Imports refer to the import %s", id)
		}
	}
	for _, document := range c.API.Imports(sandbox.AccountName) {
		id, _ := document["_id"].(string)
		switch {
		case id == sandbox.OriginalID, c.Foreign(id), c.Kept(id), c.Scenario.Orphans:
		case !slices.Contains(known, id):
			v.add("I2: no Import refers to the import %s", id)
		}
	}
}

// losses checks I6: what others wrote has not been changed.
func (c Case) losses(v *violations) {
	changed := c.Changed()
	for _, id := range slices.Sorted(maps.Keys(changed)) {
		v.add("I6: the import %s, which is not the operator's to write to, is now %q", id, changed[id])
	}
	specs := c.Specs()
	for _, object := range c.Found.Objects() {
		if want, ok := specs[object.GetName()]; ok && !bytes.Equal(want, sandbox.SpecOf(object)) {
			v.add("I6: the spec of %s is %s, its user wrote %s", object.GetName(), sandbox.SpecOf(object), want)
		}
		if c.Noise.Conflicts > 0 && object.GetLabels()[scenario.TouchedLabel] == "" {
			v.add("I6: the label of %s was removed", object.GetName())
		}
	}
}
