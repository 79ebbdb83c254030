// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package ownership

import "github.com/integrator-operator/integrator-operator/api/v1alpha1"

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
