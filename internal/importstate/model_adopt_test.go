// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package importstate

import (
	"context"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/ownership"
	"github.com/integrator-operator/integrator-operator/internal/problem"
)

// adopt makes the worker's next step of an adoption, in each way that its effect can come out. A
// reconcile that ends with a problem withdraws its claim, unless two Imports want one import.
func (m *importModel) adopt(w modelWorld, i int, happens func(func(*modelWorld))) {
	effect := func(e modelEffects) {
		happens(func(n *modelWorld) {
			e.m, e.w, e.i = m, n, i
			adoption, err := m.adoption.Advance(context.Background(), m.decodedAdoption(n, i), e)
			switch p := problem.As(err); {
			case p != nil && p.Reason() != v1alpha1.ReasonAdoptionConflict:
				n.workers[i].at = atWithdraw
			case err != nil:
				m.end(n, i, n.sight(i), err)
			case adoption.Step == AdoptionDone:
				n.rest(i)
			default:
				n.workers[i].adoption = adoption.Step
			}
		})
	}
	effect(modelEffects{})
	if w.workers[i].adoption == AdoptionCheck {
		// A cache that is behind has not seen the other's claim, or id.
		effect(modelEffects{missed: true})
	}
}

// startAdoption has a worker read the import to adopt. When it does not exist, nothing comes of it.
func (m *importModel) startAdoption(n *modelWorld, i int) {
	before := n.workers[i]
	n.workers[i] = modelWorker{at: atAdopt, seen: before.seen, stale: before.stale, cache: before.cache, appeared: before.appeared}
	if remote := n.remotes[adoptee]; !remote.there || remote.account != before.seen.account {
		n.workers[i].at = atWithdraw
		return
	}
	n.workers[i].adoption = m.adoption.Start(m.decodedAdoption(n, i)).Step
}

// decodedAdoption is the worker's adoption.
func (m *importModel) decodedAdoption(w *modelWorld, i int) Adoption {
	worker := &w.workers[i]
	object := m.object(w, i%2, worker.seen, w.intents[worker.seen.pending].age)
	a := Adoption{Contest: ownership.Contest{Object: object, Remote: m.remote(w, adoptee), Now: modelStart}, Step: worker.adoption}
	if a.Step == AdoptionWithdraw {
		a.Rival = m.object(w, i%2^1, w.objects[i%2^1], 0)
	}
	return a
}

// withdraw removes the claim of a reconcile that ended with a problem.
func (m *importModel) withdraw(w modelWorld, i int, happens func(func(*modelWorld))) {
	happens(func(n *modelWorld) {
		_, err := modelEffects{m: m, w: n, i: i}.WithdrawClaim(context.Background(), m.decodedAdoption(n, i))
		if err == nil {
			err = errRejected
		}
		m.end(n, i, n.sight(i), err)
	})
}

var _ AdoptionEffects = modelEffects{}

func (e modelEffects) KnownRival(ctx context.Context, a Adoption) (*v1alpha1.Import, error) {
	if e.missed {
		return nil, nil
	}
	return e.ListRivals(ctx, a)
}

// ListRivals is the other Import if it stands against the adoption.
func (e modelEffects) ListRivals(_ context.Context, a Adoption) (*v1alpha1.Import, error) {
	other := e.i%2 ^ 1
	live := e.w.objects[other]
	if !live.there {
		return nil, nil
	}
	return e.m.stronger(a.Contest, nil, e.m.object(e.w, other, live, e.w.intents[live.pending].age)), nil
}

func (e modelEffects) WriteClaim(context.Context, Adoption) (*v1alpha1.Import, error) {
	if e.refuses() {
		return nil, errRefused
	}
	e.current().claim, e.current().left = adoptee, false
	if e.m.reports {
		e.current().finalizer = true
	}
	return e.wrote(), nil
}

func (e modelEffects) WithdrawClaim(_ context.Context, a Adoption) (*v1alpha1.Import, error) {
	claimed, left := e.worker().seen.claim != 0, e.m.leftClaim(a.Object)
	if !claimed && !left {
		return a.Object, nil
	}
	if e.refuses() {
		return nil, errRefused
	}
	e.current().claim, e.current().left = 0, false
	if ownership.OwnsNothing(a.Object) {
		e.current().finalizer = false
	}
	object := e.wrote()
	e.worker().withdrawn = e.m.reports && claimed
	return object, nil
}

func (e modelEffects) TakeOver(context.Context, Adoption) (*v1alpha1.Import, error) {
	if e.refuses() {
		return nil, errRefused
	}
	object := e.current()
	object.id, object.claim, object.finalizer = adoptee, 0, true
	return e.wrote(), nil
}
