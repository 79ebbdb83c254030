// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package runstate

import (
	"encoding/json"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/integrator"
	"github.com/integrator-operator/integrator-operator/internal/modelcheck"
)

// The model of an idempotency key: three runs with the same key, each of two batches of one record, with
// the same data or with other data, as a tool creates, deletes and creates them again. Every order in
// which they take the key, send, are answered, crash, are canceled and deleted. What happens between
// two processes at one run is in the other model.

const (
	keyRuns    = 3
	keySets    = 2 // of data
	keyBatches = 2
)

// keyWorld is one state of everything. It is a value, and comparable.
type keyWorld struct {
	runs    [keyRuns]keyRun
	created uint8
	// entry is the number of the ledger's entry, 0 of none.
	entry uint16
	// applied counts how often each record of each data was written.
	applied [keySets][keyBatches]uint8
	// succeeded counts the runs that wrote all their records; refused: a run was refused as
	// AlreadyFailed, and nothing of its data was written.
	succeeded uint8
	refused   bool
	// what may still happen
	crashes uint8
}

type keyStep uint8

const (
	keyIdle keyStep = iota
	// keyJudged: it may take the key, over the entry that it has read.
	keyJudged
	// keyTaken: it has the key, and makes the call that it has claimed.
	keyTaken
	keyCalling
	// keySettling: the outcome of the call goes into the ledger, then into the run; keyTelling: an
	// outcome without a call, which is in the run, goes into the ledger.
	keySettling
	keyWriting
	keyTelling
)

// keyRun is a run, the process at it, and its request.
type keyRun struct {
	data    uint8
	deleted bool
	cancel  bool
	// status is the number of its status, claimed whether its claim has no outcome.
	status  uint16
	claimed bool

	step keyStep
	// seen is the entry that was read, next the one to write, outcome the one to record.
	seen, next, outcome uint16
	// open: a request is on its way, whoever waits for it.
	open bool
}

// keyModel is one search.
type keyModel struct {
	policy    v1alpha1.PartialFailurePolicy
	judgeData func(*v1alpha1.ImportRun, Claim, DataID, []KeyWritten, string) (Outcome, bool)
	settle    func(KeyEntry) KeyEntry
	take      func(KeyEntry) KeyEntry

	entries  numbered[KeyEntry]
	outcomes numbered[Outcome]
	statuses numbered[v1alpha1.ImportRunStatus]
	modelcheck.Search[keyWorld]
}

// numbered gives values numbers, so that a state is comparable. 0 is none.
type numbered[T any] struct {
	numbers map[string]uint16
	values  []T
}

func (n *numbered[T]) as(value T) uint16 {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	number, ok := n.numbers[string(text)]
	if !ok {
		if n.numbers == nil {
			n.numbers = map[string]uint16{}
		}
		n.values = append(n.values, value)
		number = uint16(len(n.values)) //nolint:gosec // there are few
		n.numbers[string(text)] = number
	}
	return number
}

func (n *numbered[T]) of(number uint16) (value T) {
	if number == 0 {
		return value
	}
	return n.values[number-1]
}

// run is a run as the reconciler sees it.
func (m *keyModel) run(w *keyWorld, i int) *v1alpha1.ImportRun {
	run := &v1alpha1.ImportRun{ObjectMeta: metav1.ObjectMeta{Name: "abc"[i : i+1]}}
	run.UID = types.UID(run.Name)
	run.Spec.IdempotencyKey, run.Spec.ImportRef, run.Spec.Cancel = "key", &v1alpha1.LocalReference{Name: "orders"}, w.runs[i].cancel
	run.Status = *ptr.To(m.statuses.of(w.runs[i].status)).DeepCopy()
	run.Spec.AfterPartialFailure = m.policy
	return run
}

// over reports whether a run has ended, or was deleted.
func (m *keyModel) over(w *keyWorld, i int) bool {
	return w.runs[i].deleted || Finished(&v1alpha1.ImportRun{Status: m.statuses.of(w.runs[i].status)})
}

