// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package imports reconciles Imports: it keeps each one's remote import as it is declared.
package imports

import (
	"cmp"
	"context"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/account"
	"github.com/integrator-operator/integrator-operator/internal/definition"
	"github.com/integrator-operator/integrator-operator/internal/importstate"
	"github.com/integrator-operator/integrator-operator/internal/integrator/limit"
	"github.com/integrator-operator/integrator-operator/internal/ownership"
	"github.com/integrator-operator/integrator-operator/internal/problem"
	"github.com/integrator-operator/integrator-operator/internal/status"
	"github.com/integrator-operator/integrator-operator/internal/tracing"
	"github.com/integrator-operator/integrator-operator/internal/watch"
)

// Defaults of the reconciler's times.
const (
	// DefaultCreateUnconfirmedTimeout is longer than a create can be under way (30 s) plus any lag
	// of the list.
	DefaultCreateUnconfirmedTimeout = 90 * time.Second
	// DefaultBlockedDeletionPause is how long a blocked deletion waits before it asks again whether
	// the import is still in use. Nothing on the platform says when a flow no longer uses it.
	DefaultBlockedDeletionPause = 30 * time.Second
)

// Reconciler keeps each Import's remote import as it is declared.
type Reconciler struct {
	client.Client
	// Live reads past the cache, the Secrets and ConfigMaps of values above all.
	Live     client.Reader
	Registry *account.Registry
	Recorder events.EventRecorder
	Clock    clock.PassiveClock
	// Owner decides what the ownership markers say.
	Owner ownership.Owner
	// CreateUnconfirmedTimeout is how long after an unanswered create its import may still turn
	// up: longer than a request can be under way plus the lag of the list.
	CreateUnconfirmedTimeout time.Duration
	// BlockedDeletionPause is how long a blocked deletion waits before it is retried.
	BlockedDeletionPause time.Duration
	// Selection is which Imports are reconciled.
	Selection *watch.Selection
	// Concurrency is how many Imports are reconciled at once.
	Concurrency int
	// Track has the process stay until a reconcile has ended, also when the manager has stopped.
	Track func(reconcile.Reconciler) reconcile.Reconciler

	appeared    watch.Appeared
	labeled     watch.Labeled
	lastStatus  status.LastStatus
	refusals    status.Refusals
	corrections importstate.Corrections
	withdrawals withdrawals
	looks       looks
	warned      warned
	outlines    definition.Outlines
}

func (r *Reconciler) objects() objects {
	return objects{Client: r.Client, live: r.Live, selection: r.Selection}
}

// SetupWithManager registers the controller.
func (r *Reconciler) SetupWithManager(mgr ctrl.Manager) error {
	options := watch.ControllerOptions(mgr, "Import", r.Concurrency)
	options.RateLimiter = watch.KeepsRetries(options.RateLimiter, func(key types.NamespacedName) bool { return r.Registry.Permits.Waits(limit.Object(key)) })
	return ctrl.NewControllerManagedBy(mgr).
		For(&v1alpha1.Import{}, builder.WithPredicates(predicate.Or(r.appeared.Predicate(), r.Selection.Own(watch.ImportChanged(), r.lastStatus.Contradicted())))).
		Watches(&v1alpha1.Import{}, handler.EnqueueRequestsFromMapFunc(r.importsBy(watch.IndexImportOrigin)), builder.WithPredicates(watch.RemoteIDChanged())).
		Watches(&v1alpha1.Import{}, handler.EnqueueRequestsFromMapFunc(r.adoptersOf), builder.WithPredicates(watch.RemoteReleased())).
		WatchesMetadata(&corev1.ConfigMap{}, handler.EnqueueRequestsFromMapFunc(r.importsBy(watch.IndexImportConfigMap))).
		WatchesMetadata(&corev1.Secret{}, handler.EnqueueRequestsFromMapFunc(r.importsBy(watch.IndexImportSecret))).
		WatchesRawSource(source.Channel(r.Registry.ImportEvents(), handler.EnqueueRequestsFromMapFunc(r.importsOf))).
		WatchesRawSource(source.Channel(r.Registry.PermitEvents(), watch.First())).
		WithOptions(options).
		Complete(r.Track(tracing.Reconciler("Import", r)))
}

// importsOf maps an Account to its Imports, and an Import to itself.
func (r *Reconciler) importsOf(ctx context.Context, object client.Object) []ctrl.Request {
	if _, ok := object.(*v1alpha1.Account); ok {
		return watch.RequestsOfAccount(ctx, r.Client, object)
	}
	return []ctrl.Request{{NamespacedName: client.ObjectKeyFromObject(object)}}
}

// importsBy maps an object to the Imports of its namespace whose index has its name.
func (r *Reconciler) importsBy(index string) handler.MapFunc {
	return func(ctx context.Context, object client.Object) []ctrl.Request {
		return watch.RequestsByIndex(ctx, r, &v1alpha1.ImportList{}, object.GetNamespace(), index, object.GetName())
	}
}

