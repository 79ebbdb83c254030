// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package takeover

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/integrator"
	"github.com/integrator-operator/integrator-operator/internal/ownership"
	"github.com/integrator-operator/integrator-operator/internal/scheme"
)

var now = time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)

const id = "64b0000000000000000000c1"

func importOf(name string, edits ...func(*v1alpha1.Import)) *v1alpha1.Import {
	object := &v1alpha1.Import{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name, UID: types.UID("uid-" + name)}}
	object.Spec.Definition.Raw = []byte(`{"name": "` + name + `"}`)
	object.Status.Conditions = []metav1.Condition{{Type: v1alpha1.ConditionReady, Status: metav1.ConditionFalse, Reason: v1alpha1.ReasonOwnershipConflict},
		{Type: v1alpha1.ConditionStalled, Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonOwnershipConflict}}
	for _, edit := range edits {
		edit(object)
	}
	return object
}

func managing(object *v1alpha1.Import) {
	object.Status.ID, object.Status.Management, object.Annotations = id, v1alpha1.ManagementStateManaged, map[string]string{v1alpha1.AnnotationID: id}
}

func TestJudge(t *testing.T) {
	prod := ownership.Owner{ID: "prod", Former: []string{"old"}}
	api := func(age time.Duration) []integrator.AuditEntry {
		return []integrator.AuditEntry{{Source: "ui", Time: now.Format(time.RFC3339)}, {Source: "api", Time: now.Add(-age).Format(time.RFC3339)}}
	}
	elsewhere := func(object *v1alpha1.Import) { object.Namespace = "other" }
	cases := map[string]struct {
		reason   string
		owner    ownership.Owner
		lost     []string
		imports  []*v1alpha1.Import
		object   *v1alpha1.Import
		remote   integrator.Import
		namesake bool
		log      []integrator.AuditEntry
		idle     time.Duration
		want     string
	}{
		"MarkOfAUID":         {reason: "the Import of that uid is nowhere", remote: integrator.Import{ExternalID: "k8s/lost"}},
		"Restored":           {reason: "this Import had it before, as its status says", object: importOf("orders", managing), remote: integrator.Import{ExternalID: "k8s/lost"}},
		"SameExternalID":     {reason: "it was made of the same definition", remote: integrator.Import{ExternalID: "erp"}, namesake: true},
		"NoMark":             {reason: "an annotation proves nothing", remote: integrator.Import{ExternalID: "erp"}, want: "no ownership marker"},
		"NoExternalID":       {reason: "nor does none", remote: integrator.Import{}, want: "no ownership marker"},
		"OwnMark":            {reason: "another one undoes its corrections", remote: integrator.Import{ExternalID: "k8s/uid-orders"}, want: "the ownership marker of this very Import"},
		"OwnMarkOfOwner":     {reason: "with the owner id too", owner: prod, remote: integrator.Import{ExternalID: "k8s/prod/shop/orders"}, want: "the ownership marker of this very Import"},
		"OwnMarkOfFormer":    {reason: "or a former one", owner: prod, remote: integrator.Import{ExternalID: "k8s/old/shop/orders"}, want: "the ownership marker of this very Import"},
		"MarkOfOneHere":      {reason: "that Import lives", imports: []*v1alpha1.Import{importOf("other")}, remote: integrator.Import{ExternalID: "k8s/uid-other"}, want: "Import shop/other, which exists in this cluster"},
		"MarkOfOneElsewhere": {reason: "in any namespace", imports: []*v1alpha1.Import{importOf("other", elsewhere)}, remote: integrator.Import{ExternalID: "k8s/uid-other"}, want: "Import other/other, which exists"},
		"NamedOneHere":       {reason: "the marker names it", owner: prod, imports: []*v1alpha1.Import{importOf("other")}, remote: integrator.Import{ExternalID: "k8s/prod/shop/other"}, want: "Import shop/other, which exists"},
		"NamedOneGone":       {reason: "an operator of this owner id may be elsewhere too", owner: prod, remote: integrator.Import{ExternalID: "k8s/prod/shop/other"}, want: "--from-owner-id=prod"},
		"OwnerMayLive":       {reason: "an owner id outlives a cluster", remote: integrator.Import{ExternalID: "k8s/staging/shop/orders"}, want: `the owner id "staging", of an operator that may still work: if that one is gone, name it with --from-owner-id=staging`},
		"OwnerIsLost":        {reason: "the user says so", lost: []string{"staging"}, remote: integrator.Import{ExternalID: "k8s/staging/shop/orders"}},
		"AnotherIsLost":      {reason: "of another one", lost: []string{"test"}, remote: integrator.Import{ExternalID: "k8s/staging/shop/orders"}, want: "--from-owner-id=staging"},
		"SameNameOfTheLost":  {reason: "an Import here of the same name is not that of the lost one", lost: []string{"staging"}, imports: []*v1alpha1.Import{importOf("other")}, remote: integrator.Import{ExternalID: "k8s/staging/shop/other"}},
		"ManagedHere":        {reason: "its status says so", imports: []*v1alpha1.Import{importOf("owner", managing, elsewhere)}, remote: integrator.Import{ExternalID: "k8s/lost"}, want: "Import other/owner of this cluster manages it"},
		"IntegrationApp":     {reason: "the vendor updates it", remote: integrator.Import{ExternalID: "k8s/lost", ConnectorID: "c"}, want: "an integration app"},
		"Busy":               {reason: "an operator wrote to it", log: api(time.Minute), idle: time.Hour, remote: integrator.Import{ExternalID: "k8s/lost"}, want: "wrote to it through the API at 2026-11-28T11:59:00Z"},
		"Idle":               {reason: "long ago", log: api(2 * time.Hour), idle: time.Hour, remote: integrator.Import{ExternalID: "k8s/lost"}},
		"NotAsked":           {reason: "the user knows better", log: api(time.Minute), remote: integrator.Import{ExternalID: "k8s/lost"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			object := tc.object
			if object == nil {
				object = importOf("orders")
			}
			k := &knowledge{owner: tc.owner, lost: tc.lost, now: now, idle: tc.idle, imports: []v1alpha1.Import{*object}}
			for _, other := range tc.imports {
				k.imports = append(k.imports, *other)
			}
			tc.remote.ID = id
			got := k.judge(object, tc.remote, tc.namesake, tc.log)
			if tc.want == "" && got != "" || tc.want != "" && !strings.Contains(got, tc.want) {
				t.Errorf("%s: got %q, want %q", tc.reason, got, tc.want)
			}
		})
	}
}

