// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package runstate

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/types"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/problem"
)

// keyPause is how often a run checks whether its key is free.
const keyPause = time.Minute

// KeyEntry is an entry of the ledger of idempotency keys.
type KeyEntry struct {
	Key    string `json:"idempotencyKey"`
	Import string `json:"import"`
	// Run and RunUID are the run that has the key.
	Run    string `json:"run"`
	RunUID string `json:"runUID"`
	// Phase is how that run ended; Running from before its first claim on, Waiting while it is known
	// that nothing was sent.
	Phase v1alpha1.RunPhase `json:"phase"`
	Time  time.Time         `json:"time"`
	// Batch is the last batch that the run has taken the key for, from 0.
	Batch int `json:"batch,omitempty"`
	// Records counts those of a run that has ended.
	Records *v1alpha1.RecordCounts `json:"records,omitempty"`
	// Data stands for what the run sends.
	Data DataID `json:"data,omitzero"`
	// Written is what other runs wrote with the key before, the latest last.
	Written []KeyWritten `json:"written,omitempty"`
}

// DataID stands for the records and settings of a run. Where two have the same KeyID, they are of the
// same data if, and only if, they are equal. An older version made none.
type DataID struct {
	// Hash is a keyed hash: it reveals nothing of records that can be guessed. KeyID names its key.
	Hash  string `json:"hash,omitempty"`
	KeyID string `json:"keyID,omitempty"`
}

// KeyWritten is what a run wrote with a key before it failed or was canceled.
type KeyWritten struct {
	Run  string `json:"run"`
	Data DataID `json:"data,omitzero"`
	// Records counts its records, nil when that is not known, as from an older version.
	Records *v1alpha1.RecordCounts `json:"records,omitempty"`
	// Unknown: one of its calls has an unknown outcome.
	Unknown bool `json:"unknown,omitempty"`
}

// maxWritten is how many runs may have written with one key before it is refused for good: none of
// them may be forgotten.
const maxWritten = 20

// ParseKeyEntry reads an entry. One that cannot be read does not say who has the key, so that its
// outcome is unknown.
func ParseKeyEntry(text string) KeyEntry {
	var entry KeyEntry
	if err := json.Unmarshal([]byte(text), &entry); err != nil {
		entry = KeyEntry{}
	}
	entry.Run, entry.Phase = cmp.Or(entry.Run, "unknown"), cmp.Or(entry.Phase, v1alpha1.RunUnknown)
	return entry
}

// KeyObject names the ConfigMap of a run's entry, and its target. It depends on what the run names
// and not on the id of the remote import: an import that was deleted and created again is the same.
func KeyObject(run *v1alpha1.ImportRun) (object types.NamespacedName, target string) {
	target = "importID/" + string(run.Spec.ImportID)
	if run.Spec.ImportRef != nil {
		target = "importRef/" + run.Spec.ImportRef.Name
	}
	sum := sha256.Sum256([]byte(target + "\n" + run.Spec.IdempotencyKey))
	return types.NamespacedName{Namespace: run.Namespace, Name: "importrun-key-" + hex.EncodeToString(sum[:12])}, target
}

// KeyOf is the entry with which a run takes its key for the batch of a claim. written is what other
// runs wrote with the key before.
func KeyOf(run *v1alpha1.ImportRun, next Claim, data DataID, written []KeyWritten, now time.Time) KeyEntry {
	_, target := KeyObject(run)
	return KeyEntry{
		Key: run.Spec.IdempotencyKey, Import: target, Run: run.Name, RunUID: string(run.UID),
		Phase: v1alpha1.RunRunning, Time: now, Batch: next.Batch, Data: data, Written: written,
	}
}

// KeyAction is what an entry means for a run that wants its key.
type KeyAction int

const (
	// KeyTake: the run may take the key, if JudgeData agrees.
	KeyTake KeyAction = iota
	// KeyWait: another run has the key.
	KeyWait
	// KeyEnd: the run has ended with KeyDecision.Outcome.
	KeyEnd
)

// KeyDecision is what an entry means for a run that wants its key.
type KeyDecision struct {
	Action  KeyAction
	Wait    *problem.Problem
	Outcome Outcome
	// Written is, with KeyTake, what other runs wrote with the key.
	Written []KeyWritten
}

