// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package importruns reconciles ImportRuns: it invokes the import of each, every batch once. What
// comes next is decided in internal/runstate; this package carries it out.
package importruns

import (
	"context"
	"sync"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
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
	// Holder names this process in the claims that it takes; it differs at every start.
	Holder string
	// Concurrency is how many runs are reconciled, and so in flight, at once.
	Concurrency int

	// memories has what the process remembers of runs, as a memory by the run's uid.
	memories sync.Map
	// budget bounds what the runs under way keep in memory together.
	budget dataBudget
	// unpacking serialises reading runs with their records, decompressing and parsing: what that
	// needs is not in the budget until it is done.
	unpacking sync.Mutex
}

// memory is what the process remembers of a run between two reconciles. It is lost with the
// process: then the run's claim without an outcome is Unknown.
type memory struct {
	// unrecorded is the outcome of a call that is not in the run yet.
	unrecorded *runstate.Outcome
	// unused are the tokens of claims that could not be confirmed: nothing was sent under them.
	unused []string
}

// notCached goes along with every write of a Secret or ConfigMap: a client whose reads wait for its
// own writes would wait for a cache that has no such objects.
const notCached = client.DisableReadYourWritesConsistency

// SetupWithManager registers the controller.
func (r *Reconciler) SetupWithManager(mgr ctrl.Manager) error {
	return ctrl.NewControllerManagedBy(mgr).
		For(&v1alpha1.ImportRun{}, builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		Watches(&v1alpha1.ImportRun{}, handler.EnqueueRequestsFromMapFunc(r.runsWithKeyOf), builder.WithPredicates(watch.RunEnded())).
		Watches(&v1alpha1.Import{}, handler.EnqueueRequestsFromMapFunc(r.runsBy(watch.IndexRunImport))).
		WatchesMetadata(&corev1.ConfigMap{}, handler.EnqueueRequestsFromMapFunc(r.runsBy(watch.IndexRunConfigMap))).
		WatchesMetadata(&corev1.Secret{}, handler.EnqueueRequestsFromMapFunc(r.runsBy(watch.IndexRunSecret))).
		WatchesRawSource(source.Channel(r.Registry.RunEvents(), handler.EnqueueRequestsFromMapFunc(r.runsOfAccount))).
		WithOptions(watch.ControllerOptions(mgr, "ImportRun", r.Concurrency)).
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
	for _, target := range watch.RequestsByIndex(ctx, r, &v1alpha1.ImportList{}, account.GetNamespace(), watch.IndexImportAccount, account.GetName()) {
		requests = append(requests, watch.RequestsByIndex(ctx, r, &v1alpha1.ImportRunList{}, target.Namespace, watch.IndexRunImport, target.Name)...)
	}
	return requests
}

// runsWithKeyOf maps a run that ended to the others with its idempotency key.
func (r *Reconciler) runsWithKeyOf(ctx context.Context, object client.Object) []ctrl.Request {
	key := object.(*v1alpha1.ImportRun).Spec.IdempotencyKey
	if key == "" {
		return nil
	}
	return watch.RequestsByIndex(ctx, r, &v1alpha1.ImportRunList{}, object.GetNamespace(), watch.IndexRunKey, key)
}

// Reconcile takes one ImportRun as far as it goes: waiting for what it needs, or batch by batch to
// the end. The order of the steps is in runstate.Pass.
func (r *Reconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	run := &v1alpha1.ImportRun{}
	if err := r.Get(ctx, req.NamespacedName, run); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	switch {
	case !run.DeletionTimestamp.IsZero():
		r.memories.Delete(run.UID)
		return ctrl.Result{}, nil
	case runstate.Finished(run):
		r.memories.Delete(run.UID)
		return r.finished(ctx, run)
	}
	p, err := r.takeSteps(ctx, run)
	r.announce(p)
	return r.conclude(ctx, p, err)
}

// takeSteps goes from step to step until the run has ended, has to wait, or the operator is asked
// to stop.
func (r *Reconciler) takeSteps(ctx context.Context, run *v1alpha1.ImportRun) (p runstate.Pass, err error) {
	remembered, _ := r.memories.Load(run.UID)
	known, _ := remembered.(memory)
	p = runstate.Begin(run, runstate.Process{Holder: r.Holder, Unused: known.unused}, known.unrecorded)
	w := &work{r: r}
	defer w.release()
	// Also when a step panics: what a call did is known nowhere else.
	defer func() { r.remember(run.UID, p) }()
	for err == nil && !p.Ended() {
		p, err = p.Step(ctx, w)
	}
	return p, err
}

// remember keeps what the next reconcile of the run needs.
func (r *Reconciler) remember(uid types.UID, p runstate.Pass) {
	now := memory{unrecorded: p.Unrecorded, unused: p.Process.Unused}
	if runstate.Finished(p.Run) || now.unrecorded == nil && len(now.unused) == 0 {
		r.memories.Delete(uid)
		return
	}
	r.memories.Store(uid, now)
}
