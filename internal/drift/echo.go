// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package drift

import (
	"maps"
	"slices"
	"strings"

	"github.com/integrator-operator/integrator-operator/internal/fields"
)

// An echo is a pair of fields: if only one of them is sent, the API copies it to the other. The field
// to declare is kept.
type echo struct {
	kept, copied string
	// mutual: the API copies each to the other.
	mutual bool
}

// copies are the echoes whose values are identical: the twins of the table.
var copies = twins()

func twins() []echo {
	var found []echo
	for field := range fields.All() {
		// Of two that name each other, the shorter path is the one to declare.
		if field.Twin != "" && (!field.Mutual || len(field.Path) < len(field.Twin)) {
			found = append(found, echo{kept: field.Path, copied: field.Twin, mutual: field.Mutual})
		}
	}
	return found
}

// forms are the two blocks of a legacy REST import: the API answers it in its own form and in that of
// an HTTP import. They mean the same without being equal, so only the kind of import shows that one is
// made from the other.
var forms = echo{kept: "/rest", copied: "/http"}

// hasForms reports whether a document has the two forms.
func hasForms(document map[string]any) bool { return document["adaptorType"] == "RESTImport" }

// switches are the fields of an http block that do not exist in the older form.
var switches = []string{"formType", mappedSwitch}

const mappedSwitch = "sendPostMappedData"

// mappedOff reports whether mappedSwitch, which is on by default, is off.
func mappedOff(document map[string]any) bool {
	value, _ := lookup(document, []string{"http", mappedSwitch})
	mapped, isSet := value.(bool)
	return isSet && !mapped
}

// DropEchoes removes the copies of declared and of released fields from a document to write. A copy of
// an earlier value would conflict with the new one, and would restore a released field. Where both
// fields count if they differ, only a field that is equal in remote is a copy: another value was set by a
// person, and is kept. If both fields of a pair are declared, or neither is, or one is ignored, both are
// kept.
func DropEchoes(document, declared, remote map[string]any, released, ignore []string) {
	if hasForms(remote) {
		dropForm(document, declared, remote, released)
	}
	for _, pair := range copies {
		if Ignores(pair.kept, ignore) || Ignores(pair.copied, ignore) {
			continue
		}
		first, second := Has(declared, pair.kept), Has(declared, pair.copied)
		isCopy := Has(remote, pair.kept) && Has(remote, pair.copied) && Equal(remote, pair.kept, pair.copied)
		declaredWins := isCopy || pair.mutual
		switch {
		case first && second:
		case first && declaredWins, !second && isCopy && slices.Contains(released, pair.kept):
			Remove(document, pair.copied)
		case second && declaredWins, isCopy && slices.Contains(released, pair.copied):
			Remove(document, pair.kept)
		}
	}
}

// Twin returns the two fields that the API makes from each other, of which the first is at or above path
// and the document has the second too. ok is false if the field at path is the only one.
func Twin(document map[string]any, path string) (field, twin string, ok bool) {
	pairs := copies
	if hasForms(document) {
		pairs = append(slices.Clone(copies), forms)
	}
	for _, pair := range pairs {
		switch {
		case under(path, []string{pair.kept}) && Has(document, pair.copied):
			return pair.kept, pair.copied, true
		case under(path, []string{pair.copied}) && Has(document, pair.kept):
			return pair.copied, pair.kept, true
		}
	}
	return "", "", false
}

// dropForm keeps the declared block of the two of a legacy REST import, and the switches of the other
// if they are not at their default. If neither is declared, the fields that were released from one
// block are removed from the other.
func dropForm(document, declared, remote map[string]any, released []string) {
	switch first, second := Has(declared, forms.kept), Has(declared, forms.copied); {
	case first && second:
	case first && mappedOff(remote):
		block, _ := document["http"].(map[string]any)
		maps.DeleteFunc(block, func(key string, _ any) bool { return !slices.Contains(switches, key) })
	case first:
		Remove(document, forms.copied)
	case second:
		Remove(document, forms.kept)
	default:
		for _, path := range released {
			for one, other := range map[string]string{forms.kept: forms.copied, forms.copied: forms.kept} {
				if field, ok := strings.CutPrefix(path, one+"/"); ok {
					Remove(document, other+"/"+field)
				}
			}
		}
	}
}

// WithoutEchoes removes one field of each pair of echoes from a document that the API answered. The
// API makes it again from the other.
func WithoutEchoes(document map[string]any) {
	if hasForms(document) && Has(document, forms.kept) && Has(document, forms.copied) {
		copied := forms.copied
		if mappedOff(document) {
			copied = forms.kept
		}
		Remove(document, copied)
	}
	for _, pair := range copies {
		if Has(document, pair.kept) && Has(document, pair.copied) && Equal(document, pair.kept, pair.copied) {
			Remove(document, pair.copied)
		}
	}
}