// done is how many batches of a run were answered.
func (m *keyModel) done(w *keyWorld, i int) int {
	return batchesDone(&v1alpha1.ImportRun{Status: m.statuses.of(w.runs[i].status)})
}

// at is the claim that the run takes next, or has.
func (m *keyModel) at(run *v1alpha1.ImportRun) Claim {
	return Claim{Run: string(run.UID), Batch: batchesDone(run), Batches: keyBatches, Started: modelStart, Deadline: modelStart}
}

// record writes an outcome into the run's status.
func (m *keyModel) record(w *keyWorld, i int, o Outcome) {
	status := m.run(w, i).Status
	status.Records = o.Records.DeepCopy()
	if o.Total > 0 {
		status.Batches = &v1alpha1.BatchCounts{Total: int32(o.Total), Done: int32(o.Done)} //nolint:gosec // at most 2
	}
	if o.Phase != "" {
		status.Phase = o.Phase
	}
	switch o.Reason {
	case v1alpha1.ReasonRecordsAccepted:
		w.succeeded++
	case v1alpha1.ReasonAlreadyFailed:
		w.refused = w.refused || w.applied[w.runs[i].data] == [keyBatches]uint8{}
	}
	w.runs[i].status = m.statuses.as(status)
}

// end records an outcome without a call. It goes into the ledger after it is in the run.
func (m *keyModel) end(w *keyWorld, i int, o Outcome) {
	if entry := m.entries.of(w.entry); w.entry != 0 && o.Reason == v1alpha1.ReasonOutcomeUnknown {
		if settled, ok := Settled(m.run(w, i), m.at(m.run(w, i)), entry); ok {
			o = settled
		}
	}
	m.record(w, i, o)
	w.runs[i].step, w.runs[i].claimed, w.runs[i].outcome = keyTelling, false, m.outcomes.as(o)
}

// judge has a run that is idle decide what it does next.
func (m *keyModel) judge(w *keyWorld, i int) {
	run, r := m.run(w, i), &w.runs[i]
	at := m.at(run)
	switch {
	case r.claimed:
		m.end(w, i, lost(run, at))
		return
	case run.Spec.Cancel:
		m.end(w, i, Stop(run, at, v1alpha1.RunCanceled, v1alpha1.ReasonCanceled, ""))
		return
	}
	entry, decision := m.entries.of(w.entry), KeyDecision{}
	switch {
	case w.entry != 0:
		decision = JudgeKey(run, at, entry, m.holder(w, entry), "ledger")
	case at.Batch > 0:
		m.end(w, i, WithoutKey(run, at, "ledger"))
		return
	}
	data := DataID{Hash: string(rune('A' + r.data)), KeyID: "k"}
	switch decision.Action {
	case KeyWait:
	case KeyEnd:
		m.end(w, i, decision.Outcome)
	case KeyTake:
		if o, refused := m.judgeData(run, at, data, decision.Written, "ledger"); refused {
			m.end(w, i, o)
			return
		}
		taken := m.take(KeyOf(run, at, data, decision.Written, modelStart))
		r.step, r.seen, r.next = keyJudged, w.entry, m.entries.as(taken)
	}
}

func (m *keyModel) holder(w *keyWorld, entry KeyEntry) *v1alpha1.ImportRun {
	if i := int(entry.Run[0] - 'a'); !w.runs[i].deleted {
		return m.run(w, i)
	}
	return nil
}

// settleLedger writes an outcome into the run's entry.
func (m *keyModel) settleLedger(w *keyWorld, i int, o Outcome) {
	if w.entry == 0 {
		return
	}
	if settled, changed := Settle(m.run(w, i), m.entries.of(w.entry), o, modelStart); changed {
		w.entry = m.entries.as(m.settle(settled))
	}
}

