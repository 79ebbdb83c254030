// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package watch

import (
	"slices"

	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/ownership"
	"github.com/integrator-operator/integrator-operator/internal/runstate"
)

// OnUpdate lets those updates through that wakes accepts, and no other event.
func OnUpdate(wakes func(event.UpdateEvent) bool) predicate.Predicate {
	return predicate.Funcs{
		UpdateFunc:  wakes,
		CreateFunc:  func(event.CreateEvent) bool { return false },
		DeleteFunc:  func(event.DeleteEvent) bool { return false },
		GenericFunc: func(event.GenericEvent) bool { return false },
	}
}

// ImportChanged lets an Import's event through when the spec changed, the object is being deleted,
// somebody requests a reconcile, or somebody removed what the operator keeps in its metadata.
// Status writes, above all the operator's own, wake no reconcile.
func ImportChanged() predicate.Predicate {
	return predicate.Or(
		predicate.GenerationChangedPredicate{},
		OnUpdate(func(e event.UpdateEvent) bool {
			before, after := e.ObjectOld.GetAnnotations(), e.ObjectNew.GetAnnotations()
			return before[v1alpha1.AnnotationDryRun] != after[v1alpha1.AnnotationDryRun] ||
				before[v1alpha1.AnnotationAllowNamesake] != after[v1alpha1.AnnotationAllowNamesake] ||
				before[v1alpha1.AnnotationReconcileRequestedAt] != after[v1alpha1.AnnotationReconcileRequestedAt] ||
				unlabelled(e) && after[v1alpha1.AnnotationID] != "" ||
				confirmedBefore(e) ||
				incomplete(e) ||
				ownership.HasFinalizer(e.ObjectOld) && !ownership.HasFinalizer(e.ObjectNew) ||
				before[v1alpha1.AnnotationID] != "" && before[v1alpha1.AnnotationID] != after[v1alpha1.AnnotationID] && after[v1alpha1.AnnotationCreatePending] == ""
		}),
	)
}

// confirmedBefore reports whether somebody took away, or contradicted, what says where the remote import is
// that an Import was created with. The operator itself writes the id in its place, or another intent.
func confirmedBefore(e event.UpdateEvent) bool {
	before, after := e.ObjectOld.(*v1alpha1.Import), e.ObjectNew.(*v1alpha1.Import)
	id, intent := after.Annotations[v1alpha1.AnnotationID], after.Annotations[v1alpha1.AnnotationCreatePending]
	switch {
	case !ownership.Confirmed(before):
		return false
	case ownership.Confirmed(after):
		return unlabelled(e)
	case id == "":
		return intent == ""
	default:
		return id != after.Status.ID || intent != ""
	}
}

// incomplete reports whether the operator wrote the id of a remote import into the status while the metadata does
// not keep it: somebody took away what it wrote there before, in the middle of a creation.
func incomplete(e event.UpdateEvent) bool {
	before, after := e.ObjectOld.(*v1alpha1.Import), e.ObjectNew.(*v1alpha1.Import)
	id := after.Status.ID
	return id != "" && id != before.Status.ID && !ownership.Observes(after) && !ownership.HasMetadata(after, id)
}

// unlabelled reports whether somebody removed the label of the remote import, or made it another one than it should
// be.
func unlabelled(e event.UpdateEvent) bool {
	before, after := e.ObjectOld.(*v1alpha1.Import), e.ObjectNew.(*v1alpha1.Import)
	was, is := before.Labels[v1alpha1.LabelRemoteImport], after.Labels[v1alpha1.LabelRemoteImport]
	return was != "" && was != is && !ownership.HasLabel(after)
}

// RemoteIDChanged lets an Import's event through when its status has the id of another remote
// import than before.
func RemoteIDChanged() predicate.Predicate {
	return OnUpdate(func(e event.UpdateEvent) bool {
		before, after := e.ObjectOld.(*v1alpha1.Import), e.ObjectNew.(*v1alpha1.Import)
		return before.Status.ID != after.Status.ID
	})
}

// RemoteReleased lets an Import's event through when the Import may have let go of its remote
// import: it is deleted, or its status or its metadata no longer has the id.
func RemoteReleased() predicate.Predicate {
	return predicate.Funcs{
		CreateFunc: func(event.CreateEvent) bool { return false },
		UpdateFunc: func(e event.UpdateEvent) bool {
			before, after := e.ObjectOld.(*v1alpha1.Import), e.ObjectNew.(*v1alpha1.Import)
			id := ownership.RemoteID(before)
			return id != "" && ownership.Manages(before, id) && !ownership.Manages(after, id)
		},
		GenericFunc: func(event.GenericEvent) bool { return false },
	}
}

// FinalizerChanged lets an Import's event through when the Import begins or ends to need its
// Account, which is while it has the operator's finalizer. A deletion comes through too.
func FinalizerChanged() predicate.Predicate {
	return predicate.Funcs{
		CreateFunc: func(e event.CreateEvent) bool { return ownership.HasFinalizer(e.Object) },
		UpdateFunc: func(e event.UpdateEvent) bool {
			return ownership.HasFinalizer(e.ObjectOld) != ownership.HasFinalizer(e.ObjectNew)
		},
		GenericFunc: func(event.GenericEvent) bool { return false },
	}
}

// LostFinalizer lets an update through that removed the finalizer of this name.
func LostFinalizer(name string) predicate.Predicate {
	return OnUpdate(func(e event.UpdateEvent) bool {
		return slices.Contains(e.ObjectOld.GetFinalizers(), name) && !slices.Contains(e.ObjectNew.GetFinalizers(), name)
	})
}

// RunAnswered lets a run's event through when the outcome of its call is recorded. A process that is about
// to end may have recorded it, and the one that leads goes on.
func RunAnswered() predicate.Predicate {
	return OnUpdate(func(e event.UpdateEvent) bool {
		before, after := e.ObjectOld.(*v1alpha1.ImportRun), e.ObjectNew.(*v1alpha1.ImportRun)
		return !runstate.Finished(before) && runstate.UnderWay(before) && (runstate.Finished(after) || !runstate.UnderWay(after))
	})
}

// RunEnded lets a run's event through when the run ends or is deleted.
func RunEnded() predicate.Predicate {
	return predicate.Funcs{
		CreateFunc: func(event.CreateEvent) bool { return false },
		UpdateFunc: func(e event.UpdateEvent) bool {
			return !runstate.Finished(e.ObjectOld.(*v1alpha1.ImportRun)) && runstate.Finished(e.ObjectNew.(*v1alpha1.ImportRun))
		},
		GenericFunc: func(event.GenericEvent) bool { return false },
	}
}
