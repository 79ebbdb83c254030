// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package drift

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSet(t *testing.T) {
	cases := map[string]struct {
		reason, document, path, want, fails string
	}{
		"Field":   {reason: "a field is added", document: `{"a": 1}`, path: "/b", want: `{"a": 1, "b": "V"}`},
		"Replace": {reason: "what is there is replaced", document: `{"a": {"b": 1}}`, path: "/a", want: `{"a": "V"}`},
		"Made":    {reason: "missing objects are made", document: `{"a": {}}`, path: "/a/b/c", want: `{"a": {"b": {"c": "V"}}}`},
		"Escaped": {reason: "names are unescaped", document: `{}`, path: "/a~1b/~0c", want: `{"a/b": {"~c": "V"}}`},
		"Empty":   {reason: "an empty name is a name", document: `{}`, path: "/", want: `{"": "V"}`},
		"Number":  {reason: "in an object a number is a name", document: `{"a": {}}`, path: "/a/0", want: `{"a": {"0": "V"}}`},
		"Element": {reason: "an element is replaced", document: `{"a": [1, 2]}`, path: "/a/1", want: `{"a": [1, "V"]}`},
		"InElement": {reason: "the way may lead through an element",
			document: `{"a": [{"b": [{}]}]}`, path: "/a/0/b/0/c", want: `{"a": [{"b": [{"c": "V"}]}]}`},
		"BehindTheEnd": {reason: "an array does not grow", document: `{"a": [1, 2]}`, path: "/a/2",
			fails: `/a is an array of 2 elements, and "2" is not the index of one of them`},
		"Append":      {reason: "nor by a dash", document: `{"a": []}`, path: "/a/-/b", fails: `/a is an array of 0 elements, and "-" is not the index of one of them`},
		"Name":        {reason: "an element has no name", document: `{"a": [1]}`, path: "/a/b", fails: `/a is an array of 1 elements, and "b" is not the index of one of them`},
		"LeadingZero": {reason: "an index is written in one way", document: `{"a": [1, 2]}`, path: "/a/01", fails: `/a is an array of 2 elements, and "01" is not the index of one of them`},
		"Text":        {reason: "the way does not lead through a text", document: `{"a": {"b": "x"}}`, path: "/a/b/c", fails: `/a/b is neither an object nor an array`},
		"Null":        {reason: "nor through a null", document: `{"a": null}`, path: "/a/b", fails: `/a is neither an object nor an array`},
		"NoPointer":   {reason: "the document itself is no field", document: `{}`, path: "", fails: `"" is no JSON pointer of a field`},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			document := parse(t, tc.document)
			err := Set(document, tc.path, "V")
			if tc.fails != "" {
				if err == nil || err.Error() != tc.fails {
					t.Fatalf("%s: got error %v, want %q", tc.reason, err, tc.fails)
				}
				return
			}
			if err != nil {
				t.Fatalf("%s: %v", tc.reason, err)
			}
			if diff := cmp.Diff(parse(t, tc.want), document); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}
