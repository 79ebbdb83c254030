// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package importstate

import "github.com/integrator-operator/integrator-operator/internal/ownership"

// Several operators in the model. The first process is one, the second another, and each has caches, scans
// and passes of its own: what can happen is what can happen to two processes that both believe to lead,
// and less, because one begins no pass when it sees that the Import is the other's. More is this: a process that has not
// just started takes an Import over, so that what its scanner saw may be older than what the other one created.
// Out of the model's reach, as with one operator: metadata that is taken away while the POST of its intent is
// on its way.

// isOthers reports whether the worker's operator sees that it does not select the object. With a cache that is
// behind it may not see that.
func (m *importModel) isOthers(w modelWorld, i int) bool { return m.shards && i/2 != int(w.shard) }

// relabel has a user give the first Import to the other operator.
func (m *importModel) relabel(w modelWorld, fails func(func(*modelWorld))) {
	if object := w.objects[0]; w.relabels == 0 || !object.there {
		return
	}
	fails(func(n *modelWorld) {
		// Whoever had it may begin one more pass with what its cache has.
		if loser := &n.workers[2*n.shard]; loser.at == atRest && !loser.cache.there {
			loser.cache = n.objects[0]
			if loser.cache.pending != 0 {
				loser.cache.pending = anyIntent
			}
		}
		n.relabels--
		n.shard ^= 1
		n.arrived = m.arrives
		n.wrote(0, -1)
	})
}

// arrive has the scans of an operator that takes an Import over begin anew, once nothing in the Import says
// what was made for it, unless that is nothing.
func (m *importModel) arrive(n *modelWorld, i int) {
	seen := m.before(n, i)
	if !n.arrived || i/2 != int(n.shard) || ownership.RemoteID(seen) != "" || ownership.CreatePending(seen) || m.nothingBefore(seen, n.appeared&(1<<i) != 0, false, false) {
		return
	}
	n.arrived = false
	scan := n.scanOf(i, n.workers[i].seen.account)
	scan.complete, scan.running, scan.listed = false, false, 0
}

// withoutShare forgets what other searches are about: a cache that is behind counts in the operator that had the
// Import, and a scan in the one that has it, or is about to.
func (m *importModel) withoutShare(w *modelWorld, i int) {
	switch {
	case !m.shards:
	case i/2 == int(w.shard) && w.relabels == 0:
		w.workers[i].cache = modelObject{}
	case w.relabels == 0:
		w.scans[i] = modelScan{}
	}
}

// posting reports whether a POST is on its way, or will be.
func (w modelWorld) posting(i int) bool {
	for j, worker := range w.workers {
		if j%2 == i && worker.at == inPass && worker.step == StepCreate && worker.call != answered {
			return true
		}
	}
	return false
}
