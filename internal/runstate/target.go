// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package runstate

import (
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/ownership"
	"github.com/integrator-operator/integrator-operator/internal/problem"
)

// Invokable says why an Import cannot be invoked yet: nil when it can.
func Invokable(declared *v1alpha1.Import) *problem.Problem {
	notReady := func(format string, args ...any) *problem.Problem {
		return problem.Waitingf(v1alpha1.ReasonImportNotReady, "waiting for Import %q"+format, append([]any{declared.Name}, args...)...)
	}
	ready := apimeta.FindStatusCondition(declared.Status.Conditions, v1alpha1.ConditionReady)
	id := ownership.RemoteID(declared)
	switch {
	case !declared.DeletionTimestamp.IsZero():
		return notReady(", which is being deleted")
	case declared.Annotations[v1alpha1.AnnotationDryRun] == "true":
		return notReady(", which is in a dry run")
	case declared.Spec.Suspend:
		return notReady(", which is suspended")
	case ready == nil:
		return notReady(" to be Ready: it has not been reconciled yet")
	case ready.Status != metav1.ConditionTrue:
		return notReady(" to be Ready: %s", ready.Reason)
	case ready.ObservedGeneration != declared.Generation || id == "" || id != declared.Status.ID:
		return notReady(" to be Ready at its latest generation")
	default:
		return nil
	}
}
