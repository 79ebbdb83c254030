// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/integrator"
)

// The model check: one run of two batches, two processes that both believe to lead, and every
// order in which their steps, crashes, lost and late answers, the user and the clock can fall.
// The decisions are those of the controller itself (decide, conclude, tellable); the model is
// what is around them: an API server that refuses a write to an old version, and a remote API
// that applies a request once, late, or never.
// What is promised is in importrun_modelcheck_test.go, how it is searched in modelsearch_test.go.

const modelBatches = 2

// modelWorld is one state of everything. It is a value, and comparable.
type modelWorld struct {
	object  modelObject
	workers [2]modelWorker
	// requests are on their way to the remote API, by worker; a sender may have given up.
	requests [2]modelRequest
	// applied counts how often each batch was applied.
	applied [modelBatches]uint8
	// late tells that all deadlines and graces are over.
	late bool
	// what may still happen
	crashes, strangers, tokens uint8
	canceled                   bool
}

// modelObject is the run as the API server has it.
type modelObject struct {
	// claim is the number of its text, 0 of none.
	claim  uint16
	done   uint8
	phase  v1alpha1.RunPhase
	cancel bool
}

func (o modelObject) finished() bool {
	return finished(&v1alpha1.ImportRun{Status: v1alpha1.ImportRunStatus{Phase: o.phase}})
}

// modelWorker is a process at the run.
type modelWorker struct {
	life uint8
	at   workerState
	// seen is the version that it has read, or written; stale tells that there is a newer one.
	seen  modelObject
	stale bool
	// unused is the claim that it could not confirm, by its number.
	unused uint16
	// fate is what came of its call, when there is an answer.
	fate modelFate
}

type workerState uint8

const (
	workerIdle workerState = iota
	workerRead
	workerClaiming
	workerClaimed
	workerCalling
	workerAnswered
)

type modelFate uint8

const (
	modelOK modelFate = iota
	modelRefused
	modelThrottled
	modelLost
)

type modelRequest struct {
	open  bool
	batch uint8
	// heard tells that the sender still waits for the answer.
	heard bool
}

// run is the object as the controller sees it.
func (m *modelCheck) run(o modelObject) *v1alpha1.ImportRun {
	run := &v1alpha1.ImportRun{}
	run.UID = "run"
	if o.claim != 0 {
		run.Annotations = map[string]string{v1alpha1.AnnotationClaim: m.claims[o.claim]}
	}
	run.Spec.Cancel = o.cancel
	run.Status.Phase = o.phase
	if o.phase != "" {
		run.Status.StartTime = &metav1.Time{Time: modelStart}
		run.Status.Batches = &v1alpha1.BatchCounts{Total: modelBatches, Done: int32(o.done)}
		run.Status.Records = &v1alpha1.RecordCounts{Total: modelBatches, Sent: int32(o.done), Succeeded: int32(o.done)}
	}
	m.policy(run)
	return run
}

// claimAs gives a claim its number.
func (m *modelCheck) claimAs(c claim) uint16 {
	text, err := json.Marshal(c)
	if err != nil {
		panic(err)
	}
	i := slices.Index(m.claims, string(text))
	if i < 0 {
		i = len(m.claims)
		m.claims = append(m.claims, string(text))
	}
	return uint16(i) //nolint:gosec // there are few
}

var modelPayload = &payload{records: make([]json.RawMessage, modelBatches), batches: batchesOf(1, 1)}

var modelStart = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

func (w *modelWorld) now() time.Time {
	if w.late {
		return modelStart.Add(time.Hour)
	}
	return modelStart.Add(time.Minute)
}

