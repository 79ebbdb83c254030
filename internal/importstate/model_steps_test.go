// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package importstate

import (
	"context"

	"github.com/integrator-operator/integrator-operator/internal/integrator"
	"github.com/integrator-operator/integrator-operator/internal/modelcheck"
	"github.com/integrator-operator/integrator-operator/internal/ownership"
)

// What can happen in the model: a worker makes one step of its pass, a request ends, a user or a
// restore changes something, time goes by.

// steps lists the steps from a state.
func (m *importModel) steps(w modelWorld) []modelcheck.Step[modelWorld] {
	var all []modelcheck.Step[modelWorld]
	step := func(fault bool, edit func(*modelWorld)) {
		next := &m.next
		*next = w
		edit(next)
		m.canonical(next)
		if *next != w {
			all = append(all, modelcheck.Step[modelWorld]{To: *next, Fault: fault})
		}
	}
	happens := func(edit func(*modelWorld)) { step(false, edit) }
	fails := func(edit func(*modelWorld)) { step(true, edit) }
	for i := range 2 * m.processes {
		fails := fails
		if m.old(i) {
			fails = func(func(*modelWorld)) {}
		}
		m.work(w, i, happens, fails)
		m.scan(w, i, happens)
		if (w.workers[i].at != atRest || w.scans[i] != modelScan{}) && !m.unheard(w, i) {
			fails(func(n *modelWorld) {
				n.requests[i].heard = false
				n.rest(i)
				n.scans[i] = modelScan{}
				n.appeared &^= 1 << i
			})
		}
		if w.requests[i].open {
			m.respond(w, i, happens, fails)
		}
	}
	m.interfere(w, fails)
	happens(func(n *modelWorld) { n.tick() })
	return all
}

// work makes the steps that a worker can take.
func (m *importModel) work(w modelWorld, i int, happens, fails func(func(*modelWorld))) {
	worker, current := w.workers[i], w.objects[i%2]
	if m.reportFirst(w, i, happens) {
		return
	}
	switch worker.at {
	case atRest:
		if current.there && !m.isOthers(w, i) {
			happens(func(n *modelWorld) { m.start(n, i, current, false) })
			m.stop(w, i, fails)
		}
		if worker.cache.there {
			fails(func(n *modelWorld) { m.start(n, i, worker.cache, true) })
		}
	case inPass:
		m.advance(w, i, happens, fails)
	case atStatus:
		m.report(w, i, happens)
	case atReport:
		m.report(w, i, happens)
	case atAdopt:
		m.adopt(w, i, happens)
	case atWithdraw:
		m.withdraw(w, i, happens)
	}
}

// start has a worker read an object, and decide about the first step of a pass.
func (m *importModel) start(n *modelWorld, i int, seen modelObject, stale bool) {
	cache := n.workers[i].cache
	if !stale {
		cache = modelObject{}
	}
	n.workers[i] = modelWorker{at: inPass, seen: seen, stale: stale, cache: cache, appeared: n.appeared&(1<<i) != 0}
	if m.scans {
		m.arrive(n, i)
		sight := n.sight(i)
		n.workers[i].scanned, n.workers[i].markerSeen, n.workers[i].marked = sight.complete, sight.seen, sight.marked
	}
	object := m.object(n, i%2, seen, n.intents[seen.pending].age)
	pass := Pass{Object: object, Now: modelStart, Timeout: modelTimeout, Step: StepRelease, Deleting: seen.deleting,
		Scanned: n.workers[i].scanned, MarkerSeen: n.workers[i].markerSeen, Seen: m.created(n, object, n.workers[i].marked)}
	if seen.deleting {
		switch m.beginDeletion(object) {
		case DeletionDone, DeletionSuspended:
			n.rest(i)
			return
		case DeletionRelease:
			m.encode(n, i, pass)
			return
		case DeletionLocate:
		}
	}
	pass, err := m.Start(pass)
	if err != nil {
		m.end(n, i, n.sight(i), err)
		return
	}
	m.encode(n, i, pass)
}

