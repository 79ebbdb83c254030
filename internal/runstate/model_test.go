// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package runstate

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/modelcheck"
)

// The model check: one run of two batches, two processes that both believe to lead, and every order
// in which their steps, crashes, lost and late answers, the user and the clock can fall. The
// processes are passes as they are shipped: the model only carries out their effects, with an API
// server that refuses a write to an old version (modeleffects_test.go), and a remote API
// that applies a request once, late, or never. The invariants are in modelcheck_test.go.
//
// A process makes one pass of the run at a time: while its call is under way, its reconciles of the run
// return at once. Once it is asked to stop, or leads no longer, it begins no pass and no claim; what it
// has claimed it sends and records, while the other one works.

const (
	modelBatches = 2
	modelUID     = "run"
)

// modelWorld is one state of everything. It is a value, and comparable.
type modelWorld struct {
	object  modelObject
	workers [2]modelWorker
	// requests are on their way to the remote API, by worker; a sender may have given up.
	requests [2]modelRequest
	// applied counts how often each batch was applied.
	applied [modelBatches]uint8
	// late: all deadlines and graces are over.
	late bool
	// lost: an answer to a call did not arrive in time.
	lost bool
	// what may still happen
	crashes, edits, tokens, stops uint8
	canceled                      bool
}

// modelObject is the run as the API server has it.
type modelObject struct {
	// claim is the number of its text, 0 of none.
	claim uint16
	done  uint8
	// call is the number of the token that the status shows, 0 of none.
	call   uint8
	phase  modelPhase
	cancel bool
}

// modelPhase is the index of a phase in modelPhases: states without pointers are searched faster.
type modelPhase uint8

var modelPhases = []v1alpha1.RunPhase{"", v1alpha1.RunRunning, v1alpha1.RunSucceeded, v1alpha1.RunFailed, v1alpha1.RunUnknown, v1alpha1.RunCanceled}

func (p modelPhase) String() string { return string(modelPhases[p]) }

func phaseAs(phase v1alpha1.RunPhase) modelPhase {
	return modelPhase(slices.Index(modelPhases, phase)) //nolint:gosec // there are few
}

func (o modelObject) finished() bool {
	return Finished(&v1alpha1.ImportRun{Status: v1alpha1.ImportRunStatus{Phase: modelPhases[o.phase]}})
}

// modelWorker is a process at the run: what it remembers, and, unless it is idle, its pass.
type modelWorker struct {
	life uint8
	// stopped: it was asked to stop, or leads no longer.
	stopped bool
	// unused are the last claims that it could not confirm, by their numbers; unrecorded is the
	// outcome.
	unused     [2]uint16
	unrecorded uint16

	// step is 0 when it is idle.
	step Step
	// seen is the version that it has read, or written; stale: there is a newer one.
	seen  modelObject
	stale bool
	// claim and outcome are those of the pass, by their numbers.
	claim, outcome uint16
}

func (w modelWorker) idle() bool { return w.step == 0 }

// rest ends the pass of a worker, which forgets what it has not recorded.
func (w *modelWorker) rest() { *w = modelWorker{life: w.life, stopped: w.stopped, unused: w.unused} }

type modelRequest struct {
	open  bool
	batch uint8
	// heard: the sender still waits for the answer.
	heard bool
}

var modelPayload = Payload{Records: make([]json.RawMessage, modelBatches), Batches: batchesOf(1, 1)}

var modelStart = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

func (w *modelWorld) now() time.Time {
	if w.late {
		return modelStart.Add(time.Hour)
	}
	return modelStart.Add(time.Minute)
}

func (w *modelWorld) holder(i int) string { return fmt.Sprintf("worker %d.%d", i, w.workers[i].life) }

// run is the object as a pass sees it.
func (m *modelCheck) run(o modelObject) *v1alpha1.ImportRun {
	run := &v1alpha1.ImportRun{}
	run.UID = modelUID
	run.Status.Call = tokenOf(o.call)
	if o.claim != 0 {
		run.Annotations = map[string]string{v1alpha1.AnnotationClaim: m.claims[o.claim]}
	}
	run.Spec.Cancel = o.cancel
	run.Status.Phase = modelPhases[o.phase]
	if o.phase != 0 {
		run.Status.StartTime = &metav1.Time{Time: modelStart}
		run.Status.Batches = &v1alpha1.BatchCounts{Total: modelBatches, Done: int32(o.done)}
		run.Status.Records = &v1alpha1.RecordCounts{Total: modelBatches, Sent: int32(o.done), Succeeded: int32(o.done)}
	}
	m.policy(run)
	return run
}

// object is the inverse of run.
func (m *modelCheck) object(run *v1alpha1.ImportRun) modelObject {
	o := modelObject{phase: phaseAs(run.Status.Phase), cancel: run.Spec.Cancel, claim: m.claimNumbers[run.Annotations[v1alpha1.AnnotationClaim]], call: callOf(run.Status.Call)}
	if run.Status.Batches != nil {
		o.done = uint8(run.Status.Batches.Done) //nolint:gosec // at most 2
	}
	return o
}

