// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/util/retry"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
)

// errSuperseded says that the run went on without this process: it has ended, is gone, or
// another process has claimed a call meanwhile.
var errSuperseded = errors.New("the run went on in another process")

// record writes down what became of the run: where it stands, that its batch is tried again,
// or how it ended. What a call came to is kept until that is done, whatever fails.
func (r *ImportRunReconciler) record(ctx context.Context, s *runScope, came *outcome) error {
	ctx = context.WithoutCancel(ctx)
	if came.token != "" {
		r.unrecorded.Store(s.object.UID, came)
	}
	err := retry.OnError(retry.DefaultBackoff, func(err error) bool { return !errors.Is(err, errSuperseded) }, func() error {
		err := r.writeDown(ctx, s, came)
		if apierrors.IsConflict(err) {
			return errors.Join(r.refresh(ctx, s, came), err)
		}
		return err
	})
	if err != nil {
		s.object.Status = *s.before.Status.DeepCopy()
	}
	if errors.Is(err, errSuperseded) || apierrors.IsNotFound(err) {
		r.forget(s)
		return apierrors.NewConflict(v1alpha1.GroupVersion.WithResource("importruns").GroupResource(), s.object.Name, errSuperseded)
	}
	if err != nil {
		return fmt.Errorf("record what became of the run: %w", err)
	}
	r.unrecorded.Delete(s.object.UID)
	r.announce(s, came)
	return nil
}

// refresh reads the version of the run that the API server has now, and makes sure that the
// call's outcome is still to be told. What was decided without a call is decided anew.
func (r *ImportRunReconciler) refresh(ctx context.Context, s *runScope, came *outcome) error {
	if came.token == "" {
		return errSuperseded
	}
	live := &v1alpha1.ImportRun{}
	err := r.Live.Get(ctx, client.ObjectKeyFromObject(s.object), live)
	if apierrors.IsNotFound(err) || err == nil && (live.UID != s.object.UID || finished(live)) {
		return errSuperseded
	}
	if err != nil {
		return err
	}
	// A claim that somebody took away does not make the outcome less known.
	if held := claimOf(live).Token; held != "" && held != came.token {
		return errSuperseded
	}
	s.adopt(live)
	return nil
}

// writeDown makes the writes, each of exactly the version that was read.
func (r *ImportRunReconciler) writeDown(ctx context.Context, s *runScope, came *outcome) error {
	switch {
	case came.again != nil:
		if err := r.settleKey(ctx, s, came); err != nil {
			return err
		}
		if err := r.patchClaim(ctx, s, came.next); err != nil {
			return err
		}
		// The status follows with what the run waits for: see finish.
		s.counted(came)
		return nil
	case came.phase == "":
		s.counted(came)
	default:
		if err := r.settleKey(ctx, s, came); err != nil {
			return err
		}
		s.ended(came, r.Clock.Now())
	}
	return r.patchStatus(ctx, s)
}

// ended sets the terminal status.
func (s *runScope) ended(o *outcome, now time.Time) {
	status, generation := &s.object.Status, s.object.Generation
	status.ObservedGeneration = generation
	status.Phase = o.phase
	s.counted(o)
	status.CompletionTime = &metav1.Time{Time: now.UTC().Truncate(time.Second)}
	succeeded := metav1.ConditionFalse
	if o.phase == v1alpha1.RunSucceeded {
		succeeded = metav1.ConditionTrue
		setReady(&status.Conditions, generation, o.reason, o.message)
	} else {
		setTrouble(&status.Conditions, generation, &problem{class: terminal, reason: o.reason, message: o.message})
	}
	setCondition(&status.Conditions, generation, v1alpha1.ConditionSucceeded, succeeded, o.reason, o.message)
}

// announce tells of a run that has ended.
func (r *ImportRunReconciler) announce(s *runScope, came *outcome) {
	if came.phase == "" {
		return
	}
	runsCompleted.WithLabelValues(string(came.phase)).Inc()
	kind := corev1.EventTypeWarning
	if came.phase == v1alpha1.RunSucceeded {
		kind = corev1.EventTypeNormal
	}
	recordEvent(r.Recorder, s.object, kind, came.reason, came.message)
}
