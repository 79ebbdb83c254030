// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package importstate

import (
	"time"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/integrator"
	"github.com/integrator-operator/integrator-operator/internal/ownership"
)

// The decisions about where the remote import is, and whether one is created or deleted: pure
// functions of what a reconcile knows, each with an enum of its own. The claim of an adoption is
// decided in package ownership.

// Location says how the remote import is found.
type Location int

const (
	// LocateRead: its id is remembered.
	LocateRead Location = iota
	// LocateRestore: its id is remembered, and the finalizer, the id annotation or the label is missing.
	LocateRestore
	// LocateReread: a create intent stands; the object has to be read past the cache.
	LocateReread
	// LocateRenewIntent: the create intent cannot be read; the timeout begins anew.
	LocateRenewIntent
	// LocateSearch: the account's list may have an import that was created for this Import.
	LocateSearch
	// LocateAcquire: the search found the one import.
	LocateAcquire
	// LocateAcquireSeen: the last scan found the one import.
	LocateAcquireSeen
	// LocateAmbiguous: the search found several; a person has to choose.
	LocateAmbiguous
	// LocateWait: a create call may still be under way.
	LocateWait
	// LocateCreate: there is none; one is created.
	LocateCreate
	// LocateAdopt: spec.adopt names it.
	LocateAdopt
	// LocateNothing: there is none, and none to observe.
	LocateNothing
	// LocateRelease: there is none, and the object is being deleted.
	LocateRelease
)

// Locate says how the remote import is found: it is remembered, or a create whose response was
// lost has made it, or there is none.
func Locate(p Pass) Location {
	id := ownership.RemoteID(p.Object)
	switch {
	case id != "" && (p.Deleting || ownership.Observes(p.Object)):
		return LocateRead
	case id != "" && ownership.OnlyObserved(p.Object):
		return LocateAdopt
	case id != "" && !ownership.IsComplete(p.Object, id):
		return LocateRestore
	case id != "":
		return LocateRead
	case !ownership.CreatePending(p.Object):
		return p.begin()
	case !p.Live:
		return LocateReread
	default:
		return p.recover()
	}
}

// recover decides about an intent without an id. Not found once is not enough: a list is read
// page by page, and what is deleted meanwhile can shift an import past the reader. And nothing
// counts as not found where the search began while the call could be under way.
func (p Pass) recover() Location {
	intent, readable := ownership.ParseIntent(p.Object, p.Now)
	switch {
	case !readable:
		return LocateRenewIntent
	case p.Searches == 0 && len(p.Seen) == 1 && intent.Replaces == "" && p.timeLeft(intent) <= 0:
		// No call is under way that could make another. Many may have lost their status at once.
		return LocateAcquireSeen
	case p.Searches == 0:
		return LocateSearch
	case len(p.Found) > 0:
		return p.acquire()
	case p.timeLeft(intent) > 0:
		return LocateWait
	case p.Searches == 1:
		return LocateSearch
	default:
		return p.begin()
	}
}

// timeLeft is how long the call of the intent may still be under way, as of the first search.
func (p Pass) timeLeft(intent ownership.Intent) time.Duration {
	return intent.Time.Add(p.Timeout).Sub(p.Now)
}

func (p Pass) acquire() Location {
	if len(p.Found) == 1 {
		return LocateAcquire
	}
	return LocateAmbiguous
}

// begin decides for an Import that has no remote import. One that is created again is not adopted
// again. When nothing in the object speaks of an import and the account has its marker, it was
// created before and its metadata was lost, as when etcd was restored to an older state.
func (p Pass) begin() Location {
	intent, _ := ownership.ParseIntent(p.Object, p.Now)
	switch {
	case p.Deleting:
		return LocateRelease
	case p.Object.Spec.Adopt != nil && (intent.Replaces == "" || ownership.Observes(p.Object)):
		return LocateAdopt
	case ownership.Observes(p.Object):
		return LocateNothing
	case p.MarkerSeen && p.Searches == 0 && len(p.Seen) == 1:
		// Thousands of Imports may come at once, to a new cluster: no search for each.
		return LocateAcquireSeen
	case p.MarkerSeen && p.Searches == 0:
		return LocateSearch
	case p.MarkerSeen && len(p.Found) > 0:
		return p.acquire()
	default:
		return LocateCreate
	}
}

// Replacement says what follows when the remote import was deleted on the platform.
type Replacement int

const (
	// ReplaceSearch: the account's list may have another that was created for this Import.
	ReplaceSearch Replacement = iota
	// ReplaceRestore: the status has another id, which is read instead.
	ReplaceRestore
	// ReplaceAcquire: the search found the one import.
	ReplaceAcquire
	// ReplaceAmbiguous: the search found several, or one that need not be this Import's.
	ReplaceAmbiguous
	// ReplaceCreate: it is created again.
	ReplaceCreate
	// ReplaceMissing: it was only observed, and is not created again.
	ReplaceMissing
	// ReplaceRelease: the object is being deleted, and nothing is left of its import.
	ReplaceRelease
)

