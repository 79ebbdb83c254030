// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package importstate brings an Import together with its remote import: it locates, creates,
// recovers, replaces and deletes it. A reconcile makes one step after the other; each step is one
// effect, and after it a pure decision about the next. The model in the tests of this package
// drives the same steps through the same Effects, in every order of events.
package importstate

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/drift"
	"github.com/integrator-operator/integrator-operator/internal/integrator"
	"github.com/integrator-operator/integrator-operator/internal/ownership"
	"github.com/integrator-operator/integrator-operator/internal/problem"
)

// Step is the next effect of a Pass, or how it ended.
type Step int

const (
	// StepReread reads the object past the cache.
	StepReread Step = iota + 1
	// StepRestore puts the finalizer and the id annotation back.
	StepRestore
	// StepRenewIntent replaces a create intent that cannot be read.
	StepRenewIntent
	// StepSearch reads the account's list.
	StepSearch
	// StepAcquire writes the id of the import that the search found into the object.
	StepAcquire
	// StepRead reads the remote import.
	StepRead
	// StepWriteIntent writes the create intent.
	StepWriteIntent
	// StepCreate calls the API to create the remote import.
	StepCreate
	// StepPersistID writes the id of the created import into the object.
	StepPersistID
	// StepRemoveIntent removes the intent of a create that was not applied.
	StepRemoveIntent
	// StepDelete calls the API to delete the remote import.
	StepDelete
	// StepRelease removes the finalizer.
	StepRelease

	// Found is an end: the remote import exists and was read.
	Found
	// Created is an end: the remote import was created, and the API's response has its document.
	Created
	// Adopt is an end: spec.adopt names the import to take over.
	Adopt
	// Missing is an end: the observed import was deleted on the platform.
	Missing
	// Released is an end: the finalizer is off.
	Released
)

// Pass is what one reconcile knows about the remote import, and how far it has come. It is a value.
type Pass struct {
	Object *v1alpha1.Import
	Step   Step
	// Deleting: the object was being deleted when the pass began. One that is deleted meanwhile is
	// for the next pass, which looks at its deletionPolicy first.
	Deleting bool
	// Now is when the first search began, or the time of the reconcile before it.
	Now time.Time
	// Timeout is how long after an intent its create may still turn up in the account.
	Timeout time.Duration
	// Live: the object was read past the cache.
	Live bool
	// Scanned: a scan of the account has reached its end before the pass began, so that MarkerSeen and
	// Seen say something: an import is created only then.
	Scanned bool
	// MarkerSeen: the account was last seen to have an import with this Import's marker, or may have
	// one that a call of our own made. Seen are those that were created for this Import.
	MarkerSeen bool
	Seen       []string
	// Searches counts the lists that were read to their end. Found are the ids that the last one
	// had; Unmarked: one of them is without the marker.
	Searches int
	Found    []string
	Unmarked bool
	// ID is the remote import that the pass is about, Deleted the one that it found deleted.
	ID, Deleted string
	// Settling: the import of ID is known to exist, so that a 404 for it is not believed.
	Settling bool
	// Contradicted: the API answered 404 for a deletion, and had the import a moment before.
	Contradicted bool

	// cause is why the create was not applied.
	cause error
}

// Ended reports whether the pass has come to an end.
func (p Pass) Ended() bool { return p.Step >= Found }

// SearchResult is what a search of the account's list found.
type SearchResult struct {
	// Began is when the list was asked for.
	Began time.Time
	// IDs are the candidates that no other Import manages. Unmarked: one is without the marker.
	IDs      []string
	Unmarked bool
}

// CreateResult is what a create call made.
type CreateResult struct {
	ID string
	// Complete: the response has the document. A clone's has not.
	Complete bool
}

// Effects are what the steps do to Kubernetes and to the API. Each method is one write, one read
// or one call; an error ends the reconcile. Writes return the object as it is afterwards.
type Effects interface {
	Reread(ctx context.Context) (object *v1alpha1.Import, now time.Time, err error)
	RestoreMetadata(ctx context.Context, id string) (*v1alpha1.Import, error)
	RenewIntent(ctx context.Context) error
	Search(ctx context.Context, p Pass) (SearchResult, error)
	// Read reports whether the API has the import of p.ID.
	Read(ctx context.Context, p Pass) (found bool, err error)
	// ConfirmMissing refuses to take the missing import for deleted where it may be in another account.
	ConfirmMissing(ctx context.Context, p Pass) error
	WriteIntent(ctx context.Context, p Pass) (*v1alpha1.Import, error)
	// Create makes the call. What it did is told by integrator.OutcomeOf of its error.
	Create(ctx context.Context, p Pass) (CreateResult, error)
	PersistID(ctx context.Context, p Pass) (*v1alpha1.Import, error)
	// RemoveIntent removes the intent and, unless restored is "", remembers that id again.
	RemoveIntent(ctx context.Context, p Pass, restored string) error
	// Delete makes the call; the error says what to do when it was not applied.
	Delete(ctx context.Context, p Pass) (integrator.Outcome, error)
	Release(ctx context.Context, p Pass) error
}

