// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package drift

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

// DropEchoes takes the copies of declared fields out of a document to write: sent back, a
// copy of what was declared before would stand against the new value. remote tells what is
// a copy: a field that says something else was set by somebody, and stays. Where both or
// neither of a pair are declared, both stay.
func DropEchoes(document, declared, remote map[string]any) {
	drop := func(pair echo) {
		switch first, second := Has(declared, pair.kept), Has(declared, pair.copied); {
		case first && !second:
			Remove(document, pair.copied)
		case second && !first:
			Remove(document, pair.kept)
		}
	}
	if hasForms(remote) {
		drop(forms)
	}
	for _, pair := range copies {
		if Has(remote, pair.kept) && Has(remote, pair.copied) && Equal(remote, pair.kept, pair.copied) {
			drop(pair)
		}
	}
}

// WithoutEchoes takes one of each pair of echoes out of a document that the API answered.
// What is left makes the API fill in the other again.
func WithoutEchoes(document map[string]any) {
	if hasForms(document) && Has(document, forms.kept) && Has(document, forms.copied) {
		// The older form has no word for this switch, which is on unless it is said.
		copied := forms.copied
		value, _ := lookup(document, []string{"http", "sendPostMappedData"})
		if mapped, said := value.(bool); said && !mapped {
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
