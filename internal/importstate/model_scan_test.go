// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package importstate

import (
	"math/bits"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/integrator"
)

// The scanner in the model. It reads the list at one time and ends at another, or never, so what it has
// seen may be old. A process that begins anew has seen nothing.
// A scan may also read single imports, at any time and in one step: of them nothing is kept here, because each Import
// reads its own. What the last list has shown stays, and permits no creation any more.
// Out of the model's reach: a scan that misses an import, because others are deleted while it reads
// page by page, and a call that nobody hears any more and whose intent was taken away too.

// modelScan is what a process remembers of the account.
type modelScan struct {
	// account is the one that it reads, complete: a scan has reached its end, running: one is under way.
	account           uint8
	complete, running bool
	// seen: there is, or may be, an import with the marker. marked are those that have it, a bit each.
	seen   bool
	marked uint8
	// listed is what the scan under way has read, noted: a call of our own has seen the marker since.
	listed uint8
	noted  bool
}

// scan makes the steps of a process's scanner.
func (m *importModel) scan(w modelWorld, i int, happens func(func(*modelWorld))) {
	account := w.objects[i%2].account
	switch scan := w.scans[i]; {
	case !m.scans || !w.objects[i%2].there || m.old(i) || m.isOthers(w, i) && !scan.running:
	case !scan.running || scan.account != account:
		happens(func(n *modelWorld) {
			n.scanOf(i, account)
			n.scans[i].running, n.scans[i].listed, n.scans[i].noted = true, m.marked(n, i), false
		})
		happens(func(n *modelWorld) { n.scanOf(i, account).complete = m.counts })
	default:
		happens(func(n *modelWorld) {
			scan := &n.scans[i]
			if !scan.noted {
				scan.marked, scan.seen = 0, false
			}
			scan.marked |= scan.listed
			scan.seen = scan.seen || scan.listed != 0
			scan.complete, scan.running, scan.listed, scan.noted = true, false, 0, false
		})
	}
}

// old reports whether the worker is of the older of two clusters. It has its import, so that its scans do not
// count, and the faults are those of the newer one.
func (m *importModel) old(i int) bool { return m.clusters && i%2 == 0 }

// marked are the imports that the list has with the marker of the worker's Import.
func (m *importModel) marked(w *modelWorld, i int) (marked uint8) {
	object := m.object(w, i%2, modelObject{}, 0)
	for number, remote := range w.remotes {
		if remote.there && remote.account == w.objects[i%2].account && m.owner.Marks(object, m.remote(w, uint8(number)).ExternalID) {
			marked |= 1 << number
		}
	}
	return marked
}

// scanOf is what the worker's process has seen of an account: nothing of one that it has left.
func (w *modelWorld) scanOf(i int, account uint8) *modelScan {
	if w.scans[i].account != account {
		w.scans[i] = modelScan{account: account}
	}
	return &w.scans[i]
}

// note keeps what a call of our own has seen, or may have made: then number is 0.
func (m *importModel) note(w *modelWorld, i int, number uint8) {
	if !m.scans || m.old(i) {
		return
	}
	scan := w.scanOf(i, w.workers[i].seen.account)
	scan.seen, scan.noted = true, scan.running
	if number != 0 {
		scan.marked |= 1 << number
	}
}

// sawMissing keeps that the import of a number is not there.
func (m *importModel) sawMissing(w *modelWorld, i int, number uint8) {
	if m.scans && !m.old(i) {
		w.scanOf(i, w.workers[i].seen.account).marked &^= 1 << number
	}
}

// created are those of the marked imports that are no clones which somebody made.
func (m *importModel) created(w *modelWorld, object *v1alpha1.Import, marked uint8) (ids []string) {
	for ; marked != 0; marked &= marked - 1 {
		number := uint8(bits.TrailingZeros8(marked)) //nolint:gosec // below 8
		if !m.owner.IsForeignClone(object, integrator.Import{ID: remoteName(number), SourceID: m.remote(w, number).SourceID}) {
			ids = append(ids, remoteName(number))
		}
	}
	return ids
}

// sight is what the worker's process has seen of the account of its pass.
func (w *modelWorld) sight(i int) modelScan {
	if w.scans[i].account != w.workers[i].seen.account {
		return modelScan{}
	}
	return w.scans[i]
}