// answer ends the call of a run.
func (m *keyModel) answer(w *keyWorld, i int, response integrator.InvokeResponse, err error) {
	w.runs[i].open = false
	if w.runs[i].step != keyCalling {
		return
	}
	run := m.run(w, i)
	at := m.at(run)
	at.Token = "t"
	o := Conclude(run, at, Judge(response, err, 1, false), Payload{Records: make([]json.RawMessage, keyBatches), Batches: batchesOf(1, 1)}, modelStart)
	w.runs[i].step, w.runs[i].outcome = keySettling, m.outcomes.as(o)
}

// next lists the states that one step leads to.
func (m *keyModel) next(w keyWorld) []modelcheck.Step[keyWorld] {
	var all []modelcheck.Step[keyWorld]
	add := func(fault bool, edit func(*keyWorld)) {
		next := w
		edit(&next)
		for i, r := range next.runs {
			if r.deleted && !r.open {
				next.runs[i] = keyRun{deleted: true}
			}
		}
		all = append(all, modelcheck.Step[keyWorld]{To: next, Fault: fault})
	}
	// At most two at a time. The first data is as good as the other.
	if int(w.created) < keyRuns && (w.created < 2 || m.over(&w, 0) || m.over(&w, 1)) {
		for data := range min(w.created+1, keySets) {
			add(true, func(n *keyWorld) {
				n.runs[n.created] = keyRun{data: data, status: m.statuses.as(v1alpha1.ImportRunStatus{})}
				n.created++
			})
		}
	}
	for i := range int(w.created) {
		r := w.runs[i]
		if r.open {
			m.travel(w, i, add)
		}
		if r.deleted {
			continue
		}
		if r.step != keyJudged && r.step != keyTaken && r.step != keySettling {
			// At these steps it is as if nothing had been sent yet, or the answer had been lost.
			add(true, func(n *keyWorld) {
				n.runs[i] = keyRun{data: r.data, status: r.status, deleted: true, open: r.open}
			})
		}
		if r.step > keyJudged && w.crashes > 0 {
			add(true, func(n *keyWorld) {
				n.crashes--
				n.runs[i].step, n.runs[i].seen, n.runs[i].next, n.runs[i].outcome = keyIdle, 0, 0, 0
			})
		}
		if r.step == keyIdle && m.over(&w, i) {
			continue
		}
		if !r.cancel && r.step == keyIdle && m.done(&w, i) > 0 {
			add(true, func(n *keyWorld) { n.runs[i].cancel = true })
		}
		if r.step != keyCalling {
			add(false, func(n *keyWorld) { m.work(n, i) })
		}
	}
	return all
}

// work is the next step of the process at a run.
func (m *keyModel) work(w *keyWorld, i int) {
	r := &w.runs[i]
	switch r.step {
	case keyIdle:
		m.judge(w, i)
	case keyJudged:
		if r.step = keyIdle; w.entry == r.seen {
			r.step, w.entry = keyTaken, r.next
		}
		r.seen, r.next = 0, 0
	case keyTaken:
		r.step, r.claimed, r.open = keyCalling, true, true
	case keySettling:
		if o := m.outcomes.of(r.outcome); ledgerPhase(o) != "" {
			m.settleLedger(w, i, o)
		}
		r.step = keyWriting
	case keyWriting:
		m.record(w, i, m.outcomes.of(r.outcome))
		r.step, r.claimed, r.outcome = keyIdle, false, 0
	case keyTelling:
		m.settleLedger(w, i, m.outcomes.of(r.outcome))
		r.step, r.outcome = keyIdle, 0
	case keyCalling:
	}
}

