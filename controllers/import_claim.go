// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/integrator"
)

// Two Imports may adopt one remote import at the same time, in two processes, each with a
// cache that is behind; Kubernetes has no write that spans two objects. So an adoption is
// claimed before it is done:
//
//  1. the id goes into adopt-pending, unless anybody else wrote the object meanwhile;
//  2. all Imports are listed past the cache. Only if no other has or claims the id, the claim
//     becomes the id annotation, unless anybody else wrote the object meanwhile.
//
// Never two: of two claims one is written later, and the list that follows it shows the
// other, as a claim or as the id. So the later one does not go on while the other stands.
// It does not matter which of the two Imports that is.
//
// Not none: of two that see each other's claim, the one created later (of the same second,
// the one with the larger uid) takes its own back. The other keeps its claim and looks again:
// it must not go on at once, because the later one may have looked before that claim was
// there. Either the later one's claim goes, or it turns out to have been first.
//
// An Import that is just creating may have made this very import, and not know its id yet. Its
// intent was written before the import could be there, so the list shows it: who creates goes
// first, and the claim is taken back.

const reasonAdoptionConflict = "AdoptionConflict"

// claim returns nil when nobody else has, or is about to adopt, the import.
func (r *ImportReconciler) claim(ctx context.Context, s *importScope) error {
	for {
		rival, err := r.rival(ctx, s)
		if err != nil {
			return err
		}
		switch claimStep(s.object, s.remote, rival) {
		case doClaim:
			change := metadataChange{locked: true, annotations: map[string]any{v1alpha1.AnnotationAdoptPending: s.id}}
			if err := r.patchMetadata(ctx, s, change); err != nil {
				return err
			}
		case doOwn:
			return nil
		case doYield:
			if err := r.withdraw(ctx, s); err != nil {
				return err
			}
			return s.contested(rival)
		default:
			return s.contested(rival)
		}
	}
}

// claimStep decides about the claim from the rival that stands against it, nil when there is
// none. Before the claim is written the rival may be of a cache; after it, all Imports have to be
// looked at past the cache.
func claimStep(object *v1alpha1.Import, remote integrator.Import, rival *v1alpha1.Import) importStep {
	claimed := object.Annotations[v1alpha1.AnnotationAdoptPending] == remote.ID
	switch {
	case rival == nil && claimed:
		return doOwn
	case rival == nil:
		return doClaim
	case claimed && (createdBefore(rival, object) || mayMake(rival, remote)):
		return doYield
	default:
		return doContest
	}
}

// withdraw takes the claim back.
func (r *ImportReconciler) withdraw(ctx context.Context, s *importScope) error {
	if s.object.Annotations[v1alpha1.AnnotationAdoptPending] == "" {
		return nil
	}
	return r.patchMetadata(ctx, s, metadataChange{locked: true, annotations: map[string]any{v1alpha1.AnnotationAdoptPending: nil}})
}

// rival returns the Import of any namespace that stands against the claim: of the cache before the
// claim is written, afterwards past it. Metadata tells who may; only those are read whole.
func (r *ImportReconciler) rival(ctx context.Context, s *importScope) (first *v1alpha1.Import, err error) {
	if s.object.Annotations[v1alpha1.AnnotationAdoptPending] != s.id {
		known, err := r.importsWith(ctx, s, s.id)
		for i := range known {
			first = stronger(first, &known[i], s.remote)
		}
		return first, err
	}
	const page = 500
	for next := ""; ; {
		imports := &metav1.PartialObjectMetadataList{}
		imports.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("ImportList"))
		if err := r.Live.List(ctx, imports, client.Limit(page), client.Continue(next)); err != nil {
			return nil, fmt.Errorf("list the Imports that may have the import %s: %w", s.id, err)
		}
		for i := range imports.Items {
			item := &v1alpha1.Import{ObjectMeta: imports.Items[i].ObjectMeta}
			if item.UID == s.object.UID {
				continue
			}
			if !mayMake(item, s.remote) {
				if !slices.Contains(namedIDs(item), s.id) {
					continue
				}
				err := r.Live.Get(ctx, client.ObjectKeyFromObject(item), item)
				if apierrors.IsNotFound(err) {
					continue
				}
				if err != nil {
					return nil, fmt.Errorf("read the Import %s in namespace %s: %w", item.Name, item.Namespace, err)
				}
			}
			first = stronger(first, item, s.remote)
		}
		if next = imports.Continue; next == "" {
			return first, nil
		}
	}
}

