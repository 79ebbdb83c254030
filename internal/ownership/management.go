// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package ownership

import (
	"strings"

	"k8s.io/apimachinery/pkg/api/equality"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
)

// Admission decides by status.management: it sees no annotations and no finalizers, and an intent is
// an annotation. So the status says None only where nothing stands that could make a remote import,
// and it is taken back before an intent, a claim or an id is written. Annotations and finalizers can be
// taken away. So of an Import that has no status, and that this process has not seen from its beginning,
// the status does not say None: an earlier process may have written an intent.

// Untouched reports whether nothing in the Import speaks of a remote import: no id, no intent, no
// claim, no finalizer.
func Untouched(object *v1alpha1.Import) bool {
	return object.Status.ID == "" && object.Annotations[v1alpha1.AnnotationID] == "" && object.Annotations[v1alpha1.AnnotationCreatePending] == "" &&
		object.Annotations[v1alpha1.AnnotationAdoptPending] == "" && !HasFinalizer(object)
}

// ManagementOf is the status.management of the Import. nothingBefore says that nothing was made for
// it before its metadata was read: metadata alone does not prove that, because anybody may take it
// away.
func ManagementOf(object *v1alpha1.Import, nothingBefore bool) v1alpha1.ManagementState {
	id := object.Status.ID
	switch {
	case Untouched(object) && nothingBefore:
		return v1alpha1.ManagementStateNone
	case id != "" && OnlyObserved(object):
		// Whatever anybody has written into the metadata.
		return v1alpha1.ManagementStateObserved
	case id == "" || RemoteID(object) != id:
		return ""
	case Observes(object):
		return v1alpha1.ManagementStateObserved
	case (object.Annotations[v1alpha1.AnnotationID] == id || Confirmed(object)) && HasFinalizer(object) && len(object.Status.OwnedFields) > 0:
		return v1alpha1.ManagementStateManaged
	default:
		return ""
	}
}

// NothingBefore reports whether nothing was made for the Import before this reconcile, as far as the
// status that it has read can tell: it has None, or this reconcile took a claim back, or there never was a
// status, and this process has seen the Import appear and nothing written to its metadata since. Where
// metadata was taken away, the status remains. markerSeen says that the account has an import with the
// Import's ownership marker, or may have one.
func NothingBefore(before *v1alpha1.Import, appeared, withdrawn, markerSeen bool) bool {
	none := before.Status.Management == v1alpha1.ManagementStateNone
	return (unreported(before) && appeared || none || withdrawn) && !markerSeen
}

// unreported reports whether the Import has never had a status.
func unreported(object *v1alpha1.Import) bool {
	return object.Status.ObservedGeneration < 1 && len(object.Status.Conditions) == 0
}

// ReportsFirst reports whether the status has to be written before metadata that says that a remote
// import exists or may come: to take None back. before is the Import as it was read.
func ReportsFirst(before *v1alpha1.Import) bool {
	return before.Status.Management == v1alpha1.ManagementStateNone
}

// CanReport reports whether the status of ours can be written to the version that the Import has now:
// it still has the status of before, which was read; somebody changed a label, say. What was found in
// one account is not the status of an Import that is in another by now, and one for which another
// process has begun to make something does not become None. The id of what an intent made is written
// while that intent stands, or where nothing speaks of another: see importstate.CanPersistID. The id of
// what was adopted is written only beside the same id in the metadata: where somebody took that away,
// another Import may have adopted the import meanwhile.
func CanReport(ours, before, live *v1alpha1.Import) bool {
	return live.UID == ours.UID && equality.Semantic.DeepEqual(live.Status, before.Status) &&
		live.Spec.AccountRef == ours.Spec.AccountRef &&
		(ours.Status.Management != v1alpha1.ManagementStateNone || Untouched(live)) &&
		(ours.Status.CreateToken == before.Status.CreateToken || SameRecord(ours, live) || !HasRecord(live)) &&
		(!recordsAdoption(ours, before) || live.Annotations[v1alpha1.AnnotationID] == ours.Status.ID)
}

// recordsAdoption reports whether the status of ours has, for the first time, an import that was adopted,
// and not created again by an intent of before.
func recordsAdoption(ours, before *v1alpha1.Import) bool {
	id, adopt := ours.Status.ID, ours.Spec.Adopt
	return adopt != nil && (adopt.ID == "" || strings.EqualFold(string(adopt.ID), id)) &&
		id != "" && Recorded(ours, id) && ours.Status.CreateToken == "" &&
		(before.Status.ID == "" || OnlyObserved(before)) && (!CreatePending(before) || replaces(before) == "")
}

// SameRecord reports whether two versions of an Import have the same create intent and the same id in their
// metadata.
func SameRecord(one, other *v1alpha1.Import) bool {
	return one.Annotations[v1alpha1.AnnotationCreatePending] == other.Annotations[v1alpha1.AnnotationCreatePending] &&
		one.Annotations[v1alpha1.AnnotationID] == other.Annotations[v1alpha1.AnnotationID]
}

// HasRecord reports whether the metadata of an Import has a create intent, or an id.
func HasRecord(object *v1alpha1.Import) bool {
	return CreatePending(object) || object.Annotations[v1alpha1.AnnotationID] != ""
}
