// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package importstate

import (
	"context"
	"errors"
	"time"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/integrator"
	"github.com/integrator-operator/integrator-operator/internal/ownership"
)

// errRefused ends a pass of the model, as any error does.
var errRefused = errors.New("refused")

// errRejected ends one that Kubernetes did not end: the status says so.
var errRejected = errors.New("rejected")

// modelEffects are the Effects of one step of a worker, on the world that the step leads to.
type modelEffects struct {
	m *importModel
	w *modelWorld
	i int
	// missed: the list shows nothing. failed: the write fails. wiped: the status is lost along with
	// the intent that is taken back. hidden: the read is answered with 404, whatever is there.
	missed, failed, wiped, hidden bool
}

var _ Effects = modelEffects{}

func (e modelEffects) worker() *modelWorker { return &e.w.workers[e.i] }

// current is the object as the API server has it.
func (e modelEffects) current() *modelObject { return &e.w.objects[e.i%2] }

// wrote goes on with the version that was just written.
func (e modelEffects) wrote() *v1alpha1.Import {
	e.w.wrote(e.i%2, e.i)
	return e.m.object(e.w, e.i%2, e.worker().seen, e.w.intents[e.worker().seen.pending].age)
}

// refuses reports whether the API server refuses a write that is bound to the version that was read.
func (e modelEffects) refuses() bool {
	return !e.current().there || e.worker().stale && !e.m.careless
}

func (e modelEffects) Reread(context.Context) (*v1alpha1.Import, time.Time, error) {
	worker, current := e.worker(), *e.current()
	if current.pending == 0 && current.id == 0 && current.status == 0 || e.m.isOthers(*e.w, e.i) {
		return nil, time.Time{}, errRefused
	}
	if !current.there || e.m.isOthers(*e.w, e.i) || current.deleting != worker.seen.deleting || current.account != worker.seen.account {
		return nil, time.Time{}, errRefused
	}
	worker.seen, worker.stale = current, false
	return e.m.object(e.w, e.i%2, current, e.w.intents[current.pending].age), modelStart, nil
}

func (e modelEffects) RestoreMetadata(_ context.Context, id string) (*v1alpha1.Import, error) {
	seen := e.worker().seen
	if ownership.IsComplete(e.m.object(e.w, e.i%2, seen, e.w.intents[seen.pending].age), id) {
		return e.m.object(e.w, e.i%2, seen, e.w.intents[seen.pending].age), nil
	}
	if e.refuses() {
		return nil, errRefused
	}
	object := e.current()
	if object.confirmed && object.id == 0 {
		object.pending, object.confirmed = 0, false
	}
	object.id, object.finalizer, object.left = numberOf(id), true, false
	object.claim = 0
	return e.wrote(), nil
}

func (e modelEffects) RenewIntent(context.Context) error { return errRefused }

func (e modelEffects) Search(_ context.Context, p Pass) (SearchResult, error) {
	result := SearchResult{Began: modelStart}
	wanted := ownership.Intent{ExternalID: e.m.owner.Marker(p.Object)}
	if p.Deleted == "" {
		wanted, _ = ownership.ParseIntent(p.Object, modelStart)
	}
	// An externalId that the definition declares is looked for instead, unless the import was adopted or is to be deleted.
	declared := e.m.annotated && p.Deleted != ""
	for number, remote := range e.w.remotes {
		n := uint8(number)
		if e.missed || !remote.there || remote.account != e.worker().seen.account {
			continue
		}
		if remoteName(n) == p.Deleted {
			return result, errRejected
		}
		if (!declared || !p.Deleting && p.Object.Spec.Adopt == nil) && e.m.isCandidate(e.m.owner, p.Object, wanted, e.m.remote(e.w, n)) {
			result.IDs, result.Unmarked = append(result.IDs, remoteName(n)), declared
		}
	}
	return result, nil
}

func (e modelEffects) Read(_ context.Context, p Pass) (bool, error) {
	number := numberOf(p.ID)
	if remote := e.w.remotes[number]; e.hidden || !remote.there || remote.account != e.worker().seen.account {
		return false, nil
	}
	if e.w.remotes[number].marker != 0 {
		e.m.note(e.w, e.i, number)
	}
	use := ownership.UseManage
	if p.Deleting {
		use = ownership.UseDelete
	}
	var others []v1alpha1.Import
	if other := e.w.objects[e.i%2^1]; other.there && !e.m.clusters {
		others = append(others, *e.m.object(e.w, e.i%2^1, other, 0))
	}
	decision := e.m.decide(use, ownership.Evidence{
		Owner: e.m.owner, Object: p.Object, Remote: e.m.remote(e.w, number), Others: others, ExternalID: e.m.owner.Marker(p.Object), Changed: p.Object.Status.ID == "",
	})
	if decision.Verdict != ownership.Permitted {
		return false, errRejected
	}
	return true, nil
}

