// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"encoding/json"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/integrator-operator/integrator-operator/internal/drift"
	"github.com/integrator-operator/integrator-operator/internal/integrator"
)

// PATCH takes two fields that PUT does not, or not always: debugUntil and assistantMetadata.

// patchAssistant writes assistantMetadata, with what others put into it.
func (r *ImportReconciler) patchAssistant(ctx context.Context, s *importScope, remote map[string]any) error {
	merged := drift.Merge(nil, s.desired.document, remote, s.ignored())
	value, err := json.Marshal(merged[pathAssistant[1:]])
	if err != nil {
		return err
	}
	s.patched = true
	s.own(remote)
	return r.patch(ctx, s, "write assistantMetadata", integrator.PatchOperation{Op: "add", Path: pathAssistant, Value: value})
}

func (r *ImportReconciler) patch(ctx context.Context, s *importScope, what string, operation integrator.PatchOperation) error {
	if err := s.session.client.PatchImport(ctx, s.id, []integrator.PatchOperation{operation}); err != nil {
		return s.failed(err, what)
	}
	return r.lookAgain(ctx, s)
}

const (
	// debugAhead is how far ahead the API takes debugUntil.
	debugAhead = time.Hour
	// debugPause is how long one that the API finds too far ahead waits where its clock may
	// be behind ours.
	debugPause = time.Minute
)

// debug brings debugUntil to what is declared. A time that has passed means nothing on
// either side, one that others set is theirs, and one too far ahead waits.
func (r *ImportReconciler) debug(ctx context.Context, s *importScope) error {
	var remote struct {
		DebugUntil time.Time `json:"debugUntil"`
	}
	// What is no time is not a debugging session.
	_ = json.Unmarshal(s.remote.Raw, &remote)
	operation, set := debugChange(s.object.Spec.DebugUntil, s.object.Status.DebugUntil, remote.DebugUntil, r.Clock.Now())
	if operation == nil {
		s.object.Status.DebugUntil = set
		return nil
	}
	if !s.permit(callPatch) {
		return s.planned()
	}
	if err := r.patch(ctx, s, "set debugUntil", *operation); err != nil {
		if p := classify(err, ""); p != nil && p.reason == reasonRejected && set != nil && set.Sub(r.Clock.Now()) > debugAhead-clockSkew {
			p.after = debugPause
		}
		return err
	}
	s.object.Status.DebugUntil = set
	return nil
}

// debugAwaits tells how long it is until the declared debugUntil can be set, 0 when there is
// nothing to wait for. due tells that it can be, and is not.
func (r *ImportReconciler) debugAwaits(s *importScope) (rest time.Duration, due bool) {
	declared, set := s.object.Spec.DebugUntil, s.object.Status.DebugUntil
	if declared == nil || s.observes() || set != nil && set.Equal(declared) {
		return 0, false
	}
	ahead := declared.Sub(r.Clock.Now())
	return max(ahead-debugAhead, 0), ahead > 0 && ahead <= debugAhead
}

// debugChange decides what has to be done about debugUntil, from the declared time, the one
// that was last set, and the remote's. set is what is set once that is done.
func debugChange(declared, last *metav1.Time, remote, now time.Time) (operation *integrator.PatchOperation, set *metav1.Time) {
	const path = "/debugUntil"
	switch {
	case declared != nil && !declared.After(now):
		return nil, nil
	case declared != nil && declared.Time.Equal(remote.Truncate(time.Second)):
		return nil, declared
	case declared != nil && declared.After(now.Add(debugAhead)):
		return nil, last
	case declared != nil:
		value, _ := json.Marshal(declared.UTC().Format(time.RFC3339))
		return &integrator.PatchOperation{Op: "add", Path: path, Value: value}, declared
	case last != nil && last.Time.Equal(remote.Truncate(time.Second)) && remote.After(now):
		return &integrator.PatchOperation{Op: "remove", Path: path}, nil
	default:
		return nil, nil
	}
}
