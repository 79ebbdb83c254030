// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package ownership

import (
	"k8s.io/apimachinery/pkg/api/equality"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
)

// Admission decides by status.management: it sees no annotations and no finalizers, and an intent is
// an annotation. So the status says None only where nothing stands that could make a remote import,
// and it is taken back before an intent, a claim or an id is written. A create intent is written only
// beside a status, which remains when annotations and finalizers are taken away.

// Untouched reports whether nothing in the Import speaks of a remote import: no id, no intent, no
// claim, no finalizer.
func Untouched(object *v1alpha1.Import) bool {
	return object.Status.ID == "" && object.Annotations[v1alpha1.AnnotationID] == "" && !CreatePending(object) &&
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
	case id == "" || RemoteID(object) != id:
		return ""
	case Observes(object), OnlyObserved(object):
		return v1alpha1.ManagementStateObserved
	case object.Annotations[v1alpha1.AnnotationID] == id && HasFinalizer(object) && len(object.Status.OwnedFields) > 0:
		return v1alpha1.ManagementStateManaged
	default:
		return ""
	}
}

// NothingBefore reports whether nothing was made for the Import before this reconcile, as far as the
// status that it has read can tell: there never was one, it has None, or this reconcile took a claim
// back. Where metadata was taken away, the status remains. markerSeen says that the account has an import
// with the Import's ownership marker, or may have one.
func NothingBefore(before *v1alpha1.Import, withdrawn, markerSeen bool) bool {
	none := before.Status.Management == v1alpha1.ManagementStateNone
	return (unreported(before) || none || withdrawn) && !markerSeen
}

// unreported reports whether the Import has never had a status.
func unreported(object *v1alpha1.Import) bool {
	return object.Status.ObservedGeneration < 1 && len(object.Status.Conditions) == 0
}

// ReportsFirst reports whether the status has to be written before metadata that says that a remote
// import exists or may come: to take None back or, before a create intent, to have a status at all.
// Without one, a process that is killed before it reports would leave nothing but metadata, and that
// can be taken away. before is the Import as it was read.
func ReportsFirst(before *v1alpha1.Import, creates bool) bool {
	return before.Status.Management == v1alpha1.ManagementStateNone || creates && unreported(before)
}

// CanReport reports whether the status of ours can be written to the version that the Import has now:
// it still has the status of before, which was read; somebody changed a label, say. What was found in
// one account is not the status of an Import that is in another by now, and one for which another
// process has begun to make something does not become None.
func CanReport(ours, before, live *v1alpha1.Import) bool {
	return live.UID == ours.UID && equality.Semantic.DeepEqual(live.Status, before.Status) &&
		live.Spec.AccountRef == ours.Spec.AccountRef &&
		(ours.Status.Management != v1alpha1.ManagementStateNone || Untouched(live))
}
