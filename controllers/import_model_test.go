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

// steps lists the steps from a state.
func (m *importModel) steps(w importWorld) []modelStep[importWorld] {
	var all []modelStep[importWorld]
	step := func(fault bool, edit func(*importWorld)) {
		next := w
		edit(&next)
		m.tidy(&next)
		if next != w {
			all = append(all, modelStep[importWorld]{to: next, fault: fault})
		}
	}
	happens := func(edit func(*importWorld)) { step(false, edit) }
	fails := func(edit func(*importWorld)) { step(true, edit) }
	for i := range 2 * m.processes {
		m.work(w, i, happens, fails)
		if w.workers[i].at != atRest {
			fails(func(n *importWorld) { n.requests[i].heard = false; n.rest(i) })
		}
		if w.requests[i].open {
			m.answer(w, i, happens, fails)
		}
	}
	m.meddle(w, fails)
	happens(func(n *importWorld) { n.tick() })
	return all
}

// meddle makes the steps of users, and of a restore.
func (m *importModel) meddle(w importWorld, fails func(func(*importWorld))) {
	for i, object := range w.objects {
		if object.there && !object.deleting && w.deletions > 0 {
			fails(func(n *importWorld) {
				n.deletions--
				n.objects[i].deleting = true
				n.wrote(i, -1)
				n.collect(i)
			})
		}
		if object.status != 0 && w.wipes > 0 {
			fails(func(n *importWorld) { n.wipes--; n.objects[i].status = 0; n.wrote(i, -1) })
		}
	}
	for number, remote := range w.remotes {
		if remote.there && w.removals > 0 {
			fails(func(n *importWorld) { n.removals--; n.remotes[number].there = false })
		}
	}
}

// tick lets half a grace go by. A call that is under way ends before its intent's grace does.
func (w *importWorld) tick() {
	for _, r := range w.requests {
		if r.open && r.id == 0 && w.intents[r.intent].age == overdue-1 {
			return
		}
	}
	for i := range w.intents {
		if i != 0 {
			w.intents[i].age = min(w.intents[i].age+1, overdue)
		}
	}
}

// answer ends a request: applied and answered, applied and the answer lost, refused, or gone on the
// way; or its sender gives up, and it is applied afterwards, or never.
func (m *importModel) answer(w importWorld, i int, happens, fails func(func(*importWorld))) {
	end := func(n *importWorld, applied bool, call fate) {
		r := n.requests[i]
		n.requests[i] = importRequest{}
		var id uint8
		switch {
		case applied && r.id != 0:
			n.remotes[r.id].there = false
		case applied:
			id = n.free(adoptee + 1)
			n.remotes[id] = importRemote{there: true, mark: uint8(i%2) + 1} //nolint:gosec // 1 or 2
		}
		if r.heard {
			n.workers[i].at, n.workers[i].fate = atAnswered, call
			if call == fateAnswered && r.id == 0 {
				n.workers[i].id = id
			}
		}
	}
	if !w.requests[i].heard {
		happens(func(n *importWorld) { end(n, true, fateUnknown) })
		happens(func(n *importWorld) { end(n, false, fateUnknown) })
		return
	}
	happens(func(n *importWorld) { end(n, true, fateAnswered) })
	fails(func(n *importWorld) { end(n, true, fateUnknown) })
	fails(func(n *importWorld) { end(n, false, fateRefused) })
	fails(func(n *importWorld) { end(n, false, fateUnknown) })
	fails(func(n *importWorld) {
		n.requests[i].heard = false
		n.workers[i].at, n.workers[i].fate = atAnswered, fateUnknown
	})
}

// free is the number of a remote import that nobody speaks of.
func (w *importWorld) free(from uint8) uint8 {
	spoken := w.spokenOf()
	for number := from; number < importRemotes; number++ {
		if !w.remotes[number].there && !spoken[number] {
			return number
		}
	}
	panic("too many remote imports")
}

// spokenOf tells which remote imports anybody speaks of.
func (w *importWorld) spokenOf() (spoken [importRemotes]bool) {
	for i := range w.objects {
		o := &w.objects[i]
		spoken[o.id], spoken[o.status], spoken[o.claim] = true, true, true
	}
	for i := range w.workers {
		worker := &w.workers[i]
		spoken[worker.id], spoken[worker.gone], spoken[w.requests[i].id] = true, true, true
		for _, o := range []*importObject{&worker.seen, &worker.cache} {
			spoken[o.id], spoken[o.status], spoken[o.claim] = true, true, true
		}
	}
	for i := range w.intents {
		spoken[w.intents[i].replaces] = true
	}
	return spoken
}

