// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
)

// The ledger of idempotency keys: one ConfigMap for each import and key. Nobody owns it: it
// has to outlive the run, and also an Import or an Account that is created again. A run takes
// its entry before its first claim, and what its last call came to goes there before it goes
// to status. While the run exists it is the run itself that tells; the entry counts when it is
// gone, and when it says that the run has succeeded.

const (
	reasonAlreadySucceeded = "AlreadySucceeded"
	reasonIdempotencyKeyInUse         = "IdempotencyKeyInUse"
	reasonIdempotencyKeyUnknown     = "IdempotencyKeyUnknown"
)

// keyEntry is the data of an entry.
type keyEntry struct {
	Key    string `json:"idempotencyKey"`
	Import string `json:"import"`
	// Run and RunUID are the run that has the key.
	Run    string `json:"run"`
	RunUID string `json:"runUID"`
	// Phase is how that run ended; Running from before its first claim on, Waiting while it is
	// known that nothing was sent.
	Phase v1alpha1.RunPhase `json:"phase"`
	Time  time.Time         `json:"time"`
	// Records counts those of a run that has succeeded.
	Records *v1alpha1.RecordCounts `json:"records,omitempty"`
}

// keyObject is where a run's entry is. It goes by what the run names, not by the id of the
// remote import: an import that was deleted and created again is still the same.
func keyObject(run *v1alpha1.ImportRun) (object types.NamespacedName, target string) {
	target = "importID/" + string(run.Spec.ImportID)
	if run.Spec.ImportRef != nil {
		target = "importRef/" + run.Spec.ImportRef.Name
	}
	sum := sha256.Sum256([]byte(target + "\n" + run.Spec.IdempotencyKey))
	return types.NamespacedName{Namespace: run.Namespace, Name: "importrun-key-" + hex.EncodeToString(sum[:12])}, target
}

// keyStep is what an entry means for a run that wants its key: it has ended, it waits, or the
// key is its own to take.
type keyStep struct {
	ended *outcome
	wait  *problem
}

// judgeKey decides whether a run may have a key, from its entry. holder is the run that the
// entry names, nil when it is gone.
func judgeKey(run *v1alpha1.ImportRun, at claim, entry keyEntry, holder *v1alpha1.ImportRun, object string) keyStep {
	phase := entry.Phase
	switch {
	case entry.RunUID == string(run.UID):
		return keyStep{ended: settled(run, at, entry)}
	case phase == v1alpha1.RunSucceeded:
	case holder != nil && !finished(holder):
		p := waitingf(reasonIdempotencyKeyInUse, "waiting for ImportRun %q, which has the same idempotencyKey, to end", entry.Run)
		// Nothing tells when somebody frees the key by hand.
		p.after = keyPause
		return keyStep{wait: p}
	case holder != nil:
		phase = holder.Status.Phase
	case phase == v1alpha1.RunRunning:
		// Deleted while a call may have been under way.
		phase = v1alpha1.RunUnknown
	}
	switch {
	case phase == v1alpha1.RunSucceeded:
		return keyStep{ended: standing(run, at).end(v1alpha1.RunSucceeded, reasonAlreadySucceeded,
			"ImportRun %q has succeeded with the same idempotencyKey: nothing was sent", entry.Run)}
	case phase == v1alpha1.RunUnknown && run.Spec.OnUnknownOutcome != v1alpha1.UnknownOutcomeRetry:
		return keyStep{ended: standing(run, at).end(v1alpha1.RunFailed, reasonIdempotencyKeyUnknown,
			"nobody knows what ImportRun %q has written with the same idempotencyKey: nothing was sent; look into the destination, then use another key, or delete ConfigMap %q to use this one again", entry.Run, object)}
	default:
		return keyStep{}
	}
}

