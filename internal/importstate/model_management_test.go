// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package importstate

import (
	"errors"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/ownership"
	"github.com/integrator-operator/integrator-operator/internal/problem"
)

// status.management in the model: every end of a pass reports, and admission lets a user correct
// accountRef while the status says None.

// reported reports whether an error that ends a pass goes into the status: what Kubernetes refuses does not.
func reported(err error) bool { return problem.As(err) != nil || errors.Is(err, errRejected) }

// end has a worker report what its pass came to, or rest where nothing is reported.
func (m *importModel) end(n *modelWorld, i int, scan modelScan, err error) {
	if !m.reports || err != nil && !reported(err) {
		n.rest(i)
		return
	}
	worker := &n.workers[i]
	ours := m.decoded(n, i).Object
	state := ownership.ManagementOf(ours, m.nothingBefore(m.before(n, i), worker.appeared, worker.withdrawn, scan.seen))
	id := worker.seen.status
	if worker.persisted {
		id = worker.id
	}
	n.workers[i] = modelWorker{at: atReport, seen: worker.seen, stale: worker.stale, cache: worker.cache, id: id, token: worker.token, none: state == v1alpha1.ManagementStateNone}
}

// before is the object as the worker's pass has read it.
func (m *importModel) before(w *modelWorld, i int) *v1alpha1.Import {
	return m.object(w, i%2, w.workers[i].seen, 0)
}

// report writes the status. It may be lost, as when the process ends.
func (m *importModel) report(w modelWorld, i int, happens func(func(*modelWorld))) {
	worker, live := w.workers[i], w.objects[i%2]
	status := worker.seen
	status.status, status.none = worker.id, worker.none
	if worker.token != 0 {
		status.confirmed = true
	}
	if status.status != worker.seen.status || worker.at == atStatus {
		status.observed = false
	}
	if !worker.stale || live.there && m.canReport(m.object(&w, i%2, status, 0), m.before(&w, i), m.object(&w, i%2, live, 0)) {
		happens(func(n *modelWorld) {
			object := &n.objects[i%2]
			object.status, object.observed, object.none, object.reported = status.status, status.observed, status.none, m.reports
			if worker.token != 0 {
				object.confirmed = object.pending == worker.token
			}
			n.wrote(i%2, i)
			n.rest(i)
		})
	}
	happens(func(n *modelWorld) { n.rest(i) })
}

// reportFirst writes the status where the worker's next write says that a remote import exists or may
// come, and reports whether it has to.
func (m *importModel) reportFirst(w modelWorld, i int, happens func(func(*modelWorld))) bool {
	worker := w.workers[i]
	marks := worker.at == inPass && (worker.step == StepRestore || worker.step == StepAcquire || worker.step == StepWriteIntent) ||
		worker.at == atAdopt && (worker.adoption == AdoptionClaim || worker.adoption == AdoptionTakeOver)
	takes := worker.at == atAdopt && worker.adoption == AdoptionTakeOver && m.recordsFirst(m.before(&w, i))
	if !takes && (!m.reports || !marks || !m.reportsFirst(m.before(&w, i))) {
		return false
	}
	happens(func(n *modelWorld) {
		e := modelEffects{m: m, w: n, i: i}
		if e.refuses() {
			n.rest(i)
			return
		}
		switch e.current().none = false; {
		case takes && e.current().id != 0 && e.current().id != adoptee:
			e.current().id = 0
		case takes:
			e.current().observed, e.current().status = false, adoptee
		}
		e.wrote()
	})
	return true
}

// move has a user correct accountRef. Admission sees nothing but the status.
func (m *importModel) move(w modelWorld, i int, fails func(func(*modelWorld))) {
	if object := w.objects[i]; !object.there || object.deleting || w.moves == 0 || !object.none {
		return
	}
	fails(func(n *modelWorld) {
		n.moves--
		n.objects[i].account ^= 1
		n.wrote(i, -1)
	})
}

// lose has metadata taken away, and the status with it.
func (m *importModel) lose(w modelWorld, i int, fails func(func(*modelWorld))) {
	object := w.objects[i]
	for _, r := range w.requests {
		if m.shards && w.posting(i) || r.open || !object.there || object.deleting {
			return
		}
	}
	bare := modelObject{there: true, account: object.account}
	if w.losses > 0 && object != bare {
		fails(func(n *modelWorld) {
			n.losses--
			n.objects[i] = bare
			n.wrote(i, -1)
		})
	}
	bare.status, bare.observed, bare.reported, bare.none = object.status, object.observed, object.reported, object.none
	if w.strips > 0 && object != bare {
		fails(func(n *modelWorld) {
			n.strips--
			n.objects[i] = bare
			n.wrote(i, -1)
		})
	}
	// The annotations alone, while the Import adopts.
	bare.finalizer, bare.left = true, true
	if w.strips > 0 && object.finalizer && (object.id == adoptee || object.claim == adoptee) && m.adopts() {
		fails(func(n *modelWorld) {
			n.strips--
			n.objects[i] = bare
			n.wrote(i, -1)
		})
	}
}

// untouched reports whether nothing in the metadata speaks of a remote import.
func (o modelObject) untouched() bool {
	return !o.finalizer && o.id == 0 && o.pending == 0 && o.claim == 0 && o.status == 0
}

// unheard reports whether the worker's call is of an intent that was, or may be, taken away: then the
// model does not let it go unheard.
func (m *importModel) unheard(w modelWorld, i int) bool {
	r := w.requests[i]
	return (m.scans || m.reports) && r.open && r.id == 0 && (w.losses+w.strips > 0 || w.objects[i%2].pending != r.intent)
}
