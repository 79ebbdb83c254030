// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package ownership

import (
	"testing"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
)

func TestManagementOf(t *testing.T) {
	claimed := func(object *v1alpha1.Import) { object.Annotations[v1alpha1.AnnotationAdoptPending] = remoteID }
	intended := func(object *v1alpha1.Import) {
		object.Annotations[v1alpha1.AnnotationCreatePending] = `{"externalId": "k8s/a"}`
	}
	applied := func(object *v1alpha1.Import) { object.Status.OwnedFields = []string{"/name"} }
	observed := func(object *v1alpha1.Import) { object.Status.Management = v1alpha1.ManagementStateObserved }
	anotherID := func(object *v1alpha1.Import) { object.Annotations[v1alpha1.AnnotationID] = "650000000000000000000099" }
	toAdopt := func(object *v1alpha1.Import) { object.Spec.Adopt = &v1alpha1.AdoptSpec{ID: remoteID} }
	cases := map[string]struct {
		edits         []func(*v1alpha1.Import)
		nothingBefore bool
		want          v1alpha1.ManagementState
	}{
		"New":                   {nil, true, v1alpha1.ManagementStateNone},
		"MetadataTakenAway":     {nil, false, ""},
		"Finalizer":             {[]func(*v1alpha1.Import){finalized}, true, ""},
		"Intent":                {[]func(*v1alpha1.Import){intended}, true, ""},
		"Claim":                 {[]func(*v1alpha1.Import){claimed}, true, ""},
		"CopiedAnnotation":      {[]func(*v1alpha1.Import){annotated, finalized}, true, ""},
		"Observed":              {[]func(*v1alpha1.Import){recorded, observing, toAdopt}, true, v1alpha1.ManagementStateObserved},
		"ObservedBefore":        {[]func(*v1alpha1.Import){recorded, observed, toAdopt}, false, v1alpha1.ManagementStateObserved},
		"Managed":               {[]func(*v1alpha1.Import){recorded, annotated, finalized, applied}, false, v1alpha1.ManagementStateManaged},
		"ManagedThenObserved":   {[]func(*v1alpha1.Import){recorded, annotated, finalized, applied, observing, toAdopt}, false, v1alpha1.ManagementStateObserved},
		"ForgedAnotherID":       {[]func(*v1alpha1.Import){recorded, observed, anotherID, finalized, applied, toAdopt}, false, v1alpha1.ManagementStateObserved},
		"AnotherID":             {[]func(*v1alpha1.Import){recorded, anotherID, finalized, applied, toAdopt}, false, ""},
		"ForgedMetadata":        {[]func(*v1alpha1.Import){recorded, observed, annotated, finalized, applied, toAdopt}, false, v1alpha1.ManagementStateObserved},
		"NothingAppliedYet":     {[]func(*v1alpha1.Import){recorded, annotated, finalized, toAdopt}, false, ""},
		"CreatedAgainElsewhere": {[]func(*v1alpha1.Import){recorded, finalized, applied, intended}, false, ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if got := ManagementOf(declared("a", c.edits...), c.nothingBefore); got != c.want {
				t.Errorf("is %q, not %q", got, c.want)
			}
		})
	}
}

func TestNothingBefore(t *testing.T) {
	none := func(object *v1alpha1.Import) { object.Status.Management = v1alpha1.ManagementStateNone }
	reported := func(object *v1alpha1.Import) { object.Status.ObservedGeneration = 1 }
	cases := map[string]struct {
		edits                                 []func(*v1alpha1.Import)
		appeared, withdrawn, markerSeen, want bool
		// The status is written before any metadata.
		first bool
	}{
		"New":            {appeared: true, want: true},
		"NewMarkerSeen":  {appeared: true, markerSeen: true},
		"NoStatus":       {},
		"None":           {edits: []func(*v1alpha1.Import){reported, none}, want: true, first: true},
		"NoneMarkerSeen": {edits: []func(*v1alpha1.Import){reported, none}, markerSeen: true, first: true},
		"MetadataGone":   {edits: []func(*v1alpha1.Import){reported}, appeared: true},
		"ClaimWithdrawn": {edits: []func(*v1alpha1.Import){reported}, withdrawn: true, want: true},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			before := declared("a", c.edits...)
			if got := NothingBefore(before, c.appeared, c.withdrawn, c.markerSeen); got != c.want {
				t.Errorf("nothing before: %t", got)
			}
			if got := ReportsFirst(before); got != c.first {
				t.Errorf("reports before metadata: %t", got)
			}
		})
	}
}
