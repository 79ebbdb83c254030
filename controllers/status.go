// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/tools/events"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/drift"
	"github.com/integrator-operator/integrator-operator/internal/integrator"
)

// maxMessage bounds a condition's message, in bytes.
const maxMessage = 1000

// setReady sets Ready=True and takes back what says otherwise.
func setReady(conditions *[]metav1.Condition, generation int64, reason, message string) {
	setCondition(conditions, generation, v1alpha1.ConditionReady, metav1.ConditionTrue, reason, message)
	apimeta.RemoveStatusCondition(conditions, v1alpha1.ConditionReconciling)
	apimeta.RemoveStatusCondition(conditions, v1alpha1.ConditionStalled)
	apimeta.RemoveStatusCondition(conditions, v1alpha1.ConditionSuspended)
}

// setSuspended leaves Ready as it was last known, and says that nothing is done about it.
func setSuspended(conditions *[]metav1.Condition, generation int64, p *problem) {
	if apimeta.FindStatusCondition(*conditions, v1alpha1.ConditionReady) == nil {
		setCondition(conditions, generation, v1alpha1.ConditionReady, metav1.ConditionUnknown, p.reason, p.message)
	}
	apimeta.RemoveStatusCondition(conditions, v1alpha1.ConditionReconciling)
	apimeta.RemoveStatusCondition(conditions, v1alpha1.ConditionStalled)
	setCondition(conditions, generation, v1alpha1.ConditionSuspended, metav1.ConditionTrue, p.reason, p.message)
}

// setProblem sets Ready=False and, as kstatus reads them, either Stalled (a person has to
// act) or Reconciling (it goes on by itself). Suspension goes to setSuspended.
func setProblem(conditions *[]metav1.Condition, generation int64, p *problem) {
	if p.reason == reasonSuspended || p.reason == reasonDryRun {
		setSuspended(conditions, generation, p)
		return
	}
	setTrouble(conditions, generation, p)
}

// setTrouble is setProblem for a kind that is never Suspended.
func setTrouble(conditions *[]metav1.Condition, generation int64, p *problem) {
	setCondition(conditions, generation, v1alpha1.ConditionReady, metav1.ConditionFalse, p.reason, p.message)
	abnormal := v1alpha1.ConditionReconciling
	if p.class == terminal {
		abnormal = v1alpha1.ConditionStalled
	}
	for _, kind := range []string{v1alpha1.ConditionReconciling, v1alpha1.ConditionStalled, v1alpha1.ConditionSuspended} {
		if kind != abnormal {
			apimeta.RemoveStatusCondition(conditions, kind)
		}
	}
	setCondition(conditions, generation, abnormal, metav1.ConditionTrue, p.reason, p.message)
}

func setCondition(conditions *[]metav1.Condition, generation int64, kind string, status metav1.ConditionStatus, reason, message string) {
	apimeta.SetStatusCondition(conditions, metav1.Condition{
		Type: kind, Status: status, ObservedGeneration: generation, Reason: reason, Message: oneLine(message),
	})
}

// recordTransition records an event when Ready changed its reason: Normal when it became
// True, Warning when a person has to act. What goes on by itself makes no event.
func recordTransition(recorder events.EventRecorder, object client.Object, before, after []metav1.Condition) {
	was, is := apimeta.FindStatusCondition(before, v1alpha1.ConditionReady), apimeta.FindStatusCondition(after, v1alpha1.ConditionReady)
	if is == nil || was != nil && was.Reason == is.Reason && was.Status == is.Status && was.Message == is.Message {
		return
	}
	switch {
	case is.Status == metav1.ConditionTrue:
		if was == nil || was.Status != metav1.ConditionTrue {
			recordEvent(recorder, object, corev1.EventTypeNormal, is.Reason, is.Message)
		}
	case apimeta.IsStatusConditionTrue(after, v1alpha1.ConditionStalled):
		recordEvent(recorder, object, corev1.EventTypeWarning, is.Reason, is.Message)
	}
}

// recordEvent records one event. The action of events.k8s.io is the reason once more: what
// happened is what was done. An event names the version of its object, which a status was written
// to before it: none comes again, so none is ever patched, and the manager may not.
func recordEvent(recorder events.EventRecorder, object client.Object, eventType, reason, note string) {
	recorder.Eventf(object, nil, eventType, reason, reason, "%s", oneLine(note))
}

// oneLine makes a text one line, without what a terminal would obey, and not too long. Names of
// fields and other words of people and of the API may stand in it.
func oneLine(text string) string { return drift.Cut(integrator.OneLine(text), maxMessage) }

// resultOf says when to look again after p, the classified form of err.
func resultOf(p *problem, err error) (ctrl.Result, error) {
	switch {
	case p == nil:
		return ctrl.Result{}, nil
	case p.class == transient && p.after == 0:
		return ctrl.Result{}, err
	case p.class == terminal && p.after == 0:
		return ctrl.Result{}, reconcile.TerminalError(err)
	case p.after > 0:
		return ctrl.Result{RequeueAfter: wait.Jitter(p.after, 0.1)}, nil
	default:
		return ctrl.Result{}, nil
	}
}

// conflictPause lets the cache catch up after a write was refused for being based on an
// old version.
const conflictPause = 200 * time.Millisecond

// afterKubernetesError is the result of an error that is not the API's: a conflict means
// that the cache was behind, which is no failure.
func afterKubernetesError(ctx context.Context, err error) (ctrl.Result, error) {
	if apierrors.IsConflict(err) {
		log.FromContext(ctx).V(1).Info("the object changed meanwhile, looking again")
		return ctrl.Result{RequeueAfter: wait.Jitter(conflictPause, 1)}, nil
	}
	// An object that is gone needs nothing any more.
	return ctrl.Result{}, client.IgnoreNotFound(err)
}
