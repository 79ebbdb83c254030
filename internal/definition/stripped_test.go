// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package definition

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/ownership"
)

// manyOwned are so many fields that the cache does not keep them.
func manyOwned(n int) []string {
	var owned []string
	for i := range n {
		owned = append(owned, fmt.Sprintf("/settings/field%04d", i))
	}
	return owned
}

// whole is an Import with a definition of a size, and so many fields that were applied.
func whole(size, owned int) *v1alpha1.Import {
	object := newImport(`{"name": "n", "text": "` + strings.Repeat("x", size) + `"}`)
	object.Namespace, object.Name, object.Generation = "ns", "orders", 3
	object.Annotations = map[string]string{v1alpha1.AnnotationID: "id"}
	object.Finalizers = []string{v1alpha1.Finalizer, "example.com/backup"}
	object.Labels = map[string]string{v1alpha1.LabelRemoteImport: "id", "shard": "a", "team": "erp"}
	object.Spec.AccountRef.Name = "default"
	object.Status.ID, object.Status.OwnedFields, object.Status.ObservedGeneration = "id", manyOwned(owned), 3
	object.Status.Conditions = []metav1.Condition{{Type: "Ready", Status: metav1.ConditionTrue, Reason: "Synced", Message: "m"}}
	return object
}

// selecting are the labels that select Imports.
var selecting = map[string]string{"shard": "a"}

func TestStrip(t *testing.T) {
	for name, tc := range map[string]struct {
		reason string
		object *v1alpha1.Import
		change func(*v1alpha1.Import)
		want   func(*v1alpha1.Import)
	}{
		"Small":           {"what is small stays", whole(10, 3), nil, func(*v1alpha1.Import) {}},
		"LargeDefinition": {"a large definition is read when it is needed", whole(600, 3), nil, func(o *v1alpha1.Import) { o.Spec.Definition.Raw = nil }},
		"New": {"one that was not reconciled yet needs its definition at once", whole(600, 3), func(o *v1alpha1.Import) { o.Status.ObservedGeneration = -1 },
			func(o *v1alpha1.Import) { o.Status.ObservedGeneration = -1 }},
		"NewAndLarge": {"one that is very large is read even so", whole(10_000, 3), func(o *v1alpha1.Import) { o.Status.ObservedGeneration = -1 },
			func(o *v1alpha1.Import) { o.Status.ObservedGeneration, o.Spec.Definition.Raw = -1, nil }},
		"ManyFields": {
			"of many fields remains that there are some", whole(10, 500), nil,
			func(o *v1alpha1.Import) { o.Status.OwnedFields = []string{"stripped:"} },
		},
		"Metadata": {
			"of metadata remains what the operator writes, and the finalizers of others, which it writes again", whole(10, 3),
			func(o *v1alpha1.Import) {
				o.Annotations["kubectl.kubernetes.io/last-applied-configuration"] = strings.Repeat("x", 5000)
				o.ManagedFields, o.OwnerReferences = []metav1.ManagedFieldsEntry{{}}, []metav1.OwnerReference{{}}
			}, func(*v1alpha1.Import) {},
		},
	} {
		t.Run(name, func(t *testing.T) {
			want := tc.object.DeepCopy()
			want.Labels = map[string]string{v1alpha1.LabelRemoteImport: "=", "shard": "a"}
			tc.want(want)
			if tc.change != nil {
				tc.change(tc.object)
			}
			Strip(tc.object, selecting)
			once := tc.object.DeepCopy()
			if owned := once.Status.OwnedFields; len(owned) == 1 {
				once.Status.OwnedFields = []string{owned[0][:min(len(owned[0]), len(strippedOwned))]}
			}
			if diff := cmp.Diff(want, once, cmpopts.IgnoreUnexported(v1alpha1.ImportDefinition{})); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
			twice := tc.object.DeepCopy()
			Strip(twice, selecting)
			if diff := cmp.Diff(tc.object, twice, cmpopts.IgnoreUnexported(v1alpha1.ImportDefinition{})); diff != "" {
				t.Errorf("stripped twice, it is another object: -once, +twice:\n%s", diff)
			}
		})
	}
}

// What many Imports have is in memory once, as long as there are few of it.
func TestStripShares(t *testing.T) {
	one, other := whole(10, 3), whole(10, 3)
	Strip(one, selecting)
	Strip(other, selecting)
	if &one.Status.OwnedFields[0] != &other.Status.OwnedFields[0] || &one.Finalizers[0] != &other.Finalizers[0] {
		t.Error("equal lists are in memory twice")
	}
	one.Labels["shard"] = "b"
	if other.Labels["shard"] != "b" {
		t.Error("equal labels are in memory twice")
	}
	other.Labels["shard"] = "a"
	another := whole(10, 3)
	Strip(another, nil)
	if diff := cmp.Diff(map[string]string{v1alpha1.LabelRemoteImport: "="}, another.Labels); diff != "" {
		t.Errorf("labels that select nothing: -want, +got:\n%s", diff)
	}
	var few common[int]
	for i := range 3 * mostCommon {
		if got := few.get(fmt.Sprint(i), func() int { return i }); got != i {
			t.Fatalf("%d became %d", i, got)
		}
	}
	if len(few.byText) > mostCommon {
		t.Errorf("%d values are kept for nothing", len(few.byText))
	}
}

