// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
)

// What a process does in the model of Imports: it asks the controller's decisions, and makes the
// one step that they name, as the controller does.

// known is what the worker knows, at the time when it began to search, if it has.
func (m *importModel) known(w *importWorld, i int, found []string) known {
	worker := &w.workers[i]
	age := w.intents[worker.seen.pending].age
	if worker.searches > 0 && !m.judgesLate {
		age = worker.begun
	}
	return known{
		object: m.object(w, i%2, worker.seen, age), live: worker.live, at: modelStart, grace: importGrace,
		searches: int(worker.searches), found: found,
	}
}

// work makes the steps that a worker can take.
func (m *importModel) work(w importWorld, i int, happens, fails func(func(*importWorld))) {
	worker, current := w.workers[i], w.objects[i%2]
	rest := func(n *importWorld) { n.rest(i) }
	switch worker.at {
	case atRest:
		if current.there {
			happens(func(n *importWorld) {
				n.workers[i] = importWorker{at: atRead, seen: current}
			})
		}
		if worker.cache.there {
			fails(func(n *importWorld) {
				n.workers[i].at, n.workers[i].seen, n.workers[i].stale = atRead, worker.cache, true
			})
		}
	case atRead:
		k := m.known(&w, i, nil)
		next := m.locate
		if worker.seen.deleting {
			next = m.letGo
		}
		m.take(w, i, next(k), happens, fails)
	case atLook:
		m.look(w, i, happens)
	case atGone:
		m.take(w, i, m.replace(m.known(&w, i, nil)), happens, fails)
	case atTake:
		if m.may(&w, i, m.mayWriteDown) {
			happens(func(n *importWorld) { n.writeDown(i, m.forgetful) })
		}
		happens(rest)
	case atMake:
		happens(func(n *importWorld) { m.intend(n, i) })
	case atIntended:
		m.call(w, i, happens)
	case atAnswered:
		m.answered(w, i, happens)
	case atNote:
		if !worker.stale || current.there && current.status == worker.seen.status {
			happens(func(n *importWorld) { n.objects[i%2].status = worker.id; n.wrote(i%2, i); n.rest(i) })
		}
		happens(rest)
	case atDelete:
		if !w.requests[i].open {
			happens(func(n *importWorld) {
				n.workers[i].at = atCalling
				n.requests[i] = importRequest{open: true, heard: true, id: worker.id}
			})
		}
	case atRelease:
		happens(func(n *importWorld) {
			n.objects[i%2].finalizer = false
			n.wrote(i%2, i)
			n.collect(i % 2)
			n.rest(i)
		})
	default:
		m.adopt(w, i, happens)
	}
}

// take makes a step that was decided.
func (m *importModel) take(w importWorld, i int, next importStep, happens, fails func(func(*importWorld))) {
	worker, current := w.workers[i], w.objects[i%2]
	goOn := func(at importAt, id string) {
		happens(func(n *importWorld) { n.workers[i].at, n.workers[i].id = at, numberOf(id) })
	}
	switch next {
	case doLook:
		goOn(atLook, remoteID(m.object(&w, i%2, worker.seen, 0)))
	case doRemember:
		id := numberOf(remoteID(m.object(&w, i%2, worker.seen, 0)))
		if !worker.stale || m.careless {
			happens(func(n *importWorld) {
				n.objects[i%2].id, n.objects[i%2].finalizer = id, true
				n.wrote(i%2, i)
				n.workers[i].at, n.workers[i].id = atLook, id
			})
		}
		happens(func(n *importWorld) { n.rest(i) })
	case doReread:
		happens(func(n *importWorld) {
			if !current.there || current.deleting != worker.seen.deleting {
				n.rest(i)
				return
			}
			n.workers[i].seen, n.workers[i].stale, n.workers[i].live = current, false, true
		})
	case doSearch:
		m.search(w, i, happens, fails)
	case doMake:
		goOn(atMake, "")
	case doAdopt:
		goOn(atAdopt, "")
	case doRelease:
		goOn(atRelease, "")
	default:
		happens(func(n *importWorld) { n.rest(i) })
	}
}

// search reads the list, and decides what follows.
func (m *importModel) search(w importWorld, i int, happens, fails func(func(*importWorld))) {
	worker := w.workers[i]
	if worker.searches == 0 {
		w.workers[i].begun = w.intents[worker.seen.pending].age
	}
	w.workers[i].searches++
	object := m.object(&w, i%2, worker.seen, w.workers[i].begun)
	pending, decide := intent{ExternalID: marker(object)}, m.replace
	if worker.gone == 0 {
		pending, _ = intentOf(object, modelStart)
		decide = m.locate
	}
	found := []string{}
	for number, remote := range w.remotes {
		if n := uint8(number); remote.there && n != worker.gone && m.isCandidate(object, pending, m.remote(&w, n)) {
			found = append(found, remoteName(n))
		}
	}
	follow := func(found []string, step func(func(*importWorld)), missed uint8) {
		if m.judgesLate && len(found) == 0 && w.workers[i].searches == 1 && worker.gone == 0 {
			step(func(n *importWorld) { n.misses -= missed; n.workers[i] = w.workers[i] })
			return
		}
		next := decide(m.known(&w, i, found))
		step(func(n *importWorld) {
			n.misses -= missed
			n.workers[i] = w.workers[i]
			switch next {
			case doTake:
				n.workers[i].at, n.workers[i].id = atTake, numberOf(found[0])
			case doMake:
				n.workers[i].at = atMake
			case doAdopt:
				n.workers[i].at = atAdopt
			case doRelease:
				n.workers[i].at = atRelease
			case doSearch:
				// Once more.
			default:
				n.rest(i)
			}
		})
	}
	follow(found, happens, 0)
	if len(found) > 0 && w.misses > 0 {
		follow([]string{}, fails, 1)
	}
}

