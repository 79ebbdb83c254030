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

func TestCallsFor(t *testing.T) {
	cases := map[string]struct {
		reason   string
		found    []string
		released []string
		rewrite  bool
		want     []string
	}{
		"Nothing":      {reason: "never a PUT when nothing differs"},
		"Field":        {reason: "a field goes by PUT", found: []string{"/name"}, want: []string{CallPut}},
		"Connection":   {reason: "the connection alone has a call of its own", found: []string{"/_connectionId"}, want: []string{CallReplaceConnection}},
		"ConnectionTo": {reason: "together with others it goes by PUT", found: []string{"/_connectionId", "/name"}, want: []string{CallPut}},
		"Released":     {reason: "what is taken back needs a PUT", found: []string{"/_connectionId"}, released: []string{"/description"}, want: []string{CallPut}},
		"Rewrite":      {reason: "what cannot be compared is written", rewrite: true, want: []string{CallPut}},
		"Assistant":    {reason: "assistantMetadata alone goes by PATCH", found: []string{"/assistantMetadata/a", "/assistantMetadata"}, want: []string{CallPatch}},
		"Namesake":     {reason: "a field that only begins alike does not", found: []string{"/assistantMetadata2"}, want: []string{CallPut}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var found []drift.Difference
			for _, path := range tc.found {
				found = append(found, drift.Difference{Path: path})
			}
			if diff := cmp.Diff(tc.want, callsFor(found, tc.released, tc.rewrite)); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

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
			object, desired := &v1alpha1.Import{}, &definition.Desired{Document: document, Hash: tc.now, Secrets: tc.secrets}
			object.Status.DesiredHash = tc.before
			changed := SpecChanged(ownership.Owner{}, object, desired, integrator.Import{})
			if got := changed && declaredChanged(object, desired, tc.found, tc.released); got != tc.changed {
				t.Errorf("%s: changed = %v", tc.reason, got)
			}
			if got := changed && needsRewrite(object, desired); got != tc.rewrites {
				t.Errorf("%s: rewrites = %v", tc.reason, got)
			}
		})
	}
}
