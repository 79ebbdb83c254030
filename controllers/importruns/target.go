// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package importruns

import (
	"context"
	"slices"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/ownership"
	"github.com/integrator-operator/integrator-operator/internal/problem"
	"github.com/integrator-operator/integrator-operator/internal/runstate"
	"github.com/integrator-operator/integrator-operator/internal/watch"
)

// findTarget finds the account and the id of the import to invoke. An Import has to be Ready at its
// latest generation.
func (w *work) findTarget(ctx context.Context, run *v1alpha1.ImportRun) (err error) {
	if run.Spec.ImportRef == nil {
		w.importID = string(run.Spec.ImportID)
		if w.secretImport, err = w.declaredWithValues(ctx, run.Namespace); err != nil {
			return err
		}
		w.session, err = w.r.Registry.Session(ctx, run.Namespace, run.Spec.AccountRef.Name)
		return err
	}
	var declared v1alpha1.Import
	err = w.r.Get(ctx, types.NamespacedName{Namespace: run.Namespace, Name: run.Spec.ImportRef.Name}, &declared)
	if client.IgnoreNotFound(err) != nil {
		return err
	}
	if err != nil {
		return problem.Waitingf(v1alpha1.ReasonImportNotFound, "waiting for Import %q, which is not in namespace %q", run.Spec.ImportRef.Name, run.Namespace)
	}
	if p := runstate.Invokable(&declared); p != nil {
		return p
	}
	w.importID = ownership.RemoteID(&declared)
	w.secretImport = len(declared.Spec.ValuesFrom) > 0
	if !w.secretImport && !ownership.ManagesByStatus(&declared, w.importID) {
		if w.secretImport, err = w.declaredWithValues(ctx, run.Namespace); err != nil {
			return err
		}
	}
	w.session, err = w.r.Registry.Session(ctx, run.Namespace, declared.Spec.AccountRef.Name)
	return err
}

// declaredWithValues reports whether the run's import has values from elsewhere: of an Import of the
// namespace that declares it, or of one of any namespace that manages it, or did. The destination's
// words may repeat them, and a run that names its import by id, or by an Import that only observes
// it, must not show them either. In another namespace an annotation does not count: anybody could
// hide the destination's words from others with it.
func (w *work) declaredWithValues(ctx context.Context, namespace string) (bool, error) {
	if len(w.r.Registry.SecretPaths.Of(w.importID, true, w.Now())) > 0 {
		return true, nil
	}
	declared, err := watch.ImportsWithID(ctx, w.r, w.importID)
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(declared, func(i v1alpha1.Import) bool {
		return len(i.Spec.ValuesFrom) > 0 && (i.Namespace == namespace || ownership.ManagesByStatus(&i, w.importID))
	}), nil
}
