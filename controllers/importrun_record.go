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
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/util/retry"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
)

// recordTimeout is how long one pass tries to record what a call came to, with pauses of up to 5 s.
const recordTimeout = 3 * time.Minute

var recordBackoff = wait.Backoff{Duration: 100 * time.Millisecond, Factor: 2, Jitter: 0.1, Steps: 60, Cap: 5 * time.Second}

// errSuperseded says that the run went on without this process: it has ended, is gone, or
// another process has claimed a call meanwhile.
var errSuperseded = errors.New("the run went on in another process")

// superseded is errSuperseded as a conflict: the run is looked at again.
func (s *runScope) superseded() error {
	return apierrors.NewConflict(v1alpha1.GroupVersion.WithResource("importruns").GroupResource(), s.object.Name, errSuperseded)
}

// record writes down what became of the run: where it stands, that its batch is tried again,
// or how it ended. What a call came to is kept until that is done, whatever fails.
func (r *ImportRunReconciler) record(ctx context.Context, s *runScope, came *outcome) error {
	pauses := retry.DefaultBackoff
	if came.token != "" {
		// It is known nowhere else: also when the operator is asked to stop, it is tried for minutes.
		pauses = recordBackoff
		r.unrecorded.Store(s.object.UID, came)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTimeout)
	defer cancel()
	err := retry.OnError(pauses, func(err error) bool {
		return ctx.Err() == nil && !errors.Is(err, errSuperseded) && !apierrors.IsNotFound(err)
	}, func() error {
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
		r.unrecorded.Delete(s.object.UID)
		return s.superseded()
	}
	if err != nil {
		return fmt.Errorf("record what became of the run: %w", err)
	}
	r.unrecorded.Delete(s.object.UID)
	r.announce(s, came)
	return nil
}

// recordKnown writes down what a call of an earlier pass came to. The cache may be behind, and
// another process may have gone on: only the API server knows.
func (r *ImportRunReconciler) recordKnown(ctx context.Context, s *runScope, came *outcome) error {
	err := r.refresh(ctx, s, came)
	if errors.Is(err, errSuperseded) {
		r.unrecorded.Delete(s.object.UID)
		return nil
	}
	if err != nil {
		return err
	}
	if err := r.record(ctx, s, came); err != nil || came.again == nil {
		return err
	}
	return came.again
}

// refresh reads the version of the run that the API server has now, and makes sure that the
// call's outcome is still to be told. What was decided without a call is decided anew.
func (r *ImportRunReconciler) refresh(ctx context.Context, s *runScope, came *outcome) error {
	if came.token == "" {
		return errSuperseded
	}
	live := &v1alpha1.ImportRun{}
	err := r.Live.Get(ctx, client.ObjectKeyFromObject(s.object), live)
	if apierrors.IsNotFound(err) || err == nil && (live.UID != s.object.UID || !tellable(live, came)) {
		return errSuperseded
	}
	if err != nil {
		return err
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
	case came.token != "":
		if err := r.settleKey(ctx, s, came); err != nil {
			return err
		}
		s.ended(came, r.Clock.Now())
	default:
		// Not of a call, but decided on what was read: it holds once it is written. The ledger
		// asks the run itself as long as there is one.
		s.ended(came, r.Clock.Now())
		if err := r.patchStatus(ctx, s); err != nil {
			return err
		}
		if err := r.settleKey(ctx, s, came); err != nil {
			log.FromContext(ctx).Error(err, "cannot tell the ledger of idempotency keys how the run ended")
		}
		return nil
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
