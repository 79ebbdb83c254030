// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package importruns

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/retry"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/problem"
	"github.com/integrator-operator/integrator-operator/internal/runstate"
	"github.com/integrator-operator/integrator-operator/internal/status"
)

// The full responses go into a Secret of the run's own. It is created before the first call, so that
// a name which is taken stops the run while nothing was sent, and a response goes there before the
// run counts its batch.

const (
	// maxResponses is how much a Secret of responses has, keys included: Kubernetes takes 1 MiB of
	// values.
	maxResponses = 1_000_000
	// compressAbove is from what size on a response is compressed.
	compressAbove = 32 << 10
	// responseOverhead is what a key of it costs beside its value.
	responseOverhead = 48
	// responseTimeout is how long the run waits for a response to be stored.
	responseTimeout = 20 * time.Second
	// noteKey has the note of what was left out.
	noteKey = "note"
)

// responses is the Secret of a run's responses.
type responses struct {
	name types.NamespacedName
	uid  types.UID
	// free is how much more it can take, in bytes.
	free int
	// full: something was left out already.
	full bool
}

func newResponses(secret *corev1.Secret) *responses {
	s := &responses{name: client.ObjectKeyFromObject(secret), uid: secret.UID, free: maxResponses}
	for _, value := range secret.Data {
		s.free -= len(value) + responseOverhead
	}
	_, s.full = secret.Data[noteKey]
	return s
}

// pack makes the entries of the response to the batch with this index: as it is, compressed, or cut,
// with a note of what is left out. It makes none when there is no room left and that is noted.
func (s *responses) pack(batch int, raw []byte) map[string][]byte {
	if s.full {
		return nil
	}
	key := responseKey(batch)
	room := s.free - responseOverhead
	if len(raw) <= compressAbove && len(raw) <= room {
		return map[string][]byte{key: raw}
	}
	if packed := compressed(raw); len(packed) <= room {
		return map[string][]byte{key + ".gz": packed}
	}
	note := fmt.Sprintf("A Secret holds 1 MiB. The answer of batch %d has %d bytes", batch+1, len(raw))
	const least = 1 << 10
	if room -= responseOverhead + least; room < least {
		return map[string][]byte{noteKey: []byte(note + "; it and those after it are left out.\n")}
	}
	head := raw[:min(len(raw), room)]
	return map[string][]byte{
		key + ".cut": head,
		noteKey:      fmt.Appendf(nil, "%s, of which the first %d are here; those after it are left out.\n", note, len(head)),
	}
}

// stored takes the entries off what is free.
func (s *responses) stored(entries map[string][]byte) {
	for key, value := range entries {
		s.free -= len(value) + responseOverhead
		s.full = s.full || key == noteKey
	}
}

// responseForms are how the key of a response can end.
var responseForms = []string{"", ".gz", ".cut"}

func responseKey(batch int) string { return fmt.Sprintf("batch-%05d.json", batch+1) }

// compressed is gzip, without name and time: the same response gives the same bytes.
func compressed(raw []byte) []byte {
	var buffer bytes.Buffer
	writer := gzip.NewWriter(&buffer)
	// A buffer takes everything.
	_, _ = writer.Write(raw)
	_ = writer.Close()
	return buffer.Bytes()
}

