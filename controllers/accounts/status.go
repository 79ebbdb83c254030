// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package accounts

import (
	"fmt"
	"strings"

	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/account"
	"github.com/integrator-operator/integrator-operator/internal/problem"
	"github.com/integrator-operator/integrator-operator/internal/status"
)

// setStatus fills the status from the problem and the last scan, which may both be nil, and from the
// version of the credential, which is "" while that is unverified.
func setStatus(object *v1alpha1.Account, p *problem.Problem, scan *account.Scan, version string) {
	object.Status.ObservedGeneration = object.Generation
	if version != "" {
		object.Status.CredentialVersion = version
	}
	if scan != nil && scan.Problem == nil {
		object.Status.Imports, object.Status.Managed = &scan.Imports, &scan.Managed
	}
	if p == nil && scan != nil {
		p = scan.Problem
	}
	if p == nil {
		status.SetReady(&object.Status.Conditions, object.Generation, v1alpha1.ReasonTokenAccepted, "the API accepts the token")
		return
	}
	if p.Reason() == v1alpha1.ReasonTokenRejected {
		// The message names the Secret, whichever call it was that was rejected.
		p = p.WithMessage("the API rejects the token (401): put a valid one into Secret %q, key %q",
			object.Spec.TokenSecretRef.Name, object.Spec.TokenSecretRef.Key)
	}
	status.SetProblem(&object.Status.Conditions, object.Generation, p)
}

// setInUse says what an Account that is being deleted waits for. Ready stays as it is, because the
// Imports are served until they are deleted.
func setInUse(object, before *v1alpha1.Account, users []string) {
	if len(users) == 0 {
		return
	}
	condition := metav1.Condition{
		Type: v1alpha1.ConditionReconciling, Status: metav1.ConditionTrue, ObservedGeneration: object.Generation,
		Reason: v1alpha1.ReasonInUse, Message: "deleted once these Imports are deleted: " + someOf(users),
	}
	// setStatus may have removed the condition: that it was there since then must not get lost.
	if was := apimeta.FindStatusCondition(before.Status.Conditions, condition.Type); was != nil {
		condition.LastTransitionTime = was.LastTransitionTime
	}
	apimeta.RemoveStatusCondition(&object.Status.Conditions, condition.Type)
	apimeta.SetStatusCondition(&object.Status.Conditions, condition)
}

// someOf lists the first of the names, and how many more there are.
func someOf(names []string) string {
	const most = 5
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}
