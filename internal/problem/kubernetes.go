// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package problem

import (
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
)

// RefusedByKubernetes reports whether Kubernetes refuses a write as it is, so that a retry soon after it
// can hardly succeed.
func RefusedByKubernetes(err error) bool {
	return apierrors.IsForbidden(err) || apierrors.IsInvalid(err)
}

// FromKubernetes says what a person has to do when Kubernetes refuses a write: a permission, a
// quota or a name is missing. No event says when it is there, and an API server that has just started
// refuses what it permits a moment later: it is retried. Any other error is temporary, and is returned
// with what was tried.
func FromKubernetes(err error, what string, args ...any) error {
	what = fmt.Sprintf(what, args...)
	if !RefusedByKubernetes(err) {
		return fmt.Errorf("%s: %w", what, err)
	}
	return Terminalf(v1alpha1.ReasonForbidden, "cannot %s: Kubernetes refuses it (%s): check the operator's permissions and the namespace's quota",
		what, apierrors.ReasonForError(err)).WithBackoff()
}
