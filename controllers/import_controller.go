// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/integrator"
)

// ImportReconciler keeps each Import's remote import as it is declared.
type ImportReconciler struct {
	client.Client
	// Live reads past the cache, the Secrets and ConfigMaps of values above all.
	Live     client.Reader
	Accounts *Accounts
	Recorder events.EventRecorder
	Clock    clock.PassiveClock
	// CreateUnconfirmedTimeout is how long after an unanswered create its import may still turn up:
	// longer than a request can be under way plus the list's lag.
	CreateUnconfirmedTimeout time.Duration
	// BlockedPause is how long a deletion that something stands against waits before it is
	// tried again.
	BlockedPause time.Duration
	// Concurrency is how many Imports are reconciled at once.
	Concurrency int

	said said
}

// +kubebuilder:rbac:groups=integrator.io,resources=imports,verbs=get;list;watch;patch
// +kubebuilder:rbac:groups=integrator.io,resources=imports/status,verbs=patch
// +kubebuilder:rbac:groups="",resources=configmaps;secrets,verbs=get;list;watch

// SetupWithManager registers the controller.
func (r *ImportReconciler) SetupWithManager(mgr ctrl.Manager) error {
	return ctrl.NewControllerManagedBy(mgr).
		For(&v1alpha1.Import{}, builder.WithPredicates(predicate.Or(specOrRequest(), r.said.contradicted()))).
		Watches(&v1alpha1.Import{}, handler.EnqueueRequestsFromMapFunc(r.copiesOf), builder.WithPredicates(gotRemote())).
		WatchesMetadata(&corev1.ConfigMap{}, handler.EnqueueRequestsFromMapFunc(r.importsBy(indexImportConfigMap))).
		WatchesMetadata(&corev1.Secret{}, handler.EnqueueRequestsFromMapFunc(r.importsBy(indexImportSecret))).
		WatchesRawSource(source.Channel(r.Accounts.importEvents, handler.EnqueueRequestsFromMapFunc(r.importsOf))).
		WithOptions(controllerOptions(mgr, "Import", r.Concurrency)).
		Complete(r)
}

// importsOf maps an Account to its Imports, and an Import to itself.
func (r *ImportReconciler) importsOf(ctx context.Context, object client.Object) []ctrl.Request {
	if _, ok := object.(*v1alpha1.Account); ok {
		return requestsByIndex(ctx, r, &v1alpha1.ImportList{}, object.GetNamespace(), indexImportAccount, object.GetName())
	}
	return []ctrl.Request{{NamespacedName: client.ObjectKeyFromObject(object)}}
}

// importsBy maps an object to the Imports whose index has its name.
func (r *ImportReconciler) importsBy(index string) handler.MapFunc {
	return func(ctx context.Context, object client.Object) []ctrl.Request {
		return requestsByIndex(ctx, r, &v1alpha1.ImportList{}, object.GetNamespace(), index, object.GetName())
	}
}

// importScope is what one reconcile of an Import knows.
type importScope struct {
	object *v1alpha1.Import
	// before is the object as it was read.
	before *v1alpha1.Import

	session *session
	desired *desired
	// id of the remote import, once it is known.
	id     string
	remote integrator.Import
	// gone is the id of the remote import that was deleted by somebody.
	gone string
	// lazyMark tells that our mark is not compared, but goes along with a write.
	lazyMark bool
	// patched tells that assistantMetadata was written by PATCH in this pass.
	patched bool
	// calls are those that a dry run did not make, differences what they would change.
	calls       []string
	differences []v1alpha1.Difference
	// events are recorded after the status was written.
	events []pendingEvent
}

type pendingEvent struct{ kind, reason, note string }

func (s *importScope) tell(kind, reason, note string) {
	s.events = append(s.events, pendingEvent{kind, reason, note})
}