// stronger is which of two Imports stands against a claim of the import: the one that manages it,
// else one that may just be making it, else the first created of those that claim it. An Import
// that does none of these does not, and is nil.
func stronger(first, other *v1alpha1.Import, remote integrator.Import) *v1alpha1.Import {
	one, another := strength(first, remote), strength(other, remote)
	switch {
	case another == 0:
		return first
	case another > one, another == one && createdBefore(other, first):
		return other
	default:
		return first
	}
}

func strength(object *v1alpha1.Import, remote integrator.Import) int {
	switch {
	case object == nil:
		return 0
	case manages(object, remote.ID):
		return 3
	case mayMake(object, remote):
		return 2
	case claims(object, remote.ID):
		return 1
	default:
		return 0
	}
}

// contested says that another Import has the import, or is about to.
func (s *importScope) contested(rival *v1alpha1.Import) error {
	if manages(rival, s.id) {
		// Nothing tells when that one lets go.
		return notAdoptable(reasonOwnershipConflict, "the import %s is managed by Import %s in namespace %s: delete that one with deletionPolicy Orphan first",
			s.id, rival.Name, rival.Namespace)
	}
	if mayMake(rival, s.remote) {
		return &problem{class: transient, reason: reasonAdoptionConflict, message: fmt.Sprintf(
			"Import %s in namespace %s is just creating an import that may be %s: it is waited for", rival.Name, rival.Namespace, s.id)}
	}
	return &problem{class: transient, reason: reasonAdoptionConflict, message: fmt.Sprintf(
		"Import %s in namespace %s is about to adopt the import %s too: one of the two gets it, it is tried again by itself", rival.Name, rival.Namespace, s.id)}
}

// manages tells that an Import has the import for its own, be it that its annotation only
// names it.
func manages(object *v1alpha1.Import, id string) bool {
	return remoteID(object) == id && object.Spec.ManagementPolicy != v1alpha1.ManagementPolicyObserve && !onlyObserved(object)
}

// ownerAmong returns the Import whose status says that it manages the import of this id, or nil.
// Annotations do not count: anybody may have written them.
func ownerAmong(others []v1alpha1.Import, id string) *v1alpha1.Import {
	for i := range others {
		if others[i].Status.ID == id && manages(&others[i], id) {
			return &others[i]
		}
	}
	return nil
}

// claims tells that an Import may go on to adopt the import. One that is held still or goes
// does not; its claim, should it come to count again, is followed by a new look.
func claims(object *v1alpha1.Import, id string) bool {
	return object.Spec.Adopt != nil && object.Annotations[v1alpha1.AnnotationAdoptPending] == id && object.DeletionTimestamp.IsZero() &&
		!object.Spec.Suspend && object.Spec.ManagementPolicy != v1alpha1.ManagementPolicyObserve
}

// mayMake tells that the import may be what an Import is just creating.
func mayMake(object *v1alpha1.Import, remote integrator.Import) bool {
	var pending intent
	if err := json.Unmarshal([]byte(object.Annotations[v1alpha1.AnnotationCreatePending]), &pending); err != nil || object.Annotations[v1alpha1.AnnotationID] != "" {
		return false
	}
	return pending.ExternalID != "" && pending.ExternalID == remote.ExternalID || strings.TrimSpace(remote.Name) == marker(object)
}

// createdBefore tells which of two Imports comes first.
func createdBefore(one, other *v1alpha1.Import) bool {
	if one.CreationTimestamp.Equal(&other.CreationTimestamp) {
		return one.UID < other.UID
	}
	return one.CreationTimestamp.Before(&other.CreationTimestamp)
}

// namedIDs are the ids that an Import remembers or claims.
func namedIDs(object *v1alpha1.Import) []string {
	ids := notEmpty(remoteID(object))
	if claimed := object.Annotations[v1alpha1.AnnotationAdoptPending]; claimed != "" && !slices.Contains(ids, claimed) {
		ids = append(ids, claimed)
	}
	return ids
}
