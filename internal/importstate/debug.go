// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package importstate

import (
	"encoding/json"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/integrator"
	"github.com/integrator-operator/integrator-operator/internal/ownership"
)

// DebugAhead is how far ahead the API accepts debugUntil.
const DebugAhead = time.Hour

// DebugWaits is how long it is until the declared debugUntil can be set, 0 when there is nothing
// to wait for. due reports whether it can be set now, and is not.
func DebugWaits(object *v1alpha1.Import, now time.Time) (wait time.Duration, due bool) {
	declared, set := object.Spec.DebugUntil, object.Status.DebugUntil
	if declared == nil || ownership.Observes(object) || set != nil && set.Equal(declared) {
		return 0, false
	}
	ahead := declared.Sub(now)
	return max(ahead-DebugAhead, 0), ahead > 0 && ahead <= DebugAhead
}

// DebugChange decides what has to be done about debugUntil, from the declared time, the one that
// was set last, and the remote's. set is what is set once that is done.
func DebugChange(declared, last *metav1.Time, remote, now time.Time) (operation *integrator.PatchOperation, set *metav1.Time) {
	const path = "/debugUntil"
	switch {
	case declared != nil && !declared.After(now):
		return nil, nil
	case declared != nil && declared.Time.Equal(remote.Truncate(time.Second)):
		return nil, declared
	case declared != nil && declared.After(now.Add(DebugAhead)):
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
