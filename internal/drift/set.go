// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package drift

import (
	"fmt"
	"strconv"

	"github.com/integrator-operator/integrator-operator/internal/fields"
)

// Set sets a value in a document. Objects that are missing on the path are created, but an element of
// an array must exist. path is a JSON pointer. The error contains no value of the document.
func Set(document map[string]any, path string, value any) error {
	var current any = document
	var below string
	names := fields.Tokens(path)
	for i, name := range names {
		last := i == len(names)-1
		parent := below
		below = join(below, name)
		switch typed := current.(type) {
		case map[string]any:
			if last {
				typed[name] = value
				return nil
			}
			if _, ok := typed[name]; !ok {
				typed[name] = map[string]any{}
			}
			current = typed[name]
		case []any:
			index, err := strconv.Atoi(name)
			if err != nil || strconv.Itoa(index) != name || index < 0 || index >= len(typed) {
				return fmt.Errorf("%s is an array of %d elements, and %q is not the index of one of them", parent, len(typed), Cut(name, 32))
			}
			if last {
				typed[index] = value
				return nil
			}
			current = typed[index]
		default:
			return fmt.Errorf("%s is neither an object nor an array", parent)
		}
	}
	return fmt.Errorf("%q is no JSON pointer of a field", Cut(path, 32))
}
