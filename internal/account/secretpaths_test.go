// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package account

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
)

func TestSecretPaths(t *testing.T) {
	const id = "64b0000000000000000000c1"
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	having := func(path string, observes bool) *v1alpha1.Import {
		object := &v1alpha1.Import{}
		object.Status.ID = id
		object.Spec.ValuesFrom = []v1alpha1.ValueSource{{Path: path}}
		if observes {
			object.Spec.ManagementPolicy = v1alpha1.ManagementPolicyObserve
		}
		return object
	}
	var p SecretPaths
	p.Note(having("/http/body", false), now)
	p.Note(having("/http/body", false), now.Add(time.Hour))
	p.Note(having("/description", true), now)
	p.Note(&v1alpha1.Import{}, now)
	unborn := having("/name", false)
	unborn.Status.ID = ""
	p.Note(unborn, now)

	cases := map[string]struct {
		reason      string
		id          string
		managedOnly bool
		after       time.Duration
		want        []string
	}{
		"All":         {"whoever only looks sees none of them", id, false, 0, []string{"/http/body", "/description"}},
		"Managed":     {"an observer does not hide anything from whoever manages the import", id, true, 0, []string{"/http/body"}},
		"AnotherID":   {"it is another import", "64b0000000000000000000c2", false, 0, nil},
		"OneIsOver":   {"it was not noted again", id, false, SecretPathLife, []string{"/http/body"}},
		"BothAreOver": {"nobody has them any more", id, false, SecretPathLife + time.Hour, nil},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, p.Of(tc.id, tc.managedOnly, now.Add(tc.after))); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
	p.NotePaths("64b0000000000000000000c2", []string{"/name"}, true, now.Add(SecretPathLife+2*time.Hour))
	if _, kept := p.byID[id]; kept {
		t.Error("paths that are over are kept for ever")
	}
}
