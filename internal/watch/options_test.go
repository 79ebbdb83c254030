// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package watch

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
)

// TestKeepsRetries: a reconcile that ended to wait does not end the growth of the pauses.
func TestKeepsRetries(t *testing.T) {
	cases := map[string]struct {
		reason string
		waits  bool
		want   time.Duration
	}{
		"Succeeded": {reason: "after a success the next failure is the first", want: time.Second},
		"Waits":     {reason: "after a wait it is not", waits: true, want: 4 * time.Second},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			request := ctrl.Request{NamespacedName: types.NamespacedName{Namespace: "ns", Name: "a"}}
			limiter := KeepsRetries(workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](time.Second, time.Minute),
				func(key types.NamespacedName) bool { return tc.waits && key == request.NamespacedName })
			limiter.When(request)
			limiter.When(request)
			limiter.Forget(request)
			if got := limiter.When(request); got != tc.want {
				t.Errorf("%s: the pause is %s, want %s", tc.reason, got, tc.want)
			}
		})
	}
}

func TestFirst(t *testing.T) {
	object := func(name string) *v1alpha1.Import {
		made := &v1alpha1.Import{}
		made.Namespace, made.Name = "ns", name
		return made
	}
	request := func(name string) reconcile.Request {
		return reconcile.Request{NamespacedName: types.NamespacedName{Namespace: "ns", Name: name}}
	}
	for name, queue := range map[string]workqueue.TypedRateLimitingInterface[reconcile.Request]{
		"last first": priorityqueue.New[reconcile.Request]("test"),
		"in order":   workqueue.NewTypedRateLimitingQueue(workqueue.DefaultTypedControllerRateLimiter[reconcile.Request]()),
	} {
		t.Run(name, func(t *testing.T) {
			defer queue.ShutDown()
			queue.Add(request("a"))
			queue.Add(request("b"))
			First().Generic(t.Context(), event.GenericEvent{Object: object("c")}, queue)
			var got []string
			for range 3 {
				next, _ := queue.Get()
				got = append(got, next.Name)
			}
			want := map[string][]string{"last first": {"c", "a", "b"}, "in order": {"a", "b", "c"}}[name]
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("-want, +got:\n%s", diff)
			}
		})
	}
}
