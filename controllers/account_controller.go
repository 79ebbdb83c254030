// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/drift"
)

// Reasons of an Account's Ready condition, beside those of errors.go.
const (
	reasonTokenAccepted  = "TokenAccepted"
	reasonSecretNotFound = "SecretNotFound"
	reasonHostNotAllowed = "HostNotAllowed"
	reasonInvalidSpec    = "InvalidSpec"
)

// AccountReconciler checks the credential of each Account and keeps its client and its
// scanner running.
type AccountReconciler struct {
	client.Client
	// Live reads past the cache: Secrets are never cached.
	Live     client.Reader
	Accounts *Accounts
	Recorder events.EventRecorder
	// AllowedHosts are the hosts that an Account's baseURL may name.
	AllowedHosts []string

	said said
}

// +kubebuilder:rbac:groups=integrator.io,resources=accounts,verbs=get;list;watch;patch
// +kubebuilder:rbac:groups=integrator.io,resources=accounts/status,verbs=patch
// +kubebuilder:rbac:groups="",resources=secrets,verbs=get;list;watch
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create

// SetupWithManager registers the controller.
func (r *AccountReconciler) SetupWithManager(mgr ctrl.Manager) error {
	return ctrl.NewControllerManagedBy(mgr).
		For(&v1alpha1.Account{}, builder.WithPredicates(predicate.Or(predicate.GenerationChangedPredicate{}, lostFinalizer(v1alpha1.AccountFinalizer), r.said.contradicted()))).
		Watches(&v1alpha1.Import{}, handler.EnqueueRequestsFromMapFunc(r.leavingAccountOf), builder.WithPredicates(heldOrReleased())).
		WatchesMetadata(&corev1.Secret{}, handler.EnqueueRequestsFromMapFunc(r.accountsOfSecret)).
		WatchesRawSource(source.Channel(r.Accounts.accountEvents, &handler.EnqueueRequestForObject{})).
		WithOptions(controllerOptions(mgr, "Account", 4)).
		Complete(r)
}