// Machine makes the steps. Its fields are the decisions that it asks; a test replaces one to see
// that the model finds the mistake.
type Machine struct {
	Locate      func(Pass) Location
	Replace     func(Pass) Replacement
	AfterCreate func(integrator.Outcome) Creation
	AfterDelete func(integrator.Outcome) Deletion
	RestoredID  func(*v1alpha1.Import, ownership.Intent) string
	RemoteID    func(*v1alpha1.Import) string
}

// New returns the machine with its decisions.
func New() Machine {
	return Machine{Locate: Locate, Replace: Replace, AfterCreate: AfterCreate, AfterDelete: AfterDelete, RestoredID: RestoredID, RemoteID: ownership.RemoteID}
}

// Start decides about the first step of a pass.
func (m Machine) Start(p Pass) (Pass, error) {
	p.Deleting = !p.Object.DeletionTimestamp.IsZero()
	return m.locate(p)
}

// Advance makes one step: its effect, and the decision about the next.
func (m Machine) Advance(ctx context.Context, p Pass, e Effects) (Pass, error) {
	var err error
	switch p.Step {
	case StepReread:
		if p.Object, p.Now, err = e.Reread(ctx); err != nil {
			return p, err
		}
		p.Live = true
		return m.locate(p)
	case StepRenewIntent:
		if err := e.RenewIntent(ctx); err != nil {
			return p, err
		}
		return p, Unconfirmed(p.Timeout, nil)
	case StepSearch:
		return m.search(ctx, p, e)
	case StepRestore:
		p.Object, err = e.RestoreMetadata(ctx, p.ID)
		return p.then(StepRead, err)
	case StepAcquire:
		p.Object, err = e.PersistID(ctx, p)
		p.Settling = p.Deleted != ""
		return p.then(StepRead, err)
	case StepRead:
		return m.read(ctx, p, e)
	case StepWriteIntent:
		p.Object, err = e.WriteIntent(ctx, p)
		return p.then(StepCreate, err)
	case StepCreate:
		return m.create(ctx, p, e)
	case StepPersistID:
		p.Object, err = e.PersistID(ctx, p)
		if p.Settling {
			return p.then(StepRead, err)
		}
		return p.then(Created, err)
	case StepRemoveIntent:
		intent, _ := ownership.ParseIntent(p.Object, p.Now)
		if err := e.RemoveIntent(ctx, p, m.RestoredID(p.Object, intent)); err != nil {
			return p, err
		}
		return p, p.cause
	case StepDelete:
		return m.delete(ctx, p, e)
	case StepRelease:
		return p.then(Released, e.Release(ctx, p))
	case Found, Created, Adopt, Missing, Released:
		return p, nil
	default:
		return p, fmt.Errorf("importstate: unknown step %d", p.Step)
	}
}

// then goes on with a step unless the effect before it failed.
func (p Pass) then(next Step, err error) (Pass, error) {
	if err != nil {
		return p, err
	}
	p.Step = next
	return p, nil
}

// locate follows the decision about where the remote import is.
func (m Machine) locate(p Pass) (Pass, error) {
	switch location := m.Locate(p); location {
	case LocateRead:
		p.ID = m.RemoteID(p.Object)
		return p.then(StepRead, nil)
	case LocateRestore:
		p.ID = m.RemoteID(p.Object)
		return p.then(StepRestore, nil)
	case LocateReread:
		return p.then(StepReread, nil)
	case LocateRenewIntent:
		return p.then(StepRenewIntent, nil)
	case LocateSearch:
		return p.then(StepSearch, nil)
	case LocateAcquire:
		p.ID = p.Found[0]
		return p.then(StepAcquire, nil)
	case LocateAcquireSeen:
		p.ID = p.Seen[0]
		return p.then(StepAcquire, nil)
	case LocateAmbiguous:
		return p, ambiguous(p.Found)
	case LocateWait:
		intent, _ := ownership.ParseIntent(p.Object, p.Now)
		return p, Unconfirmed(p.timeLeft(intent), nil)
	case LocateCreate:
		return p.then(StepWriteIntent, nil)
	case LocateAdopt:
		p.ID = m.RemoteID(p.Object)
		return p.then(Adopt, nil)
	case LocateRelease:
		return p.then(StepRelease, nil)
	case LocateNothing:
		return p, problem.Terminalf(v1alpha1.ReasonNothingToObserve, "managementPolicy is Observe and there is no import to observe: set spec.adopt")
	default:
		return p, fmt.Errorf("importstate: unknown location %d", location)
	}
}

