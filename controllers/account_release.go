// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
)

// An Import needs its Account to delete its remote import. So an Account stays, by a
// finalizer, while an Import with a finalizer of its own refers to it. The Secret has none:
// to rotate a token by delete and create must not hang.

const reasonInUse = "InUse"

// hold keeps the Account while Imports need it. users are those that an Account which is
// being deleted is kept for; when there are none, it is let go.
func (r *AccountReconciler) hold(ctx context.Context, account *v1alpha1.Account) (users []string, err error) {
	leaving := !account.DeletionTimestamp.IsZero()
	r.Accounts.mark(client.ObjectKeyFromObject(account), leaving)
	held := slices.Contains(account.Finalizers, v1alpha1.AccountFinalizer)
	switch {
	case !leaving && held:
		return nil, nil
	case !leaving:
		return nil, r.setFinalizers(ctx, account, append(slices.Clone(account.Finalizers), v1alpha1.AccountFinalizer))
	}
	if users, err = r.users(ctx, account); err != nil || len(users) > 0 {
		return users, err
	}
	// The cache may be behind. An Import puts its finalizer down before it looks, live,
	// whether the Account stays: either that sees the deletion, or it is seen here.
	if users, err = r.liveUsers(ctx, account); err != nil || len(users) > 0 || !held {
		return users, err
	}
	return nil, r.setFinalizers(ctx, account, slices.DeleteFunc(slices.Clone(account.Finalizers), func(name string) bool { return name == v1alpha1.AccountFinalizer }))
}

// users names the Imports that need the Account, sorted.
func (r *AccountReconciler) users(ctx context.Context, account *v1alpha1.Account) ([]string, error) {
	var imports v1alpha1.ImportList
	err := r.List(ctx, &imports, client.InNamespace(account.Namespace),
		client.MatchingFields{indexImportAccount: account.Name}, client.UnsafeDisableDeepCopy)
	return usersOf(account, imports.Items), err
}

// liveUsers is users, past the cache.
func (r *AccountReconciler) liveUsers(ctx context.Context, account *v1alpha1.Account) ([]string, error) {
	const page = 250
	var names []string
	for next := ""; ; {
		var imports v1alpha1.ImportList
		if err := r.Live.List(ctx, &imports, client.InNamespace(account.Namespace), client.Limit(page), client.Continue(next)); err != nil {
			return nil, fmt.Errorf("list the Imports of Account %s: %w", account.Name, err)
		}
		names = append(names, usersOf(account, imports.Items)...)
		if next = imports.Continue; next == "" {
			return names, nil
		}
	}
}

func usersOf(account *v1alpha1.Account, imports []v1alpha1.Import) []string {
	var names []string
	for i := range imports {
		if item := &imports[i]; item.Spec.AccountRef.Name == account.Name && hasFinalizer(item) {
			names = append(names, item.Name)
		}
	}
	slices.Sort(names)
	return names
}

// setFinalizers writes the Account's finalizers and nothing else, unless somebody else wrote
// the Account meanwhile.
func (r *AccountReconciler) setFinalizers(ctx context.Context, account *v1alpha1.Account, finalizers []string) error {
	body, err := json.Marshal(map[string]any{"metadata": map[string]any{
		"uid": account.UID, "resourceVersion": account.ResourceVersion, "finalizers": finalizers,
	}})
	if err != nil {
		return err
	}
	if err := r.Patch(ctx, account, client.RawPatch(types.MergePatchType, body)); err != nil {
		return fmt.Errorf("write the Account's finalizers: %w", err)
	}
	return nil
}

// setInUse says what an Account that is being deleted waits for. Ready stays as it is: the
// Imports are served until they are gone.
func setInUse(account, before *v1alpha1.Account, users []string) {
	if len(users) == 0 {
		return
	}
	condition := metav1.Condition{
		Type: v1alpha1.ConditionReconciling, Status: metav1.ConditionTrue, ObservedGeneration: account.Generation,
		Reason: reasonInUse, Message: "deleted once these Imports are gone: " + someOf(users),
	}
	if was := apimeta.FindStatusCondition(before.Status.Conditions, condition.Type); was != nil {
		condition.LastTransitionTime = was.LastTransitionTime
	}
	apimeta.RemoveStatusCondition(&account.Status.Conditions, condition.Type)
	apimeta.SetStatusCondition(&account.Status.Conditions, condition)
}

// someOf is the first of the names, and how many more there are.
func someOf(names []string) string {
	const most = 5
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}

// leavingAccountOf maps an Import to its Account if that is being deleted.
func (r *AccountReconciler) leavingAccountOf(ctx context.Context, object client.Object) []ctrl.Request {
	key := types.NamespacedName{Namespace: object.GetNamespace(), Name: object.(*v1alpha1.Import).Spec.AccountRef.Name}
	var account v1alpha1.Account
	if err := r.Get(ctx, key, &account); err != nil || account.DeletionTimestamp.IsZero() {
		return nil
	}
	return []ctrl.Request{{NamespacedName: key}}
}

// heldOrReleased lets an Import's event through when it begins or ends to need its Account.
func heldOrReleased() predicate.Predicate {
	return predicate.Funcs{
		CreateFunc:  func(e event.CreateEvent) bool { return hasFinalizer(e.Object) },
		UpdateFunc:  func(e event.UpdateEvent) bool { return hasFinalizer(e.ObjectOld) != hasFinalizer(e.ObjectNew) },
		GenericFunc: func(event.GenericEvent) bool { return false },
	}
}

// lostFinalizer lets an update through that took a finalizer off.
func lostFinalizer(name string) predicate.Predicate {
	return onUpdate(func(e event.UpdateEvent) bool {
		return slices.Contains(e.ObjectOld.GetFinalizers(), name) && !slices.Contains(e.ObjectNew.GetFinalizers(), name)
	})
}

// leavingAccount refuses what an Account that is being deleted gets no more.
func leavingAccount(s *importScope) *problem {
	return terminalf(reasonAccountNotReady, "Account %q is being deleted: nothing new is made in it; create the Account again once it is gone, or delete this Import", s.object.Spec.AccountRef.Name)
}

// accountStays confirms, past the cache, that the Account is not being deleted. It is asked
// after the Import's finalizer was put down: see hold.
func (r *ImportReconciler) accountStays(ctx context.Context, s *importScope) error {
	var account v1alpha1.Account
	if err := r.Live.Get(ctx, s.accountKey(), &account); client.IgnoreNotFound(err) != nil {
		return err
	} else if err != nil || !account.DeletionTimestamp.IsZero() {
		return leavingAccount(s)
	}
	return nil
}
