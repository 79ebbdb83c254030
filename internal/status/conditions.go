// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package status has what the three reconcilers do alike when a reconcile ends: set conditions,
// record events, and say when the object is reconciled again.
package status

import (
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/drift"
	"github.com/integrator-operator/integrator-operator/internal/integrator"
	"github.com/integrator-operator/integrator-operator/internal/problem"
)

// MaxMessage bounds the message of a condition or an event, in bytes.
const MaxMessage = 1000

// SetReady sets Ready=True and removes the conditions that contradict it.
func SetReady(conditions *[]metav1.Condition, generation int64, reason, message string) {
	SetCondition(conditions, generation, v1alpha1.ConditionReady, metav1.ConditionTrue, reason, message)
	keepAbnormal(conditions, "")
}

// SetProblem sets the conditions of a problem: Suspended for the reasons Suspended and DryRun, else
// those of [SetNotReady].
func SetProblem(conditions *[]metav1.Condition, generation int64, p *problem.Problem) {
	if p.Reason() == v1alpha1.ReasonSuspended || p.Reason() == v1alpha1.ReasonDryRun {
		setSuspended(conditions, generation, p)
		return
	}
	SetNotReady(conditions, generation, p)
}

// SetNotReady sets Ready=False and, as kstatus reads them, either Stalled (a person has to act) or
// Reconciling (it continues without help). It is for kinds that are never Suspended, too.
func SetNotReady(conditions *[]metav1.Condition, generation int64, p *problem.Problem) {
	abnormal := v1alpha1.ConditionReconciling
	if p.Class() == problem.Terminal {
		abnormal = v1alpha1.ConditionStalled
	}
	SetCondition(conditions, generation, v1alpha1.ConditionReady, metav1.ConditionFalse, p.Reason(), p.Message())
	keepAbnormal(conditions, abnormal)
	SetCondition(conditions, generation, abnormal, metav1.ConditionTrue, p.Reason(), p.Message())
}

// setSuspended leaves the status of Ready as it was last known, and says why nothing is done about
// it: the column STATUS of kubectl shows the reason of Ready.
func setSuspended(conditions *[]metav1.Condition, generation int64, p *problem.Problem) {
	last := metav1.ConditionUnknown
	if ready := apimeta.FindStatusCondition(*conditions, v1alpha1.ConditionReady); ready != nil {
		last = ready.Status
	}
	SetCondition(conditions, generation, v1alpha1.ConditionReady, last, p.Reason(), p.Message())
	keepAbnormal(conditions, v1alpha1.ConditionSuspended)
	SetCondition(conditions, generation, v1alpha1.ConditionSuspended, metav1.ConditionTrue, p.Reason(), p.Message())
}

// keepAbnormal removes the abnormal conditions, except for one.
func keepAbnormal(conditions *[]metav1.Condition, kept string) {
	for _, kind := range []string{v1alpha1.ConditionReconciling, v1alpha1.ConditionStalled, v1alpha1.ConditionSuspended} {
		if kind != kept {
			apimeta.RemoveStatusCondition(conditions, kind)
		}
	}
}

// SetCondition sets one condition. The message is made one line of at most [MaxMessage] bytes.
func SetCondition(conditions *[]metav1.Condition, generation int64, kind string, status metav1.ConditionStatus, reason, message string) {
	apimeta.SetStatusCondition(conditions, metav1.Condition{
		Type: kind, Status: status, ObservedGeneration: generation, Reason: reason, Message: oneLine(message),
	})
}

// oneLine makes a text one line of bounded length, without control characters that a terminal
// would interpret: names of fields and other text of users and of the API may be part of it.
func oneLine(text string) string { return drift.Cut(integrator.OneLine(text), MaxMessage) }
