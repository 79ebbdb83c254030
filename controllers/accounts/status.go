// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package accounts

import (
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/account"
	"github.com/integrator-operator/integrator-operator/internal/problem"
	"github.com/integrator-operator/integrator-operator/internal/status"
)

// setStatus fills the status from the problem of the connection, nil when there is none, and from
// what is known of the account.
func setStatus(object *v1alpha1.Account, p *problem.Problem, summary account.Summary) {
	object.Status.ObservedGeneration = object.Generation
	if summary.Version != "" {
		object.Status.CredentialVersion = summary.Version
	}
	if scan := summary.Scan; scan != nil && scan.Problem == nil {
		object.Status.Imports, object.Status.Pages, object.Status.Managed = &scan.Imports, &scan.Pages, &scan.Managed
	}
	if p == nil {
		p = summary.Problem
	}
	if p == nil {
		status.SetReady(&object.Status.Conditions, object.Generation, v1alpha1.ReasonTokenAccepted, "the API accepts the token")
		return
	}
	status.SetProblem(&object.Status.Conditions, object.Generation, naming(p, object.Spec.TokenSecretRef))
}

// naming has the message of a problem that another token ends name the Secret.
func naming(p *problem.Problem, secret v1alpha1.TokenSecretReference) *problem.Problem {
	switch p.Reason() {
	case v1alpha1.ReasonTokenRejected:
		return p.WithMessage("the API rejects the token (401): put a valid one into Secret %q, key %q", secret.Name, secret.Key)
	case v1alpha1.ReasonAccountChanged:
		return p.WithMessage("%s: put a token of the same account into Secret %q, key %q, or delete the Account's Imports with deletionPolicy Orphan to leave their imports alone",
			p.Message(), secret.Name, secret.Key)
	default:
		return p
	}
}

// setInUse says what an Account that is being deleted waits for. Ready stays as it is, because the
// Imports are served until they are deleted.
func setInUse(object, before *v1alpha1.Account, users []string) {
	if len(users) == 0 {
		return
	}
	condition := metav1.Condition{
		Type: v1alpha1.ConditionReconciling, Status: metav1.ConditionTrue, ObservedGeneration: object.Generation,
		Reason: v1alpha1.ReasonInUse, Message: "deleted once these Imports are deleted: " + problem.SomeOf(users, 5),
	}
	// setStatus may have removed the condition: that it was there since then must not get lost.
	if was := apimeta.FindStatusCondition(before.Status.Conditions, condition.Type); was != nil {
		condition.LastTransitionTime = was.LastTransitionTime
	}
	apimeta.RemoveStatusCondition(&object.Status.Conditions, condition.Type)
	apimeta.SetStatusCondition(&object.Status.Conditions, condition)
}
