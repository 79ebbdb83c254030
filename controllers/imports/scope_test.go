// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package imports

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/definition"
)

func TestWarn(t *testing.T) {
	ofValue := definition.Warning{Reason: v1alpha1.ReasonTrailingLineBreak, Note: "value", Version: "v1", OfValues: true}
	ofNumber := definition.Warning{Reason: v1alpha1.ReasonRoundedNumber, Note: "number", Version: "number"}
	object := &v1alpha1.Import{}
	object.Namespace, object.Name, object.UID = "ns", "orders", "1"
	another := object.DeepCopy()
	another.UID = "2"
	for name, tc := range map[string]struct {
		reason string
		// remembered are the warnings that this process recorded of the Import of this name.
		of         *v1alpha1.Import
		remembered []definition.Warning
		compared   string
		want       []string
	}{
		"New":             {reason: "nothing was compared, and nothing recorded", want: []string{"value", "number"}},
		"Recorded":        {reason: "a reconcile that fails is repeated, its warnings are not", of: object, remembered: []definition.Warning{ofValue, ofNumber}},
		"OneMore":         {reason: "what is new is recorded", of: object, remembered: []definition.Warning{ofNumber}, want: []string{"value"}},
		"Restarted":       {reason: "another process recorded the warnings of what was compared", compared: "a.1"},
		"NewDefinition":   {reason: "the value is of the version that was compared", compared: "b.1", want: []string{"number"}},
		"NewVersion":      {reason: "a new version may have been corrected, or not", compared: "a.2", want: []string{"value", "number"}},
		"CreatedAgain":    {reason: "it is another object of the same name", of: another, remembered: []definition.Warning{ofValue, ofNumber}, want: []string{"value", "number"}},
		"NothingToRecall": {reason: "what had no warnings is forgotten", of: object, want: []string{"value", "number"}},
	} {
		t.Run(name, func(t *testing.T) {
			var warned warned
			if tc.of != nil {
				warned.note(&scope{object: tc.of, desired: &definition.Desired{Warnings: tc.remembered}})
			}
			s := &scope{object: object, before: object.DeepCopy(), desired: &definition.Desired{Hash: "a.1", Warnings: []definition.Warning{ofValue, ofNumber}}}
			s.before.Status.DesiredHash = tc.compared
			s.warn(&warned)
			var got []string
			for _, event := range s.events {
				got = append(got, event.Note)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}