// The API server validates definitions, and refuses one without a name.
func TestStrippedDefinitionIsNone(t *testing.T) {
	object := whole(600, 3)
	Strip(object, nil)
	text, err := json.Marshal(object.Spec.Definition)
	if err != nil || string(text) != "{}" {
		t.Errorf("a stripped definition is written as %s, %v", text, err)
	}
}

func TestStripStatusTellsFieldsApart(t *testing.T) {
	one, other := whole(10, 500).Status, whole(10, 501).Status
	hashed := whole(10, 500).Status
	hashed.OwnedFieldHashes = []byte("12345678")
	for _, state := range []*v1alpha1.ImportStatus{&one, &other, &hashed} {
		StripStatus(state)
		if !StrippedStatus(state) || state.OwnedFieldHashes != nil {
			t.Errorf("not stripped: %v", state.OwnedFields)
		}
	}
	if one.OwnedFields[0] == other.OwnedFields[0] || one.OwnedFields[0] == hashed.OwnedFields[0] {
		t.Error("other fields leave the stripped status as it was")
	}
}

func TestKeptAnnotations(t *testing.T) {
	many := map[string]string{v1alpha1.AnnotationCreatePending: strings.Repeat("i", 4000)}
	for i := range 100 {
		many[fmt.Sprintf("example.com/%02d", i)] = strings.Repeat("x", 100)
	}
	kept := KeptAnnotations(many)
	if len(kept[v1alpha1.AnnotationCreatePending]) != 4000 {
		t.Error("the operator's own annotations have to stay")
	}
	if len(kept) < 3 || len(kept) > 12 {
		t.Errorf("of annotations of others, %d are kept", len(kept)-1)
	}
	if diff := cmp.Diff(kept, KeptAnnotations(kept)); diff != "" {
		t.Errorf("-once, +twice:\n%s", diff)
	}
	if KeptAnnotations(nil) != nil {
		t.Error("no annotations are none")
	}
}

// server is an API server that has one Import.
type server struct {
	client.Reader
	has *v1alpha1.Import
}

func (s server) Get(_ context.Context, key client.ObjectKey, into client.Object, _ ...client.GetOption) error {
	if s.has == nil {
		return apierrors.NewNotFound(schema.GroupResource{Resource: "imports"}, key.Name)
	}
	s.has.DeepCopyInto(into.(*v1alpha1.Import))
	return nil
}

func TestWhole(t *testing.T) {
	for name, tc := range map[string]struct {
		reason string
		change func(*v1alpha1.Import)
		fails  func(error) bool
	}{
		"Same":          {"it is the object of the cache", func(*v1alpha1.Import) {}, nil},
		"Touched":       {"another annotation changes nothing that is read", func(o *v1alpha1.Import) { o.Annotations["x"] = "y"; o.ResourceVersion = "9" }, nil},
		"OtherStatus":   {"nor does a status with the same fields", func(o *v1alpha1.Import) { o.Status.LastModified = "now" }, nil},
		"OtherObject":   {"the cache has an object that is gone", func(o *v1alpha1.Import) { o.UID = "other" }, apierrors.IsConflict},
		"OtherSpec":     {"what is decided from the spec would not fit the definition", func(o *v1alpha1.Import) { o.Generation++ }, apierrors.IsConflict},
		"FieldsApplied": {"another process went on with it", func(o *v1alpha1.Import) { o.Status.OwnedFields = manyOwned(501) }, apierrors.IsConflict},
	} {
		t.Run(name, func(t *testing.T) {
			stored := whole(600, 500)
			cached := stored.DeepCopy()
			Strip(cached, nil)
			tc.change(stored)
			before, untouched := cached.Status.DeepCopy(), whole(10, 2).Status
			got, err := Whole(t.Context(), server{has: stored}, cached, &cached.Status, before, &untouched)
			if tc.fails != nil {
				if !tc.fails(err) || !StrippedStatus(&cached.Status) {
					t.Errorf("%s: got %v, %v", tc.reason, got, err)
				}
				return
			}
			if err != nil {
				t.Fatalf("%s: %v", tc.reason, err)
			}
			if diff := cmp.Diff(stored.Spec.Definition.Raw, got.Spec.Definition.Raw); diff != "" {
				t.Errorf("-want, +got:\n%s", diff)
			}
			if diff := cmp.Diff([][]string{stored.Status.OwnedFields, stored.Status.OwnedFields, manyOwned(2)}, [][]string{cached.Status.OwnedFields, before.OwnedFields, untouched.OwnedFields}); diff != "" {
				t.Errorf("the fields that were applied: -want, +got:\n%s", diff)
			}
		})
	}
	if _, err := Whole(t.Context(), server{}, whole(10, 1)); !apierrors.IsNotFound(errors.Unwrap(err)) {
		t.Errorf("an Import that is gone: %v", err)
	}
}

