// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package importruns

import (
	"context"
	"encoding/json"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/runstate"
)

// The claim is one annotation. It is written to exactly the version of the run that was decided on:
// with another process at the same run, or with a cache that is behind, the API server refuses it,
// and nothing is sent.

// WriteClaim sets the claim annotation of exactly this version of the run.
func (w *work) WriteClaim(ctx context.Context, run *v1alpha1.ImportRun, claim runstate.Claim) (*v1alpha1.ImportRun, error) {
	text, err := json.Marshal(claim)
	if err != nil {
		return nil, err
	}
	body, err := json.Marshal(map[string]any{"metadata": map[string]any{
		"uid": run.UID, "resourceVersion": run.ResourceVersion,
		"annotations": map[string]any{v1alpha1.AnnotationClaim: string(text)},
	}})
	if err != nil {
		return nil, err
	}
	patched := run.DeepCopy()
	if err := w.r.Patch(ctx, patched, client.RawPatch(types.MergePatchType, body)); err != nil {
		return nil, err
	}
	runstate.Strip(patched)
	return patched, nil
}

// ReadRun reads the run past the cache.
func (w *work) ReadRun(ctx context.Context, run *v1alpha1.ImportRun) (*v1alpha1.ImportRun, error) {
	return w.r.readRun(ctx, client.ObjectKeyFromObject(run))
}

// readRun reads a run past the cache, without what it sends.
func (r *Reconciler) readRun(ctx context.Context, name types.NamespacedName) (*v1alpha1.ImportRun, error) {
	r.unpacking.Lock()
	defer r.unpacking.Unlock()
	live := &v1alpha1.ImportRun{}
	if err := r.Live.Get(ctx, name, live); err != nil {
		return nil, err
	}
	runstate.Strip(live)
	return live, nil
}

// ShowRunning shows the run as under way.
func (w *work) ShowRunning(ctx context.Context, run *v1alpha1.ImportRun, granted runstate.Claim, prepared runstate.Prepared) (*v1alpha1.ImportRun, error) {
	return w.r.writeStatus(ctx, run, withRunning(run, granted, prepared))
}

// ShowPause shows that the call is over, and why its batch is sent again later.
func (w *work) ShowPause(ctx context.Context, run *v1alpha1.ImportRun, outcome runstate.Outcome) (*v1alpha1.ImportRun, error) {
	return w.r.writeStatus(ctx, run, withPause(run, outcome))
}

// WriteOutcome shows how far the run has come, or how it ended.
func (w *work) WriteOutcome(ctx context.Context, run *v1alpha1.ImportRun, outcome runstate.Outcome) (*v1alpha1.ImportRun, error) {
	return w.r.writeStatus(ctx, run, withOutcome(run, outcome, w.Now()))
}
