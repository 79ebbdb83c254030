// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package importruns

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/account"
	"github.com/integrator-operator/integrator-operator/internal/problem"
	"github.com/integrator-operator/integrator-operator/internal/runstate"
)

// The ledger of idempotency keys: one ConfigMap for each import and key. Nobody owns it: it has to
// outlive the run, and also an Import or an Account that is created again. A run takes its entry
// before each claim, and the outcome of its last call goes there before it goes to status.
// While the run exists, the run itself says how it ended; the entry counts when the run was deleted,
// and when it says that the run has succeeded. The entry also keeps what the runs before wrote, and what
// stands for their data: the same data is not sent again.

const (
	keyData  = "entry"
	keyLabel = "integrator.io/idempotency-key"
)

// awaitKey makes sure, before each batch, that no other run has the idempotency key, or had it, and
// after the first batch that this run has it: the claim alone does not say that it ever had.
func (w *work) awaitKey(ctx context.Context, run *v1alpha1.ImportRun, next runstate.Claim) (*runstate.Outcome, error) {
	if run.Spec.IdempotencyKey == "" {
		return nil, nil
	}
	w.key, w.written = nil, nil
	object, entry, err := w.r.readKey(ctx, run)
	if apierrors.IsNotFound(err) {
		if next.Batch == 0 {
			return nil, nil
		}
		name, _ := runstate.KeyObject(run)
		end := runstate.WithoutKey(run, next, name.Name)
		return &end, nil
	}
	if err != nil {
		return nil, err
	}
	holder, err := w.r.holderOf(ctx, run, entry)
	if err != nil {
		return nil, err
	}
	if entry.RunUID == string(run.UID) && (holder == nil || holder.ResourceVersion != run.ResourceVersion) {
		return nil, runstate.Superseded(run)
	}
	decision := runstate.JudgeKey(run, next, entry, holder, object.Name)
	w.key, w.written = object, decision.Written
	switch decision.Action {
	case runstate.KeyTake:
		return nil, nil
	case runstate.KeyWait:
		return nil, decision.Wait
	case runstate.KeyEnd:
		return &decision.Outcome, nil
	default:
		return nil, fmt.Errorf("unknown action %d for an idempotency key", decision.Action)
	}
}

// judgeData refuses data that a run with the same idempotency key has written in part.
func (w *work) judgeData(run *v1alpha1.ImportRun, next runstate.Claim) *runstate.Outcome {
	if run.Spec.IdempotencyKey == "" {
		return nil
	}
	if w.dataID == (runstate.DataID{}) {
		w.dataID = identify(w.session, *w.payload)
	}
	if len(w.written) == 0 {
		return nil
	}
	if end, refused := runstate.JudgeData(run, next, w.dataID, w.written, w.key.Name); refused {
		return &end
	}
	return nil
}

// identify makes what stands for the data of a run in the ledger. Many may read it: the hash reveals
// nothing of the records. White space between the values of JSON does not count, and neither does where
// the records are from, or how many go into one call.
func identify(session *account.Session, payload runstate.Payload) runstate.DataID {
	keyed, id := session.Client.Keys.Hash("importrun-data")
	var text bytes.Buffer
	state := digest{keyed}
	add := func(value json.RawMessage) {
		text.Reset()
		if json.Compact(&text, value) != nil {
			text.Reset()
			text.Write(value)
		}
		state.add(text.Bytes())
	}
	for _, record := range payload.Records {
		add(record)
	}
	add(payload.Settings)
	return runstate.DataID{Hash: state.sum(), KeyID: id}
}

// takeKey has the ledger say that the run may be sending, over exactly the entry that awaitKey has
// read.
func (w *work) takeKey(ctx context.Context, run *v1alpha1.ImportRun, next runstate.Claim) error {
	if run.Spec.IdempotencyKey == "" {
		return nil
	}
	entry := runstate.KeyOf(run, next, w.dataID, w.written, w.Now().UTC())
	if w.key == nil {
		return w.r.createKey(ctx, run, entry)
	}
	if err := w.r.writeKey(ctx, w.key, entry); err != nil {
		return problem.FromKubernetes(err, "write ConfigMap %q for idempotencyKey", w.key.Name)
	}
	return nil
}

