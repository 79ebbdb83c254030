// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package account

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/account/shared"
	"github.com/integrator-operator/integrator-operator/internal/integrator"
	"github.com/integrator-operator/integrator-operator/internal/ownership"
)

func TestManaged(t *testing.T) {
	const first, second = "64a000000000000000000001", "64a000000000000000000002"
	// of is an Import that manages a remote import.
	of := func(uid types.UID, id string, changes ...func(*v1alpha1.Import)) v1alpha1.Import {
		object := v1alpha1.Import{ObjectMeta: metav1.ObjectMeta{
			UID: uid, Finalizers: []string{v1alpha1.Finalizer}, Annotations: map[string]string{v1alpha1.AnnotationID: id},
		}}
		object.Status.ID = id
		for _, change := range changes {
			change(&object)
		}
		return object
	}
	adopts := func(object *v1alpha1.Import) { object.Spec.Adopt = &v1alpha1.AdoptSpec{ID: first} }
	cases := map[string]struct {
		reason  string
		imports []v1alpha1.Import
		marked  []integrator.Import
		want    int
	}{
		"None": {"nothing is declared",
			nil, nil, 0},
		"Created": {"each has its marker",
			[]v1alpha1.Import{of("a", first), of("b", second)}, []integrator.Import{{ID: first, ExternalID: "k8s/a"}, {ID: second, ExternalID: "k8s/b"}}, 2},
		"OtherExternalID": {"one that was adopted, or declares an externalId, has no marker",
			[]v1alpha1.Import{of("a", first, adopts)}, nil, 1},
		"NewClone": {"a clone still has the externalId of its original, and the marker as its name",
			[]v1alpha1.Import{of("a", first)}, []integrator.Import{{ID: first, Name: "k8s/a", ExternalID: "k8s/z"}}, 1},
		"Suspended": {"it is still this Import's",
			[]v1alpha1.Import{of("a", first, func(object *v1alpha1.Import) { object.Spec.Suspend = true })}, nil, 1},
		"NotInTheAccount": {"what was deleted on the platform, or is in another account, is not counted",
			[]v1alpha1.Import{of("a", "64a000000000000000000003")}, nil, 0},
		"Observed": {"what is only observed is not managed",
			[]v1alpha1.Import{of("a", first, func(object *v1alpha1.Import) { object.Spec.ManagementPolicy = v1alpha1.ManagementPolicyObserve })}, nil, 0},
		"ObservedUntilNow": {"nor is it before it is adopted",
			[]v1alpha1.Import{of("a", first, adopts, func(object *v1alpha1.Import) { object.Status.Management = v1alpha1.ManagementStateObserved })}, nil, 0},
		"OnlyAnAnnotation": {"anybody can write an annotation",
			[]v1alpha1.Import{of("a", first, func(object *v1alpha1.Import) { object.Status.ID = "" })}, nil, 0},
		"OtherAnnotation": {"the status is of another import than the annotation",
			[]v1alpha1.Import{of("a", first, func(object *v1alpha1.Import) { object.Annotations[v1alpha1.AnnotationID] = second })}, nil, 0},
		"CreatedAgain": {"the import in the status was deleted, and another is being created",
			[]v1alpha1.Import{of("a", first, func(object *v1alpha1.Import) {
				object.Annotations = map[string]string{v1alpha1.AnnotationCreatePending: `{"replaces":"` + first + `"}`}
			})}, nil, 0},
		"Pending": {"nothing was created yet",
			[]v1alpha1.Import{of("a", "")}, nil, 0},
		"Twice": {"no second Import counts the same import",
			[]v1alpha1.Import{of("a", first), of("b", first)}, nil, 1},
		"OfAnother": {"the marker says whose it is",
			[]v1alpha1.Import{of("a", first), of("b", first)}, []integrator.Import{{ID: first, ExternalID: "k8s/b"}}, 1},
		"OfAnotherCluster": {"also where that is not of this account, or not of this cluster",
			[]v1alpha1.Import{of("a", first)}, []integrator.Import{{ID: first, ExternalID: "k8s/z"}}, 0},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			listed := map[string]string{first: "2026", second: "2026"}
			var imports []*v1alpha1.Import
			for i := range tc.imports {
				imports = append(imports, &tc.imports[i])
			}
			if got := managed(ownership.Owner{}, imports, shared.NewList(listed, tc.marked...)); got != tc.want {
				t.Errorf("%s: %d are managed, want %d", tc.reason, got, tc.want)
			}
		})
	}
}
