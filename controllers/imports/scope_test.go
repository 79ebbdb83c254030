// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package imports

import (
	"testing"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/definition"
	"github.com/integrator-operator/integrator-operator/internal/drift"
)

func TestDeclaredChanged(t *testing.T) {
	differs := func(paths ...string) (found []drift.Difference) {
		for _, path := range paths {
			found = append(found, drift.Difference{Path: path})
		}
		return found
	}
	cases := map[string]struct {
		reason, before, now string
		secrets, released   []string
		found               []drift.Difference
		writeOnly           bool
		changed, rewrites   bool
	}{
		"Same":       {reason: "the same document is no change", before: "a.1", now: "a.1", secrets: []string{"/key"}, found: differs("/key")},
		"Touched":    {reason: "another version without a difference is none", before: "a.1", now: "a.2", secrets: []string{"/key"}},
		"Elsewhere":  {reason: "nor when the remote differs elsewhere", before: "a.1", now: "a.2", secrets: []string{"/key"}, found: differs("/keys", "/name")},
		"Rotated":    {reason: "it is one when the remote differs at the value", before: "a.1", now: "a.2", secrets: []string{"/key"}, found: differs("/key/a"), changed: true},
		"Above":      {reason: "or above it", before: "a.1", now: "a.2", secrets: []string{"/list/0/key"}, found: differs("/list"), changed: true},
		"Fewer":      {reason: "or has what the value had before", before: "a.1", now: "a.2", secrets: []string{"/key"}, released: []string{"/key/gone"}, changed: true},
		"Masked":     {reason: "what cannot be compared is written", before: "a.1", now: "a.2", secrets: []string{"/encrypted/key"}, writeOnly: true, changed: true, rewrites: true},
		"OtherMask":  {reason: "but not for the sake of another value", before: "a.1", now: "a.2", secrets: []string{"/key"}, writeOnly: true},
		"Definition": {reason: "another definition is a change", before: "a.1", now: "b.1", secrets: []string{"/key"}, writeOnly: true, changed: true, rewrites: true},
		"Added":      {reason: "so are the first values", before: "a", now: "a.1", secrets: []string{"/key"}, changed: true},
		"Removed":    {reason: "and that there are none any more", before: "a.1", now: "a", changed: true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			document := map[string]any{}
			if tc.writeOnly {
				document["encrypted"] = map[string]any{"key": "S"}
			}
			s := &scope{object: &v1alpha1.Import{}, desired: &definition.Desired{Document: document, Hash: tc.now, Secrets: tc.secrets}}
			s.object.Status.DesiredHash = tc.before
			if got := s.declaredChanged(tc.found, tc.released); got != tc.changed {
				t.Errorf("%s: changed = %v", tc.reason, got)
			}
			if got := s.needsRewrite(); got != tc.rewrites {
				t.Errorf("%s: rewrites = %v", tc.reason, got)
			}
		})
	}
}