func TestInputs(t *testing.T) {
	value := func(version string) []Value { return []Value{{Path: "/a", Version: version}} }
	first := Inputs("k8s/1", testAliases, value("1"))
	for reason, other := range map[string]string{
		"another marker":           Inputs("k8s/2", testAliases, value("1")),
		"an alias more":            Inputs("k8s/1", map[string]v1alpha1.ID{"shop": "64a0000000000000000000a1"}, value("1")),
		"a new version of a value": Inputs("k8s/1", testAliases, value("2")),
		"no value any more":        Inputs("k8s/1", testAliases, nil),
	} {
		if first == other {
			t.Errorf("%s leaves the hash as it was", reason)
		}
	}
	if first != Inputs("k8s/1", testAliases, value("1")) {
		t.Error("the same inputs have another hash")
	}
}

func TestOutline(t *testing.T) {
	object := newImport(`{"name": "n", "apiIdentifier": "left out", "big": 123456789012345678901234567890, "_connectionId": "@shop"}`)
	values := []Value{{Path: "/secret", Version: "1", Content: "s\n", Key: "key", LineBreak: true}}
	desired, err := Desire(object, testMarker, "default", testAliases, values)
	if err != nil {
		t.Fatal(err)
	}
	outline := desired.Outline()
	if outline.Document != nil || len(outline.Warnings) != 2 {
		t.Errorf("got %+v", outline)
	}
	same := cmpopts.IgnoreFields(Desired{}, "Document", "Fields", "origins")
	if diff := cmp.Diff(desired, outline, same); diff != "" {
		t.Errorf("the outline says something else: -desired, +outline:\n%s", diff)
	}
}

// What is decided about others from an Import that another operator reconciles.
func TestStripOther(t *testing.T) {
	object := whole(100, 3)
	object.Spec.Adopt = &v1alpha1.AdoptSpec{ID: "id"}
	object.Spec.ValuesFrom = []v1alpha1.ValueSource{{Path: "/http/headers"}}
	object.Spec.IgnoreDifferences = []string{"/name"}
	object.Status.Management, object.Status.ObservedGeneration = v1alpha1.ManagementStateManaged, 3
	object.Status.LastModified, object.Status.DesiredHash, object.Status.Drift = "t", "h", []v1alpha1.Difference{{Path: "/name"}}
	want := object.DeepCopy()
	want.Spec.Definition.Raw, want.Spec.IgnoreDifferences = nil, nil
	want.Labels = nil
	want.Status = v1alpha1.ImportStatus{
		ID: "id", Management: v1alpha1.ManagementStateManaged, ObservedGeneration: 3,
		Conditions: []metav1.Condition{{Type: "Ready", Status: metav1.ConditionTrue, Reason: "Synced"}},
	}
	StripOther(object, nil)
	if diff := cmp.Diff(encoded(t, want), encoded(t, object)); diff != "" {
		t.Error(diff)
	}
	// Not to be written by mistake.
	if !Stripped(object) {
		t.Error("it counts as whole")
	}
}

// Of an Import that another operator has created, the intent is there until the status has what it made.
func TestStripOtherIntent(t *testing.T) {
	for name, tc := range map[string]struct {
		token, id  string
		kept       bool
		wantRemote string
	}{
		"Pending":       {"", "", true, ""},
		"Confirmed":     {"t1", "id", false, "id"},
		"AnotherIntent": {"t0", "id", true, ""},
	} {
		object := whole(100, 3)
		object.Annotations = map[string]string{v1alpha1.AnnotationCreatePending: `{"token":"t1","uid":"` + string(object.UID) + `","externalId":"k8s/u","name":"n","time":"2026-01-01T00:00:00Z"}`}
		object.Status.ID, object.Status.CreateToken = tc.id, tc.token
		for range 2 {
			StripOther(object, nil)
			if _, kept := object.Annotations[v1alpha1.AnnotationCreatePending]; kept != tc.kept || ownership.RemoteID(object) != tc.wantRemote {
				t.Errorf("%s: annotations %v, remote import %q", name, object.Annotations, ownership.RemoteID(object))
			}
		}
	}
}

// Of a claim whose annotation somebody took away, the label says of which import.
func TestStripOtherLeftClaim(t *testing.T) {
	object := whole(100, 3)
	object.Spec.Adopt, object.Status.ID = &v1alpha1.AdoptSpec{ID: "id"}, ""
	object.Annotations, object.Finalizers = nil, []string{v1alpha1.Finalizer}
	object.Labels = map[string]string{v1alpha1.LabelRemoteImport: "id", "team": "erp"}
	for range 2 {
		StripOther(object, nil)
		if diff := cmp.Diff(map[string]string{v1alpha1.LabelRemoteImport: "id"}, object.Labels); diff != "" || !ownership.LeftClaim(object) {
			t.Error(diff)
		}
	}
}

func encoded(t *testing.T, object *v1alpha1.Import) string {
	t.Helper()
	text, err := json.MarshalIndent(object, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
