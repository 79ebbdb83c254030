// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package sandbox

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/ownership"
)

// History keeps the phases that every run went through, and whether two Imports ever had one remote
// import at the same time.
type History struct {
	stop func()

	mu     sync.Mutex
	phases map[string][]v1alpha1.RunPhase
	// owned are the remote imports of the Imports now, shared describes each time that two had the
	// same.
	owned  map[types.UID]string
	shared []string
}

// newHistory watches runs and Imports, also when the API server is restarted.
func newHistory(ctx context.Context, watcher client.WithWatch, within ...client.ListOption) *History {
	ctx, cancel := context.WithCancel(ctx)
	h := &History{stop: cancel, phases: map[string][]v1alpha1.RunPhase{}, owned: map[types.UID]string{}}
	follow := func(list client.ObjectList, began func(), each func(watch.Event)) {
		wait.UntilWithContext(ctx, func(ctx context.Context) {
			events, err := watcher.Watch(ctx, list, within...)
			if err != nil {
				return
			}
			began()
			for event := range events.ResultChan() {
				each(event)
			}
		}, 100*time.Millisecond)
	}
	go follow(&v1alpha1.ImportRunList{}, func() {}, h.seeRun)
	// A watch begins with the Imports that there are: those that went meanwhile are not among them.
	go follow(&v1alpha1.ImportList{}, h.forgetOwners, h.seeImport)
	return h
}

func (h *History) seeRun(event watch.Event) {
	if run, ok := event.Object.(*v1alpha1.ImportRun); ok && event.Type != watch.Deleted {
		h.add(string(run.UID), run.Status.Phase)
	}
}

func (h *History) add(uid string, phase v1alpha1.RunPhase) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if seen := h.phases[uid]; len(seen) == 0 || seen[len(seen)-1] != phase {
		h.phases[uid] = append(seen, phase)
	}
}

// seeImport notes the remote import of an Import. The events of all Imports come in the order in
// which they were written.
func (h *History) seeImport(event watch.Event) {
	object, ok := event.Object.(*v1alpha1.Import)
	if !ok {
		return
	}
	id := object.Annotations[v1alpha1.AnnotationID]
	if id == "" && !ownership.OnlyObserved(object) {
		id = object.Status.ID
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.owned, object.UID)
	if event.Type == watch.Deleted || id == "" || object.Spec.ManagementPolicy == v1alpha1.ManagementPolicyObserve {
		return
	}
	if slices.Contains(slices.Collect(maps.Values(h.owned)), id) {
		h.shared = append(h.shared, fmt.Sprintf("the Import %s/%s got the import %s while another had it", object.Namespace, object.Name, id))
	}
	h.owned[object.UID] = id
}

func (h *History) forgetOwners() {
	h.mu.Lock()
	defer h.mu.Unlock()
	clear(h.owned)
}

// Shared describes each time that an Import got a remote import while another had it.
func (h *History) Shared() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.shared)
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

// Clear forgets all phases, as etcd does when an older copy replaces its data.
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