func TestNamesakes(t *testing.T) {
	declared := func(object *v1alpha1.Import) {
		object.Spec.Definition.Raw = []byte(`{"name": "orders", "externalId": "erp"}`)
	}
	remote := func(id, name, externalID string) integrator.Import {
		return integrator.Import{ID: id, Name: name, ExternalID: externalID}
	}
	cases := map[string]struct {
		reason string
		object *v1alpha1.Import
		all    []integrator.Import
		want   []string
	}{
		"None":      {"other names", importOf("orders"), []integrator.Import{remote("1", "prices", "k8s/lost")}, nil},
		"Marked":    {"the name, and a marker", importOf("orders"), []integrator.Import{remote("1", "orders", "k8s/lost"), remote("2", "orders", "")}, []string{"1"}},
		"Several":   {"nobody can say which", importOf("orders"), []integrator.Import{remote("1", "orders", "k8s/lost"), remote("2", "orders", "k8s/lost")}, []string{"1", "2"}},
		"Declared":  {"the name, and the externalId", importOf("orders", declared), []integrator.Import{remote("1", "orders", "erp"), remote("2", "orders", "shop")}, []string{"1"}},
		"HeldHere":  {"another Import has it", importOf("orders"), []integrator.Import{remote(id, "orders", "k8s/lost")}, nil},
		"NoJSON":    {"a definition that cannot be read", importOf("orders", func(o *v1alpha1.Import) { o.Spec.Definition.Raw = nil }), []integrator.Import{remote("1", "orders", "k8s/lost")}, nil},
		"NoImports": {"an empty account", importOf("orders"), nil, nil},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			k := &knowledge{imports: []v1alpha1.Import{*tc.object, *importOf("holder", managing)}}
			if diff := cmp.Diff(tc.want, k.namesakes(tc.object, tc.all)); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestCandidates(t *testing.T) {
	deleted := func(object *v1alpha1.Import) { object.DeletionTimestamp = &metav1.Time{Time: now} }
	adopting := func(mode v1alpha1.AdoptionMode) func(*v1alpha1.Import) {
		return func(object *v1alpha1.Import) { object.Spec.Adopt = &v1alpha1.AdoptSpec{ID: id, Mode: mode} }
	}
	other := func(object *v1alpha1.Import) { object.Status.Conditions[0].Reason = v1alpha1.ReasonAdoptionConflict }
	waiting := func(object *v1alpha1.Import) { object.Status.Conditions = object.Status.Conditions[:1] }
	cases := map[string]struct {
		reason  string
		object  *v1alpha1.Import
		refused bool
		want    string
	}{
		"Conflict":      {"a person is needed", importOf("a"), true, ""},
		"OtherReason":   {"it is retried", importOf("a", other), false, ""},
		"NotStalled":    {"nobody is needed", importOf("a", waiting), false, ""},
		"NoStatus":      {"it is new", &v1alpha1.Import{}, false, ""},
		"Deleted":       {"it goes", importOf("a", deleted), true, "it is being deleted"},
		"Clone":         {"admission refuses both", importOf("a", func(o *v1alpha1.Import) { o.Spec.CloneFrom = &v1alpha1.CloneSpec{} }), true, "spec.cloneFrom"},
		"AdoptMatch":    {"the field is immutable", importOf("a", adopting(v1alpha1.AdoptionModeMatch)), true, "another mode"},
		"AdoptOverride": {"that is the step", importOf("a", adopting(v1alpha1.AdoptionModeOverride)), true, ""},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := refused(tc.object); got != tc.refused {
				t.Errorf("%s: refused %t", tc.reason, got)
			}
			if got := impossible(tc.object); tc.want == "" && got != "" || !strings.Contains(got, tc.want) {
				t.Errorf("%s: got %q, want %q", tc.reason, got, tc.want)
			}
		})
	}
}

