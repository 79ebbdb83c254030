// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/retry"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
)

// The claim is one annotation. It is written to exactly the version of the run that was
// decided on: with another process at the same run, or with a cache that is behind, the API
// server refuses it, and nothing is sent.

// claim takes the permission for the next call.
func (r *ImportRunReconciler) claim(ctx context.Context, s *runScope, next claim) (claim, error) {
	now := r.Clock.Now().UTC()
	granted := next
	granted.Token, granted.Holder, granted.Time = uuid.NewString(), r.Holder, now
	granted.NotBefore, granted.Reason = time.Time{}, ""
	if granted.Started.IsZero() {
		granted.Started, granted.Spent = now.Add(-granted.Spent), 0
	}
	granted.Deadline = granted.Started.Add(timeLimit(s.object))
	granted.Digest, granted.Batches = s.payload.digest, len(s.payload.batches)
	if err := r.takeClaim(ctx, s, granted); err != nil {
		return claim{}, err
	}
	if err := r.showRunning(ctx, s, granted); err != nil {
		r.noteUnused(s, granted)
		return claim{}, err
	}
	r.unused.Delete(s.object.UID)
	return granted, nil
}

// showRunning writes into status that the run has claimed a call, unless that stands there.
// Nothing is sent before: should the claim be taken away, the status still tells of it.
func (r *ImportRunReconciler) showRunning(ctx context.Context, s *runScope, granted claim) error {
	return retry.RetryOnConflict(retry.DefaultBackoff, func() error {
		s.running(granted)
		err := r.patchStatus(ctx, s)
		if !apierrors.IsConflict(err) {
			return err
		}
		live := &v1alpha1.ImportRun{}
		if err := r.Live.Get(ctx, client.ObjectKeyFromObject(s.object), live); err != nil {
			return err
		}
		if live.UID != s.object.UID || claimOf(live).Token != granted.Token || finished(live) {
			return fmt.Errorf("show the run as Running: %w", errSuperseded)
		}
		s.adopt(live)
		return err
	})
}

// noteUnused remembers a claim under which nothing is sent.
func (r *ImportRunReconciler) noteUnused(s *runScope, granted claim) {
	r.unused.Store(s.object.UID, append(slices.Clone(r.self(s).unused), granted.Token))
}

// takeClaim writes the claim. When the answer to that write is lost, another read tells
// whether it was made. If not, it may still come to be: the token is remembered as unused.
func (r *ImportRunReconciler) takeClaim(ctx context.Context, s *runScope, granted claim) error {
	failed := r.patchClaim(ctx, s, granted)
	if failed == nil || apierrors.IsConflict(failed) {
		return failed
	}
	live := &v1alpha1.ImportRun{}
	if err := r.Live.Get(ctx, client.ObjectKeyFromObject(s.object), live); err != nil || live.UID != s.object.UID || claimOf(live).Token != granted.Token {
		r.noteUnused(s, granted)
		return failed
	}
	s.adopt(live)
	return nil
}

// patchClaim sets the claim annotation of exactly this version of the run.
func (r *ImportRunReconciler) patchClaim(ctx context.Context, s *runScope, value claim) error {
	text, err := json.Marshal(value)
	if err != nil {
		return err
	}
	body, err := json.Marshal(map[string]any{"metadata": map[string]any{
		"uid": s.object.UID, "resourceVersion": s.object.ResourceVersion,
		"annotations": map[string]any{v1alpha1.AnnotationClaim: string(text)},
	}})
	if err != nil {
		return err
	}
	patched := s.object.DeepCopy()
	if err := r.Patch(ctx, patched, client.RawPatch(types.MergePatchType, body)); err != nil {
		return err
	}
	s.adopt(patched)
	return nil
}

// adopt goes on with a newer version of the run.
func (s *runScope) adopt(newer *v1alpha1.ImportRun) {
	s.object, s.before = newer, newer.DeepCopy()
}

// pause shows what the run waits for. While it is suspended its time does not run.
func (r *ImportRunReconciler) pause(ctx context.Context, s *runScope, at step) error {
	if at.wait.reason != reasonSuspended || at.next.Started.IsZero() {
		return at.wait
	}
	stopped := at.next
	stopped.Started, stopped.Spent = time.Time{}, r.Clock.Since(stopped.Started)
	if err := r.patchClaim(ctx, s, stopped); err != nil {
		return err
	}
	return at.wait
}
