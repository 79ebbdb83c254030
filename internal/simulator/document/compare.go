// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package document

import "slices"

// FieldChange is one changed field. A value that is absent from the JSON was absent from the
// document.
type FieldChange struct {
	FieldPath string `json:"fieldPath"`
	OldValue  any    `json:"oldValue,omitempty"`
	NewValue  any    `json:"newValue,omitempty"`
}

// Compare returns the fields in which two documents differ, sorted by path. Objects are compared key
// by key, arrays as a whole. lastModified and lastModifiedBy are left out.
func Compare(before, after Document) []FieldChange {
	changes := compareObjects("", before, after)
	return slices.DeleteFunc(changes, func(c FieldChange) bool {
		return c.FieldPath == "lastModified" || c.FieldPath == "lastModifiedBy"
	})
}

func compareObjects(prefix string, before, after Document) []FieldChange {
	keys := map[string]bool{}
	for key := range before {
		keys[key] = true
	}
	for key := range after {
		keys[key] = true
	}
	var changes []FieldChange
	for _, key := range SortedKeys(keys) {
		path := prefix + key
		was, had := before[key]
		is, has := after[key]
		oldObject, wasObject := was.(Document)
		newObject, isObject := is.(Document)
		switch {
		case wasObject && isObject:
			changes = append(changes, compareObjects(path+".", oldObject, newObject)...)
		case had != has || !Equal(was, is):
			changes = append(changes, FieldChange{FieldPath: path, OldValue: was, NewValue: is})
		}
	}
	return changes
}
