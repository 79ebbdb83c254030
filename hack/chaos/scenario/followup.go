// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package scenario

import (
	"context"
	"fmt"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/hack/chaos/sandbox"
)

// FollowUp is something that happens once a scenario is over. It must not cause a write to the
// API; Until says what has to be true of the objects after it.
type FollowUp struct {
	Name  string
	Do    func(context.Context, *Execution) error
	Until func(context.Context, *Execution) error
	// Restores is true when the objects are replaced by others.
	Restores bool
}

// FollowUps are all of them, in the order of the report.
var FollowUps = []FollowUp{
	{"restarted", restartManager, converged, false},
	{"status-wiped", wipeStatus, converged, false},
	{"restored", restoreBackup, restoredConverged, true},
}

// FollowUpNamed returns the follow-up with a name.
func FollowUpNamed(name string) (*FollowUp, error) {
	return find("follow-up", FollowUps, name, func(f *FollowUp) string { return f.Name })
}

// restartManager is a rollout.
func restartManager(_ context.Context, x *Execution) error {
	x.Kill(0)
	return nil
}

// wipeStatus removes the status while the manager is not running.
func wipeStatus(ctx context.Context, x *Execution) error {
	return x.WithoutManager(func() error {
		end, err := x.EndState(ctx)
		if err != nil {
			return err
		}
		x.History.Clear()
		defer x.History.Clear()
		for _, object := range end.Objects() {
			if err := x.Objects.Status().Patch(ctx, object, client.RawPatch(sandbox.MergePatch, []byte(`{"status":null}`))); err != nil {
				return err
			}
		}
		return nil
	})
}

// restoreBackup deletes everything and creates it again as a backup has it: with another uid and
// without status.
func restoreBackup(ctx context.Context, x *Execution) error {
	return x.WithoutManager(func() error {
		end, err := x.EndState(ctx)
		if err != nil {
			return err
		}
		for _, object := range end.Objects() {
			if err := x.Objects.Patch(ctx, object, client.RawPatch(sandbox.MergePatch, []byte(`{"metadata":{"finalizers":null}}`))); err != nil {
				return err
			}
			if err := x.Objects.Delete(ctx, object); err != nil {
				return err
			}
			object.SetUID("")
			object.SetResourceVersion("")
			object.SetManagedFields(nil)
			object.SetFinalizers(nil)
			if err := x.Objects.Create(ctx, object); err != nil {
				return err
			}
		}
		return nil
	})
}

// converged waits until everything is as it was.
func converged(ctx context.Context, x *Execution) error {
	end, err := x.EndState(ctx)
	if err != nil {
		return err
	}
	for _, object := range end.Objects() {
		if run, ok := object.(*v1alpha1.ImportRun); ok {
			if !sandbox.Finished(run.Status.Phase) {
				return fmt.Errorf("the run is %q", run.Status.Phase)
			}
			continue
		}
		err := x.Ready(ctx, object)
		if err != nil && (!x.Scenario.Contested || !conflicts(object)) {
			return err
		}
	}
	return nil
}

// WaitsForTakeover reports whether a run waits without a claim: it was restored, and has sent nothing.
func WaitsForTakeover(run *v1alpha1.ImportRun) bool {
	return run.Status.Phase == v1alpha1.RunWaiting && run.Annotations[v1alpha1.AnnotationClaim] == ""
}

// restoredConverged waits until each Import is Ready, or reports an ownership conflict: the marker
// has the uid that the Import had before. To take it over is for its user to decide. A run that had sent
// nothing waits for that: nothing in its backup says how it ended.
func restoredConverged(ctx context.Context, x *Execution) error {
	end, err := x.EndState(ctx)
	if err != nil {
		return err
	}
	waits := false
	for _, object := range end.Imports() {
		if err := x.Ready(ctx, object); err != nil {
			if !conflicts(object) {
				return err
			}
			waits = true
		}
	}
	switch run := end.Run; {
	case run == nil || sandbox.Finished(run.Status.Phase):
		return nil
	case waits && WaitsForTakeover(run):
		return nil
	default:
		return fmt.Errorf("the run is %q", run.Status.Phase)
	}
}
