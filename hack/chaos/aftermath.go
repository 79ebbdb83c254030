// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"

	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
)

// aftermath is something that happens when a scenario is over. Nothing may come of it on the
// remote side; until says what has to come of it here.
type aftermath struct {
	name  string
	do    func(context.Context, *stage) error
	until func(context.Context, *stage) error
	// restores tells that the objects are others than before.
	restores bool
}

// aftermaths are all of them, in the order of the report.
var aftermaths = []aftermath{
	{"restarted", restartManager, settledAgain, false},
	{"status-wiped", wipeStatus, settledAgain, false},
	{"restored", restoreBackup, restoredSettled, true},
}

// restartManager is a rollout.
func restartManager(_ context.Context, s *stage) error {
	s.kill(0)
	return nil
}

// wipeStatus takes the status away while the manager is not there.
func wipeStatus(ctx context.Context, s *stage) error {
	return s.withoutManager(func() error {
		end, err := s.ending(ctx)
		if err != nil {
			return err
		}
		s.history.clear()
		defer s.history.clear()
		for _, object := range end.objects() {
			if err := s.objects.Status().Patch(ctx, object, client.RawPatch(mergePatch, []byte(`{"status":null}`))); err != nil {
				return err
			}
		}
		return nil
	})
}

// restoreBackup deletes everything and makes it again as a backup has it: with another uid
// and without status.
func restoreBackup(ctx context.Context, s *stage) error {
	return s.withoutManager(func() error {
		end, err := s.ending(ctx)
		if err != nil {
			return err
		}
		for _, object := range end.objects() {
			if err := s.objects.Patch(ctx, object, client.RawPatch(mergePatch, []byte(`{"metadata":{"finalizers":null}}`))); err != nil {
				return err
			}
			if err := s.objects.Delete(ctx, object); err != nil {
				return err
			}
			object.SetUID("")
			object.SetResourceVersion("")
			object.SetManagedFields(nil)
			object.SetFinalizers(nil)
			if err := s.objects.Create(ctx, object); err != nil {
				return err
			}
		}
		return nil
	})
}

// withoutManager does something while no manager runs.
func (s *stage) withoutManager(do func() error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.managers[0].process.Kill()
	defer s.restartLocked(0)
	return do()
}

// settledAgain waits until everything is as it was.
func settledAgain(ctx context.Context, s *stage) error {
	end, err := s.ending(ctx)
	if err != nil {
		return err
	}
	for _, object := range end.objects() {
		if run, ok := object.(*v1alpha1.ImportRun); ok {
			if !isEnd(run.Status.Phase) {
				return fmt.Errorf("the run is %q", run.Status.Phase)
			}
			continue
		}
		if err := s.ready(ctx, object); err != nil {
			return err
		}
	}
	return nil
}

// restoredSettled waits until the Import says that its import is another's: the mark is of the
// uid that it had. To take it over is for its user to decide.
func restoredSettled(ctx context.Context, s *stage) error {
	end, err := s.ending(ctx)
	if err != nil {
		return err
	}
	if end.run != nil && !isEnd(end.run.Status.Phase) {
		return fmt.Errorf("the run is %q", end.run.Status.Phase)
	}
	if end.managed == nil {
		return nil
	}
	stalled := apimeta.FindStatusCondition(end.managed.Status.Conditions, v1alpha1.ConditionStalled)
	if apimeta.IsStatusConditionTrue(end.managed.Status.Conditions, v1alpha1.ConditionReady) ||
		stalled != nil && stalled.Status == metav1.ConditionTrue && stalled.Reason == "OwnershipConflict" {
		return nil
	}
	return fmt.Errorf("the Import orders: %s", described(end.managed.Status.Conditions))
}
