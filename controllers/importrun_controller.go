// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"sync"
	"time"

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
)

// ImportRunReconciler invokes the import of each ImportRun once.
type ImportRunReconciler struct {
	client.Client
	// Live reads past the cache: claims, and the Secrets and ConfigMaps of data.
	Live     client.Reader
	Accounts *Accounts
	Recorder events.EventRecorder
	Clock    clock.PassiveClock
	// Holder names this process in the claims that it makes; it differs at every start.
	Holder string
	// Concurrency is how many runs are reconciled, and so in flight, at once.
	Concurrency int

	// unrecorded has the outcomes of calls that are not in status yet, by the run's uid: what
	// is retried is the record, never the call.
	unrecorded sync.Map
}

// +kubebuilder:rbac:groups=integrator.io,resources=importruns,verbs=get;list;watch;patch
// +kubebuilder:rbac:groups=integrator.io,resources=importruns/status,verbs=patch
// +kubebuilder:rbac:groups="",resources=configmaps,verbs=get;list;watch

// SetupWithManager registers the controller.
func (r *ImportRunReconciler) SetupWithManager(mgr ctrl.Manager) error {
	return ctrl.NewControllerManagedBy(mgr).
		For(&v1alpha1.ImportRun{}, builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		Watches(&v1alpha1.Import{}, handler.EnqueueRequestsFromMapFunc(r.runsBy(indexRunImport))).
		WatchesMetadata(&corev1.ConfigMap{}, handler.EnqueueRequestsFromMapFunc(r.runsBy(indexRunConfigMap))).
		WatchesMetadata(&corev1.Secret{}, handler.EnqueueRequestsFromMapFunc(r.runsBy(indexRunSecret))).
		WatchesRawSource(source.Channel(r.Accounts.runEvents, handler.EnqueueRequestsFromMapFunc(r.runsOfAccount))).
		WithOptions(controllerOptions(mgr, "ImportRun", r.Concurrency)).
		Complete(r)
}

func (r *ImportRunReconciler) runsBy(index string) handler.MapFunc {
	return func(ctx context.Context, object client.Object) []ctrl.Request {
		return requestsByIndex(ctx, r, &v1alpha1.ImportRunList{}, object.GetNamespace(), index, object.GetName())
	}
}

// runsOfAccount maps an Account to the runs that name it, and to those of its Imports.
func (r *ImportRunReconciler) runsOfAccount(ctx context.Context, account client.Object) []ctrl.Request {
	requests := r.runsBy(indexRunAccount)(ctx, account)
	for _, target := range requestsByIndex(ctx, r, &v1alpha1.ImportList{}, account.GetNamespace(), indexImportAccount, account.GetName()) {
		requests = append(requests, requestsByIndex(ctx, r, &v1alpha1.ImportRunList{}, target.Namespace, indexRunImport, target.Name)...)
	}
	return requests
}

// runScope is what one reconcile of an ImportRun knows.
type runScope struct {
	object  *v1alpha1.ImportRun
	before  *v1alpha1.ImportRun
	session *session
	// importID is the id of the remote import to invoke.
	importID string
	payload  payload
}

// Reconcile takes one ImportRun as far as it goes: waiting for what it needs, or through
// its one call to the end.
func (r *ImportRunReconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	object := &v1alpha1.ImportRun{}
	if err := r.Get(ctx, req.NamespacedName, object); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if finished(object) || !object.DeletionTimestamp.IsZero() {
		r.unrecorded.Delete(object.UID)
		return ctrl.Result{}, nil
	}
	s := &runScope{object: object, before: object.DeepCopy()}
	ended, err := r.reconcile(ctx, s)
	if ended != nil {
		return r.end(ctx, s, *ended)
	}
	return r.wait(ctx, s, err)
}

// reconcile runs the steps in order. It returns the outcome when the run has ended, or
// what the run waits for.
func (r *ImportRunReconciler) reconcile(ctx context.Context, s *runScope) (*outcome, error) {
	if ended, ok := r.unrecorded.Load(s.object.UID); ok {
		return ended.(*outcome), nil
	}
	if held := s.object.Annotations[v1alpha1.AnnotationClaim]; held != "" {
		return r.resume(held)
	}
	if s.object.Status.Phase == v1alpha1.RunRunning {
		// The claim was taken away: its call may have been made.
		return lostClaim(), nil
	}
	if err := r.target(ctx, s); err != nil {
		return nil, err
	}
	if ended, err := r.gather(ctx, s); ended != nil || err != nil {
		return ended, err
	}
	granted, err := r.claim(ctx, s)
	if err != nil {
		return nil, err
	}
	return r.invoke(ctx, s, granted)
}

// resume looks at a claim that was made before: its result is awaited until its deadline,
// and then unknown for good.
func (r *ImportRunReconciler) resume(held string) (*outcome, error) {
	wait, ended := judgeClaim(held, r.Clock.Now())
	if ended != nil {
		return ended, nil
	}
	p := waitingf(reasonProgressing, "the call was claimed by a process that has not written its outcome down; it is awaited until the claim's deadline")
	p.after = max(wait, time.Second)
	return nil, p
}

// target finds the account and the id of the import to invoke. An Import has to be Ready
// at the generation that it has.
func (r *ImportRunReconciler) target(ctx context.Context, s *runScope) (err error) {
	spec, namespace := &s.object.Spec, s.object.Namespace
	if spec.ImportRef == nil {
		s.importID = string(spec.ImportID)
		s.session, err = r.Accounts.session(ctx, namespace, spec.AccountRef.Name)
		return err
	}
	var declared v1alpha1.Import
	err = r.Get(ctx, types.NamespacedName{Namespace: namespace, Name: spec.ImportRef.Name}, &declared)
	if client.IgnoreNotFound(err) != nil {
		return err
	}
	if err != nil {
		return waitingf(reasonImportNotFound, "waiting for Import %q, which is not in namespace %q", spec.ImportRef.Name, namespace)
	}
	if err := invokable(&declared); err != nil {
		return err
	}
	s.importID = remoteID(&declared)
	s.payload.secret = len(declared.Spec.ValuesFrom) > 0
	s.session, err = r.Accounts.session(ctx, namespace, declared.Spec.AccountRef.Name)
	return err
}