// Reconcile brings the remote import in line with one Import: at most one write to the
// API, then one status patch, then events.
func (r *ImportReconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	object := &v1alpha1.Import{}
	if err := r.Get(ctx, req.NamespacedName, object); err != nil {
		if apierrors.IsNotFound(err) {
			r.said.forget(req.NamespacedName)
		}
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	s := &importScope{object: object, before: object.DeepCopy()}
	return r.finish(ctx, s, r.reconcile(ctx, s))
}

// reconcile runs the steps in order; the first that fails ends the pass.
func (r *ImportReconciler) reconcile(ctx context.Context, s *importScope) error {
	if !s.object.DeletionTimestamp.IsZero() {
		return r.delete(ctx, s)
	}
	if s.object.Spec.Suspend {
		return waitingf(reasonSuspended, "spec.suspend is true: no call is made for this import")
	}
	if err := r.resolve(ctx, s); err != nil {
		return err
	}
	if r.settled(s) {
		return s.standing()
	}
	next, err := r.locate(ctx, s)
	if err != nil {
		return err
	}
	if next != doLook {
		return r.begin(ctx, s, next)
	}
	gone, err := r.observe(ctx, s)
	if err != nil {
		return err
	}
	if gone {
		return r.recreate(ctx, s)
	}
	if s.asked() {
		r.refreshUsers(ctx, s)
	}
	return r.correct(ctx, s)
}

// begin makes the Import have a remote import: taken over, or made.
func (r *ImportReconciler) begin(ctx context.Context, s *importScope, next importStep) error {
	switch next {
	case doAdopt:
		return r.adopt(ctx, s)
	case doRefuse:
		return terminalf(reasonNothingToObserve, "managementPolicy is Observe and there is no import to observe: name it in spec.adopt")
	default:
		return r.create(ctx, s)
	}
}

// resolve finds the account's session and makes the desired document. A deletion does not
// need the values of spec.valuesFrom, and so does not wait for them.
func (r *ImportReconciler) resolve(ctx context.Context, s *importScope) (err error) {
	accountName := s.object.Spec.AccountRef.Name
	if s.session == nil {
		if s.session, err = r.Accounts.session(ctx, s.object.Namespace, accountName); err != nil {
			return err
		}
	}
	var values []value
	if s.object.DeletionTimestamp.IsZero() {
		if values, err = r.values(ctx, s.object); err != nil {
			return err
		}
	}
	s.desired, err = desire(s.object, accountName, s.session.ids, values)
	return err
}

// settled tells that there is nothing to look at: this very document was compared with
// the remote, nobody asks for a look, and the scanner saw no change since.
func (r *ImportReconciler) settled(s *importScope) bool {
	status, id := &s.object.Status, remoteID(s.object)
	_, debugDue := r.debugAwaits(s)
	kept := hasFinalizer(s.object) && s.object.Annotations[v1alpha1.AnnotationID] == id
	return id != "" && id == status.ID && (kept || s.observes()) &&
		status.ObservedGeneration == s.object.Generation &&
		status.DesiredHash == s.desired.hash &&
		compared(status) &&
		requested(s.object) == status.LastHandledReconcileAt &&
		s.dryRun() == (status.Plan != nil) && !debugDue &&
		!s.session.observed.changed(id, status.LastModified) && !s.session.observed.missed(s.object, id)
}

// finish writes the status if it changed, then records the events, and says when to look
// again.
func (r *ImportReconciler) finish(ctx context.Context, s *importScope, err error) (ctrl.Result, error) {
	err = s.discreet(err)
	p := classify(err, "reach the import")
	if err != nil && p == nil {
		return afterKubernetesError(ctx, err)
	}
	if p != nil && p.reason == reasonTokenRejected && s.session != nil {
		r.Accounts.rejected(s.session, p)
	}
	if s.released() {
		r.record(s)
		return ctrl.Result{}, nil
	}
	if p != nil && p.reason != reasonAdoptionConflict && p.reason != reasonSuspended {
		// What does not go on must not keep others waiting. What is suspended does not: see claims.
		if err := r.withdraw(ctx, s); err != nil {
			return afterKubernetesError(ctx, err)
		}
	}
	rest, _ := r.debugAwaits(s)
	s.setStatus(p, rest > 0)
	r.said.note(s.object)
	if err := r.patchStatus(ctx, s); err != nil {
		return afterKubernetesError(ctx, err)
	}
	r.record(s)
	recordTransition(r.Recorder, s.object, s.before.Status.Conditions, s.object.Status.Conditions)
	if rest > 0 && (p == nil || p.reason == reasonNotAccepted || p.reason == reasonDryRun) {
		return ctrl.Result{RequeueAfter: rest}, nil
	}
	return resultOf(p, err)
}

func (r *ImportReconciler) record(s *importScope) {
	for _, e := range s.events {
		recordEvent(r.Recorder, s.object, e.kind, e.reason, e.note)
	}
}

// normal and warning are shorter names of the event types.
const (
	normal  = corev1.EventTypeNormal
	warning = corev1.EventTypeWarning
)
