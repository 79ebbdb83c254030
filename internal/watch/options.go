// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package watch

import (
	"time"

	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/integrator-operator/integrator-operator/internal/logging"
	"github.com/integrator-operator/integrator-operator/internal/problem"
)

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
