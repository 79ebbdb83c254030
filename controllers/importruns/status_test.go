// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package importruns

import (
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/runstate"
)

// What a run needs can be deleted between two requests, and no event of it wakes the run.
func TestARunIsReconciledAgainWhenWhatItNeedsIsDeleted(t *testing.T) {
	deleted := fmt.Errorf("read the Secret of responses: %w", apierrors.NewNotFound(corev1.Resource("secrets"), "responses"))
	p := runstate.Begin(&v1alpha1.ImportRun{}, runstate.Process{}, nil)
	result, err := new(Reconciler).conclude(t.Context(), p, deleted)
	if err != nil || result.RequeueAfter <= 0 {
		t.Errorf("got %v and error %v, want another reconcile", result, err)
	}
}
