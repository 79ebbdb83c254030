// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package ownership

import (
	"strings"
	"time"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/integrator"
)

// Two Imports may adopt one remote import at the same time, in two processes, each with a cache
// that is behind, and Kubernetes has no write that spans two objects. So an adoption is claimed
// before it is done:
//
//  1. the id goes into the annotation adopt-pending, unless somebody else wrote the object meanwhile;
//  2. the Imports with the label of the id are listed past the cache: every Import gets it in the
//     same write as its id, its claim or its create intent. Only if no other has or claims the id,
//     the claim becomes the id annotation, unless somebody else wrote the object meanwhile.
//
// Never two: of two claims one is written later, and the list that follows it shows the other, as
// a claim or as the id. So the later one does not go on while the other stands. It does not matter
// which of the two Imports that is. In another namespace, where anybody may have written the id, it
// counts as a claim until the status has it: the one that wrote it may have been stopped in between.
//
// An operator that watches some namespaces lists them one after the other. That is as good: each list
// follows the claim, and of each pair the other Import is in one of them. Operators with other namespaces
// do not see each other's claims, as two clusters do not: there the marker decides.
//
// Not none: of two that see each other's claim, the one created later (within the same second, the
// one with the larger uid) withdraws its own. The other keeps its claim and lists again: it must
// not go on at once, because the later one may have listed before that claim was there. Either
// the later one's claim goes, or it turns out to have been first. A claim is withdrawn, too, once
// another has the import as its own.
//
// An Import that is just creating may have made this very import and not know its id yet. Its
// intent was written before the import could exist, so the list shows it: the creation goes first,
// and the claim is withdrawn.
//
// An Import that has observed the import before has Observed in its status, beside which an id in the metadata
// does not count: anybody may have written that. So it writes its status first, with the id and without Observed,
// unless somebody else wrote the object meanwhile. From then on the import is its own, and it writes the id.
//
// Somebody may take the annotations away meanwhile. The status gets the id of what was adopted only while
// the annotation has it: see CanReport. And the finalizer and the label that are left count as a claim, until
// the Import claims anew, or withdraws them as it does a claim.

// ClaimStep is what comes next for an adoption.
type ClaimStep int

const (
	// ClaimWrite: write the claim.
	ClaimWrite ClaimStep = iota
	// ClaimTake: turn the claim into the id.
	ClaimTake
	// ClaimWait: leave the claim, and wait for the rival.
	ClaimWait
	// ClaimWithdraw: withdraw the claim, and wait for the rival.
	ClaimWithdraw
)

// Contest is what Imports may be rivals for: Object wants to adopt Remote.
type Contest struct {
	Object *v1alpha1.Import
	Remote integrator.Import
	Now    time.Time
}

// DecideClaim decides about the claim from the strongest rival, nil when there is none. Before
// the claim is written the rival may come from a cache; after it, the Imports with the label of the
// remote import have to be listed past the cache.
func DecideClaim(c Contest, rival *v1alpha1.Import) ClaimStep {
	claimed := c.Object.Annotations[v1alpha1.AnnotationAdoptPending] == c.Remote.ID
	switch {
	case rival == nil && claimed:
		return ClaimTake
	case rival == nil:
		return ClaimWrite
	case (claimed || LeftClaim(c.Object)) && (c.Holds(rival) || c.MayCreate(rival) || createdBefore(rival, c.Object)):
		return ClaimWithdraw
	default:
		return ClaimWait
	}
}

// Stronger is which of two Imports is the rival of a claim: the one that manages the import, else
// one that may just be creating it, else the first created of those that claim it. An Import that
// does none of these is no rival. Both may be nil.
func Stronger(c Contest, first, other *v1alpha1.Import) *v1alpha1.Import {
	one, another := c.strength(first), c.strength(other)
	switch {
	case another == 0:
		return first
	case another > one, another == one && createdBefore(other, first):
		return other
	default:
		return first
	}
}

func (c Contest) strength(rival *v1alpha1.Import) int {
	switch {
	case rival == nil:
		return 0
	case c.Holds(rival):
		return 3
	case c.MayCreate(rival):
		return 2
	case claims(rival, c.Remote.ID):
		return 1
	default:
		return 0
	}
}

