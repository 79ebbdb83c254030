// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package invariant

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
)

func TestRegressions(t *testing.T) {
	tests := []struct {
		name   string
		phases []v1alpha1.RunPhase
		want   []string
	}{
		{"forward", []v1alpha1.RunPhase{"", v1alpha1.RunPending, v1alpha1.RunRunning, v1alpha1.RunSucceeded}, nil},
		{"a run that waits before its call", []v1alpha1.RunPhase{v1alpha1.RunPending, ""}, nil},
		{"back after a call", []v1alpha1.RunPhase{v1alpha1.RunRunning, v1alpha1.RunPending}, []string{`I5: run uid went from "Running" to "Pending"`}},
		{"out of a final phase", []v1alpha1.RunPhase{v1alpha1.RunUnknown, v1alpha1.RunSucceeded}, []string{`I5: run uid went from "Unknown" to "Succeeded"`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, Regressions(map[string][]v1alpha1.RunPhase{"uid": tt.phases})); diff != "" {
				t.Error(diff)
			}
		})
	}
}
