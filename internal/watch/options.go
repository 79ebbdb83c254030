// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package watch

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/integrator-operator/integrator-operator/internal/logging"
	"github.com/integrator-operator/integrator-operator/internal/problem"
)

// first is the priority of objects that others wait for, above all others.
const first = 100

// First enqueues an object before all others: what it was given is kept for it meanwhile.
func First() handler.EventHandler {
	return handler.Funcs{GenericFunc: func(_ context.Context, e event.GenericEvent, queue workqueue.TypedRateLimitingInterface[reconcile.Request]) {
		request := reconcile.Request{NamespacedName: client.ObjectKeyFromObject(e.Object)}
		if prioritized, ok := queue.(priorityqueue.PriorityQueue[reconcile.Request]); ok {
			prioritized.AddWithOpts(priorityqueue.AddOpts{Priority: ptr.To(first)}, request)
			return
		}
		queue.Add(request)
	}}
}

// KeepsRetries has an object keep its pause between retries while it waits: that a reconcile ended
// without an error does not mean then that it succeeded.
func KeepsRetries(limiter workqueue.TypedRateLimiter[reconcile.Request], waits func(types.NamespacedName) bool) workqueue.TypedRateLimiter[reconcile.Request] {
	return keepsRetries{limiter, waits}
}

type keepsRetries struct {
	workqueue.TypedRateLimiter[reconcile.Request]
	waits func(types.NamespacedName) bool
}

// Forget is what the controller calls after a reconcile without an error.
func (k keepsRetries) Forget(request reconcile.Request) {
	if !k.waits(request.NamespacedName) {
		k.TypedRateLimiter.Forget(request)
	}
}

// ControllerOptions are the options of the controller of a kind: concurrent reconciles at once, and
// pauses between retries from problem.BackoffBase to problem.BackoffMax.
func ControllerOptions(mgr ctrl.Manager, kind string, concurrent int) controller.Options {
	return controller.Options{
		LogConstructor:          logging.Constructor(mgr.GetLogger(), kind),
		MaxConcurrentReconciles: concurrent,
		RateLimiter:             workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](problem.BackoffBase, problem.BackoffMax),
		CacheSyncTimeout:        2 * time.Minute,
	}
}
