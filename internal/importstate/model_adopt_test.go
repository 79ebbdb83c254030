// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package importstate

import (
	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/integrator"
	"github.com/integrator-operator/integrator-operator/internal/ownership"
)

// adopt takes the steps of an adoption.
func (m *importModel) adopt(w modelWorld, i int, happens func(func(*modelWorld))) {
	worker := w.workers[i]
	object := m.object(&w, i%2, worker.seen, w.intents[worker.seen.pending].age)
	remote := m.remote(&w, adoptee)
	to := func(at modelPlace) { happens(func(n *modelWorld) { n.workers[i].at = at }) }
	rest := func() { happens(func(n *modelWorld) { n.rest(i) }) }
	switch worker.at {
	case atAdopt:
		// A cache that is behind has not seen the other's claim, or id.
		m.claim(w, i, nil, happens)
		if rival := m.rival(&w, i, remote); rival != nil {
			m.claim(w, i, rival, happens)
		}
	case atClaimed:
		m.contend(w, i, object, remote, to, rest)
	case atTakeOver:
		happens(func(n *modelWorld) {
			n.objects[i%2].id, n.objects[i%2].claim, n.objects[i%2].finalizer = adoptee, 0, true
			n.wrote(i%2, i)
			n.rest(i)
		})
	case atWithdraw:
		happens(func(n *modelWorld) {
			if worker.seen.claim != 0 {
				n.objects[i%2].claim = 0
				n.wrote(i%2, i)
			}
			n.rest(i)
		})
	case atRest, inPass, atStatus:
	}
}

// claim decides about the claim from the rival that the cache shows.
func (m *importModel) claim(w modelWorld, i int, rival *v1alpha1.Import, happens func(func(*modelWorld))) {
	worker := w.workers[i]
	next := m.decideClaim(m.object(&w, i%2, worker.seen, 0), m.remote(&w, adoptee), rival)
	happens(func(n *modelWorld) {
		switch {
		case !w.remotes[adoptee].there, rival != nil && ownership.Manages(rival, remoteName(adoptee)):
			// Nothing comes of it.
			n.workers[i].at = atWithdraw
		case worker.seen.claim == adoptee:
			n.workers[i].at = atClaimed
		case next == ownership.ClaimWrite && (!worker.stale || m.careless):
			n.objects[i%2].claim = adoptee
			n.wrote(i%2, i)
			n.workers[i].at = atClaimed
		case next == ownership.ClaimTake:
			n.workers[i].at = atTakeOver
		default:
			n.rest(i)
		}
	})
}

// rival is the other Import if it stands against the adoption.
func (m *importModel) rival(w *modelWorld, i int, remote integrator.Import) *v1alpha1.Import {
	live := w.objects[i%2^1]
	if !live.there {
		return nil
	}
	return m.stronger(nil, m.object(w, i%2^1, live, w.intents[live.pending].age), remote)
}

// contend looks for a rival past the cache.
func (m *importModel) contend(w modelWorld, i int, object *v1alpha1.Import, remote integrator.Import, to func(modelPlace), rest func()) {
	rival := m.rival(&w, i, remote)
	switch m.decideClaim(object, remote, rival) {
	case ownership.ClaimTake:
		to(atTakeOver)
	case ownership.ClaimWithdraw:
		to(atWithdraw)
	case ownership.ClaimWrite, ownership.ClaimWait:
		if rival != nil && ownership.Manages(rival, remote.ID) {
			to(atWithdraw)
			return
		}
		rest()
	}
}