// look reads the remote import.
func (m *importModel) look(w importWorld, i int, happens func(func(*importWorld))) {
	worker := w.workers[i]
	object := m.object(&w, i%2, worker.seen, 0)
	there := w.remotes[worker.id].there
	happens(func(n *importWorld) {
		switch other := elsewhere(object, remoteName(worker.id)); {
		case there && worker.seen.deleting:
			n.workers[i].at = atDelete
			if m.shared(&w, i) {
				n.rest(i)
			}
		case there && worker.seen.status == worker.id:
			n.rest(i)
		case there:
			n.workers[i].at = atNote
		case other != "" && worker.stale && !m.careless:
			n.rest(i)
		case other != "":
			n.objects[i%2].id, n.objects[i%2].finalizer = numberOf(other), true
			n.wrote(i%2, i)
			n.workers[i].id = numberOf(other)
		case worker.seen.deleting:
			n.workers[i].at = atRelease
		default:
			n.workers[i].at, n.workers[i].gone = atGone, worker.id
		}
	})
}

// shared tells that another Import, as the cache has it, manages what is to be deleted.
func (m *importModel) shared(w *importWorld, i int) bool {
	id, other := w.workers[i].id, w.objects[i%2^1]
	return int(w.remotes[id].mark) != i%2+1 && other.there &&
		ownerAmong([]v1alpha1.Import{*m.object(w, i%2^1, other, 0)}, remoteName(id)) != nil
}

// intend writes the intent.
func (m *importModel) intend(n *importWorld, i int) {
	object, worker := &n.objects[i%2], &n.workers[i]
	if !object.there {
		n.rest(i)
		return
	}
	replaces := worker.gone
	if replaces == 0 {
		replaces = n.intents[worker.seen.pending].replaces
	}
	if m.intends {
		number := n.unused()
		n.intents[number] = importIntent{replaces: replaces}
		object.pending = number
	}
	object.id, object.finalizer = 0, true
	n.wrote(i%2, i)
	worker.at, worker.searches, worker.begun = atIntended, 0, 0
}

// unused is the number of an intent that nobody speaks of.
func (w *importWorld) unused() uint8 {
	for number := uint8(1); number < importIntents; number++ {
		of := func(other uint8) bool { return other == number }
		used := of(w.objects[0].pending) || of(w.objects[1].pending)
		for i := range w.workers {
			used = used || of(w.workers[i].seen.pending) || of(w.workers[i].cache.pending) || of(w.requests[i].intent)
		}
		if !used {
			return number
		}
	}
	panic("too many intents")
}

// call sends the create, unless its time is over. A process has one request at a time: the one
// before is over, or was given up.
func (m *importModel) call(w importWorld, i int, happens func(func(*importWorld))) {
	worker := w.workers[i]
	if w.requests[i].open {
		return
	}
	object := m.object(&w, i%2, worker.seen, w.intents[worker.seen.pending].age)
	pending, _ := intentOf(object, modelStart)
	if m.intends && !modelStart.Before(m.callUntil(pending, importGrace)) {
		happens(func(n *importWorld) { n.workers[i].at, n.workers[i].fate = atAnswered, fateRefused })
		return
	}
	happens(func(n *importWorld) {
		n.workers[i].at = atCalling
		n.requests[i] = importRequest{open: true, heard: true, intent: worker.seen.pending}
	})
}

// answered goes on with what came of a call.
func (m *importModel) answered(w importWorld, i int, happens func(func(*importWorld))) {
	worker := w.workers[i]
	rest := func(n *importWorld) { n.rest(i) }
	if worker.seen.deleting {
		if m.deleted(worker.fate) == doRelease {
			happens(func(n *importWorld) { n.workers[i].at = atRelease })
		} else {
			happens(rest)
		}
		return
	}
	switch m.made(worker.fate) {
	case doWriteDown:
		happens(func(n *importWorld) { n.workers[i].at = atTake })
	case doTakeBack:
		if m.may(&w, i, m.mayTakeBack) {
			object := m.object(&w, i%2, worker.seen, w.intents[worker.seen.pending].age)
			pending, _ := intentOf(object, modelStart)
			id := numberOf(m.takenBack(object, pending))
			happens(func(n *importWorld) { n.takeBack(i, id); n.rest(i) })
			// The status no longer knows of the one that is gone.
			happens(func(n *importWorld) { n.takeBack(i, id); n.objects[i%2].status = 0; n.rest(i) })
		}
		happens(rest)
	default:
		happens(rest)
	}
}

func (w *importWorld) takeBack(i int, id uint8) {
	w.objects[i%2].pending, w.objects[i%2].id = 0, id
	w.wrote(i%2, i)
}

// may tells that the write which ends a create may be made to the object as it is now.
func (m *importModel) may(w *importWorld, i int, may func(ours, live *v1alpha1.Import) bool) bool {
	worker, live := &w.workers[i], w.objects[i%2]
	return live.there && (!worker.stale || may(
		m.object(w, i%2, worker.seen, w.intents[worker.seen.pending].age),
		m.object(w, i%2, live, w.intents[live.pending].age)))
}

func (w *importWorld) writeDown(i int, forgetful bool) {
	object := &w.objects[i%2]
	object.id, object.pending = w.workers[i].id, 0
	if forgetful {
		object.id, object.status = 0, w.workers[i].id
	}
	w.wrote(i%2, i)
	w.rest(i)
}