// adoptersOf maps an Import to those that want to adopt its remote import, in any namespace.
func (r *Reconciler) adoptersOf(ctx context.Context, object client.Object) []ctrl.Request {
	released := object.(*v1alpha1.Import)
	id := cmp.Or(released.Annotations[v1alpha1.AnnotationID], released.Status.ID)
	if id == "" {
		return nil
	}
	requests := watch.RequestsByIndex(ctx, r, &v1alpha1.ImportList{}, "", watch.IndexImportAdopts, id)
	return slices.DeleteFunc(requests, func(req ctrl.Request) bool { return req.NamespacedName == client.ObjectKeyFromObject(released) })
}

// Reconcile brings the remote import in line with one Import: the steps in order, then one status
// patch, then events.
func (r *Reconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	object := &v1alpha1.Import{}
	if err := r.Get(ctx, req.NamespacedName, object); err != nil {
		if apierrors.IsNotFound(err) {
			forget(r, req.NamespacedName)
		}
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if !r.Selection.Has(object) {
		forget(r, req.NamespacedName)
		return ctrl.Result{}, nil
	}
	if pause := r.refusals.Wait(object, r.Clock.Now()); pause > 0 {
		r.Registry.Permits.Leave(permitObject(object))
		return ctrl.Result{RequeueAfter: pause}, nil
	}
	s := &scope{owner: r.Owner, object: object, before: object.DeepCopy(), appeared: r.appeared.Untouched(object)}
	r.refusals.Restore(object)
	err := reconcileWithPermit(ctx, r, s)
	if s.queued != nil {
		r.Registry.SecretPaths.Note(s.before, r.Clock.Now())
		after, ever := s.showsQueued(r.Registry.Permits.Waiting())
		if !ever || after > 0 {
			return ctrl.Result{RequeueAfter: after}, nil
		}
		err = s.queuedProblem()
	}
	return r.finish(ctx, s, err)
}

// forget drops all that is remembered of an Import that was deleted, or is another operator's.
func forget(r *Reconciler, key types.NamespacedName) {
	r.lastStatus.Forget(key)
	r.refusals.Forget(key)
	r.withdrawals.forget(key)
	r.looks.forget(key)
	r.warned.forget(key)
	r.outlines.Forget(key)
	r.Registry.Permits.Leave(limit.Object(key))
}

// reconcile makes the steps in order; the first that fails ends it.
func (r *Reconciler) reconcile(ctx context.Context, s *scope) error {
	if !s.object.DeletionTimestamp.IsZero() {
		return r.delete(ctx, s)
	}
	if s.object.Spec.Suspend {
		return problem.Waitingf(v1alpha1.ReasonSuspended, "spec.suspend is true: no call is made for this import")
	}
	if err := r.resolve(ctx, s); err != nil {
		return err
	}
	s.warn(&r.warned)
	s.showCopies()
	s.showDefinition()
	if r.settled(s) {
		return s.lastResult()
	}
	ctx, err := s.takePermit(ctx, r, s.session.Client)
	if err != nil {
		return err
	}
	if err := s.completeDesired(ctx, r); err != nil {
		return err
	}
	pass, err := r.locate(ctx, s)
	if err != nil {
		return err
	}
	switch pass.Step { //nolint:exhaustive // the other steps are no ends, and Released is of a deletion
	case importstate.Adopt:
		return r.adopt(ctx, s)
	case importstate.Missing:
		return r.observeAnother(ctx, s, pass)
	case importstate.Created:
		// It goes on when the operator is stopped: what was created would otherwise be compared anew.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.CreateUnconfirmedTimeout/2)
		defer cancel()
		return r.judge(ctx, s, false, func(importstate.Comparison) {})
	default:
		if r.looks.wanted(s) && pass.Deleted == "" {
			r.look(ctx, s)
		}
		return r.correct(ctx, s)
	}
}

// locate takes the steps to the remote import: it is found, created, or has to be adopted.
func (r *Reconciler) locate(ctx context.Context, s *scope) (importstate.Pass, error) {
	machine := importstate.New()
	bare := ownership.RemoteID(s.object) == "" && !ownership.CreatePending(s.object) && !ownership.NothingBefore(s.before, s.appeared, false, false)
	if bare && r.Selection.Arrived(s.object) {
		s.session.Observations.Arrive(s.object.UID)
	}
	// In this order: a scan that ends meanwhile must not permit a creation and not be looked at.
	scanned := s.session.Observations.ScannedFor(s.object.UID)
	pass, err := machine.Start(importstate.Pass{
		Object: s.object, Now: r.Clock.Now(), Timeout: r.CreateUnconfirmedTimeout, Scanned: scanned,
		MarkerSeen: s.session.Observations.MarkerSeen(s.object), Seen: s.session.Observations.Created(s.object),
	})
	for err == nil && !pass.Ended() {
		pass, err = machine.Advance(ctx, pass, effects{r, s})
	}
	if err == nil && ownership.Observes(s.object) {
		// It adopts nothing any more.
		err = r.objects().withdrawClaim(ctx, s)
	}
	return pass, err
}

// resolve finds the account's session and makes the desired document, or takes its outline where that is
// known. A deletion does not need the values of spec.valuesFrom, and so does not wait for them.
func (r *Reconciler) resolve(ctx context.Context, s *scope) (err error) {
	accountName := s.object.Spec.AccountRef.Name
	if s.session == nil {
		if s.session, err = r.Registry.Session(ctx, s.object.Namespace, accountName); err != nil {
			return err
		}
	}
	if s.object.DeletionTimestamp.IsZero() {
		if s.values, err = definition.ReadValues(ctx, r.Live, s.object); err != nil {
			return err
		}
	}
	if s.desired = r.outlines.Of(s.object, inputsOf(s)); s.desired != nil {
		return nil
	}
	return s.desire(ctx, r)
}

// settled reports whether there is nothing to do: this very document was compared with the remote
// import, nobody asks for another look, and the scanner saw no change since.
func (r *Reconciler) settled(s *scope) bool {
	state, id := &s.object.Status, ownership.RemoteID(s.object)
	_, debugDue := importstate.DebugWaits(s.object, r.Clock.Now())
	managed := ownership.IsComplete(s.object, id) && !ownership.OnlyObserved(s.object)
	return id != "" && id == state.ID && (managed || ownership.Observes(s.object) && !ownership.HasClaim(s.object)) &&
		state.ObservedGeneration == s.object.Generation &&
		state.DesiredHash == s.desired.Hash &&
		s.compared() &&
		!s.requested() &&
		s.dryRun() == (state.Plan != nil) && !debugDue &&
		!s.session.Observations.Changed(id, state.LastModified) && !s.session.Observations.FoundMissing(s.object, id)
}

// finish writes the status if it changed, then records the events, and says when to reconcile again. The
// status of a creation has its id: it is written when the operator is stopped, too.
func (r *Reconciler) finish(ctx context.Context, s *scope, err error) (ctrl.Result, error) {
	if recordsCreation(s) {
		var cancel context.CancelFunc
		ctx, cancel = effects{r, s}.afterCall(ctx)
		defer cancel()
	}
	r.Registry.SecretPaths.Note(s.before, r.Clock.Now())
	err = s.redact(err)
	p := problem.FromAPI(err, "reach the import")
	if err != nil && p == nil {
		return notWritten(ctx, r, s, err)
	}
	s.reportOwner(ctx, err)
	reportProblem(r.Registry, s, p)
	if s.finalizerRemoved() || !r.Selection.Has(s.object) {
		// It is gone, or another operator's since the last write, which ended what was begun.
		recordEvents(r.Recorder, s)
		return ctrl.Result{}, nil
	}
	if p != nil && p.Reason() != v1alpha1.ReasonAdoptionConflict && p.Reason() != v1alpha1.ReasonSuspended {
		// An Import that does not go on must not keep others waiting. A suspended one does not:
		// its claim does not count.
		if err := r.objects().withdrawClaim(ctx, s); err != nil {
			return notWritten(ctx, r, s, err)
		}
	}
	wait, _ := importstate.DebugWaits(s.object, r.Clock.Now())
	s.setStatus(p, wait > 0)
	if err := writeStatus(ctx, r, s); err != nil {
		return notWritten(ctx, r, s, err)
	}
	r.looks.note(s)
	r.warned.note(s)
	r.outlines.Compared(s.object)
	recordEvents(r.Recorder, s)
	if !saysReady(s) {
		status.RecordTransition(r.Recorder, s.object, s.before.Status.Conditions, s.object.Status.Conditions)
	}
	if wait > 0 && (p == nil || p.Reason() == v1alpha1.ReasonNotAccepted || p.Reason() == v1alpha1.ReasonDryRun) {
		return ctrl.Result{RequeueAfter: wait}, nil
	}
	return status.Result(ctx, p, err)
}

// reportProblem tells the Account of a problem that is not the Import's alone.
func reportProblem(registry *account.Registry, s *scope, p *problem.Problem) {
	if p == nil || s.session == nil {
		return
	}
	if p.Reason() == v1alpha1.ReasonTokenRejected {
		registry.TokenRejected(s.session, p)
	}
	registry.Unanswered(s.session, p)
}

// notWritten ends a reconcile whose writes to the Import failed. A write that the API server refuses as it
// is is reported once, and retried after growing pauses.
func notWritten(ctx context.Context, r *Reconciler, s *scope, err error) (ctrl.Result, error) {
	refused := status.Refused(err)
	if refused == nil {
		return status.ResultOfKubernetesError(ctx, err)
	}
	first := r.refusals.Report(s.object)
	pause := r.refusals.Pause(s.object, r.Clock.Now())
	if first {
		log.FromContext(ctx).Info("The API server refuses a write to the Import; it will be retried after growing pauses", "pause", pause, "error", err.Error())
		s.event(warning, v1alpha1.ReasonStatusRefused, refused.Advice()+"; it will be retried")
		recordEvents(r.Recorder, s)
	}
	return ctrl.Result{RequeueAfter: pause}, nil
}

func recordEvents(recorder events.EventRecorder, s *scope) {
	for _, e := range s.events {
		status.RecordEvent(recorder, s.object, e.Type, e.Reason, e.Note)
	}
}
