// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package accounts

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/ownership"
)

// An Import needs its Account to delete its remote import. So a finalizer keeps the Account while an
// Import with a finalizer of its own refers to it. The Secret has none: to rotate a token by delete
// and create must not hang.

// cacheLag is for how long the cache of another process may not show yet that an Account is being deleted.
const cacheLag = 3 * time.Second

// errNotYet: another process may not know yet that the Account is being deleted.
var errNotYet = errors.New("an Import of the Account may just be created by another process")

// updateFinalizer adds the finalizer, and removes it from an Account that is being deleted once no
// Import needs it. users are the Imports for which an Account that is being deleted is kept. That of
// another operator's Account is left to that.
func (r *Reconciler) updateFinalizer(ctx context.Context, object *v1alpha1.Account) (users []string, err error) {
	deleting := !object.DeletionTimestamp.IsZero()
	r.Registry.SetDeleting(client.ObjectKeyFromObject(object), deleting)
	before, own := object.DeepCopy(), r.Selection.Has(object)
	if !deleting {
		if own && controllerutil.AddFinalizer(object, v1alpha1.AccountFinalizer) {
			err = r.patchFinalizers(ctx, object, before)
		}
		return nil, err
	}
	imports, err := r.imports(ctx, object)
	if users = usersAmong(imports, object); err != nil || len(users) > 0 {
		return users, err
	}
	if len(imports) > 0 && r.Clock.Since(object.DeletionTimestamp.Time) < cacheLag {
		return nil, errNotYet
	}
	// The cache may be behind. An Import gets its finalizer before it looks whether its Account is being
	// deleted: either it sees the deletion, or it is seen here.
	if users, err = r.liveUsers(ctx, object); err != nil || len(users) > 0 {
		return users, err
	}
	if own && controllerutil.RemoveFinalizer(object, v1alpha1.AccountFinalizer) {
		err = r.patchFinalizers(ctx, object, before)
	}
	return nil, err
}

// liveUsers names the Imports that need the Account, past the cache.
func (r *Reconciler) liveUsers(ctx context.Context, object *v1alpha1.Account) ([]string, error) {
	const page = 50 // whole Imports, which may be large
	var names []string
	for next := ""; ; {
		var imports v1alpha1.ImportList
		if err := r.Live.List(ctx, &imports, client.InNamespace(object.Namespace), client.Limit(page), client.Continue(next)); err != nil {
			return nil, fmt.Errorf("list the Imports of Account %s: %w", object.Name, err)
		}
		names = append(names, usersAmong(pointers(imports.Items), object)...)
		if next = imports.Continue; next == "" {
			return names, nil
		}
	}
}

func pointers(imports []v1alpha1.Import) (all []*v1alpha1.Import) {
	for i := range imports {
		all = append(all, &imports[i])
	}
	return all
}

// usersAmong names those of the Imports that need the Account, sorted.
func usersAmong(imports []*v1alpha1.Import, object *v1alpha1.Account) []string {
	var names []string
	for _, item := range imports {
		if item.Spec.AccountRef.Name == object.Name && ownership.HasFinalizer(item) {
			names = append(names, item.Name)
		}
	}
	slices.Sort(names)
	return names
}

// patchFinalizers writes the Account's finalizers and nothing else, unless somebody else wrote the
// Account meanwhile.
func (r *Reconciler) patchFinalizers(ctx context.Context, object, before *v1alpha1.Account) error {
	if err := r.Patch(ctx, object, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})); err != nil {
		return fmt.Errorf("write the Account's finalizers: %w", err)
	}
	return nil
}
