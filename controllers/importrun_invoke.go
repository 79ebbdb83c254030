// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"errors"
	"time"

	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/integrator"
)

// The invoke protocol. An invoke writes into the destination and the API cannot tell a
// second one from the first. For each batch:
//
//  1. claim: one annotation, refused if anybody else wrote the object meanwhile;
//  2. invoke: one call on a connection of its own, no redirect, no retry;
//  3. record: what the call came to goes into the run; that write is retried, the call never.
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

// fits ends a run whose data is not what it was when batches of it were sent, and one whose
// claim speaks of a batch that there is not.
func (s *runScope) fits(next claim) *outcome {
	sent := next.Batch > 0 || next.Uncertain
	switch {
	case sent && next.Digest != "" && next.Digest != s.payload.digest:
		return stop(s.object, next, v1alpha1.RunFailed, reasonDataChanged, "data, dataFrom or settings have changed since the first batch was sent")
	case next.Batch >= len(s.payload.batches):
		return lost(s.object, next)
	default:
		return nil
	}
}

// invoke makes the one call that the claim permits. It goes on when the operator is asked
// to stop: the answer is worth waiting for.
func (r *ImportRunReconciler) invoke(ctx context.Context, s *runScope, turn *integrator.Turn, granted claim) *outcome {
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), granted.Deadline.Sub(r.Clock.Now()))
	defer cancel()
	part := s.payload.batches[granted.Batch]
	answer, err := turn.Invoke(limited, s.importID, integrator.InvokeRequest{Data: s.payload.records[part.From:part.To], Settings: s.payload.settings})
	if p := classify(err, "invoke the import"); p != nil && p.reason == reasonTokenRejected {
		r.Accounts.rejected(s.session, p)
	}
	r.keepAnswer(ctx, s, granted.Batch, answer.Raw)
	came := conclude(s.object, granted, judgeAnswer(answer, err, part.To-part.From, s.payload.secret), s.payload, r.Clock.Now())
	came.importID = s.importID
	return came
}

// turn waits for the account's turn, but not for long: the other runs of all accounts have the
// same workers, and a cancel or a deadline may come meanwhile.
func (s *runScope) turn(ctx context.Context) (*integrator.Turn, error) {
	limited, cancel := context.WithTimeout(ctx, turnWait)
	defer cancel()
	turn, err := s.session.client.Turn(limited)
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		p := waitingf(reasonProgressing, "waiting for other calls of the account to end")
		p.after = turnPause
		return nil, p
	}
	if err != nil {
		return nil, asError(classify(err, "invoke the import"), err)
	}
	return turn, nil
}

// turnWait is how long a worker waits for the account's turn, and turnPause how long it sees to
// other runs before it asks again.
const turnWait, turnPause = 10 * time.Second, 5 * time.Second