// search reads the account's list, and decides again with what it has.
func (m Machine) search(ctx context.Context, p Pass, e Effects) (Pass, error) {
	result, err := e.Search(ctx, p)
	if err != nil {
		return p, err
	}
	if p.Searches == 0 {
		p.Now = result.Began
	}
	p.Searches, p.Found, p.Unmarked = p.Searches+1, result.IDs, result.Unmarked
	if p.Deleted != "" {
		return m.replace(p)
	}
	return m.locate(p)
}

// read reads the remote import.
func (m Machine) read(ctx context.Context, p Pass, e Effects) (Pass, error) {
	found, err := e.Read(ctx, p)
	switch {
	case err != nil:
		return p, err
	case found && p.Contradicted:
		return p, problem.Terminalf(v1alpha1.ReasonDeletionBlocked, "the API answers 404 for the deletion of the import %s, or for what uses it, and has the import; it will be retried", p.ID)
	case found && p.Deleting:
		return p.then(StepDelete, nil)
	case found:
		return p.then(Found, nil)
	}
	if err := e.ConfirmMissing(ctx, p); err != nil {
		return p, err
	}
	if p.Settling && !p.Deleting {
		return p, Unconfirmed(problem.BackoffBase, nil)
	}
	p.Deleted, p.Searches, p.Found, p.Contradicted = p.ID, 0, nil, false
	return m.replace(p)
}

// replace follows the decision about a remote import that was deleted on the platform.
func (m Machine) replace(p Pass) (Pass, error) {
	switch replacement := m.Replace(p); replacement {
	case ReplaceSearch:
		return p.then(StepSearch, nil)
	case ReplaceRestore:
		p.ID, p.Deleted, p.Searches, p.Found = OtherID(p.Object, p.Deleted), "", 0, nil
		return p.then(StepRestore, nil)
	case ReplaceAcquire:
		p.ID = p.Found[0]
		return p.then(StepAcquire, nil)
	case ReplaceAmbiguous:
		return p, ambiguous(p.Found)
	case ReplaceCreate:
		return p.then(StepWriteIntent, nil)
	case ReplaceMissing:
		return p.then(Missing, nil)
	case ReplaceRelease:
		return p.then(StepRelease, nil)
	default:
		return p, fmt.Errorf("importstate: unknown replacement %d", replacement)
	}
}

// create makes the create call, and decides what follows.
func (m Machine) create(ctx context.Context, p Pass, e Effects) (Pass, error) {
	created, err := e.Create(ctx, p)
	switch next := m.AfterCreate(integrator.OutcomeOf(err)); next {
	case CreationPersist:
		p.ID, p.Settling = created.ID, !created.Complete
		return p.then(StepPersistID, nil)
	case CreationRemoveIntent:
		p.cause = err
		return p.then(StepRemoveIntent, nil)
	case CreationAwait:
		return p, Unconfirmed(problem.BackoffBase, err)
	default:
		return p, fmt.Errorf("importstate: unknown creation %d", next)
	}
}

// delete makes the delete call, and decides what follows. A 404 for what was there a moment ago is
// confirmed by another read: somebody has deleted it, or the 404 comes from a gateway.
func (m Machine) delete(ctx context.Context, p Pass, e Effects) (Pass, error) {
	outcome, err := e.Delete(ctx, p)
	switch next := m.AfterDelete(outcome); next {
	case DeletionComplete:
		if integrator.IsNotFound(err) {
			p.Contradicted = true
			return p.then(StepRead, nil)
		}
		return p.then(StepRelease, nil)
	case DeletionBlocked, DeletionRetry:
		return p, err
	default:
		return p, fmt.Errorf("importstate: unknown deletion %d", next)
	}
}

// Unconfirmed is the problem that a creation may or may not have happened. cause is the create's error, nil
// when it was made by an earlier reconcile.
func Unconfirmed(after time.Duration, cause error) *problem.Problem {
	p := problem.Waitingf(v1alpha1.ReasonCreateUnconfirmed, "the response to the creation was lost; the account is searched for the import before another is created")
	if status := integrator.StatusCode(cause); status != 0 {
		p = p.WithMessage("the API answered the creation with %d, which does not say whether the import was created; the account is searched for it before another is created", status)
	}
	return p.WithRetryAfter(after).WithCause(cause)
}

// ambiguous is the problem that several imports were found, or one that need not be this Import's.
func ambiguous(found []string) *problem.Problem {
	if len(found) == 1 {
		return problem.Terminalf(v1alpha1.ReasonAmbiguousCreate, "the import of this Import was deleted, and the account has another with its externalId and name: %s; delete that one, or delete this Import with deletionPolicy Orphan and create it again with spec.adopt", found[0]).
			WithRetryAfter(problem.BackoffMax)
	}
	return problem.Terminalf(v1alpha1.ReasonAmbiguousCreate, "the account has %d imports that may be this one: %s; delete all but one of them",
		len(found), drift.Cut(strings.Join(found, ", "), 300)).WithRetryAfter(problem.BackoffMax)
}
