// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"testing"
	"time"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/integrator"
)

// The violations that a search can find.
const (
	twoOfOne     = "an Import has two remote imports at once"
	twoOwn       = "two Imports own one remote import"
	nobodyKnows  = "a remote import is left that no Import knows"
	goneTooSoon  = "the finalizer goes before the remote import"
	deletesOther = "an import is deleted that is another's"
	deletesKept  = "an import is deleted although its Import says Orphan"
	neverRests   = "an Import can never come to rest"
)

func (m *importModel) check(start importWorld) {
	m.built = map[importBuilt]*v1alpha1.Import{}
	m.next, m.inspect, m.pass, m.rests, m.stuck = m.steps, m.promised, m.promisedStep, m.settled, neverRests
	m.modelSearch.search(start)
}

// orphans tells that the policy leaves remote imports alone.
func (m *importModel) orphans() bool {
	object := &v1alpha1.Import{}
	m.policy(object)
	return object.Spec.DeletionPolicy == v1alpha1.DeletionPolicyOrphan
}

// promised holds one state against what is promised.
func (m *importModel) promised(w importWorld, violated func(string)) {
	var made [3]int
	for _, remote := range w.remotes {
		if remote.there {
			made[remote.mark]++
		}
	}
	for i, object := range w.objects {
		if made[i+1] > 1 {
			violated(twoOfOne)
		}
		if made[i+1] > 0 && !object.there && !m.orphans() {
			violated(nobodyKnows)
		}
	}
	if one, other := w.objects[0], w.objects[1]; one.id != 0 && one.id == other.id {
		violated(twoOwn)
	}
	for i, r := range w.requests {
		if !r.open || r.id == 0 {
			continue
		}
		if m.orphans() {
			violated(deletesKept)
		}
		if other := w.objects[i%2^1]; other.there && other.id == r.id && w.remotes[r.id].there {
			violated(deletesOther)
		}
	}
}

// promisedStep holds a step against what is promised: that an object goes only when its remote import
// is gone, or is known never to have been made.
func (m *importModel) promisedStep(from, to importWorld, violated func(string)) {
	for i, object := range from.objects {
		if !object.there || to.objects[i].there || !object.finalizer || m.orphans() {
			continue
		}
		known := from.remotes[object.id].there
		for _, remote := range from.remotes {
			known = known || remote.there && int(remote.mark) == i+1
		}
		if known {
			violated(goneTooSoon)
		}
	}
}

// settled tells that all is as it should be: each Import that is there has its remote import, or has
// lost it to another, and nothing is under way.
func (m *importModel) settled(w importWorld) bool {
	for _, r := range w.requests {
		if r.open {
			return false
		}
	}
	for i, object := range w.objects {
		other := w.objects[i^1]
		has := object.finalizer && w.remotes[object.id].there && object.status == object.id
		lost := !object.finalizer && object.id == 0 && (!w.remotes[adoptee].there || other.id == adoptee)
		if object.there && (object.deleting || object.pending != 0 || object.claim != 0 || !has && !lost) {
			return false
		}
	}
	return true
}

// modelScope is the part of the world that a search is about.
type modelScope struct {
	start     importWorld
	policy    func(*v1alpha1.Import)
	copies    bool
	processes int
}

func (s modelScope) model(decisions importDecisions) *importModel {
	return &importModel{policy: s.policy, copies: s.copies, processes: s.processes, importDecisions: decisions}
}

// importScopes are what together is searched: all at once would be too much.
func importScopes() map[string]modelScope {
	deletes := func(object *v1alpha1.Import) { object.Spec.DeletionPolicy = v1alpha1.DeletionPolicyDelete }
	orphans := func(object *v1alpha1.Import) { object.Spec.DeletionPolicy = v1alpha1.DeletionPolicyOrphan }
	adopts := func(object *v1alpha1.Import) {
		deletes(object)
		object.Spec.Adopt = &v1alpha1.AdoptSpec{ID: v1alpha1.ID(remoteName(adoptee))}
	}
	with := func(start importWorld, objects int, adopted bool) importWorld {
		for i := range objects {
			start.objects[i].there = true
		}
		start.remotes[adoptee].there = adopted
		return start
	}
	return map[string]modelScope{
		"create, deleted by users":    {with(importWorld{deletions: 1, removals: 1}, 1, false), deletes, false, 2},
		"create, restored and missed": {with(importWorld{deletions: 1, wipes: 1, misses: 1}, 1, false), deletes, false, 2},
		"create, kept":                {with(importWorld{deletions: 1, wipes: 1, misses: 1}, 1, false), orphans, false, 2},
		"clone":                       {with(importWorld{deletions: 1, misses: 1}, 1, false), deletes, true, 2},
		"adopt":                       {with(importWorld{removals: 1, wipes: 1}, 1, true), adopts, false, 2},
		"two adopt":                   {with(importWorld{}, 2, true), adopts, false, 2},
		"two adopt, one is deleted":   {with(importWorld{deletions: 1, wipes: 1}, 2, true), adopts, false, 1},
	}
}

func TestModelOfImports(t *testing.T) {
	for name, scope := range importScopes() {
		t.Run(name, func(t *testing.T) {
			m := scope.model(soundDecisions())
			m.check(scope.start)
			m.sound(t)
		})
	}
}