// stop ends a pass before its first step: the Account cannot be used, or the definition cannot be resolved.
func (m *importModel) stop(w modelWorld, i int, fails func(func(*modelWorld))) {
	current := w.objects[i%2]
	if !m.reports || current.deleting {
		return
	}
	before := func(n *modelWorld) {
		n.workers[i] = modelWorker{at: inPass, seen: current, cache: n.workers[i].cache, appeared: n.appeared&(1<<i) != 0}
	}
	if w.outages > 0 {
		fails(func(n *modelWorld) { before(n); n.outages--; m.end(n, i, modelScan{}, errRejected) })
	}
	fails(func(n *modelWorld) { before(n); m.end(n, i, n.sight(i), errRejected) })
}

// advance makes the worker's next step, in each way that its effect can come out.
func (m *importModel) advance(w modelWorld, i int, happens, fails func(func(*modelWorld))) {
	worker := w.workers[i]
	effect := func(e modelEffects, step func(func(*modelWorld)), before func(*modelWorld)) {
		step(func(n *modelWorld) {
			before(n)
			e.m, e.w, e.i = m, n, i
			pass, err := m.Advance(context.Background(), m.decoded(n, i), e)
			if err != nil {
				m.end(n, i, n.sight(i), err)
				return
			}
			m.encode(n, i, pass)
		})
	}
	nothing := func(*modelWorld) {}
	switch worker.step {
	case StepCreate, StepDelete:
		if worker.call != answered {
			m.send(w, i, happens)
			return
		}
		effect(modelEffects{}, happens, nothing)
	case StepSearch:
		if m.judgesLate && worker.searches == 0 && worker.deleted == 0 && !worker.listed && !m.lists(w, i) {
			happens(func(n *modelWorld) { n.workers[i].listed = true })
			return
		}
		effect(modelEffects{missed: worker.listed}, happens, nothing)
		if w.misses > 0 && m.lists(w, i) {
			effect(modelEffects{missed: true}, fails, func(n *modelWorld) { n.misses-- })
		}
	case StepRead:
		effect(modelEffects{}, happens, nothing)
		if w.hidden > 0 && w.remotes[worker.id].there {
			effect(modelEffects{hidden: true}, fails, func(n *modelWorld) { n.hidden-- })
		}
	case StepAcquire, StepPersistID:
		effect(modelEffects{}, happens, nothing)
		effect(modelEffects{failed: true}, happens, nothing)
	case StepRemoveIntent:
		effect(modelEffects{}, happens, nothing)
		effect(modelEffects{wiped: true}, happens, nothing)
		effect(modelEffects{failed: true}, happens, nothing)
	default:
		effect(modelEffects{}, happens, nothing)
	}
}

// lists reports whether a search would find something.
func (m *importModel) lists(w modelWorld, i int) bool {
	result, _ := modelEffects{m: m, w: &w, i: i}.Search(context.Background(), m.decoded(&w, i))
	return len(result.IDs) > 0
}

// send sends the call of the worker's step, unless the time of a create is over. A process has one
// request at a time: the one before is over, or was given up.
func (m *importModel) send(w modelWorld, i int, happens func(func(*modelWorld))) {
	worker := w.workers[i]
	if w.requests[i].open {
		return
	}
	request := modelRequest{open: true, heard: true, intent: worker.seen.pending, account: worker.seen.account}
	if worker.step == StepDelete {
		request = modelRequest{open: true, heard: true, id: worker.id, account: worker.seen.account}
	} else {
		object := m.object(&w, i%2, worker.seen, w.intents[worker.seen.pending].age)
		intent, _ := ownership.ParseIntent(object, modelStart)
		if m.intends && !modelStart.Before(m.callUntil(intent, modelTimeout)) {
			happens(func(n *modelWorld) {
				n.workers[i].call, n.workers[i].outcome = answered, integrator.OutcomeNotApplied
			})
			return
		}
	}
	happens(func(n *modelWorld) { n.workers[i].call, n.requests[i] = calling, request })
}