// ReadLedger reads the run's entry: false when there is none.
func (w *work) ReadLedger(ctx context.Context, run *v1alpha1.ImportRun) (runstate.KeyEntry, bool, error) {
	_, entry, err := w.r.readKey(ctx, run)
	return entry, err == nil, client.IgnoreNotFound(err)
}

// SettleLedger writes into the run's entry what became of the run.
func (w *work) SettleLedger(ctx context.Context, run *v1alpha1.ImportRun, outcome runstate.Outcome) error {
	err := w.r.settleKey(ctx, run, outcome)
	if err != nil && !outcome.OfCall() {
		log.FromContext(ctx).Error(err, "cannot write how the run ended into the ledger of idempotency keys")
	}
	return err
}

// settleKey writes an outcome into the run's entry, if the entry is the run's.
func (r *Reconciler) settleKey(ctx context.Context, run *v1alpha1.ImportRun, outcome runstate.Outcome) error {
	if run.Spec.IdempotencyKey == "" {
		return nil
	}
	object, entry, err := r.readKey(ctx, run)
	if err != nil {
		return client.IgnoreNotFound(err)
	}
	settled, changed := runstate.Settle(run, entry, outcome, r.Clock.Now().UTC())
	if !changed {
		return nil
	}
	err = r.writeKey(ctx, object, settled)
	if problem.RefusedByKubernetes(err) {
		// Somebody has made it immutable, or forbids it. The run can still say how it ended; once the
		// run is deleted, an entry that says Running refuses the key.
		log.FromContext(ctx).Error(err, "the ledger of idempotency keys cannot be written; the run's own status has how it ended", "configMap", object.Name)
		return nil
	}
	return client.IgnoreNotFound(err)
}

// holderOf is the run that has the key, as the API server has it now; nil when it was deleted.
func (r *Reconciler) holderOf(ctx context.Context, run *v1alpha1.ImportRun, entry runstate.KeyEntry) (*v1alpha1.ImportRun, error) {
	holder, err := r.readRun(ctx, types.NamespacedName{Namespace: run.Namespace, Name: entry.Run})
	if client.IgnoreNotFound(err) != nil {
		return nil, err
	}
	if err != nil || string(holder.UID) != entry.RunUID {
		return nil, nil
	}
	return holder, nil
}

// readKey reads the run's entry past the cache.
func (r *Reconciler) readKey(ctx context.Context, run *v1alpha1.ImportRun) (*corev1.ConfigMap, runstate.KeyEntry, error) {
	name, _ := runstate.KeyObject(run)
	object := &corev1.ConfigMap{}
	if err := r.Live.Get(ctx, name, object); err != nil {
		return nil, runstate.KeyEntry{}, fmt.Errorf("read the ledger of idempotency keys: %w", err)
	}
	return object, runstate.ParseKeyEntry(object.Data[keyData]), nil
}

func (r *Reconciler) createKey(ctx context.Context, run *v1alpha1.ImportRun, entry runstate.KeyEntry) error {
	value, err := json.Marshal(entry)
	if err != nil {
		return err
	}
	name, _ := runstate.KeyObject(run)
	object := &corev1.ConfigMap{Data: map[string]string{keyData: string(value)}}
	object.Namespace, object.Name = name.Namespace, name.Name
	object.Labels = map[string]string{"app.kubernetes.io/managed-by": "integrator-operator", keyLabel: "true"}
	err = r.Create(ctx, object, notCached)
	if apierrors.IsAlreadyExists(err) {
		// Another run was faster: reconcile again.
		return apierrors.NewConflict(corev1.Resource("configmaps"), name.Name, err)
	}
	if err != nil {
		return problem.FromKubernetes(err, "create ConfigMap %q for idempotencyKey", name.Name)
	}
	return nil
}

// writeKey writes an entry over exactly the one that was read.
func (r *Reconciler) writeKey(ctx context.Context, object *corev1.ConfigMap, entry runstate.KeyEntry) error {
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