// settled is the success of a run that its own entry knows and its status does not: the
// operator was killed between the two. It is nil when the entry knows of none. Another end that
// stands there may be that of an attempt which was not the last.
func settled(run *v1alpha1.ImportRun, at claim, entry keyEntry) *outcome {
	if entry.Phase != v1alpha1.RunSucceeded {
		return nil
	}
	o := standing(run, at)
	if entry.Records != nil {
		o.records, o.done = *entry.Records, o.total
		return o.end(entry.Phase, reasonRecordsAccepted, "%d records were accepted, %d ignored, as the ledger of idempotencyKey tells: the operator stopped before it had written this here",
			o.records.Succeeded, o.records.Ignored)
	}
	return o.end(entry.Phase, reasonRecordsAccepted,
		"the ledger of idempotencyKey tells that all records were accepted; how many of them is not known any more")
}

// keyPause is how often a run looks whether its key is free.
const keyPause = time.Minute

// awaitKey makes sure, before the first batch, that no other run has the idempotency key, or had.
func (r *ImportRunReconciler) awaitKey(ctx context.Context, s *runScope, next claim) (*outcome, error) {
	if s.object.Spec.IdempotencyKey == "" || next.Batch > 0 {
		return nil, nil
	}
	name, _ := keyObject(s.object)
	object, entry, err := r.keyEntry(ctx, name)
	if apierrors.IsNotFound(err) {
		s.key = nil
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	holder, err := r.holderOf(ctx, s, entry)
	if err != nil {
		return nil, err
	}
	if entry.RunUID == string(s.object.UID) && (holder == nil || holder.ResourceVersion != s.object.ResourceVersion) {
		return nil, s.superseded()
	}
	s.key = object
	step := judgeKey(s.object, next, entry, holder, name.Name)
	if step.wait != nil {
		return nil, step.wait
	}
	return step.ended, nil
}

// takeKey has the ledger say that the run may be sending, over exactly the entry that awaitKey
// has read.
func (r *ImportRunReconciler) takeKey(ctx context.Context, s *runScope, next claim) error {
	if s.object.Spec.IdempotencyKey == "" || next.Batch > 0 {
		return nil
	}
	name, target := keyObject(s.object)
	mine := keyEntry{Key: s.object.Spec.IdempotencyKey, Import: target, Run: s.object.Name, RunUID: string(s.object.UID),
		Phase: v1alpha1.RunRunning, Time: r.Clock.Now().UTC()}
	if s.key == nil {
		return r.createKey(ctx, name, mine)
	}
	if err := r.writeKey(ctx, s.key, mine); err != nil {
		return refusedByKubernetes(err, "write ConfigMap %q for idempotencyKey", name.Name)
	}
	return nil
}

// consultKey looks into the ledger before a run is given up as Unknown.
func (r *ImportRunReconciler) consultKey(ctx context.Context, s *runScope, unknown *outcome) (*outcome, error) {
	if s.object.Spec.IdempotencyKey == "" {
		return unknown, nil
	}
	name, _ := keyObject(s.object)
	_, entry, err := r.keyEntry(ctx, name)
	if client.IgnoreNotFound(err) != nil {
		return nil, err
	}
	if err == nil && entry.RunUID == string(s.object.UID) {
		if ended := settled(s.object, claimOf(s.object), entry); ended != nil {
			return ended, nil
		}
	}
	return unknown, nil
}

// holderOf is the run that has the key, as the API server has it now; nil when it is gone.
func (r *ImportRunReconciler) holderOf(ctx context.Context, s *runScope, entry keyEntry) (*v1alpha1.ImportRun, error) {
	holder := &v1alpha1.ImportRun{}
	err := r.Live.Get(ctx, types.NamespacedName{Namespace: s.object.Namespace, Name: entry.Run}, holder)
	if client.IgnoreNotFound(err) != nil {
		return nil, err
	}
	if err != nil || string(holder.UID) != entry.RunUID {
		return nil, nil
	}
	return holder, nil
}

// settleKey writes how the run ended into its entry, or, while nothing was sent, that it
// waits: a run that is deleted then leaves no doubt.
func (r *ImportRunReconciler) settleKey(ctx context.Context, s *runScope, came *outcome) error {
	phase := came.phase
	if came.again != nil && came.next.Batch == 0 && !came.next.Uncertain {
		phase = v1alpha1.RunWaiting
	}
	if s.object.Spec.IdempotencyKey == "" || phase == "" {
		return nil
	}
	name, _ := keyObject(s.object)
	object, entry, err := r.keyEntry(ctx, name)
	if err != nil || entry.RunUID != string(s.object.UID) || entry.Phase == phase || entry.Phase == v1alpha1.RunSucceeded {
		// It never had the key, or somebody took the entry away to have the key free.
		return client.IgnoreNotFound(err)
	}
	entry.Phase, entry.Time = phase, r.Clock.Now().UTC()
	if phase == v1alpha1.RunSucceeded {
		entry.Records = came.records.DeepCopy()
	}
	err = r.writeKey(ctx, object, entry)
	if refused(err) {
		// Somebody has made it immutable, or forbids it. The run can still tell how it ended; once it
		// is gone, an entry that says Running refuses the key.
		log.FromContext(ctx).Error(err, "the ledger of idempotency keys cannot be written; the run's own status has how it ended", "configMap", name.Name)
		return nil
	}
	return client.IgnoreNotFound(err)
}

// keyEntry reads an entry past the cache. One that cannot be read has lost who had the key.
func (r *ImportRunReconciler) keyEntry(ctx context.Context, name types.NamespacedName) (*corev1.ConfigMap, keyEntry, error) {
	object := &corev1.ConfigMap{}
	if err := r.Live.Get(ctx, name, object); err != nil {
		return nil, keyEntry{}, fmt.Errorf("read the ledger of idempotency keys: %w", err)
	}
	var entry keyEntry
	if err := json.Unmarshal([]byte(object.Data[keyData]), &entry); err != nil {
		entry = keyEntry{}
	}
	entry.Run, entry.Phase = cmp.Or(entry.Run, "unknown"), cmp.Or(entry.Phase, v1alpha1.RunUnknown)
	return object, entry, nil
}

const (
	keyData  = "entry"
	keyLabel = "integrator.io/idempotency-key"
)

func (r *ImportRunReconciler) createKey(ctx context.Context, name types.NamespacedName, entry keyEntry) error {
	value, err := json.Marshal(entry)
	if err != nil {
		return err
	}
	object := &corev1.ConfigMap{Data: map[string]string{keyData: string(value)}}
	object.Namespace, object.Name = name.Namespace, name.Name
	object.Labels = map[string]string{"app.kubernetes.io/managed-by": "integrator-operator", keyLabel: "true"}
	err = r.Create(ctx, object, notCached)
	if apierrors.IsAlreadyExists(err) {
		// Another run was faster: look again.
		return apierrors.NewConflict(corev1.Resource("configmaps"), name.Name, err)
	}
	if err != nil {
		return refusedByKubernetes(err, "create ConfigMap %q for idempotencyKey", name.Name)
	}
	return nil
}

// writeKey writes an entry over exactly the one that was read.
func (r *ImportRunReconciler) writeKey(ctx context.Context, object *corev1.ConfigMap, entry keyEntry) error {
	value, err := json.Marshal(entry)
	if err != nil {
		return err
	}
	body, err := json.Marshal(map[string]any{
		"metadata": map[string]any{"uid": object.UID, "resourceVersion": object.ResourceVersion},
		"data":     map[string]any{keyData: string(value)},
	})
	if err != nil {
		return err
	}
	return r.Patch(ctx, object, client.RawPatch(types.MergePatchType, body), notCached)
}

// runsWithKeyOf maps a run that ended to the others with its idempotency key.
func (r *ImportRunReconciler) runsWithKeyOf(ctx context.Context, object client.Object) []ctrl.Request {
	key := object.(*v1alpha1.ImportRun).Spec.IdempotencyKey
	if key == "" {
		return nil
	}
	return requestsByIndex(ctx, r, &v1alpha1.ImportRunList{}, object.GetNamespace(), indexRunKey, key)
}

// runEnded lets a run's event through when it ends, or goes.
func runEnded() predicate.Predicate {
	return predicate.Funcs{
		CreateFunc: func(event.CreateEvent) bool { return false },
		UpdateFunc: func(e event.UpdateEvent) bool {
			return !finished(e.ObjectOld.(*v1alpha1.ImportRun)) && finished(e.ObjectNew.(*v1alpha1.ImportRun))
		},
		GenericFunc: func(event.GenericEvent) bool { return false },
	}
}
