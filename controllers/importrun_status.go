// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
)

// running shows the run as under way.
func (s *runScope) running(granted claim) {
	status := &s.object.Status
	status.Phase = v1alpha1.RunRunning
	s.called(s.importID, granted.Time)
	counts := s.payload.counts()
	status.Records = &counts
	s.progress(&problem{class: transient, reason: reasonProgressing, message: "the records are being sent"})
}

// called keeps which import the run's call goes to, and when its first claim was made.
func (s *runScope) called(importID string, started time.Time) {
	status := &s.object.Status
	if importID != "" {
		status.ImportID = importID
	}
	if status.StartTime == nil && !started.IsZero() {
		status.StartTime = &metav1.Time{Time: started.UTC().Truncate(time.Second)}
	}
}

// waiting shows what the run waits for before its call.
func (s *runScope) waiting(p *problem) {
	s.object.Status.Phase = v1alpha1.RunWaiting
	s.progress(p)
}

// progress sets the conditions of a run that goes on.
func (s *runScope) progress(p *problem) {
	status, generation := &s.object.Status, s.object.Generation
	status.ObservedGeneration = generation
	setProblem(&status.Conditions, generation, &problem{class: transient, reason: p.reason, message: p.message})
	setCondition(&status.Conditions, generation, v1alpha1.ConditionSucceeded, metav1.ConditionUnknown, p.reason, p.message)
}

// wait shows what the run waits for. Whatever it is, nothing was sent.
func (r *ImportRunReconciler) wait(ctx context.Context, s *runScope, err error) (ctrl.Result, error) {
	p := classify(err, "invoke the import")
	if p == nil {
		return afterKubernetesError(ctx, err)
	}
	if s.object.Annotations[v1alpha1.AnnotationClaim] == "" {
		s.waiting(p)
	} else {
		s.progress(p)
	}
	if err := r.patchStatus(ctx, s); err != nil {
		return afterKubernetesError(ctx, err)
	}
	if p.class == terminal {
		// Terminal for what it waits for; the run itself is woken by an event.
		return ctrl.Result{RequeueAfter: p.after}, nil
	}
	return resultOf(p, err)
}

// end writes the outcome to status, of the version that the API server has now: a run
// that ended meanwhile stays as it ended.
func (r *ImportRunReconciler) end(ctx context.Context, s *runScope, ended outcome) (ctrl.Result, error) {
	ctx = context.WithoutCancel(ctx)
	live := &v1alpha1.ImportRun{}
	err := r.Live.Get(ctx, client.ObjectKeyFromObject(s.object), live)
	if client.IgnoreNotFound(err) != nil {
		return ctrl.Result{}, fmt.Errorf("record the outcome of the run: %w", err)
	}
	if err != nil || live.UID != s.object.UID || finished(live) {
		r.unrecorded.Delete(s.object.UID)
		return ctrl.Result{}, nil
	}
	if _, ours := r.unrecorded.Load(live.UID); !ours && live.Annotations[v1alpha1.AnnotationClaim] != s.object.Annotations[v1alpha1.AnnotationClaim] {
		// Another process claimed the run meanwhile: how it ends is told by that call.
		return ctrl.Result{RequeueAfter: wait.Jitter(conflictPause, 1)}, nil
	}
	s.object, s.before = live, live.DeepCopy()
	s.ended(ended, r.Clock.Now())
	if err := r.patchStatus(ctx, s); err != nil {
		return afterKubernetesError(ctx, err)
	}
	r.unrecorded.Delete(live.UID)
	runsCompleted.WithLabelValues(string(ended.phase)).Inc()
	kind := corev1.EventTypeWarning
	if ended.phase == v1alpha1.RunSucceeded {
		kind = corev1.EventTypeNormal
	}
	recordEvent(r.Recorder, live, kind, ended.reason, ended.message)
	return ctrl.Result{}, nil
}

// ended sets the terminal status.
func (s *runScope) ended(e outcome, now time.Time) {
	status, generation := &s.object.Status, s.object.Generation
	status.ObservedGeneration = generation
	status.Phase = e.phase
	s.called(e.importID, e.started)
	status.CompletionTime = &metav1.Time{Time: now.UTC().Truncate(time.Second)}
	records := e.records
	if records.Total == 0 && status.Records != nil {
		records.Total = status.Records.Total
	}
	status.Records = &records
	status.Failures = e.failures
	succeeded := metav1.ConditionFalse
	if e.phase == v1alpha1.RunSucceeded {
		succeeded = metav1.ConditionTrue
		setReady(&status.Conditions, generation, e.reason, e.message)
	} else {
		setProblem(&status.Conditions, generation, &problem{class: terminal, reason: e.reason, message: e.message})
	}
	setCondition(&status.Conditions, generation, v1alpha1.ConditionSucceeded, succeeded, e.reason, e.message)
}

// patchStatus writes the status if it changed, of exactly the version that was read.
func (r *ImportRunReconciler) patchStatus(ctx context.Context, s *runScope) error {
	if equality.Semantic.DeepEqual(s.before.Status, s.object.Status) {
		return nil
	}
	base := s.object.DeepCopy()
	base.Status = s.before.Status
	err := r.Status().Patch(ctx, s.object, client.MergeFromWithOptions(base, client.MergeFromWithOptimisticLock{}))
	if err == nil {
		s.before = s.object.DeepCopy()
	}
	return err
}
