// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package status

import (
	"context"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/util/wait"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/integrator-operator/integrator-operator/internal/problem"
	"github.com/integrator-operator/integrator-operator/internal/tracing"
)

// Result says when the object is reconciled again after the problem p, which err has in its chain.
// p may be nil. What a person has to correct is no failure of the operator: it is logged as
// information, and no error is returned.
func Result(ctx context.Context, p *problem.Problem, err error) (ctrl.Result, error) {
	if p != nil {
		tracing.Reason(ctx, p.Reason())
	}
	switch {
	case p == nil:
		return ctrl.Result{}, nil
	case p.RetryAfter() > 0:
		return ctrl.Result{RequeueAfter: wait.Jitter(p.RetryAfter(), 0.1)}, nil
	case p.BacksOff():
		return ctrl.Result{}, err
	case p.Class() == problem.Terminal:
		log.FromContext(ctx).Info("A person has to act", "reason", p.Reason(), "problem", p.Message())
		return ctrl.Result{}, nil
	default:
		return ctrl.Result{}, nil
	}
}

// ConflictPause lets the cache catch up after a write was refused for being based on an old
// version.
const ConflictPause = 200 * time.Millisecond

// ResultOfKubernetesError is the result of an error of Kubernetes. A conflict means that the cache
// was behind, and an object that does not exist any more needs nothing: neither is a failure.
func ResultOfKubernetesError(ctx context.Context, err error) (ctrl.Result, error) {
	if apierrors.IsConflict(err) {
		log.FromContext(ctx).V(1).Info("the object was changed meanwhile, reconciling again")
		return ctrl.Result{RequeueAfter: wait.Jitter(ConflictPause, 1)}, nil
	}
	return ctrl.Result{}, client.IgnoreNotFound(err)
}