// respond ends a request: applied and answered, applied and the response lost, refused, or lost on
// the way; or its sender gives up, and it is applied afterwards, or never.
func (m *importModel) respond(w modelWorld, i int, happens, fails func(func(*modelWorld))) {
	end := func(n *modelWorld, applied bool, outcome integrator.Outcome) {
		r := n.requests[i]
		n.requests[i] = modelRequest{}
		var id uint8
		switch {
		case applied && r.id != 0:
			n.remotes[r.id].there = false
		case applied:
			id = n.free(adoptee + 1)
			n.remotes[id] = modelRemote{there: true, marker: uint8(i%2) + 1, account: r.account} //nolint:gosec // 1 or 2
		}
		if r.heard {
			n.workers[i].call, n.workers[i].outcome = answered, outcome
			if outcome == integrator.OutcomeApplied && r.id == 0 {
				n.workers[i].id = id
			}
		}
	}
	if !w.requests[i].heard {
		happens(func(n *modelWorld) { end(n, true, integrator.OutcomeUnknown) })
		happens(func(n *modelWorld) { end(n, false, integrator.OutcomeUnknown) })
		return
	}
	happens(func(n *modelWorld) { end(n, true, integrator.OutcomeApplied) })
	fails(func(n *modelWorld) { end(n, true, integrator.OutcomeUnknown) })
	fails(func(n *modelWorld) { end(n, false, integrator.OutcomeNotApplied) })
	fails(func(n *modelWorld) { end(n, false, integrator.OutcomeUnknown) })
	if m.unheard(w, i) {
		return
	}
	fails(func(n *modelWorld) {
		n.requests[i].heard = false
		n.workers[i].call, n.workers[i].outcome = answered, integrator.OutcomeUnknown
	})
}

// interfere makes the steps of users, and of a restore.
func (m *importModel) interfere(w modelWorld, fails func(func(*modelWorld))) {
	m.relabel(w, fails)
	for i, object := range w.objects {
		if object.there && !object.deleting && w.deletions > 0 && (object.finalizer || !m.scans) && (!m.clusters || m.old(i)) {
			fails(func(n *modelWorld) {
				n.deletions--
				n.objects[i].deleting = true
				n.wrote(i, -1)
				n.collect(i)
			})
		}
		if object.status != 0 && w.wipes > 0 {
			fails(func(n *modelWorld) {
				n.wipes--
				n.objects[i].status, n.objects[i].observed, n.objects[i].confirmed = 0, false, false
				n.wrote(i, -1)
			})
		}
		m.move(w, i, fails)
		m.lose(w, i, fails)
	}
	if other := w.objects[1]; other.there && w.forgeries > 0 {
		fails(func(n *modelWorld) {
			n.forgeries--
			n.objects[1].id, n.forged = adoptee, true
			n.objects[1].finalizer = n.objects[1].finalizer || n.objects[1].observed
			n.wrote(1, -1)
		})
	}
	for number, remote := range w.remotes {
		if remote.there && w.removals > 0 {
			fails(func(n *modelWorld) { n.removals--; n.remotes[number].there = false })
		}
		if remote.there && w.copies > 0 {
			fails(func(n *modelWorld) {
				n.copies--
				n.remotes[n.free(adoptee+1)] = modelRemote{there: true, copy: true, marker: remote.marker, account: remote.account}
			})
		}
	}
}