// Reconcile brings the Account's client in line with its spec and its Secret, checks the
// token, and writes what came of it to status. An Account that is being deleted is served
// as before while an Import needs it, and then let go.
func (r *AccountReconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	var account v1alpha1.Account
	if err := r.Get(ctx, req.NamespacedName, &account); err != nil {
		if apierrors.IsNotFound(err) {
			r.Accounts.forget(req.NamespacedName)
			forgetAccountMetrics(req.NamespacedName)
			r.said.forget(req.NamespacedName)
		}
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	users, err := r.hold(ctx, &account)
	if err != nil {
		return afterKubernetesError(ctx, err)
	}
	if !account.DeletionTimestamp.IsZero() && len(users) == 0 {
		r.Accounts.forget(req.NamespacedName)
		return ctrl.Result{}, nil
	}
	before := account.DeepCopy()

	err = r.reconcile(ctx, &account)
	p := classify(err, "check the token")
	if err != nil && p == nil {
		return ctrl.Result{}, err
	}
	if p != nil {
		if p.reason == reasonTokenRejected && p.after == 0 {
			// The token may be activated again on the platform, of which no event tells.
			p.after = min(duration(account.Spec.ScanInterval), backoffMax)
		}
		r.Accounts.block(req.NamespacedName, p)
	}
	r.setStatus(&account, p)
	setInUse(&account, before, users)
	r.said.note(&account)
	if !equality.Semantic.DeepEqual(before.Status, account.Status) {
		if err := r.Status().Patch(ctx, &account, client.MergeFrom(before)); err != nil {
			return ctrl.Result{}, client.IgnoreNotFound(err)
		}
	}
	recordTransition(r.Recorder, &account, before.Status.Conditions, account.Status.Conditions)
	return resultOf(p, err)
}

// reconcile runs the steps in order; the first that fails names the problem.
func (r *AccountReconciler) reconcile(ctx context.Context, account *v1alpha1.Account) error {
	if account.Spec.Suspend {
		return waitingf(reasonSuspended, "spec.suspend is true: no call is made for this account")
	}
	if err := r.checkHost(account.Spec.BaseURL); err != nil {
		return err
	}
	token, secret, err := r.token(ctx, account)
	if err != nil {
		return err
	}
	key := client.ObjectKeyFromObject(account)
	probe, err := r.Accounts.configure(key, &account.Spec, token)
	if err != nil {
		return terminalf(reasonInvalidSpec, "spec cannot be used: %v", err)
	}
	if !probe {
		return nil
	}
	if p := r.Accounts.rejection(key); p != nil {
		return p
	}
	return r.probe(ctx, key, account, credentialVersion(account, secret))
}

// credentialVersion is a hash of all that says which account the token leads to. It holds
// nothing of the token.
func credentialVersion(account *v1alpha1.Account, secret *corev1.Secret) string {
	sum := sha256.Sum256([]byte(strings.Join([]string{account.Spec.BaseURL, account.Spec.TokenSecretRef.Key,
		string(secret.UID), secret.ResourceVersion}, "\n")))
	return hex.EncodeToString(sum[:16])
}

// checkHost refuses a base URL whose host the operator was not started to allow. A host that is
// allowed without a port is allowed at the usual one alone: what else listens there is not the API.
func (r *AccountReconciler) checkHost(baseURL string) error {
	parsed, err := url.Parse(baseURL)
	if err != nil {
		return terminalf(reasonInvalidSpec, "spec.baseURL is not a URL; use one like https://api.integrator.io")
	}
	if !slices.ContainsFunc(r.AllowedHosts, func(host string) bool {
		return strings.EqualFold(host, parsed.Host) || strings.EqualFold(host+":443", parsed.Host) && parsed.Scheme == "https"
	}) {
		return terminalf(reasonHostNotAllowed, "the host of spec.baseURL, %s, is not allowed; use one of %s, or start the operator with it in --allowed-api-hosts",
			drift.Cut(parsed.Host, 128), strings.Join(r.AllowedHosts, ", "))
	}
	return nil
}

// token reads the token from the Account's Secret.
func (r *AccountReconciler) token(ctx context.Context, account *v1alpha1.Account) (token string, secret *corev1.Secret, err error) {
	ref := account.Spec.TokenSecretRef
	secret = &corev1.Secret{}
	err = r.Live.Get(ctx, types.NamespacedName{Namespace: account.Namespace, Name: ref.Name}, secret)
	if apierrors.IsNotFound(err) {
		p := terminalf(reasonSecretNotFound, "there is no Secret %q in namespace %q: create it with the API token under key %q",
			ref.Name, account.Namespace, ref.Key)
		p.cause = errSecretGone
		return "", nil, p
	}
	if err != nil {
		return "", nil, fmt.Errorf("read Secret %s: %w", ref.Name, err)
	}
	token = strings.TrimSpace(string(secret.Data[ref.Key]))
	if token == "" {
		return "", nil, terminalf(reasonSecretNotFound, "Secret %q has nothing under key %q: put the API token there", ref.Name, ref.Key)
	}
	return token, secret, nil
}

// probe asks the API whose token it is. Only an accepted token makes the account usable.
func (r *AccountReconciler) probe(ctx context.Context, key types.NamespacedName, account *v1alpha1.Account, version string) error {
	info, err := r.Accounts.client(key).TokenInfo(ctx)
	if err != nil {
		p := classify(err, "check the token")
		if p != nil && p.reason == reasonTokenRejected {
			p.cause = errors.Join(errTokenRevoked, p.cause)
		}
		return asError(p, err)
	}
	account.Status.UserID = drift.Cut(info.UserID, 64)
	managed, err := r.managed(ctx, account)
	if err != nil {
		return err
	}
	known := account.Status.CredentialVersion
	if managed > 0 && known != version {
		// A process that has just started may see the status as it was before.
		if known, err = r.liveCredentialVersion(ctx, key); err != nil {
			return err
		}
	}
	r.Accounts.unblock(key, info.UserID, version, managed > 0 && known != version)
	return nil
}

// liveCredentialVersion reads the version of the credential that was trusted last, past the cache.
func (r *AccountReconciler) liveCredentialVersion(ctx context.Context, key types.NamespacedName) (string, error) {
	live := &v1alpha1.Account{}
	if err := r.Live.Get(ctx, key, live); err != nil {
		return "", client.IgnoreNotFound(err)
	}
	return live.Status.CredentialVersion, nil
}

// managed counts the Imports of the Account that have a remote import, or may have one.
func (r *AccountReconciler) managed(ctx context.Context, account *v1alpha1.Account) (count int, err error) {
	var imports v1alpha1.ImportList
	err = r.List(ctx, &imports, client.InNamespace(account.Namespace),
		client.MatchingFields{indexImportAccount: account.Name}, client.UnsafeDisableDeepCopy)
	for i := range imports.Items {
		if remoteID(&imports.Items[i]) != "" || imports.Items[i].Annotations[v1alpha1.AnnotationCreatePending] != "" {
			count++
		}
	}
	return count, err
}

// setStatus fills the status from the problem, if any, and from the last scan.
func (r *AccountReconciler) setStatus(account *v1alpha1.Account, p *problem) {
	status := &account.Status
	status.ObservedGeneration = account.Generation
	scan, version := r.Accounts.summary(client.ObjectKeyFromObject(account))
	if version != "" {
		status.CredentialVersion = version
	}
	if scan != nil && scan.problem == nil {
		status.Imports, status.Managed = &scan.imports, &scan.managed
	}
	if p == nil && scan != nil {
		p = scan.problem
	}
	if p != nil && p.reason == reasonTokenRejected {
		// Said here by its Secret, whichever call it was.
		said := *p
		p = &said
		p.message = fmt.Sprintf("the API rejects the token (401): put a valid one into Secret %q, key %q",
			account.Spec.TokenSecretRef.Name, account.Spec.TokenSecretRef.Key)
	}
	if p == nil {
		setReady(&status.Conditions, account.Generation, reasonTokenAccepted, "the API accepts the token")
		return
	}
	setProblem(&status.Conditions, account.Generation, p)
}

func (r *AccountReconciler) accountsOfSecret(ctx context.Context, secret client.Object) []ctrl.Request {
	return requestsByIndex(ctx, r, &v1alpha1.AccountList{}, secret.GetNamespace(), indexAccountSecret, secret.GetName())
}