// step lists the states that one step leads to.
func (m *modelCheck) step(w modelWorld) []modelStep[modelWorld] {
	var all []modelStep[modelWorld]
	add := func(edit func(*modelWorld)) {
		next := w
		edit(&next)
		for i := range next.workers {
			if worker := &next.workers[i]; worker.at == workerRead && worker.stale && !m.careless {
				next.rest(i)
			}
		}
		all = append(all, modelStep[modelWorld]{to: next})
	}
	for i := range w.workers {
		m.work(w, i, add)
		if w.crashes > 0 && w.workers[i].at != workerIdle {
			add(func(n *modelWorld) { n.crashes--; n.crash(i) })
		}
		if r := w.requests[i]; r.open {
			// Applied and answered, applied and the answer lost, refused, throttled, or gone on the way.
			for _, fate := range []modelFate{modelOK, modelLost} {
				add(func(n *modelWorld) { n.applied[r.batch]++; n.arrive(i, fate) })
			}
			for _, fate := range []modelFate{modelRefused, modelThrottled, modelLost} {
				add(func(n *modelWorld) { n.arrive(i, fate) })
			}
			if r.heard {
				// The sender gives up, and the request is applied afterwards, or never.
				add(func(n *modelWorld) {
					n.requests[i].heard = false
					n.workers[i].at, n.workers[i].fate = workerAnswered, modelLost
				})
			}
		}
	}
	if w.strangers > 0 {
		// A label is written, the claim is taken away, the status is lost.
		add(func(n *modelWorld) { n.strangers--; n.written(-1) })
		add(func(n *modelWorld) { n.strangers--; n.object.claim = 0; n.written(-1) })
		add(func(n *modelWorld) { n.strangers--; n.object.done, n.object.phase = 0, ""; n.written(-1) })
	}
	if !w.canceled {
		add(func(n *modelWorld) { n.canceled, n.object.cancel = true, true; n.written(-1) })
	}
	if !w.late {
		add(func(n *modelWorld) { n.late = true })
	}
	return all
}

// arrive ends a request with what its sender, if it still listens, learns.
func (w *modelWorld) arrive(i int, fate modelFate) {
	if w.requests[i].heard {
		w.workers[i].at, w.workers[i].fate = workerAnswered, fate
	}
	w.requests[i] = modelRequest{}
}

// crash has a process begin again with nothing in its memory. Its request goes on.
func (w *modelWorld) crash(i int) {
	w.requests[i].heard = false
	w.workers[i] = modelWorker{life: w.workers[i].life + 1}
}

func (w *modelWorld) holder(i int) string { return fmt.Sprintf("worker %d.%d", i, w.workers[i].life) }

// work makes the steps that a worker can take.
func (m *modelCheck) work(w modelWorld, i int, add func(func(*modelWorld))) {
	worker := w.workers[i]
	switch worker.at {
	case workerIdle:
		if !w.object.finished() {
			add(func(n *modelWorld) {
				n.workers[i].at, n.workers[i].seen, n.workers[i].stale = workerRead, n.object, false
			})
		}
	case workerRead:
		m.act(w, i, add)
	case workerClaiming:
		m.show(w, i, add)
	case workerClaimed:
		// A process has one request at a time: the one before is over, or was given up.
		if !w.requests[i].open {
			add(func(n *modelWorld) {
				n.workers[i].at = workerCalling
				n.requests[i] = modelRequest{open: true, heard: true, batch: uint8(claimOf(m.run(worker.seen)).Batch)} //nolint:gosec // 0 or 1
			})
		}
	case workerAnswered:
		m.record(w, i, add)
	}
}

// act does what the controller decides on the version that was read.
func (m *modelCheck) act(w modelWorld, i int, add func(func(*modelWorld))) {
	worker := w.workers[i]
	run := m.run(worker.seen)
	idle := func(n *modelWorld) { n.rest(i) }
	self := process{holder: w.holder(i)}
	if worker.unused != 0 {
		unused, _ := parseClaim(m.claims[worker.unused])
		self.unused = []string{unused.Token}
	}
	next := m.decide(run, self, w.now())
	current := m.careless || !worker.stale
	switch {
	case next.ended == nil && next.wait != nil, !current:
		add(idle) // it waits, or its write is refused
	case next.ended != nil:
		add(func(n *modelWorld) { n.end(next.ended); n.written(i); idle(n) })
	case w.tokens > 0:
		granted := next.next
		granted.Token, granted.Holder = fmt.Sprintf("t%d", w.tokens), w.holder(i)
		granted.Time, granted.Started = modelStart, modelStart
		granted.Deadline = modelStart.Add(timeLimit(run))
		claimed := func(n *modelWorld) {
			n.tokens--
			n.object.claim = m.claimAs(granted)
			n.written(i)
		}
		add(func(n *modelWorld) {
			claimed(n)
			n.workers[i].at, n.workers[i].seen = workerClaiming, n.object
		})
		// The answer is lost, and so is that of the read which follows.
		add(func(n *modelWorld) { claimed(n); idle(n); n.workers[i].unused = n.object.claim })
	}
}

