// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

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
)

// The full answers go into a Secret of the run's own. It is made before the first call, so
// that a name which is taken stops the run while nothing was sent, and an answer goes there
// before the run counts it.

const (
	reasonResponseSecretConflict     = "ResponseSecretConflict"
	reasonResponseNotStored = "ResponseNotStored"
)

const (
	// maxAnswers is how much a Secret of answers holds, keys included: Kubernetes takes 1 MiB
	// of values.
	maxAnswers = 1_000_000
	// compressAbove is from what size on an answer is compressed.
	compressAbove = 32 << 10
	// answerOverhead is what a key of it costs beside its value.
	answerOverhead = 48
	// answerTimeout is how long the run waits for an answer to be stored.
	answerTimeout = 20 * time.Second
	// noteKey says what is not there.
	noteKey = "note"
)

// answers is the Secret of a run's answers.
type answers struct {
	name types.NamespacedName
	uid  types.UID
	// free is how much it can still take, in bytes.
	free int
	// full tells that something was left out already.
	full bool
}

func newAnswers(secret *corev1.Secret) *answers {
	a := &answers{name: client.ObjectKeyFromObject(secret), uid: secret.UID, free: maxAnswers}
	for _, value := range secret.Data {
		a.free -= len(value) + answerOverhead
	}
	_, a.full = secret.Data[noteKey]
	return a
}

// pack makes the entries of one answer, of the batch with this index: as it is, compressed, or
// cut, with a note of what is left out. None: there is no more room, and that is noted already.
func (a *answers) pack(batch int, raw []byte) map[string][]byte {
	if a.full {
		return nil
	}
	key := answerKey(batch)
	room := a.free - answerOverhead
	if len(raw) <= compressAbove && len(raw) <= room {
		return map[string][]byte{key: raw}
	}
	if packed := compressed(raw); len(packed) <= room {
		return map[string][]byte{key + ".gz": packed}
	}
	note := fmt.Sprintf("A Secret holds 1 MiB. The answer of batch %d has %d bytes", batch+1, len(raw))
	const least = 1 << 10
	if room -= answerOverhead + least; room < least {
		return map[string][]byte{noteKey: []byte(note + "; it and those after it are left out.\n")}
	}
	head := raw[:min(len(raw), room)]
	return map[string][]byte{
		key + ".cut": head,
		noteKey:      fmt.Appendf(nil, "%s, of which the first %d are here; those after it are left out.\n", note, len(head)),
	}
}

// answerForms are how the key of an answer can go on.
var answerForms = []string{"", ".gz", ".cut"}

func answerKey(batch int) string { return fmt.Sprintf("batch-%05d.json", batch+1) }

// packed takes the entries off what is free.
func (a *answers) packed(entries map[string][]byte) {
	for key, value := range entries {
		a.free -= len(value) + answerOverhead
		a.full = a.full || key == noteKey
	}
}

// compressed is gzip, without name and time: the same answer gives the same bytes.
func compressed(raw []byte) []byte {
	var buffer bytes.Buffer
	writer := gzip.NewWriter(&buffer)
	// A buffer takes everything.
	_, _ = writer.Write(raw)
	_ = writer.Close()
	return buffer.Bytes()
}

// reserveAnswers makes the Secret, or finds the one that the run has made before.
func (r *ImportRunReconciler) reserveAnswers(ctx context.Context, s *runScope, next claim) (*outcome, error) {
	if s.object.Spec.ResponseSecretName == "" || s.answers != nil {
		return nil, nil
	}
	secret := &corev1.Secret{Type: corev1.SecretTypeOpaque}
	secret.Namespace, secret.Name = s.object.Namespace, s.object.Spec.ResponseSecretName
	secret.Labels = map[string]string{"app.kubernetes.io/managed-by": "integrator-operator"}
	secret.OwnerReferences = []metav1.OwnerReference{{
		APIVersion: v1alpha1.GroupVersion.String(), Kind: "ImportRun", Name: s.object.Name, UID: s.object.UID, Controller: new(true),
	}}
	err := r.Create(ctx, secret, notCached)
	if apierrors.IsAlreadyExists(err) {
		if err := r.Live.Get(ctx, client.ObjectKeyFromObject(secret), secret); err != nil {
			return nil, fmt.Errorf("read the Secret of answers: %w", err)
		}
		if !metav1.IsControlledBy(secret, s.object) {
			return r.foreignAnswers(ctx, s, next, secret)
		}
		err = nil
	}
	if err != nil {
		return nil, refusedByKubernetes(err, "create Secret %q of responseSecretName", secret.Name)
	}
	s.answers = newAnswers(secret)
	return nil, nil
}

// foreignAnswers ends a run whose Secret is another's, unless that is about to go: the garbage
// collector takes the Secret of a run that was deleted a while after it.
func (r *ImportRunReconciler) foreignAnswers(ctx context.Context, s *runScope, next claim, secret *corev1.Secret) (*outcome, error) {
	going := !secret.DeletionTimestamp.IsZero()
	if owner := metav1.GetControllerOf(secret); owner != nil && owner.Kind == "ImportRun" && !going {
		run := &v1alpha1.ImportRun{}
		err := r.Live.Get(ctx, types.NamespacedName{Namespace: secret.Namespace, Name: owner.Name}, run)
		if client.IgnoreNotFound(err) != nil {
			return nil, err
		}
		going = err != nil || run.UID != owner.UID
	}
	if going {
		p := waitingf(reasonProgressing, "waiting for Secret %q of a former run to be deleted", secret.Name)
		p.after = backoffBase
		return nil, p
	}
	return stop(s.object, next, v1alpha1.RunFailed, reasonResponseSecretConflict,
		fmt.Sprintf("Secret %q of responseSecretName exists and is not this run's: name another", secret.Name)), nil
}

// keepAnswer puts the answer of a batch into the Secret. That it cannot is told, and does not
// change what the call has done.
func (r *ImportRunReconciler) keepAnswer(ctx context.Context, s *runScope, batch int, raw json.RawMessage) {
	if s.answers == nil || len(raw) == 0 {
		return
	}
	entries := s.answers.pack(batch, raw)
	if entries == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), answerTimeout)
	defer cancel()
	secret := &corev1.Secret{}
	secret.Namespace, secret.Name = s.answers.name.Namespace, s.answers.name.Name
	data := map[string]any{}
	for _, form := range answerForms {
		// Of an earlier attempt.
		data[answerKey(batch)+form] = nil
	}
	for key, value := range entries {
		data[key] = value
	}
	// The uid goes along: another Secret of the name is not the run's.
	body, err := json.Marshal(map[string]any{"metadata": map[string]any{"uid": s.answers.uid}, "data": data})
	if err == nil {
		err = retry.OnError(retry.DefaultBackoff, func(err error) bool {
			return !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) && !apierrors.IsInvalid(err)
		}, func() error {
			return r.Patch(ctx, secret, client.RawPatch(types.MergePatchType, body), notCached)
		})
	}
	if err != nil {
		recordEvent(r.Recorder, s.object, warning, reasonResponseNotStored,
			fmt.Sprintf("cannot put the answer of batch %d into Secret %q: %s", batch+1, secret.Name, apierrors.ReasonForError(err)))
		return
	}
	s.answers.packed(entries)
}
