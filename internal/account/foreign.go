// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package account

import (
	"context"
	"slices"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/drift"
	"github.com/integrator-operator/integrator-operator/internal/integrator"
	"github.com/integrator-operator/integrator-operator/internal/ownership"
	"github.com/integrator-operator/integrator-operator/internal/watch"
)

// Foreign is what an Import may not show of a remote import, because it belongs to other Imports, of
// any namespace: the values that they have from Secrets and ConfigMaps and, where another one manages
// it, all of its values. An Import can name any import that the token reads, so that a comparison
// would show what others have put there. A clone has what its original had. declared are the paths
// where the Import itself has values of Secrets.
func (r *Registry) Foreign(ctx context.Context, session *Session, object *v1alpha1.Import, remote integrator.Import, declared []string) (drift.Foreign, error) {
	id, now := remote.ID, r.clock.Now()
	own := ownership.ManagesByStatus(object, id)
	others, err := r.noteThoseOf(ctx, id)
	if err != nil {
		return drift.Foreign{}, err
	}
	owner := ownership.OwnerAmong(others, id)
	foreign := drift.Foreign{Values: !own && !session.ShowsForeignValues && owner != nil && owner.UID != object.UID}
	if source := remote.SourceID; source != "" {
		if _, err := r.noteThoseOf(ctx, source); err != nil {
			return drift.Foreign{}, err
		}
		r.SecretPaths.NotePaths(id, r.SecretPaths.Of(source, true, now), true, now)
	}
	foreign.Secrets = slices.DeleteFunc(r.SecretPaths.Of(id, own, now), func(path string) bool { return slices.Contains(declared, path) })
	return foreign, nil
}

// noteThoseOf returns the Imports, of any namespace, that remember or claim a remote import, and
// records their secret paths. They are those of the cache, and must not be changed.
func (r *Registry) noteThoseOf(ctx context.Context, id string) ([]v1alpha1.Import, error) {
	imports, err := watch.ImportsWithID(ctx, r.reader, id)
	if err != nil {
		return nil, err
	}
	for i := range imports {
		r.SecretPaths.Note(&imports[i], r.clock.Now())
	}
	return imports, nil
}
