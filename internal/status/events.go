// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package status

import (
	corev1 "k8s.io/api/core/v1"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/events"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
)

// Event is an event to record once the status is written.
type Event struct {
	// Type is corev1.EventTypeNormal or corev1.EventTypeWarning.
	Type string
	// Reason is one of the reasons in api/v1alpha1.
	Reason string
	// Note says in one line what happened.
	Note string
}

// RecordTransition records an event when Ready changed its status, reason or message: Normal when
// it became True, Warning when a person has to act. What continues without help makes no event.
func RecordTransition(recorder events.EventRecorder, object client.Object, before, after []metav1.Condition) {
	was, is := apimeta.FindStatusCondition(before, v1alpha1.ConditionReady), apimeta.FindStatusCondition(after, v1alpha1.ConditionReady)
	if is == nil || was != nil && was.Reason == is.Reason && was.Status == is.Status && was.Message == is.Message {
		return
	}
	switch {
	case is.Status == metav1.ConditionTrue:
		if was == nil || was.Status != metav1.ConditionTrue {
			RecordEvent(recorder, object, corev1.EventTypeNormal, is.Reason, is.Message)
		}
	case apimeta.IsStatusConditionTrue(after, v1alpha1.ConditionStalled):
		RecordEvent(recorder, object, corev1.EventTypeWarning, is.Reason, is.Message)
	}
}

// RecordEvent records one event. The action of events.k8s.io repeats the reason: what happened is
// what was done. An event names the version of its object, and a status write precedes each event,
// so no event equals an earlier one. None is ever patched, and the manager has no right to.
func RecordEvent(recorder events.EventRecorder, object client.Object, eventType, reason, note string) {
	recorder.Eventf(object, nil, eventType, reason, reason, "%s", oneLine(note))
}
