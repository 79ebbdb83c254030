// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package runstate

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

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
	// Records counts those of a run that has succeeded.
	Records *v1alpha1.RecordCounts `json:"records,omitempty"`
}

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

// KeyOf is the entry with which a run takes its key for the batch of a claim.
func KeyOf(run *v1alpha1.ImportRun, next Claim, now time.Time) KeyEntry {
	_, target := KeyObject(run)
	return KeyEntry{Key: run.Spec.IdempotencyKey, Import: target, Run: run.Name, RunUID: string(run.UID), Phase: v1alpha1.RunRunning, Time: now, Batch: next.Batch}
}

// KeyAction is what an entry means for a run that wants its key.
type KeyAction int

const (
	// KeyTake: the run may take the key.
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
}

// JudgeKey decides whether a run may have a key for the batch of a claim, from its entry. holder is
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
			"it is unknown what ImportRun %q has written with the same idempotencyKey: nothing was sent; look into the destination, then create another ImportRun with another key, or delete ConfigMap %q to use this one again", entry.Run, object)}
	default:
		return KeyDecision{Action: KeyTake}
	}
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
	return KeyDecision{Action: KeyTake}
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
// stays as it is: it already has this phase, or belongs to another run, because this one never had
// the key or somebody removed the entry to free the key.
func Settle(run *v1alpha1.ImportRun, entry KeyEntry, o Outcome, now time.Time) (KeyEntry, bool) {
	phase := ledgerPhase(o)
	if phase == "" || entry.RunUID != string(run.UID) || entry.Phase == phase || entry.Phase == v1alpha1.RunSucceeded {
		return entry, false
	}
	entry.Phase, entry.Time = phase, now
	if phase == v1alpha1.RunSucceeded {
		entry.Records = o.Records.DeepCopy()
	}
	return entry, true
}

// ledgerPhase is the phase that an outcome gives the entry of its run, "" when it gives none.
func ledgerPhase(o Outcome) v1alpha1.RunPhase {
	if o.Again != nil && o.Next.Batch == 0 && !o.Next.Uncertain {
		return v1alpha1.RunWaiting
	}
	return o.Phase
}