// Holds reports whether another Import has the remote import as its own. In another namespace
// only its status counts: anybody there may have written its annotations.
func (c Contest) Holds(other *v1alpha1.Import) bool {
	return Manages(other, c.Remote.ID) && (Recorded(other, c.Remote.ID) || other.Namespace == c.Object.Namespace)
}

// claims reports whether an Import may go on to adopt the import. One that is suspended or being
// deleted does not; its claim, should it count again, is followed by another list. A claim that became
// the id goes on counting as a claim where the status does not have the id: not yet, or not any more
// after a restore. It counts also while the Import is being deleted, because it may delete the import. What
// is left of a claim counts until the Import has withdrawn it: it may be just writing to the import.
func claims(object *v1alpha1.Import, id string) bool {
	if object.Spec.Adopt == nil || object.Spec.Suspend || Observes(object) {
		return false
	}
	took := Manages(object, id) || leftID(object) == RemoteLabel(id)
	if object.DeletionTimestamp.IsZero() {
		return object.Annotations[v1alpha1.AnnotationAdoptPending] == id || took
	}
	return took && HasFinalizer(object)
}

// HasClaim reports whether the Import has a claim, or what is left of one.
func HasClaim(object *v1alpha1.Import) bool {
	return object.Annotations[v1alpha1.AnnotationAdoptPending] != "" || LeftClaim(object)
}

// LeftClaim reports whether the Import has what is left of a claim, or of a takeover that the status does not
// have, where somebody took the annotation away: the finalizer, and the label of the import to adopt.
func LeftClaim(object *v1alpha1.Import) bool { return leftID(object) != "" }

// leftID is the id of the remote import of which a claim is left, "" without one.
func leftID(object *v1alpha1.Import) string {
	adopt, label := object.Spec.Adopt, object.Labels[v1alpha1.LabelRemoteImport]
	switch {
	case adopt == nil, label == "", strings.HasPrefix(label, intentLabelPrefix), adopt.ID != "" && label != RemoteLabel(string(adopt.ID)):
		return ""
	case !HasFinalizer(object), !OwnsNothing(object), object.Annotations[v1alpha1.AnnotationAdoptPending] != "":
		return ""
	default:
		return label
	}
}

// intentLife is for how long a create intent of another namespace keeps others from adopting what it
// may have created. The create call ends long before.
const intentLife = 15 * time.Minute

// MayCreate reports whether the remote import may be what the Import is just creating. An old
// intent of another namespace counts no longer: it may have been written by anybody.
func (c Contest) MayCreate(object *v1alpha1.Import) bool {
	intent, err := intentOf(object)
	if err != nil || intent.copied(object) || RemoteID(object) != "" {
		return false
	}
	if age := c.Now.Sub(intent.Time); object.Namespace != c.Object.Namespace && (age > intentLife || age < -ClockSkew) {
		return false
	}
	return intent.ExternalID != "" && intent.ExternalID == c.Remote.ExternalID ||
		IsMarker(intent.Name) && intent.Name == strings.TrimSpace(c.Remote.Name)
}

// Heir is the Import that takes over the remote import when the object is deleted: it is in the same
// namespace and Account, and names the import in spec.adopt. This is how an Import is renamed. nil
// when there is none.
func Heir(object *v1alpha1.Import, others []v1alpha1.Import) *v1alpha1.Import {
	id := RemoteID(object)
	for i := range others {
		other := &others[i]
		if id != "" && Recorded(object, id) && other.UID != object.UID && other.Namespace == object.Namespace && other.Spec.AccountRef == object.Spec.AccountRef &&
			other.Spec.Adopt != nil && strings.EqualFold(string(other.Spec.Adopt.ID), id) && other.DeletionTimestamp.IsZero() && !Observes(other) {
			return other
		}
	}
	return nil
}

// createdBefore reports whether one Import was created before another. Both may not be nil.
func createdBefore(one, other *v1alpha1.Import) bool {
	if one.CreationTimestamp.Equal(&other.CreationTimestamp) {
		return one.UID < other.UID
	}
	return one.CreationTimestamp.Before(&other.CreationTimestamp)
}
