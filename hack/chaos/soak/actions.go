// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package soak

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/hack/chaos/sandbox"
	"github.com/integrator-operator/integrator-operator/hack/chaos/scenario"
	"github.com/integrator-operator/integrator-operator/internal/simulator"
)

// action is something that somebody does to the Import with a name.
type action struct {
	name string
	do   func(ctx context.Context, s *soak, name string) error
}

// actions are chosen at random: frequent ones are listed twice.
var actions = []action{
	{"declare", declare}, {"declare", declare}, {"change", change}, {"change", change}, {"edit in the UI", editRemote}, {"edit in the UI", editRemote},
	{"delete in the UI", deleteRemote}, {"delete", remove}, {"label", label}, {"run", createRun}, {"run", createRun},
}

// read reads an Import, and reports whether it exists and is not being deleted.
func (s *soak) read(ctx context.Context, name string) (*v1alpha1.Import, bool, error) {
	object := &v1alpha1.Import{}
	err := s.Objects.Get(ctx, client.ObjectKey{Namespace: s.Namespace, Name: name}, object)
	return object, err == nil && object.DeletionTimestamp.IsZero(), client.IgnoreNotFound(err)
}

func declare(ctx context.Context, s *soak, name string) error {
	object := &v1alpha1.Import{ObjectMeta: s.Meta(name)}
	if err := json.Unmarshal([]byte(`{"definition":`+strings.Replace(scenario.Definition, `"orders"`, `"`+name+`"`, 1)+`}`), &object.Spec); err != nil {
		return err
	}
	err := s.Objects.Create(ctx, object)
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	return err
}

func (s *soak) patch(ctx context.Context, name string, patch []byte) error {
	return client.IgnoreNotFound(s.Objects.Patch(ctx, &v1alpha1.Import{ObjectMeta: s.Meta(name)}, client.RawPatch(sandbox.MergePatch, patch)))
}

func change(ctx context.Context, s *soak, name string) error {
	return s.patch(ctx, name, fmt.Appendf(nil, `{"spec":{"definition":{"description":"change %d"}}}`, s.rng.IntN(1000)))
}

func label(ctx context.Context, s *soak, name string) error {
	return s.patch(ctx, name, fmt.Appendf(nil, `{"metadata":{"labels":{%q:"%d"}}}`, scenario.TouchedLabel, s.rng.IntN(1000)))
}

func remove(ctx context.Context, s *soak, name string) error {
	return client.IgnoreNotFound(s.Objects.Delete(ctx, &v1alpha1.Import{ObjectMeta: s.Meta(name)}))
}

func editRemote(ctx context.Context, s *soak, name string) error {
	object, exists, err := s.read(ctx, name)
	if !exists || object.Status.ID == "" {
		return err
	}
	_ = s.API.EditAs(scenario.Jane, sandbox.AccountName, object.Status.ID, func(d simulator.Document) { // it may have been deleted
		d["http"].(map[string]any)["relativeURI"] = []any{fmt.Sprintf("/wrong/%d", s.rng.IntN(1000))}
	})
	return nil
}

func deleteRemote(ctx context.Context, s *soak, name string) error {
	object, exists, err := s.read(ctx, name)
	if exists && object.Status.ID != "" {
		_ = s.API.DeleteAs(scenario.Jane, sandbox.AccountName, object.Status.ID) // it may have been deleted
	}
	return err
}

// createRun sends records that differ from each other, and deletes the oldest run.
func createRun(ctx context.Context, s *soak, name string) error {
	s.runs++
	object := &v1alpha1.ImportRun{ObjectMeta: s.Meta(fmt.Sprintf("run-%d", s.runs))}
	object.Spec.ImportRef, object.Spec.ActiveDeadlineSeconds = &v1alpha1.LocalReference{Name: name}, ptr.To[int32](15)
	for i := range 3 {
		object.Spec.Data = append(object.Spec.Data, v1alpha1.JSON{Raw: fmt.Appendf(nil, `{"number":"%d-%d"}`, s.runs, i)})
	}
	if err := s.Objects.Create(ctx, object); err != nil {
		return err
	}
	old := &v1alpha1.ImportRun{ObjectMeta: s.Meta(fmt.Sprintf("run-%d", s.runs-runs))}
	return client.IgnoreNotFound(s.Objects.Delete(ctx, old))
}
