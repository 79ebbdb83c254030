// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"

	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/integrator"
)

// The invoke protocol. An invoke writes into the destination and the API cannot tell a
// second one from the first:
//
//  1. claim: from a read past the cache, one annotation, refused if anybody else wrote
//     the object meanwhile;
//  2. invoke: one call on a connection of its own, no redirect, no retry;
//  3. end: the outcome goes to status; that write is retried, the call never.
//
// A claim without an outcome, past its deadline, is Unknown for good.

// invokable tells why an Import cannot be invoked yet.
func invokable(declared *v1alpha1.Import) error {
	ready := apimeta.FindStatusCondition(declared.Status.Conditions, v1alpha1.ConditionReady)
	switch {
	case !declared.DeletionTimestamp.IsZero():
		return waitingf(reasonImportNotReady, "waiting for Import %q, which is being deleted", declared.Name)
	case declared.Annotations[v1alpha1.AnnotationDryRun] == "true":
		return waitingf(reasonImportNotReady, "waiting for Import %q, which is in a dry run", declared.Name)
	case declared.Spec.Suspend:
		return waitingf(reasonImportNotReady, "waiting for Import %q, which is suspended", declared.Name)
	case ready == nil || ready.Status != metav1.ConditionTrue:
		reason := "it has not been looked at yet"
		if ready != nil {
			reason = ready.Reason
		}
		return waitingf(reasonImportNotReady, "waiting for Import %q to be Ready: %s", declared.Name, reason)
	case ready.ObservedGeneration != declared.Generation || remoteID(declared) == "" || remoteID(declared) != declared.Status.ID:
		return waitingf(reasonImportNotReady, "waiting for Import %q to be Ready at its latest generation", declared.Name)
	}
	return nil
}

// invoke makes the one call that the claim permits. It goes on when the operator is asked
// to stop: the answer is worth waiting for.
func (r *ImportRunReconciler) invoke(ctx context.Context, s *runScope, granted claim) (*outcome, error) {
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), granted.Deadline.Sub(r.Clock.Now()))
	defer cancel()
	answer, err := s.session.client.Invoke(limited, s.importID, integrator.InvokeRequest{Data: s.payload.records, Settings: s.payload.settings})
	if p := classify(err, "invoke the import"); p != nil && p.reason == reasonTokenRejected {
		r.Accounts.rejected(s.session, p)
	}
	ended, again := judgeAnswer(answer, err, len(s.payload.records), s.payload.secret)
	ended.importID, ended.started = s.importID, granted.Time
	if again == nil {
		r.unrecorded.Store(s.object.UID, &ended)
		return &ended, nil
	}
	return r.comeBack(limited, s, granted, again)
}