// JudgeKey decides whether a run may have a key for the batch of a claim, from its entry; what the run
// sends does not matter yet. holder is
// the run that the entry names, nil when it was deleted; object is the name of the ConfigMap, for
// messages. After the first batch only the run that has the key goes on.
func JudgeKey(run *v1alpha1.ImportRun, at Claim, entry KeyEntry, holder *v1alpha1.ImportRun, object string) KeyDecision {
	phase := entry.Phase
	switch {
	case entry.RunUID == string(run.UID):
		return judgeOwnKey(run, at, entry)
	case at.Batch > 0:
		return KeyDecision{Action: KeyEnd, Outcome: WithoutKey(run, at, object)}
	case phase == v1alpha1.RunSucceeded:
	case holder != nil && !Finished(holder):
		// No event says when somebody frees the key by hand.
		return KeyDecision{Action: KeyWait, Wait: problem.Waitingf(v1alpha1.ReasonIdempotencyKeyInUse,
			"waiting for ImportRun %q, which has the same idempotencyKey, to end", entry.Run).WithRetryAfter(keyPause)}
	case holder != nil:
		phase = holder.Status.Phase
	case phase == v1alpha1.RunRunning:
		// Deleted while a call may have been under way.
		phase = v1alpha1.RunUnknown
	}
	switch {
	case phase == v1alpha1.RunSucceeded:
		return KeyDecision{Action: KeyEnd, Outcome: Standing(run, at).end(v1alpha1.RunSucceeded, v1alpha1.ReasonAlreadySucceeded,
			"ImportRun %q has succeeded with the same idempotencyKey: nothing was sent", entry.Run)}
	case phase == v1alpha1.RunUnknown && run.Spec.OnUnknownOutcome != v1alpha1.UnknownOutcomeRetry:
		return KeyDecision{Action: KeyEnd, Outcome: Standing(run, at).end(v1alpha1.RunFailed, v1alpha1.ReasonIdempotencyKeyUnknown,
			"%s", unknownKey(entry.Run, object))}
	default:
		return KeyDecision{Action: KeyTake, Written: entry.writtenBy(phase, holder)}
	}
}

// writtenBy is what was written with the key by the run of an entry, which is over, and by those before
// it. holder is the run itself, nil when it was deleted; phase is how it ended.
func (e KeyEntry) writtenBy(phase v1alpha1.RunPhase, holder *v1alpha1.ImportRun) []KeyWritten {
	last := KeyWritten{Run: e.Run, Data: e.Data, Records: e.Records, Unknown: phase == v1alpha1.RunUnknown}
	if holder != nil {
		last.Records = cmp.Or(holder.Status.Records, &v1alpha1.RecordCounts{})
	}
	wrote := last.Records == nil || last.Records.Succeeded > 0
	if !last.Unknown && (phase == v1alpha1.RunWaiting || !wrote) {
		return e.Written
	}
	// Each data once: who is permitted to send the same again does so any number of times.
	others := slices.DeleteFunc(slices.Clone(e.Written), func(before KeyWritten) bool {
		return before.Data == last.Data && before.Unknown == last.Unknown && last.Data.Hash != ""
	})
	return append(others, last)
}

// JudgeData refuses a run that would send the data of another run again, which wrote some of it with the
// same key and failed. It is false when the run may send. A run that has begun was judged before.
func JudgeData(run *v1alpha1.ImportRun, at Claim, data DataID, written []KeyWritten, object string) (Outcome, bool) {
	if at.Batch > 0 || at.Uncertain {
		return Outcome{}, false
	}
	refuse := func(reason, because string) (Outcome, bool) {
		return Standing(run, at).end(v1alpha1.RunFailed, reason, "%s", because), true
	}
	for _, before := range slices.Backward(written) {
		switch {
		case before.Unknown && run.Spec.OnUnknownOutcome != v1alpha1.UnknownOutcomeRetry:
			return refuse(v1alpha1.ReasonIdempotencyKeyUnknown, unknownKey(before.Run, object))
		case before.Unknown, run.Spec.AfterPartialFailure == v1alpha1.PartialFailureSendAgain:
		case before.Data.Hash == "" || before.Records == nil:
			return refuse(v1alpha1.ReasonAlreadyFailed, fmt.Sprintf(
				"ImportRun %q failed with the same idempotencyKey under an older version of the operator, which did not keep what it wrote: nothing was sent; look into the destination, then create another ImportRun with another key, or delete ConfigMap %q to use this one again", before.Run, object))
		case before.Data.KeyID != data.KeyID:
			return refuse(v1alpha1.ReasonAlreadyFailed, fmt.Sprintf(
				"ImportRun %q wrote %s with the same idempotencyKey, and the Account has another token since, so it cannot be told whether the data is the same: nothing was sent; create another ImportRun with another key", before.Run, some(before.Records)))
		case before.Data == data:
			return refuse(v1alpha1.ReasonAlreadyFailed, fmt.Sprintf(
				"ImportRun %q wrote %s with the same idempotencyKey and the same data: nothing was sent; create another ImportRun with corrected data, or with another idempotencyKey", before.Run, some(before.Records)))
		}
	}
	if len(written) >= maxWritten {
		return refuse(v1alpha1.ReasonAlreadyFailed, fmt.Sprintf(
			"%d ImportRuns with the same idempotencyKey failed and wrote some of their records: nothing was sent; create another ImportRun with another key", len(written)))
	}
	return Outcome{}, false
}

