// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package imports

import (
	"context"
	"encoding/json"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/drift"
	"github.com/integrator-operator/integrator-operator/internal/integrator"
	"github.com/integrator-operator/integrator-operator/internal/ownership"
	"github.com/integrator-operator/integrator-operator/internal/problem"
)

// PATCH takes two fields that PUT does not, or not always: debugUntil and assistantMetadata.

// patchAssistant writes assistantMetadata, with what others put into it.
func patchAssistant(ctx context.Context, s *scope, remote map[string]any) error {
	merged := drift.Merge(nil, s.desired.Document, remote, s.ignored())
	value, err := json.Marshal(merged[pathAssistant[1:]])
	if err != nil {
		return err
	}
	s.ownFields(remote)
	return patch(ctx, s, "write assistantMetadata", integrator.PatchOperation{Op: "add", Path: pathAssistant, Value: value})
}

func patch(ctx context.Context, s *scope, what string, operation integrator.PatchOperation) error {
	if err := s.session.Client.PatchImport(ctx, s.remote.ID, []integrator.PatchOperation{operation}); err != nil {
		return s.failed(err, what)
	}
	return readAgain(ctx, s)
}

const (
	// debugAhead is how far ahead the API accepts debugUntil.
	debugAhead = time.Hour
	// debugPause is how long one waits that the API finds too far ahead, where its clock may be
	// behind ours.
	debugPause = time.Minute
)

// debug brings debugUntil to what is declared. A time that has passed means nothing on either side,
// one that others set is theirs, and one too far ahead waits.
func (r *Reconciler) debug(ctx context.Context, s *scope) error {
	var remote struct {
		DebugUntil time.Time `json:"debugUntil"`
	}
	// What is not a time is not a debugging session.
	_ = json.Unmarshal(s.remote.Raw, &remote)
	operation, set := debugChange(s.object.Spec.DebugUntil, s.object.Status.DebugUntil, remote.DebugUntil, r.Clock.Now())
	if operation == nil {
		s.object.Status.DebugUntil = set
		return nil
	}
	if !s.mayCall(callPatch) {
		return s.planned()
	}
	if err := patch(ctx, s, "set debugUntil", *operation); err != nil {
		if p := problem.As(err); p != nil && p.Reason() == v1alpha1.ReasonRejected && set != nil && set.Sub(r.Clock.Now()) > debugAhead-ownership.ClockSkew {
			return p.WithRetryAfter(debugPause)
		}
		return err
	}
	s.object.Status.DebugUntil = set
	return nil
}

// debugWaits is how long it is until the declared debugUntil can be set, 0 when there is nothing
// to wait for. due reports whether it can be set now, and is not.
func debugWaits(s *scope, now time.Time) (wait time.Duration, due bool) {
	declared, set := s.object.Spec.DebugUntil, s.object.Status.DebugUntil
	if declared == nil || ownership.Observes(s.object) || set != nil && set.Equal(declared) {
		return 0, false
	}
	ahead := declared.Sub(now)
	return max(ahead-debugAhead, 0), ahead > 0 && ahead <= debugAhead
}

// debugChange decides what has to be done about debugUntil, from the declared time, the one that
// was set last, and the remote's. set is what is set once that is done.
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
