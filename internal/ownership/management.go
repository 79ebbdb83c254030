// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package ownership

import (
	"k8s.io/apimachinery/pkg/api/equality"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
)

// Admission decides by status.management: it sees no annotations and no finalizers, and an intent is
// an annotation. So the status says None only where nothing stands that could make a remote import,
// and it is taken back before an intent, a claim or an id is written.

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

// Sight is what the operator sees of the Import's account while it reports.
type Sight struct {
	// Usable: the account can be used. Scanned: a scan has reached its end.
	Usable, Scanned bool
	// MarkerSeen: the account has an import with the Import's ownership marker, or may have one.
	MarkerSeen bool
}

// NothingBefore reports whether nothing was made for the Import before this reconcile, as far as the
// status that it has read can tell: there never was one, it has None, or this reconcile took a claim
// back. Where metadata was taken away, the status remains.
func NothingBefore(before *v1alpha1.Import, withdrawn bool, sight Sight) bool {
	status := &before.Status
	fresh := status.ObservedGeneration < 1 && len(status.Conditions) == 0
	return (fresh || LeavesNone(before) || withdrawn) && !(sight.Usable && sight.MarkerSeen)
}

// LeavesNone reports whether None has to be taken back before metadata is written that says otherwise.
// before is the Import as it was read.
func LeavesNone(before *v1alpha1.Import) bool {
	return before.Status.Management == v1alpha1.ManagementStateNone
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