// reserveResponses creates the Secret of responses, or finds that of an earlier reconcile. An
// outcome ends the run, because the name is taken.
func (w *work) reserveResponses(ctx context.Context, run *v1alpha1.ImportRun, next runstate.Claim) (*runstate.Outcome, error) {
	if run.Spec.ResponseSecretName == "" || w.responses != nil {
		return nil, nil
	}
	secret := &corev1.Secret{Type: corev1.SecretTypeOpaque}
	secret.Namespace, secret.Name = run.Namespace, run.Spec.ResponseSecretName
	secret.Labels = map[string]string{"app.kubernetes.io/managed-by": "integrator-operator"}
	secret.OwnerReferences = []metav1.OwnerReference{{
		APIVersion: v1alpha1.GroupVersion.String(), Kind: "ImportRun", Name: run.Name, UID: run.UID, Controller: new(true),
	}}
	err := w.r.Create(ctx, secret, notCached)
	if apierrors.IsAlreadyExists(err) {
		if err := w.r.Live.Get(ctx, client.ObjectKeyFromObject(secret), secret); err != nil {
			return nil, fmt.Errorf("read the Secret of responses: %w", err)
		}
		if !metav1.IsControlledBy(secret, run) {
			return w.foreignSecret(ctx, run, next, secret)
		}
		err = nil
	}
	if err != nil {
		return nil, problem.FromKubernetes(err, "create Secret %q of responseSecretName", secret.Name)
	}
	w.responses = newResponses(secret)
	return nil, nil
}

// foreignSecret ends a run whose Secret belongs to somebody else, unless the Secret is about to be
// deleted: the garbage collector deletes that of a former run a while after the run.
func (w *work) foreignSecret(ctx context.Context, run *v1alpha1.ImportRun, next runstate.Claim, secret *corev1.Secret) (*runstate.Outcome, error) {
	deleting := !secret.DeletionTimestamp.IsZero()
	if owner := metav1.GetControllerOf(secret); owner != nil && owner.Kind == "ImportRun" && !deleting {
		former, err := w.r.readRun(ctx, types.NamespacedName{Namespace: secret.Namespace, Name: owner.Name})
		if client.IgnoreNotFound(err) != nil {
			return nil, err
		}
		deleting = err != nil || former.UID != owner.UID
	}
	if deleting {
		return nil, problem.Waitingf(v1alpha1.ReasonProgressing, "waiting for Secret %q of a former run to be deleted", secret.Name).WithRetryAfter(problem.BackoffBase)
	}
	end := runstate.Stop(run, next, v1alpha1.RunFailed, v1alpha1.ReasonResponseSecretConflict,
		fmt.Sprintf("Secret %q of responseSecretName exists and is not this run's: create another ImportRun that names another", secret.Name))
	return &end, nil
}

// keepResponse puts the response to a batch into the Secret. A failure is an event, and does not
// change what the call has done.
func (w *work) keepResponse(ctx context.Context, run *v1alpha1.ImportRun, batch int, raw json.RawMessage) {
	if w.responses == nil || len(raw) == 0 {
		return
	}
	entries := w.responses.pack(batch, raw)
	if entries == nil {
		return
	}
	if err := w.storeResponse(ctx, batch, entries); err != nil {
		status.RecordEvent(w.r.Recorder, run, corev1.EventTypeWarning, v1alpha1.ReasonResponseNotStored,
			fmt.Sprintf("cannot put the response to batch %d into Secret %q: %s", batch+1, w.responses.name.Name, apierrors.ReasonForError(err)))
		return
	}
	w.responses.stored(entries)
}

func (w *work) storeResponse(ctx context.Context, batch int, entries map[string][]byte) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), responseTimeout)
	defer cancel()
	secret := &corev1.Secret{}
	secret.Namespace, secret.Name = w.responses.name.Namespace, w.responses.name.Name
	data := map[string]any{}
	for _, form := range responseForms {
		// Of an earlier attempt.
		data[responseKey(batch)+form] = nil
	}
	for key, value := range entries {
		data[key] = value
	}
	// The uid goes along: another Secret of the name is not the run's.
	body, err := json.Marshal(map[string]any{"metadata": map[string]any{"uid": w.responses.uid}, "data": data})
	if err != nil {
		return err
	}
	return retry.OnError(retry.DefaultBackoff, func(err error) bool {
		return !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) && !apierrors.IsInvalid(err)
	}, func() error {
		return w.r.Patch(ctx, secret, client.RawPatch(types.MergePatchType, body), notCached)
	})
}