// tokenOf is the token with this number, and callOf the number of a token; 0 is none.
func tokenOf(number uint8) string {
	if number == 0 {
		return ""
	}
	return fmt.Sprintf("t%d", number-1)
}

func callOf(token string) uint8 {
	if token == "" {
		return 0
	}
	return token[1] - '0' + 1
}

// numberOf gives a text its number among those that are known.
func numberOf(text string, numbers map[string]uint16, add func()) uint16 {
	number, ok := numbers[text]
	if !ok {
		number = uint16(len(numbers)) //nolint:gosec // there are few
		numbers[text] = number
		add()
	}
	return number
}

func (m *modelCheck) claimAs(c Claim) uint16 {
	if c == (Claim{}) {
		return 0
	}
	text, err := json.Marshal(c)
	if err != nil {
		panic(err)
	}
	return numberOf(string(text), m.claimNumbers, func() { m.claims = append(m.claims, string(text)) })
}

func (m *modelCheck) claim(number uint16) Claim {
	c, err := ParseClaim(m.claims[number])
	if err != nil {
		panic(err)
	}
	return c
}

func (m *modelCheck) outcomeAs(o *Outcome) uint16 {
	if o == nil {
		return 0
	}
	text, err := json.Marshal(o)
	if err != nil {
		panic(err)
	}
	return numberOf(string(text), m.outcomeNumbers, func() { m.outcomes = append(m.outcomes, o) })
}

// process is what a worker remembers.
func (m *modelCheck) process(w *modelWorld, i int) Process {
	self := Process{Holder: w.holder(i)}
	for _, unused := range w.workers[i].unused {
		if unused != 0 {
			self.Unused = append(self.Unused, m.claim(unused).Token)
		}
	}
	return self
}

// pass is the pass of a worker that is not idle.
func (m *modelCheck) pass(w *modelWorld, i int) Pass {
	worker := w.workers[i]
	p := Begin(m.run(worker.seen), m.process(w, i), m.outcomes[worker.unrecorded])
	p.step, p.claim, p.rules = worker.step, m.claim(worker.claim), m.rules
	p.prepared, p.failure = Prepared{Payload: modelPayload}, errModelLost
	// Retries do not come to an end: that is a step of its own.
	p.recordBy = modelStart.Add(24 * time.Hour)
	if o := m.outcomes[worker.outcome]; o != nil {
		p.outcome = *o
	}
	return p
}

// keep puts a pass back into its worker. fresh says that the pass has the newest version of the run.
func (m *modelCheck) keep(w *modelWorld, i int, p Pass, fresh bool) {
	worker := &w.workers[i]
	worker.unrecorded = m.outcomeAs(p.Unrecorded)
	switch n := len(p.Process.Unused); {
	case n == 0:
		worker.unused = [2]uint16{}
	case p.Process.Unused[n-1] == p.claim.Token:
		worker.unused = [2]uint16{worker.unused[1], m.claimAs(p.claim)}
	}
	if p.Ended() {
		*worker = modelWorker{life: worker.life, stopped: worker.stopped, unused: worker.unused, unrecorded: worker.unrecorded}
		return
	}
	worker.step, worker.seen, worker.claim, worker.outcome = p.step, m.object(p.Run), 0, 0
	worker.stale = worker.stale && !fresh
	switch {
	case p.recording():
		worker.outcome = m.outcomeAs(&p.outcome)
	default:
		worker.claim = m.claimAs(p.claim)
	}
}

// next lists the states that one step leads to.
func (m *modelCheck) next(w modelWorld) []modelcheck.Step[modelWorld] {
	var all []modelcheck.Step[modelWorld]
	add := func(edit func(*modelWorld)) {
		next := w
		edit(&next)
		m.tidy(&next)
		// In a calm world nobody counts on the clock.
		all = append(all, modelcheck.Step[modelWorld]{To: next, Fault: m.calm && (next.late != w.late || next.lost != w.lost)})
	}
	for i := range w.workers {
		m.work(w, i, add)
		if worker := w.workers[i]; w.crashes > 0 && worker != (modelWorker{life: worker.life, stopped: worker.stopped}) {
			add(func(n *modelWorld) { n.crashes--; n.crash(i) })
		}
		if w.requests[i].open {
			m.travel(w, i, add)
		}
	}
	if w.stops > 0 {
		for i := range w.workers {
			add(func(n *modelWorld) { n.stops--; n.workers[i].stopped = true })
		}
	}
	if w.edits > 0 {
		// Somebody writes a label, removes the claim, or writes one of this run, for either batch and
		// without a call, or the status is lost.
		add(func(n *modelWorld) { n.edits--; n.written(-1) })
		add(func(n *modelWorld) { n.edits--; n.object.claim = 0; n.written(-1) })
		for batch := range modelBatches {
			forged := m.claimAs(Claim{Run: modelUID, Batch: batch, Batches: modelBatches})
			add(func(n *modelWorld) { n.edits--; n.object.claim = forged; n.written(-1) })
		}
		add(func(n *modelWorld) { n.edits--; n.object.done, n.object.phase, n.object.call = 0, 0, 0; n.written(-1) })
	}
	if !w.canceled {
		add(func(n *modelWorld) { n.canceled, n.object.cancel = true, true; n.written(-1) })
	}
	if !w.late {
		add(func(n *modelWorld) { n.late = true })
	}
	return all
}

