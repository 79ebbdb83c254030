// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package importruns reconciles ImportRuns: it invokes the import of each, every batch once. What
// comes next is decided in internal/runstate; this package carries it out.
package importruns

import (
	"context"
	"errors"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/resourceversion"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/account"
	"github.com/integrator-operator/integrator-operator/internal/runstate"
	"github.com/integrator-operator/integrator-operator/internal/status"
	"github.com/integrator-operator/integrator-operator/internal/tracing"
	"github.com/integrator-operator/integrator-operator/internal/watch"
)

// Reconciler invokes the import of each ImportRun, every batch once.
type Reconciler struct {
	client.Client
	// Live reads past the cache: claims, and the Secrets and ConfigMaps of data.
	Live     client.Reader
	Registry *account.Registry
	Recorder events.EventRecorder
	Clock    clock.PassiveClock
	// QueuedShown is how long after its creation the status of a run says that it waits for a permit.
	QueuedShown time.Duration
	// Selection is which runs are reconciled.
	Selection *watch.Selection
	// Calls are the calls under way, and what the process remembers of runs.
	Calls *Calls
	// Direct reads and writes past all caches, also when the manager has stopped.
	Direct client.Client

	// budget and unpacking are those of Calls.
	budget    *dataBudget
	unpacking *sync.Mutex
	// direct is the same reconciler for what goes on without the manager.
	direct *Reconciler
}

// DefaultQueuedShown is longer than a few hundred runs take to get their permits.
const DefaultQueuedShown = 10 * time.Second

// workers is how many runs are reconciled at once. None of them waits for a call.
const workers = 8

// notCached goes along with every write of a Secret or ConfigMap: a client whose reads wait for its
// own writes would wait for a cache that has no such objects.
const notCached = client.DisableReadYourWritesConsistency

// SetupWithManager registers the controller. Until the context ends, runs whose calls have ended are
// reconciled by it.
func (r *Reconciler) SetupWithManager(ctx context.Context, mgr ctrl.Manager) error {
	r.budget, r.unpacking = &r.Calls.budget, &r.Calls.unpacking
	direct := *r
	direct.Client, direct.Recorder = r.Direct, status.NewDirectRecorder(r.Direct, r.Clock)
	r.direct = &direct
	r.Calls.listen(ctx.Done())
	return ctrl.NewControllerManagedBy(mgr).
		For(&v1alpha1.ImportRun{}, builder.WithPredicates(r.Selection.Own(predicate.GenerationChangedPredicate{}, watch.RunAnswered()))).
		Watches(&v1alpha1.ImportRun{}, handler.EnqueueRequestsFromMapFunc(r.runsThatAwait), builder.WithPredicates(watch.RunEnded())).
		Watches(&v1alpha1.Import{}, handler.EnqueueRequestsFromMapFunc(r.runsBy(watch.IndexRunImport))).
		WatchesMetadata(&corev1.ConfigMap{}, handler.EnqueueRequestsFromMapFunc(r.runsBy(watch.IndexRunConfigMap))).
		WatchesMetadata(&corev1.Secret{}, handler.EnqueueRequestsFromMapFunc(r.runsBy(watch.IndexRunSecret))).
		WatchesRawSource(source.Channel(r.Registry.RunEvents(), handler.EnqueueRequestsFromMapFunc(r.runsOfAccount))).
		WatchesRawSource(source.Channel(r.Calls.events, &handler.EnqueueRequestForObject{})).
		WithOptions(watch.ControllerOptions(mgr, "ImportRun", workers)).
		Complete(tracing.Reconciler("ImportRun", r))
}

func (r *Reconciler) runsBy(index string) handler.MapFunc {
	return func(ctx context.Context, object client.Object) []ctrl.Request {
		return watch.RequestsByIndex(ctx, r, &v1alpha1.ImportRunList{}, object.GetNamespace(), index, object.GetName())
	}
}