func (e modelEffects) ConfirmMissing(_ context.Context, p Pass) error {
	e.m.sawMissing(e.w, e.i, numberOf(p.ID))
	return nil
}

func (e modelEffects) WriteIntent(_ context.Context, p Pass) (*v1alpha1.Import, error) {
	scanned := p.Scanned || e.m.looksTwice && e.w.sight(e.i).complete
	if e.m.scans && e.m.awaits && !scanned && !e.m.old(e.i) {
		return nil, errRejected
	}
	if e.refuses() {
		return nil, errRefused
	}
	replaces := numberOf(p.Deleted)
	if p.Deleted == "" {
		replaces = e.w.intents[e.worker().seen.pending].replaces
	}
	object := e.current()
	if e.m.intends {
		number := e.w.unused()
		e.w.intents[number] = modelIntent{replaces: replaces}
		object.pending, object.confirmed = number, false
	}
	object.id, object.finalizer, object.left = 0, true, false
	return e.wrote(), nil
}

// Create returns what came of the call, which the worker has sent before this step.
func (e modelEffects) Create(context.Context, Pass) (CreateResult, error) {
	switch outcome := e.worker().outcome; {
	case outcome == integrator.OutcomeNotApplied:
	case outcome != integrator.OutcomeApplied:
		e.m.note(e.w, e.i, 0)
	case e.m.notes:
		e.m.note(e.w, e.i, e.worker().id)
	}
	return CreateResult{ID: remoteName(e.worker().id), Complete: !e.m.clones}, errorOf(e.worker().outcome)
}

func errorOf(outcome integrator.Outcome) error {
	switch outcome {
	case integrator.OutcomeApplied:
		return nil
	case integrator.OutcomeNotApplied:
		return &integrator.APIError{}
	default:
		return &integrator.APIError{Sent: true, StatusCode: 503}
	}
}

func (e modelEffects) PersistID(_ context.Context, p Pass) (*v1alpha1.Import, error) {
	if worker := e.worker(); p.Step == StepPersistID && !p.Settling && !e.m.annotated && !e.m.forgetful && worker.seen.pending != 0 {
		worker.persisted, worker.token = true, worker.seen.pending
		return e.m.decoded(e.w, e.i).Object, nil
	}
	if e.failed || !e.may(e.m.canPersistID) {
		return nil, errRefused
	}
	object := e.current()
	object.id, object.pending, object.none, object.confirmed = numberOf(p.ID), 0, false, false
	if e.m.scans {
		object.finalizer = object.finalizer || !object.deleting
	}
	if e.m.forgetful {
		object.id, object.status = 0, numberOf(p.ID)
	}
	e.wrote()
	e.worker().persisted = true
	return e.m.decoded(e.w, e.i).Object, nil
}

func (e modelEffects) RemoveIntent(_ context.Context, _ Pass, restored string) error {
	if e.failed || !e.may(e.m.canRemoveIntent) {
		return errRefused
	}
	object := e.current()
	object.pending, object.confirmed, object.id = 0, false, numberOf(restored)
	if restored == "" {
		object.id = 0
	}
	if e.wiped {
		object.status, object.none, object.reported = 0, false, false
	}
	e.wrote()
	return nil
}

// may reports whether the write that ends a create may be made to the object as it is now.
func (e modelEffects) may(permits func(ours, live *v1alpha1.Import) bool) bool {
	worker, live := e.worker(), *e.current()
	return live.there && (!worker.stale || permits(
		e.m.object(e.w, e.i%2, worker.seen, e.w.intents[worker.seen.pending].age),
		e.m.object(e.w, e.i%2, live, e.w.intents[live.pending].age)))
}

// Delete returns what came of the call, which the worker has sent before this step.
func (e modelEffects) Delete(context.Context, Pass) (integrator.Outcome, error) {
	outcome := e.worker().outcome
	return outcome, errorOf(outcome)
}

func (e modelEffects) Release(context.Context, Pass) error {
	if e.refuses() {
		return errRefused
	}
	e.current().finalizer = false
	e.wrote()
	e.w.collect(e.i % 2)
	return nil
}
