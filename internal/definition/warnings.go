// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package definition

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/go-openapi/jsonpointer"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/drift"
	"github.com/integrator-operator/integrator-operator/internal/fields"
	"github.com/integrator-operator/integrator-operator/internal/problem"
	"github.com/integrator-operator/integrator-operator/internal/records"
)

// Warning is about something that can be sent, and is most likely not what was meant.
type Warning struct {
	// Reason and Note are those of the event.
	Reason, Note string
	// Version changes when there is a reason to warn again. It reveals nothing of a value.
	Version string
	// OfValues: it is about a value of spec.valuesFrom, and not about the definition.
	OfValues bool
}

// Lint reads a definition as it stands in a manifest, and says what is probably a mistake in it. leftOut
// are the fields that the operator leaves out. It knows neither aliases nor values.
func Lint(raw []byte) (leftOut, mistakes []string, err error) {
	document, err := drift.Parse(raw)
	if err != nil {
		return nil, nil, problem.Terminalf(v1alpha1.ReasonInvalidDefinition, "spec.definition is %v", err)
	}
	if err := refuseIdentity(document); err != nil {
		return nil, nil, err
	}
	leftOut, mistakes = fields.LeaveOut(document), fields.Warnings(document)
	for _, w := range warnings(document, nil) {
		mistakes = append(mistakes, strings.TrimPrefix(w.Note, "spec.definition"))
	}
	return leftOut, mistakes, nil
}

// warnings are those about a document, in which the places of values are empty, and about the values.
func warnings(document map[string]any, values []Value) []Warning {
	var found []Warning
	if numbers := roundedIn("", document); len(numbers) > 0 {
		slices.Sort(numbers)
		note := fmt.Sprintf("spec.definition has %s: Kubernetes rounds whole numbers beyond 64 bits to 17 digits, so it may not be the number that was written; write an id as text, in quotes", problem.SomeOf(numbers, mostDescribed))
		found = append(found, Warning{Reason: v1alpha1.ReasonRoundedNumber, Note: note, Version: note})
	}
	for _, v := range values {
		if v.LineBreak {
			found = append(found, Warning{
				Reason:  v1alpha1.ReasonTrailingLineBreak,
				Note:    fmt.Sprintf("spec.valuesFrom, path %s: the value of %s ends in a line break, which is sent; set trimSpace to true to remove it, or to false to keep it", v.Path, v.Key),
				Version: v.Path + " " + v.Version, OfValues: true,
			})
		}
	}
	return found
}

// roundedIn gives the numbers of a document that may have been rounded, as "/path (number)".
func roundedIn(path string, value any) (found []string) {
	switch typed := value.(type) {
	case map[string]any:
		for key, child := range typed {
			found = append(found, roundedIn(path+"/"+jsonpointer.Escape(key), child)...)
		}
	case []any:
		for i, child := range typed {
			found = append(found, roundedIn(path+"/"+strconv.Itoa(i), child)...)
		}
	case json.Number:
		if records.Rounded(typed.String()) {
			found = append(found, fmt.Sprintf("%s (%s)", drift.Cut(path, 100), drift.Cut(typed.String(), 40)))
		}
	}
	return found
}
