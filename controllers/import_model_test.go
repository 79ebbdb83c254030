// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/integrator"
)

// The model check of Imports: one or two of them, two processes that both believe to lead, each
// with a cache that may be behind, and every order in which their steps, crashes, the answers of
// the account, its users and the clock can fall. The decisions are those of the controller itself
// (importDecisions); the model is what is around them: an API server that refuses a write to an
// old version, and an account that applies a call once, late, or never.
// What is promised is in import_modelcheck_test.go, how it is searched in modelsearch_test.go.

const (
	importProcesses = 2
	// importRemotes and importIntents are more than can be spoken of at a time. Number 0 is none.
	importRemotes = 7
	importIntents = 8
	// someIntent stands for one of which it is only known that it is there.
	someIntent = importIntents - 1
	// adoptee is the remote import that is there from the beginning.
	adoptee = 1
	// importGrace is the grace of a create. Time goes on by half of it.
	importGrace = 2 * time.Minute
	// overdue is the age of an intent, in halves of the grace, when the grace is over.
	overdue = 2
)

// importWorld is one state of everything. It is a value, and comparable.
type importWorld struct {
	objects [2]importObject
	// workers are those of the first process, by object, then those of the second.
	workers [2 * importProcesses]importWorker
	// requests are on their way to the account, by worker; a sender may have given up.
	requests [2 * importProcesses]importRequest
	remotes  [importRemotes]importRemote
	intents  [importIntents]importIntent
	// What may still happen: an object, or a remote import, is deleted by a user, a status is
	// wiped as by a restore, and a list misses an import.
	deletions, removals, wipes, misses uint8
}

// importObject is an Import as the API server has it, or had it.
type importObject struct {
	there, deleting, finalizer bool
	// id and claim are the annotations, status is status.id: numbers of remote imports.
	id, claim, status uint8
	// pending is the number of the intent.
	pending uint8
}

type importIntent struct{ age, replaces uint8 }

// importRemote is a remote import. mark is the number of the object, from 1, that it has the mark of.
type importRemote struct {
	there bool
	mark  uint8
}

type importWorker struct {
	at importAt
	// seen is the version that it has read, or written; stale tells that there is a newer one.
	seen  importObject
	stale bool
	// cache is the version before its last write, while the process may still read that again.
	cache importObject
	live  bool
	// searches counts its searches, begun is the age of the intent when the first began.
	searches, begun uint8
	// id is the remote import that the worker is about, gone the one that it found missing.
	id, gone uint8
	// fate is what came of its call.
	fate fate
}

type importAt uint8

const (
	atRest importAt = iota
	atRead
	atLook
	atGone
	atTake
	atMake
	atIntended
	atCalling
	atAnswered
	atNote
	atDelete
	atRelease
	atAdopt
	atClaimed
	atOwn
	atWithdraw
)

var importPlaces = [...]string{
	"at rest", "has read", "looks", "found it gone", "writes the id down", "writes the intent", "has the intent", "calls", "has an answer",
	"writes the status", "deletes", "releases", "adopts", "has claimed", "takes over", "withdraws",
}

type importRequest struct {
	open bool
	// id is of the import to delete, 0 of a create.
	id     uint8
	intent uint8
	// heard tells that the sender still waits for the answer.
	heard bool
}

func (r importRequest) String() string {
	switch {
	case !r.open:
		return "no call"
	case r.id != 0:
		return fmt.Sprintf("DELETE %d, heard %t", r.id, r.heard)
	default:
		return fmt.Sprintf("POST of intent %d, heard %t", r.intent, r.heard)
	}
}

// importModel is one search.
type importModel struct {
	// policy edits the spec of both objects.
	policy func(*v1alpha1.Import)
	// copies carry the mark in their name.
	copies bool
	// processes is how many work at once.
	processes int
	importDecisions
	modelSearch[importWorld]
	built map[importBuilt]*v1alpha1.Import
}

// importDecisions are the controller's, or spoilt.
type importDecisions struct {
	locate, replace, letGo    func(known) importStep
	made, deleted             func(fate) importStep
	callUntil                 func(intent, time.Duration) time.Time
	mayTakeBack, mayWriteDown func(ours, live *v1alpha1.Import) bool
	takenBack                 func(*v1alpha1.Import, intent) string
	isCandidate               func(*v1alpha1.Import, intent, integrator.Import) bool
	claimStep                 func(*v1alpha1.Import, integrator.Import, *v1alpha1.Import) importStep
	stronger                  func(first, other *v1alpha1.Import, remote integrator.Import) *v1alpha1.Import
	// intends tells that the intent is written, careless that the API server takes a write to an
	// old version, forgetful that the id is kept in status alone, judgesLate that the grace is
	// looked at when a list has come and not when it is asked for.
	intends, careless, forgetful, judgesLate bool
}

