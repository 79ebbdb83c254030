// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
)

// What a run needs can go between two requests, and no event of it wakes the run.
func TestARunIsLookedAtAgainWhenWhatItNeedsIsGone(t *testing.T) {
	s := &runScope{object: &v1alpha1.ImportRun{}}
	gone := fmt.Errorf("read the Secret of answers: %w", apierrors.NewNotFound(corev1.Resource("secrets"), "answers"))
	result, err := new(ImportRunReconciler).finish(t.Context(), s, gone)
	if err != nil || result.RequeueAfter <= 0 {
		t.Errorf("got %v and error %v, want another look", result, err)
	}
}