// travel lists what can become of a request.
func (m *keyModel) travel(w keyWorld, i int, add func(bool, func(*keyWorld))) {
	data, batch := w.runs[i].data, m.done(&w, i)
	accepted := integrator.InvokeResponse{Records: []integrator.RecordResult{{StatusCode: 200}}}
	refused := integrator.InvokeResponse{Records: []integrator.RecordResult{{StatusCode: 422}}}
	add(false, func(n *keyWorld) { n.applied[data][batch]++; m.answer(n, i, accepted, nil) })
	add(false, func(n *keyWorld) { m.answer(n, i, refused, nil) })
	add(false, func(n *keyWorld) {
		m.answer(n, i, integrator.InvokeResponse{}, &integrator.APIError{Sent: true, StatusCode: 403})
	})
	for _, applied := range []uint8{0, 1} {
		add(true, func(n *keyWorld) {
			n.applied[data][batch] += applied
			m.answer(n, i, integrator.InvokeResponse{}, &integrator.APIError{Sent: true, StatusCode: 503})
		})
	}
}

// invariants checks one state.
func (m *keyModel) invariants(w keyWorld, violated func(string)) {
	if w.refused {
		violated("a run is refused, and nothing of its data was written")
	}
	if w.succeeded > 1 {
		violated("two runs have succeeded with one key")
	}
	for _, data := range w.applied {
		for _, applied := range data {
			if applied > 1 && m.policy != v1alpha1.PartialFailureSendAgain {
				violated("a record is written twice with one key")
			}
		}
	}
}

func TestModelOfAKey(t *testing.T) {
	good := func() *keyModel {
		same := func(entry KeyEntry) KeyEntry { return entry }
		m := &keyModel{policy: v1alpha1.PartialFailureRefuse, judgeData: JudgeData, settle: same, take: same}
		m.Next, m.Inspect, m.Stuck = m.next, m.invariants, neverEnds
		m.Rests = func(w keyWorld) bool {
			for i := range int(w.created) {
				if !m.over(&w, i) {
					return false
				}
			}
			return true
		}
		return m
	}
	start := keyWorld{crashes: 1}
	for name, policy := range map[string]v1alpha1.PartialFailurePolicy{"Refuse": v1alpha1.PartialFailureRefuse, "SendAgain": v1alpha1.PartialFailureSendAgain} {
		t.Run(name, func(t *testing.T) {
			m := good()
			m.policy = policy
			world := start
			if policy == v1alpha1.PartialFailureSendAgain {
				// There is far more that can happen, and less that must not.
				world.crashes = 0
			}
			m.Run(world)
			m.Sound(t)
		})
	}

	const twice, refused = "a record is written twice with one key", "a run is refused, and nothing of its data was written"
	for name, mutant := range map[string]struct {
		mutate func(*keyModel)
		finds  string
	}{
		"a key is given on after a failure": {func(m *keyModel) {
			m.judgeData = func(*v1alpha1.ImportRun, Claim, DataID, []KeyWritten, string) (Outcome, bool) {
				return Outcome{}, false
			}
		}, twice},
		"only the last run with the key counts": {func(m *keyModel) {
			m.take = func(entry KeyEntry) KeyEntry {
				entry.Written = nil
				return entry
			}
		}, twice},
		"the ledger forgets what a run wrote": {func(m *keyModel) {
			m.settle = func(entry KeyEntry) KeyEntry {
				if entry.Phase != v1alpha1.RunSucceeded {
					entry.Records = &v1alpha1.RecordCounts{}
				}
				return entry
			}
		}, twice},
		"an unknown outcome is a failure": {func(m *keyModel) {
			m.settle = func(entry KeyEntry) KeyEntry {
				if entry.Phase == v1alpha1.RunUnknown {
					entry.Phase = v1alpha1.RunFailed
				}
				return entry
			}
		}, twice},
		"any failure has written something": {func(m *keyModel) {
			m.settle = func(entry KeyEntry) KeyEntry {
				entry.Records = nil
				return entry
			}
		}, refused},
	} {
		t.Run("finds that "+name, func(t *testing.T) {
			m := good()
			m.StopAt = mutant.finds
			mutant.mutate(m)
			m.Run(start)
			m.Finds(t, mutant.finds)
		})
	}
}
