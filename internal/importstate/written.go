// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package importstate

import (
	"slices"
	"strings"

	"github.com/integrator-operator/integrator-operator/internal/definition"
	"github.com/integrator-operator/integrator-operator/internal/drift"
	"github.com/integrator-operator/integrator-operator/internal/problem"
)

// Written is what a write changed on the platform.
type Written struct {
	// Changed are the fields that differed and are now as they are declared, Removed those that were
	// released and are gone.
	Changed []drift.Difference
	Removed []string
}

// Written compares the import before a write, which c is of, with the response to it. What the API did not
// accept still differs, and was not changed. A field that the API masks is named if it was the only reason
// for the write.
func (c Comparison) Written(after Comparison) Written {
	var w Written
	left := make([]string, len(after.found))
	for i, difference := range after.found {
		left[i] = difference.Path
	}
	for _, difference := range c.found {
		if !drift.Under(difference.Path, left) {
			w.Changed = append(w.Changed, difference)
		}
	}
	for _, path := range c.Released {
		if !slices.Contains(after.Released, path) {
			w.Removed = append(w.Removed, path)
		}
	}
	if marker, _ := after.Remote[externalID].(string); c.AddMarker && marker != "" {
		w.Changed = append(w.Changed, drift.Difference{Path: pathExternalID, Declared: marker})
	}
	for _, path := range drift.WriteOnly {
		if c.rewrite && len(c.found) == 0 && len(c.Released) == 0 && drift.Has(c.Desired.Document, path) {
			w.Changed = append(w.Changed, drift.Difference{Path: path, Declared: drift.Redacted, Remote: drift.Redacted})
		}
	}
	return w
}

// None reports whether nothing was changed, as far as the response shows.
func (w Written) None() bool { return len(w.Changed) == 0 && len(w.Removed) == 0 }

// Paths names the first fields that were changed.
func (w Written) Paths() string {
	var names []string
	for _, difference := range w.Changed {
		names = append(names, difference.Path)
	}
	slices.Sort(names)
	for _, path := range w.Removed {
		names = append(names, path+" (removed)")
	}
	return first(names)
}

// Values shows the first fields that were changed, with their values.
func (w Written) Values() string {
	var parts []string
	if len(w.Changed) > 0 {
		parts = append(parts, definition.Describe(definition.ShownDifferences(w.Changed), len(w.Changed)))
	}
	if len(w.Removed) > 0 {
		parts = append(parts, "removed "+first(w.Removed))
	}
	return strings.Join(parts, "; ")
}

// first lists some names, and says how many more there are.
func first(names []string) string {
	const most, longest = 5, 120
	var shown []string
	for _, name := range names {
		shown = append(shown, drift.Cut(name, longest))
	}
	return problem.SomeOf(shown, most)
}
