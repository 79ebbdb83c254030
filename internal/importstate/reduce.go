// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package importstate

import (
	"slices"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/definition"
	"github.com/integrator-operator/integrator-operator/internal/drift"
)

// A status that the API server refuses is written with less in it: the id protects from duplicates, and
// what only informs may be missing.

// Reduction leaves something out of a status.
type Reduction struct {
	Reduce func(*v1alpha1.ImportStatus)
	// Note says what a status lacks to which this reduction and those before it were applied.
	Note string
}

// Reductions leave more and more out of a status, each after the one before.
var Reductions = []Reduction{
	{shorten, "without status.audit and status.usedBy, and with one shortened difference"},
	{untrack, "without details and without most of status.ownedFields: fields that are no longer declared stay on the platform"},
}

// shorten leaves out what only informs people. Of each list of differences one remains, cut: whether there
// are any decides what follows. The copies remain, because each one that is not in the status is news.
func shorten(state *v1alpha1.ImportStatus) {
	state.Drift, state.NotAccepted = shortened(state.Drift), shortened(state.NotAccepted)
	if plan := state.Plan; plan != nil {
		state.Plan = &v1alpha1.ImportPlan{Calls: plan.Calls, Differences: shortened(plan.Differences)}
	}
	state.Audit, state.UsedBy, state.UsedByObservedAt = nil, nil, nil
}

func shortened(all []v1alpha1.Difference) []v1alpha1.Difference {
	const longestPath, longestValue = 128, 64
	var kept []v1alpha1.Difference
	for _, difference := range all[:min(len(all), 1)] {
		kept = append(kept, v1alpha1.Difference{
			Path:     drift.Cut(difference.Path, longestPath),
			Declared: drift.Cut(difference.Declared, longestValue), Remote: drift.Cut(difference.Remote, longestValue),
		})
	}
	return kept
}

// untrack leaves out the fields that were applied. Two remain: that there are any shows that the definition
// was applied, and the externalId whether the operator set it.
func untrack(state *v1alpha1.ImportStatus) {
	owned := definition.Owned(state)
	var kept []string
	for _, path := range []string{pathExternalID, pathName} {
		if owned.Has(path) {
			kept = append(kept, path)
		}
	}
	if len(kept) == 0 {
		kept = owned.Fields[:min(len(owned.Fields), 1)]
	}
	definition.SetOwned(state, drift.Owned{Fields: slices.Clone(kept), Untracked: owned.Count() - len(kept)})
}
