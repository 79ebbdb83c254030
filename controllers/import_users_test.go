// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

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

func TestSetUsers(t *testing.T) {
	early := metav1.NewTime(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	now := early.Add(time.Hour)
	late := metav1.NewTime(now)
	orders := v1alpha1.ResourceUse{Kind: "flow", ID: "f1", Name: "Orders"}
	used := []integrator.Dependency{{Kind: "flows", ID: "f1", Name: "Orders"}}
	var many []integrator.Dependency
	var shown []v1alpha1.ResourceUse
	for i := range 20 {
		many = append(many, integrator.Dependency{Kind: "flows", ID: fmt.Sprintf("f%02d", i), Name: strings.Repeat("x", 300)})
		if i < 16 {
			shown = append(shown, v1alpha1.ResourceUse{Kind: "flow", ID: many[i].ID, Name: strings.Repeat("x", 253) + "…"})
		}
	}
	cases := map[string]struct {
		reason   string
		before   v1alpha1.ImportStatus
		deleting bool
		used     []integrator.Dependency
		want     v1alpha1.ImportStatus
	}{
		"First": {"the kind is that of one",
			v1alpha1.ImportStatus{}, false, used,
			v1alpha1.ImportStatus{UsedBy: []v1alpha1.ResourceUse{orders}, UsedByObservedAt: &late}},
		"None": {"that nothing uses it was read too",
			v1alpha1.ImportStatus{UsedBy: []v1alpha1.ResourceUse{orders}, UsedByObservedAt: &early}, false, nil,
			v1alpha1.ImportStatus{UsedByObservedAt: &late}},
		"SameAgain": {"an asked-for look tells that it looked",
			v1alpha1.ImportStatus{UsedBy: []v1alpha1.ResourceUse{orders}, UsedByObservedAt: &early}, false, used,
			v1alpha1.ImportStatus{UsedBy: []v1alpha1.ResourceUse{orders}, UsedByObservedAt: &late}},
		"SameWhileBlocked": {"a deletion that stays blocked writes nothing",
			v1alpha1.ImportStatus{UsedBy: []v1alpha1.ResourceUse{orders}, UsedByObservedAt: &early}, true, used,
			v1alpha1.ImportStatus{UsedBy: []v1alpha1.ResourceUse{orders}, UsedByObservedAt: &early}},
		"OtherWhileBlocked": {"a change is written",
			v1alpha1.ImportStatus{UsedBy: []v1alpha1.ResourceUse{{Kind: "flow", ID: "f0"}}, UsedByObservedAt: &early}, true, used,
			v1alpha1.ImportStatus{UsedBy: []v1alpha1.ResourceUse{orders}, UsedByObservedAt: &late}},
		"Many": {"16 at most, and no name above the schema's bound",
			v1alpha1.ImportStatus{}, false, many,
			v1alpha1.ImportStatus{UsedBy: shown, UsedByObservedAt: &late}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			s := &importScope{object: &v1alpha1.Import{Status: tc.before}}
			if tc.deleting {
				s.object.DeletionTimestamp = &early
			}
			s.setUsers(tc.used, now)
			if diff := cmp.Diff(tc.want, s.object.Status); diff != "" {
				t.Errorf("%s:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestSomeOf(t *testing.T) {
	for names, want := range map[string]string{
		"a":             "a",
		"a b c d e":     "a, b, c, d, e",
		"a b c d e f g": "a, b, c, d, e and 2 more",
	} {
		if got := someOf(strings.Fields(names)); got != want {
			t.Errorf("someOf(%s) = %s, want %s", names, got, want)
		}
	}
}