// wrote makes what the others have read an old version.
func (w *importWorld) wrote(i, by int) {
	for j := range w.workers {
		worker := &w.workers[j]
		if j%2 == i && j != by && worker.at != atRest {
			worker.stale = true
		}
	}
	if by >= 0 {
		worker := &w.workers[by]
		worker.cache = worker.seen
		if worker.cache.pending != 0 {
			worker.cache.pending = someIntent
		}
		worker.seen, worker.stale = w.objects[i], false
	}
}

// collect lets an object go that is being deleted and has no finalizer.
func (w *importWorld) collect(i int) {
	if w.objects[i].deleting && !w.objects[i].finalizer {
		w.objects[i] = importObject{}
	}
}

// rest has a worker wait for its next pass, with no more than the cache.
func (w *importWorld) rest(i int) { w.workers[i] = importWorker{cache: w.workers[i].cache} }

// tidy gives states that are alike one form: what will be refused has been, what nobody speaks of
// is forgotten, intents are numbered in the order in which they are met.
func (m *importModel) tidy(w *importWorld) {
	for i := range w.workers {
		switch worker := &w.workers[i]; worker.at {
		case atMake, atRelease, atOwn, atWithdraw:
			if worker.stale && !m.careless {
				w.rest(i)
			}
		}
		w.workers[i].tidy()
	}
	if m.processes > 1 {
		w.order()
	}
	var numbers [importIntents]uint8
	var intents [importIntents]importIntent
	met := uint8(0)
	meet := func(number *uint8) {
		if *number == 0 || *number == someIntent {
			return
		}
		if numbers[*number] == 0 {
			met++
			numbers[*number], intents[met] = met, w.intents[*number]
		}
		*number = numbers[*number]
	}
	for i := range w.objects {
		meet(&w.objects[i].pending)
	}
	for i := range w.workers {
		meet(&w.workers[i].seen.pending)
		meet(&w.workers[i].cache.pending)
		meet(&w.requests[i].intent)
	}
	w.intents = intents
	spoken := w.spokenOf()
	for number := range w.remotes {
		if !w.remotes[number].there && !spoken[number] {
			w.remotes[number] = importRemote{}
		}
	}
}

// tidy forgets what the worker does not look at any more.
func (worker *importWorker) tidy() {
	if worker.at != atRead {
		worker.live = false
	}
	if worker.at != atRead && worker.at != atGone {
		worker.searches, worker.begun = 0, 0
	}
	if worker.at != atGone && worker.at != atMake {
		worker.gone = 0
	}
	seen := &worker.seen
	if seen.pending != 0 && worker.at == atRead && !worker.live {
		seen.pending = someIntent
	}
	switch worker.at {
	case atMake, atIntended, atCalling:
		worker.id = 0
	}
	if !worker.stale {
		return
	}
	switch worker.at {
	case atTake, atIntended, atCalling, atAnswered:
		*seen = importObject{there: true, deleting: seen.deleting, id: seen.id, pending: seen.pending}
	case atNote:
		*seen = importObject{there: true, status: seen.status}
	case atDelete:
		*seen = importObject{there: true, deleting: true}
	}
}

// order puts the two processes into one order: which is which does not matter.
func (w *importWorld) order() {
	one, other := w.packed(0), w.packed(2)
	if slices.Compare(one[:], other[:]) <= 0 {
		return
	}
	for i := range 2 {
		w.workers[i], w.workers[i+2] = w.workers[i+2], w.workers[i]
		w.requests[i], w.requests[i+2] = w.requests[i+2], w.requests[i]
	}
}

// packed is a process in numbers that can be compared, all of it but the numbers of intents.
func (w *importWorld) packed(first int) [6]uint64 {
	var all [6]uint64
	bit := func(is bool) uint64 {
		if is {
			return 1
		}
		return 0
	}
	object := func(o importObject) uint64 {
		return bit(o.there) | bit(o.deleting)<<1 | bit(o.finalizer)<<2 | bit(o.pending != 0)<<3 |
			uint64(o.id)<<4 | uint64(o.claim)<<8 | uint64(o.status)<<12 | uint64(w.intents[o.pending].age)<<16
	}
	for i := range 2 {
		worker, r := &w.workers[first+i], w.requests[first+i]
		all[3*i] = uint64(worker.at) | bit(worker.stale)<<8 | bit(worker.live)<<9 | uint64(worker.searches)<<10 | uint64(worker.begun)<<12 |
			uint64(worker.id)<<16 | uint64(worker.gone)<<20 | uint64(worker.fate)<<24
		all[3*i+1] = object(worker.seen)
		all[3*i+2] = object(worker.cache)<<32 | bit(r.open) | bit(r.heard)<<1 | uint64(r.id)<<2 | uint64(w.intents[r.intent].age)<<8
	}
	return all
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
