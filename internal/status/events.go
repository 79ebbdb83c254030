// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package status

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/tools/events"
	"k8s.io/client-go/tools/record/util"
	"k8s.io/client-go/tools/reference"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
)

// Event is an event to record once the status is written.
type Event struct {
	// Type is corev1.EventTypeNormal or corev1.EventTypeWarning.
	Type string
	// Reason is one of the reasons in api/v1alpha1.
	Reason string
	// Note says in one line what happened.
	Note string
}

// RecordTransition records an event when Ready changed its status, reason or message: Normal when
// it became True, Warning when a person has to act. What continues without help makes no event.
func RecordTransition(recorder events.EventRecorder, object client.Object, before, after []metav1.Condition) {
	was, is := apimeta.FindStatusCondition(before, v1alpha1.ConditionReady), apimeta.FindStatusCondition(after, v1alpha1.ConditionReady)
	if is == nil || was != nil && was.Reason == is.Reason && was.Status == is.Status && was.Message == is.Message {
		return
	}
	switch {
	case is.Status == metav1.ConditionTrue:
		if was == nil || was.Status != metav1.ConditionTrue {
			RecordEvent(recorder, object, corev1.EventTypeNormal, is.Reason, is.Message)
		}
	case apimeta.IsStatusConditionTrue(after, v1alpha1.ConditionStalled):
		RecordEvent(recorder, object, corev1.EventTypeWarning, is.Reason, is.Message)
	}
}

// RecordEvent records one event. The action of events.k8s.io repeats the reason: what happened is
// what was done. An event names the version of its object, and a status write precedes each event,
// so no event equals an earlier one. None is ever patched, and the manager has no right to.
func RecordEvent(recorder events.EventRecorder, object client.Object, eventType, reason, note string) {
	recorder.Eventf(object, nil, eventType, reason, reason, "%s", oneLine(note))
}

// DirectRecorder records each event with one write of its own, and waits for it: no broadcaster has to
// run, and the event is there when the process ends.
type DirectRecorder struct {
	client   client.Client
	clock    clock.PassiveClock
	instance string
}

var _ events.EventRecorder = (*DirectRecorder)(nil)

// eventTimeout is how long an event may take.
const eventTimeout = 10 * time.Second

// controllerName is what events say they come from.
const controllerName = "integrator-operator"

// NewDirectRecorder makes a recorder that writes with a client.
func NewDirectRecorder(c client.Client, now clock.PassiveClock) *DirectRecorder {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return &DirectRecorder{client: c, clock: now, instance: controllerName + "-" + host}
}

// Eventf implements events.EventRecorder.
func (r *DirectRecorder) Eventf(regarding, related runtime.Object, eventType, reason, action, note string, args ...any) {
	ctx, cancel := context.WithTimeout(context.Background(), eventTimeout)
	defer cancel()
	if err := r.record(ctx, regarding, related, eventType, reason, action, fmt.Sprintf(note, args...)); err != nil {
		log.Log.Error(err, "cannot record an event", "reason", reason)
	}
}

func (r *DirectRecorder) record(ctx context.Context, regarding, related runtime.Object, eventType, reason, action, note string) error {
	event, err := r.event(regarding, related, eventType, reason, action, note)
	if err != nil {
		return err
	}
	return r.client.Create(ctx, event)
}

// event makes the event of this moment.
func (r *DirectRecorder) event(regarding, related runtime.Object, eventType, reason, action, note string) (*eventsv1.Event, error) {
	about, err := reference.GetReference(r.client.Scheme(), regarding)
	if err != nil {
		return nil, err
	}
	now := r.clock.Now()
	event := &eventsv1.Event{
		EventTime: metav1.NewMicroTime(now), ReportingController: controllerName, ReportingInstance: r.instance,
		Type: eventType, Reason: reason, Action: action, Note: note, Regarding: *about,
	}
	event.Namespace, event.Name = cmp.Or(about.Namespace, metav1.NamespaceDefault), util.GenerateEventName(about.Name, now.UnixNano())
	if related != nil {
		if event.Related, err = reference.GetReference(r.client.Scheme(), related); err != nil {
			return nil, err
		}
	}
	return event, nil
}

