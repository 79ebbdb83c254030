// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package importstate

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/definition"
	"github.com/integrator-operator/integrator-operator/internal/drift"
	"github.com/integrator-operator/integrator-operator/internal/integrator"
	"github.com/integrator-operator/integrator-operator/internal/ownership"
)

func TestWritten(t *testing.T) {
	const own = `, "externalId": "erp-1"`
	cases := map[string]struct {
		reason, declared, before, after string
		owned                           []string
		paths, values                   string
	}{
		"OnlyWhatDiffered": {
			reason:   "a declared field that was equal before is not named, nor one that nobody declared",
			declared: `{"name": "n", "description": "new"` + own + `}`, before: `{"name": "n", "description": "old", "others": 1` + own + `}`, after: `{"name": "n", "description": "new", "others": 2` + own + `}`,
			paths: "/description", values: `/description (declared "new", remote "old")`,
		},
		"NotAccepted": {
			reason:   "a field that the API dropped or changed was not changed as it is declared",
			declared: `{"name": "n", "description": "new", "file": {"fileName": "XML"}` + own + `}`, before: `{"name": "m"` + own + `}`, after: `{"name": "n", "file": {"fileName": "xml"}` + own + `}`,
			paths: "/name", values: `/name (declared "n", remote "m")`,
		},
		"NothingAccepted": {
			reason:   "where the API accepted nothing, nothing is named",
			declared: `{"name": "n"` + own + `}`, before: `{"name": "m"` + own + `}`, after: `{"name": "m"` + own + `}`,
		},
		"PartOfAnArray": {
			reason:   "an array that was written is named, though the API changed one of its elements",
			declared: `{"list": [{"a": 1}, {"a": 2}]` + own + `}`, before: `{"list": []` + own + `}`, after: `{"list": [{"a": 1}, {"a": 3}]` + own + `}`,
			paths: "/list", values: `/list (declared [{"a":1},{"a":2}], remote []: 2 elements are declared, the remote value has 0)`,
		},
		"ArrayNotAccepted": {
			reason:   "an element is not named if the API did not accept its array",
			declared: `{"list": [{"a": 1}]` + own + `}`, before: `{"list": [{"a": 0}]` + own + `}`, after: `{"list": []` + own + `}`,
		},
		"Released": {
			reason:   "a field that is no longer declared is named if it is gone",
			declared: `{"name": "n"` + own + `}`, before: `{"name": "m", "gone": 1, "kept": 2` + own + `}`, after: `{"name": "n", "kept": 2` + own + `}`, owned: []string{"/gone", "/kept", "/name"},
			paths: "/name, /gone (removed)", values: `/name (declared "n", remote "m"); removed /gone`,
		},
		"OnlyReleased": {
			reason:   "also alone",
			declared: `{"name": "n"` + own + `}`, before: `{"name": "n", "gone": 1` + own + `}`, after: `{"name": "n"` + own + `}`, owned: []string{"/gone", "/name"},
			paths: "/gone (removed)", values: "removed /gone",
		},
		"Many": {
			reason:   "a few are named, and the others counted",
			declared: `{"a": 1, "b": 1, "c": 1, "d": 1, "e": 1, "f": 1, "g": 1` + own + `}`, before: `{` + own[2:] + `}`, after: `{"a": 1, "b": 1, "c": 1, "d": 1, "e": 1, "f": 1, "g": 1` + own + `}`,
			paths:  "/a, /b, /c, /d, /e and 2 more",
			values: "/a (declared 1, remote none); /b (declared 1, remote none); /c (declared 1, remote none); /d (declared 1, remote none); and 3 more",
		},
		"Masked": {
			reason:   "a masked field is named where nothing else was a reason for the write",
			declared: `{"name": "n", "encrypted": {"key": "S"}` + own + `}`, before: `{"name": "n", "encrypted": {"key": "***"}` + own + `}`, after: `{"name": "n", "encrypted": {"key": "***"}` + own + `}`,
			paths: "/encrypted", values: "/encrypted (declared (redacted), remote (redacted))",
		},
		"MaskedBesides": {
			reason:   "otherwise nobody knows whether it changed",
			declared: `{"name": "n", "encrypted": {"key": "S"}` + own + `}`, before: `{"name": "m", "encrypted": {"key": "***"}` + own + `}`, after: `{"name": "n", "encrypted": {"key": "***"}` + own + `}`,
			paths: "/name", values: `/name (declared "n", remote "m")`,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			object := &v1alpha1.Import{}
			object.Spec.Definition.Raw = []byte(tc.declared)
			object.Status.DesiredHash, object.Status.OwnedFields = "another", tc.owned
			desired, err := definition.Desire(object, "k8s/marker", "default", nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			var compared [2]Comparison
			for i, text := range []string{tc.before, tc.after} {
				compared[i], err = Compare(ownership.Owner{}, object, desired, integrator.Import{Raw: []byte(text), ExternalID: "erp-1"}, drift.Foreign{})
				if err != nil {
					t.Fatal(err)
				}
			}
			written := compared[0].Written(compared[1])
			if diff := cmp.Diff([]string{tc.paths, tc.values}, []string{written.Paths(), written.Values()}); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
			if written.None() != (tc.paths == "") {
				t.Errorf("%s: None = %v", tc.reason, written.None())
			}
		})
	}
}
