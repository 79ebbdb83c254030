// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package status

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	eventsv1 "k8s.io/api/events/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	testingclock "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/scheme"
)

// eventServer takes events, or refuses them.
type eventServer struct {
	client.Client
	mu      sync.Mutex
	notes   []string
	refuses error
}

func (s *eventServer) Scheme() *runtime.Scheme { return scheme.All() }

func (s *eventServer) Create(_ context.Context, object client.Object, _ ...client.CreateOption) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.refuses != nil {
		return s.refuses
	}
	event := object.(*eventsv1.Event)
	s.notes = append(s.notes, fmt.Sprintf("%s %s/%s: %s", event.Type, event.Namespace, event.Regarding.Name, event.Note))
	return nil
}

func anEventfulImport() *v1alpha1.Import {
	object := &v1alpha1.Import{}
	object.Namespace, object.Name, object.UID = "ns", "orders", "1"
	return object
}

func TestQueuedRecorder(t *testing.T) {
	server := &eventServer{}
	recorder := NewQueuedRecorder(server, testingclock.NewFakePassiveClock(time.Now()))
	const before, all = 50, 100
	for i := range before {
		recorder.Eventf(anEventfulImport(), nil, "Normal", "Synced", "Synced", "%d", i)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- recorder.Start(ctx) }()
	for i := before; i < all; i++ {
		recorder.Eventf(anEventfulImport(), nil, "Normal", "Synced", "Synced", "%d", i)
	}
	stop()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	var want []string
	for i := range all {
		want = append(want, fmt.Sprintf("Normal ns/orders: %d", i))
	}
	slices.Sort(want)
	slices.Sort(server.notes)
	if diff := cmp.Diff(want, server.notes); diff != "" {
		t.Errorf("each event is written once, also those from before the start and at the end: -want, +got:\n%s", diff)
	}
}

func TestQueuedRecorderGivesUp(t *testing.T) {
	forbidden := apierrors.NewForbidden(schema.GroupResource{Resource: "events"}, "x", errors.New("the namespace is being terminated"))
	server := &eventServer{refuses: forbidden}
	recorder := NewQueuedRecorder(server, testingclock.NewFakePassiveClock(time.Now()))
	event, err := recorder.direct.event(anEventfulImport(), nil, "Normal", "Synced", "Synced", "note")
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	recorder.write(t.Context(), event)
	if time.Since(began) > eventRetries.Duration/2 {
		t.Error("what the API server refuses is not retried")
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	server.refuses = errors.New("connection refused")
	recorder.write(ended, event)
	server.refuses = nil
	if len(server.notes) != 0 {
		t.Errorf("got %v", server.notes)
	}
}

// silentServer takes requests and never answers.
type silentServer struct{ eventServer }

func (s *silentServer) Create(ctx context.Context, _ client.Object, _ ...client.CreateOption) error {
	<-ctx.Done()
	return ctx.Err()
}

// TestQueuedRecorderEnds: however many events wait, and whatever the API server does, the process ends.
func TestQueuedRecorderEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		recorder := NewQueuedRecorder(&silentServer{}, testingclock.NewFakePassiveClock(time.Now()))
		for i := range 10 * eventWriters {
			recorder.Eventf(anEventfulImport(), nil, "Normal", "Synced", "Synced", "%d", i)
		}
		ctx, stop := context.WithCancel(t.Context())
		stop()
		began := time.Now()
		if err := recorder.Start(ctx); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took > eventGrace {
			t.Errorf("it took %s to end, which is more than %s", took, eventGrace)
		}
	})
}
