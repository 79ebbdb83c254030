// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package importstate

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/definition"
	"github.com/integrator-operator/integrator-operator/internal/drift"
)

// fullStatus is a status with as much in it as its schema permits.
func fullStatus() v1alpha1.ImportStatus {
	wide := func(n int) string { return strings.Repeat("x", n) }
	var differences []v1alpha1.Difference
	var users []v1alpha1.ResourceUse
	var copies []string
	for range 16 {
		differences = append(differences, v1alpha1.Difference{Path: "/" + wide(511), Declared: wide(256), Remote: wide(256)})
		users = append(users, v1alpha1.ResourceUse{Kind: wide(64), ID: wide(64), Name: wide(256)})
		copies = append(copies, wide(24))
	}
	changes := []v1alpha1.AuditEvent{{Time: wide(64), User: wide(256), Fields: []string{wide(256), wide(256)}}}
	paths := []string{"/externalId", "/name"}
	for i := range 20000 {
		paths = append(paths, fmt.Sprintf("/settings/%s%d", wide(100), i))
	}
	observed := metav1.Now()
	state := v1alpha1.ImportStatus{
		ObservedGeneration: 1, ID: wide(24), Management: v1alpha1.ManagementStateManaged, DesiredHash: wide(64), DifferencesHash: wide(64),
		Drift: differences, NotAccepted: differences, Plan: &v1alpha1.ImportPlan{Calls: []string{CallPut}, Differences: differences},
		UsedBy: users, UsedByObservedAt: &observed, Audit: &v1alpha1.ImportAudit{ExternalChanges: changes}, Copies: copies,
		Conditions: []metav1.Condition{{Type: "Ready", Message: wide(1000)}, {Type: "Stalled", Message: wide(1000)}},
	}
	definition.SetOwned(&state, drift.Track(paths, nil))
	return state
}

func TestReductions(t *testing.T) {
	size := func(state v1alpha1.ImportStatus) int {
		t.Helper()
		text, err := json.Marshal(state)
		if err != nil {
			t.Fatal(err)
		}
		return len(text)
	}
	state := fullStatus()
	whole := fullStatus()
	if got := size(state); got > 256<<10 {
		t.Errorf("the status has %d bytes, more than 256 KiB", got)
	}
	owned := definition.Owned(&state)
	for i, most := range []int{200 << 10, 4 << 10} {
		Reductions[i].Reduce(&state)
		if got := size(state); got > most {
			t.Errorf("the reduced status has %d bytes, more than %d", got, most)
		}
	}

	want := v1alpha1.ImportStatus{
		ObservedGeneration: whole.ObservedGeneration, ID: whole.ID, Management: whole.Management, DesiredHash: whole.DesiredHash, DifferencesHash: whole.DifferencesHash,
		Copies: whole.Copies, Conditions: whole.Conditions,
		OwnedFields: []string{"/externalId", "/name"}, UntrackedFields: int64(owned.Count() - 2),
		Plan: &v1alpha1.ImportPlan{Calls: []string{CallPut}},
	}
	for _, differences := range []*[]v1alpha1.Difference{&want.Drift, &want.NotAccepted, &want.Plan.Differences} {
		*differences = shortened(whole.Drift)
	}
	if diff := cmp.Diff(want, state); diff != "" {
		t.Errorf("what remains: -want, +got:\n%s", diff)
	}
	if diff := cmp.Diff(fullStatus().Plan, whole.Plan); diff != "" {
		t.Errorf("the plan of the original was changed: -want, +got:\n%s", diff)
	}
}

// TestUntrackKeepsWhatDecides: that anything was applied, and whether the externalId was, says to whom the
// remote import belongs.
func TestUntrackKeepsWhatDecides(t *testing.T) {
	cases := map[string]struct {
		reason       string
		fields, want []string
		untracked    int64
	}{
		"Created":     {"the operator set the externalId", []string{"/externalId", "/http/body", "/name"}, []string{"/externalId", "/name"}, 1},
		"Adopted":     {"the externalId is not the operator's", []string{"/http/body", "/name"}, []string{"/name"}, 1},
		"NothingElse": {"something was applied", []string{"/http/body", "/http/method"}, []string{"/http/body"}, 1},
		"Nothing":     {"nothing was", nil, nil, 0},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var state v1alpha1.ImportStatus
			definition.SetOwned(&state, drift.Track(tc.fields, nil))
			untrack(&state)
			if diff := cmp.Diff(tc.want, state.OwnedFields); diff != "" || state.UntrackedFields != tc.untracked {
				t.Errorf("%s: %d untracked; -want, +got:\n%s", tc.reason, state.UntrackedFields, diff)
			}
		})
	}
}
