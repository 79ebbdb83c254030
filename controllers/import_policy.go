// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/integrator"
)

// The decisions of an Import about where its remote import is, and whether one is made or
// deleted: pure functions of what is known. Each names the one step that comes next; the step
// adds to what is known. Those of an adoption's claim are in import_claim.go.

// importStep is what comes next for an Import and its remote import.
type importStep int

const (
	// doNothing: there is nothing to do, or to wait for.
	doNothing importStep = iota
	// doLook reads the remote import of the id that is remembered.
	doLook
	// doRemember puts the finalizer and the id back into the object first.
	doRemember
	// doReread reads the object past the cache.
	doReread
	// doRenew writes an intent that cannot be read anew.
	doRenew
	// doSearch reads the account's list for what was made for this Import.
	doSearch
	// doTake takes over the one import that was found, doChoose has a person choose among several.
	doTake
	doChoose
	// doAwait looks again later: a call may be under way still.
	doAwait
	// doMake makes the remote import, doAdopt takes over the one that is named.
	doMake
	doAdopt
	// doRefuse: there is no import to observe.
	doRefuse
	// doWriteDown keeps the id of what was made, doTakeBack takes the intent back.
	doWriteDown
	doTakeBack
	// doDelete deletes the remote import, doRelease lets the object go.
	doDelete
	doRelease
	// doHold: spec.suspend, or what stands against a deletion, holds it.
	doHold
	// doClaim writes the claim of an adoption, doOwn makes it the id; doContest leaves it to
	// another Import, doYield takes the claim back too.
	doClaim
	doOwn
	doContest
	doYield
)

// intent is the value of the create-pending annotation: what the import that is being
// created can be found by, should the answer be lost.
type intent struct {
	ExternalID string    `json:"externalId"`
	Name       string    `json:"name"`
	Time       time.Time `json:"time"`
	// Replaces is the id of the import that was deleted by somebody, if it is made again.
	Replaces string `json:"replaces,omitempty"`
}

// intentOf reads the intent. One that is damaged or from the future is not readable.
func intentOf(object *v1alpha1.Import, now time.Time) (pending intent, readable bool) {
	err := json.Unmarshal([]byte(object.Annotations[v1alpha1.AnnotationCreatePending]), &pending)
	return pending, err == nil && pending.ExternalID != "" && !pending.Time.After(now)
}

// callUntil is when the call of an intent ends at the latest. It counts from the intent, not
// from the call: a process may stand still between the two, and after the grace another may
// make the import.
func (i intent) callUntil(grace time.Duration) time.Time { return i.Time.Add(grace / 2) }

// known is what a pass knows when it decides.
type known struct {
	object *v1alpha1.Import
	// live tells that the object was read past the cache.
	live bool
	// at is when the pass began to search the account, or the present if it has not.
	at    time.Time
	grace time.Duration
	// searches counts how often the list was read to its end, found are the ids that it showed last.
	searches int
	found    []string
	// unsure tells that one of them is without our mark.
	unsure bool
	// marked tells that the account was last seen to have an import that was made for this one.
	marked bool
}

// remoteID is the id that the Import remembers. While a create is pending there is none,
// whatever the status still says.
func remoteID(object *v1alpha1.Import) string {
	if id := object.Annotations[v1alpha1.AnnotationID]; id != "" {
		return id
	}
	if pending(object) {
		return ""
	}
	return object.Status.ID
}

// pending tells that an intent stands: a create may have been made.
func pending(object *v1alpha1.Import) bool {
	return object.Annotations[v1alpha1.AnnotationCreatePending] != ""
}

// observing tells that nothing may be written to the remote import.
func observing(object *v1alpha1.Import) bool {
	return object.Spec.ManagementPolicy == v1alpha1.ManagementPolicyObserve
}

// onlyObserved tells that the Import knows its remote import from observing it: to manage it,
// it has to take it over.
func onlyObserved(object *v1alpha1.Import) bool {
	return object.Spec.Adopt != nil && object.Annotations[v1alpha1.AnnotationID] == "" && !hasFinalizer(object)
}

// locate says how the remote import is found: it is remembered, or a create whose answer was
// lost has made it, or there is none.
func (k known) locate() importStep {
	id, deleting := remoteID(k.object), !k.object.DeletionTimestamp.IsZero()
	switch {
	case id != "" && (deleting || observing(k.object)):
		return doLook
	case id != "" && onlyObserved(k.object):
		return doAdopt
	case id != "" && (k.object.Annotations[v1alpha1.AnnotationID] != id || !hasFinalizer(k.object)):
		return doRemember
	case id != "":
		return doLook
	case !pending(k.object):
		return k.begin()
	case !k.live:
		return doReread
	default:
		return k.recover()
	}
}

// recover decides about an intent without an id. Not found once is not enough: a list is read
// page by page, and what is deleted meanwhile can shift an import past the reader. And nothing
// counts as not found where the search began while the call could be under way.
func (k known) recover() importStep {
	pending, readable := intentOf(k.object, k.at)
	switch {
	case !readable:
		// Damaged: the grace begins anew.
		return doRenew
	case k.searches == 0:
		return doSearch
	case len(k.found) > 0:
		return k.choose()
	case k.rest(pending) > 0:
		return doAwait
	case k.searches == 1:
		return doSearch
	default:
		return k.begin()
	}
}