func TestPassTwins(t *testing.T) {
	candidates := []*Candidate{{Object: importOf("a"), ID: "1"}, {Object: importOf("b"), ID: "1"}, {Object: importOf("c"), ID: "2"}, {Object: importOf("d"), ID: "2", Passed: "another reason"}}
	passTwins(candidates)
	var got []string
	for _, c := range candidates {
		got = append(got, c.Passed)
	}
	const twin = "Import shop/%s would take over the same import: delete one of them with deletionPolicy Orphan"
	want := []string{strings.Replace(twin, "%s", "b", 1), strings.Replace(twin, "%s", "a", 1), "", "another reason"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want, +got:\n%s", diff)
	}
}

func TestTake(t *testing.T) {
	restored := func(object *v1alpha1.Import) { object.Status.OwnedFields = []string{"/name"} }
	adopted := func(object *v1alpha1.Import) {
		object.Spec.Adopt = &v1alpha1.AdoptSpec{ID: id, Mode: v1alpha1.AdoptionModeOverride}
	}
	cases := map[string]struct {
		reason  string
		object  *v1alpha1.Import
		changed bool
		emptied bool
	}{
		"Plain":       {"one field", importOf("orders"), false, false},
		"Restored":    {"and the status", importOf("orders", managing, restored), false, true},
		"AdoptIsSet":  {"the status alone", importOf("orders", managing, restored, adopted), false, true},
		"ChangedThen": {"what was looked at is not there any more", importOf("orders"), true, false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			cluster := fake.NewClientBuilder().WithScheme(scheme.All()).WithObjects(tc.object.DeepCopy()).WithStatusSubresource(tc.object).Build()
			seen := &v1alpha1.Import{}
			key := client.ObjectKeyFromObject(tc.object)
			if err := cluster.Get(t.Context(), key, seen); err != nil {
				t.Fatal(err)
			}
			if tc.changed {
				other := seen.DeepCopy()
				other.Labels = map[string]string{"a": "b"}
				if err := cluster.Update(t.Context(), other); err != nil {
					t.Fatal(err)
				}
			}
			err := Take(t.Context(), cluster, &Candidate{Object: seen, ID: id})
			if apierrors.IsConflict(err) != tc.changed || err != nil && !tc.changed {
				t.Fatalf("%s: %v", tc.reason, err)
			}
			got := &v1alpha1.Import{}
			if err := cluster.Get(t.Context(), key, got); err != nil {
				t.Fatal(err)
			}
			var want *v1alpha1.AdoptSpec
			if !tc.changed {
				want = &v1alpha1.AdoptSpec{ID: id, Mode: v1alpha1.AdoptionModeOverride}
			}
			if diff := cmp.Diff(want, got.Spec.Adopt); diff != "" {
				t.Errorf("%s: spec.adopt: -want, +got:\n%s", tc.reason, diff)
			}
			if emptied := len(got.Status.Conditions) == 0; emptied != tc.emptied {
				t.Errorf("%s: emptied %t: %+v", tc.reason, emptied, got.Status)
			}
		})
	}
}
