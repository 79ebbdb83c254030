// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package drift

import "github.com/integrator-operator/integrator-operator/internal/fields"

// keepElementIDs puts the _id that the API gave to the elements of an array into the elements that
// replace them, so that a write of the array makes no new ones. Elements are the same by their index.
// Where the definition has an _id, or the data is the user's own, nothing is kept.
func keepElementIDs(field *fields.Field, merged, remote any) {
	if field.IsFree() {
		return
	}
	switch typed := merged.(type) {
	case map[string]any:
		object, _ := remote.(map[string]any)
		for name, child := range typed {
			keepElementIDs(field.Member(name), child, object[name])
		}
	case []any:
		array := elements(remote)
		for i := range min(len(typed), len(array)) {
			element, isObject := typed[i].(map[string]any)
			before, wasObject := array[i].(map[string]any)
			if isObject && wasObject && before[fields.ElementID] != nil {
				if _, declared := element[fields.ElementID]; !declared {
					element[fields.ElementID] = before[fields.ElementID]
				}
			}
			keepElementIDs(field.Elements(), typed[i], array[i])
		}
	}
}
