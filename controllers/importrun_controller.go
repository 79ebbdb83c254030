// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"slices"
	"sync"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
)

// ImportRunReconciler invokes the import of each ImportRun, every batch once.
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

	// unrecorded has, by the run's uid, what calls came to that is not in the run yet: what is
	// retried is the record, never the call.
	unrecorded sync.Map
	// unused has, by the run's uid, the tokens of claims that could not be confirmed: nothing
	// was sent under them.
	unused sync.Map
	// memory bounds what the runs under way hold together.
	memory memory
	// unpacking is held while the data of a run is decompressed and read.
	unpacking sync.Mutex
}

// +kubebuilder:rbac:groups=integrator.io,resources=importruns,verbs=get;list;watch;patch;delete
// +kubebuilder:rbac:groups=integrator.io,resources=importruns/status,verbs=patch
// +kubebuilder:rbac:groups="",resources=configmaps,verbs=get;list;watch;create;patch
// +kubebuilder:rbac:groups="",resources=secrets,verbs=create;patch

// SetupWithManager registers the controller.
func (r *ImportRunReconciler) SetupWithManager(mgr ctrl.Manager) error {
	return ctrl.NewControllerManagedBy(mgr).
		For(&v1alpha1.ImportRun{}, builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		Watches(&v1alpha1.ImportRun{}, handler.EnqueueRequestsFromMapFunc(r.runsWithKeyOf), builder.WithPredicates(runEnded())).
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
	// secretImport tells that the definition of the import has values from elsewhere.
	secretImport bool
	// payload is what the run sends, once it was gathered.
	payload *payload
	// held is how much memory was taken for it.
	held int
	// answers is where the full answers go, nil when nobody wants them.
	answers *answers
	// key is the entry of the idempotency key as it was read, nil when there is none.
	key *corev1.ConfigMap
}

// Reconcile takes one ImportRun as far as it goes: waiting for what it needs, or batch by
// batch to the end.
func (r *ImportRunReconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	object := &v1alpha1.ImportRun{}
	if err := r.Get(ctx, req.NamespacedName, object); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	s := &runScope{object: object, before: object.DeepCopy()}
	if !object.DeletionTimestamp.IsZero() {
		r.forget(s)
		return ctrl.Result{}, nil
	}
	if finished(object) {
		r.forget(s)
		return r.rest(ctx, s)
	}
	defer r.release(s)
	return r.finish(ctx, s, r.reconcile(ctx, s))
}

// reconcile goes from batch to batch until the run has ended, has to wait, or the operator is
// asked to stop.
func (r *ImportRunReconciler) reconcile(ctx context.Context, s *runScope) error {
	if known, ok := r.unrecorded.Load(s.object.UID); ok {
		if err := r.recordKnown(ctx, s, known.(*outcome)); err != nil {
			return err
		}
	}
	for ctx.Err() == nil && s.object.DeletionTimestamp.IsZero() && !finished(s.object) {
		next := decide(s.object, r.self(s), r.Clock.Now())
		if next.ended == nil && next.wait != nil {
			return r.pause(ctx, s, next)
		}
		came, err := next.ended, error(nil)
		if came == nil {
			came, err = r.advance(ctx, s, next.next)
		} else if came.reason == reasonOutcomeUnknown {
			came, err = r.consultKey(ctx, s, came)
		}
		if err != nil {
			return err
		}
		if err := r.record(ctx, s, came); err != nil {
			return err
		}
		if came.again != nil {
			return came.again
		}
	}
	return nil
}

// advance takes the run through its next batch, in order: all that may have to be waited for,
// the account's turn too, then the claim, and the one call that it permits.
func (r *ImportRunReconciler) advance(ctx context.Context, s *runScope, next claim) (*outcome, error) {
	if err := r.target(ctx, s); err != nil {
		return nil, err
	}
	if ended, err := r.awaitKey(ctx, s, next); ended != nil || err != nil {
		return ended, err
	}
	if ended, err := r.gather(ctx, s, next); ended != nil || err != nil {
		return ended, err
	}
	if ended := s.fits(next); ended != nil {
		return ended, nil
	}
	if ended, err := r.reserveAnswers(ctx, s, next); ended != nil || err != nil {
		return ended, err
	}
	turn, err := s.turn(ctx)
	if err != nil {
		return nil, err
	}
	defer turn.Release()
	if err := r.takeKey(ctx, s, next); err != nil {
		return nil, err
	}
	granted, err := r.claim(ctx, s, next)
	if err != nil {
		return nil, err
	}
	return r.invoke(ctx, s, turn, granted), nil
}

// target finds the account and the id of the import to invoke. An Import has to be Ready
// at the generation that it has.
func (r *ImportRunReconciler) target(ctx context.Context, s *runScope) (err error) {
	spec, namespace := &s.object.Spec, s.object.Namespace
	if spec.ImportRef == nil {
		s.importID = string(spec.ImportID)
		if s.secretImport, err = r.hasValues(ctx, s); err != nil {
			return err
		}
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
	s.secretImport = len(declared.Spec.ValuesFrom) > 0
	s.session, err = r.Accounts.session(ctx, namespace, declared.Spec.AccountRef.Name)
	return err
}

// hasValues tells that an Import which declares the run's import has values from elsewhere, of
// which the destination's words may have some: also a run that names its id must not show them.
func (r *ImportRunReconciler) hasValues(ctx context.Context, s *runScope) (bool, error) {
	var declared v1alpha1.ImportList
	if err := r.List(ctx, &declared, client.InNamespace(s.object.Namespace), client.MatchingFields{indexImportID: s.importID}); err != nil {
		return false, err
	}
	return slices.ContainsFunc(declared.Items, func(i v1alpha1.Import) bool { return len(i.Spec.ValuesFrom) > 0 }), nil
}

// self is what decide has to know of this process.
func (r *ImportRunReconciler) self(s *runScope) process {
	tokens, _ := r.unused.Load(s.object.UID)
	unused, _ := tokens.([]string)
	return process{holder: r.Holder, unused: unused}
}

// forget drops what is remembered of a run that needs it no more.
func (r *ImportRunReconciler) forget(s *runScope) {
	r.unrecorded.Delete(s.object.UID)
	r.unused.Delete(s.object.UID)
}

// rest looks at a run that has ended: a change of its spec is acknowledged, and it is deleted
// when its time is over.
func (r *ImportRunReconciler) rest(ctx context.Context, s *runScope) (ctrl.Result, error) {
	if status := &s.object.Status; status.ObservedGeneration != s.object.Generation {
		status.ObservedGeneration = s.object.Generation
		for i := range status.Conditions {
			status.Conditions[i].ObservedGeneration = s.object.Generation
		}
		if err := r.patchStatus(ctx, s); err != nil {
			return afterKubernetesError(ctx, err)
		}
	}
	return r.expire(ctx, s)
}

// expire deletes a run that has ended when its time to live is over. Until then the ledger of
// idempotency keys asked the run itself how it ended.
func (r *ImportRunReconciler) expire(ctx context.Context, s *runScope) (ctrl.Result, error) {
	run := s.object
	left, limited := lifeLeft(run, r.Clock.Now())
	switch {
	case !limited:
		return ctrl.Result{}, nil
	case left > 0:
		return ctrl.Result{RequeueAfter: left}, nil
	}
	if err := r.settleKey(ctx, s, &outcome{phase: run.Status.Phase, records: ptr.Deref(run.Status.Records, v1alpha1.RecordCounts{})}); err != nil {
		return afterKubernetesError(ctx, err)
	}
	// Of exactly this version: somebody may just have taken ttlSecondsAfterFinished away.
	err := r.Delete(ctx, run, client.Preconditions{UID: &run.UID, ResourceVersion: &run.ResourceVersion})
	return afterKubernetesError(ctx, err)
}
