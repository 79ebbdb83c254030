// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package drift

import (
	"maps"
	"slices"
	"strings"
)

// An echo is a pair of fields of which the API fills in the one from the other. The first
// of a pair is the one to declare.
type echo struct{ kept, copied string }

// copies are the echoes that are equal to the letter.
var copies = []echo{
	{"/filter/rules", "/filter/expression/rules"},
	{"/http/lookups", "/lookups"},
	{"/rest/lookups", "/lookups"},
	{"/file/lookups", "/lookups"},
	{"/ftp/lookups", "/lookups"},
	{"/s3/lookups", "/lookups"},
	{"/as2/lookups", "/lookups"},
	{"/filesystem/lookups", "/lookups"},
	{"/netsuite_da/lookups", "/lookups"},
	{"/netsuite/lookups", "/lookups"},
	{"/salesforce/lookups", "/lookups"},
	{"/rdbms/lookups", "/lookups"},
	{"/jdbc/lookups", "/lookups"},
	{"/mongodb/lookups", "/lookups"},
	{"/dynamodb/lookups", "/lookups"},
	{"/wrapper/lookups", "/lookups"},
	{"/aiAgent/lookups", "/lookups"},
	{"/guardrail/lookups", "/lookups"},
	{"/tool/lookups", "/lookups"},
}

// forms are the two blocks of a legacy REST import: the API shows it in its own form and in
// that of an HTTP import. They say the same without being equal, so only the kind of import
// tells that the one is made of the other.
var forms = echo{"/rest", "/http"}

func hasForms(document map[string]any) bool { return document["adaptorType"] == "RESTImport" }

// switches are the fields of an http block that the older form has no word for.
var switches = []string{"formType", mappedSwitch}

const mappedSwitch = "sendPostMappedData"

// mappedOff tells that the one switch which is on unless it is said is off.
func mappedOff(document map[string]any) bool {
	value, _ := lookup(document, []string{"http", mappedSwitch})
	mapped, said := value.(bool)
	return said && !mapped
}

// DropEchoes takes the copies of declared and of released fields out of a document to write:
// sent back, a copy of what was declared before would stand against the new value, and bring a
// released one back. remote tells what is a copy: a field that says something else was set by
// somebody, and stays. Where both or neither of a pair are declared, both stay.
func DropEchoes(document, declared, remote map[string]any, released []string) {
	if hasForms(remote) {
		dropForm(document, declared, remote, released)
	}
	for _, pair := range copies {
		if !Has(remote, pair.kept) || !Has(remote, pair.copied) || !Equal(remote, pair.kept, pair.copied) {
			continue
		}
		switch first, second := Has(declared, pair.kept), Has(declared, pair.copied); {
		case first && second:
		case first, !second && slices.Contains(released, pair.kept):
			Remove(document, pair.copied)
		case second, slices.Contains(released, pair.copied):
			Remove(document, pair.kept)
		}
	}
}

// dropForm leaves of the two blocks of a legacy REST import the one that is declared, with the
// switches of the other that nobody declared. Where that is none, what was released from the one
// goes from the other.
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

// WithoutEchoes takes one of each pair of echoes out of a document that the API answered.
// What is left makes the API fill in the other again.
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
