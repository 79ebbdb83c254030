// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package accounts reconciles Accounts: it checks the credential of each, keeps its client and its
// scanner running, and keeps an Account that is being deleted while Imports need it.
package accounts

import (
	"context"
	"errors"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
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
	"github.com/integrator-operator/integrator-operator/internal/drift"
	"github.com/integrator-operator/integrator-operator/internal/integrator"
	"github.com/integrator-operator/integrator-operator/internal/metrics"
	"github.com/integrator-operator/integrator-operator/internal/ownership"
	"github.com/integrator-operator/integrator-operator/internal/problem"
	"github.com/integrator-operator/integrator-operator/internal/status"
	"github.com/integrator-operator/integrator-operator/internal/tracing"
	"github.com/integrator-operator/integrator-operator/internal/watch"
)

// Reconciler reconciles Accounts.
type Reconciler struct {
	client.Client
	// Live reads past the cache: the content of Secrets is never put there.
	Live     client.Reader
	Registry *account.Registry
	Recorder events.EventRecorder
	Clock    clock.PassiveClock
	// AllowedHosts are the hosts that an Account's baseURL may name. AllowHTTP permits those without TLS
	// and on the machine itself.
	AllowedHosts []string
	AllowHTTP    bool
	// Selection is to which Accounts status and finalizer are written. All are read, checked and scanned:
	// the Imports of an Account may be several operators'.
	Selection *watch.Selection

	lastStatus status.LastStatus
}

// concurrent is how many Accounts are reconciled at once: some more than checks may be under way.
const concurrent = account.MaxChecks + 16

// SetupWithManager registers the controller.
func (r *Reconciler) SetupWithManager(mgr ctrl.Manager) error {
	return ctrl.NewControllerManagedBy(mgr).
		For(&v1alpha1.Account{}, builder.WithPredicates(predicate.Or(predicate.GenerationChangedPredicate{}, r.Selection.Moved(), watch.LostFinalizer(v1alpha1.AccountFinalizer), r.lastStatus.Contradicted()))).
		Watches(&v1alpha1.Import{}, handler.EnqueueRequestsFromMapFunc(r.deletedAccountOf), builder.WithPredicates(watch.FinalizerChanged())).
		WatchesMetadata(&corev1.Secret{}, handler.EnqueueRequestsFromMapFunc(r.accountsOf(watch.IndexAccountSecret))).
		WatchesMetadata(&corev1.ConfigMap{}, handler.EnqueueRequestsFromMapFunc(r.accountsOf(watch.IndexAccountConfigMap))).
		WatchesRawSource(source.Channel(r.Registry.AccountEvents(), &handler.EnqueueRequestForObject{})).
		WithOptions(watch.ControllerOptions(mgr, "Account", concurrent)).
		Complete(tracing.Reconciler("Account", r))
}