// travel lists what can become of a request.
func (m *modelCheck) travel(w modelWorld, i int, add func(func(*modelWorld))) {
	r := w.requests[i]
	// Applied and answered, applied and the answer lost, refused, rate limited, or lost on the way.
	for _, reply := range []modelReply{replyOK, replyLost} {
		add(func(n *modelWorld) { n.applied[r.batch]++; m.arrive(n, i, reply) })
	}
	for _, reply := range []modelReply{replyRefused, replyRateLimited, replyLost} {
		add(func(n *modelWorld) { m.arrive(n, i, reply) })
	}
	if r.heard {
		// The sender gives up, and the request is applied afterwards, or never.
		add(func(n *modelWorld) {
			n.requests[i].heard = false
			n.lost = m.calm
			m.step(n, i, modelEffects{reply: replyLost})
		})
	}
}

// arrive ends a request with what its sender, if it still waits, gets to know.
func (m *modelCheck) arrive(w *modelWorld, i int, reply modelReply) {
	heard := w.requests[i].heard
	w.requests[i] = modelRequest{}
	w.lost = w.lost || m.calm && heard && reply == replyLost
	if heard {
		m.step(w, i, modelEffects{reply: reply})
	}
}

// crash has a process begin again with nothing in its memory. Its request goes on.
func (w *modelWorld) crash(i int) {
	w.requests[i].heard = false
	w.workers[i] = modelWorker{life: w.workers[i].life + 1}
}

// written makes what the others have read an old version.
func (w *modelWorld) written(by int) {
	for i := range w.workers {
		worker := &w.workers[i]
		worker.stale = worker.stale || i != by && !worker.idle()
	}
}

// tidy gives states that are alike one form: what will be refused has been, and a claim that
// stands nowhere is not remembered as unused.
func (m *modelCheck) tidy(w *modelWorld) {
	for i := range w.workers {
		worker := &w.workers[i]
		refused := worker.step == StepClaim || worker.step == StepWriteOutcome && worker.unrecorded == 0
		if refused && worker.stale && !m.careless {
			m.step(w, i, modelEffects{})
		}
		for k, unused := range worker.unused {
			if unused != 0 && unused != w.object.claim && callOf(m.claim(unused).Token) != w.object.call {
				worker.unused[k] = 0
			}
		}
	}
}

// work lists the steps that a worker can take.
func (m *modelCheck) work(w modelWorld, i int, add func(func(*modelWorld))) {
	worker := w.workers[i]
	do := func(e modelEffects) { add(func(n *modelWorld) { m.step(n, i, e) }) }
	switch worker.step {
	case 0:
		if !w.object.finished() && !worker.stopped {
			do(modelEffects{})
		}
	case StepClaim:
		if worker.stopped {
			add(func(n *modelWorld) { n.workers[i].rest() })
		}
		// One that is stopped may have begun to write it.
		if w.tokens > 0 {
			do(modelEffects{})
			if !m.calm {
				do(modelEffects{fault: faultAnswerLost})
			}
		}
	case StepConfirmClaim:
		do(modelEffects{})
		if !m.calm {
			do(modelEffects{fault: faultNotDone})
		}
	case StepShowRunning:
		do(modelEffects{})
		if (!worker.stale || m.careless) && !m.calm {
			do(modelEffects{fault: faultNotDone})
			do(modelEffects{fault: faultAnswerLost})
		}
	case StepInvoke:
		// A process has one request at a time: the one before is over, or was given up.
		if !w.requests[i].open {
			add(func(n *modelWorld) {
				n.requests[i] = modelRequest{open: true, heard: true, batch: uint8(m.claim(worker.claim).Batch)} //nolint:gosec // 0 or 1
			})
		}
	case StepShowPause, StepReturnClaim, StepWriteOutcome:
		do(modelEffects{})
		if !worker.stale {
			// Written, and the answer is lost: it is retried.
			do(modelEffects{fault: faultAnswerLost})
		}
		switch {
		case worker.stopped && m.forgetful:
			add(func(n *modelWorld) { n.workers[i].rest() })
		case worker.unrecorded != 0 && (!m.calm || w.late):
			// It is tried until the claim counts as abandoned: one that is stopped recalls nothing.
			do(modelEffects{fault: faultGivenUp})
		}
	case StepRefresh:
		do(modelEffects{})
	default:
		panic(fmt.Sprintf("a worker rests at step %d", worker.step))
	}
}
