// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package imports

import (
	stdcmp "cmp"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/definition"
	"github.com/integrator-operator/integrator-operator/internal/integrator/limit"
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

func TestClass(t *testing.T) {
	managed := func(change func(*v1alpha1.Import)) *v1alpha1.Import {
		object := &v1alpha1.Import{}
		object.Generation, object.Status.ObservedGeneration = 2, 2
		object.Status.ID, object.Status.DesiredHash = "id", "a.1"
		object.Annotations = map[string]string{v1alpha1.AnnotationID: "id"}
		change(object)
		return object
	}
	for name, tc := range map[string]struct {
		reason string
		object *v1alpha1.Import
		hash   string
		want   limit.Class
	}{
		"Drift":   {reason: "the scanner saw a change", object: managed(func(*v1alpha1.Import) {}), want: limit.ClassCorrection},
		"Spec":    {reason: "somebody changed the spec", object: managed(func(o *v1alpha1.Import) { o.Generation = 3 }), want: limit.ClassChange},
		"Retried": {reason: "also if the first try failed", object: managed(func(*v1alpha1.Import) {}), hash: "b.1", want: limit.ClassChange},
		"Deleted": {reason: "somebody deletes it", object: managed(func(o *v1alpha1.Import) { o.DeletionTimestamp = ptr.To(metav1.Now()) }), want: limit.ClassChange},
		"Look": {reason: "somebody asks for a look", object: managed(func(o *v1alpha1.Import) {
			o.Annotations[v1alpha1.AnnotationReconcileRequestedAt] = "now"
		}), want: limit.ClassLook},
		"New": {reason: "it has no remote import, whoever asks for what", object: managed(func(o *v1alpha1.Import) {
			o.Status.ID, o.Annotations = "", map[string]string{v1alpha1.AnnotationReconcileRequestedAt: "now"}
		}), want: limit.ClassNew},
	} {
		t.Run(name, func(t *testing.T) {
			s := &scope{object: tc.object, desired: &definition.Desired{Hash: stdcmp.Or(tc.hash, "a.1")}}
			if got := s.class(); got != tc.want {
				t.Errorf("%s: class %d, want %d", tc.reason, got, tc.want)
			}
		})
	}
}

func TestShowsQueued(t *testing.T) {
	ready := func(status metav1.ConditionStatus, reason string) []metav1.Condition {
		return []metav1.Condition{{Type: v1alpha1.ConditionReady, Status: status, Reason: reason}}
	}
	for name, tc := range map[string]struct {
		reason     string
		conditions []metav1.Condition
		observed   int64
		waited     time.Duration
		after      time.Duration
		ever       bool
	}{
		"New":      {reason: "without a status kstatus takes it for done", after: queuedShown, ever: true},
		"Long":     {reason: "after a while it is said", waited: 2 * time.Minute, ever: true},
		"Some":     {reason: "not before", waited: time.Second, after: queuedShown - time.Second, ever: true},
		"Synced":   {reason: "what is as declared is not written because it is looked at again", conditions: ready(metav1.ConditionTrue, v1alpha1.ReasonSynced), observed: 2, waited: time.Hour},
		"Failed":   {reason: "nor what has to be corrected", conditions: ready(metav1.ConditionFalse, v1alpha1.ReasonRejected), observed: 2, waited: time.Hour},
		"Changed":  {reason: "what is not observed is", conditions: ready(metav1.ConditionTrue, v1alpha1.ReasonSynced), observed: 1, waited: time.Hour, ever: true},
		"Outdated": {reason: "the Account is Ready by now", conditions: ready(metav1.ConditionFalse, v1alpha1.ReasonAccountNotReady), observed: 2, waited: time.Hour, ever: true},
	} {
		t.Run(name, func(t *testing.T) {
			object := &v1alpha1.Import{}
			object.Generation, object.Status.ObservedGeneration, object.Status.Conditions = 2, tc.observed, tc.conditions
			s := &scope{object: object, queued: &limit.QueuedError{Waited: tc.waited}}
			if after, ever := s.showsQueued(0); after != tc.after || ever != tc.ever {
				t.Errorf("%s: after %s, ever: %t, want %s, %t", tc.reason, after, ever, tc.after, tc.ever)
			}
			// Beside 1,000 others they do not all say so at once, but what is late does.
			if after, ever := s.showsQueued(1000); after < tc.after || after > tc.after+200*time.Second || tc.after == 0 && after != 0 || ever != tc.ever {
				t.Errorf("%s: beside others after %s, ever: %t, want %s or up to 50 s later, %t", tc.reason, after, ever, tc.after, tc.ever)
			}
		})
	}
}
