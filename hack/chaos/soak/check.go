// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package soak

import (
	"context"
	"errors"
	"fmt"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/hack/chaos/invariant"
	"github.com/integrator-operator/integrator-operator/hack/chaos/sandbox"
)

// converged returns an error for an Import that is not Ready, or a run that has not finished.
func (s *soak) converged(ctx context.Context) error {
	imports, runs := &v1alpha1.ImportList{}, &v1alpha1.ImportRunList{}
	if err := errors.Join(s.Objects.List(ctx, imports, client.InNamespace(s.Namespace)), s.Objects.List(ctx, runs, client.InNamespace(s.Namespace))); err != nil {
		return err
	}
	for i := range imports.Items {
		if !imports.Items[i].DeletionTimestamp.IsZero() {
			return fmt.Errorf("the Import %s is being deleted: %s", imports.Items[i].Name, sandbox.Describe(imports.Items[i].Status.Conditions))
		}
		if err := s.Ready(ctx, &imports.Items[i]); err != nil {
			return err
		}
	}
	for i := range runs.Items {
		run := &runs.Items[i]
		_, exists, err := s.read(ctx, run.Spec.ImportRef.Name)
		if err != nil {
			return err
		}
		if exists && !sandbox.Finished(run.Status.Phase) {
			return fmt.Errorf("the ImportRun %s is %q: %s", run.Name, run.Status.Phase, sandbox.Describe(run.Status.Conditions))
		}
	}
	return nil
}

// check returns an import of the account that has no Import or several, and a record that was sent
// twice.
func (s *soak) check(ctx context.Context) (violations []string) {
	imports := &v1alpha1.ImportList{}
	if err := s.Objects.List(ctx, imports, client.InNamespace(s.Namespace)); err != nil {
		return []string{err.Error()}
	}
	known := map[string]bool{sandbox.UnmanagedID: true}
	for _, object := range imports.Items {
		if known[object.Status.ID] {
			violations = append(violations, "I1: two Imports refer to the import "+object.Status.ID)
		}
		known[object.Status.ID] = true
	}
	seen := map[string]bool{}
	for _, document := range append(s.API.Imports(sandbox.AccountName), s.API.RecycleBin(sandbox.AccountName)...) {
		id, _ := document["_id"].(string)
		if _, exists := s.API.Import(sandbox.AccountName, id); exists && !known[id] {
			violations = append(violations, "I2: no Import refers to the import "+id)
		}
		records, _ := s.API.Written(sandbox.AccountName, id)
		for _, record := range records {
			if seen[string(record)] {
				violations = append(violations, "I3: the record "+string(record)+" was sent twice")
			}
			seen[string(record)] = true
		}
	}
	if invariant.Panicked(s.Log()) {
		violations = append(violations, "the manager panicked")
	}
	return append(violations, invariant.Regressions(s.History.Phases())...)
}