// tick lets half a timeout go by. A call that is under way ends before its intent's timeout does.
func (w *modelWorld) tick() {
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

// decoded is the worker's pass.
func (m *importModel) decoded(w *modelWorld, i int) Pass {
	worker := &w.workers[i]
	age := w.intents[worker.seen.pending].age
	if worker.searches > 0 && !m.judgesLate {
		age = worker.begun
	}
	seen := worker.seen
	if worker.persisted {
		seen.status, seen.confirmed = worker.id, worker.token != 0
	}
	object := m.object(w, i%2, seen, age)
	return Pass{
		Object: object, Seen: m.created(w, object, worker.marked), Step: worker.step, Now: modelStart, Timeout: modelTimeout, Live: worker.live,
		Searches: int(worker.searches), ID: remoteName(worker.id), Deleted: remoteName(worker.deleted), Settling: worker.settling,
		Deleting: worker.deleting, cause: errRejected, Scanned: worker.scanned, MarkerSeen: worker.markerSeen,
	}
}

// encode keeps what of a pass counts, or what follows its end.
func (m *importModel) encode(n *modelWorld, i int, p Pass) {
	worker := &n.workers[i]
	if p.Searches > 0 && worker.searches == 0 {
		worker.begun = n.intents[worker.seen.pending].age
	}
	worker.step, worker.live, worker.searches = p.Step, p.Live, uint8(p.Searches) //nolint:gosec // at most 2
	worker.id, worker.deleted, worker.settling = numberOf(p.ID), numberOf(p.Deleted), p.Settling
	if p.ID == "" {
		worker.id = 0
	}
	if p.Deleted == "" {
		worker.deleted = 0
	}
	worker.deleting = p.Deleting
	worker.call, worker.outcome, worker.listed = notCalled, 0, false
	switch p.Step {
	case Found, Created:
		// The update gives it the marker of today.
		n.remotes[worker.id].former = false
		if worker.seen.status == worker.id && !worker.seen.none && worker.token == 0 {
			n.rest(i)
			return
		}
		n.workers[i] = modelWorker{at: atStatus, seen: worker.seen, stale: worker.stale, cache: worker.cache, id: worker.id, token: worker.token}
	case Adopt:
		m.startAdoption(n, i)
	case Missing, Released:
		if p.Step == Missing {
			m.end(n, i, n.sight(i), nil)
			return
		}
		n.rest(i)
	default:
	}
}

// free is the number of a remote import that nobody speaks of.
func (w *modelWorld) free(from uint8) uint8 {
	spoken := w.spokenOf()
	for number := from; number < modelRemotes; number++ {
		if !w.remotes[number].there && !spoken[number] {
			return number
		}
	}
	panic("too many remote imports")
}

// spokenOf says which remote imports anybody speaks of.
func (w *modelWorld) spokenOf() (spoken [modelRemotes]bool) {
	for i := range w.objects {
		o := &w.objects[i]
		spoken[o.id], spoken[o.status], spoken[o.claim] = true, true, true
	}
	for i := range w.workers {
		worker := &w.workers[i]
		spoken[worker.id], spoken[worker.deleted], spoken[w.requests[i].id] = true, true, true
		for _, o := range []*modelObject{&worker.seen, &worker.cache} {
			spoken[o.id], spoken[o.status], spoken[o.claim] = true, true, true
		}
	}
	for i := range w.intents {
		spoken[w.intents[i].replaces] = true
	}
	for i, scan := range w.scans {
		for number := range spoken {
			spoken[number] = spoken[number] || (scan.marked|scan.listed|w.workers[i].marked)&(1<<number) != 0
		}
	}
	return spoken
}

// unused is the number of an intent that nobody speaks of.
func (w *modelWorld) unused() uint8 {
	for number := uint8(1); number < modelIntents; number++ {
		of := func(other uint8) bool { return other == number }
		used := of(w.objects[0].pending) || of(w.objects[1].pending)
		for i := range w.workers {
			used = used || of(w.workers[i].seen.pending) || of(w.workers[i].cache.pending) || of(w.workers[i].token) || of(w.requests[i].intent)
		}
		if !used {
			return number
		}
	}
	panic("too many intents")
}

// wrote makes what the others have read an old version.
func (w *modelWorld) wrote(i, by int) {
	for j := range w.workers {
		worker := &w.workers[j]
		if j%2 == i && j != by && worker.at != atRest {
			worker.stale = true
		}
	}
	if !w.objects[i].untouched() {
		w.appeared &^= 0b0101 << i
	}
	w.forged = w.forged && w.objects[1].there && w.objects[1].id == adoptee
	if by >= 0 {
		worker := &w.workers[by]
		worker.cache = worker.seen
		if worker.cache.pending != 0 {
			worker.cache.pending = anyIntent
		}
		worker.seen, worker.stale, worker.withdrawn = w.objects[i], false, false
	}
}

// collect lets an object go that is being deleted and has no finalizer.
func (w *modelWorld) collect(i int) {
	if w.objects[i].deleting && !w.objects[i].finalizer {
		w.objects[i] = modelObject{}
	}
}

// rest has a worker wait for its next pass, with no more than the cache.
func (w *modelWorld) rest(i int) { w.workers[i] = modelWorker{cache: w.workers[i].cache} }
