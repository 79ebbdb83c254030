// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

// What happens around the processes in the model of Imports.

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
