// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
)

// history keeps the phases that every run went through.
type history struct {
	stop func()

	mu     sync.Mutex
	phases map[string][]v1alpha1.RunPhase
}

// newHistory watches the runs of a namespace, also when the API server goes and comes back.
func newHistory(ctx context.Context, watcher client.WithWatch, namespace string) *history {
	ctx, cancel := context.WithCancel(ctx)
	h := &history{stop: cancel, phases: map[string][]v1alpha1.RunPhase{}}
	go wait.UntilWithContext(ctx, func(ctx context.Context) {
		events, err := watcher.Watch(ctx, &v1alpha1.ImportRunList{}, client.InNamespace(namespace))
		if err != nil {
			return
		}
		for event := range events.ResultChan() {
			if run, ok := event.Object.(*v1alpha1.ImportRun); ok && event.Type != watch.Deleted {
				h.note(string(run.UID), run.Status.Phase)
			}
		}
	}, 100*time.Millisecond)
	return h
}

func (h *history) note(uid string, phase v1alpha1.RunPhase) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if seen := h.phases[uid]; len(seen) == 0 || seen[len(seen)-1] != phase {
		h.phases[uid] = append(seen, phase)
	}
}

// regressions names the runs that went back: out of a phase that is an end, or to the
// beginning after a call may have been made. Between two batches a run may have to wait.
func (h *history) regressions() (out []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for uid, phases := range h.phases {
		for i := 1; i < len(phases); i++ {
			before, after := phases[i-1], phases[i]
			if isEnd(before) || before == v1alpha1.RunRunning && (after == "" || after == v1alpha1.RunPending) {
				out = append(out, fmt.Sprintf("I5: run %s went from %q to %q", uid, before, after))
			}
		}
	}
	return out
}

// clear forgets everything, as etcd does when an older copy is put in its place.
func (h *history) clear() {
	h.mu.Lock()
	defer h.mu.Unlock()
	clear(h.phases)
}