// show has the run shown as Running, without which nothing is sent.
func (m *modelCheck) show(w modelWorld, i int, add func(func(*modelWorld))) {
	worker := w.workers[i]
	if worker.stale && (w.object.claim != worker.seen.claim || w.object.finished()) {
		add(func(n *modelWorld) { n.rest(i) })
		return
	}
	shown := func(n *modelWorld) {
		n.object.phase, n.object.done = v1alpha1.RunRunning, uint8(claimOf(m.run(worker.seen)).Batch) //nolint:gosec // 0 or 1
		n.written(i)
	}
	add(func(n *modelWorld) {
		shown(n)
		n.workers[i].at, n.workers[i].seen, n.workers[i].stale = workerClaimed, n.object, false
	})
	// It cannot be shown, or the answer to that is lost.
	unused := func(n *modelWorld) { n.rest(i); n.workers[i].unused = worker.seen.claim }
	add(unused)
	add(func(n *modelWorld) { shown(n); unused(n) })
}

// record writes down what came of the call, as the controller does.
func (m *modelCheck) record(w modelWorld, i int, add func(func(*modelWorld))) {
	worker := w.workers[i]
	run := m.run(worker.seen)
	came := m.conclude(run, claimOf(run), modelVerdict(worker.fate), modelPayload, w.now())
	idle := func(n *modelWorld) { n.rest(i) }
	if worker.stale && !m.tellable(m.run(w.object), came) {
		add(idle)
		return
	}
	write := func(n *modelWorld) {
		switch {
		case came.again != nil:
			// Its pause may end at any time.
			free := came.next
			free.NotBefore = time.Time{}
			n.object.claim = m.claimAs(free)
		case came.phase == "":
			n.object.phase, n.object.done = v1alpha1.RunRunning, uint8(came.done) //nolint:gosec // at most 2
		default:
			n.end(came)
		}
		n.written(i)
	}
	add(func(n *modelWorld) { write(n); idle(n) })
	// Written, and the answer is lost: it is tried again.
	if !worker.stale {
		add(func(n *modelWorld) { write(n); n.workers[i].stale = true })
	}
}

// rest has a worker wait for the next look, with no more than what it has to remember.
func (w *modelWorld) rest(i int) {
	worker := &w.workers[i]
	*worker = modelWorker{life: worker.life, unused: worker.unused}
}

// written makes what the others have read an old version. One that only has read would be
// refused, and looks again.
func (w *modelWorld) written(by int) {
	for i := range w.workers {
		worker := &w.workers[i]
		worker.stale = worker.stale || i != by && worker.at != workerIdle
		if worker.unused != w.object.claim {
			worker.unused = 0
		}
	}
}

func (w *modelWorld) end(o *outcome) {
	w.object.phase, w.object.done = o.phase, uint8(o.done) //nolint:gosec // at most 2
}

func modelVerdict(fate modelFate) verdict {
	switch fate {
	case modelOK:
		return judgeAnswer(integrator.InvokeResponse{Records: []integrator.RecordResult{{StatusCode: 200}}}, nil, 1, false)
	case modelRefused:
		return judgeAnswer(integrator.InvokeResponse{}, &integrator.APIError{Sent: true, StatusCode: 403}, 1, false)
	case modelThrottled:
		return judgeAnswer(integrator.InvokeResponse{}, &integrator.APIError{Sent: true, StatusCode: 429, RetryAfter: time.Second}, 1, false)
	default:
		return judgeAnswer(integrator.InvokeResponse{}, &integrator.APIError{Sent: true, StatusCode: 503}, 1, false)
	}
}
