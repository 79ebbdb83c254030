// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package fields

import "iter"

// All yields every line of the table: a field that has the same members as another one is there, and
// its members are not.
func All() iter.Seq[*Field] {
	return func(yield func(*Field) bool) { each(Root, yield) }
}

func each(field *Field, yield func(*Field) bool) bool {
	for _, name := range field.names {
		if member := field.members[name]; !yield(member) || !each(member, yield) {
			return false
		}
	}
	return field.element == nil || yield(field.element) && each(field.element, yield)
}

// Paths returns the JSON pointers of the fields of which something is true, in the order of the table.
func Paths(is func(*Field) bool) []string {
	var paths []string
	for field := range All() {
		if is(field) {
			paths = append(paths, field.Path)
		}
	}
	return paths
}

// ServerSet are the names of the fields at the top that the server sets.
func ServerSet() []string {
	var names []string
	for _, name := range Root.names {
		if Root.members[name].Server {
			names = append(names, name)
		}
	}
	return names
}