// rest is how long the call of the intent may be under way still, as of the first search.
func (k known) rest(pending intent) time.Duration { return pending.Time.Add(k.grace).Sub(k.at) }

func (k known) choose() importStep {
	if len(k.found) == 1 {
		return doTake
	}
	return doChoose
}

// begin decides for an Import that has no remote import. One that is made again is not looked
// for where it was adopted. One that nothing tells of, and whose mark is in the account, was
// made before: its metadata was taken back, as by an older copy of etcd.
func (k known) begin() importStep {
	pending, _ := intentOf(k.object, k.at)
	switch {
	case !k.object.DeletionTimestamp.IsZero():
		return doRelease
	case k.object.Spec.Adopt != nil && (pending.Replaces == "" || observing(k.object)):
		return doAdopt
	case observing(k.object):
		return doRefuse
	case k.marked && k.searches == 0:
		return doSearch
	case k.marked && len(k.found) > 0:
		return k.choose()
	default:
		return doMake
	}
}

// replace decides for an Import whose remote import somebody deleted: another with our mark may
// still be there, as when the Secret led to another account for a while. As in recover, not found
// once is not enough.
func (k known) replace() importStep {
	switch {
	case k.searches == 0:
		return doSearch
	case len(k.found) > 0 && k.unsure:
		// Somebody may have made it by hand, or in another cluster.
		return doChoose
	case len(k.found) > 0:
		return k.choose()
	case k.searches == 1 && !observing(k.object):
		return doSearch
	case !k.object.DeletionTimestamp.IsZero():
		return doRelease
	case observing(k.object):
		return doRefuse
	default:
		return doMake
	}
}

// elsewhere is the id to look at where the API has no import of this one, "" if there is none:
// when the annotation was changed by others, the status still has it.
func elsewhere(object *v1alpha1.Import, id string) string {
	if object.Status.ID == id {
		return ""
	}
	return object.Status.ID
}

// made says what follows a create. Only when it is known not to have been applied the intent
// goes; otherwise the next pass looks for what the call may have made.
func made(call fate) importStep {
	switch call {
	case fateAnswered:
		return doWriteDown
	case fateRefused:
		return doTakeBack
	default:
		return doAwait
	}
}

// mayTakeBack tells that the intent which was written into ours still stands: another process may
// have replaced it by its own, whose call is under way.
func mayTakeBack(ours, live *v1alpha1.Import) bool {
	return live.Annotations[v1alpha1.AnnotationCreatePending] == ours.Annotations[v1alpha1.AnnotationCreatePending] &&
		live.Annotations[v1alpha1.AnnotationID] == ours.Annotations[v1alpha1.AnnotationID]
}

// mayWriteDown tells that an id may still be written down. An intent or an id of another process
// stays; where both were taken out of the metadata, this is the last that knows.
func mayWriteDown(ours, live *v1alpha1.Import) bool {
	return mayTakeBack(ours, live) || !pending(live) && live.Annotations[v1alpha1.AnnotationID] == ""
}

// takenBack is the id that is remembered when the intent is taken back. What was adopted and is
// gone stays remembered, or it would be looked for as if it had never been there.
func takenBack(object *v1alpha1.Import, pending intent) string {
	if object.Spec.Adopt == nil {
		return ""
	}
	return pending.Replaces
}

// letGo says how the deletion of an Import begins.
func (k known) letGo() importStep {
	object := k.object
	switch {
	case !hasFinalizer(object):
		return doNothing
	case object.Spec.DeletionPolicy == v1alpha1.DeletionPolicyOrphan || observing(object):
		return doRelease
	case object.Spec.Suspend:
		return doHold
	case remoteID(object) == "" && !pending(object):
		return doRelease
	default:
		return k.locate()
	}
}

// deleted says what follows the deletion of the remote import: the object goes only when the API
// said that the import is gone.
func deleted(call fate) importStep {
	switch call {
	case fateAnswered:
		return doRelease
	case fateRefused:
		return doHold
	default:
		return doAwait
	}
}

// isCandidate tells that an import of the account may have been made for the object: it carries
// our mark or, when the user had declared an externalId, that one, the name, and a creation time
// after the intent.
func isCandidate(object *v1alpha1.Import, pending intent, document integrator.Import) bool {
	if strings.HasPrefix(document.Name, v1alpha1.MarkerPrefix) && document.Name != marker(object) {
		// A copy that another Import is just making: its other fields are the original's.
		return false
	}
	return isMarked(object, document) ||
		document.ExternalID == pending.ExternalID && strings.TrimSpace(document.Name) == strings.TrimSpace(pending.Name) && createdSince(document.CreatedAt, pending.Time.Add(-clockSkew))
}

// isMarked tells that an import carries our mark, as externalId or, a new copy, as its name.
func isMarked(object *v1alpha1.Import, document integrator.Import) bool {
	return document.ExternalID == marker(object) || document.Name == marker(object)
}

// clockSkew is how far the API's clock may be off ours where a creation time is compared.
const clockSkew = 10 * time.Minute

// createdSince compares the API's creation time. One that cannot be read counts as since:
// a false candidate stops the create, a missed one would double it.
func createdSince(createdAt string, since time.Time) bool {
	created, err := time.Parse(time.RFC3339, createdAt)
	return err != nil || created.After(since)
}