// runsOfAccount maps an Account to the runs that name it, and to those of its Imports.
func (r *Reconciler) runsOfAccount(ctx context.Context, account client.Object) []ctrl.Request {
	requests := r.runsBy(watch.IndexRunAccount)(ctx, account)
	for _, target := range watch.RequestsOfAccount(ctx, r.Client, account) {
		requests = append(requests, watch.RequestsByIndex(ctx, r, &v1alpha1.ImportRunList{}, target.Namespace, watch.IndexRunImport, target.Name)...)
	}
	return requests
}

// runsThatAwait maps a run that ended to those that retry it, and to the others with its idempotency key.
func (r *Reconciler) runsThatAwait(ctx context.Context, object client.Object) []ctrl.Request {
	requests := r.runsBy(watch.IndexRunRetryOf)(ctx, object)
	if key := object.(*v1alpha1.ImportRun).Spec.IdempotencyKey; key != "" {
		requests = append(requests, watch.RequestsByIndex(ctx, r, &v1alpha1.ImportRunList{}, object.GetNamespace(), watch.IndexRunKey, key)...)
	}
	return requests
}

// Reconcile takes one ImportRun as far as it goes without waiting. Then the run waits for an event, or its
// next call is under way. The order of the steps is in runstate.Pass.
func (r *Reconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	if r.Calls.isUnderWay(req.NamespacedName) {
		// The event of its end has the run reconciled.
		return ctrl.Result{}, nil
	}
	run, err := r.read(ctx, req.NamespacedName)
	switch {
	case apierrors.IsNotFound(err), errors.Is(err, errOthers):
		r.Calls.forget(req.NamespacedName)
		return ctrl.Result{}, nil
	case err != nil:
		return ctrl.Result{}, err
	case !run.DeletionTimestamp.IsZero():
		r.Calls.forget(req.NamespacedName)
		return ctrl.Result{}, nil
	case runstate.Finished(run):
		r.Calls.forget(req.NamespacedName)
		return r.finished(ctx, run)
	}
	p, err := r.takeSteps(ctx, run)
	if err == nil && p.Claimed() {
		return ctrl.Result{}, nil
	}
	r.announce(p)
	return r.conclude(ctx, p, err)
}

// errOthers: the run is another operator's.
var errOthers = errors.New("another operator reconciles the run")

// read reads a run from the cache, or past it while the cache does not have what this process has
// recorded of its last call.
func (r *Reconciler) read(ctx context.Context, name types.NamespacedName) (*v1alpha1.ImportRun, error) {
	run := &v1alpha1.ImportRun{}
	if err := r.Get(ctx, name, run); err != nil {
		return nil, err
	}
	if !r.Selection.Has(run) {
		return nil, errOthers
	}
	known := r.Calls.recall(run)
	if known.version == "" {
		return run, nil
	}
	if order, err := resourceversion.CompareResourceVersion(run.ResourceVersion, known.version); err != nil || order < 0 {
		return r.readRun(ctx, name)
	}
	known.version = ""
	r.Calls.remember(run, known)
	return run, nil
}

// takeSteps goes from step to step until the run has ended, has to wait, or the operator is asked
// to stop. With a claimed call, the pass goes on without a worker.
func (r *Reconciler) takeSteps(ctx context.Context, run *v1alpha1.ImportRun) (p runstate.Pass, err error) {
	known := r.Calls.recall(run)
	p = runstate.Begin(run, runstate.Process{Holder: r.Calls.holder, Unused: known.unused}, known.unrecorded)
	w, handedOver := r.newWork(run), false
	// Also when a step panics: what a call did is known nowhere else.
	defer func() {
		if !handedOver {
			r.Calls.remember(run, memory{unrecorded: p.Unrecorded, unused: p.Process.Unused, version: known.version})
			w.release()
		}
	}()
	for err == nil && !p.Ended() && !p.Claimed() {
		p, err = p.Step(ctx, w)
	}
	if err == nil && p.Claimed() {
		handedOver = true
		go r.carryOn(ctx, p, w)
	}
	return p, err
}
