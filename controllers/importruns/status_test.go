// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package importruns

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	testingclock "k8s.io/utils/clock/testing"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/problem"
	"github.com/integrator-operator/integrator-operator/internal/runstate"
)

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	begun := func(left time.Duration) *v1alpha1.ImportRun {
		run := &v1alpha1.ImportRun{}
		claim, err := json.Marshal(runstate.Claim{Started: now.Add(left).Add(-runstate.TimeLimit(run))})
		if err != nil {
			t.Fatal(err)
		}
		run.Annotations = map[string]string{v1alpha1.AnnotationClaim: string(claim)}
		return run
	}
	for reason, c := range map[string]struct {
		run   *v1alpha1.ImportRun
		waits *problem.Problem
		want  time.Duration
	}{
		"an event wakes it":                      {&v1alpha1.ImportRun{}, problem.Waitingf("", ""), 0},
		"with growing pauses":                    {&v1alpha1.ImportRun{}, problem.Transientf("", ""), 0},
		"as the problem says":                    {&v1alpha1.ImportRun{}, problem.Waitingf("", "").WithRetryAfter(time.Minute), time.Minute},
		"begun, it ends at its deadline":         {begun(time.Hour / 12), problem.Waitingf("", ""), time.Hour / 12},
		"begun, it goes on before":               {begun(time.Hour / 12), problem.Transientf("", ""), begunRetry},
		"also when a person may have to act":     {begun(time.Hour / 12), problem.Terminalf("", "").WithBackoff(), begunRetry},
		"begun, as the problem says":             {begun(time.Hour / 12), problem.Waitingf("", "").WithRetryAfter(time.Minute), time.Minute},
		"begun, the deadline may be next":        {begun(5 * time.Second), problem.Transientf("", ""), 5 * time.Second},
		"begun, and its deadline over this long": {begun(-time.Minute), problem.Transientf("", ""), time.Second},
	} {
		t.Run(reason, func(t *testing.T) {
			r := &Reconciler{Clock: testingclock.NewFakePassiveClock(now)}
			if got := r.retryAfter(c.run, c.waits); got != c.want {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

// What a run needs can be deleted between two requests, and no event of it wakes the run.
func TestARunIsReconciledAgainWhenWhatItNeedsIsDeleted(t *testing.T) {
	deleted := fmt.Errorf("read the Secret of responses: %w", apierrors.NewNotFound(corev1.Resource("secrets"), "responses"))
	p := runstate.Begin(&v1alpha1.ImportRun{}, runstate.Process{}, nil)
	result, err := new(Reconciler).conclude(t.Context(), p, deleted)
	if err != nil || result.RequeueAfter <= 0 {
		t.Errorf("got %v and error %v, want another reconcile", result, err)
	}
}
