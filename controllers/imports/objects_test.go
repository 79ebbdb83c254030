// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package imports

import (
	"context"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/ownership"
)

// While a reconcile goes on with the version that it has read, another process or a user writes the
// object. The status None, by which admission permits another accountRef, must not come of that.
func TestNothingMadeIsOfTheStoredObject(t *testing.T) {
	none := func(object *v1alpha1.Import) { object.Status.Management = v1alpha1.ManagementStateNone }
	label := func(object *v1alpha1.Import) { object.Labels = map[string]string{"team": "erp"} }
	intent := func(object *v1alpha1.Import) {
		object.Annotations = map[string]string{v1alpha1.AnnotationCreatePending: `{"externalId": "k8s/a"}`}
	}
	account := func(object *v1alpha1.Import) { object.Spec.AccountRef.Name = "other" }
	intended := metadataChange{locked: true, finalizer: true, annotations: map[string]any{v1alpha1.AnnotationCreatePending: "{}"}}
	cases := map[string]struct {
		before, meanwhile func(*v1alpha1.Import)
		write             func(objects, *scope) error
		conflict          bool
		want              v1alpha1.ManagementState
	}{
		"ReportedBesideALabel": {nil, label, reportNone, false, v1alpha1.ManagementStateNone},
		"NotBesideAnIntent":    {nil, intent, reportNone, true, ""},
		"NotOfAnotherAccount":  {nil, account, reportNone, true, ""},
		"TakenBack": {none, nil, func(o objects, s *scope) error {
			return o.patchMetadata(t.Context(), s, intended)
		}, false, ""},
		"StatusBeforeTheIntent": {nil, nil, func(o objects, s *scope) error {
			return o.patchMetadata(t.Context(), s, intended)
		}, false, ""},
		"AccountChangedBefore": {none, account, func(o objects, s *scope) error {
			return o.patchMetadata(t.Context(), s, intended)
		}, true, v1alpha1.ManagementStateNone},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			object := &v1alpha1.Import{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "orders", UID: "a"}}
			object.Spec.AccountRef.Name = "default"
			if c.before != nil {
				c.before(object)
			}
			scheme := runtime.NewScheme()
			if err := v1alpha1.AddToScheme(scheme); err != nil {
				t.Fatal(err)
			}
			api := fake.NewClientBuilder().WithScheme(scheme).WithObjects(object).WithStatusSubresource(object).Build()
			read := &v1alpha1.Import{}
			if err := api.Get(t.Context(), client.ObjectKeyFromObject(object), read); err != nil {
				t.Fatal(err)
			}
			s := &scope{object: read, before: read.DeepCopy()}
			if c.meanwhile != nil {
				live := read.DeepCopy()
				c.meanwhile(live)
				if err := api.Update(t.Context(), live); err != nil {
					t.Fatal(err)
				}
			}
			if err := c.write(objects{Client: api, live: api}, s); apierrors.IsConflict(err) != c.conflict || err != nil && !c.conflict {
				t.Errorf("ends with %v, conflict wanted: %v", err, c.conflict)
			}
			stored := &v1alpha1.Import{}
			if err := api.Get(t.Context(), client.ObjectKeyFromObject(object), stored); err != nil {
				t.Fatal(err)
			}
			if stored.Status.Management != c.want {
				t.Errorf("management is %q, not %q", stored.Status.Management, c.want)
			}
			if made := stored.Annotations[v1alpha1.AnnotationCreatePending] == "{}"; made != (name == "TakenBack" || name == "StatusBeforeTheIntent") {
				t.Errorf("the intent is written: %v", made)
			} else if made && ownership.ReportsFirst(stored) {
				t.Error("the intent stands beside no status, or beside None")
			}
		})
	}
}

func reportNone(o objects, s *scope) error {
	s.object.Status.Management = v1alpha1.ManagementStateNone
	_, err := o.patchStatus(context.Background(), s)
	return err
}
