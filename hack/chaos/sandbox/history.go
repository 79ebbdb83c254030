// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package sandbox

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
)

// History keeps the phases that every run went through.
type History struct {
	stop func()

	mu     sync.Mutex
	phases map[string][]v1alpha1.RunPhase
}

// newHistory watches the runs of a namespace, also when the API server is restarted.
func newHistory(ctx context.Context, watcher client.WithWatch, namespace string) *History {
	ctx, cancel := context.WithCancel(ctx)
	h := &History{stop: cancel, phases: map[string][]v1alpha1.RunPhase{}}
	go wait.UntilWithContext(ctx, func(ctx context.Context) {
		events, err := watcher.Watch(ctx, &v1alpha1.ImportRunList{}, client.InNamespace(namespace))
		if err != nil {
			return
		}
		for event := range events.ResultChan() {
			if run, ok := event.Object.(*v1alpha1.ImportRun); ok && event.Type != watch.Deleted {
				h.add(string(run.UID), run.Status.Phase)
			}
		}
	}, 100*time.Millisecond)
	return h
}

func (h *History) add(uid string, phase v1alpha1.RunPhase) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if seen := h.phases[uid]; len(seen) == 0 || seen[len(seen)-1] != phase {
		h.phases[uid] = append(seen, phase)
	}
}

// Phases are the phases of the runs, by their uids.
func (h *History) Phases() map[string][]v1alpha1.RunPhase {
	h.mu.Lock()
	defer h.mu.Unlock()
	all := maps.Clone(h.phases)
	for uid, phases := range all {
		all[uid] = slices.Clone(phases)
	}
	return all
}

// Clear forgets everything, as etcd does when an older copy replaces its data.
func (h *History) Clear() {
	h.mu.Lock()
	defer h.mu.Unlock()
	clear(h.phases)
}

// Finished reports whether a run does not leave the phase.
func Finished(phase v1alpha1.RunPhase) bool {
	switch phase {
	case v1alpha1.RunSucceeded, v1alpha1.RunFailed, v1alpha1.RunUnknown, v1alpha1.RunCanceled:
		return true
	case v1alpha1.RunPending, v1alpha1.RunWaiting, v1alpha1.RunRunning:
		return false
	default:
		return false
	}
}