// Replace decides for an Import whose remote import was deleted on the platform: another with its
// marker may still be there, as when the Secret led to another account for a while. As in
// recover, not found once is not enough.
func Replace(p Pass) Replacement {
	switch {
	case p.Searches == 0:
		return ReplaceSearch
	case OtherID(p.Object, p.Deleted) != "":
		// Somebody else has changed the annotation. Or the status is behind, after a creation; then the search has
		// refused, because the list has what was created.
		return ReplaceRestore
	case len(p.Found) == 1 && !p.Unmarked:
		return ReplaceAcquire
	case len(p.Found) > 0:
		// One without the marker may have been created by hand, or in another cluster.
		return ReplaceAmbiguous
	case p.Searches == 1 && !ownership.Observes(p.Object):
		return ReplaceSearch
	case p.Deleting:
		return ReplaceRelease
	case ownership.Observes(p.Object):
		return ReplaceMissing
	default:
		return ReplaceCreate
	}
}

// OtherID is the id to read where the API does not have the import of this id, "" when there is
// none: when the annotation was changed by somebody else, the status still has it.
func OtherID(object *v1alpha1.Import, id string) string {
	if object.Status.ID == id {
		return ""
	}
	return object.Status.ID
}

// Creation says what follows a create call.
type Creation int

const (
	// CreationPersist: the id is written into the object.
	CreationPersist Creation = iota
	// CreationRemoveIntent: nothing was created; the intent is removed.
	CreationRemoveIntent
	// CreationAwait: the intent stays, and the next reconcile searches the account.
	CreationAwait
)

// AfterCreate says what follows a create call. The intent is removed only when the call is known
// not to have been applied.
func AfterCreate(outcome integrator.Outcome) Creation {
	switch outcome {
	case integrator.OutcomeApplied:
		return CreationPersist
	case integrator.OutcomeNotApplied:
		return CreationRemoveIntent
	case integrator.OutcomeFailed, integrator.OutcomeUnknown:
		return CreationAwait
	default:
		return CreationAwait
	}
}

// CanRemoveIntent reports whether the intent that was written into ours still stands: another process
// may have replaced it by its own, whose call is under way. What was created in one account is not
// the import of an Import that is in another by now.
func CanRemoveIntent(ours, live *v1alpha1.Import) bool {
	return live.Spec.AccountRef == ours.Spec.AccountRef && ownership.SameRecord(ours, live)
}

// CanPersistID reports whether an id may still be written into the object. An intent or an id of
// another process stays; where both were taken out of the metadata, this process is the last
// that knows the id.
func CanPersistID(ours, live *v1alpha1.Import) bool {
	return CanRemoveIntent(ours, live) || live.Spec.AccountRef == ours.Spec.AccountRef && !ownership.HasRecord(live)
}

// RestoredID is the id that is remembered when an intent is taken back. An adopted import that was
// deleted on the platform stays remembered, or it would be adopted as if it had never been there.
func RestoredID(object *v1alpha1.Import, intent ownership.Intent) string {
	if object.Spec.Adopt == nil {
		return ""
	}
	return intent.Replaces
}

// DeletionStart says how the deletion of an Import begins.
type DeletionStart int

const (
	// DeletionDone: the finalizer is off already.
	DeletionDone DeletionStart = iota
	// DeletionRelease: the finalizer is removed, and the remote import stays, or never existed.
	DeletionRelease
	// DeletionSuspended: spec.suspend stops the deletion.
	DeletionSuspended
	// DeletionLocate: the remote import has to be found and deleted first.
	DeletionLocate
)

// BeginDeletion says how the deletion of an Import begins.
func BeginDeletion(object *v1alpha1.Import) DeletionStart {
	switch {
	case !ownership.HasFinalizer(object):
		return DeletionDone
	case object.Spec.DeletionPolicy == v1alpha1.DeletionPolicyOrphan || ownership.Observes(object) || ownership.OnlyObserved(object):
		return DeletionRelease
	case object.Spec.Suspend:
		return DeletionSuspended
	case ownership.RemoteID(object) == "" && !ownership.CreatePending(object):
		return DeletionRelease
	default:
		return DeletionLocate
	}
}

// Deletion says what follows a delete call.
type Deletion int

const (
	// DeletionComplete: the remote import is deleted; the object is released.
	DeletionComplete Deletion = iota
	// DeletionBlocked: the API refuses; a person has to act.
	DeletionBlocked
	// DeletionRetry: the outcome is unknown; the call is made again later.
	DeletionRetry
)

// AfterDelete says what follows a delete call: the object is released only when the API said that
// the import is deleted.
func AfterDelete(outcome integrator.Outcome) Deletion {
	switch outcome {
	case integrator.OutcomeApplied:
		return DeletionComplete
	case integrator.OutcomeNotApplied:
		return DeletionBlocked
	case integrator.OutcomeFailed, integrator.OutcomeUnknown:
		return DeletionRetry
	default:
		return DeletionRetry
	}
}