// Reconcile brings the Account's client in line with its spec and its Secret, checks the token, and
// writes the outcome to status. An Account that is being deleted is served as before while an Import
// needs it, and then released.
func (r *Reconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	var object v1alpha1.Account
	if err := r.Get(ctx, req.NamespacedName, &object); err != nil {
		if apierrors.IsNotFound(err) {
			r.Registry.Forget(req.NamespacedName)
			metrics.ForgetAccount(req.NamespacedName)
			r.lastStatus.Forget(req.NamespacedName)
		}
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	users, err := r.updateFinalizer(ctx, &object)
	if errors.Is(err, errNotYet) {
		return ctrl.Result{RequeueAfter: cacheLag}, nil
	}
	if err != nil {
		return status.ResultOfKubernetesError(ctx, err)
	}
	if !object.DeletionTimestamp.IsZero() && len(users) == 0 {
		r.Registry.Forget(req.NamespacedName)
		return ctrl.Result{}, nil
	}
	before := object.DeepCopy()

	err = r.connect(ctx, &object)
	p := problem.FromAPI(err, "check the token")
	if err != nil && p == nil {
		return ctrl.Result{}, err
	}
	if p != nil {
		r.Registry.Block(req.NamespacedName, p)
	}
	if !r.Selection.Has(&object) {
		r.lastStatus.Forget(req.NamespacedName)
		return status.Result(ctx, p, err)
	}
	setStatus(&object, p, r.Registry.Summary(req.NamespacedName))
	setInUse(&object, before, users)
	r.lastStatus.Note(&object)
	if !equality.Semantic.DeepEqual(before.Status, object.Status) {
		if err := r.Status().Patch(ctx, &object, client.MergeFrom(before)); err != nil {
			return ctrl.Result{}, client.IgnoreNotFound(err)
		}
	}
	status.RecordTransition(r.Recorder, &object, before.Status.Conditions, object.Status.Conditions)
	return status.Result(ctx, p, err)
}

// connect makes the account usable. Its steps go in order; the first that fails names the problem.
func (r *Reconciler) connect(ctx context.Context, object *v1alpha1.Account) error {
	if object.Spec.Suspend {
		return problem.Waitingf(v1alpha1.ReasonSuspended, "spec.suspend is true: no call is made for this account")
	}
	if err := account.CheckHost(r.AllowedHosts, r.AllowHTTP, object.Spec.BaseURL); err != nil {
		return err
	}
	token, secret, err := account.ReadToken(ctx, r.Live, object)
	if err != nil {
		return err
	}
	trust, err := account.ReadTrust(ctx, r.Live, object)
	if err != nil {
		return err
	}
	key := client.ObjectKeyFromObject(object)
	unchecked, err := r.Registry.Configure(key, &object.Spec, token, trust)
	if err != nil {
		return problem.Terminalf(v1alpha1.ReasonInvalidSpec, "spec cannot be used: %v", err)
	}
	if unchecked == nil {
		return nil
	}
	check := account.Check{Version: account.CredentialVersion(object, secret), Generation: object.Generation}
	if p := r.Registry.BeginCheck(key, check); p != nil {
		return p
	}
	defer r.Registry.EndCheck(key)
	return r.checkToken(ctx, unchecked, object, check.Version)
}

// checkToken asks the API whose token it is. Only an accepted token makes the account usable.
func (r *Reconciler) checkToken(ctx context.Context, remote *integrator.Client, object *v1alpha1.Account, version string) error {
	info, err := remote.TokenInfo(ctx)
	if err != nil {
		key, p := client.ObjectKeyFromObject(object), problem.FromAPI(err, "check the token")
		switch {
		case p == nil:
			return err
		case p.Reason() == v1alpha1.ReasonTokenRejected:
			// The token may be activated again on the platform, and no event tells.
			return p.WithCause(errors.Join(account.ErrTokenRevoked, p.Unwrap())).WithRetryAfter(r.Registry.CheckRejected(key))
		case p.Reason() == v1alpha1.ReasonUnreachable:
			return r.Registry.CheckUnanswered(key, p)
		default:
			return p
		}
	}
	object.Status.UserID = drift.Cut(info.UserID, 64)
	other, err := r.otherCredential(ctx, object, version)
	if err != nil {
		return err
	}
	r.Registry.TokenAccepted(client.ObjectKeyFromObject(object), info.UserID, version, other)
	return nil
}

// otherCredential reports whether the managed imports were found with another credential last, so
// that this one may be of another account.
func (r *Reconciler) otherCredential(ctx context.Context, object *v1alpha1.Account, version string) (bool, error) {
	managed, err := r.countManaged(ctx, object)
	if err != nil || managed == 0 || object.Status.CredentialVersion == version {
		return false, err
	}
	// A process that has just started may see the status as it was before.
	live := &v1alpha1.Account{}
	if err := r.Live.Get(ctx, client.ObjectKeyFromObject(object), live); err != nil {
		return true, client.IgnoreNotFound(err)
	}
	return live.Status.CredentialVersion != version, nil
}

// countManaged counts the Imports of the Account that have a remote import, or may have one.
func (r *Reconciler) countManaged(ctx context.Context, object *v1alpha1.Account) (count int, err error) {
	imports, err := r.imports(ctx, object)
	for _, one := range imports {
		if ownership.RemoteID(one) != "" || ownership.CreatePending(one) {
			count++
		}
	}
	return count, err
}

// imports lists the Imports of the Account from the cache. They may not be changed.
func (r *Reconciler) imports(ctx context.Context, object *v1alpha1.Account) ([]*v1alpha1.Import, error) {
	return watch.ImportsOf(ctx, r.Client, object.Namespace, object.Name)
}

// accountsOf maps an object to the Accounts that refer to it.
func (r *Reconciler) accountsOf(index string) handler.MapFunc {
	return func(ctx context.Context, object client.Object) []ctrl.Request {
		return watch.RequestsByIndex(ctx, r, &v1alpha1.AccountList{}, object.GetNamespace(), index, object.GetName())
	}
}

// deletedAccountOf maps an Import to its Account if that is being deleted.
func (r *Reconciler) deletedAccountOf(ctx context.Context, object client.Object) []ctrl.Request {
	key := types.NamespacedName{Namespace: object.GetNamespace(), Name: object.(*v1alpha1.Import).Spec.AccountRef.Name}
	var found v1alpha1.Account
	if err := r.Get(ctx, key, &found, client.DisableReadYourWritesConsistency); err != nil || found.DeletionTimestamp.IsZero() {
		return nil
	}
	return []ctrl.Request{{NamespacedName: key}}
}
