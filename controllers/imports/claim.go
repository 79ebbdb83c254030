// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package imports

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/importstate"
	"github.com/integrator-operator/integrator-operator/internal/ownership"
)

// The effects of an adoption's steps: see importstate.AdoptionEffects.

var _ importstate.AdoptionEffects = effects{}

// KnownRival looks for a rival in the cache.
func (e effects) KnownRival(ctx context.Context, a importstate.Adoption) (rival *v1alpha1.Import, err error) {
	known, err := e.r.objects().importsWith(ctx, e.s, a.Remote.ID)
	for i := range known {
		rival = ownership.Stronger(rival, &known[i], a.Remote)
	}
	return rival, err
}

// ListRivals lists the Imports of all namespaces past the cache. The metadata shows which may be
// rivals; only those are read whole.
func (e effects) ListRivals(ctx context.Context, a importstate.Adoption) (rival *v1alpha1.Import, err error) {
	const page = 500
	for next := ""; ; {
		imports := &metav1.PartialObjectMetadataList{}
		imports.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("ImportList"))
		if err := e.r.Live.List(ctx, imports, client.Limit(page), client.Continue(next)); err != nil {
			return nil, fmt.Errorf("list the Imports that may have the import %s: %w", a.Remote.ID, err)
		}
		for i := range imports.Items {
			other, err := e.possibleRival(ctx, a, &imports.Items[i])
			if err != nil {
				return nil, err
			}
			rival = ownership.Stronger(rival, other, a.Remote)
		}
		if next = imports.Continue; next == "" {
			return rival, nil
		}
	}
}

// possibleRival reads the Import of this metadata if it may be a rival, else it returns nil.
func (e effects) possibleRival(ctx context.Context, a importstate.Adoption, metadata *metav1.PartialObjectMetadata) (*v1alpha1.Import, error) {
	other := &v1alpha1.Import{ObjectMeta: metadata.ObjectMeta}
	switch {
	case other.UID == a.Object.UID:
		return nil, nil
	case ownership.MayCreate(other, a.Remote):
		return other, nil
	case !slices.Contains(ownership.NamedIDs(other), a.Remote.ID):
		return nil, nil
	}
	if err := e.r.Live.Get(ctx, client.ObjectKeyFromObject(other), other); apierrors.IsNotFound(err) {
		return nil, nil
	} else if err != nil {
		return nil, fmt.Errorf("read the Import %s in namespace %s: %w", other.Name, other.Namespace, err)
	}
	return other, nil
}

// WriteClaim writes the claim.
func (e effects) WriteClaim(ctx context.Context, a importstate.Adoption) (*v1alpha1.Import, error) {
	return e.patch(ctx, metadataChange{locked: true, annotations: map[string]any{v1alpha1.AnnotationAdoptPending: a.Remote.ID}})
}

// WithdrawClaim removes the claim.
func (e effects) WithdrawClaim(ctx context.Context, _ importstate.Adoption) (*v1alpha1.Import, error) {
	return e.s.object, e.r.objects().withdrawClaim(ctx, e.s)
}

// TakeOver turns the claim into the id.
func (e effects) TakeOver(ctx context.Context, a importstate.Adoption) (*v1alpha1.Import, error) {
	id := a.Remote.ID
	object, err := e.patch(ctx, metadataChange{locked: true, finalizer: true, annotations: map[string]any{
		v1alpha1.AnnotationID: id, v1alpha1.AnnotationAdoptPending: nil,
	}})
	if err != nil {
		return nil, err
	}
	if err := e.r.objects().requireAccount(ctx, e.s); err != nil {
		// The Account may be released before its controller sees the finalizer.
		undo := metadataChange{locked: true, dropFinalizer: true, annotations: map[string]any{v1alpha1.AnnotationID: nil}}
		return nil, cmp.Or(e.r.objects().patchMetadata(ctx, e.s, undo), err)
	}
	object.Status.ID = id
	e.s.session.Observations.Note(id, e.s.remote.LastModified)
	e.s.event(normal, v1alpha1.ReasonAdopted, "took over the import "+id)
	return object, nil
}

// withdrawClaim removes the claim, if there is one.
func (o objects) withdrawClaim(ctx context.Context, s *scope) error {
	if s.object.Annotations[v1alpha1.AnnotationAdoptPending] == "" {
		return nil
	}
	return o.patchMetadata(ctx, s, metadataChange{locked: true, annotations: map[string]any{v1alpha1.AnnotationAdoptPending: nil}})
}