func soundDecisions() importDecisions {
	return importDecisions{
		locate: known.locate, replace: known.replace, letGo: known.letGo, made: made, deleted: deleted, callUntil: intent.callUntil,
		mayTakeBack: mayTakeBack, mayWriteDown: mayWriteDown, takenBack: takenBack, isCandidate: isCandidate,
		claimStep: claimStep, stronger: stronger, intends: true,
	}
}

// importBuilt is what the object that the decisions see is built from.
type importBuilt struct {
	i      int
	object importObject
	intent importIntent
}

// object is a version as the controller sees it, with its intent begun age halves of the grace ago.
func (m *importModel) object(w *importWorld, i int, o importObject, age uint8) *v1alpha1.Import {
	key := importBuilt{i, o, importIntent{age, w.intents[o.pending].replaces}}
	if object, ok := m.built[key]; ok {
		return object
	}
	object := &v1alpha1.Import{}
	object.UID = importOwners[i].UID
	object.CreationTimestamp = metav1.Time{Time: modelStart.Add(time.Duration(i) * time.Second)}
	object.Annotations = map[string]string{}
	put := func(name, value string) {
		if value != "" {
			object.Annotations[name] = value
		}
	}
	put(v1alpha1.AnnotationID, remoteName(o.id))
	put(v1alpha1.AnnotationAdoptPending, remoteName(o.claim))
	if o.pending != 0 {
		text, err := json.Marshal(intent{
			ExternalID: marker(object), Name: fmt.Sprintf("intent %d", o.pending), Replaces: remoteName(key.intent.replaces),
			Time: modelStart.Add(-time.Duration(age)*importGrace/2 - time.Second),
		})
		if err != nil {
			panic(err)
		}
		put(v1alpha1.AnnotationCreatePending, string(text))
	}
	if o.finalizer {
		object.Finalizers = []string{v1alpha1.Finalizer}
	}
	if o.deleting {
		object.DeletionTimestamp = &metav1.Time{Time: modelStart}
	}
	object.Status.ID = remoteName(o.status)
	m.policy(object)
	m.built[key] = object
	return object
}

// remoteNames are the ids of the remote imports, by number.
var remoteNames = func() (names [importRemotes]string) {
	for number := 1; number < importRemotes; number++ {
		names[number] = fmt.Sprintf("%024x", number)
	}
	return names
}()

func remoteName(number uint8) string { return remoteNames[number] }

// remote is a remote import as the account lists it.
func (m *importModel) remote(w *importWorld, number uint8) integrator.Import {
	remote := integrator.Import{ID: remoteName(number), Name: "prices"}
	if mark := w.remotes[number].mark; mark != 0 && m.copies {
		remote.Name = marker(importOwners[mark-1])
	} else if mark != 0 {
		remote.ExternalID = marker(importOwners[mark-1])
	}
	return remote
}

// importOwners are the objects with no more than their uid.
var importOwners = [2]*v1alpha1.Import{{ObjectMeta: metav1.ObjectMeta{UID: "import-0"}}, {ObjectMeta: metav1.ObjectMeta{UID: "import-1"}}}

// numberOf is the number of a remote import's id.
func numberOf(id string) uint8 {
	return uint8(slices.Index(remoteNames[:], id)) //nolint:gosec // one of few
}

// String is a state in a line of a trace.
func (w importWorld) String() string {
	var b strings.Builder
	object := func(o importObject) string {
		if !o.there {
			return "gone"
		}
		return fmt.Sprintf("{id %d status %d pending %d claim %d%s%s}", o.id, o.status, o.pending, o.claim,
			map[bool]string{true: " finalizer"}[o.finalizer], map[bool]string{true: " deleting"}[o.deleting])
	}
	fmt.Fprintf(&b, "objects %s %s; account", object(w.objects[0]), object(w.objects[1]))
	for number, remote := range w.remotes {
		if remote.there {
			fmt.Fprintf(&b, " %d(mark %d)", number, remote.mark)
		}
	}
	for i, worker := range w.workers {
		if worker.at != atRest || w.requests[i].open {
			fmt.Fprintf(&b, "; process %d of object %d: %s, seen %s stale %t, id %d, %s", i/2, i%2, importPlaces[worker.at], object(worker.seen), worker.stale, worker.id, w.requests[i])
		}
	}
	fmt.Fprintf(&b, "; intents %+v", w.intents[1:4])
	return b.String()
}