// some says how many of a run's records were written.
func some(counts *v1alpha1.RecordCounts) string {
	return fmt.Sprintf("%d of %d records", counts.Succeeded, counts.Total)
}

// unknownKey says why a key is refused after a run whose outcome is unknown.
func unknownKey(run, object string) string {
	return fmt.Sprintf("it is unknown what ImportRun %q has written with the same idempotencyKey: nothing was sent; look into the destination, then create another ImportRun with another key, or delete ConfigMap %q to use this one again", run, object)
}

// judgeOwnKey decides whether a run may keep its key. Where the entry has an end of the run, or a
// later batch, an older state of the run was restored.
func judgeOwnKey(run *v1alpha1.ImportRun, at Claim, entry KeyEntry) KeyDecision {
	if o, ok := Settled(run, at, entry); ok {
		return KeyDecision{Action: KeyEnd, Outcome: o}
	}
	over := Finished(&v1alpha1.ImportRun{Status: v1alpha1.ImportRunStatus{Phase: entry.Phase}})
	if entry.Batch > at.Batch || over && run.Spec.OnUnknownOutcome != v1alpha1.UnknownOutcomeRetry {
		return KeyDecision{Action: KeyEnd, Outcome: Standing(run, at).end(v1alpha1.RunUnknown, v1alpha1.ReasonOutcomeUnknown,
			"the ledger of idempotencyKey has seen more of this run than its status: it was at batch %d, and is %s there; nothing more is sent, look into the destination before running again", entry.Batch+1, entry.Phase)}
	}
	return KeyDecision{Action: KeyTake, Written: entry.Written}
}

// WithoutKey is the end of a run that has sent batches, and that the ledger does not name; object
// is the name of the ConfigMap.
func WithoutKey(run *v1alpha1.ImportRun, at Claim, object string) Outcome {
	return Stop(run, at, v1alpha1.RunFailed, v1alpha1.ReasonIdempotencyKeyUnknown,
		fmt.Sprintf("ConfigMap %q, the ledger of idempotencyKey, no longer says that this run has the key", object))
}

// Settled is the success of a run that its own entry knows and its status does not, because the
// operator was killed between the two. It is false when the entry knows of none. Another end in the
// entry may be that of an attempt which was not the last.
func Settled(run *v1alpha1.ImportRun, at Claim, entry KeyEntry) (Outcome, bool) {
	if entry.RunUID != string(run.UID) || entry.Phase != v1alpha1.RunSucceeded {
		return Outcome{}, false
	}
	o := Standing(run, at)
	if entry.Records == nil {
		return o.end(entry.Phase, v1alpha1.ReasonRecordsAccepted,
			"the ledger of idempotencyKey says that all records were accepted; how many is no longer known"), true
	}
	o.Records, o.Done = *entry.Records, o.Total
	return o.end(entry.Phase, v1alpha1.ReasonRecordsAccepted,
		"%d records were accepted, %d ignored, as the ledger of idempotencyKey says: the operator stopped before it had recorded this here",
		o.Records.Succeeded, o.Records.Ignored), true
}

// Settle is the entry with what became of its run: how it ended, or, while nothing was sent, that
// it waits, so that a run which is deleted then leaves nothing unknown. It is false when the entry
// stays as it is: it already says so, or belongs to another run, because this one never had
// the key or somebody removed the entry to free the key.
func Settle(run *v1alpha1.ImportRun, entry KeyEntry, o Outcome, now time.Time) (KeyEntry, bool) {
	settled := entry
	settled.Phase, settled.Records = ledgerPhase(o), nil
	if Finished(&v1alpha1.ImportRun{Status: v1alpha1.ImportRunStatus{Phase: settled.Phase}}) {
		settled.Records = o.Records.DeepCopy()
	}
	same := entry.Phase == settled.Phase && equality.Semantic.DeepEqual(entry.Records, settled.Records)
	if settled.Phase == "" || same || entry.RunUID != string(run.UID) || entry.Phase == v1alpha1.RunSucceeded {
		return entry, false
	}
	settled.Time = now
	return settled, true
}

// ledgerPhase is the phase that an outcome gives the entry of its run, "" when it gives none.
func ledgerPhase(o Outcome) v1alpha1.RunPhase {
	if o.Again != nil && o.Next.Batch == 0 && !o.Next.Uncertain {
		return v1alpha1.RunWaiting
	}
	return o.Phase
}