// The check is worth what it can find: each of these is a mistake that others have made, or that
// was made here.
func TestModelOfImportsFinds(t *testing.T) {
	const users, restored, kept = "create, deleted by users", "create, restored and missed", "create, kept"
	const adopt, two, alone = "adopt", "two adopt", "two adopt, one is deleted"
	insist := func(*v1alpha1.Import, *v1alpha1.Import) bool { return true }
	for name, seeded := range map[string]struct {
		scope string
		spoil func(*importDecisions)
		finds string
	}{
		"no intent is written":             {restored, func(d *importDecisions) { d.intends = false }, twoOfOne},
		"a write to an old version counts": {restored, func(d *importDecisions) { d.careless = true }, twoOfOne},
		"the id is kept in status alone":   {restored, func(d *importDecisions) { d.forgetful = true }, twoOfOne},
		"an empty list is believed at once": {restored, func(d *importDecisions) {
			d.locate = func(k known) importStep { k.grace = 0; return k.locate() }
		}, twoOfOne},
		"an empty list is believed without a second": {restored, func(d *importDecisions) {
			d.locate = func(k known) importStep { k.searches *= 2; return k.locate() }
		}, twoOfOne},
		"the grace is looked at when the list has come": {restored, func(d *importDecisions) { d.judgesLate = true }, twoOfOne},
		"what carries the mark is not looked for": {restored, func(d *importDecisions) {
			d.isCandidate = func(*v1alpha1.Import, intent, integrator.Import) bool { return false }
		}, twoOfOne},
		"a lost answer is taken for a refusal": {restored, func(d *importDecisions) {
			d.made = func(call fate) importStep {
				if call == fateUnknown {
					call = fateRefused
				}
				return made(call)
			}
		}, twoOfOne},
		"a call has its time from when it begins": {restored, func(d *importDecisions) {
			d.callUntil = func(intent, time.Duration) time.Time { return modelStart.Add(time.Hour) }
		}, twoOfOne},
		"the intent of another is taken back":    {restored, func(d *importDecisions) { d.mayTakeBack = insist }, twoOfOne},
		"an id is written over another's intent": {users, func(d *importDecisions) { d.mayWriteDown = insist }, twoOfOne},
		"what was adopted is forgotten when it is not made again": {adopt, func(d *importDecisions) {
			d.takenBack = func(*v1alpha1.Import, intent) string { return "" }
		}, neverRests},
		"what was adopted is looked for when it is made again": {adopt, func(d *importDecisions) {
			d.locate = func(k known) importStep {
				if next := k.locate(); next != doMake {
					return next
				}
				return doAdopt
			}
		}, neverRests},
		"the finalizer goes first": {restored, func(d *importDecisions) {
			d.letGo = func(known) importStep { return doRelease }
		}, goneTooSoon},
		"a deletion does not wait for a create": {restored, func(d *importDecisions) {
			d.letGo = func(k known) importStep {
				if next := k.letGo(); next == doLook {
					return next
				}
				return doRelease
			}
		}, nobodyKnows},
		"the lost answer to a deletion is taken for done": {restored, func(d *importDecisions) {
			d.deleted = func(fate) importStep { return doRelease }
		}, goneTooSoon},
		"Orphan is not looked at": {kept, func(d *importDecisions) {
			d.letGo = func(k known) importStep {
				k.object = k.object.DeepCopy()
				k.object.Spec.DeletionPolicy = v1alpha1.DeletionPolicyDelete
				return k.letGo()
			}
		}, deletesKept},
		"an import is taken over without a claim": {two, func(d *importDecisions) {
			d.claimStep = func(object *v1alpha1.Import, remote integrator.Import, rival *v1alpha1.Import) importStep {
				if next := claimStep(object, remote, rival); next != doClaim {
					return next
				}
				return doOwn
			}
		}, twoOwn},
		"a claim does not count": {two, func(d *importDecisions) {
			d.stronger = func(first, other *v1alpha1.Import, remote integrator.Import) *v1alpha1.Import {
				if !manages(other, remote.ID) {
					return first
				}
				return other
			}
		}, twoOwn},
		"the first of two claims goes on at once": {two, func(d *importDecisions) {
			d.claimStep = func(object *v1alpha1.Import, remote integrator.Import, rival *v1alpha1.Import) importStep {
				if next := claimStep(object, remote, rival); next != doContest || manages(rival, remote.ID) {
					return next
				}
				return doOwn
			}
		}, twoOwn},
		"no claim is taken back": {alone, func(d *importDecisions) {
			d.claimStep = func(object *v1alpha1.Import, remote integrator.Import, rival *v1alpha1.Import) importStep {
				if next := claimStep(object, remote, rival); next != doYield {
					return next
				}
				return doContest
			}
		}, neverRests},
	} {
		t.Run(name, func(t *testing.T) {
			decisions, scope := soundDecisions(), importScopes()[seeded.scope]
			seeded.spoil(&decisions)
			m := scope.model(decisions)
			m.stopAt = seeded.finds
			m.check(scope.start)
			m.finds(t, seeded.finds)
		})
	}
}