const (
	// eventWriters is how many events are written at once, and eventQueue how many may wait for that.
	eventWriters, eventQueue = 16, 1 << 15
	// eventGrace is how long the last events may take when the process ends.
	eventGrace = 500 * time.Millisecond
)

// eventRetries are the attempts to write an event, while the API server does not answer.
var eventRetries = wait.Backoff{Duration: 10 * time.Second, Factor: 1, Jitter: 0.25, Steps: 12}

// QueuedRecorder records events in their order, some at a time, while it runs. The broadcaster of client-go
// keeps each for minutes, to add later ones to it that are equal, and starts a goroutine for each. No two
// events of the operator are equal: see RecordEvent.
type QueuedRecorder struct {
	direct *DirectRecorder
	queue  chan *eventsv1.Event
}

var _ events.EventRecorder = (*QueuedRecorder)(nil)

// NewQueuedRecorder makes a recorder that writes with a client. Start it.
func NewQueuedRecorder(c client.Client, now clock.PassiveClock) *QueuedRecorder {
	return &QueuedRecorder{direct: NewDirectRecorder(c, now), queue: make(chan *eventsv1.Event, eventQueue)}
}

// Eventf implements events.EventRecorder.
func (r *QueuedRecorder) Eventf(regarding, related runtime.Object, eventType, reason, action, note string, args ...any) {
	event, err := r.direct.event(regarding, related, eventType, reason, action, fmt.Sprintf(note, args...))
	if err == nil {
		select {
		case r.queue <- event:
		default:
			err = errManyEvents
		}
	}
	if err != nil {
		log.Log.Error(err, "cannot record an event", "reason", reason)
	}
}

var errManyEvents = errors.New("too many events wait to be written")

// NeedLeaderElection says that it runs in each replica: one that waits for the lease may have something to say.
func (r *QueuedRecorder) NeedLeaderElection() bool { return false }

// Start writes events until ctx ends, and then what still waits, for a moment.
func (r *QueuedRecorder) Start(ctx context.Context) error {
	var writers sync.WaitGroup
	for range eventWriters {
		writers.Go(func() {
			for ctx.Err() == nil {
				select {
				case event := <-r.queue:
					r.write(ctx, event)
				case <-ctx.Done():
				}
			}
			r.drain(ctx)
		})
	}
	writers.Wait()
	return nil
}

// drain makes one attempt for each event that waits when ctx has ended, until eventGrace is over.
func (r *QueuedRecorder) drain(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), eventGrace)
	defer cancel()
	for ctx.Err() == nil {
		select {
		case event := <-r.queue:
			_, failed := r.try(ctx, event)
			logFailed(event, failed)
		default:
			return
		}
	}
}

// write writes an event, and retries while the API server does not answer and ctx lasts. An attempt that has
// begun goes on when ctx ends, and the first is made also if ctx has just ended: nobody else has the event.
func (r *QueuedRecorder) write(ctx context.Context, event *eventsv1.Event) {
	attempts := 0
	var failed error
	attempt := func(ctx context.Context) (done bool, err error) {
		attempts++
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), eventTimeout)
		defer cancel()
		var later bool
		later, failed = r.try(ctx, event)
		return !later, nil
	}
	_ = wait.ExponentialBackoffWithContext(ctx, eventRetries, attempt)
	if attempts == 0 {
		_, _ = attempt(ctx)
	}
	logFailed(event, failed)
}

// try writes an event, and reports whether that may succeed later.
func (r *QueuedRecorder) try(ctx context.Context, event *eventsv1.Event) (later bool, err error) {
	err = r.direct.client.Create(ctx, event.DeepCopy())
	if err == nil || apierrors.IsAlreadyExists(err) { // an attempt before was applied
		return false, nil
	}
	answered := apierrors.ReasonForError(err) != metav1.StatusReasonUnknown
	busy := apierrors.IsTooManyRequests(err) || apierrors.IsServerTimeout(err) || apierrors.IsServiceUnavailable(err)
	return busy || !answered, err
}

func logFailed(event *eventsv1.Event, failed error) {
	if failed != nil {
		log.Log.Error(failed, "cannot record an event", "reason", event.Reason)
	}
}
