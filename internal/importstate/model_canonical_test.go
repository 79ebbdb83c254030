// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package importstate

import "slices"

// What makes states of the model one that differ in nothing that counts.

// canonical gives states that are alike one form: what will be refused has been, what nobody
// speaks of is forgotten, intents are numbered in the order in which they are met.
func (m *importModel) canonical(w *modelWorld) {
	for i := range w.workers {
		worker := &w.workers[i]
		bound := worker.at == atWithdraw || worker.at == atAdopt && worker.adoption != AdoptionCheck && worker.adoption != AdoptionConfirm ||
			worker.at == inPass && (worker.step == StepWriteIntent || worker.step == StepRelease)
		if bound && worker.stale && !m.careless {
			w.rest(i)
		}
		w.workers[i].canonical(m.reports)
		m.withoutShare(w, i)
	}
	for i, object := range w.objects {
		if object.reported {
			// It has a status: how it began does not matter any more.
			w.appeared &^= 0b0101 << i
		}
	}
	if m.processes > 1 && !m.shards {
		w.order()
	}
	var numbers [modelIntents]uint8
	var intents [modelIntents]modelIntent
	met := uint8(0)
	meet := func(number *uint8) {
		if *number == 0 || *number == anyIntent {
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
		meet(&w.workers[i].token)
		meet(&w.requests[i].intent)
	}
	w.intents = intents
	spoken := w.spokenOf()
	for number := range w.remotes {
		if !w.remotes[number].there && !spoken[number] {
			w.remotes[number] = modelRemote{}
		}
	}
}

// canonical forgets what the worker does not look at any more.
func (worker *modelWorker) canonical(reports bool) {
	searching := worker.at == inPass && worker.step == StepSearch
	if !searching {
		worker.live, worker.listed = false, false
		worker.searches, worker.begun = 0, 0
	}
	if worker.at != inPass || worker.step > StepWriteIntent {
		worker.scanned = false
	}
	if worker.at != inPass || worker.deleted != 0 || worker.step != StepReread && worker.step != StepSearch {
		worker.markerSeen, worker.marked = false, 0
	}
	if worker.at != inPass {
		worker.step = 0
		worker.settling, worker.persisted, worker.deleting = false, false, false
	}
	if worker.call != answered {
		worker.outcome = 0
	}
	if worker.at != inPass && worker.at != atAdopt && worker.at != atWithdraw {
		worker.appeared = false
	}
	seen := &worker.seen
	if seen.pending != 0 && worker.at == inPass && worker.step == StepReread {
		seen.pending = anyIntent
	}
	if worker.at == inPass {
		switch worker.step {
		case StepReread, StepSearch, StepWriteIntent:
			worker.id = 0
		case StepCreate:
			if worker.call != answered {
				worker.id = 0
			}
			worker.deleted = 0
		case StepAcquire:
		default:
			worker.deleted = 0
		}
	}
	if !worker.stale {
		return
	}
	read := *seen
	switch {
	case worker.at == atStatus || worker.at == atReport:
		*seen = modelObject{there: true, status: seen.status, observed: seen.observed}
		if worker.token != 0 || read.confirmed {
			seen.id, seen.pending, seen.confirmed = read.id, read.pending, read.confirmed
		}
	case worker.at == inPass && (worker.step == StepCreate || worker.step == StepPersistID || worker.step == StepRemoveIntent):
		*seen = modelObject{there: true, deleting: seen.deleting, id: seen.id, pending: seen.pending}
	case worker.at == inPass && worker.step == StepDelete:
		*seen = modelObject{there: true, deleting: true}
	}
	if seen.account = read.account; reports {
		seen.status, seen.observed, seen.reported, seen.none = read.status, read.observed, read.reported, read.none
	}
}

// order puts the two processes into one order: which is which does not matter.
func (w *modelWorld) order() {
	one, other := w.packed(0), w.packed(2)
	if slices.Compare(one[:], other[:]) <= 0 {
		return
	}
	for i := range 2 {
		w.workers[i], w.workers[i+2] = w.workers[i+2], w.workers[i]
		w.requests[i], w.requests[i+2] = w.requests[i+2], w.requests[i]
		w.scans[i], w.scans[i+2] = w.scans[i+2], w.scans[i]
	}
	w.appeared = w.appeared>>2 | w.appeared&0b11<<2
}

// packed is a process in numbers that can be compared, all of it but the numbers of intents.
func (w *modelWorld) packed(first int) [6]uint64 {
	var all [6]uint64
	bit := func(is bool) uint64 {
		if is {
			return 1
		}
		return 0
	}
	object := func(o modelObject) uint64 {
		return bit(o.there) | bit(o.deleting)<<1 | bit(o.finalizer)<<2 | bit(o.pending != 0)<<3 |
			uint64(o.id)<<4 | uint64(o.claim)<<8 | uint64(o.status)<<12 | uint64(w.intents[o.pending].age)<<16 | bit(o.reported)<<20 | bit(o.none)<<21 | uint64(o.account)<<22 | bit(o.confirmed)<<24
	}
	for i := range 2 {
		worker, r := &w.workers[first+i], w.requests[first+i]
		//nolint:gosec // all of these are small
		all[3*i] = uint64(worker.at) | uint64(worker.adoption)<<40 | uint64(worker.step)<<3 | bit(worker.stale)<<8 | bit(worker.live)<<9 | uint64(worker.searches)<<10 | uint64(worker.begun)<<12 |
			uint64(worker.id)<<16 | uint64(worker.deleted)<<20 | uint64(worker.outcome)<<24 | uint64(worker.call)<<28 |
			bit(worker.settling)<<32 | bit(worker.persisted)<<33 | bit(worker.listed)<<34 | bit(worker.deleting)<<35 | bit(worker.none)<<36 | bit(worker.withdrawn)<<37 | bit(worker.scanned)<<38 | bit(worker.markerSeen)<<39 |
			bit(worker.token != 0)<<44 | bit(worker.appeared)<<45 | bit(w.appeared&(1<<(first+i)) != 0)<<46
		all[3*i+1] = object(worker.seen)
		all[3*i+2] = object(worker.cache)<<32 | bit(r.open) | bit(r.heard)<<1 | uint64(r.id)<<2 | uint64(w.intents[r.intent].age)<<8
	}
	return all
}
