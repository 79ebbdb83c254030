// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/google/uuid"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/retry"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
)

// claim takes the permission for the one call, or fails: with a conflict when another
// process was faster, or when the object changed in any other way.
func (r *ImportRunReconciler) claim(ctx context.Context, s *runScope) (claim, error) {
	live := &v1alpha1.ImportRun{}
	if err := r.Live.Get(ctx, client.ObjectKeyFromObject(s.object), live); err != nil {
		return claim{}, err
	}
	free := !finished(live) && live.Status.Phase != v1alpha1.RunRunning && live.Annotations[v1alpha1.AnnotationClaim] == ""
	if !free || live.UID != s.object.UID || !live.DeletionTimestamp.IsZero() {
		return claim{}, apierrors.NewConflict(v1alpha1.GroupVersion.WithResource("importruns").GroupResource(), live.Name,
			errors.New("the run was claimed or changed meanwhile"))
	}
	granted := r.grant(live)
	if err := r.takeClaim(ctx, live, granted); err != nil {
		return claim{}, err
	}
	s.object, s.before = live, live.DeepCopy()
	s.running(granted)
	// Only a courtesy to who watches: the claim is what counts.
	if err := r.patchStatus(ctx, s); err != nil && !apierrors.IsConflict(err) {
		log.FromContext(ctx).Error(err, "cannot show the run as Running")
	}
	return granted, nil
}

// grant makes the claim for a run. The time limit counts from the first claim: an earlier
// one may have been given back unused.
func (r *ImportRunReconciler) grant(run *v1alpha1.ImportRun) claim {
	now := r.Clock.Now().UTC()
	started := now
	if run.Status.StartTime != nil {
		started = run.Status.StartTime.Time
	}
	return claim{Token: uuid.NewString(), Holder: r.Holder, Time: now, Deadline: started.Add(timeLimit(run))}
}

// takeClaim writes the claim to exactly the version that was read. When the answer to that
// write is lost, another read tells whether it was made.
func (r *ImportRunReconciler) takeClaim(ctx context.Context, live *v1alpha1.ImportRun, granted claim) error {
	value, err := json.Marshal(granted)
	if err != nil {
		return err
	}
	failed := r.patchClaim(ctx, live, string(value))
	if failed == nil || apierrors.IsConflict(failed) {
		return failed
	}
	if err := r.Live.Get(ctx, client.ObjectKeyFromObject(live), live); err != nil || live.Annotations[v1alpha1.AnnotationClaim] != string(value) {
		return failed
	}
	return nil
}

func timeLimit(run *v1alpha1.ImportRun) time.Duration {
	const fallback = 600 * time.Second
	if run.Spec.ActiveDeadlineSeconds == nil {
		return fallback
	}
	return time.Duration(*run.Spec.ActiveDeadlineSeconds) * time.Second
}

// patchClaim sets the claim annotation of exactly this version of the run, or, with nil,
// takes it off.
func (r *ImportRunReconciler) patchClaim(ctx context.Context, run *v1alpha1.ImportRun, value any) error {
	body, err := json.Marshal(map[string]any{"metadata": map[string]any{
		"uid": run.UID, "resourceVersion": run.ResourceVersion,
		"annotations": map[string]any{v1alpha1.AnnotationClaim: value},
	}})
	if err != nil {
		return err
	}
	return r.Patch(ctx, run, client.RawPatch(types.MergePatchType, body))
}

// comeBack gives the claim back after the API asked to come later, unless that is past
// the run's deadline. The claim's call is known to have changed nothing.
func (r *ImportRunReconciler) comeBack(ctx context.Context, s *runScope, granted claim, again *problem) (*outcome, error) {
	ended := &outcome{phase: v1alpha1.RunFailed, reason: reasonDeadlineExceeded, records: s.payload.counts(),
		importID: s.importID, started: granted.Time,
		message: "the API asked to come back later, and there was no time for that within activeDeadlineSeconds; nothing was written"}
	if r.Clock.Now().Add(again.after).After(granted.Deadline) || r.giveBack(ctx, s, granted, again) != nil {
		r.unrecorded.Store(s.object.UID, ended)
		return ended, nil
	}
	return nil, again
}

// giveBack takes our claim off the run, whatever else was written to the run meanwhile. The
// run shows as Waiting first: Running without a claim would mean that the claim was lost.
func (r *ImportRunReconciler) giveBack(ctx context.Context, s *runScope, granted claim, again *problem) error {
	ours := s.object.Annotations[v1alpha1.AnnotationClaim]
	return retry.OnError(retry.DefaultBackoff, func(err error) bool { return !apierrors.IsNotFound(err) }, func() error {
		live := &v1alpha1.ImportRun{}
		if err := r.Live.Get(ctx, client.ObjectKeyFromObject(s.object), live); err != nil {
			return err
		}
		if live.UID != s.object.UID || live.Annotations[v1alpha1.AnnotationClaim] != ours {
			return nil
		}
		s.object, s.before = live, live.DeepCopy()
		s.called(s.importID, granted.Time)
		s.waiting(again)
		if err := r.patchStatus(ctx, s); err != nil {
			return err
		}
		if err := r.patchClaim(ctx, s.object, nil); err != nil {
			return err
		}
		s.before = s.object.DeepCopy()
		return nil
	})
}
