// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import "slices"

// What makes states of the model of Imports one that differ in nothing that counts.

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
			uint64(worker.id)<<16 | uint64(worker.gone)<<20 | uint64(worker.fate)<<24 //nolint:gosec // there are few fates
		all[3*i+1] = object(worker.seen)
		all[3*i+2] = object(worker.cache)<<32 | bit(r.open) | bit(r.heard)<<1 | uint64(r.id)<<2 | uint64(w.intents[r.intent].age)<<8
	}
	return all
}
