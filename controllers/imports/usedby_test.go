// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package imports

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/integrator"
)

func TestUsers(t *testing.T) {
	flow := integrator.Dependency{Kind: "flows", ID: "f1", Name: "Orders"}
	unheardOf := integrator.Dependency{Kind: "robots", ID: "r1"}
	got := users([]integrator.Dependency{
		{Kind: "connections", ID: "c1"}, {Kind: "fileDefinitions", ID: "d1"}, flow, {Kind: "scripts", ID: "s1"}, unheardOf,
	})
	// What is unknown may use the import: it is kept.
	if diff := cmp.Diff([]integrator.Dependency{flow, unheardOf}, got); diff != "" {
		t.Error(diff)
	}
}

// TestLooks: a request is looked at once, and remembered only until it is answered.
func TestLooks(t *testing.T) {
	var l looks
	// pass is one reconcile: whether it looks, and whether it answers the request.
	pass := func(uid types.UID, request string, answers bool) (looked bool) {
		object := &v1alpha1.Import{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "a", UID: uid,
			Annotations: map[string]string{v1alpha1.AnnotationReconcileRequestedAt: request}}}
		s := &scope{object: object, before: object.DeepCopy()}
		s.looked = l.wanted(s)
		if answers {
			object.Status.LastHandledReconcileAt = request
		}
		l.note(s)
		return s.looked
	}
	for i, step := range []struct {
		uid     types.UID
		request string
		answers bool
		want    bool
	}{
		{"1", "", true, false},
		{"1", "now", false, true},
		{"1", "now", false, false},
		{"1", "later", false, true},
		{"2", "later", false, true},
		{"2", "later", true, false},
		{"2", "again", true, true},
	} {
		if got := pass(step.uid, step.request, step.answers); got != step.want {
			t.Errorf("step %d: looked = %t", i, got)
		}
	}
	l.byKey.Range(func(key, _ any) bool {
		t.Errorf("an answered request is remembered: %v", key)
		return true
	})
}

func TestShowUsers(t *testing.T) {
	early := metav1.NewTime(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	late := metav1.NewTime(early.Add(time.Hour))
	orders, prices := v1alpha1.ResourceUse{Kind: "flow", ID: "f2", Name: "Orders"}, v1alpha1.ResourceUse{Kind: "flow", ID: "f1", Name: "Prices"}
	used := []integrator.Dependency{{Kind: "flows", ID: "f1", Name: "Prices"}, {Kind: "flows", ID: "f2", Name: "Orders"}}
	known := v1alpha1.ImportStatus{UsedBy: []v1alpha1.ResourceUse{orders, prices}, UsedByObservedAt: &early}
	var many []integrator.Dependency
	var shown []v1alpha1.ResourceUse
	for i := range 20 {
		many = append(many, integrator.Dependency{Kind: "flows", ID: fmt.Sprintf("f%02d", i), Name: strings.Repeat("x", 300)})
		if i < 16 {
			shown = append(shown, v1alpha1.ResourceUse{Kind: "flow", ID: many[i].ID, Name: strings.Repeat("x", 253) + "…"})
		}
	}
	cases := map[string]struct {
		reason string
		before v1alpha1.ImportStatus
		asked  bool
		used   []integrator.Dependency
		want   v1alpha1.ImportStatus
	}{
		"First": {"the kind is that of one, the order does not depend on ids",
			v1alpha1.ImportStatus{}, false, used,
			v1alpha1.ImportStatus{UsedBy: known.UsedBy, UsedByObservedAt: &late}},
		"None": {"that nothing uses it was read too",
			known, false, nil,
			v1alpha1.ImportStatus{UsedByObservedAt: &late}},
		"SameWhenAsked": {"a requested read is recorded",
			known, true, used,
			v1alpha1.ImportStatus{UsedBy: known.UsedBy, UsedByObservedAt: &late}},
		"SameWhileBlocked": {"a deletion that stays blocked writes nothing",
			known, false, used, known},
		"OtherWhileBlocked": {"a change is written",
			known, false, used[:1],
			v1alpha1.ImportStatus{UsedBy: []v1alpha1.ResourceUse{prices}, UsedByObservedAt: &late}},
		"Many": {"16 at most, and no name above the schema's bound",
			v1alpha1.ImportStatus{}, false, many,
			v1alpha1.ImportStatus{UsedBy: shown, UsedByObservedAt: &late}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			s := &scope{object: &v1alpha1.Import{Status: tc.before}, before: &v1alpha1.Import{}}
			if tc.asked {
				s.object.Annotations = map[string]string{v1alpha1.AnnotationReconcileRequestedAt: "now"}
			}
			showUsers(s, tc.used, late.Time)
			if diff := cmp.Diff(tc.want, s.object.Status, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("%s:\n%s", tc.reason, diff)
			}
		})
	}
}
