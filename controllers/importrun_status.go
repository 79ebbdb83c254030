// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
)

// running shows the run as under way.
func (s *runScope) running(granted claim) {
	status, at := &s.object.Status, standing(s.object, granted)
	status.Phase = v1alpha1.RunRunning
	at.importID, at.total, at.records.Total = s.importID, len(s.payload.batches), s.payload.total()
	s.counted(at)
	if s.answers != nil {
		status.ResponseSecretName = s.answers.name.Name
	}
	s.progress(&problem{class: transient, reason: reasonProgressing, message: "the records are being sent"})
}

// counted shows how far the run has come.
func (s *runScope) counted(o *outcome) {
	status := &s.object.Status
	s.called(o.importID, o.started)
	status.Records = o.records.DeepCopy()
	status.Failures = o.failures
	if o.total > 0 {
		//nolint:gosec // far fewer batches than 2^31 fit into a run
		status.Batches = &v1alpha1.BatchCounts{Total: int32(o.total), Done: int32(o.done)}
		status.Progress = fmt.Sprintf("%d/%d", o.done, o.total)
	}
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

// progress sets the conditions of a run that goes on.
func (s *runScope) progress(p *problem) {
	status, generation := &s.object.Status, s.object.Generation
	status.ObservedGeneration = generation
	setTrouble(&status.Conditions, generation, &problem{class: transient, reason: p.reason, message: p.message})
	setCondition(&status.Conditions, generation, v1alpha1.ConditionSucceeded, metav1.ConditionUnknown, p.reason, p.message)
}

// finish shows what the run waits for, if it has not ended, and says when to look again.
func (r *ImportRunReconciler) finish(ctx context.Context, s *runScope, err error) (ctrl.Result, error) {
	if err == nil && finished(s.object) {
		return r.expire(ctx, s)
	}
	if err == nil {
		return ctrl.Result{}, nil
	}
	p := classify(err, "invoke the import")
	if p == nil && apierrors.IsNotFound(err) {
		// Not the run, but what it needs went between two requests: no event of it comes here.
		return ctrl.Result{RequeueAfter: wait.Jitter(conflictPause, 1)}, nil
	}
	if p == nil {
		return afterKubernetesError(ctx, err)
	}
	current := claimOf(s.object)
	underWay := current.Token != "" && !answered(s.object, current)
	s.object.Status.Phase = v1alpha1.RunWaiting
	if underWay {
		s.object.Status.Phase = v1alpha1.RunRunning
	}
	s.progress(p)
	if err := r.patchStatus(ctx, s); err != nil {
		return afterKubernetesError(ctx, err)
	}
	// Whatever it waits for, an event wakes it. A run that has begun ends at its deadline.
	after := p.after
	if !current.Started.IsZero() {
		end := current.Started.Add(timeLimit(s.object))
		if underWay {
			end = end.Add(claimGrace)
		}
		if left := max(end.Sub(r.Clock.Now()), time.Second); after == 0 || left < after {
			after = left
		}
	}
	if after == 0 && p.class == transient {
		return ctrl.Result{}, err
	}
	return ctrl.Result{RequeueAfter: after}, nil
}

// patchStatus writes the status if it changed, of exactly the version that was read.
func (r *ImportRunReconciler) patchStatus(ctx context.Context, s *runScope) error {
	if equality.Semantic.DeepEqual(s.before.Status, s.object.Status) {
		return nil
	}
	base := s.object.DeepCopy()
	base.Status = s.before.Status
	// Not into the object itself: an answer that cannot be read would leave nothing of it.
	patched := s.object.DeepCopy()
	if err := r.Status().Patch(ctx, patched, client.MergeFromWithOptions(base, client.MergeFromWithOptimisticLock{})); err != nil {
		return err
	}
	s.adopt(patched)
	return nil
}
