// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package drift

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/integrator-operator/integrator-operator/internal/simulator/choices"
	"github.com/integrator-operator/integrator-operator/internal/simulator/document"
	"github.com/integrator-operator/integrator-operator/internal/simulator/seed"
)

// TestFieldsAreThoseOfTheSimulator: what the operator knows of the API's treatment of fields, the
// simulator does, and the other way round. A rule that only one of the two has is not tested.
func TestFieldsAreThoseOfTheSimulator(t *testing.T) {
	chosen := choices.Default()
	for name, lists := range map[string]struct{ operator, simulator []string }{
		"stored in lower case": {enums, asPointers(chosen.LowerCasedEnums)},
		"stored as text":       {texts, asPointers(chosen.NumbersAsText)},
		"owned by the server":  {ServerOwned, document.ServerOwned},
		"copied":               {copiedByOperator(), copiedBySimulator(chosen)},
		"masked":               {WriteOnly, maskedBySimulator(t)},
	} {
		if diff := cmp.Diff(slices.Sorted(slices.Values(lists.operator)), slices.Sorted(slices.Values(lists.simulator))); diff != "" {
			t.Errorf("fields that are %s (-operator +simulator):\n%s", name, diff)
		}
	}
}

// asPointers turns paths of the simulator into JSON pointers.
func asPointers(paths []string) []string {
	var found []string
	for _, path := range paths {
		found = append(found, "/"+strings.ReplaceAll(path, ".", "/"))
	}
	return found
}

// onlyOperator is a copy that the simulator does not make. The operator's rule harms nothing where the
// API makes none: it applies only to fields that are equal in the API's response.
var onlyOperator = echo{"/file/lookups", "/lookups"}

func copiedByOperator() []string {
	pairs := []string{forms.kept + " " + forms.copied}
	for _, pair := range copies {
		if pair != onlyOperator {
			pairs = append(pairs, pair.kept+" "+pair.copied)
		}
	}
	return pairs
}

// copiedBySimulator sends one field of each pair that may be one, for every kind of import.
func copiedBySimulator(chosen choices.Choices) []string {
	var pairs []string
	try := func(kind, kept, copied string, value any) {
		doc := document.Document{"adaptorType": kind}
		if err := Set(doc, kept, value); err != nil {
			panic(err)
		}
		document.Prepare(doc, "", chosen, func(string) bool { return true })
		if Has(doc, copied) {
			pairs = append(pairs, kept+" "+copied)
		}
	}
	for _, kind := range document.AdaptorTypes() {
		block := "/" + document.BlockOf(kind)
		try(kind, block+"/lookups", "/lookups", []any{document.Document{"name": "a"}})
		for _, other := range document.AdaptorTypes() {
			if other := "/" + document.BlockOf(other); other != block {
				try(kind, block, other, document.Document{"a": "b"})
			}
		}
	}
	try("HTTPImport", "/filter/rules", "/filter/expression/rules", []any{"equals"})
	return pairs
}

// maskedBySimulator gives the top-level fields of the fixtures that the simulator does not show.
func maskedBySimulator(t *testing.T) []string {
	t.Helper()
	var masked []string
	for _, fixture := range seed.Fixtures() {
		doc, err := document.DecodeObject(fixture.Document)
		if err != nil {
			t.Fatal(err)
		}
		for field, shown := range document.Shown(doc) {
			if !reflect.DeepEqual(shown, doc[field]) {
				masked = append(masked, "/"+field)
			}
		}
	}
	slices.Sort(masked)
	return slices.Compact(masked)
}
